package tickwell

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/vfs"
)

// stepped is a store with times to live, a quota that is not reached, and one
// query of each sort, whose clock is moved about.
type stepped struct {
	testing.TB
	db    *DB
	fs    vfs.FS // nil: in memory
	clock *clock.Fake
	right time.Time                 // what the clock would say if nobody had touched it
	runs  atomic.Int64              // of the scheduled query
	last  atomic.Pointer[time.Time] // due time of its last run
}

func (s *stepped) lastRun() time.Time {
	if at := s.last.Load(); at != nil {
		return *at
	}
	return time.Time{}
}

func (s *stepped) open() {
	opts := &Options{Clock: s.clock, TTL: 3 * time.Hour, QuotaBytes: 1 << 30, Observer: &Observer{Run: func(i CQRunInfo) {
		if i.Name == "scheduled" {
			s.runs.Add(1)
			s.last.Store(&i.At)
		}
	}}}
	if s.fs == nil {
		s.db = openMem(s, opts)
		return
	}
	opts.FS = s.fs
	s.db = openDir(s, "data", opts)
}

func (s *stepped) setUp() {
	ctx := context.Background()
	s.open()
	must(s, s.db.SetTTL(ctx, "root.in", time.Hour))
	must(s, s.db.SetTTL(ctx, "root.m", 2*time.Hour))
	must(s, s.db.CreateContinuousQuery(ctx, minuteView("incremental")))
	must(s, s.db.CreateContinuousQuery(ctx, CQSpec{Name: "scheduled", Every: time.Minute, Query: Query{
		Select: []expr.Expr{expr.Count(expr.Col("s"))}, From: []string{"root.in.d"},
		GroupBy: GroupByTime{Interval: time.Minute}, Into: []Target{{Device: "root.s", Columns: []string{"n"}}},
	}}))
}

// pass lets minutes go by, in each of which six rows come that say the time of
// stamp.
func (s *stepped) pass(minutes int, stamp func() time.Time) {
	ctx := context.Background()
	for range 6 * minutes {
		s.clock.Advance(10 * time.Second)
		s.right = s.right.Add(10 * time.Second)
		must(s, s.db.Insert(ctx, "root.in.d", stamp(), Float64("s", 1)))
		must(s, s.db.Quiesce(ctx))
	}
	must(s, s.db.Flush(ctx))
	must(s, s.db.Compact(ctx))
	must(s, s.db.Quiesce(ctx))
}

// stored is every point there is.
func (s *stepped) stored() map[string]bool {
	all := map[string]bool{}
	for _, p := range dump(s, s.db, "root.**") {
		all[p] = true
	}
	return all
}

// missing lists the points of all that are gone.
func (s *stepped) missing(all map[string]bool) []string {
	now := s.stored()
	var gone []string
	for p := range all {
		if !now[p] {
			gone = append(gone, p)
		}
	}
	slices.Sort(gone)
	return gone
}

