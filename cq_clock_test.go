package tickwell

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// A run that is busy when others come due: Blocked runs each of them after it,
// in order and one at a time; Discard leaves them out and counts them.
func TestCQBusyRun(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		policy  TimeoutPolicy
		want    string
		skipped int64
	}{
		{Blocked, "10 [0 10) 20 [10 20) 30 [20 30) 40 [30 40)", 0},
		{Discard, "10 [0 10) 40 [30 40)", 2},
	} {
		clock := newFake()
		clock.Set(time.Unix(5, 0))
		db := openMem(t, &Options{Clock: clock})
		var ran []string
		started, release := make(chan struct{}), make(chan struct{})
		must(t, db.CreateContinuousQuery(ctx, CQSpec{Name: "slow", Every: 10 * time.Second, Policy: c.policy, Query: runFunc(func(_ context.Context, r *CQRun) error {
			ran = append(ran, fmt.Sprintf("%d [%d %d)", r.At.Unix(), r.Start.Unix(), r.End.Unix()))
			if len(ran) == 1 {
				close(started)
				<-release
			}
			return nil
		})}))
		clock.Advance(5 * time.Second)
		<-started
		clock.Advance(25 * time.Second) // 35 s
		if lag := cqByName(t, db, "slow").Lag; lag != 25*time.Second {
			t.Errorf("%s: lag %s while the run of 10 s goes on, want 25s", c.policy, lag)
		}
		close(release)
		must(t, db.Quiesce(ctx))
		clock.Advance(5 * time.Second)
		must(t, db.Quiesce(ctx))
		if got := strings.Join(ran, " "); got != c.want {
			t.Errorf("%s: ran %s, want %s", c.policy, got, c.want)
		}
		if q := cqByName(t, db, "slow"); q.Skipped != c.skipped || q.Spec.Policy != c.policy {
			t.Errorf("%s: %d skipped, want %d", c.policy, q.Skipped, c.skipped)
		}
	}
}

// The wall clock boots in 1970, is put right, and steps back: no stall, and no
// storm beyond the catch-up limit.
func TestCQClockSteps(t *testing.T) {
	ctx := context.Background()
	clock := newFake()
	clock.Set(time.Unix(3, 0))
	runs, last := 0, int64(0)
	db := openMem(t, &Options{Clock: clock, Observer: &Observer{Run: func(i CQRunInfo) { runs, last = runs+1, i.At.Unix() }}})
	must(t, db.CreateContinuousQuery(ctx, CQSpec{Name: "n", Every: time.Second, Query: runFunc(func(context.Context, *CQRun) error { return nil })}))
	must(t, db.Quiesce(ctx))
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	clock.Set(now)
	clock.Advance(time.Minute)
	must(t, db.Quiesce(ctx))
	if last != now.Unix()+60 || runs < 2 || runs > 10_100 {
		t.Errorf("after the clock was put right: %d runs, the last of %d, want one of %d", runs, last, now.Unix()+60)
	}
	runs = 0
	clock.Set(now.Add(-time.Hour))
	clock.Advance(time.Minute)
	must(t, db.Quiesce(ctx))
	if want := now.Add(-time.Hour).Unix() + 60; last != want || runs > 120 {
		t.Errorf("after the clock was set back: %d runs, the last of %d, want %d", runs, last, want)
	}
}

// A gateway boots in 1970 and its clock is set: Blocked makes no run for each minute
// of the 56 years. What it missed before it booted there it makes up for.
func TestCQClockSet(t *testing.T) {
	ctx, fs := context.Background(), memFS()
	clock := newFake()
	clock.Set(time.Unix(3, 0))
	var ran []int64
	open := func() *DB {
		db := openDir(t, "data", &Options{Clock: clock, FS: fs, Observer: &Observer{Run: func(i CQRunInfo) { ran = append(ran, i.At.Unix()) }}})
		must(t, db.CreateContinuousQuery(ctx, CQSpec{Name: "n", Every: time.Minute, Query: runFunc(func(context.Context, *CQRun) error { return nil })}))
		return db
	}
	db := open()
	clock.Advance(2 * time.Minute)
	must(t, db.Quiesce(ctx))
	now := time.Date(2026, 1, 1, 0, 0, 30, 0, time.UTC)
	at := now.Unix() - 30
	want := func(what string, times ...int64) {
		t.Helper()
		must(t, db.Quiesce(ctx))
		if !slices.Equal(ran, times) {
			t.Errorf("%s: %d runs, %d, want %d", what, len(ran), ran[:min(len(ran), 20)], times)
		}
		ran = nil
	}
	want("in 1970", 60, 120)
	clock.Set(now)
	want("once the clock is set", 180, at)
	clock.Advance(time.Minute)
	want("a minute later", at+60)
	for range 2 { // boots in 1970, twice
		must(t, db.Close())
		clock.Set(time.Unix(3, 0))
		db = open()
		clock.Advance(time.Minute)
		want("in 1970 again", 60)
	}
	clock.Set(now.Add(4 * time.Minute))
	want("set again", 120, at+120, at+180, at+240)
	must(t, db.Close())
	clock.Set(time.Unix(3, 0))
	db = open()
	clock.Advance(time.Minute)
	want("in 1970 once more", 60)
	must(t, db.Close())
	clock.Set(now.Add(6 * time.Minute))
	db = open()
	want("booted with the right time", at+300, at+360)
}
