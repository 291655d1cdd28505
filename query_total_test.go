package tickwell

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/vfs"
)

// TestTotals: aggregates of all points of a series, which the index tells of many
// blocks together, have the bits of folding block after block, as one window of GROUP BY
// time does: in one file and several, with late points, deletes,
// nulls and values that no sum or range can be told of, of any range.
func TestTotals(t *testing.T) {
	ctx := context.Background()
	db, err := Open(ctx, "store", &Options{FS: vfs.NewMem(), Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	defer db.Close()
	rnd := rand.New(rand.NewPCG(2, 9))
	const rows = 2500
	odd := []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 0, 1e300}
	write := func(from int64, n int) {
		tab := &Tablet{Device: "root.d"}
		for i := range n {
			at := time.Unix(from+int64(i), 0)
			cells := []Field{Float64("f", float64(rnd.IntN(1_000_000))/100), Float64("odd", odd[rnd.IntN(len(odd))]), Float64("nan", math.NaN()),
				Float64("zero", math.Copysign(0, float64(rnd.IntN(2))-0.5)), Float32("r", rnd.Float32()), Int64("n", rnd.Int64N(1000)-500),
				Int64("huge", rnd.Int64()), Int64("large", rnd.Int64N(1<<51)), Int32("i", rnd.Int32()), Bool("b", rnd.IntN(2) == 0), Text("t", fmt.Sprint(rnd.IntN(9))),
				Int64("greatest", math.MaxInt64), Int64("least", math.MinInt64)}
			if rnd.IntN(5) > 0 {
				cells = append(cells, Float64("holes", rnd.Float64()))
			}
			must(t, tab.Append(at, cells...))
		}
		must(t, db.InsertTablet(ctx, tab))
	}
	names := []string{"f", "odd", "nan", "zero", "r", "n", "huge", "large", "i", "b", "t", "holes", "greatest", "least"}
	calls := map[string][]string{
		"b": {"count", "min_value", "max_value", "min_time", "max_time", "first_value", "last_value"},
		"t": {"count", "min_time", "max_time", "time_duration", "last_value"},
	}
	numbers := []string{"count", "sum", "avg", "min_value", "max_value", "extreme", "min_time", "max_time", "time_duration", "first_value", "last_value"}
	ask := func(q Query) (cells []string) {
		r, err := db.Query(ctx, q)
		require.NoError(t, err)
		for row, err := range r.Rows() {
			require.NoError(t, err)
			for i := range q.Select {
				v := row.Value(i)
				if v.Kind() == KindFloat64 {
					cells = append(cells, fmt.Sprintf("%016x", math.Float64bits(v.Float64())))
				} else {
					cells = append(cells, v.String())
				}
			}
		}
		return cells
	}
	edges := []int64{0, rows, 2 * rows, 3 * rows}
	check := func(what string) {
		t.Helper()
		for round := range 200 {
			name := names[round%len(names)]
			col := expr.Col(name)
			of := calls[name]
			if of == nil {
				of = numbers
			}
			q := Query{From: []string{"root.d"}}
			for _, i := range rnd.Perm(len(of))[:1+rnd.IntN(len(of))] {
				q.Select = append(q.Select, expr.Call(of[i], col))
			}
			if rnd.IntN(3) == 0 {
				q.Start = time.Unix(edges[rnd.IntN(4)]+rnd.Int64N(3)-1, 0)
			}
			if rnd.IntN(3) == 0 {
				q.End = time.Unix(max(q.Start.Unix(), edges[rnd.IntN(4)])+rnd.Int64N(3), 0)
			}
			got := ask(q)
			if q.Start.IsZero() {
				q.Start = time.Unix(-5000, 0)
			}
			if q.End.IsZero() {
				q.End = time.Unix(9999, 0)
			}
			if !q.End.After(q.Start) {
				continue // no window
			}
			q.GroupBy = GroupByTime{Interval: 100_000 * time.Second}
			require.Equal(t, ask(q), got, "%s: %s of %s from %v to %v", what, q.Select, name, q.Start, q.End)
		}
	}
	write(0, rows)
	check("in memory")
	must(t, db.Flush(ctx))
	check("in a file")
	write(rows, rows)
	check("and in memory")
	must(t, db.Flush(ctx))
	check("in two files")
	write(2*rows, rows)
	write(-1000, 10)
	must(t, db.Flush(ctx))
	check("a file with late points")
	must(t, db.Delete(ctx, "root.d.f", time.Unix(100, 0), time.Unix(3000, 0)))
	must(t, db.Delete(ctx, "root.d.n", time.Unix(0, 0), time.Unix(2*rows, 0)))
	check("deleted")
	must(t, db.Flush(ctx))
	check("deleted in files")
	must(t, db.Compact(ctx))
	check("compacted")
	must(t, db.SetTTL(ctx, "root.d", 5000*time.Second))
	check("some has expired")
}
