package tickwell

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// rewriter is a trigger BEFORE an insert that returns other rows.
type rewriter struct {
	f        func(f *Firing) (*Tablet, error)
	strategy FailureStrategy
}

func (r *rewriter) Fire(context.Context, *Firing) error { return errors.New("Fire is not called") }
func (r *rewriter) Rewrite(_ context.Context, f *Firing) (*Tablet, error) {
	return r.f(f)
}
func (r *rewriter) FailureStrategy() FailureStrategy { return r.strategy }

// The log stores what Rewrite returned; later triggers see it; a subset of
// columns and rows goes back to where it came from; nil changes nothing.
func TestTriggerRewrite(t *testing.T) {
	ctx := context.Background()
	var j journal
	clamp := func(f *Firing) (*Tablet, error) {
		j.add("clamp %s", render(f.Tablet))
		out := f.Tablet.Clone()
		c := &out.Columns[0]
		for i, v := range c.Data.(Float64s) {
			switch {
			case v > 100:
				c.Data.(Float64s)[i] = 100
			case v < 0:
				c.Nulls.Set(i) // leaves the cell out
			}
		}
		return out, nil
	}
	fs := memFS()
	opts := &Options{FS: fs, Triggers: []TriggerSpec{
		{Name: "clamp", Pattern: "root.d.a", When: BeforeInsert, Trigger: &rewriter{f: clamp}},
		spec("see", "root.d.*", BeforeInsert, func(_ context.Context, f *Firing) error { j.add("see %s", render(f.Tablet)); return nil }),
		{Name: "same", Pattern: "root.**", When: BeforeInsert, Trigger: &rewriter{f: func(*Firing) (*Tablet, error) { return nil, nil }}},
		spec("after", "root.d.*", AfterInsert, func(_ context.Context, f *Firing) error { j.add("after %s", render(f.Tablet)); return nil }),
	}}
	db := openDir(t, "data", opts)
	a, b := Column{Name: "a", Data: Float64s{500, 7, -3, 5}}, Column{Name: "b", Data: Int64s{1, 2, 3, 4}}
	a.Nulls.Set(1)
	given := &Tablet{Device: "root.d", Times: []int64{1, 2, 3, 4}, Columns: []Column{b, a}}
	before := given.Clone()
	must(t, db.InsertTablet(ctx, given))
	j.want(t, "clamp root.d [1 3 4] a:500,-3,5", "see root.d [1 2 3 4] b:1,2,3,4 a:100,null,null,5", "after root.d [1 2 3 4] b:1,2,3,4 a:100,null,null,5")
	if !sameTablet(given, before) {
		t.Error("the inserter's tablet was changed")
	}
	must(t, db.Insert(ctx, "root.d", ns(9), Float64("a", 101)))
	want := []string{"root.d.a@1=100", "root.d.a@4=5", "root.d.a@9=100", "root.d.b@1=1", "root.d.b@2=2", "root.d.b@3=3", "root.d.b@4=4"}
	wantDump(t, db, "root.**", want...)
	j.take()
	must(t, db.Close())
	db = openDir(t, "data", opts) // recovery calls nobody
	j.want(t)
	wantDump(t, db, "root.**", want...)
}

// Times may change where all columns and rows were given.
func TestTriggerRewriteTimes(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, &Options{Triggers: []TriggerSpec{{Name: "shift", Pattern: "root.d.*", When: BeforeInsert, Trigger: &rewriter{f: func(f *Firing) (*Tablet, error) {
		out := f.Tablet.Clone()
		for i := range out.Times {
			out.Times[i] += 1000
		}
		return out, nil
	}}}}})
	must(t, db.InsertTablet(ctx, &Tablet{Device: "root.d", Times: []int64{1, 2}, Columns: []Column{{Name: "a", Data: Texts{"x", "y"}}}}))
	must(t, db.Insert(ctx, "root.d", ns(5), Text("a", "z")))
	wantDump(t, db, "root.**", "root.d.a@1001=x", "root.d.a@1002=y", "root.d.a@1005=z")
}

