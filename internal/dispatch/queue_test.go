package dispatch

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/internal/errs"
)

// recorder is a handler that keeps what it was given, by key, and checks that
// a key is never handled twice at once.
type recorder struct {
	mu      sync.Mutex
	byKey   map[string][]int
	all     []int
	active  map[string]bool
	overlap []string
	most    int
}

func newRecorder() *recorder {
	return &recorder{byKey: map[string][]int{}, active: map[string]bool{}}
}

func (r *recorder) begin(key string, item int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.active[key] {
		r.overlap = append(r.overlap, key)
	}
	r.active[key] = true
	r.most = max(r.most, len(r.active))
	r.byKey[key] = append(r.byKey[key], item)
	r.all = append(r.all, item)
}

func (r *recorder) end(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.active, key)
}

func TestQueueKeepsOrderPerKeyAndRunsKeysInParallel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		rng := rand.New(rand.NewPCG(7, 7))
		q := NewQueue(QueueConfig[string, int]{
			Name: "q", Clock: clock.System(), Capacity: 32, Workers: 4,
			Handle: func(_ context.Context, key string, item int) error {
				r.begin(key, item)
				time.Sleep(time.Duration(item%5) * time.Millisecond)
				r.end(key)
				return nil
			},
		})
		want := map[string][]int{}
		for i := range 1000 {
			key := fmt.Sprint(rng.IntN(7))
			want[key] = append(want[key], i)
			require.NoError(t, q.Put(t.Context(), key, i))
		}
		require.NoError(t, q.Drain(t.Context()))
		require.Equal(t, want, r.byKey)
		require.Empty(t, r.overlap, "one handler a key")
		require.Equal(t, 4, r.most, "as many keys at a time as workers")
		require.Equal(t, QueueStats{Accepted: 1000, Handled: 1000}, q.Stats())
		require.NoError(t, q.Close(time.Second))
	})
}

// gate returns a queue of capacity 3 whose one worker holds item 0 until
// release is closed, with items 1, 2, 3 waiting.
func gate(t *testing.T, full Full) (q *Queue[string, int], r *recorder, dropped *[]int, release chan struct{}) {
	r, dropped, release = newRecorder(), new([]int), make(chan struct{})
	q = NewQueue(QueueConfig[string, int]{
		Name: "q", Clock: clock.System(), Capacity: 3, Workers: 1, Full: full,
		Handle: func(_ context.Context, key string, item int) error {
			r.begin(key, item)
			<-release
			r.end(key)
			return nil
		},
		Dropped: func(_ string, item int) { *dropped = append(*dropped, item) },
	})
	require.NoError(t, q.Put(t.Context(), "k0", 0))
	synctest.Wait()
	for i := 1; i <= 3; i++ {
		require.NoError(t, q.Put(t.Context(), fmt.Sprint("k", i%2), i))
	}
	return q, r, dropped, release
}

func TestQueueWhenFull(t *testing.T) {
	tests := []struct {
		name    string
		full    Full
		err     error
		handled []int
		dropped []int
		stats   QueueStats
	}{
		{"oldest", DropOldest, nil, []int{0, 2, 3, 4}, []int{1}, QueueStats{Accepted: 5, Handled: 4, DroppedOldest: 1}},
		{"newest", DropNewest, nil, []int{0, 1, 2, 3}, []int{4}, QueueStats{Accepted: 4, Handled: 4, DroppedNewest: 1}},
		{"refuse", Refuse, errs.Overloaded, []int{0, 1, 2, 3}, nil, QueueStats{Accepted: 4, Handled: 4, Refused: 1}},
		{"block", Block, context.DeadlineExceeded, []int{0, 1, 2, 3}, nil, QueueStats{Accepted: 4, Handled: 4, Refused: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q, r, dropped, release := gate(t, tt.full)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				err := q.Put(ctx, "k0", 4)
				if tt.err != nil {
					require.ErrorIs(t, err, tt.err)
				} else {
					require.NoError(t, err)
				}
				close(release)
				require.NoError(t, q.Drain(t.Context()))
				require.ElementsMatch(t, tt.handled, r.all)
				require.Equal(t, tt.dropped, *dropped)
				require.Equal(t, tt.stats, q.Stats())
				require.NoError(t, q.Close(time.Second))
			})
		})
	}
}

