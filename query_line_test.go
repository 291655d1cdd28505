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

// TestWindowsOfLines: windows over rows that are a constant step apart, whose times
// are not written out once they are known, have the bits of folding one row after
// the other, however often they are asked for and wherever windows begin and end.
func TestWindowsOfLines(t *testing.T) {
	ctx := context.Background()
	db, err := Open(ctx, "store", &Options{FS: vfs.NewMem(), Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	defer db.Close()
	const rows = 5000
	rnd := rand.New(rand.NewPCG(1, 9))
	base := int64(1_700_000_000_000)
	v := make([]float64, rows)
	tab := &Tablet{Device: "root.d"}
	for i := range v {
		v[i] = float64(rnd.IntN(1_000_000)) / 100
		must(t, tab.Append(time.UnixMilli(base+int64(i)*10_000), Float64("s", v[i]), Int64("n", int64(i))))
	}
	must(t, db.InsertTablet(ctx, tab))
	must(t, db.Flush(ctx))
	s, n := expr.Col("s"), expr.Col("n")
	for round := range 60 {
		from := base + rnd.Int64N(rows)*5_000 - 77_000
		end := from + rnd.Int64N(rows*10_000)
		every := []int64{60_000, 10_000, 25_000, 7_000, 600_000, 61_001}[rnd.IntN(6)]
		length := every
		if rnd.IntN(3) == 0 {
			length = every/2 + 1
		}
		q := Query{Select: []expr.Expr{expr.Avg(s), expr.Sum(s), expr.Count(s), expr.Max(s), expr.Sum(n)}, From: []string{"root.d"},
			Start: time.UnixMilli(from), End: time.UnixMilli(end),
			GroupBy: GroupByTime{Interval: time.Duration(length) * time.Millisecond, Step: time.Duration(every) * time.Millisecond}}
		if rnd.IntN(4) == 0 {
			q.Select = append(q.Select, expr.Call("min_time", s)) // looks at times
		}
		r, err := db.Query(ctx, q)
		require.NoError(t, err)
		at := from
		for row, err := range r.Rows() {
			require.NoError(t, err)
			require.Equal(t, at*1e6, row.UnixNano())
			sum, count, most, ints, first := 0.0, int64(0), math.Inf(-1), 0.0, int64(0)
			for i := range v {
				if when := base + int64(i)*10_000; when >= at && when < min(at+length, end) {
					if count == 0 {
						first = when
					}
					sum, count, most, ints = sum+v[i], count+1, max(most, v[i]), ints+float64(i)
				}
			}
			where := fmt.Sprintf("round %d, %d + %d to %d, window at %d", round, from, every, end, at)
			require.Equal(t, count, row.Value(2).Int64(), where)
			if count > 0 {
				require.Equal(t, math.Float64bits(sum/float64(count)), math.Float64bits(row.Float64(0)), where)
				require.Equal(t, math.Float64bits(sum), math.Float64bits(row.Float64(1)), where)
				require.Equal(t, most, row.Float64(3), where)
				require.Equal(t, ints, row.Float64(4), where)
			} else {
				require.True(t, row.Value(0).IsNull() && row.Value(1).IsNull() && row.Value(3).IsNull(), where)
			}
			if len(q.Select) > 5 && count > 0 {
				require.Equal(t, first*1e6, row.Value(5).Int64(), where)
			}
			at += every
		}
		if end > from {
			require.GreaterOrEqual(t, at, end)
		}
	}
}
