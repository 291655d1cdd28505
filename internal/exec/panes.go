package exec

import "context"

// Windows that overlap are put together from panes: pieces as long as the
// greatest common divisor of interval and step, each of which is folded once.
// The panes of a window are a queue of two stacks, so that a window costs a few
// merges however many panes it has.

// minOverlap is how many windows a row must lie in for panes to pay.
const minOverlap = 4

// paneOf returns the length of panes for windows of g, 0 if they do not pay or
// cannot be.
func paneOf(g *grid) int64 {
	if g.whole || g.list != nil || g.interval.Months != 0 || g.step.Months != 0 || g.step.NS <= 0 || g.interval.NS/g.step.NS < minOverlap {
		return 0
	}
	a, b := g.interval.NS, g.step.NS
	for b != 0 {
		a, b = b, a%b
	}
	// Panes much shorter than the step would cost more than they save.
	if g.step.NS/a > 16 {
		return 0
	}
	return a
}

// paned gives the windows of a fold by panes. Its fold works on panes.
type paned struct {
	f      *fold
	g      *grid // of the panes
	pane   int64
	next   int64      // pane that comes into the window next
	front  []*folding // merged to the end of the front stack, the oldest last
	back   []*folding // panes as they came
	tail   *folding   // all of back merged
	result *folding
}

// merges reports whether the groups of a can be put together for less than it
// costs to add their rows, with the same result.
func merges(a Aggregator) bool {
	switch a := a.(type) {
	case *sumAgg, *countAgg, *countTimeAgg, *rangeAgg, *edgeAgg, *timeAgg, *varianceAgg, *byAgg:
		return true
	case interface{ Merges() bool }:
		return a.Merges()
	}
	return false
}

func newPaned(f *fold, g *grid, pane int64) *paned {
	p := &paned{f: f, pane: pane}
	p.g = &grid{start: g.start, end: g.end, interval: Span{NS: pane}, step: Span{NS: pane}, leftOpen: g.leftOpen, zone: g.zone}
	f.g = p.g
	return p
}

// window folds the window w and returns its aggregates, valid until the next
// call.
func (p *paned) window(ctx context.Context, w window) (*folding, error) {
	first := p.index(w.start)
	for len(p.front) > 0 && p.front[len(p.front)-1].k < first {
		n := len(p.front) - 1
		p.f.free = append(p.f.free, p.front[n])
		p.front = p.front[:n]
	}
	if len(p.front) == 0 {
		if err := p.flip(first); err != nil {
			return nil, err
		}
	}
	p.next = max(p.next, first)
	for ; ; p.next++ {
		at, ok := p.g.at(p.next)
		if !ok || at.start >= w.end {
			break
		}
		done, err := p.f.window(ctx, p.next, at)
		if err != nil {
			return nil, err
		}
		p.f.open = p.f.open[1:] // the pane is ours now
		p.back = append(p.back, done)
		if p.tail == nil {
			if p.tail, err = p.take(); err != nil {
				return nil, err
			}
		}
		if err := mergeInto(p.tail, done); err != nil {
			return nil, err
		}
	}
	if p.result == nil {
		var err error
		if p.result, err = p.take(); err != nil {
			return nil, err
		}
	} else if err := p.result.reset(); err != nil {
		return nil, err
	}
	if n := len(p.front); n > 0 {
		if err := mergeInto(p.result, p.front[n-1]); err != nil {
			return nil, err
		}
	}
	if p.tail != nil {
		return p.result, mergeInto(p.result, p.tail)
	}
	return p.result, nil
}

// index is the pane that begins at or before at.
func (p *paned) index(at int64) int64 {
	if p.g.leftOpen {
		at--
	}
	return int64((uint64(at) - uint64(p.g.start)) / uint64(p.pane)) // further apart than int64 holds
}

// flip makes the panes of the back stack, from first on, the front stack.
func (p *paned) flip(first int64) error {
	for n := len(p.back) - 1; n >= 0; n-- {
		c := p.back[n]
		if c.k < first {
			p.f.free = append(p.f.free, c)
			continue
		}
		if m := len(p.front); m > 0 {
			if err := mergeInto(c, p.front[m-1]); err != nil {
				return err
			}
		}
		p.front = append(p.front, c)
	}
	p.back = p.back[:0]
	if p.tail != nil {
		return p.tail.reset()
	}
	return nil
}

// take returns an empty set of aggregates.
func (p *paned) take() (*folding, error) {
	if n := len(p.f.free); n > 0 {
		o := p.f.free[n-1]
		p.f.free = p.f.free[:n-1]
		return o, o.reset()
	}
	return p.f.fresh()
}

func (o *folding) reset() error {
	for _, a := range o.aggs {
		if err := a.Reset(); err != nil {
			return err
		}
	}
	return nil
}

func mergeInto(dst, src *folding) error {
	for i, a := range dst.aggs {
		if err := a.Merge(src.aggs[i]); err != nil {
			return err
		}
	}
	return nil
}

func (p *paned) close() {
	for _, o := range append(append(p.front, p.back...), p.tail, p.result) {
		if o == nil {
			continue
		}
		for _, a := range o.aggs {
			a.Close()
		}
	}
	p.front, p.back, p.tail, p.result = nil, nil, nil, nil
}
