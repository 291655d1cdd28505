package deliver

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// The chance of a run of failures, against the same counted with binomials.
func TestLogChance(t *testing.T) {
	choose := func(n, k int64) float64 {
		x := 1.0
		for i := range k {
			x *= float64(n-i) / float64(i+1)
		}
		return x
	}
	for _, c := range []struct {
		own              int
		accepted, failed int64
	}{{0, 5, 5}, {1, 0, 9}, {1, 1, 0}, {4, 1, 0}, {10, 10, 0}, {10, 5, 20}, {30, 40, 40}, {3, 100, 7}} {
		want := choose(int64(c.own)+c.failed, int64(c.own)) / choose(int64(c.own)+c.failed+c.accepted, int64(c.own))
		require.InEpsilon(t, want, math.Exp(logChance(c.own, c.accepted, c.failed)), 1e-9, "%+v", c)
	}
	require.Zero(t, logChance(1000, 0, 0), "nothing was accepted: nothing is known")
}

// A target that fails most attempts whatever is in them has no good event given
// up, and one that works at all has each poison given up in the end.
func TestPoisonAmongFailures(t *testing.T) {
	type model struct {
		fails   int // attempts in a hundred
		poisons []int
	}
	for _, m := range []model{
		{fails: 0, poisons: []int{}}, {fails: 0, poisons: []int{33}}, {fails: 0, poisons: []int{33, 34}}, {fails: 0, poisons: every(100, 20)},
		{fails: 25, poisons: []int{}}, {fails: 25, poisons: []int{33}}, {fails: 25, poisons: []int{33, 34}}, {fails: 25, poisons: every(100, 10)},
		{fails: 50, poisons: []int{}}, {fails: 50, poisons: []int{33}}, {fails: 50, poisons: []int{33, 34}}, {fails: 50, poisons: every(100, 10)},
		{fails: 75, poisons: []int{}}, {fails: 75, poisons: []int{33}}, {fails: 75, poisons: []int{33, 34}}, {fails: 75, poisons: every(100, 5)},
		{fails: 90, poisons: []int{}}, {fails: 90, poisons: []int{33}}, {fails: 90, poisons: []int{33, 34}},
	} {
		for _, batch := range []int{1, 50} {
			if testing.Short() && (batch == 1 || m.fails == 90 && len(m.poisons) > 1) {
				continue
			}
			bubble(t, fmt.Sprintf("%d %% fail, %d poisons, batches of %d", m.fails, len(m.poisons), batch), func(t *testing.T) {
				r := newRig(t, Options{BatchEvents: batch, PoisonAttempts: 10, InFlight: 1})
				dice := newDice(uint64(m.fails + batch))
				r.tgt.answer = func(_ context.Context, _ int, events []ev) error {
					if dice.n(100) < m.fails || slices.ContainsFunc(events, func(e ev) bool { return slices.Contains(m.poisons, e.id) }) {
						return boom
					}
					return nil
				}
				var keys []string
				for i := range 50 {
					keys = append(keys, fmt.Sprint("k", i))
				}
				r.src.add(0, 2000, keys...)
				r.start()
				n := 2000
				for ; n < 2200 || len(r.tgt.snap().dead) < len(m.poisons); n++ {
					if n == 30_000 {
						t.Fatalf("given up %v, want %v", r.tgt.deadIDs(), m.poisons)
					}
					time.Sleep(time.Minute) // life goes on
					r.src.add(n, n+1, keys...)
				}
				r.flush()
				var want []string
				for _, id := range m.poisons {
					want = append(want, fmt.Sprint(id, " poison"))
				}
				require.ElementsMatch(t, want, r.tgt.deadIDs())
				require.Len(t, r.tgt.snap().accepted, n-len(m.poisons))
				for key, ids := range r.tgt.snap().byKey {
					require.IsIncreasing(t, ids, key)
				}
				r.close()
			})
		}
	}
}

func every(step, n int) (out []int) {
	for i := range n {
		out = append(out, step*i)
	}
	return out
}

// An event that is stuck at the head of a full window is found all the same,
// because some others are read beyond it; while nothing gets through none are.
func TestPoisonInAFullWindow(t *testing.T) {
	for _, down := range []bool{false, true} {
		bubble(t, fmt.Sprint("down ", down), func(t *testing.T) {
			r := newRig(t, Options{BatchEvents: 1, Window: 64, PoisonAttempts: 10, InFlight: 1})
			r.tgt.answer = func(_ context.Context, _ int, events []ev) error {
				if down || events[0].id == 33 {
					return boom
				}
				return nil
			}
			var keys []string
			for i := range 200 {
				keys = append(keys, fmt.Sprint("k", i))
			}
			r.src.add(0, 1000, keys...)
			r.start()
			time.Sleep(24 * time.Hour)
			synctest.Wait()
			if s := r.tgt.snap(); down {
				require.Empty(t, s.dead)
				require.Less(t, slices.Max(slices.Concat(s.calls...)), 64, "no more was read")
			} else {
				require.Equal(t, []string{"33 poison"}, r.tgt.deadIDs())
				require.Len(t, s.accepted, 999)
			}
			r.close()
		})
	}
}
