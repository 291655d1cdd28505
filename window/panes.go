package window

import "reflect"

// pane is an accumulator and the number of its rows; with no rows the
// accumulator is not even initialised.
type pane[A any] struct {
	acc A
	n   int64
}

// folder is how panes combine accumulators.
type folder[A any] struct {
	red   combiner[A]
	rem   Remover[A] // nil: not exact
	empty A          // after Init, where copying is allowed
	flat  bool       // A holds no pointers: assignment copies it
}

// combiner is the part of a Reducer that knows accumulators only.
type combiner[A any] interface {
	Init(a *A)
	Merge(dst, newer *A)
}

func newFolder[T, A, R any](r Reducer[T, A, R]) *folder[A] {
	f := &folder[A]{red: r, flat: !hasPointers(reflect.TypeFor[A]())}
	f.rem, _ = r.(Remover[A])
	return f
}

func (f *folder[A]) begin(a *A) {
	if f.flat {
		*a = f.empty
	} else {
		f.red.Init(a)
	}
}

// into merges p into dst.
func (f *folder[A]) into(dst, p *pane[A]) {
	switch {
	case p.n == 0:
		return
	case dst.n == 0 && f.flat:
		dst.acc = p.acc
	case dst.n == 0:
		f.red.Init(&dst.acc)
		f.red.Merge(&dst.acc, &p.acc)
	default:
		f.red.Merge(&dst.acc, &p.acc)
	}
	dst.n += p.n
}

// panes holds the pieces of overlapping windows. A window is width panes, and
// each pane is added to once. Its value is the fold of what lies before the
// multiple of width inside it, from right to left, with what lies after, from
// left to right: two stacks that turn over at fixed places. So a window's value
// depends on its panes alone, not on what was asked before, and a restart gives
// the same bits.
type panes[A any] struct {
	f     *folder[A]
	width int64
	ring  []pane[A] // pane i at i & (len-1)
	low   int64     // panes before it are forgotten
	high  int64     // panes from it on are empty
	some  int64     // and so are those before it

	back     pane[A] // fold of [backFrom, backTo), exact reducers: of these panes
	backFrom int64
	backTo   int64
	front    []pane[A] // fold of [i, frontEnd) at i & (len-1), for i from frontLow
	frontLow int64
	frontEnd int64
	tmp      pane[A]

	first []int64 // size windows: time of each pane's first row
}

func newPanes[A any](f *folder[A], width, spare int64) *panes[A] {
	p := &panes[A]{f: f, width: width, ring: make([]pane[A], ceilPow2(width+spare))}
	if width > 1 && f.rem == nil {
		p.front = make([]pane[A], ceilPow2(width))
	}
	return p
}

func ceilPow2(n int64) int64 {
	c := int64(1)
	for c < n {
		c <<= 1
	}
	return c
}

func (p *panes[A]) at(i int64) *pane[A] { return &p.ring[i&int64(len(p.ring)-1)] }

// start forgets everything; pane low is the first that may be added to.
func (p *panes[A]) start(low int64) {
	for i := range p.ring {
		p.ring[i].n = 0
	}
	p.low, p.high, p.some = low, low, low
	if p.f.rem == nil {
		p.back.n, p.backFrom, p.backTo = 0, p.floor(low), p.floor(low)
	} else {
		p.back.n, p.backFrom, p.backTo = 0, low, low
	}
	p.frontLow, p.frontEnd = low, low
}

// open returns pane i, not before low, for adding to it. Folds that contain it
// are made again.
func (p *panes[A]) open(i int64) *pane[A] {
	p.raise(i + 1)
	if i >= p.backFrom && i < p.backTo {
		p.back.n, p.backTo = 0, p.backFrom
	}
	if i >= p.frontLow && i < p.frontEnd {
		p.frontLow = p.frontEnd
	}
	p.some = min(p.some, i)
	q := p.at(i)
	if q.n == 0 {
		p.f.begin(&q.acc)
	}
	return q
}

// forget drops the panes before low.
func (p *panes[A]) forget(low int64) {
	p.low = max(p.low, low)
	p.raise(p.low)
}

