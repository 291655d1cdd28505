package dispatch

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/clock"
)

func TestGroupCloseCancelsAndWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGroup(clock.System(), nil)
		ended := false
		require.True(t, g.Go("a", func(ctx context.Context) error {
			<-ctx.Done()
			ended = true
			return nil
		}))
		synctest.Wait()
		require.Equal(t, []string{"a"}, g.Running())
		require.NoError(t, g.Close(time.Second))
		require.True(t, ended)
		require.Empty(t, g.Running())
		require.False(t, g.Go("late", func(context.Context) error { return nil }))
		require.NoError(t, g.Close(time.Second), "closing twice is fine")
	})
}

func TestGroupCloseIsBoundedAndNamesTheStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGroup(clock.System(), nil)
		release := make(chan struct{})
		for _, name := range []string{"b", "a", "b"} {
			g.Go(name, func(context.Context) error { <-release; return nil })
		}
		start := time.Now()
		err := g.Close(3 * time.Second)
		require.Equal(t, 3*time.Second, time.Since(start))
		var stuck *StuckError
		require.ErrorAs(t, err, &stuck)
		require.Equal(t, StuckError{Name: "a, b", After: 3 * time.Second}, *stuck)
		close(release)
		require.NoError(t, g.Close(time.Second), "the second Close goes on waiting")
	})
}

func TestGroupReportsEveryWayToFail(t *testing.T) {
	boom := errors.New("boom")
	tests := []struct {
		name string
		f    func() error
		want string
	}{
		{"fine", func() error { return nil }, ""},
		{"error", func() error { return boom }, "boom"},
		{"panic", func() error { panic("p") }, "panic: panic: p"},
		{"goexit", func() error { runtime.Goexit(); return nil }, "goexit: goroutine ended by runtime.Goexit"},
	}
	var mu sync.Mutex
	got := map[string]string{}
	g := NewGroup(clock.System(), func(name string, err error) {
		mu.Lock()
		defer mu.Unlock()
		got[name] = err.Error()
		panic("the reporter panics too")
	})
	want := map[string]string{}
	for _, tt := range tests {
		if tt.want != "" {
			want[tt.name] = tt.want
		}
		g.Go(tt.name, func(context.Context) error { return tt.f() })
	}
	require.NoError(t, g.Close(time.Minute))
	require.Equal(t, want, got)
}

func TestGroupRename(t *testing.T) {
	g := NewGroup(clock.System(), nil)
	names := make(chan []string)
	require.True(t, g.Go("a", func(context.Context) error {
		g.Rename("a", "a")
		names <- g.Running()
		g.Rename("a", "b")
		names <- g.Running()
		g.Rename("b", "a")
		return nil
	}))
	require.Equal(t, []string{"a"}, <-names)
	require.Equal(t, []string{"b"}, <-names)
	require.NoError(t, g.Close(time.Minute))
	require.Empty(t, g.Running())
}
