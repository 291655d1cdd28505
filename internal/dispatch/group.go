package dispatch

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/tickwell/tickwell/internal/clock"
)

// A StuckError says that code did not return within the time it was given.
type StuckError struct {
	Name  string // who; several names are joined with ", "
	After time.Duration
}

// Error names who is stuck and for how long it was waited.
func (e *StuckError) Error() string {
	return fmt.Sprintf("%s: stuck after %v", e.Name, e.After)
}

// A Group owns goroutines: they get its context, which Close cancels, and
// Close waits for them, but not for ever.
type Group struct {
	clk    clock.Clock
	failed func(name string, err error)
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex
	closed  bool
	running map[string]int // goroutines by name
	n       int
	idle    chan struct{} // closed when n falls to 0 after Close; nil before
}

// NewGroup returns an empty group. failed, when not nil, is told of every
// goroutine that ended with an error, a panic or runtime.Goexit; it runs on
// that goroutine.
func NewGroup(clk clock.Clock, failed func(name string, err error)) *Group {
	ctx, cancel := context.WithCancel(context.Background())
	return &Group{clk: clk, failed: failed, ctx: ctx, cancel: cancel, running: make(map[string]int)}
}

// Context is the one the group's goroutines get.
func (g *Group) Context() context.Context { return g.ctx }

// Go starts f under name and reports whether it did: not after Close.
func (g *Group) Go(name string, f func(ctx context.Context) error) bool {
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		return false
	}
	g.running[name]++
	g.n++
	g.mu.Unlock()
	go guard(name, func() error { return f(g.ctx) }, func(err error) { g.ended(name, err) })
	return true
}

// Rename tells that a goroutine that was started as one name now works for
// another: Close and Running name that one. Before it ends it has to take its
// first name again.
func (g *Group) Rename(from, to string) {
	if from == to {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forget(from)
	g.running[to]++
}

// forget takes one goroutine off a name. The lock is held.
func (g *Group) forget(name string) {
	if g.running[name]--; g.running[name] == 0 {
		delete(g.running, name)
	}
}

func (g *Group) ended(name string, err error) {
	if err != nil && g.failed != nil {
		// A panicking reporter must not take the host down either.
		_ = Call(name, func() error { g.failed(name, err); return nil })
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forget(name)
	if g.n--; g.n == 0 && g.idle != nil {
		close(g.idle)
	}
}

// Running returns the sorted names of the goroutines that have not ended.
func (g *Group) Running() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return sortedKeys(g.running)
}

// Close cancels the group's context and waits until all goroutines have ended,
// at most limit of the clock's time; then it returns a [*StuckError] that
// names the rest. It may be called again to go on waiting.
func (g *Group) Close(limit time.Duration) error {
	g.cancel()
	g.mu.Lock()
	g.closed = true
	if g.idle == nil {
		g.idle = make(chan struct{})
		if g.n == 0 {
			close(g.idle)
		}
	}
	idle := g.idle
	g.mu.Unlock()
	if waitFor(g.clk, idle, limit) {
		return nil
	}
	return &StuckError{Name: strings.Join(g.Running(), ", "), After: limit}
}

// waitFor reports whether done was closed within limit.
func waitFor(clk clock.Clock, done <-chan struct{}, limit time.Duration) bool {
	select {
	case <-done:
		return true
	default:
	}
	expired := make(chan struct{})
	stop := clk.AfterFunc(limit, func() { close(expired) })
	defer stop()
	select {
	case <-done:
		return true
	case <-expired:
	}
	select { // both at once: done wins
	case <-done:
		return true
	default:
		return false
	}
}

func sortedKeys[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
