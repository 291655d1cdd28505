package tickwell

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
)

// maintained inserts tablets of 100 rows into 1,000 series, with or without a
// query that keeps a one-minute average of each, until nothing is left to do,
// and returns the processor time.
func maintained(t testing.TB, with bool) (cpu, wall time.Duration) {
	const series, rounds = 1000, 150
	ctx := context.Background()
	db := openDir(t, "data", &Options{FS: memFS()})
	defer db.Close()
	writers := make([]*Writer, series)
	for i := range writers {
		w, err := db.Writer(fmt.Sprint("root.in.d", i), ColumnInfo{"s", KindFloat64})
		must(t, err)
		writers[i] = w
	}
	if with {
		must(t, db.CreateContinuousQuery(ctx, CQSpec{Name: "m", Lateness: 2 * time.Minute, Query: Query{
			Select: []expr.Expr{expr.Avg(expr.Col("s"))}, From: []string{"root.in.*"}, AlignByDevice: true,
			GroupBy: GroupByTime{Interval: time.Minute}, Into: []Target{{Device: "root.m.${2}", Columns: []string{"avg"}}},
		}}))
	}
	tab, walks := benchTablet([]string{"s"}, 100)
	at := int64(1_700_000_000_000_000_000)
	began, used := time.Now(), cpuTime()
	for range rounds {
		from := at
		for i := range writers {
			at = from
			fill(tab, walks, &at)
			tab.Device = fmt.Sprint("root.in.d", i)
			must(t, db.InsertTablet(ctx, tab))
		}
	}
	must(t, db.Quiesce(ctx))
	return cpuTime() - used, time.Since(began)
}

func TestCQFigureMaintain(t *testing.T) {
	for range 5 {
		c0, w0 := maintained(t, false)
		c1, w1 := maintained(t, true)
		t.Logf("without %v (%v), with %v (%v): %.2f", c0, w0, c1, w1, float64(c1)/float64(c0))
	}
}
