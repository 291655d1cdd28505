package deliver

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/internal/dispatch"
	"github.com/tickwell/tickwell/internal/errs"
)

var boom = errors.New("boom")

func TestDeliversInOrderAndMovesThePosition(t *testing.T) {
	bubble(t, "one order", func(t *testing.T) {
		r := newRig(t, Options{BatchEvents: 10})
		r.cfg.Key = nil
		r.src.add(0, 95)
		r.start()
		r.flush()
		require.Equal(t, seq(0, 95), r.tgt.snap().accepted)
		require.Equal(t, 1, r.tgt.snap().most, "one order: one attempt at a time")
		require.Empty(t, r.src.left())
		r.src.add(95, 100)
		r.flush()
		require.Equal(t, seq(0, 100), r.tgt.snap().accepted)
		s := r.p.Stats()
		require.Equal(t, Pos{34, 0}, s.Acked)
		require.Equal(t, []int64{100, 100, 11, 0}, []int64{s.Received, s.Delivered, s.Attempts, s.Backlog})
		require.Equal(t, OK, s.Health)
		r.close()
		require.Equal(t, []int{1, 1}, []int{r.tgt.snap().opens, r.tgt.snap().closes})
		require.Equal(t, Stopped, r.p.Stats().Health)
	})
	bubble(t, "keys in parallel", func(t *testing.T) {
		r := newRig(t, Options{BatchEvents: 1, InFlight: 3})
		r.tgt.answer = func(_ context.Context, n int, _ []ev) error { time.Sleep(time.Duration(n%4) * time.Second); return nil }
		r.src.add(0, 100, "a", "b", "c", "d")
		r.start()
		r.flush()
		require.Equal(t, 3, r.tgt.snap().most)
		for i, key := range []string{"a", "b", "c", "d"} {
			require.Len(t, r.tgt.snap().byKey[key], 25)
			require.Equal(t, i, r.tgt.snap().byKey[key][0])
			require.IsIncreasing(t, r.tgt.snap().byKey[key], key)
		}
		r.close()
	})
	bubble(t, "no key, no order", func(t *testing.T) {
		r := newRig(t, Options{BatchEvents: 1, InFlight: 4})
		r.tgt.answer = func(_ context.Context, _ int, es []ev) error {
			if es[0].id == 0 {
				time.Sleep(time.Hour)
			}
			return nil
		}
		r.cfg.Options.AttemptTimeout = 2 * time.Hour
		r.src.add(0, 9)
		r.start()
		time.Sleep(time.Second)
		synctest.Wait()
		require.Equal(t, seq(1, 9), uniq(sorted(r.tgt.snap().accepted)), "the others overtake")
		require.Equal(t, seq(0, 9), r.src.left(), "but the position waits")
		r.flush()
		require.Empty(t, r.src.left())
		r.close()
	})
}

func sorted(ids []int) []int {
	out := append([]int(nil), ids...)
	for i := range out {
		for j := i; j > 0 && out[j] < out[j-1]; j-- {
			out[j], out[j-1] = out[j-1], out[j]
		}
	}
	return out
}

func TestBatching(t *testing.T) {
	bubble(t, "linger", func(t *testing.T) {
		r := newRig(t, Options{BatchEvents: 10, Linger: time.Second})
		r.start()
		r.src.add(0, 3)
		time.Sleep(999 * time.Millisecond)
		synctest.Wait()
		require.Empty(t, r.tgt.snap().calls)
		r.src.add(3, 5)
		time.Sleep(time.Millisecond)
		synctest.Wait()
		require.Equal(t, [][]int{seq(0, 5)}, r.tgt.snap().calls, "the oldest event's linger counts")
		r.src.add(5, 15)
		synctest.Wait()
		require.Equal(t, [][]int{seq(0, 5), seq(5, 15)}, r.tgt.snap().calls, "a full batch does not linger")
		r.close()
	})
	bubble(t, "bytes", func(t *testing.T) {
		r := newRig(t, Options{BatchEvents: 10, BatchBytes: 100})
		sizes := []int{60, 40, 1, 500, 50, 50}
		r.cfg.Size = func(e ev) int { return sizes[e.id] }
		r.src.add(0, 6, "k")
		r.start()
		r.flush()
		require.Equal(t, [][]int{{0, 1}, {2}, {3}, {4, 5}}, r.tgt.snap().calls)
		r.close()
	})
	bubble(t, "window bounds memory", func(t *testing.T) {
		r := newRig(t, Options{BatchEvents: 10, Window: 30})
		r.tgt.answer = func(context.Context, int, []ev) error { return boom }
		r.src.add(0, 1000)
		r.start()
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Equal(t, 30, r.p.Stats().Held)
		require.Equal(t, 30, r.src.asked())
		r.close()
	})
}