// Whatever Rewrite returns wrong is a clear error by the trigger's strategy:
// the rows are stored as they came, or not at all.
func TestTriggerRewriteWrong(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		name string
		f    func(*Tablet) *Tablet
		is   error
		says string
	}{
		{"fewer rows", func(t *Tablet) *Tablet { return t.pick([]int{0}) }, ErrBadInput, "2 rows were given, 1 came back"},
		{"more rows", func(t *Tablet) *Tablet { return t.pick([]int{0, 1, 1}) }, ErrBadInput, "2 rows were given, 3 came back"},
		{"short column", func(t *Tablet) *Tablet { t.Columns[0].Data = Float64s{1}; return t }, ErrBadInput, "1 values for 2 rows"},
		{"kind", func(t *Tablet) *Tablet { t.Columns[0].Data = Int64s{1, 2}; return t }, ErrKindMismatch, `column "a" is float64, got int64`},
		{"device", func(t *Tablet) *Tablet { t.Device = "root.e"; return t }, ErrBadInput, "the device was root.d, not root.e"},
		{"unsorted times", func(t *Tablet) *Tablet { t.Times = []int64{9, 8}; return t }, ErrBadInput, "changed times are not sorted"},
		{"bad time", func(t *Tablet) *Tablet { t.Times[1] = -1 << 63; return t }, ErrBadInput, "row 1: time"},
		{"name", func(t *Tablet) *Tablet { t.Columns[0].Name = "z"; return t }, ErrBadInput, `column 0 was "a", not "z"`},
		{"fewer columns", func(t *Tablet) *Tablet { t.Columns = t.Columns[:1]; return t }, ErrBadInput, "2 columns were given, 1 came back"},
		{"no data", func(t *Tablet) *Tablet { t.Columns[0].Data = nil; return t }, ErrBadInput, "a"},
	} {
		for _, strategy := range []FailureStrategy{Optimistic, Pessimistic} {
			for _, budget := range []bool{false, true} {
				var reported []*TriggerError
				sp := TriggerSpec{Name: "r", Pattern: "root.**", When: BeforeInsert, Trigger: &rewriter{func(f *Firing) (*Tablet, error) { return c.f(f.Tablet.Clone()), nil }, strategy}}
				if budget {
					sp.Budget = 1e10
				}
				db := openMem(t, &Options{OnTriggerError: func(e *TriggerError) { reported = append(reported, e) }, Triggers: []TriggerSpec{sp}})
				err := db.InsertTablet(ctx, &Tablet{Device: "root.d", Times: []int64{1, 2}, Columns: []Column{{Name: "a", Data: Float64s{1, 2}}, {Name: "b", Data: Float64s{3, 4}}}})
				if (err != nil) != (strategy == Pessimistic) {
					t.Errorf("%s, %d: insert returned %v", c.name, strategy, err)
				}
				if len(reported) != 1 || !errors.Is(reported[0], c.is) || !strings.Contains(reported[0].Error(), c.says) {
					t.Errorf("%s: reported %v, want one that is %v and says %q", c.name, reported, c.is, c.says)
				}
				if strategy == Optimistic {
					wantDump(t, db, "root.**", "root.d.a@1=1", "root.d.a@2=2", "root.d.b@1=3", "root.d.b@2=4")
				} else {
					wantDump(t, db, "root.**")
				}
			}
		}
	}
	db := openMem(t, nil)
	err := db.CreateTrigger(ctx, TriggerSpec{Name: "r", Pattern: "root.**", Trigger: &rewriter{}})
	if !errors.Is(err, ErrBadInput) || !strings.Contains(err.Error(), "Rewrite is for triggers BEFORE") {
		t.Errorf("Rewrite AFTER an insert: got %v, want ErrBadInput", err)
	}
}

// Nothing that a trigger does to the rows it is lent reaches the store, the
// inserter, or the next trigger's store; CheckTriggers makes it a failure.
func TestTriggerReadOnlyRows(t *testing.T) {
	ctx := context.Background()
	for _, when := range []When{BeforeInsert, AfterInsert} {
		for _, check := range []bool{false, true} {
			for _, budget := range []time.Duration{0, time.Hour} {
				var reported []*TriggerError
				vandal := spec("vandal", "root.**", when, func(_ context.Context, f *Firing) error {
					for i := range f.Times {
						f.Times[i] = 77
					}
					for i := range f.Columns {
						switch d := f.Columns[i].Data.(type) {
						case Float64s:
							d[0] = -1
						case Texts:
							d[0] = "changed"
						}
						f.Columns[i].Nulls.Set(1)
					}
					return nil
				})
				vandal.Budget = budget
				db := openMem(t, &Options{CheckTriggers: check, OnTriggerError: func(e *TriggerError) { reported = append(reported, e) }, Triggers: []TriggerSpec{vandal}})
				given := &Tablet{Device: "root.d", Times: []int64{1, 2}, Columns: []Column{{Name: "a", Data: Float64s{1, 2}}, {Name: "b", Data: Texts{"x", "y"}}}}
				copied := given.Clone()
				must(t, db.InsertTablet(ctx, given))
				must(t, db.Insert(ctx, "root.d", ns(3), Float64("a", 3)))
				if !sameTablet(given, copied) {
					t.Errorf("%s, budget %v: the inserter's tablet was changed to %s", when, budget, render(given))
				}
				wantDump(t, db, "root.**", "root.d.a@1=1", "root.d.a@2=2", "root.d.a@3=3", "root.d.b@1=x", "root.d.b@2=y")
				want := 0
				if check {
					want = 2
				}
				if len(reported) != want {
					t.Errorf("%s, check %v, budget %v: %d failures reported, want %d: %v", when, check, budget, len(reported), want, reported)
				}
			}
		}
	}
}

