package exec

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/column"
)

// limits is what WHERE demands of a column: a value in [lo, hi], without a
// limit that is open. Comparing as float64 is monotone for integers too, so what
// it rules out can be no match.
type limits struct {
	lo, hi         float64
	openLo, openHi bool
}

// refutes reports that no cell of a block lies within l.
func (l limits) refutes(s *block.Stats, kind column.Kind) bool {
	if s.Flags&block.FlagNoRange != 0 {
		return s.Flags&block.FlagNaN != 0 || s.Count == 0 // NaN fulfils no comparison
	}
	lo, hi := statValue(s.Min, kind), statValue(s.Max, kind)
	return hi < l.lo || lo > l.hi || l.openLo && hi == l.lo || l.openHi && lo == l.hi
}

func statValue(v uint64, kind column.Kind) float64 {
	switch kind {
	case column.Float64:
		return math.Float64frombits(v)
	case column.Float32:
		return float64(math.Float32frombits(uint32(v)))
	}
	return float64(int64(v))
}

// demands collects the limits that must hold for n to be true, by column. It
// returns false if n may not be left out for any row, because it calls
// functions, which may remember the rows they saw.
func demands(n *node) (map[int]limits, bool) {
	pure := true
	n.walk(func(n *node) bool {
		pure = pure && n.op != expr.OpCall && n.op != opTable
		return pure
	})
	if !pure {
		return nil, false
	}
	all := map[int]limits{}
	collect(n, all)
	return all, len(all) > 0
}

func collect(n *node, all map[int]limits) {
	demand := func(slot *node, d limits) {
		l, ok := all[slot.slot]
		if !ok {
			l = limits{lo: math.Inf(-1), hi: math.Inf(1)}
		}
		if d.lo > l.lo {
			l.lo, l.openLo = d.lo, d.openLo
		}
		if d.hi < l.hi {
			l.hi, l.openHi = d.hi, d.openHi
		}
		all[slot.slot] = l
	}
	switch n.op {
	case expr.OpAnd:
		collect(n.args[0], all)
		collect(n.args[1], all)
	case expr.OpBetween:
		lo, okLo := constNumber(n.args[1])
		hi, okHi := constNumber(n.args[2])
		if s := n.args[0]; !n.not && okLo && okHi && s.op == opSlot && s.kind.Numeric() {
			demand(s, limits{lo: lo, hi: hi})
		}
	case expr.OpEq, expr.OpLt, expr.OpLe, expr.OpGt, expr.OpGe:
		a, b, op := n.args[0], n.args[1], n.op
		if b.op == opSlot {
			a, b, op = b, a, mirror(op)
		}
		c, ok := constNumber(b)
		if !ok || a.op != opSlot || !a.kind.Numeric() {
			return
		}
		// Beyond 2^53 an integer that differs may read as the same float64.
		open := (op == expr.OpLt || op == expr.OpGt) && math.Abs(c) < 1<<53
		switch op {
		case expr.OpEq:
			demand(a, limits{lo: c, hi: c})
		case expr.OpLt, expr.OpLe:
			demand(a, limits{lo: math.Inf(-1), hi: c, openHi: open})
		default:
			demand(a, limits{lo: c, hi: math.Inf(1), openLo: open})
		}
	}
}

func (l limits) String() string {
	text := fmt.Sprintf("[%v, %v]", l.lo, l.hi)
	if l.openLo {
		text = "(" + text[1:]
	}
	if l.openHi {
		text = text[:len(text)-1] + ")"
	}
	return text
}

func mirror(op expr.Op) expr.Op {
	switch op {
	case expr.OpLt:
		return expr.OpGt
	case expr.OpLe:
		return expr.OpGe
	case expr.OpGt:
		return expr.OpLt
	case expr.OpGe:
		return expr.OpLe
	}
	return op
}

func constNumber(n *node) (float64, bool) {
	if n.op != expr.OpConst || !n.kind.Numeric() {
		return 0, false
	}
	v := n.cell.Float64At(0)
	return v, v == v
}

// span is the times lo to hi, both included.
type span struct{ lo, hi int64 }

// maxBlind is after how many batches without statistics pruning gives up: they
// have to be read, and would be read twice.
const maxBlind = 16

// prune narrows in to the times at which where may be true as far as block
// statistics tell. It returns in if they rule out nothing.
func prune(r *run, in *seriesRows, where *node) (*seriesRows, error) {
	all, ok := demands(where)
	if !ok {
		return in, nil
	}
	var spans []span
	narrowed := false
	for _, slot := range sortedKeys(all) {
		ser := in.series[slot]
		if ser == nil {
			continue
		}
		found, ruledOut, err := candidates(r, ser, all[slot], r.plan.from, r.plan.to)
		if err != nil {
			return nil, err
		}
		if !ruledOut {
			continue
		}
		if narrowed {
			found = intersect(spans, found)
		}
		spans, narrowed = found, true
	}
	if !narrowed {
		return in, nil
	}
	out := *in
	out.spans, out.narrowed = spans, true
	return &out, nil
}

func sortedKeys(m map[int]limits) []int {
	keys := make([]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// candidates walks the blocks of a series without decoding them.
func candidates(r *run, ser *Series, l limits, from, to int64) (spans []span, ruledOut bool, err error) {
	c := r.counted.Source.Cursor(ser, from, to) // what is only looked at is not counted
	defer c.Close()
	apart := true // a block was ruled out since the last span
	add := func(lo, hi int64) {
		if apart {
			spans = append(spans, span{lo, hi})
		}
		spans[len(spans)-1].hi = hi
		apart = false
	}
	for blind, n := 0, 0; ; n++ {
		if n%256 == 0 {
			if err := r.ctx.Err(); err != nil {
				return nil, false, err
			}
		}
		s, ok := c.PeekStats()
		switch {
		case ok && l.refutes(s, ser.Kind):
			r.meter.Skipped.Add(1)
			ruledOut, apart = true, true
			c.Skip()
		case ok:
			add(s.MinTime, s.MaxTime)
			c.Skip()
		case !c.Next():
			return spans, ruledOut, c.Err()
		default:
			times := c.Times()
			add(times[0], times[len(times)-1])
			if blind++; blind == maxBlind {
				add(times[0], math.MaxInt64)
				return spans, ruledOut, nil
			}
		}
	}
}

func intersect(a, b []span) []span {
	var out []span
	for len(a) > 0 && len(b) > 0 {
		if lo, hi := max(a[0].lo, b[0].lo), min(a[0].hi, b[0].hi); lo <= hi {
			out = append(out, span{lo, hi})
		}
		if a[0].hi < b[0].hi {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return out
}

// spanned reads spans of time one after the other.
type spanned struct {
	src      Source
	series   []*Series
	spans    []span
	from, to int64
	s        stream
}

func (p *spanned) next(ctx context.Context) (*Batch, error) {
	for {
		if p.s == nil {
			if len(p.spans) == 0 {
				return nil, ctx.Err()
			}
			at := p.spans[0]
			p.spans = p.spans[1:]
			p.s = scan(p.src, p.series, max(p.from, at.lo), min(p.to, addTime(at.hi, 1)))
		}
		b, err := p.s.next(ctx)
		if b != nil || err != nil {
			return b, err
		}
		p.s.close()
		p.s = nil
	}
}

func (p *spanned) close() {
	p.spans = nil
	if p.s != nil {
		p.s.close()
		p.s = nil
	}
}