// script answers call n with the nth error, and nil afterwards.
func script(answers ...error) func(context.Context, int, []ev) error {
	return func(_ context.Context, n int, _ []ev) error {
		if n <= len(answers) {
			return answers[n-1]
		}
		return nil
	}
}

func TestClasses(t *testing.T) {
	partial := &Partial{Done: []int{0, 3}, Rejected: []int{2, 3, 9, -1}, Causes: map[int]error{2: errors.New("bad value")}}
	tests := []struct {
		name   string
		answer func(context.Context, int, []ev) error
		calls  [][]int
		dead   []string
		opens  int
	}{
		{"nil", script(), [][]int{{0, 1, 2, 3}}, nil, 1},
		{"unknown", script(boom), [][]int{{0, 1, 2, 3}, {0, 1, 2, 3}}, nil, 1},
		{"retry", script(Retry(boom, 0)), [][]int{{0, 1, 2, 3}, {0, 1, 2, 3}}, nil, 1},
		{"wrapped", script(fmt.Errorf("post: %w", Retry(boom, 0))), [][]int{{0, 1, 2, 3}, {0, 1, 2, 3}}, nil, 1},
		{"not connected", script(NotConnected(boom)), [][]int{{0, 1, 2, 3}, {0, 1, 2, 3}}, nil, 2},
		{"panic", func(_ context.Context, n int, _ []ev) error {
			if n == 1 {
				panic("p")
			}
			return nil
		}, [][]int{{0, 1, 2, 3}, {0, 1, 2, 3}}, nil, 2},
		{"panic with a permanent error is no decision", func(_ context.Context, n int, _ []ev) error {
			if n == 1 {
				panic(Permanent(boom))
			}
			return nil
		}, [][]int{{0, 1, 2, 3}, {0, 1, 2, 3}}, nil, 2},
		{"goexit", func(_ context.Context, n int, _ []ev) error {
			if n == 1 {
				runtime.Goexit()
			}
			return nil
		}, [][]int{{0, 1, 2, 3}, {0, 1, 2, 3}}, nil, 2},
		{"permanent: the poison is found", func(_ context.Context, _ int, es []ev) error {
			for _, e := range es {
				if e.id == 2 {
					return Permanent(boom)
				}
			}
			return nil
		}, [][]int{{0, 1, 2, 3}, {0, 1}, {2, 3}, {2}, {3}}, []string{"2 permanent"}, 1},
		{"too large", func(_ context.Context, _ int, es []ev) error {
			if len(es) > 1 || es[0].id == 3 {
				return TooLarge(boom)
			}
			return nil
		}, [][]int{{0, 1, 2, 3}, {0, 1}, {0}, {1, 2}, {1}, {2, 3}, {2}, {3}}, []string{"3 too large"}, 1},
		{"partial", script(partial), [][]int{{0, 1, 2, 3}, {1}}, []string{"2 partial", "3 partial"}, 1},
		{"partial, all rejected", script(&Partial{Rejected: []int{0, 1, 2, 3}}), [][]int{{0, 1, 2, 3}},
			[]string{"0 partial", "1 partial", "2 partial", "3 partial"}, 1},
		{"partial, empty", script(&Partial{}), [][]int{{0, 1, 2, 3}, {0, 1, 2, 3}}, nil, 1},
	}
	for _, tt := range tests {
		bubble(t, tt.name, func(t *testing.T) {
			r := newRig(t, Options{BatchEvents: 4})
			r.tgt.answer = tt.answer
			r.src.add(0, 4, "k")
			r.start()
			r.flush()
			require.Equal(t, tt.calls, r.tgt.snap().calls)
			require.Equal(t, tt.dead, r.tgt.deadIDs())
			require.Equal(t, tt.opens, r.tgt.snap().opens)
			require.Empty(t, r.src.left())
			require.EqualValues(t, 4-len(tt.dead), r.p.Stats().Delivered)
			require.EqualValues(t, len(tt.dead), r.p.Stats().Dead)
			r.close()
		})
	}
}

