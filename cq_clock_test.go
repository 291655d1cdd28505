package tickwell

import (
	"context"
	"fmt"
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
