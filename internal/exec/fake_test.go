package exec

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/pattern"
)

// fakeStore is a Catalog and a Source in memory: columns cut into blocks.
type fakeStore struct {
	series  []*Series
	points  map[*Series]*Batch
	rows    int // of a block
	count       // guards what follows
	noStats bool
}

// count is what a run did, which may be several goroutines.
type count struct {
	mu      sync.Mutex
	loaded  int // blocks that were read
	skipped int // blocks that were taken by their statistics
	open    int // cursors not closed
}

func (c *count) add(n *int, by int) {
	c.mu.Lock()
	*n += by
	c.mu.Unlock()
}

func newFakeStore() *fakeStore { return &fakeStore{points: map[*Series]*Batch{}, rows: 100} }

func (f *fakeStore) add(device, name string, times []int64, v column.Vector) *Series {
	s := &Series{ID: uint32(len(f.series) + 1), Device: device, Name: name, Kind: v.Kind}
	f.series = append(f.series, s)
	f.points[s] = &Batch{Times: times, Cols: []Col{{Vector: v}}}
	return s
}

func (f *fakeStore) MatchCreated(p *pattern.Pattern) (all []*Series) {
	for _, s := range f.series {
		if p.MatchParts(s.Device, s.Name) {
			all = append(all, s)
		}
	}
	return all
}

func (f *fakeStore) Lookup(device, name string) (*Series, bool) {
	for _, s := range f.series {
		if s.Device == device && s.Name == name {
			return s, true
		}
	}
	return nil, false
}

type fakeCursor struct {
	f        *fakeStore
	b        *Batch
	from, to int64
	next     int
	times    []int64
	values   column.Vector
	stats    block.Stats
	closed   bool
}

func (f *fakeStore) Cursor(s *Series, from, to int64) Cursor {
	f.count.add(&f.open, 1)
	return &fakeCursor{f: f, b: f.points[s], from: from, to: to}
}

// bounds returns the rows of the next block and which of them are in range.
func (c *fakeCursor) bounds() (start, end, lo, hi int) {
	for ; c.next < c.b.Len(); c.next += c.f.rows {
		start, end = c.next, min(c.next+c.f.rows, c.b.Len())
		lo, hi = start, end
		for lo < hi && c.b.Times[lo] < c.from {
			lo++
		}
		for hi > lo && c.to != math.MaxInt64 && c.b.Times[hi-1] >= c.to {
			hi--
		}
		if lo < hi {
			return start, end, lo, hi
		}
	}
	return 0, 0, 0, 0
}

func (c *fakeCursor) Next() bool {
	_, _, lo, hi := c.bounds()
	if lo >= hi {
		return false
	}
	c.f.count.add(&c.f.loaded, 1)
	c.times, c.values = c.b.Times[lo:hi], c.b.Cols[0].Slice(lo, hi)
	c.next += c.f.rows
	return true
}

func (c *fakeCursor) PeekStats() (*block.Stats, bool) {
	start, end, lo, hi := c.bounds()
	if c.f.noStats || lo != start || hi != end || lo >= hi {
		return nil, false
	}
	v := c.b.Cols[0].Slice(lo, hi)
	c.stats = block.Stats{}
	c.stats.Compute(c.b.Times[lo:hi], &v, nil)
	return &c.stats, true
}

func (c *fakeCursor) Skip()                  { c.bounds(); c.f.count.add(&c.f.skipped, 1); c.next += c.f.rows }
func (c *fakeCursor) Times() []int64         { return c.times }
func (c *fakeCursor) Values() *column.Vector { return &c.values }
func (c *fakeCursor) Err() error             { return nil }
func (c *fakeCursor) Close() {
	if !c.closed {
		c.closed = true
		c.f.count.add(&c.f.open, -1)
	}
}

// fakeRows joins by sorting all times.
type fakeRows struct {
	f     *fakeStore
	b     Batch
	pos   int
	times []int64
	cols  []Col
	done  bool
}

