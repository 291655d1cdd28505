package tickwell

import (
	"context"
	"sync"
	"sync/atomic"
)

// epoch counts the records on their way into the log. Unlike a [gate] it costs
// an insert two atomic additions and no lock.
type epoch struct {
	n      atomic.Int64
	closed atomic.Bool
	once   sync.Once
	idle   chan struct{} // closed when it is closed and empty
}

func newEpoch() *epoch { return &epoch{idle: make(chan struct{})} }

// enter reports whether the epoch is still open; then leave must follow.
func (e *epoch) enter() bool {
	e.n.Add(1)
	if e.closed.Load() {
		e.leave()
		return false
	}
	return true
}

func (e *epoch) leave() {
	if e.n.Add(-1) == 0 && e.closed.Load() {
		e.once.Do(func() { close(e.idle) })
	}
}

// wait closes the epoch and returns when nobody is in it.
func (e *epoch) wait(ctx context.Context) error {
	e.closed.Store(true)
	if e.n.Load() == 0 {
		e.once.Do(func() { close(e.idle) })
	}
	select {
	case <-e.idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
