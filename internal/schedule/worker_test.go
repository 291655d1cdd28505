package schedule

import (
	"bytes"
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/dispatch"
)

// goroutine is the line that names the caller's.
func goroutine() string {
	b := make([]byte, 64)
	line, _, _ := bytes.Cut(b[:runtime.Stack(b, false)], []byte(" ["))
	return string(line)
}

// What is due together is done by as many goroutines as may run, one run after
// the other.
func TestSchedulerWorkerGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 1)
		var order []string
		on := map[string]bool{}
		for _, name := range []string{"c", "a", "b"} {
			require.NoError(t, b.s.Add(Task{Name: name, Plan: mustPlan(t, Spec{Every: 10 * s}), Do: func(context.Context, Run) error {
				b.mu.Lock()
				defer b.mu.Unlock()
				order = append(order, name)
				on[goroutine()] = true
				require.Equal(t, []string{name}, b.s.group.Running())
				return nil
			}}))
		}
		time.Sleep(5 * s)
		require.NoError(t, b.s.WaitIdle(context.Background()))
		b.mu.Lock()
		order, on = nil, map[string]bool{}
		b.mu.Unlock()
		time.Sleep(10 * s)
		require.NoError(t, b.s.WaitIdle(context.Background()))
		synctest.Wait()
		require.Equal(t, []string{"a", "b", "c"}, order)
		require.Len(t, on, 1)
		require.Empty(t, b.s.group.Running())
	})
}

// A run that takes its goroutine away leaves the others to another one.
func TestSchedulerWorkerIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 1)
		var order []string
		for _, name := range []string{"a", "b", "c"} {
			require.NoError(t, b.s.Add(Task{Name: name, Period: 10 * s, Do: func(context.Context, Run) error {
				b.mu.Lock()
				order = append(order, name)
				b.mu.Unlock()
				switch name {
				case "a":
					runtime.Goexit()
				case "b":
					panic("b")
				}
				return nil
			}}))
		}
		time.Sleep(15 * s)
		require.NoError(t, b.s.WaitIdle(context.Background()))
		require.Equal(t, []string{"a", "b", "c"}, order)
		var failures []int64
		for _, task := range b.s.Tasks() {
			failures = append(failures, task.Failures)
		}
		require.Equal(t, []int64{1, 1, 0}, failures)
		synctest.Wait()
		require.Empty(t, b.s.group.Running())
	})
}

// Close names the task that a goroutine is stuck in, not the one it began with.
func TestSchedulerNamesWhatAWorkerGoesOnWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 1)
		release := make(chan struct{})
		for _, name := range []string{"a", "b"} {
			require.NoError(t, b.s.Add(Task{Name: name, Period: 10 * s, Do: func(context.Context, Run) error {
				if name == "b" {
					<-release
				}
				return nil
			}}))
		}
		time.Sleep(15 * s)
		var stuck *dispatch.StuckError
		require.ErrorAs(t, b.s.Close(s), &stuck)
		require.Equal(t, "b", stuck.Name)
		close(release)
	})
}