// raise makes the panes up to high known, as empty ones.
func (p *panes[A]) raise(high int64) {
	for i := max(p.high, high-int64(len(p.ring))); i < high; i++ {
		p.at(i).n = 0
	}
	p.high = max(p.high, high)
}

// any reports whether one of the panes [from, to) has rows, and which first.
// From must not go back.
func (p *panes[A]) any(from, to int64) (first int64, ok bool) {
	for i := max(from, p.low, p.some); i < min(to, p.high); i++ {
		if p.at(i).n > 0 {
			p.some = i
			return i, true
		}
	}
	return 0, false
}

// window folds the panes [from, from+width). The result is valid until the next
// call and must not be changed.
func (p *panes[A]) window(from int64) *pane[A] {
	to := from + p.width
	if p.width == 1 {
		if from < p.low || from >= p.high {
			p.tmp.n = 0
			return &p.tmp
		}
		return p.at(from)
	}
	if p.f.rem != nil {
		return p.exact(from, to)
	}
	mid := p.backFrom // always a multiple of width
	if from > mid && from <= mid+p.width {
		mid += p.width
	}
	if from > mid || to <= mid {
		if mid = p.floor(to); mid == to {
			mid = from
		}
	}
	p.foldBack(mid, to)
	if from == mid {
		return &p.back
	}
	p.foldFront(from, mid)
	f := &p.front[from&int64(len(p.front)-1)]
	switch {
	case f.n == 0:
		return &p.back
	case p.back.n == 0:
		return f
	}
	p.tmp.n = 0
	p.f.into(&p.tmp, f)
	p.f.into(&p.tmp, &p.back)
	return &p.tmp
}

// floor is the last multiple of width that is not after i.
func (p *panes[A]) floor(i int64) int64 {
	q, _ := floorDiv(i, p.width)
	return q * p.width
}

func (p *panes[A]) foldBack(from, to int64) {
	if p.backFrom != from || p.backTo > to {
		p.back.n, p.backFrom, p.backTo = 0, from, from
	}
	for i := max(p.backTo, p.low); i < min(to, p.high); i++ {
		p.f.into(&p.back, p.at(i))
		p.backTo = i + 1
	}
	p.backTo = to
}

// spoiled forgets the folds after a panic of the reducer.
func (p *panes[A]) spoiled() {
	p.back.n, p.backTo = 0, p.backFrom
	p.frontLow = p.frontEnd
}

func (p *panes[A]) foldFront(from, to int64) {
	mask := int64(len(p.front) - 1)
	if p.frontEnd != to {
		p.frontLow, p.frontEnd = to, to
	}
	for i := p.frontLow - 1; i >= from; i-- {
		q := &p.front[i&mask]
		q.n = 0
		if i >= p.low && i < p.high {
			p.f.into(q, p.at(i))
		}
		if i+1 < to {
			p.f.into(q, &p.front[(i+1)&mask])
		}
		p.frontLow = i
	}
}

// exact moves a running total, for reducers whose Remove is exact.
func (p *panes[A]) exact(from, to int64) *pane[A] {
	if from < p.backFrom || from > p.backTo || p.backTo > to || p.high-p.backFrom > int64(len(p.ring)) {
		p.back.n, p.backFrom, p.backTo = 0, from, from
	}
	for i := max(p.backTo, p.low); i < min(to, p.high); i++ {
		p.f.into(&p.back, p.at(i))
	}
	for i := p.backFrom; i < min(from, p.high); i++ {
		if q := p.at(i); q.n > 0 {
			p.f.rem.Remove(&p.back.acc, &q.acc)
			p.back.n -= q.n
		}
	}
	p.backFrom, p.backTo = from, to
	return &p.back
}

// now folds the panes [from, to) as they are, for windows not closed yet.
func (p *panes[A]) now(from, to int64) *pane[A] {
	p.tmp.n = 0
	for i := max(from, p.low); i < min(to, p.high); i++ {
		p.f.into(&p.tmp, p.at(i))
	}
	return &p.tmp
}
