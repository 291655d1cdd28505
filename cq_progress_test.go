package tickwell

import (
	"context"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/incremental"
)

// A query that is created over rows that are there already works them off oldest
// first, in records of a bounded number of windows; the listing shows how many
// are left, and how old the oldest is.
func TestIncrementalBackfillProgress(t *testing.T) {
	ctx := context.Background()
	const windows = 5000
	clock := newFake()
	clock.Set(time.Unix(windows+1, 0))
	var db *DB
	var starts, left []int64
	var lags []time.Duration
	db = openMem(t, &Options{Clock: clock, Observer: &Observer{Run: func(r CQRunInfo) {
		q := cqByName(t, db, "b")
		starts, left, lags = append(starts, r.Start.Unix()), append(left, q.Dirty), append(lags, q.Lag)
		if n := int64(r.End.Sub(r.Start) / time.Second); n > cqChunk {
			t.Errorf("a record of %d windows, want %d at most", n, cqChunk)
		}
	}}})
	tab := &Tablet{Device: "root.in.d"}
	for i := range int64(windows + 1) {
		must(t, tab.Append(time.Unix(i, 0), Float64("s", 1)))
	}
	must(t, db.InsertTablet(ctx, tab))
	must(t, db.CreateContinuousQuery(ctx, CQSpec{Name: "b", Query: Query{
		Select: []expr.Expr{expr.Count(expr.Col("s"))}, From: []string{"root.in.d"},
		GroupBy: GroupByTime{Interval: time.Second}, Into: []Target{{Device: "root.b", Columns: []string{"n"}}},
	}}))
	must(t, db.Quiesce(ctx))
	if len(starts) < windows/cqChunk || len(starts) > windows/cqChunk+2 {
		t.Fatalf("%d records for %d windows, want one for each %d", len(starts), windows, cqChunk)
	}
	for i := 1; i < len(starts); i++ {
		if starts[i] <= starts[i-1] {
			t.Errorf("a record begins at %d s after one at %d s: not the oldest first", starts[i], starts[i-1])
		}
		if left[i] >= left[i-1] || lags[i] > lags[i-1] {
			t.Errorf("%d windows and %s are left after %d and %s", left[i], lags[i], left[i-1], lags[i-1])
		}
	}
	if left[0] < windows/2 || left[0] >= windows {
		t.Errorf("%d windows are left after the first record, want less than %d", left[0], windows)
	}
	if q := cqByName(t, db, "b"); q.Computed != windows || q.Dirty > 1 { // the last is not over
		t.Errorf("%d windows computed and %d dirty at the end, want %d and 1", q.Computed, q.Dirty, windows)
	}
}

// Rows that come all the time set off a run each cqDelay at most, more rarely
// where runs take long, and never later than half of that after it.
func TestIncrementalPace(t *testing.T) {
	ctx := context.Background()
	clock := newFake()
	runs := 0
	db := openMem(t, &Options{Clock: clock, Observer: &Observer{Run: func(CQRunInfo) { runs++ }}})
	spec := minuteView("m")
	spec.OnChange = true
	must(t, db.CreateContinuousQuery(ctx, spec))
	must(t, db.Quiesce(ctx))
	runs = 0
	const seconds = 20
	for range 20 * seconds {
		must(t, db.Insert(ctx, "root.in.d", clock.Now(), Float64("s", 1)))
		clock.Advance(50 * time.Millisecond)
		must(t, db.cqs.sched.WaitIdle(ctx))
	}
	if most := int(seconds * time.Second / cqDelay); runs > most+1 || runs < most/2 {
		t.Errorf("%d runs in %d s of a row each 50 ms, want %d about", runs, seconds, most)
	}
	v := db.cqs.find("m").view
	for _, c := range []struct{ took, want time.Duration }{
		{0, cqDelay}, {10 * time.Millisecond, cqDelay}, {120 * time.Millisecond, 480 * time.Millisecond}, {time.Minute, cqDelay * 3 / 2},
	} {
		v.mu.Lock()
		key := "test"
		v.set(key, cqDirty{Range: incremental.Range{From: 0, To: 60e9}})
		v.pace, v.hold = cqShare*c.took, 0
		d, ok := v.wait(clock.Mono(), cqDelay)
		delete(v.keys, key)
		v.mu.Unlock()
		if !ok || d != c.want {
			t.Errorf("after a run of %s the next one waits %s (%t), want %s", c.took, d, ok, c.want)
		}
	}
}