func TestRetryAfterLeavesTheWholeSinkInPeace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{BatchEvents: 1, InFlight: 1})
		r.tgt.answer = script(Retry(boom, time.Hour))
		r.src.add(0, 3, "a", "b", "c")
		r.start()
		time.Sleep(time.Hour - 1)
		synctest.Wait()
		require.Len(t, r.tgt.snap().calls, 1)
		require.Equal(t, Degraded, r.p.Stats().Health)
		r.flush()
		require.ElementsMatch(t, seq(0, 3), r.tgt.snap().accepted)
		r.close()
	})
}

// A handler that fails at random, in every way, loses nothing; duplicates are
// only of events that were in flight.
func TestFlappingHandlerLosesNothing(t *testing.T) {
	for seed := range uint64(8) {
		bubble(t, fmt.Sprint(seed), func(t *testing.T) {
			const n = 600
			rng := newDice(seed)
			r := newRig(t, Options{BatchEvents: 7, InFlight: 3, Window: 50, AttemptTimeout: time.Second})
			r.cfg.Seed = seed
			r.tgt.openErr = func(int) error {
				if rng.n(3) == 0 {
					return boom
				}
				return nil
			}
			r.tgt.answer = func(ctx context.Context, _ int, es []ev) error {
				dice, i := rng.n(12), rng.n(len(es))
				switch dice {
				case 0:
					return boom
				case 1:
					return NotConnected(boom)
				case 2:
					panic("p")
				case 3:
					<-ctx.Done()
					return ctx.Err()
				case 4:
					return &Partial{Done: seq(0, i)}
				case 5:
					return Retry(boom, time.Minute)
				case 6:
					if len(es) > 1 {
						return TooLarge(boom)
					}
				}
				time.Sleep(time.Duration(dice) * time.Millisecond)
				return nil
			}
			r.src.fail = 3
			r.start()
			for id := 0; id < n; id += 20 {
				r.src.add(id, id+20, "a", "b", "c", "d", "")
				time.Sleep(time.Duration(rng.n(5000)) * time.Millisecond)
				if rng.n(6) == 0 { // restart in the middle
					r.close()
					r.start()
				}
			}
			r.flush()
			require.Equal(t, seq(0, n), uniq(sorted(r.tgt.snap().accepted)), "nothing lost")
			require.Empty(t, r.src.left())
			require.Empty(t, r.tgt.snap().dead)
			for _, key := range []string{"a", "b", "c", "d"} {
				require.IsIncreasing(t, uniq(r.tgt.snap().byKey[key]), "key %s: first deliveries are in order", key)
			}
			r.close()
		})
	}
}

