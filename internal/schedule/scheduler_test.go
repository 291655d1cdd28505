package schedule

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/internal/dispatch"
	"github.com/tickwell/tickwell/internal/errs"
)

// stepClock is the bubble's clock with a wall time that can be set. It is
// changed only while the bubble's other goroutines are blocked.
type stepClock struct {
	clock.Clock
	off atomic.Int64
}

func (c *stepClock) Now() time.Time { return c.Clock.Now().Add(time.Duration(c.off.Load())) }

func (c *stepClock) set(wall time.Time) {
	synctest.Wait()
	c.off.Store(int64(wall.Sub(c.Clock.Now())))
}

// bench is a scheduler under test with a record of runs as seconds since base.
type bench struct {
	t    *testing.T
	clk  *stepClock
	s    *Scheduler
	base time.Time
	mu   sync.Mutex
	runs []int64 // since the last call of expect
	fail int     // that many runs fail
	hold time.Duration
}

func newBench(t *testing.T, workers int) *bench {
	clk := &stepClock{Clock: clock.System()}
	base := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	clk.set(base)
	b := &bench{t: t, clk: clk, s: NewScheduler(clk, workers), base: base}
	t.Cleanup(func() { require.NoError(t, b.s.Close(time.Minute)) })
	return b
}

func (b *bench) do(ctx context.Context, r Run) error {
	if b.hold > 0 {
		defer time.Sleep(b.hold)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.runs = append(b.runs, (r.At-b.base.UnixNano())/sec)
	if b.fail > 0 {
		b.fail--
		return errors.New("boom")
	}
	return nil
}

func (b *bench) add(spec Spec) {
	b.t.Helper()
	require.NoError(b.t, b.s.Add(Task{Name: "cq", Plan: mustPlan(b.t, spec), Do: b.do}))
}

// expect lets d pass and compares the runs since it was called before.
func (b *bench) expect(d time.Duration, want ...int64) {
	b.t.Helper()
	time.Sleep(d)
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	require.Equal(b.t, want, b.runs)
	b.runs = nil
}

func run(t *testing.T, name string, f func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

const s = time.Second

func TestSchedulerRunsOnTheGrid(t *testing.T) {
	run(t, "on time", func(t *testing.T) {
		b := newBench(t, 1)
		b.add(Spec{Every: 20 * s, Boundary: b.base.Add(5 * s).UnixNano()})
		b.expect(66*s, 5, 25, 45, 65)
	})
	run(t, "long interval", func(t *testing.T) {
		b := newBench(t, 1)
		b.add(Spec{Every: 5 * time.Hour, Boundary: b.base.UnixNano()})
		b.expect(11*time.Hour, 0, 5*3600, 10*3600)
	})
	run(t, "failure repeats the same instant", func(t *testing.T) {
		b := newBench(t, 1)
		b.fail = 2
		b.add(Spec{Every: 10 * s})
		b.expect(35*s, 0, 0, 0, 10, 20, 30)
	})
	run(t, "failure waits at most 20s", func(t *testing.T) {
		b := newBench(t, 1)
		b.fail = 2
		b.add(Spec{Every: time.Hour})
		b.expect(19*s, 0)
		b.expect(s, 0)
		b.expect(20*s, 0)
		b.expect(time.Hour, 3600)
	})
	run(t, "discard: no skip before success", func(t *testing.T) {
		b := newBench(t, 1)
		b.fail = 3
		b.add(Spec{Every: 10 * s, Policy: Discard})
		b.expect(45*s, 0, 0, 0, 0, 30, 40)
		require.EqualValues(t, 2, b.s.Tasks()[0].Skipped)
	})
	run(t, "slow run, blocked", func(t *testing.T) {
		b := newBench(t, 4)
		b.hold = 25 * s
		b.add(Spec{Every: 10 * s})
		b.expect(100*s+1, 0, 10, 20, 30, 40) // back to back, never two at once
	})
	run(t, "slow run, discard", func(t *testing.T) {
		b := newBench(t, 4)
		b.hold = 25 * s
		b.add(Spec{Every: 10 * s, Policy: Discard})
		b.expect(89*s, 0, 30, 60)
	})
}

func TestSchedulerSurvivesWallSteps(t *testing.T) {
	run(t, "boot at 1970, then the date", func(t *testing.T) {
		b := newBench(t, 1)
		b.clk.set(time.Unix(0, 0))
		b.add(Spec{Every: 10 * s, CatchUp: 3})
		b.expect(15*s, -1767225600, -1767225600+10)
		b.clk.set(b.base.Add(4 * s))
		time.Sleep(time.Minute) // the step is noticed within the sleep, at the latest a minute
		b.expect(0, -1767225600+20, 0, 10, 20, 30, 40, 50, 60)
		require.Positive(t, b.s.Tasks()[0].Skipped)
	})
	run(t, "forward is noticed within a minute", func(t *testing.T) {
		b := newBench(t, 1)
		b.add(Spec{Every: time.Hour, Boundary: b.base.Add(time.Hour).UnixNano()})
		b.expect(90 * s)
		b.clk.set(b.base.Add(time.Hour))
		b.expect(time.Minute, 3600)
	})
	run(t, "back by ten years does not stall", func(t *testing.T) {
		b := newBench(t, 1)
		b.clk.set(b.base.AddDate(10, 0, 0))
		b.add(Spec{Every: 10 * s})
		const decade = 3652 * 24 * 3600
		b.expect(15*s, decade, decade+10)
		b.clk.set(b.base.Add(5 * s))
		b.expect(30*s, 10, 20, 30)
	})
	run(t, "back by less than an interval waits", func(t *testing.T) {
		b := newBench(t, 1)
		b.add(Spec{Every: 10 * s})
		b.expect(15*s, 0, 10)
		b.clk.set(b.base.Add(8 * s))
		b.expect(12*s, 20) // 10 does not run again
	})
	run(t, "periods do not see the wall clock", func(t *testing.T) {
		b := newBench(t, 1)
		n := 0
		require.NoError(t, b.s.Add(Task{Name: "flush", Period: 10 * s, Do: func(context.Context, Run) error { n++; return nil }}))
		time.Sleep(15 * s)
		b.clk.set(b.base.AddDate(-5, 0, 0))
		time.Sleep(10 * s)
		b.clk.set(b.base.AddDate(5, 0, 0))
		time.Sleep(10 * s)
		synctest.Wait()
		require.Equal(t, 3, n)
	})
	run(t, "no storm while the wall clock jitters", func(t *testing.T) {
		b := newBench(t, 1)
		b.add(Spec{Every: 10 * s})
		for i := range 100 {
			time.Sleep(time.Second)
			b.clk.set(b.base.Add(time.Duration(i+1)*time.Second + time.Duration(i%3-1)*300*time.Millisecond))
		}
		synctest.Wait()
		require.InDelta(t, 11, len(b.runs), 1)
		require.IsIncreasing(t, b.runs)
	})
}

func TestSchedulerRestart(t *testing.T) {
	tests := []struct {
		name   string
		policy Policy
		want   []int64
	}{
		{"blocked runs what was missed", Blocked, []int64{-30, -20, -10, 0}},
		{"discard runs the newest", Discard, []int64{0}},
	}
	for _, tt := range tests {
		run(t, tt.name, func(t *testing.T) {
			b := newBench(t, 1)
			var steps []Step
			require.NoError(t, b.s.Add(Task{
				Name: "cq", Plan: mustPlan(t, Spec{Every: 10 * s, Policy: tt.policy}), Do: b.do,
				HasLast: true, Last: b.base.Add(-40 * s).UnixNano(),
				Stepped: func(s Step) { steps = append(steps, s) },
			}))
			b.expect(9*s, tt.want...)
			if tt.policy == Discard {
				require.Len(t, steps, 1)
				require.EqualValues(t, 3, steps[0].Skipped)
			}
		})
	}
}

func TestSchedulerWorkersAreBoundedAndFair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 2)
		var at, most int
		var order []string
		for _, name := range []string{"d", "c", "b", "a"} {
			require.NoError(t, b.s.Add(Task{Name: name, Plan: mustPlan(t, Spec{Every: 100 * s, Boundary: b.base.Add(s).UnixNano()}),
				Do: func(context.Context, Run) error {
					b.mu.Lock()
					order = append(order, name)
					at++
					most = max(most, at)
					b.mu.Unlock()
					time.Sleep(3 * s)
					b.mu.Lock()
					at--
					b.mu.Unlock()
					return nil
				}}))
		}
		time.Sleep(20 * s)
		synctest.Wait()
		require.Equal(t, 2, most)
		require.ElementsMatch(t, []string{"a", "b", "c", "d"}, order)
	})
}

func TestSchedulerRemoveCancelsAndWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 1)
		runs, ended := 0, 0
		require.NoError(t, b.s.Add(Task{Name: "cq", Plan: mustPlan(t, Spec{Every: s}), Do: func(ctx context.Context, _ Run) error {
			runs++
			<-ctx.Done()
			time.Sleep(5 * s)
			ended++
			return ctx.Err()
		}}))
		time.Sleep(3 * s)
		short, cancel := context.WithTimeout(t.Context(), 2*s)
		defer cancel()
		require.ErrorIs(t, b.s.Remove(short, "cq"), context.DeadlineExceeded)
		time.Sleep(5 * s) // it is still there, and repeats the run that was cut short
		synctest.Wait()
		require.Equal(t, 1, ended)
		require.Equal(t, 2, runs)
		require.NoError(t, b.s.Remove(t.Context(), "cq"))
		require.Equal(t, 2, ended)
		require.ErrorIs(t, b.s.Remove(t.Context(), "cq"), errs.NotFound)
		b.add(Spec{Every: s}) // the name is free
		require.NoError(t, b.s.Remove(t.Context(), "cq"))
		b.runs = nil
		b.expect(10 * s)
		require.Equal(t, 2, runs)
	})
}

func TestSchedulerFailures(t *testing.T) {
	tests := []struct {
		name string
		do   func() error
		want string
	}{
		{"error", func() error { return errors.New("boom") }, "boom"},
		{"panic", func() error { panic("p") }, "cq: panic: p"},
		{"goexit", func() error { runtime.Goexit(); return nil }, "cq: goroutine ended by runtime.Goexit"},
	}
	for _, tt := range tests {
		run(t, tt.name, func(t *testing.T) {
			b := newBench(t, 1)
			require.NoError(t, b.s.Add(Task{Name: "cq", Plan: mustPlan(t, Spec{Every: 10 * s}),
				Do: func(context.Context, Run) error { return tt.do() }}))
			time.Sleep(25 * s)
			synctest.Wait()
			got := b.s.Tasks()[0]
			require.EqualError(t, got.Err, tt.want)
			require.EqualValues(t, 3, got.Failures)
			require.Equal(t, 3, got.Attempts)
			require.Zero(t, got.Runs)
			require.Equal(t, b.base.UnixNano(), got.Next)
		})
	}
}

func TestSchedulerPauseAndResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 1)
		b.add(Spec{Every: 10 * s})
		b.expect(5*s, 0)
		require.NoError(t, b.s.Pause("cq"))
		b.expect(30 * s)
		require.NoError(t, b.s.Resume("cq"))
		b.expect(s, 10, 20, 30)
		require.ErrorIs(t, b.s.Pause("other"), errs.NotFound)
	})
}

func TestSchedulerCloseIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 1)
		release := make(chan struct{})
		require.NoError(t, b.s.Add(Task{Name: "hang", Period: s, Do: func(context.Context, Run) error { <-release; return nil }}))
		time.Sleep(2 * s)
		var stuck *dispatch.StuckError
		require.ErrorAs(t, b.s.Close(3*s), &stuck)
		require.Equal(t, "hang", stuck.Name)
		require.ErrorIs(t, b.s.Add(Task{Name: "x", Period: s, Do: b.do}), errs.Closed)
		close(release)
	})
}

func TestSchedulerAddRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 1)
		require.ErrorIs(t, b.s.Add(Task{Name: "x"}), errs.BadInput)
		b.add(Spec{Every: s})
		require.ErrorIs(t, b.s.Add(Task{Name: "cq", Period: s, Do: b.do}), errs.Exists)
	})
}

// slipClock goes on by slip once, in the moment before the next wake-up is set
// or before the next wall time is read.
type slipClock struct {
	*clock.Fake
	slip   time.Duration
	onNow  atomic.Int32 // at that reading
	onWake atomic.Bool
}

func (c *slipClock) Now() time.Time {
	if c.onNow.Add(-1) == 0 {
		c.Advance(c.slip)
	}
	return c.Fake.Now()
}

func (c *slipClock) AfterFunc(d time.Duration, f func()) func() bool {
	if c.onWake.CompareAndSwap(true, false) {
		c.Advance(c.slip)
	}
	return c.Fake.AfterFunc(d, f)
}

// A clock that is moved while the scheduler looks at it delays no run.
func TestSchedulerWhileTheClockMoves(t *testing.T) {
	for _, wake := range []bool{false, true} {
		for _, slip := range []time.Duration{4 * s, 9 * s} {
			c := &slipClock{Fake: clock.NewFake(time.Unix(1, 0)), slip: slip}
			if c.onWake.Store(wake); !wake {
				c.onNow.Store(2) // Add has the first
			}
			sch := NewScheduler(c, 1)
			ran := make(chan int64, 1)
			require.NoError(t, sch.Add(Task{Name: "a", Plan: mustPlan(t, Spec{Every: 10 * s, Boundary: 10 * sec}), Do: func(_ context.Context, r Run) error {
				ran <- r.At
				return nil
			}}))
			c.Advance(9*s - slip) // now it is 10 s
			require.Equal(t, int64(10*sec), <-ran)
			require.NoError(t, sch.Close(time.Minute))
		}
	}
}
