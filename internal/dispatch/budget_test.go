package dispatch

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/internal/errs"
)

func TestBudgetedResults(t *testing.T) {
	boom := errors.New("boom")
	tests := []struct {
		name string
		f    func(context.Context) error
		want string
	}{
		{"nil", func(context.Context) error { return nil }, ""},
		{"error", func(context.Context) error { return boom }, "boom"},
		{"panic", func(context.Context) error { panic("p") }, "tr: panic: p"},
		{"goexit", func(context.Context) error { runtime.Goexit(); return nil }, "tr: goroutine ended by runtime.Goexit"},
		{"in time", func(context.Context) error { time.Sleep(time.Second - 1); return nil }, ""},
		{"over", func(context.Context) error { time.Sleep(time.Second + 1); return nil }, "tr: stuck after 1s"},
		{"obeys", func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) }, "tr: stuck after 1s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := NewBudgeted(clock.System(), 1)
				err := b.Run(t.Context(), "tr", time.Second, tt.f)
				if tt.want == "" {
					require.NoError(t, err)
				} else {
					require.EqualError(t, err, tt.want)
				}
				require.NoError(t, b.Close(time.Minute))
			})
		})
	}
}

func TestBudgetedForgetsALateResultAndNamesWhoIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudgeted(clock.System(), 2)
		release := make(chan struct{})
		hang := func(context.Context) error { <-release; return errors.New("late") }
		var stuck *StuckError
		require.ErrorAs(t, b.Run(t.Context(), "slow", time.Second, hang), &stuck)
		require.Equal(t, StuckError{Name: "slow", After: time.Second}, *stuck)
		time.Sleep(time.Second)
		require.ErrorAs(t, b.Run(t.Context(), "slower", time.Second, hang), &stuck)
		require.Equal(t, []Stuck{{"slow", 3 * time.Second}, {"slower", time.Second}}, b.Stuck())

		err := b.Run(t.Context(), "third", time.Second, func(context.Context) error { return nil })
		require.ErrorIs(t, err, errs.Overloaded, "stuck calls keep their place")

		require.EqualError(t, b.Close(time.Second), "slow, slower: stuck after 1s")
		close(release)
		require.NoError(t, b.Close(time.Second))
		require.Empty(t, b.Stuck())
		err = b.Run(t.Context(), "after", time.Second, func(context.Context) error { return nil })
		require.ErrorIs(t, err, errs.Closed)
	})
}

func TestBudgetedTellsTheCallOfItsCallersContextButWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudgeted(clock.System(), 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		err := b.Run(ctx, "tr", time.Minute, func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(2 * time.Second) // cleaning up
			return ctx.Err()
		})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 3*time.Second, time.Since(start))
	})
}