// The clock is set forward or back, or the machine boots in 1970 or a year ahead,
// and it is put right later: rows and results that are not too old stay, windows
// go on being computed, scheduled runs too, and there are no more of them than
// the catch-up limit lets through. Rows carry the time of a sensor that is right,
// or of the wrong clock.
func TestCQClockStepsDeleteNothing(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for _, c := range []struct {
		name   string
		wrong  func(right time.Time) time.Time
		reboot bool
		sensor bool // rows say the right time
	}{
		{"a year ahead", func(r time.Time) time.Time { return r.Add(year) }, false, true},
		{"a year ahead, and rows too", func(r time.Time) time.Time { return r.Add(year) }, false, false},
		{"a year back", func(r time.Time) time.Time { return r.Add(-year) }, false, true},
		{"a year back, and rows too", func(r time.Time) time.Time { return r.Add(-year) }, false, false},
		{"an hour ahead", func(r time.Time) time.Time { return r.Add(time.Hour) }, false, true},
		{"an hour back", func(r time.Time) time.Time { return r.Add(-time.Hour) }, false, true},
		{"boot in 1970", func(time.Time) time.Time { return time.Unix(7, 0) }, true, true},
		{"boot in 1970, and rows too", func(time.Time) time.Time { return time.Unix(7, 0) }, true, false},
		{"boot a year ahead", func(r time.Time) time.Time { return r.Add(year) }, true, true},
	} {
		for _, fs := range []vfs.FS{nil, memFS()} {
			if fs == nil && c.reboot {
				continue
			}
			name := c.name + ", in files"
			if fs == nil {
				name = c.name + ", in memory"
			}
			t.Run(name, func(t *testing.T) {
				start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
				s := &stepped{TB: t, fs: fs, clock: clock.NewFake(start), right: start}
				s.setUp()
				sensor := func() time.Time { return s.right }
				s.pass(10, sensor)
				before := s.stored()
				if n := len(before); n < 60+2*8+8 {
					t.Fatalf("%d points are stored, want 60 rows and what was computed", n)
				}

				if c.reboot {
					must(t, s.db.Close())
				}
				s.clock.Set(c.wrong(s.right))
				if c.reboot {
					s.open()
				}
				stamp := sensor
				if !c.sensor {
					stamp = s.clock.Now
				}
				s.runs.Store(0)
				s.pass(5, stamp)
				if gone := s.missing(before); len(gone) > 0 {
					t.Errorf("while the clock was wrong %d points went: %s …", len(gone), gone[0])
				}
				if s.runs.Load() < 3 || s.runs.Load() > 10_100 {
					t.Errorf("%d runs in 5 minutes while the clock was wrong", s.runs.Load())
				}
				if d := s.clock.Now().Sub(s.lastRun()); d < 0 || d > 2*time.Minute {
					t.Errorf("while the clock was wrong, at %s, the last run was of %s", s.clock.Now(), s.lastRun())
				}

				s.clock.Set(s.right)
				s.runs.Store(0)
				s.pass(10, sensor)
				if gone := s.missing(before); len(gone) > 0 {
					t.Errorf("after the clock was put right %d points went: %s …", len(gone), gone[0])
				}
				if s.runs.Load() < 8 || s.runs.Load() > 10_100 {
					t.Errorf("%d runs in 10 minutes after the clock was put right", s.runs.Load())
				}
				if d := s.clock.Now().Sub(s.lastRun()); d < 0 || d > 2*time.Minute {
					t.Errorf("after the clock was put right, at %s, the last run was of %s", s.clock.Now(), s.lastRun())
				}
				// Every whole minute of the sensor's rows has its window.
				results := rowsAt(t, s.db, "root.m.n")
				for m := start.Add(time.Minute); m.Before(s.right.Add(-2 * time.Minute)); m = m.Add(time.Minute) {
					if after := m.Sub(start); !c.sensor && after > 9*time.Minute && after < 16*time.Minute {
						continue // the sensor was not heard
					}
					if want := fmt.Sprintf("n@%d=6", m.Unix()); !strings.Contains(results+" ", want+" ") {
						t.Errorf("no result %s", want)
					}
				}
			})
		}
	}
}

// A machine that was suspended wakes with the wall clock ahead and monotonic time
// where it was, or, where that goes on in sleep, the other way round until the
// wall clock is read again: runs go on within a minute, those that were missed
// are made up for, and no more.
func TestCQSuspend(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		name    string
		suspend func(c *clock.Fake)
	}{
		{"monotonic time stands still", func(c *clock.Fake) { c.Set(c.Now().Add(8 * time.Hour)) }},
		{"monotonic time goes on, the wall clock follows", func(c *clock.Fake) {
			c.AdvanceMono(8 * time.Hour)
			c.Set(c.Now().Add(8 * time.Hour))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
			s := &stepped{TB: t, clock: clock.NewFake(start), right: start}
			s.setUp()
			must(t, s.db.SetTTL(ctx, "root", -1))
			must(t, s.db.SetTTL(ctx, "root.in", -1))
			must(t, s.db.SetTTL(ctx, "root.m", -1))
			s.pass(3, s.clock.Now)
			before := s.stored()
			s.runs.Store(0)
			c.suspend(s.clock)
			s.clock.Advance(time.Minute)
			must(t, s.db.Quiesce(ctx))
			if want := int64(8*60 + 1); s.runs.Load() != want {
				t.Errorf("%d runs within a minute of waking, want %d", s.runs.Load(), want)
			}
			if !s.lastRun().Equal(s.clock.Now()) {
				t.Errorf("the last run was of %s, want %s", s.lastRun(), s.clock.Now())
			}
			s.runs.Store(0)
			s.pass(5, s.clock.Now)
			if s.runs.Load() != 5 {
				t.Errorf("%d runs in the 5 minutes after, want 5", s.runs.Load())
			}
			if gone := s.missing(before); len(gone) > 0 {
				t.Errorf("%d points went: %s …", len(gone), gone[0])
			}
			if w := cqByName(t, s.db, "incremental").Watermark; !w.Equal(s.clock.Now()) {
				t.Errorf("watermark %s, want %s", w, s.clock.Now())
			}
		})
	}
	// Monotonic time goes on for hours and the wall clock does not: no run is due,
	// and none is made.
	s := &stepped{TB: t, clock: clock.NewFake(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))}
	s.setUp()
	must(t, s.db.Quiesce(ctx))
	s.runs.Store(0)
	s.clock.AdvanceMono(8 * time.Hour)
	must(t, s.db.Quiesce(ctx))
	if s.runs.Load() != 0 {
		t.Errorf("%d runs while the wall clock stood still, want none", s.runs.Load())
	}
	s.pass(2, s.clock.Now)
	if s.runs.Load() != 2 {
		t.Errorf("%d runs in the 2 minutes after, want 2", s.runs.Load())
	}
}

