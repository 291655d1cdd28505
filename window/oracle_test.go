package window

import (
	"fmt"
	"math/rand"
	"slices"
)

// The oracle says by definition, without cleverness, which windows a sequence of
// rows and watermarks gives. It shares no code with the package: windows are
// found by walking, contents by looking at all rows.

type op struct {
	advance bool // ts is a watermark
	ts      int64
	v       float64
}

// scenario is one definition of windows with the options that matter.
type scenario struct {
	kind           Kind
	size, step     int // rows, or instants
	anchor         Anchor
	origin         int64
	gap, span      int64
	delta          float64
	least, most    int
	strict         bool
	late           int64
	empty, updates bool
	ops            []op
}

type line struct {
	start, end int64
	rev        int
	final      bool
	rows       []op
}

func (s *scenario) oracle() []line {
	if s.kind == Time {
		return s.oracleTime()
	}
	return s.oracleOrdered()
}

// byTime puts the rows in order of time; of equal times the first to come is
// first.
func byTime(rows []op) []op {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b op) int { return int(a.ts - b.ts) })
	return rows
}

func (s *scenario) oracleTime() (out []line) {
	const none = -1 << 40
	type win struct {
		start, end int64
		rows       []op
		rev        int
		done       bool
	}
	var wins []*win
	mark, seen := int64(none), int64(none)
	closeUpTo := func(limit func(*win) bool, early bool) {
		first := false
		for _, w := range wins {
			first = first || len(w.rows) > 0
			if w.done || !limit(w) {
				continue
			}
			w.done = true
			if len(w.rows) > 0 || s.empty && first {
				out = append(out, line{w.start, w.end, w.rev, true, byTime(w.rows)})
			}
		}
	}
	for _, o := range s.ops {
		if o.advance {
			mark = max(mark, o.ts)
			closeUpTo(func(w *win) bool { return w.end <= mark && seen != none }, false)
			continue
		}
		if s.strict && seen != none && o.ts <= seen {
			continue
		}
		if seen == none {
			if o.ts < mark && s.anchor == FirstPoint {
				continue
			}
			origin := map[Anchor]int64{Epoch: 0, Instant: s.origin, FirstPoint: o.ts}[s.anchor]
			for k := int64(-800); k < 1600; k++ {
				if start := origin + k*int64(s.step); s.anchor != FirstPoint || k >= 0 {
					wins = append(wins, &win{start: start, end: start + int64(s.size), done: start+int64(s.size) <= mark})
				}
			}
		}
		open, holding := 0, 0
		for _, w := range wins {
			if w.start <= o.ts && o.ts < w.end {
				holding++
				if !w.done {
					open++
				}
			}
		}
		if o.ts < mark && open == 0 {
			if seen == none {
				wins = nil
			}
			continue
		}
		seen = max(seen, o.ts)
		mark = max(mark, o.ts-s.late)
		for _, w := range wins {
			if w.start <= o.ts && o.ts < w.end && !w.done {
				w.rows = append(w.rows, o)
			}
		}
		closeUpTo(func(w *win) bool { return w.end <= mark }, false)
		for _, w := range wins {
			if s.updates && w.start <= o.ts && o.ts < w.end && !w.done {
				out = append(out, line{w.start, w.end, w.rev, false, byTime(w.rows)})
				w.rev++
			}
		}
	}
	closeUpTo(func(w *win) bool { return w.start <= seen }, false)
	return out
}

