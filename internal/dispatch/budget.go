package dispatch

import (
	"context"
	"fmt"
	"runtime"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/internal/errs"
)

// Budgeted runs calls that may take only so long. A call over its budget is
// left behind: its caller gets a [*StuckError] and goes on, its goroutine stays
// until the call returns, and whatever it returns then is ignored.
//
// Code left behind still runs, so it must have been given private copies.
type Budgeted struct {
	clk clock.Clock
	max int

	mu     sync.Mutex
	closed bool
	calls  map[*call]struct{} // running, within budget or stuck
	idle   chan struct{}      // closed when calls empties after Close
}

// yields is how often Run yields before it parks.
const yields = 30

type call struct {
	name  string
	since time.Duration // clk.Mono at the start
	stuck bool
}

// Stuck is one call that is over its budget and has not returned.
type Stuck struct {
	Name string
	For  time.Duration // since it began
}

// NewBudgeted returns an executor for at most max calls at a time, stuck ones
// included; it starts goroutines only as calls come.
func NewBudgeted(clk clock.Clock, max int) *Budgeted {
	return &Budgeted{clk: clk, max: max, calls: make(map[*call]struct{})}
}

// Run calls f on its own goroutine and waits for it, at most budget. The
// context f gets ends at expiry. Run does not return early when ctx ends: f is
// told through its context, and Run waits for it, so that a caller who
// serialises calls never has two at once unless the first is stuck.
//
// It returns f's error, a [*PanicError], a [*GoexitError], a [*StuckError], or
// an error that wraps errs.Overloaded when max calls are running.
func (b *Budgeted) Run(ctx context.Context, name string, budget time.Duration, f func(context.Context) error) error {
	c := &call{name: name, since: b.clk.Mono()}
	if err := b.begin(c); err != nil {
		return err
	}
	fctx, cancel := context.WithCancelCause(ctx)
	result := make(chan error, 1)
	expired := make(chan struct{})
	stop := b.clk.AfterFunc(budget, func() { close(expired) })
	go guard(name, func() error { return f(fctx) }, func(err error) {
		b.end(c)
		result <- err
	})
	// Most calls return soon: to yield is cheaper than to be parked and woken.
	for i := 0; i < yields && len(result) == 0; i++ {
		runtime.Gosched()
	}
	select {
	case err := <-result:
		stop()
		cancel(nil)
		return err
	case <-expired:
	}
	stuck := &StuckError{Name: name, After: budget}
	if !b.abandon(c) { // it returned at the very end of its time
		cancel(nil)
		return <-result
	}
	cancel(stuck)
	return stuck
}

func (b *Budgeted) begin(c *call) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return fmt.Errorf("run %s: %w", c.name, errs.Closed)
	}
	if len(b.calls) >= b.max {
		return fmt.Errorf("run %s: %d calls are running: %w", c.name, len(b.calls), errs.Overloaded)
	}
	b.calls[c] = struct{}{}
	return nil
}

func (b *Budgeted) end(c *call) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.calls, c)
	if len(b.calls) == 0 && b.idle != nil {
		close(b.idle)
	}
}

// abandon marks c stuck, unless it has ended.
func (b *Budgeted) abandon(c *call) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, running := b.calls[c]
	c.stuck = running
	return running
}

// Stuck lists the calls over their budget, by name and then oldest first.
func (b *Budgeted) Stuck() []Stuck {
	now := b.clk.Mono()
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []Stuck
	for c := range b.calls {
		if c.stuck {
			out = append(out, Stuck{Name: c.name, For: now - c.since})
		}
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].Name != out[j].Name {
			return out[i].Name < out[j].Name
		}
		return out[i].For > out[j].For
	})
	return out
}

// Close refuses new calls and waits for the running ones, at most limit; then
// it returns a [*StuckError] that names them.
func (b *Budgeted) Close(limit time.Duration) error {
	b.mu.Lock()
	b.closed = true
	if b.idle == nil {
		b.idle = make(chan struct{})
		if len(b.calls) == 0 {
			close(b.idle)
		}
	}
	idle := b.idle
	b.mu.Unlock()
	if waitFor(b.clk, idle, limit) {
		return nil
	}
	return &StuckError{Name: strings.Join(b.names(), ", "), After: limit}
}

func (b *Budgeted) names() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	seen := make(map[string]struct{})
	for c := range b.calls {
		seen[c.name] = struct{}{}
	}
	return sortedKeys(seen)
}
