package dispatch

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTicketIsFirstInFirstOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tk Ticket
		require.NoError(t, tk.Lock(t.Context()))
		var order []int
		for i := range 5 {
			go func() {
				if tk.Lock(context.Background()) == nil {
					order = append(order, i)
					tk.Unlock()
				}
			}()
			synctest.Wait() // durably blocked: the wait is a channel wait
			require.Equal(t, i+1, tk.Waiting())
		}
		tk.Unlock()
		synctest.Wait()
		require.Equal(t, []int{0, 1, 2, 3, 4}, order)
	})
}

func TestTicketLeavesWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tk Ticket
		require.NoError(t, tk.Lock(t.Context()))
		gone := errors.New("gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		got := make(chan error, 1)
		go func() { got <- tk.Lock(ctx) }()
		synctest.Wait()
		next := make(chan error, 1)
		go func() { next <- tk.Lock(context.Background()) }()
		synctest.Wait()
		cancel(gone)
		require.ErrorIs(t, <-got, gone)
		require.Equal(t, 1, tk.Waiting())
		tk.Unlock()
		require.NoError(t, <-next, "the waiter behind the one that left gets the lock")
		tk.Unlock()
		require.ErrorIs(t, tk.Lock(ctx), gone, "an ended context never gets a free lock")
		require.NoError(t, tk.Lock(t.Context()))
	})
}

// Grants that race with cancellations must never be lost or doubled.
func TestTicketGrantsSurviveCancellation(t *testing.T) {
	var tk Ticket
	var inside, entered int
	var wg sync.WaitGroup
	for g := range 8 {
		rng := rand.New(rand.NewPCG(1, uint64(g)))
		wg.Go(func() {
			for range 500 {
				ctx, cancel := context.WithCancel(context.Background())
				if rng.IntN(2) == 0 {
					go cancel()
				}
				if tk.Lock(ctx) == nil {
					inside++
					if inside != 1 {
						t.Errorf("%d holders at once", inside)
					}
					entered++
					inside--
					tk.Unlock()
				}
				cancel()
			}
		})
	}
	wg.Wait()
	require.Positive(t, entered)
	require.NoError(t, tk.Lock(t.Context()), "the lock is free at the end")
	require.Zero(t, tk.Waiting())
}

func TestTicketUnlockOfUnlockedPanics(t *testing.T) {
	var tk Ticket
	require.Panics(t, tk.Unlock)
}

func TestTicketFreeLockAllocatesNothing(t *testing.T) {
	var tk Ticket
	ctx := context.Background()
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if tk.Lock(ctx) != nil {
			t.Error("not locked")
		}
		tk.Unlock()
	}))
}

func TestTicketWaitIsSeenBySynctest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tk Ticket
		require.NoError(t, tk.Lock(t.Context()))
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		require.ErrorIs(t, tk.Lock(ctx), context.DeadlineExceeded, "bubble time passes while we wait")
	})
}

// A waiter whose context ends in the moment of its grant either has the lock
// or passes it on.
func TestTicketGrantAndCancelTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tk Ticket
		kept := 0
		for range 100 {
			require.NoError(t, tk.Lock(t.Context()))
			ctx, cancel := context.WithCancel(t.Context())
			got := make(chan error, 1)
			go func() { got <- tk.Lock(ctx) }()
			synctest.Wait()
			cancel() // wakes the waiter, which finds that it was granted the lock
			tk.Unlock()
			if <-got == nil {
				kept++
				tk.Unlock()
			}
			free, stop := context.WithTimeout(t.Context(), time.Second)
			require.NoError(t, tk.Lock(free), "the lock was lost")
			stop()
			tk.Unlock()
		}
		require.Less(t, kept, 100, "some waiters left")
	})
}
