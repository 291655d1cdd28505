package exec

import (
	"context"
	"fmt"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/errs"
)

// aggSlot is one aggregate of a plan. Its members are folded one by one and
// then merged: one, unless levels put several series together.
type aggSlot struct {
	text    string // as printed
	kind    Column
	call    *Call
	make    func() Aggregator
	members []aggMember
	builtin bool // not a user's
	merges  bool // may be put together from panes
	stored  Aggregate
	input   *Series // the only input, if it is a stored series
	join    int     // how parts of a window become the whole
}

// aggMember is the inputs of an aggregate.
type aggMember struct {
	args   []*node
	direct int  // the input column, if the one argument is a series as stored, else -1
	absent bool // an input series does not exist: nothing is folded
}

// fold folds the rows of one input into windows, for several aggregates.
type fold struct {
	g     *grid
	exact bool
	makes []*aggSlot
	args  [][]int // columns of each aggregate
	// foreign says that an aggregate is a user's, which must not be called by
	// several goroutines at once: nobody promised that its values are apart.
	foreign bool
	piece   bool // an aggregate cannot be put together from panes
	paned   *paned

	points Cursor // of a stored series, or
	rows   stream
	series *Series // of points
	unread *run    // whose points are not read yet, since they may be told as a whole; nil: they are, or are none
	cursor meteredCursor
	index  int // among the folds of a stream

	batch   Batch
	views   []Batch // batch as each aggregate sees it
	loaded  bool
	line    line // the times of batch, which are not written out; none: they are
	low     int  // first row of batch that windows still to be fed may have
	eof     bool
	open    []*folding // windows that have begun, consecutive
	free    []*folding
	scanned Batch
	one     [1]Col // of scanned
}

// folding is one window and its aggregates.
type folding struct {
	k    int64
	w    window
	aggs []Aggregator
}

// maxOverlap bounds how many windows a row may lie in.
const maxOverlap = 1 << 20

// reads makes f read the points of its series.
func (f *fold) reads(r *run) {
	if !small && f.g.whole && f.g.list == nil && !f.exact {
		f.unread = r
		return
	}
	f.openPoints(r)
}

func (f *fold) openPoints(r *run) {
	f.cursor = meteredCursor{Cursor: r.counted.Source.Cursor(f.series, r.plan.from, r.plan.to), m: r.meter}
	f.points = &f.cursor
}

func (f *fold) close() {
	if f.paned != nil {
		f.paned.close()
	}
	if f.points != nil {
		f.points.Close()
	}
	if f.rows != nil {
		f.rows.close()
	}
	for _, list := range [][]*folding{f.open, f.free} {
		for _, o := range list {
			for _, a := range o.aggs {
				a.Close()
			}
		}
	}
	f.open, f.free = nil, nil
}

// window folds window k, which is asked for in order, and returns its
// aggregates; they are valid until the next call.
func (f *fold) window(ctx context.Context, k int64, w window) (*folding, error) {
	for len(f.open) > 0 && f.open[0].k < k {
		f.free = append(f.free, f.open[0])
		f.open = f.open[:copy(f.open, f.open[1:])]
	}
	if len(f.open) == 0 {
		if _, err := f.begin(k, w); err != nil {
			return nil, err
		}
	}
	if r := f.unread; !small && r != nil {
		if f.unread = nil; f.total(r) {
			f.eof = true
		} else {
			f.openPoints(r)
		}
	}
	for !f.eof && (!f.loaded || f.last() < w.end) {
		done, err := f.advance(ctx, k, w)
		if err != nil {
			return nil, err
		}
		if done {
			break
		}
	}
	return f.open[0], nil
}

// begin opens window k and folds what of it lies in the current batch.
func (f *fold) begin(k int64, w window) (*folding, error) {
	if len(f.open) >= maxOverlap {
		return nil, fmt.Errorf("group by time: a row lies in more than %d windows: %w", maxOverlap, errs.Limit)
	}
	var o *folding
	if n := len(f.free); n > 0 {
		o = f.free[n-1]
		if err := o.reset(); err != nil {
			return nil, err // it is closed with those that are free
		}
		f.free = f.free[:n-1]
	} else {
		var err error
		if o, err = f.fresh(); err != nil {
			return nil, err
		}
	}
	o.k, o.w = k, w
	f.open = append(f.open, o)
	if f.loaded {
		return o, f.feed(o)
	}
	return o, nil
}

// fresh makes a new set of aggregates.
func (f *fold) fresh() (*folding, error) {
	o := &folding{aggs: make([]Aggregator, 0, len(f.makes))}
	for _, s := range f.makes {
		a, err := s.start()
		if err != nil {
			for _, made := range o.aggs {
				made.Close()
			}
			return nil, err
		}
		o.aggs = append(o.aggs, a)
	}
	return o, nil
}

// at folds window k, which is asked for in order, by panes or as a whole, and
// returns its aggregates; they are valid until the next call.
func (f *fold) at(ctx context.Context, k int64, w window) (*folding, error) {
	if f.paned != nil {
		return f.paned.window(ctx, w)
	}
	return f.window(ctx, k, w)
}