func TestPoisonDoesNotStopTheRest(t *testing.T) {
	bubble(t, "unclassified", func(t *testing.T) {
		r := newRig(t, Options{BatchEvents: 8, Window: 64, PoisonAttempts: 4})
		r.tgt.answer = func(_ context.Context, _ int, es []ev) error {
			for _, e := range es {
				if e.id == 13 {
					return errors.New("500 with secret")
				}
			}
			return nil
		}
		r.cfg.Scrub = func(error) string { return "500 with ***" }
		r.start()
		for id := range 400 {
			r.src.add(id, id+1, "a", "b", "c", "d", "e")
			time.Sleep(time.Second)
		}
		r.flush()
		require.Equal(t, []string{"13 poison"}, r.tgt.deadIDs())
		require.Len(t, uniq(r.tgt.snap().accepted), 399)
		require.Len(t, r.tgt.snap().accepted, 399, "the others once each")
		for key, ids := range r.tgt.snap().byKey {
			require.IsIncreasing(t, ids, key)
		}
		d := r.tgt.snap().dead[0]
		require.Equal(t, "500 with ***", d.Cause)
		require.GreaterOrEqual(t, d.Attempts, 4)
		require.Equal(t, Pos{5, 1}, d.Pos)
		require.True(t, d.FirstAttempt.Before(d.LastAttempt))
		r.close()
	})
	bubble(t, "no dead letter: dropped and counted", func(t *testing.T) {
		r := newRig(t, Options{})
		r.cfg.DeadLetter = nil
		r.src.lost = map[string]int64{"bytes": 7}
		r.tgt.answer = script(&Partial{Done: []int{0}, Rejected: []int{1}})
		r.src.add(0, 2)
		r.start()
		r.flush()
		require.Equal(t, map[string]int64{"partial": 1, "bytes": 7}, r.p.Stats().Dropped)
		r.close()
	})
	bubble(t, "a failing dead letter keeps the event", func(t *testing.T) {
		r := newRig(t, Options{BatchEvents: 1})
		var bad atomic.Bool
		bad.Store(true)
		r.tgt.deadErr = func() error {
			if bad.Load() {
				return boom
			}
			return nil
		}
		r.tgt.answer = script(Permanent(boom))
		r.src.add(0, 2, "k")
		r.start()
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Equal(t, []int{0, 1}, r.src.left())
		require.Equal(t, [][]int{{0}}, r.tgt.snap().calls, "not attempted again, and its key waits")
		require.Equal(t, Failing, r.p.Stats().Health)
		require.Equal(t, "dead letter of sink s: boom", r.p.Stats().LastError)
		bad.Store(false)
		r.flush()
		require.Equal(t, []string{"0 permanent"}, r.tgt.deadIDs())
		require.Equal(t, []int{1}, r.tgt.snap().accepted)
		r.close()
	})
}

func TestGivingUp(t *testing.T) {
	bubble(t, "max elapsed", func(t *testing.T) {
		r := newRig(t, Options{MaxElapsed: time.Hour, BackoffMax: time.Minute})
		r.tgt.answer = func(context.Context, int, []ev) error { return boom }
		r.src.add(0, 3, "k")
		r.start()
		time.Sleep(59 * time.Minute)
		synctest.Wait()
		require.Empty(t, r.tgt.snap().dead)
		time.Sleep(4 * time.Minute)
		synctest.Wait()
		require.Contains(t, r.tgt.deadIDs(), "0 expired")
		r.close()
	})
	bubble(t, "never connected", func(t *testing.T) {
		r := newRig(t, Options{MaxElapsed: time.Hour, BackoffMax: time.Minute})
		r.tgt.openErr = func(int) error { return boom }
		r.src.add(0, 3, "k")
		r.start()
		time.Sleep(65 * time.Minute)
		synctest.Wait()
		require.Equal(t, []string{"0 expired", "1 expired", "2 expired"}, r.tgt.deadIDs())
		require.Empty(t, r.src.left())
		require.Empty(t, r.tgt.snap().calls)
		r.close()
	})
	bubble(t, "age alone kills nothing that was never tried", func(t *testing.T) {
		r := newRig(t, Options{MaxAge: time.Hour})
		r.src.add(0, 3)
		time.Sleep(100 * time.Hour) // or a step of the wall clock
		r.start()
		r.flush()
		require.Empty(t, r.tgt.snap().dead)
		require.Len(t, r.tgt.snap().accepted, 3)
		r.close()
	})
	bubble(t, "age, tried in vain", func(t *testing.T) {
		r := newRig(t, Options{MaxAge: time.Hour})
		r.tgt.answer = script(boom)
		r.src.add(0, 3)
		time.Sleep(2 * time.Hour)
		r.start()
		r.flush()
		require.Len(t, r.tgt.snap().dead, 3)
		r.close()
	})
}

