package deliver

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// What the queue drops while the pipeline holds it is given up, not delivered
// later, and counted once.
func TestQueueDropsWhatIsHeld(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		down := true
		r := newRig(t, Options{BatchEvents: 10, InFlight: 2})
		r.tgt.answer = func(_ context.Context, _ int, _ []ev) error {
			if down {
				return boom
			}
			return nil
		}
		r.src.add(0, 100, "a", "b", "c")
		r.start()
		time.Sleep(time.Minute)
		synctest.Wait()
		r.src.drop(49)
		down = false
		r.flush()
		require.Equal(t, seq(50, 100), sorted(r.tgt.snap().accepted))
		for _, ids := range r.tgt.snap().byKey {
			require.IsIncreasing(t, ids)
		}
		s := r.p.Stats()
		require.EqualValues(t, 50, s.Delivered)
		require.Equal(t, map[string]int64{FullQueue: 50}, s.Dropped)
		require.Empty(t, r.src.left())
		require.Zero(t, s.Held)
		r.close()
	})
	bubble(t, "while it is attempted", func(t *testing.T) {
		r := newRig(t, Options{BatchEvents: 10, InFlight: 1})
		r.cfg.Key = nil
		r.tgt.answer = func(_ context.Context, n int, _ []ev) error {
			if n == 1 {
				r.src.drop(4) // of ten that are on their way
				return &Partial{Done: []int{0, 1}}
			}
			return nil
		}
		r.src.add(0, 20)
		r.start()
		r.flush()
		require.Equal(t, append([]int{0, 1}, seq(5, 20)...), r.tgt.snap().accepted)
		require.Equal(t, map[string]int64{FullQueue: 3}, r.p.Stats().Dropped)
		require.EqualValues(t, 17, r.p.Stats().Delivered)
		r.close()
	})
}

func TestUnreadableItems(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r := newRig(t, Options{BatchEvents: 4})
		r.src.add(0, 20, "a")
		for _, id := range []int{0, 7, 8, 19} {
			r.src.lose(id)
		}
		r.start()
		r.flush()
		require.Equal(t, []int{1, 2, 3, 4, 5, 6, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18}, r.tgt.snap().accepted)
		require.Equal(t, map[string]int64{Damaged: 4}, r.p.Stats().Dropped)
		require.Empty(t, r.src.left())
		r.close()
	})
}

// A target that can be opened and takes nothing is not taken for a sound one:
// waits grow, the breaker opens.
func TestOpensAreNoSuccess(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r := newRig(t, Options{BackoffMin: time.Second, BackoffMax: 5 * time.Minute})
		down := true
		r.tgt.answer = func(context.Context, int, []ev) error {
			if down {
				return NotConnected(boom)
			}
			return nil
		}
		r.src.add(0, 5, "a")
		r.start()
		time.Sleep(12 * time.Hour)
		synctest.Wait()
		n := len(r.tgt.snap().calls)
		require.Less(t, n, 12*60*2, "attempts in 12 hours")
		require.Greater(t, n, 12*60/5/2)
		s := r.p.Stats()
		require.EqualValues(t, r.tgt.snap().opens, s.Opens)
		require.Equal(t, Failing, s.Health)
		require.NotEqual(t, BreakerClosed, s.Breaker)
		down = false
		r.flush()
		s = r.p.Stats()
		require.Equal(t, OK, s.Health)
		require.Equal(t, BreakerClosed, s.Breaker)
		r.close()
	})
	bubble(t, "an idle one that can be opened again is sound", func(t *testing.T) {
		r := newRig(t, Options{})
		r.tgt.openErr = func(n int) error {
			if n < 20 {
				return boom
			}
			return nil
		}
		r.start()
		time.Sleep(time.Hour)
		synctest.Wait()
		s := r.p.Stats()
		require.Equal(t, OK, s.Health)
		require.Equal(t, BreakerClosed, s.Breaker)
		require.EqualValues(t, 20, s.Opens)
		r.close()
	})
}

// When several events fail one after the other, what waits behind them grows old
// with them. When one does, the others are tried before they are given up.
func TestAgeOfThoseBehind(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r := newRig(t, Options{BatchEvents: 1, InFlight: 1, MaxAge: time.Hour})
		r.cfg.Key = nil
		r.tgt.answer = func(context.Context, int, []ev) error { return boom }
		r.src.add(0, 50)
		r.start()
		time.Sleep(59 * time.Minute)
		synctest.Wait()
		require.Len(t, r.src.left(), 50)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		require.Empty(t, r.src.left())
		require.Len(t, r.tgt.snap().dead, 50)
		for _, d := range r.tgt.snap().dead {
			require.Equal(t, ClassExpired, d.Class)
		}
		r.close()
	})
}

func TestWindowBytes(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r := newRig(t, Options{BatchEvents: 100, BatchBytes: 2500, WindowBytes: 5000, Window: 10000})
		r.cfg.Key = nil
		down := true
		r.tgt.answer = func(context.Context, int, []ev) error {
			if down {
				return errors.New("down")
			}
			return nil
		}
		r.src.size = 1000
		r.src.most = 0
		r.src.add(0, 10)
		r.start()
		time.Sleep(time.Minute)
		synctest.Wait()
		r.src.add(10, 5000)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, 10, r.p.Stats().Held, "the first read took what was there, no more is read")
		down = false
		r.flush()
		require.Equal(t, seq(0, 5000), r.tgt.snap().accepted)
		for _, ids := range r.tgt.snap().calls {
			require.LessOrEqual(t, len(ids), 2, "events in a batch of 2500 bytes")
		}
		r.close()
	})
}

// An event that fails without a word of blame holds up those of its key only,
// and is given up when others have got through often enough.
func TestUnclassifiedPoison(t *testing.T) {
	poisoned := func(events []ev) error {
		for _, e := range events {
			if e.id == 33 {
				return boom
			}
		}
		return nil
	}
	bubble(t, "keys", func(t *testing.T) {
		r := newRig(t, Options{BatchEvents: 50, PoisonAttempts: 10})
		r.tgt.answer = func(_ context.Context, _ int, events []ev) error { return poisoned(events) }
		r.src.add(0, 100, "a", "b", "c")
		r.start()
		for id := 100; id < 160; id++ {
			time.Sleep(time.Minute)
			r.src.add(id, id+1, "a", "b", "c")
		}
		r.flush()
		require.Equal(t, []string{"33 poison"}, r.tgt.deadIDs())
		require.Len(t, r.tgt.snap().accepted, 159)
		for _, ids := range r.tgt.snap().byKey {
			require.IsIncreasing(t, ids)
		}
		r.close()
	})
	bubble(t, "one order: the rest is tried before it is given up", func(t *testing.T) {
		r := newRig(t, Options{BatchEvents: 50, InFlight: 1, MaxAge: time.Hour})
		r.cfg.Key = nil
		r.tgt.answer = func(_ context.Context, _ int, events []ev) error { return poisoned(events) }
		r.src.add(0, 100)
		r.start()
		r.flush()
		require.Equal(t, []string{"33 expired"}, r.tgt.deadIDs())
		require.Len(t, r.tgt.snap().accepted, 99)
		r.close()
	})
}
