package tickwell

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/vfs"
)

// blocksOf stores n rows of several series in files of blocks of 100 rows:
// v is the time, w a hundredth of it, w only in the first device.
func blocksOf(t testing.TB, n int64, devices ...string) *DB {
	t.Helper()
	db := openDir(t, "data", &Options{FS: vfs.NewMem(), Profile: Profile{BlockRows: 100}})
	for i, d := range devices {
		tab := &Tablet{Device: d}
		for at := range n {
			fields := []Field{Int64("v", at)}
			if i == 0 {
				fields = append(fields, Float64("w", float64(at)/100))
			}
			must(t, tab.Append(ns(at), fields...))
		}
		must(t, db.InsertTablet(context.Background(), tab))
	}
	must(t, db.Flush(context.Background()))
	return db
}

// The numbers of Explain are those of the blocks there are: 10 of 100 rows for
// each series.
func TestExplain(t *testing.T) {
	db := blocksOf(t, 1000, "root.sg.d1", "root.sg.d2")
	v, w := expr.Col("v"), expr.Col("w")
	for _, c := range []struct {
		what                   string
		q                      Query
		rows                   int // of the result
		skipped, decoded, read int64
	}{
		{"scan of one", Query{Select: []expr.Expr{v}, From: d1}, 1000, 0, 10, 1000},
		{"scan of two aligned", Query{Select: []expr.Expr{v, w}, From: d1}, 1000, 0, 20, 1000},
		{"statistics", Query{Select: []expr.Expr{expr.Avg(v), expr.Max(v)}, From: d1}, 1, 10, 0, 0},
		{"statistics inside", Query{Select: []expr.Expr{expr.Count(v)}, From: d1, Start: ns(100), End: ns(900)}, 1, 8, 0, 0},
		{"no statistics", Query{Select: []expr.Expr{expr.Call("stddev", v)}, From: d1}, 1, 0, 10, 1000},
		{"where rules out", Query{Select: []expr.Expr{v}, From: d1, Where: v.Gt(849)}, 150, 8, 2, 200},
		{"where of a constant first", Query{Select: []expr.Expr{v}, From: d1, Where: expr.Lit(849).Lt(v)}, 150, 8, 2, 200},
		{"where between", Query{Select: []expr.Expr{v}, From: d1, Where: v.Between(250, 349)}, 100, 8, 2, 200},
		{"where of another column", Query{Select: []expr.Expr{v}, From: d1, Where: w.Ge(9)}, 100, 9, 2, 100},
		{"where of both", Query{Select: []expr.Expr{v}, From: d1, Where: w.Ge(5).And(v.Lt(600))}, 100, 9, 2, 100}, // 5 + 4
		{"where of another device", Query{Select: cols("d1.v"), From: []string{"root.sg"}, Where: expr.Col("d2.v").Eq(42)}, 1, 9, 2, 200},
		{"where nothing is", Query{Select: []expr.Expr{v}, From: d1, Where: v.Gt(5000)}, 0, 10, 0, 0},
		{"where in an aggregate", Query{Select: []expr.Expr{expr.Avg(v)}, From: d1, Where: v.Lt(100)}, 1, 9, 1, 100},
		{"or rules out nothing", Query{Select: []expr.Expr{v}, From: d1, Where: v.Lt(100).Or(v.Ge(900))}, 200, 0, 10, 1000},
		{"functions see all rows", Query{Select: []expr.Expr{v}, From: d1, Where: expr.Call("diff", v).Gt(0).And(v.Ge(900))}, 100, 0, 10, 1000},
		{"time in where", Query{Select: []expr.Expr{v}, From: d1, Where: expr.Time().Ge(900)}, 100, 0, 1, 100},
	} {
		res, err := db.Query(context.Background(), c.q)
		must(t, err)
		if e := res.Explain(); e.BlocksDecoded+e.BlocksSkipped+e.RowsRead != 0 {
			t.Errorf("%s: read before the loop: %+v", c.what, e)
		}
		rows := 0
		for _, err := range res.Rows() {
			must(t, err)
			rows++
		}
		e := res.Explain()
		if rows != c.rows || e.BlocksSkipped != c.skipped || e.BlocksDecoded != c.decoded || e.RowsRead != c.read {
			t.Errorf("%s: %d rows, %d skipped, %d decoded, %d read, want %d, %d, %d, %d\n%s", c.what, rows,
				e.BlocksSkipped, e.BlocksDecoded, e.RowsRead, c.rows, c.skipped, c.decoded, c.read, e.Plan)
		}
	}
}