// An event that a machine sends before it knows the time is not old when it does,
// and one that comes from before does not stay for ever.
func TestAgeOverClockSteps(t *testing.T) {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		sent, found, set time.Time
		want             time.Duration // until it is given up
	}{
		"boot in 1970":          {time.Unix(5, 0), time.Unix(10, 0), begin, time.Hour - 5*time.Second},
		"found once it was set": {time.Unix(5, 0), begin, begin, time.Hour},
		"sent before a boot":    {begin.Add(-50 * time.Minute), time.Unix(10, 0), begin, 10 * time.Minute},
		"sent in the future":    {begin.Add(10000 * time.Hour), begin, begin, time.Hour},
		"set back":              {begin.Add(-30 * time.Minute), begin, begin.Add(-10 * time.Hour), 30 * time.Minute},
		"nothing of that all":   {begin.Add(-30 * time.Minute), begin, begin, 30 * time.Minute},
	} {
		e := &entry[ev]{item: Item[ev]{Time: c.sent.UnixNano()}, tried: true, err: boom}
		e.fetched, e.waited = time.Minute, waited(c.sent, c.found)
		o := &Options{MaxAge: time.Hour}
		for after := time.Duration(0); after <= 2*time.Hour; after += 5 * time.Second {
			if got, want := e.expired(o, time.Minute+after, c.set.Add(after)), after >= c.want; got != want {
				t.Errorf("%s: after %v: given up: %v, want %v", name, after, got, want)
				break
			}
		}
	}
}

func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{BatchEvents: 1, InFlight: 4, BreakerAfter: 5, BackoffMin: time.Second, BackoffMax: 10 * time.Second})
		var down atomic.Bool
		down.Store(true)
		changes := make(chan string, 1000)
		r.cfg.OnHealth = func(h Health, cause string) { changes <- fmt.Sprint(h, " ", cause) }
		r.tgt.answer = func(context.Context, int, []ev) error {
			if down.Load() {
				return boom
			}
			return nil
		}
		r.src.add(0, 50)
		r.start()
		time.Sleep(30 * time.Second)
		synctest.Wait()
		require.Equal(t, BreakerOpen, r.p.Stats().Breaker)
		require.Equal(t, Failing, r.p.Stats().Health)
		before := len(r.tgt.snap().calls)
		time.Sleep(1000 * time.Second)
		synctest.Wait()
		require.InDelta(t, 200, len(r.tgt.snap().calls)-before, 60, "one probe each 5 s on average")
		down.Store(false)
		r.flush()
		require.Equal(t, BreakerClosed, r.p.Stats().Breaker)
		require.Len(t, r.tgt.snap().accepted, 50)
		var healths []string
		for len(changes) > 0 {
			healths = append(healths, <-changes)
		}
		require.Equal(t, []string{"degraded boom", "failing boom", "ok "}, healths[len(healths)-3:])
		require.Empty(t, r.p.Stats().LastError)
		r.close()
	})
}

func TestDisabledKeepsTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{BatchEvents: 1})
		r.tgt.answer = script(Disabled(errors.New("410 gone")))
		r.src.add(0, 3, "k")
		r.start()
		time.Sleep(100 * time.Hour)
		synctest.Wait()
		require.Len(t, r.tgt.snap().calls, 1)
		require.Equal(t, seq(0, 3), r.src.left())
		require.Equal(t, Suspended, r.p.Stats().Health)
		require.ErrorIs(t, r.p.Flush(t.Context()), errSuspended)
		r.p.Enable()
		r.flush()
		require.Equal(t, seq(0, 3), r.tgt.snap().accepted)
		require.Equal(t, 2, r.tgt.snap().opens)
		r.close()
	})
}

func TestHangingHandlerIsCancelledByItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{AttemptTimeout: 10 * time.Second})
		r.tgt.answer = func(ctx context.Context, n int, _ []ev) error {
			if n == 1 {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}
		r.src.add(0, 2)
		r.start()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		require.Equal(t, "attempt timed out: context deadline exceeded after 10s: context canceled", r.p.Stats().LastError)
		r.flush()
		require.Len(t, r.tgt.snap().accepted, 2)
		r.close()
	})
}