// CheckTriggers spoils the rows when the firing is over; what Rewrite makes of
// them, be it the lent rows themselves, is stored as it was returned.
func TestTriggerKeepsRows(t *testing.T) {
	ctx := context.Background()
	for _, when := range []When{BeforeInsert, AfterInsert} {
		for _, budget := range []time.Duration{0, time.Hour} {
			for _, rewrites := range []bool{false, true} {
				if rewrites && when == AfterInsert {
					continue
				}
				var kept *Tablet
				sp := spec("keeper", "root.**", when, func(_ context.Context, f *Firing) error { kept = f.Tablet; return nil })
				if rewrites {
					sp.Trigger = &rewriter{f: func(f *Firing) (*Tablet, error) { kept = f.Tablet; return f.Tablet, nil }}
				}
				sp.Budget = budget
				db := openMem(t, &Options{CheckTriggers: true, Triggers: []TriggerSpec{sp}})
				must(t, db.Insert(ctx, "root.d", ns(1), Float64("a", 1), Text("b", "x"), Bool("c", true), Int32("d", 1), Int64("e", 1), Float32("f", 1)))
				what := fmt.Sprintf("%s, budget %v, rewrites %v", when, budget, rewrites)
				if kept.Device == "root.d" || kept.Times[0] == 1 || kept.Row(0).Float64(0) == 1 || kept.Row(0).Value(1).Text() == "x" ||
					kept.Row(0).Value(2).Bool() || kept.Row(0).Value(3).Int64() == 1 || kept.Row(0).Value(4).Int64() == 1 || kept.Row(0).Float64(5) == 1 {
					t.Errorf("%s: the kept rows still look like data: %s", what, render(kept))
				}
				wantDump(t, db, "root.**", "root.d.a@1=1", "root.d.b@1=x", "root.d.c@1=true", "root.d.d@1=1", "root.d.e@1=1", "root.d.f@1=1")
			}
		}
	}
}

// What a continuous query writes is its own: a Rewrite there is refused.
func TestTriggerRewriteOfQueryResults(t *testing.T) {
	ctx := context.Background()
	clk := newFake()
	var runs []error
	called := false
	db := openMem(t, &Options{Clock: clk, Observer: &Observer{Run: func(i CQRunInfo) { runs = append(runs, i.Err) }},
		Triggers: []TriggerSpec{{Name: "r", Pattern: "root.out.*", When: BeforeInsert, Trigger: &rewriter{f: func(*Firing) (*Tablet, error) { called = true; return nil, nil }}}}})
	must(t, db.CreateContinuousQuery(ctx, CQSpec{Name: "q", Every: 1e10, StartOffset: 1e10, Query: cqFunc(func(_ context.Context, r *CQRun) error {
		return r.Write(tab("root.out", r.Start.UnixNano(), "s", Int64s{1}))
	})}))
	clk.Advance(1e10)
	must(t, db.Quiesce(ctx))
	if called || len(runs) == 0 || !errors.Is(runs[0], ErrRejected) || !strings.Contains(runs[0].Error(), "trigger r rewrites rows") {
		t.Errorf("Rewrite called: %v, runs %v; want a run that fails with ErrRejected", called, runs)
	}
	wantDump(t, db, "root.**")
	must(t, db.Insert(ctx, "root.out", ns(1), Int64("other", 2))) // rows of others may be rewritten
	if !called {
		t.Error("Rewrite was not called for a plain insert")
	}
}

type cqFunc func(context.Context, *CQRun) error

func (f cqFunc) Run(ctx context.Context, r *CQRun) error { return f(ctx, r) }
