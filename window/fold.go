package window

import (
	"fmt"
	"math"
	"time"
	"unsafe"
)

// reduction is what all cells of a Reducing or a keyed reduction share.
type reduction[T, A, R any] struct {
	spec    Spec
	opts    Options[T]
	red     Reducer[T, A, R]
	run     RunAdder[T, A] // nil: none
	f       *folder[A]
	trusted bool // a reducer of this package: it does not panic

	inc, gap1, late int64
	slow            bool  // an option needs a look at every row
	canSlide        bool  // see slide
	canChange       bool  // see changed
	anyOrder        bool  // time windows without Strict: min stays where it is
	grid            *Grid // windows; nil for other kinds
	cut             *Grid // panes
	rows, stride    int64 // size windows: rows of one, and from start to start
	least, most     int64 // times between which pane numbers do not overflow
	width, hop, off int64 // window k is panes [k·hop+off, +width)

	same  func(first, v T) bool
	pace  pace
	words bool // T is a number of 8 bytes: equal bits are the same
	holds func(v T) bool

	// send gives a result away and returns the evaluator's error.
	send  func(c *cell[T, A], r Result[R]) error
	stats *Stats
	busy  bool
	done  bool
}

// cell is the state of one key.
type cell[T, A any] struct {
	// Rows at min or later and before edge are added to cur, while there is room.
	min, edge int64
	room      int64
	armed     int64 // what room was when rows and cur.n were right
	seen      int64
	cur       *pane[A]

	mark     int64
	next     int64  // window to close next; size: number of the row after it
	begin    int64  // of the open window, or of pane cur's
	end      int64  // time: end of window next
	rows     int64  // settled so far
	limit    int64  // session: the first time it can not reach
	word     uint64 // state: the bits of first
	first    T
	own      pane[A]       // cur, where windows do not overlap
	ring     *panes[A]     // where they do, or rows may come late
	held     *column[T]    // rows that may still change their order
	grid     *Grid         // anchored at the first row
	revs     *revisions    // nil: windows are given once
	noted    int64         // keyed face: the watermark that is known to close something
	arrived  time.Duration // keyed face with a clock: when its last row came
	key      int32         // keyed face: its entry
	emptyRun int
	flags    uint8
}

// isOpen is a flag of cells: a session, state or condition window is open.
const isOpen = everySlow

func newReduction[T, A, R any](s Spec, red Reducer[T, A, R], opts *Options[T]) (*reduction[T, A, R], error) {
	p := &reduction[T, A, R]{spec: s, red: red, stats: new(Stats)}
	p.rows, p.stride = min(int64(s.Rows), endless), min(int64(s.Stride), endless)
	if opts != nil {
		p.opts = *opts
	}
	p.opts.Clock = clockOr(p.opts.Clock)
	p.opts.IdleAfter = min(p.opts.IdleAfter, never)
	o := &p.opts
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if err := o.validate(s); err != nil {
		return nil, err
	}
	if o.OnRejection != nil || o.MaxRows > 0 {
		return nil, bad("options", "OnRejection or MaxRows", "have no place where no rows are held")
	}
	p.f = newFolder(red)
	if p.f.flat {
		if err := protect(func() error { red.Init(&p.f.empty); return nil }); err != nil {
			return nil, err
		}
	}
	p.run, _ = red.(RunAdder[T, A])
	_, p.trusted = red.(builtin)
	p.late = int64(o.Lateness)
	p.words = isWord[T]() && o.Same == nil
	if o.Strict {
		p.inc = 1
	}
	p.slow = o.MaxFuture > 0 || o.Emit != OnClose || o.timed() || o.Shared
	if err := p.initKind(); err != nil {
		return nil, err
	}
	p.setPace()
	return p, nil
}

func (p *reduction[T, A, R]) initKind() error {
	s := p.spec
	switch s.Kind {
	case Size:
		return p.initSize()
	case Time, Calendar:
		return p.initGrid()
	case Session:
		p.gap1 = satAdd(int64(s.Gap), 1)
	case State:
		if p.same = p.opts.Same; p.same == nil {
			p.same = sameFunc[T](s.Delta)
		}
		if p.same == nil {
			return bad("value type", fmt.Sprintf("%T", *new(T)), "needs Options.Same")
		}
	case Condition:
		if p.holds = p.opts.Holds; p.holds == nil {
			p.holds = holdsFunc[T]()
		}
		if p.holds == nil {
			return bad("value type", fmt.Sprintf("%T", *new(T)), "needs Options.Holds")
		}
	}
	return nil
}

func (p *reduction[T, A, R]) initSize() error {
	size, step := p.rows, p.stride
	if step >= size {
		p.width, p.hop = 1, 1
		return nil
	}
	g := gcd(size, step)
	p.width, p.hop = size/g, step/g
	return p.checkWidth()
}