func TestClose(t *testing.T) {
	bubble(t, "during back-off", func(t *testing.T) {
		r := newRig(t, Options{BackoffMin: time.Hour, BackoffMax: time.Hour})
		r.tgt.answer = func(context.Context, int, []ev) error { return boom }
		r.src.add(0, 2)
		r.start()
		time.Sleep(time.Second)
		start := time.Now()
		r.close()
		require.Zero(t, time.Since(start))
		require.Equal(t, 1, r.tgt.snap().closes)
		require.Equal(t, seq(0, 2), r.src.left())
		r.close()
		require.Equal(t, 1, r.tgt.snap().closes)
	})
	bubble(t, "during an attempt that then succeeds", func(t *testing.T) {
		r := newRig(t, Options{})
		r.tgt.answer = func(context.Context, int, []ev) error { time.Sleep(5 * time.Second); return nil }
		r.src.add(0, 2)
		r.start()
		time.Sleep(time.Second)
		r.close()
		require.Empty(t, r.src.left(), "acknowledged on the way out")
	})
	bubble(t, "stuck handler is named", func(t *testing.T) {
		r := newRig(t, Options{})
		release := make(chan struct{})
		r.tgt.answer = func(context.Context, int, []ev) error { <-release; return nil }
		r.src.add(0, 2)
		r.start()
		time.Sleep(time.Second)
		err := r.p.Close(5 * time.Second)
		var stuck *dispatch.StuckError
		require.ErrorAs(t, err, &stuck)
		require.Equal(t, "handle of sink s, sink s", stuck.Name)
		close(release)
		r.close()
	})
	bubble(t, "shutdown drains", func(t *testing.T) {
		r := newRig(t, Options{BatchEvents: 10, Linger: time.Hour})
		r.src.add(0, 55)
		r.start()
		synctest.Wait()
		require.NoError(t, r.p.Shutdown(t.Context()))
		require.Len(t, r.tgt.snap().accepted, 55)
		require.Equal(t, 1, r.tgt.snap().closes)
		require.ErrorIs(t, r.p.Flush(t.Context()), errs.Closed)
	})
	bubble(t, "shutdown says what is left", func(t *testing.T) {
		r := newRig(t, Options{})
		r.tgt.answer = func(context.Context, int, []ev) error { return boom }
		r.src.add(0, 5)
		r.start()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := r.p.Shutdown(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "flush sink s: 5 events left in its queue")
		require.Equal(t, seq(0, 5), r.src.left())
	})
	bubble(t, "never started", func(t *testing.T) {
		r := newRig(t, Options{})
		p, err := New(r.cfg)
		require.NoError(t, err)
		require.ErrorIs(t, p.Flush(t.Context()), errs.Closed)
		require.NoError(t, p.Close(time.Second))
		require.ErrorIs(t, p.Start(), errs.Closed)
	})
}

func TestOneSlowSinkDoesNotTouchAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, quick := newRig(t, Options{}), newRig(t, Options{})
		release := make(chan struct{})
		slow.tgt.answer = func(context.Context, int, []ev) error { <-release; return nil }
		slow.src.add(0, 10)
		quick.src.add(0, 10)
		slow.start()
		quick.start()
		quick.flush()
		require.Len(t, quick.tgt.snap().accepted, 10)
		quick.close()
		close(release)
		slow.close()
	})
}

func TestSourceTroubleIsRiddenOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		r.src.fail = 4
		r.src.add(0, 10)
		r.start()
		synctest.Wait()
		require.Equal(t, "disk trouble", r.p.Stats().LastError)
		r.flush()
		require.Equal(t, seq(0, 10), r.tgt.snap().accepted, "an acknowledgement that fails repeats nothing")
		require.Empty(t, r.src.left())
		r.close()
	})
}

func TestUserFunctionsMayPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{BatchEvents: 1})
		r.cfg.Key = func(e ev) string { panic("key") }
		r.cfg.Size = func(e ev) int { panic("size") }
		r.cfg.Scrub = func(error) string { panic("scrub") }
		r.cfg.OnHealth = func(Health, string) { panic("health") }
		r.tgt.deadErr = func() error {
			r.tgt.deadErr = nil
			panic("dead")
		}
		r.tgt.openErr = func(n int) error {
			if n == 1 {
				panic("open")
			}
			return nil
		}
		r.tgt.answer = script(Permanent(boom))
		r.src.add(0, 3)
		r.start()
		r.flush()
		require.Equal(t, []string{"0 permanent"}, r.tgt.deadIDs())
		require.Equal(t, "*deliver.classified", r.tgt.snap().dead[0].Cause, "no text when the scrubber fails")
		require.Equal(t, []int{1, 2}, r.tgt.snap().accepted)
		r.close()
	})
}

