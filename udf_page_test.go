package tickwell

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
)

// largest keeps the first of the greatest values and gives it at the end: the
// Max of the page.
type largest struct {
	any   bool
	at, v int64
}

func (m *largest) Validate(in *UDFInput) error { return in.RequireKind(0, KindInt32) }

func (m *largest) BeforeStart(_ *UDFInput, cfg *UDTFConfig) error {
	cfg.Output(KindInt32).RowByRow()
	return nil
}

func (m *largest) TransformRow(r Row, _ *Collector) error {
	if v := r.Value(0).Int64(); !m.any || v > m.v {
		m.any, m.at, m.v = true, r.UnixNano(), v
	}
	return nil
}

func (m *largest) Terminate(out *Collector) error {
	if !m.any {
		return nil
	}
	return out.PutInt32(m.at, int32(m.v))
}

// windowsOnly has a window transform and leaves out what its config does not say.
type windowsOnly struct{ cfg func(*UDTFConfig) }

func (w windowsOnly) BeforeStart(_ *UDFInput, cfg *UDTFConfig) error { w.cfg(cfg); return nil }
func (w windowsOnly) TransformWindow(rows *RowWindow, out *Collector) error {
	if rows.Len() == 0 {
		return nil
	}
	return out.PutInt32(rows.Start(), int32(rows.Len()))
}