// feed folds what of window o lies in the batch. Windows are fed in the order
// of their starts.
func (f *fold) feed(o *folding) error {
	lo := f.seek(f.low, o.w.start)
	f.low = lo
	hi := f.seek(lo, o.w.end)
	if lo >= hi {
		return nil
	}
	for i, a := range o.aggs {
		if err := a.Add(&f.views[i], lo, hi); err != nil {
			return err
		}
	}
	return nil
}

// last returns the time of the last row of the batch.
func (f *fold) last() int64 {
	if f.line.n > 0 {
		return f.line.last()
	}
	return f.batch.Times[f.batch.Len()-1]
}

// seek is that of the times of the batch.
func (f *fold) seek(i int, t int64) int {
	if f.line.n > 0 {
		return f.line.seek(i, t)
	}
	return seek(f.batch.Times, i, t)
}

// seek returns the first index from i on with a time of at least t. It takes
// ever longer steps, for windows are mostly short beside a batch.
func seek(times []int64, i int, t int64) int {
	step := 1
	for i+step < len(times) && times[i+step-1] < t {
		i += step
		step *= 2
	}
	end := min(i+step, len(times))
	for i < end {
		if m := int(uint(i+end) >> 1); times[m] < t {
			i = m + 1
		} else {
			end = m
		}
	}
	return i
}

// advance moves past the current batch: it opens the windows that begin in it,
// then takes whole blocks by their statistics, or loads the next batch. done
// says that the next block lies behind w.
func (f *fold) advance(ctx context.Context, k int64, w window) (done bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if f.loaded {
		if err := f.beginUntil(ctx, f.last()); err != nil {
			return false, err
		}
		f.loaded = false
		f.line = line{}
	}
	if f.points != nil {
		if s, ok := f.points.PeekStats(); ok {
			if s.MinTime >= w.end {
				return true, nil
			}
			skipped, err := f.skip(ctx, s)
			if skipped || err != nil {
				return false, err
			}
			if f.timeless() {
				f.line.first, f.line.step, f.line.n = f.cursor.NextLine()
			}
		}
		if f.line.n == 0 && !f.points.Next() {
			f.eof = true
			return false, f.points.Err()
		}
		f.scanned.Times = f.points.Times()
		f.one[0] = Col{Vector: *f.points.Values()}
		f.scanned.Cols = f.one[:]
		f.batch = f.scanned
	} else {
		b, err := f.rows.next(ctx)
		if err != nil {
			return false, err
		}
		if b == nil {
			f.eof = true
			return false, nil
		}
		f.batch = *b
	}
	f.loaded, f.low = true, 0
	if f.views == nil {
		f.views = make([]Batch, len(f.args))
	}
	for i, cols := range f.args {
		v := &f.views[i]
		if v.Times = f.batch.Times; f.points != nil {
			v.Cols = f.batch.Cols
			continue
		}
		v.Cols = v.Cols[:0]
		for _, c := range cols {
			v.Cols = append(v.Cols, f.batch.Cols[c])
		}
	}
	for i, o := range f.open {
		if err := alive(ctx, i); err != nil {
			return false, err
		}
		if err := f.feed(o); err != nil {
			return false, err
		}
	}
	return false, nil
}

// alive looks at the context once in many windows, of which a row may lie in up to
// [maxOverlap].
func alive(ctx context.Context, i int) error {
	if i%64 != 63 {
		return nil
	}
	return ctx.Err()
}

// timeless reports whether no aggregate looks at the times of rows.
func (f *fold) timeless() bool {
	for _, a := range f.open[0].aggs {
		if _, ok := a.(bulkAggregator); !ok {
			return false
		}
	}
	return true
}

// beginUntil opens the windows that begin at or before last.
func (f *fold) beginUntil(ctx context.Context, last int64) error {
	for k := f.open[len(f.open)-1].k + 1; ; k++ {
		w, ok := f.g.at(k)
		if !ok || w.start > last {
			return nil
		}
		if _, err := f.begin(k, w); err != nil {
			return err
		}
		if err := alive(ctx, len(f.open)); err != nil {
			return err
		}
	}
}

// answers reports whether s holds enough for all aggregates.
func (f *fold) answers(s *block.Stats) bool {
	for _, a := range f.open[0].aggs {
		if sa, ok := a.(statsAggregator); !ok || !sa.canStats(s, f.exact) {
			return false
		}
	}
	return true
}

// skip folds a whole block by its statistics, if it lies inside of every
// window it touches and all aggregates can.
func (f *fold) skip(ctx context.Context, s *block.Stats) (bool, error) {
	if !f.answers(s) {
		return false, nil
	}
	inside := func(w window) bool { return w.start <= s.MinTime && s.MaxTime < w.end }
	apart := func(w window) bool { return w.end <= s.MinTime || s.MaxTime < w.start }
	for _, o := range f.open {
		if !inside(o.w) && !apart(o.w) {
			return false, nil
		}
	}
	for k := f.open[len(f.open)-1].k + 1; ; k++ {
		w, ok := f.g.at(k)
		if !ok || w.start > s.MaxTime {
			break
		}
		if !inside(w) && !apart(w) {
			return false, nil
		}
	}
	if err := f.beginUntil(ctx, s.MaxTime); err != nil {
		return false, err
	}
	for _, o := range f.open {
		if apart(o.w) {
			continue
		}
		for _, a := range o.aggs {
			a.(statsAggregator).addStats(s)
		}
	}
	f.points.Skip()
	return true, nil
}