func (s *scenario) oracleOrdered() (out []line) {
	const none = -1 << 40
	mark, seen := int64(none), int64(none)
	var rows []op
	for _, o := range s.ops {
		switch {
		case o.advance:
			mark = max(mark, o.ts)
		case s.strict && o.ts <= seen || o.ts < mark:
		default:
			seen = max(seen, o.ts)
			mark = max(mark, o.ts-s.late)
			rows = append(rows, o)
		}
	}
	rows = byTime(rows)
	give := func(from, to, full int) { // rows [from, to) of a window that would be full with that many
		if s.updates && s.late == 0 {
			for i := from + 1; i <= to && i-from < full; i++ {
				if s.keeps(i - from) {
					out = append(out, line{rows[from].ts, rows[i-1].ts, s.kept(i - from - 1), false, rows[from:i]})
				}
			}
		}
		if s.keeps(to - from) {
			rev := 0
			if s.updates && s.late == 0 {
				rev = s.kept(min(to-from, full-1))
			}
			out = append(out, line{rows[from].ts, rows[to-1].ts, rev, true, rows[from:to]})
		}
	}
	if s.kind == Size {
		for from := 0; from < len(rows); from += s.step {
			give(from, min(from+s.size, len(rows)), s.size)
		}
		return out
	}
	for from := 0; from < len(rows); {
		if s.kind == Condition && rows[from].v < 3 {
			from++
			continue
		}
		to := from + 1
		for to < len(rows) && s.together(rows[from], rows[to-1], rows[to]) {
			to++
		}
		give(from, to, 1<<30)
		from = to
	}
	return out
}

func (s *scenario) keeps(n int) bool {
	return s.kind != Condition || n >= s.least && (s.most == 0 || n <= s.most)
}

// kept counts the lengths up to n that a condition window is given with.
func (s *scenario) kept(n int) (k int) {
	for i := 1; i <= n; i++ {
		if s.keeps(i) {
			k++
		}
	}
	return k
}

func (s *scenario) together(first, last, next op) bool {
	switch s.kind {
	case Session:
		return next.ts-last.ts <= s.gap && (s.span == 0 || next.ts-first.ts <= s.span)
	case State:
		return max(next.v-first.v, first.v-next.v) <= s.delta
	}
	return next.v >= 3
}

func (s *scenario) spec() Spec {
	switch s.kind {
	case Size:
		return Count(s.size).Every(s.step)
	case Time:
		sp := Sliding(dur(s.size), dur(s.step))
		sp.Anchor, sp.Origin = s.anchor, s.origin
		return sp
	case Session:
		return Gap(dur(int(s.gap))).AtMost(dur(int(s.span)))
	case State:
		return Within("s", s.delta)
	}
	return While("s").Keep(s.least, s.most)
}

func (s *scenario) options() *Options[float64] {
	o := &Options[float64]{Strict: s.strict, Lateness: dur(int(s.late)), Empty: s.empty, EmptyCap: 1 << 30,
		Holds: func(v float64) bool { return v >= 3 }}
	if s.updates {
		o.Emit = OnUpdate
	}
	return o
}

func (s *scenario) String() string {
	return fmt.Sprintf("%s strict %t late %d empty %t updates %t ops %v", s.spec(), s.strict, s.late, s.empty, s.updates, s.ops)
}

// randomScenario draws everything from r.
func randomScenario(r *rand.Rand) *scenario {
	s := &scenario{kind: []Kind{Size, Time, Time, Time, Session, State, Condition}[r.Intn(7)]}
	s.size, s.step = 1+r.Intn(12), 1+r.Intn(12)
	s.anchor, s.origin = Anchor(r.Intn(3)), int64(r.Intn(40)-20)
	if s.anchor != Instant {
		s.origin = 0
	}
	s.gap, s.span = int64(r.Intn(6)), int64(r.Intn(3)*r.Intn(15))
	s.delta = float64(r.Intn(3))
	s.least, s.most = r.Intn(3), 0
	if r.Intn(3) == 0 {
		s.most = s.least + 1 + r.Intn(3)
	}
	switch r.Intn(3) {
	case 0:
		s.strict = true
	case 1:
		s.late = int64(r.Intn(15))
	}
	s.empty = s.kind == Time && r.Intn(2) == 0
	s.updates = (s.kind == Time || s.late == 0) && r.Intn(4) == 0
	ts := int64(r.Intn(100) - 50)
	for range r.Intn(60) {
		switch r.Intn(12) {
		case 0:
			s.ops = append(s.ops, op{advance: true, ts: ts + int64(r.Intn(20)-10)})
			continue
		case 1:
			ts += int64(r.Intn(40))
		default:
			ts += int64(r.Intn(4))
		}
		at := ts
		if r.Intn(3) == 0 {
			at -= int64(r.Intn(16))
		}
		s.ops = append(s.ops, op{ts: at, v: float64(r.Intn(6))})
	}
	return s
}