// Three days without the target: goroutines and memory stay flat, everything
// arrives afterwards.
func TestLongOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := Data()
		o.MaxAge = 0
		o.Window = 600
		r := newRig(t, o)
		var down atomic.Bool
		down.Store(true)
		r.tgt.openErr = func(int) error {
			if down.Load() {
				return boom
			}
			return nil
		}
		r.tgt.answer = func(context.Context, int, []ev) error {
			if down.Load() {
				return NotConnected(boom)
			}
			return nil
		}
		r.start()
		goroutines := 0
		n := 0
		for hour := range 72 {
			r.src.add(n, n+100, "a", "b", "c")
			n += 100
			time.Sleep(time.Hour)
			synctest.Wait()
			if hour == 0 {
				goroutines = runtime.NumGoroutine()
			}
			require.LessOrEqual(t, runtime.NumGoroutine(), goroutines+1, "an attempt may be under way")
			require.LessOrEqual(t, r.p.Stats().Held, 600)
		}
		require.EqualValues(t, n, r.p.Stats().Backlog)
		require.Less(t, r.tgt.snap().opens, 72*3600/5, "no storm")
		down.Store(false)
		r.flush()
		require.Equal(t, seq(0, n), uniq(sorted(r.tgt.snap().accepted)))
		require.Len(t, r.tgt.snap().accepted, n, "delivered once each")
		r.close()
	})
}

func TestNewRefusals(t *testing.T) {
	ok := Config[ev]{Handle: func(context.Context, []ev) error { return nil }, Source: newOutbox(t), Clock: clock.System()}
	tests := []struct {
		name string
		edit func(*Config[ev])
		want string
	}{
		{"handle", func(c *Config[ev]) { c.Handle = nil }, "no handle function"},
		{"source", func(c *Config[ev]) { c.Source = nil }, "no source"},
		{"clock", func(c *Config[ev]) { c.Clock = nil }, "no clock"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := ok
			tt.edit(&c)
			_, err := New(c)
			require.ErrorIs(t, err, errs.BadInput)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestBackoffIsFullJitterWithDoublingBound(t *testing.T) {
	o := Data()
	a, b := newBackoff(&o, 1), newBackoff(&o, 1)
	for n := 1; n < 100; n++ {
		bound := o.BackoffMax
		if n <= 7 {
			bound = min(o.BackoffMin<<(n-1), o.BackoffMax)
		}
		var low, high time.Duration = never, 0
		for range 200 {
			w := a.wait(n)
			require.Equal(t, w, b.wait(n), "the seed decides")
			low, high = min(low, w), max(high, w)
		}
		require.Positive(t, low)
		require.LessOrEqual(t, high, bound)
		require.Less(t, low, bound/10, "attempt %d", n)
		require.Greater(t, high, bound*9/10, "attempt %d", n)
	}
}

func TestErrorTexts(t *testing.T) {
	tests := []struct {
		err  error
		want string
	}{
		{Retry(boom, 0), "retry: boom"},
		{Retry(boom, time.Minute), "retry after 1m0s: boom"},
		{NotConnected(boom), "not connected: boom"},
		{Permanent(boom), "permanent: boom"},
		{TooLarge(boom), "too large: boom"},
		{Disabled(boom), "disabled: boom"},
		{&Partial{Done: []int{1}}, "partial: 1 done, 0 rejected"},
	}
	for _, tt := range tests {
		require.EqualError(t, tt.err, tt.want)
	}
	require.ErrorIs(t, Permanent(boom), boom)
	for _, f := range []func(error) error{NotConnected, Permanent, TooLarge, Disabled} {
		require.NoError(t, f(nil), "nil stays nil")
	}
	require.NoError(t, Retry(nil, time.Second))
}