func ExampleResult_Explain() {
	ctx := context.Background()
	db, err := Open(ctx, "", &Options{Logger: openMemLogger()})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	for i := range 10 {
		db.Insert(ctx, "root.ln.d1", time.Unix(int64(i), 0), Float64("temperature", 20+float64(i)), Bool("status", true))
	}
	res, err := db.Query(ctx, Query{
		Select: []expr.Expr{expr.Avg(expr.Col("temperature"))}, From: []string{"root.ln.*"},
		Where: expr.Col("temperature").Gt(25), Limit: 3,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := res.Collect(); err != nil {
		fmt.Println(err)
		return
	}
	e := res.Explain()
	fmt.Print(e.Plan)
	fmt.Println(e.RowsRead, "rows read")
	// Output:
	// limit 3 offset 0
	// columns avg(root.ln.d1.temperature)
	//   group all rows
	//     avg(root.ln.d1.temperature) of rows
	//     filter root.ln.d1.temperature > 25
	//       rule out blocks of root.ln.d1.temperature outside of (25, +Inf] by statistics
	//       scan [, )
	//         root.ln.d1.temperature float64
	// 10 rows read
}

// Series are folded by several goroutines, and the result is the same as one
// by one, bit by bit.
func TestParallelFolds(t *testing.T) {
	devices := make([]string, 40)
	for i := range devices {
		devices[i] = fmt.Sprintf("root.sg.d%02d", i)
	}
	db := blocksOf(t, 3000, devices...)
	agg := func(from ...string) []*Tablet {
		res, err := db.Query(context.Background(), Query{From: from, Start: ns(0), End: ns(3000), GroupBy: GroupByTime{Interval: 7, Step: 5},
			Select: []expr.Expr{expr.Avg(expr.Col("v")), expr.Call("stddev", expr.Col("v")), expr.Last(expr.Col("v"))}})
		must(t, err)
		all, err := res.Collect()
		must(t, err)
		return all
	}
	together := agg("root.sg.*")[0]
	for i, d := range devices {
		one := agg(d)[0]
		for c := range one.Columns {
			for r := range one.Times {
				if got, want := together.Columns[c*len(devices)+i].Data.Value(r), one.Columns[c].Data.Value(r); !got.Equal(want) {
					t.Fatalf("%s row %d: %v, alone %v", one.Columns[c].Name, r, got, want)
				}
			}
		}
	}
}

// A cancelled query returns within 10 ms, whatever it is doing.
func TestCancellationIsPrompt(t *testing.T) {
	if raceEnabled || testing.Short() {
		t.Skip("measures time")
	}
	db := openMem(t, nil)
	for d := range 4 {
		for lo := int64(0); lo < 1<<17; lo += 8192 {
			tab := &Tablet{Device: fmt.Sprint("root.sg.d", d)}
			for i := lo; i < lo+8192; i++ {
				must(t, tab.Append(ns(i), Float64("v", float64(i*7919%1000003))))
			}
			must(t, db.InsertTablet(context.Background(), tab))
		}
	}
	v := expr.Col("v")
	for name, q := range map[string]Query{
		"aggregate":    {Select: []expr.Expr{expr.Call("stddev", v), expr.Call("mode", v)}},
		"by device":    {Select: []expr.Expr{expr.Call("stddev", v)}, AlignByDevice: true},
		"windows":      {Select: []expr.Expr{expr.Call("stddev", v)}, Start: ns(0), End: ns(1 << 17), GroupBy: GroupByTime{Interval: 100, Step: 20}},
		"order by":     {Select: []expr.Expr{v}, From: d1, OrderBy: []Order{{By: v}}},
		"order of all": {Select: []expr.Expr{v}, AlignByDevice: true, OrderBy: []Order{{By: v}}},
		"join":         {Select: []expr.Expr{v}},
	} {
		if q.From == nil {
			q.From = []string{"root.sg.*"}
		}
		best := time.Hour
		began := time.Now()
		res, err := db.Query(context.Background(), q)
		must(t, err)
		for _, err := range res.Tablets() {
			must(t, err)
		}
		whole := time.Since(began)
		for caught, try := 0, 0; caught < 4 && try < 100; try++ {
			ctx, cancel := context.WithCancel(context.Background())
			began := time.Now()
			res, err := db.Query(ctx, q)
			must(t, err)
			stopped := make(chan time.Time, 1)
			time.AfterFunc(whole*time.Duration(caught+1)/5, func() {
				stopped <- time.Now()
				cancel()
			})
			for _, err = range res.Tablets() {
			}
			over := time.Now()
			at := <-stopped
			if err == nil { // it was over before: the machine has less to do now
				whole = min(whole, over.Sub(began))
				continue
			}
			wantFail(t, err, context.Canceled)
			best = min(best, over.Sub(at))
			caught++
		}
		if best == time.Hour && whole < 10*time.Millisecond {
			continue // over before it could be cancelled, so within the promise
		}
		t.Logf("%s: ended %v after the cancellation, of %v in all", name, best, whole)
		// 10 ms is the promise on a machine that is not busy.
		if best > 10*time.Millisecond && best > whole/3 {
			t.Errorf("%s: %v after the cancellation, want 10ms", name, best)
		}
	}
}