func (f *fakeStore) Rows(series []*Series, from, to int64) RowCursor {
	f.count.add(&f.open, 1)
	r := &fakeRows{f: f}
	for _, s := range series {
		for _, t := range f.points[s].Times {
			if t >= from && (t < to || to == math.MaxInt64) {
				r.b.Times = append(r.b.Times, t)
			}
		}
	}
	slices.Sort(r.b.Times)
	r.b.Times = slices.Compact(r.b.Times)
	for _, s := range series {
		var c Col
		c.reset(s.Kind)
		p := f.points[s]
		for _, t := range r.b.Times {
			if i, ok := slices.BinarySearchFunc(p.Times, t, cmp.Compare); ok {
				c.appendCell(&p.Cols[0], i)
			} else {
				c.appendNull()
			}
		}
		r.b.Cols = append(r.b.Cols, c)
	}
	return r
}

func (r *fakeRows) Next() bool {
	lo, hi := r.pos, min(r.pos+r.f.rows, r.b.Len())
	if lo >= hi {
		return false
	}
	r.pos = hi
	r.times, r.cols = r.b.Times[lo:hi], nil
	for i := range r.b.Cols {
		r.cols = append(r.cols, r.b.Cols[i].cut(lo, hi, nil))
	}
	return true
}

func (r *fakeRows) Times() []int64 { return r.times }
func (r *fakeRows) Col(i int) (*column.Vector, column.Bitmap) {
	return &r.cols[i].Vector, r.cols[i].Nulls
}
func (r *fakeRows) Err() error { return nil }
func (r *fakeRows) Close() {
	if !r.done {
		r.done = true
		r.f.count.add(&r.f.open, -1)
	}
}

func (f *fakeStore) Last(s *Series) (int64, column.Cell, bool, error) {
	p := f.points[s]
	if n := p.Len(); n > 0 {
		return p.Times[n-1], p.Cols[0].Cell(n - 1), true, nil
	}
	return 0, column.Cell{}, false, nil
}