func TestQueueBlockLetsCallersInByArrival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, r, _, release := gate(t, Block)
		for i := 4; i < 8; i++ {
			go func() { _ = q.Put(context.Background(), "k0", i) }()
			synctest.Wait()
		}
		require.Equal(t, 4, q.Stats().Blocked)
		require.Equal(t, 3, q.Stats().Waiting, "the bound holds while callers wait")
		close(release)
		require.NoError(t, q.Drain(t.Context()))
		synctest.Wait()
		require.NoError(t, q.Drain(t.Context()))
		require.Equal(t, []int{0, 2, 4, 5, 6, 7}, r.byKey["k0"])
		require.NoError(t, q.Close(time.Second))
	})
}

// The item of a lane that was just handed to a worker may be dropped before
// the worker takes it.
func TestQueueDropsTheItemOfAScheduledLane(t *testing.T) {
	r := newRecorder()
	q := NewQueue(QueueConfig[string, int]{
		Name: "q", Clock: clock.System(), Capacity: 1, Workers: 2, Full: DropOldest,
		Handle: func(_ context.Context, key string, item int) error { r.begin(key, item); r.end(key); return nil },
	})
	const n = 20000
	for i := range n {
		require.NoError(t, q.Put(t.Context(), fmt.Sprint(i%3), i))
	}
	require.NoError(t, q.Drain(t.Context()))
	s := q.Stats()
	require.EqualValues(t, n, s.Handled+s.DroppedOldest)
	require.EqualValues(t, len(r.all), s.Handled)
	for key, items := range r.byKey {
		require.IsIncreasing(t, append([]int{-1}, items...), "key %s", key)
	}
	require.Empty(t, r.overlap)
	require.NoError(t, q.Close(time.Minute))
}

func TestQueueSurvivesFailingHandlers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := map[int]string{}
		q := NewQueue(QueueConfig[string, int]{
			Name: "q", Clock: clock.System(), Capacity: 10, Workers: 1,
			Handle: func(_ context.Context, _ string, item int) error {
				switch item {
				case 1:
					return errors.New("e")
				case 2:
					panic("p")
				case 3:
					runtime.Goexit()
				}
				return nil
			},
			Failed: func(_ string, item int, err error) { got[item] = err.Error(); panic("reporter") },
		})
		for i := range 5 {
			require.NoError(t, q.Put(t.Context(), fmt.Sprint(i%2), i))
		}
		require.NoError(t, q.Drain(t.Context()))
		require.Equal(t, map[int]string{1: "e", 2: "q: panic: p", 3: "q: goroutine ended by runtime.Goexit"}, got)
		require.Equal(t, QueueStats{Accepted: 5, Handled: 2, Failed: 3}, q.Stats())
		require.NoError(t, q.Close(time.Second))
	})
}

func TestQueueCloseIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, r, _, release := gate(t, Block)
		put := make(chan error, 1)
		go func() { put <- q.Put(context.Background(), "k0", 9) }()
		synctest.Wait()
		require.EqualError(t, q.Close(time.Second), "q: stuck after 1s")
		require.ErrorIs(t, <-put, errs.Closed, "blocked callers are let go")
		require.ErrorIs(t, q.Put(t.Context(), "k0", 9), errs.Closed)
		close(release)
		require.NoError(t, q.Close(time.Second))
		require.Equal(t, []int{0}, r.all, "what waited is abandoned")
		require.Equal(t, QueueStats{Accepted: 4, Handled: 1, Abandoned: 3, Refused: 1}, q.Stats())
	})
}

func TestQueueSteadyStateAllocatesNothing(t *testing.T) {
	done := make(chan struct{})
	q := NewQueue(QueueConfig[int, int]{
		Name: "q", Clock: clock.System(), Capacity: 8, Workers: 1,
		Handle: func(context.Context, int, int) error { done <- struct{}{}; return nil },
	})
	ctx := t.Context()
	for i := range 8 {
		require.NoError(t, q.Put(ctx, i, i))
		<-done
	}
	got := testing.AllocsPerRun(200, func() { _ = q.Put(ctx, 3, 3); <-done })
	require.LessOrEqual(t, got, 2.0, "a goroutine start and the handler's closure at most")
	require.NoError(t, q.Close(time.Minute))
}