// A store that was closed for longer than results are kept goes on: runs whose
// rows would be gone at once leave them out, and do not fail for ever.
func TestCQResultsThatComeTooLate(t *testing.T) {
	ctx := context.Background()
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := &stepped{TB: t, fs: memFS(), clock: clock.NewFake(start), right: start}
	s.setUp()
	must(t, s.db.SetTTL(ctx, "root.in", 10*time.Minute))
	must(t, s.db.SetTTL(ctx, "root.s", 10*time.Minute))
	s.pass(5, s.clock.Now)
	must(t, s.db.Close())
	s.clock.Set(s.clock.Now().Add(time.Hour))
	s.right = s.clock.Now()
	s.runs.Store(0)
	s.open()
	// New rows move what has expired on before the runs that were missed are made.
	must(t, s.db.PauseContinuousQuery(ctx, "scheduled"))
	must(t, s.db.Insert(ctx, "root.in.d", s.clock.Now(), Float64("s", 1)))
	s.clock.Advance(2 * time.Hour)
	must(t, s.db.Insert(ctx, "root.in.d", s.clock.Now(), Float64("s", 1)))
	must(t, s.db.ResumeContinuousQuery(ctx, "scheduled"))
	s.right = s.clock.Now()
	s.pass(1, s.clock.Now)
	// A run whose rows become too old while it stores them fails, and is made again.
	q := cqByName(t, s.db, "scheduled")
	if q.State != "ACTIVE" || q.LastErr != nil || q.Failed > 2 || !q.LastRun.Equal(s.clock.Now()) {
		t.Errorf("the query is %s after %d failures (%v), its last run of %s, want %s", q.State, q.Failed, q.LastErr, q.LastRun, s.clock.Now())
	}
	if want := int64(3*60+1) + q.Failed; s.runs.Load() < want-5 || s.runs.Load() > want {
		t.Errorf("%d runs after the reopen, want %d or a few less", s.runs.Load(), want)
	}
	for _, p := range dump(t, s.db, "root.s.n") {
		var at int64
		fmt.Sscanf(p, "root.s.n@%d=", &at)
		if d := s.clock.Now().Sub(time.Unix(0, at)); d > 11*time.Minute {
			t.Errorf("%s is stored, %s after its time", p, d)
		}
	}
}

// What is left out of a run because it is too late is that and no more: rows of
// series that are kept for ever stay, however old they are.
func TestCQResultsTooLateForSomeSeries(t *testing.T) {
	ctx := context.Background()
	clock := newFake()
	now := clock.Now()
	db := openMem(t, &Options{Clock: clock})
	must(t, db.SetTTL(ctx, "root.short", time.Minute))
	must(t, db.Insert(ctx, "root.in", now, Float64("s", 1)))
	must(t, db.CreateContinuousQuery(ctx, CQSpec{Name: "q", Every: time.Second, Query: runFunc(func(_ context.Context, r *CQRun) error {
		short, long := &Tablet{Device: "root.short"}, &Tablet{Device: "root.long"}
		for i, at := range []time.Time{time.Unix(-7, 0), now} {
			must(t, short.Append(at, Int64("n", int64(i))))
			must(t, long.Append(at, Int64("n", int64(i))))
		}
		if err := r.Write(short); err != nil {
			return err
		}
		return r.Write(long)
	})}))
	clock.Advance(time.Second)
	must(t, db.Quiesce(ctx))
	wantDump(t, db, "root.short.n", fmt.Sprintf("root.short.n@%d=1", now.UnixNano()))
	wantDump(t, db, "root.long.n", "root.long.n@-7000000000=0", fmt.Sprintf("root.long.n@%d=1", now.UnixNano()))
}