// run collects the result of q in one batch.
func (f *fakeStore) run(t testing.TB, q Query) Batch {
	t.Helper()
	if q.Start == 0 && q.End == 0 {
		q.Start, q.End = math.MinInt64, math.MaxInt64
	}
	plan, err := Prepare(&q, f, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := plan.Start(context.Background(), f, nil)
	defer func() {
		r.Close()
		r.Close()
		if f.open != 0 {
			t.Errorf("%d cursors left open", f.open)
		}
	}()
	var all Batch
	for {
		tab, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if tab == nil {
			return all
		}
		appendBatch(&all, &tab.Batch)
	}
}

func sequence(n int, step int64) ([]int64, column.Vector) {
	times := make([]int64, n)
	v := column.Vector{Kind: column.Float64}
	for i := range times {
		times[i] = int64(i) * step
		v.Float64s = append(v.Float64s, 1+float64(i%97)/7)
	}
	return times, v
}

func aggs(names ...string) (all []expr.Expr) {
	for _, n := range names {
		all = append(all, expr.Call(n, expr.Col("s")))
	}
	return all
}

// Whole blocks are answered by their statistics where windows and aggregates
// allow; only the blocks at the edges of windows are read.
func TestStatisticsPushedDown(t *testing.T) {
	f := newFakeStore()
	times, v := sequence(1000, 1)
	f.add("root.d", "s", times, v)
	all := []string{"count", "sum", "avg", "min_value", "max_value", "first_value", "last_value", "min_time", "max_time", "time_duration", "extreme"}
	group := func(interval, step int64) Group {
		return Group{Kind: GroupTime, Interval: Span{NS: interval}, Step: Span{NS: step}}
	}
	for _, c := range []struct {
		what            string
		q               Query
		loaded, skipped int
	}{
		{"no group", Query{Select: aggs(all...)}, 0, 10},
		{"not by statistics", Query{Select: aggs("count", "stddev")}, 10, 0},
		{"exact float sum", Query{Select: aggs("sum"), Exact: true}, 10, 0},
		{"exact max", Query{Select: aggs("max_value", "count"), Exact: true}, 0, 10},
		{"range", Query{Select: aggs("count"), Start: 150, End: 850}, 2, 6},
		{"time in where", Query{Select: aggs("count"), Where: expr.Time().Ge(150).And(expr.Time().Lt(850))}, 2, 6},
		{"aligned windows", Query{Select: aggs(all...), Start: 0, End: 1000, Group: group(200, 0)}, 0, 10},
		{"odd windows", Query{Select: aggs("avg"), Start: 0, End: 1000, Group: group(250, 0)}, 2, 8},
		{"overlapping windows", Query{Select: aggs("avg"), Start: 0, End: 1000, Group: group(500, 100)}, 0, 10},
		{"gaps", Query{Select: aggs("avg"), Start: 0, End: 1000, Group: group(100, 500)}, 0, 6}, // and nothing behind the last window
		{"small windows", Query{Select: aggs("avg"), Start: 0, End: 1000, Group: group(10, 0)}, 10, 0},
		{"of an expression", Query{Select: []expr.Expr{expr.Avg(expr.Col("s").Add(1))}}, 10, 0},
		{"where", Query{Select: aggs("avg"), Where: expr.Col("s").Gt(3)}, 10, 10}, // looked at, and none ruled out
	} {
		c.q.From = []string{"root.d"}
		f.loaded, f.skipped, f.noStats = 0, 0, false
		got := f.run(t, c.q)
		if f.loaded != c.loaded || f.skipped != c.skipped {
			t.Errorf("%s: %d blocks read, %d skipped, want %d and %d", c.what, f.loaded, f.skipped, c.loaded, c.skipped)
		}
		f.noStats = true
		want := f.run(t, c.q)
		if !slices.Equal(got.Times, want.Times) {
			t.Fatalf("%s: times %v, without statistics %v", c.what, got.Times, want.Times)
		}
		for i := range got.Cols {
			for r := range got.Times {
				a, b := got.Cols[i].Float64At(r), want.Cols[i].Float64At(r)
				if math.Abs(a-b) > 1e-12*14*1000 || c.q.Exact && a != b || got.Cols[i].Nulls.Get(r) != want.Cols[i].Nulls.Get(r) {
					t.Errorf("%s: column %d row %d is %v, without statistics %v", c.what, i, r, a, b)
				}
			}
		}
	}
}

// A sum of integers is exact far beyond int64, whichever way it is computed.
func TestIntegerSums(t *testing.T) {
	f := newFakeStore()
	v := column.Vector{Kind: column.Int64}
	var times []int64
	for i := range 250 {
		times = append(times, int64(i))
		x := int64(math.MaxInt64)
		if i%5 == 4 {
			x = math.MinInt64
		}
		v.Int64s = append(v.Int64s, x)
	}
	f.add("root.d", "s", times, v)
	want := 150 * float64(1<<63) // 200 × (2^63 - 1) - 50 × 2^63, and 200 is less than one unit
	for _, f.noStats = range []bool{false, true} {
		got := f.run(t, Query{Select: aggs("sum", "avg"), From: []string{"root.d"}})
		if s := got.Cols[0].Float64s[0]; s != want || got.Cols[1].Float64s[0] != want/250 {
			t.Errorf("sum %v, avg %v, want %v", s, got.Cols[1].Float64s[0], want)
		}
	}
}

// NaN takes no part in bounds unless there is nothing else; -0 is less than 0.
func TestFloatBounds(t *testing.T) {
	nan, negZero := math.NaN(), math.Copysign(0, -1)
	for _, c := range []struct{ values, want []float64 }{
		{[]float64{1, nan, -3, 2}, []float64{-3, 2, -3}},
		{[]float64{nan, 5}, []float64{5, 5, 5}},
		{[]float64{nan, nan}, []float64{nan, nan, nan}},
		{[]float64{0, negZero}, []float64{negZero, 0, 0}},
		{[]float64{negZero, 0}, []float64{negZero, 0, 0}},
		{[]float64{-4, 4}, []float64{-4, 4, 4}},
		{[]float64{math.Inf(-1), 4}, []float64{math.Inf(-1), 4, math.Inf(-1)}},
	} {
		f := newFakeStore()
		var times []int64
		for i := range c.values {
			times = append(times, int64(i))
		}
		f.add("root.d", "s", times, column.Vector{Kind: column.Float64, Float64s: c.values})
		for _, f.noStats = range []bool{false, true} {
			got := f.run(t, Query{Select: aggs("min_value", "max_value", "extreme"), From: []string{"root.d"}})
			if !f.noStats { // what must be exact tells zeros apart
				got = f.run(t, Query{Select: aggs("min_value", "max_value", "extreme"), From: []string{"root.d"}, Exact: true})
			}
			for i, want := range c.want {
				v := got.Cols[i].Float64s[0]
				same := math.Float64bits(v) == math.Float64bits(want) || math.IsNaN(v) && math.IsNaN(want)
				if !same {
					t.Errorf("%v without statistics %v: column %d is %v, want %v", c.values, f.noStats, i, v, want)
				}
			}
		}
	}
}

// Iterating by batch allocates nothing once it has begun: eight times the
// batches, the same number of allocations.
func TestBatchAllocations(t *testing.T) {
	run := func(n int) float64 {
		f := newFakeStore()
		f.rows = 250
		times, v := sequence(n, 1)
		f.add("root.d", "s", times, v)
		q := Query{From: []string{"root.d"}, Start: math.MinInt64, End: math.MaxInt64,
			Select: []expr.Expr{expr.Col("s").Mul(2).Add(1), expr.Col("s")}, Where: expr.Col("s").Ge(0)}
		plan, err := Prepare(&q, f, nil)
		if err != nil {
			t.Fatal(err)
		}
		return testing.AllocsPerRun(10, func() {
			r := plan.Start(context.Background(), f, nil)
			for {
				if tab, err := r.Next(); err != nil {
					t.Fatal(err)
				} else if tab == nil {
					break
				}
			}
			r.Close()
		})
	}
	small, large := run(1000), run(8000)
	if large > small {
		t.Errorf("%v allocations for 1000 rows, %v for 8000", small, large)
	}
}

func BenchmarkAvgMax(b *testing.B) {
	f := newFakeStore()
	f.rows, f.noStats = 1024, true
	times, v := sequence(1<<20, 1)
	f.add("root.d", "s", times, v)
	q := Query{From: []string{"root.d"}, Start: math.MinInt64, End: math.MaxInt64, Select: aggs("avg", "max_value")}
	b.Run("fold", func(b *testing.B) {
		for b.Loop() {
			s, m := 0.0, math.Inf(-1)
			for _, x := range v.Float64s {
				s += x
				if x > m {
					m = x
				}
			}
			if s < 0 || m < 0 {
				b.Fatal(s, m)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(times)), "ns/row")
	})
	for name, q := range map[string]Query{"query": q,
		"windows": {From: q.From, Select: q.Select, Start: 0, End: 1 << 20, Group: Group{Kind: GroupTime, Interval: Span{NS: 60}}},
		"where":   {From: q.From, Select: q.Select, Start: q.Start, End: q.End, Where: expr.Col("s").Gt(2)},
	} {
		plan, err := Prepare(&q, f, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				r := plan.Start(context.Background(), f, nil)
				for {
					t, err := r.Next()
					if err != nil {
						b.Fatal(err)
					}
					if t == nil {
						break
					}
				}
				r.Close()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(times)), "ns/row")
		})
	}
}