func (p *reduction[T, A, R]) initGrid() (err error) {
	if p.grid, err = NewGrid(p.spec, 0); err != nil {
		return err
	}
	p.anyOrder = p.inc == 0
	cut := p.spec
	if p.spec.Kind == Time {
		g := gcd(int64(p.spec.Interval), int64(p.spec.Step))
		p.width, p.hop = int64(p.spec.Interval)/g, int64(p.spec.Step)/g
		cut = Tumbling(time.Duration(g)).From(p.grid.phase)
	} else {
		g := gcd(int64(p.spec.Units), int64(p.spec.UnitStep))
		p.width, p.hop = int64(p.spec.Units)/g, int64(p.spec.UnitStep)/g
		cut.Units, cut.UnitStep = int(g), int(g)
		cut.HasBegin, cut.Begin, cut.HasEnd, cut.End = false, 0, false, 0
		if p.spec.Anchor == FirstPoint && p.spec.HasBegin {
			cut.Anchor, cut.Origin = Instant, p.spec.Begin
		}
	}
	if p.cut, err = NewGrid(cut, 0); err != nil {
		return err
	}
	p.cut.lowest = math.MinInt64
	p.off = p.offset(p.grid)
	p.least, p.most = math.MinInt64, math.MaxInt64-1
	if p.spec.Kind == Time && (p.width > 1 || p.late > 0) {
		span := satAdd(satAdd(int64(p.spec.Interval), int64(p.spec.Step)), p.late)
		p.least, p.most = satAdd(p.least, span), satSub(p.most, span)
	}
	return p.checkWidth()
}

// offset is the number of the pane that window 0 of g begins with.
func (p *reduction[T, A, R]) offset(g *Grid) int64 {
	if g.cal != nil {
		return 0
	}
	return g.phase / p.cut.step
}

func (p *reduction[T, A, R]) checkWidth() error {
	if satAdd(p.width, p.spares()) > maxOverlap {
		return bad("slidingStep", p.hop, "cuts a window and its lateness into more than a million pieces")
	}
	return nil
}

// spares is how many panes may be open beside those of one window.
func (p *reduction[T, A, R]) spares() int64 {
	n := satAdd(p.hop, 1)
	if p.late > 0 && p.cut != nil {
		pane := p.cut.interval
		if p.cut.cal != nil {
			pane = int64(20*3600) * 1e9
		}
		n = satAdd(n, satAdd(p.late/pane, 1))
	}
	return n
}

// anchor sets the grid of a cell whose first row is at ts.
func (p *reduction[T, A, R]) anchor(c *cell[T, A], ts int64) {
	if p.spec.Anchor != FirstPoint || p.spec.HasBegin {
		c.grid = p.grid
		return
	}
	c.grid = p.grid.from(ts)
}

// paneOf returns the number of the pane of ts and its bounds.
func (p *reduction[T, A, R]) paneOf(c *cell[T, A], ts int64) (int64, Range) {
	if c.grid == p.grid {
		i := p.cut.Last(ts)
		return i, p.cut.At(i)
	}
	cut := Grid{interval: p.cut.interval, step: p.cut.step, lowest: math.MinInt64}
	if c.grid.cal != nil {
		own := *c.grid.cal
		own.units, own.step = p.cut.cal.units, p.cut.cal.step
		cut.cal = &own
	} else {
		cut.phase = c.grid.phase % p.cut.step
	}
	i := cut.Last(ts)
	return i, cut.At(i)
}

// firstPane is the number of the first pane of window k.
func (p *reduction[T, A, R]) firstPane(c *cell[T, A], k int64) int64 {
	off := p.off
	if c.grid != nil && c.grid != p.grid {
		off = p.offset(c.grid)
	}
	return satAdd(mulAdd(k, p.hop, 0, 0), off) // the window after the last one may begin after all times
}

func (p *reduction[T, A, R]) newCell() *cell[T, A] {
	c := new(cell[T, A])
	p.reset(c)
	return c
}

// reset makes c as new, keeping its memory.
func (p *reduction[T, A, R]) reset(c *cell[T, A]) {
	*c = cell[T, A]{own: c.own, ring: c.ring, held: c.held, revs: c.revs, key: c.key}
	c.own.n = 0
	c.seen, c.mark, c.noted = math.MinInt64, math.MinInt64, math.MaxInt64
	c.cur = &c.own
	if p.spec.Kind == Size {
		c.next = p.rows
	}
	ringed := p.width > 1 || p.late > 0 && p.grid != nil
	if ringed && c.ring == nil {
		c.ring = newPanes(p.f, p.width, p.spares())
		if p.spec.Kind == Size {
			c.ring.first = make([]int64, len(c.ring.ring))
		}
	}
	if ringed {
		c.ring.start(0)
	}
	if p.late > 0 && p.grid == nil {
		c.held = new(column[T])
	}
	if p.opts.Emit != OnClose {
		c.revs = &revisions{mode: p.opts.Emit, delay: p.opts.EmitDelay, open: map[int64]*revision{}}
	}
}

// bytes is the memory of a cell.
func (p *reduction[T, A, R]) bytes(c *cell[T, A]) int64 {
	n := int64(unsafe.Sizeof(*c))
	if c.ring != nil {
		n += int64(unsafe.Sizeof(*c.ring)) + int64(len(c.ring.ring)+len(c.ring.front))*int64(unsafe.Sizeof(c.own))
	}
	if c.held != nil {
		n += int64(cap(c.held.ts)) * int64(8+unsafe.Sizeof(c.first))
	}
	return n
}

func (c *cell[T, A]) is(f uint8) bool { return c.flags&f != 0 }

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