// What the UDF page promises beyond the other tests, a subtest an item.
func TestUDFPage(t *testing.T) {
	ctx := context.Background()
	s1, s2 := expr.Col("s1"), expr.Col("s2")
	open := func(t *testing.T, rows ...string) *DB {
		db := openMem(t, nil)
		put(t, db, "root.sg.d1", rows...)
		return db
	}
	// Beside built-in functions.
	t.Run("UDF-001", func(t *testing.T) {
		db := open(t, "1 s1=4.0", "2 s1=9.0")
		register(t, db, "twice", func() UDTF { return doubler{} })
		wantAsk(t, db, Query{Select: []expr.Expr{expr.Call("sqrt", s1), expr.Call("twice", s1)}, From: d1}, "1=2,8 2=3,18")
	})
	// An aggregate in a continuous query; with GROUP BY it is in TestUDAF.
	t.Run("UDF-003", func(t *testing.T) {
		fake := newFake()
		db := openMem(t, &Options{Clock: fake, Functions: []FunctionSpec{{Name: "product", UDAF: func() UDAF { return &product{} }}}})
		start := fake.Now().Truncate(time.Minute)
		for i, v := range []float64{2, 3, 7} {
			must(t, db.Insert(ctx, "root.sg.d1", start.Add(time.Duration(i)*time.Second), Float64("s1", v)))
		}
		must(t, db.CreateContinuousQuery(ctx, CQSpec{Name: "p", Every: time.Minute, Query: Query{
			Select: []expr.Expr{expr.Call("product", s1)}, From: d1, GroupBy: GroupByTime{Interval: time.Minute},
			Into: []Target{{Device: "root.out", Columns: []string{"p"}}}}}))
		fake.Advance(time.Minute)
		must(t, db.Quiesce(ctx))
		wantDump(t, db, "root.out.**", fmt.Sprintf("root.out.p@%d=42", start.UnixNano()))
	})
	// Validate stops the query.
	t.Run("UDF-006", func(t *testing.T) {
		db := open(t, "1 s1=4.0")
		register(t, db, "largest", func() UDTF { return &largest{} })
		_, err := ask(t, db, expr.Call("largest", s1))
		wantFail(t, err, ErrKindMismatch, "function largest", "Validate", "expected: INT32. actual: DOUBLE")
	})
	// Strategy and output.
	t.Run("UDF-019", func(t *testing.T) {
		db := open(t, "1 s1=4", "2 s1=5")
		var cfg func(*UDTFConfig)
		register(t, db, "w", func() UDTF { return windowsOnly{cfg} })
		cfg = func(c *UDTFConfig) { c.Output(KindInt32) }
		_, err := ask(t, db, expr.Call("w", s1))
		wantFail(t, err, ErrBadInput, "function w", "no method TransformRow")
		cfg = func(c *UDTFConfig) { c.SlidingSize(2, 0) }
		_, err = ask(t, db, expr.Call("w", s1))
		wantFail(t, err, ErrBadInput, "function w", "no output kind")
		cfg = func(c *UDTFConfig) { c.Output(KindInt32).SlidingSize(2, 0) }
		wantAsk(t, db, Query{Select: []expr.Expr{expr.Call("w", s1)}, From: d1}, "1=2")
	})
	// Parameters.
	t.Run("UDF-021", func(t *testing.T) {
		db := open(t, "1 s1=4 s2=4")
		register(t, db, "p", func() UDTF {
			return &probe{
				start: func(in *UDFInput, cfg *UDTFConfig) error {
					cfg.Output(KindText)
					return nil
				},
				row: func(r Row, out *Collector) error { return out.PutText(r.UnixNano(), "x") },
			}
		})
		var seen []string
		register(t, db, "look", func() UDTF {
			return &probe{start: func(in *UDFInput, cfg *UDTFConfig) error {
				f, err := in.Params.Float64("key2")
				n, err2 := in.Params.Int64Or("key4", 678)
				_, absent := in.Params.Float64("key3")
				seen = append(seen, fmt.Sprint(len(in.Inputs), len(in.Params), in.Params.Text("key1"), f, n, in.Params.Has("key3"), errors.Is(absent, ErrBadInput)))
				return errors.Join(err, err2)
			}}
		})
		_, err := ask(t, db, expr.Call("look", s1, s2).With("key1", "iotdb").With("key2", "123.45"))
		must(t, err)
		if want := "2 2iotdb123.45 678 false true"; seen[0] != want {
			t.Errorf("the call reads as %q, want %q", seen[0], want)
		}
		// Any number of pairs, the texts as given.
		for _, n := range []int{0, 1, 40} {
			call := expr.Call("pairs", s1)
			for i := range n {
				call = call.With(fmt.Sprint("k", i), fmt.Sprintf(" 'v%d\" ", i))
			}
			got := Params(nil)
			_ = db.DropFunction(ctx, "pairs")
			register(t, db, "pairs", func() UDTF {
				return &probe{start: func(in *UDFInput, _ *UDTFConfig) error { got = in.Params; return nil }}
			})
			_, err := ask(t, db, call)
			must(t, err)
			if len(got) != n {
				t.Errorf("%d pairs arrive as %v", n, got)
			}
			for i := range n {
				if v := got.Text(fmt.Sprint("k", i)); v != fmt.Sprintf(" 'v%d\" ", i) {
					t.Errorf("pair %d arrives as %q", i, v)
				}
			}
		}
	})
	// Strategy by attribute.
	t.Run("UDF-030", func(t *testing.T) {
		db := open(t, "1 s1=4", "2 s1=5", "3 s1=6")
		register(t, db, "both", func() UDTF {
			return &probe{
				start: func(in *UDFInput, cfg *UDTFConfig) error {
					if cfg.Output(KindInt64).RowByRow(); in.Params.Text("mode") == "windows" {
						cfg.SlidingSize(2, 0)
					}
					return nil
				},
				row:    func(r Row, out *Collector) error { return out.Put(r.UnixNano(), r.Value(0)) },
				window: func(w *RowWindow, out *Collector) error { return out.PutInt64(w.Start(), int64(w.Len())) },
			}
		})
		wantAsk(t, db, Query{Select: []expr.Expr{expr.Call("both", s1).With("mode", "rows")}, From: d1}, "1=4 2=5 3=6")
		wantAsk(t, db, Query{Select: []expr.Expr{expr.Call("both", s1).With("mode", "windows")}, From: d1}, "1=2 3=1")
	})
	// Any number of points.
	t.Run("UDF-065", func(t *testing.T) {
		db := open(t, "0 s1=0", "5000 s1=1", "10000 s1=1000")
		register(t, db, "many", func() UDTF {
			return &probe{row: func(r Row, out *Collector) error {
				for i := range r.Value(0).Int64() {
					if err := out.PutInt64(r.UnixNano()+i, i); err != nil {
						return err
					}
				}
				return nil
			}}
		})
		got, err := ask(t, db, expr.Call("many", s1))
		must(t, err)
		want := []string{"5000=0"}
		for i := range 1000 {
			want = append(want, fmt.Sprintf("%d=%d", 10000+i, i))
		}
		if got != strings.Join(want, " ") {
			t.Errorf("got %s", got)
		}
	})
	// Row accessors.
	t.Run("UDF-068", func(t *testing.T) {
		db := open(t, "7 b=true i=#3 l=4 f=~1.5 d=2.5 t=x other=1", "8 other=2")
		kinds := []Kind{KindBool, KindInt32, KindInt64, KindFloat32, KindFloat64, KindText}
		want := []string{"true", "3", "4", "1.5", "2.5", "x"}
		register(t, db, "look", func() UDTF {
			return &probe{row: func(r Row, out *Collector) error {
				if r.Len() != 7 || r.UnixNano() != r.Time().UnixNano() {
					return fmt.Errorf("%d columns at %v", r.Len(), r.Time())
				}
				for i, k := range kinds {
					v := r.Value(i)
					if null := r.UnixNano() == 8; null != r.IsNull(i) || null != v.IsNull() || !null && (v.Kind() != k || v.String() != want[i]) {
						return fmt.Errorf("cell %d is %s %s", i, v.Kind(), v)
					}
				}
				if r.UnixNano() == 7 && (!r.Value(0).Bool() || r.Value(1).Int64() != 3 || r.Value(2).Int64() != 4 || r.Value(3).Float64() != 1.5 ||
					r.Float64(4) != 2.5 || r.Value(5).Text() != "x") {
					return errors.New("a typed getter is wrong")
				}
				return out.PutInt64(r.UnixNano(), int64(r.Len()))
			}}
		})
		wantAsk(t, db, Query{Select: []expr.Expr{expr.Call("look", expr.Col("b"), expr.Col("i"), expr.Col("l"), expr.Col("f"), expr.Col("d"), expr.Col("t"),
			expr.Col("other"))}, From: d1}, "7=7 8=7")
	})
	// The counter of the page.
	t.Run("UDF-072", func(t *testing.T) {
		db := open(t, "0 s1=1", "1 s2=1", "2 s1=1 s2=1", "9 s1=1")
		register(t, db, "counter", func() UDTF {
			return windowsOnly{func(c *UDTFConfig) { c.Output(KindInt32).SlidingTime(3, 3).Display(ns(0), ns(12)) }}
		})
		// Rows of several inputs count once; empty windows give no point.
		wantAsk(t, db, Query{Select: []expr.Expr{expr.Call("counter", s1), expr.Call("counter", s1, s2)}, From: d1}, "0=2,3 9=1,1")
	})
	// The max of the page.
	t.Run("UDF-075", func(t *testing.T) {
		db := open(t, "1 s1=#3 k=1", "2 k=1", "3 s1=#9", "4 s1=#9", "5 s1=#4")
		register(t, db, "largest", func() UDTF { return &largest{} })
		q := Query{Select: []expr.Expr{expr.Call("largest", s1)}, From: d1}
		wantAsk(t, db, q, "3=9")
		q.Start = ns(100)
		wantAsk(t, db, q, "")
	})
	// No restart, while rows come in.
	t.Run("UDF-084", func(t *testing.T) {
		db := open(t, "0 s1=0")
		stop := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := int64(1); ; i++ {
				select {
				case <-stop:
					return
				default:
					must(t, db.Insert(ctx, "root.sg.d1", ns(i), Int64("s1", i)))
				}
			}
		})
		for i := range 20 {
			register(t, db, "f", func() UDTF {
				return &probe{row: func(r Row, out *Collector) error { return out.PutInt64(r.UnixNano(), int64(i)) }}
			})
			// UDF-148: after a drop the new code answers.
			got, err := askQuery(db, Query{Select: []expr.Expr{expr.Call("f", s1)}, From: d1, Limit: 1})
			if err != nil || got != fmt.Sprintf("0=%d", i) {
				t.Errorf("version %d: %s, %v", i, got, err)
			}
			must(t, db.DropFunction(ctx, "f"))
		}
		close(stop)
		wg.Wait()
	})
	// The budget is an option; what is beyond it is refused by name.
	t.Run("UDF-113", func(t *testing.T) {
		for _, budget := range []int64{0, 64 << 10} {
			db := openMem(t, &Options{QueryMemory: budget})
			ramp(t, db, 8000)
			register(t, db, "hoard", func() UDTF {
				return windowsOnly{func(c *UDTFConfig) { c.Output(KindInt32).SlidingSize(8000, 0) }}
			})
			q := Query{Select: []expr.Expr{expr.Call("hoard", s1)}, From: d1}
			if budget == 0 {
				wantAsk(t, db, q, "0=8000")
				continue
			}
			_, err := askQuery(db, q)
			wantFail(t, err, ErrLimit, "function hoard", "windows hold more than 65536 bytes")
			q.Select, q.OrderBy = []expr.Expr{s1, s1, s1, s1, s1, s1, s1, s1, s1, s1}, []Order{{By: s1, Desc: true}}
			_, err = askQuery(db, q)
			wantFail(t, err, ErrLimit, "order by")
		}
	})
	// In a continuous query.
	t.Run("UDF-090", func(t *testing.T) {
		fake := newFake()
		db := openMem(t, &Options{Clock: fake, Functions: []FunctionSpec{RowFunc1("even", func(v int64) bool { return v%2 == 0 }),
			RowFunc1("twice", func(v float64) float64 { return 2 * v })}})
		start := fake.Now().Truncate(time.Minute)
		for i := range int64(4) {
			must(t, db.Insert(ctx, "root.sg.d1", start.Add(time.Duration(i)*time.Second), Int64("s1", i)))
		}
		must(t, db.CreateContinuousQuery(ctx, CQSpec{Name: "p", Every: time.Minute, Query: Query{
			Select: []expr.Expr{expr.Sum(expr.Call("twice", s1))}, From: d1, Where: expr.Call("even", s1), GroupBy: GroupByTime{Interval: time.Minute},
			Into: []Target{{Device: "root.out", Columns: []string{"p"}}}}}))
		fake.Advance(time.Minute)
		must(t, db.Quiesce(ctx))
		wantDump(t, db, "root.out.**", fmt.Sprintf("root.out.p@%d=4", start.UnixNano()))
	})
	// Two inputs with attributes.
	t.Run("UDF-102", func(t *testing.T) {
		db := open(t, "1 s1=1.0 s2=2.0", "2 s1=3.0")
		register(t, db, "example", func() UDTF { return doubler{} })
		q := Query{Select: []expr.Expr{expr.Call("example", s1, s2).With("key1", "value1").With("key2", "value2")}, From: d1}
		res, err := db.Query(ctx, q)
		must(t, err)
		if c := res.Columns(); len(c) != 1 || c[0].Name != `example(root.sg.d1.s1, root.sg.d1.s2, "key1"="value1", "key2"="value2")` {
			t.Errorf("columns %v", c)
		}
		q.Select = []expr.Expr{s1, s2, expr.Call("example", s1, s2)} // UDF-103
		wantAsk(t, db, q, "1=1,2,2 2=3,null,6")
	})
}
