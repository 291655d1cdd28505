package tickwell

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/clock"
)

// A condition that keeps all of one batch of rows and some of the next writes to
// no memory but its own: rows that it was lent stay as they were, in the store
// and in queries beside.
func TestConditionsLeaveRowsAlone(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		name string
		dir  string
		rows []int // of each tablet; a flush after the first on disk
	}{
		{"in memory, columns", "", []int{700}},
		{"in memory, blocks", "", []int{5000}},
		{"in memory, small tablets", "", []int{40, 40, 40, 40, 40, 40, 40}},
		{"files", "data", []int{3000, 2000}},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := openDir(t, c.dir, &Options{FS: memFS()})
			var want []string
			n := 0
			for k, rows := range c.rows {
				tab := &Tablet{Device: "root.d", Columns: []Column{{Name: "a", Data: Int64s{}}, {Name: "b", Data: Float64s{}}}}
				var a Int64s
				var b Float64s
				for range rows {
					tab.Times = append(tab.Times, int64(n)*int64(time.Second))
					a, b = append(a, int64(n)), append(b, float64(n)/4)
					want = append(want, fmt.Sprint(n, n, float64(n)/4))
					n++
				}
				tab.Columns[0].Data, tab.Columns[1].Data = a, b
				must(t, db.InsertTablet(ctx, tab))
				if c.dir != "" && k == 0 {
					must(t, db.Flush(ctx))
				}
			}
			read := func() (rows []string) {
				res, err := db.Query(ctx, Query{From: []string{"root.d"}})
				must(t, err)
				for row, err := range res.Rows() {
					must(t, err)
					rows = append(rows, fmt.Sprint(row.Time().Unix(), row.Value(0).Int64(), row.Value(1).Float64()))
				}
				return rows
			}
			// All rows before the n-th, and every third one from there on.
			for _, from := range []int{10, 64, 256, 300, 512, 1024, 1500, 2048, 4096} {
				where := expr.Or(expr.Col("a").Lt(from), expr.Col("a").Mod(3).Eq(0))
				for _, q := range []Query{
					{From: []string{"root.d"}, Where: where},
					{From: []string{"root.d"}, Select: []expr.Expr{expr.Sum(expr.Col("b"))}, Where: where, GroupBy: GroupByTime{Interval: time.Hour}, Start: time.Unix(0, 0), End: time.Unix(int64(n), 0)},
				} {
					res, err := db.Query(ctx, q)
					must(t, err)
					for _, err := range res.Rows() {
						must(t, err)
					}
					if got := read(); !slices.Equal(got, want) {
						i := 0
						for i < min(len(got), len(want)) && got[i] == want[i] {
							i++
						}
						t.Fatalf("after %v from %d on: %d rows, want %d; row %d is %q, want %q", q.Where, from, len(got), len(want), i, got[min(i, len(got)-1)], want[min(i, len(want)-1)])
					}
				}
			}
		})
	}
}

// The same for a continuous query, whose runs use their memory again: it was lent
// rows that are still in memory, and shows them as they are.
func TestRunsLeaveRowsAlone(t *testing.T) {
	ctx := context.Background()
	start := time.Unix(1_700_000_000, 0)
	clk := clock.NewFake(start)
	db := openDir(t, "", &Options{Clock: clk})
	must(t, db.CreateContinuousQuery(ctx, CQSpec{Name: "q", Every: 10 * time.Second, Query: Query{
		Select: []expr.Expr{expr.Count(expr.Col("a"))}, From: []string{"root.d"}, Where: expr.Or(expr.Col("a").Lt(600), expr.Col("a").Mod(3).Eq(0)),
		GroupBy: GroupByTime{Interval: 10 * time.Second}, Into: []Target{{Device: "root.out", Columns: []string{"n"}}},
	}}))
	must(t, db.Quiesce(ctx)) // the run that is due at once finds no series
	var want []string
	n := 0
	for range 5 {
		tab := &Tablet{Device: "root.d"}
		var a Int64s
		for range 200 {
			at := start.Add(time.Duration(n) * 50 * time.Millisecond).UnixNano()
			tab.Times, a = append(tab.Times, at), append(a, int64(n))
			want = append(want, fmt.Sprint(at, n))
			n++
		}
		tab.Columns = []Column{{Name: "a", Data: a}}
		must(t, db.InsertTablet(ctx, tab))
		clk.Advance(10 * time.Second)
		must(t, db.Quiesce(ctx))
		var got []string
		res, err := db.Query(ctx, Query{From: []string{"root.d"}})
		must(t, err)
		for row, err := range res.Rows() {
			must(t, err)
			got = append(got, fmt.Sprint(row.Time().UnixNano(), row.Value(0).Int64()))
		}
		for i := range min(len(got), len(want)) {
			if got[i] != want[i] {
				t.Fatalf("after %d rows: row %d is %q, want %q", n, i, got[i], want[i])
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%d rows, want %d", len(got), len(want))
		}
	}
	var counts []string
	for _, p := range dump(t, db, "root.out.n") {
		counts = append(counts, p[strings.Index(p, "=")+1:])
	}
	if want := []string{"200", "200", "200", "67", "67"}; !slices.Equal(counts, want) {
		t.Errorf("counts %q, want %q", counts, want)
	}
}
