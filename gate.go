package tickwell

import (
	"context"
	"sync"
)

// gate counts who is inside, until it is closed; whoever closed it can wait for
// the last to leave. The zero gate is open.
type gate struct {
	mu     sync.Mutex
	n      int
	came   int // since somebody left
	closed bool
	idle   chan struct{} // made by who waits, closed by the last to leave
}

func (g *gate) enter() bool { return g.count() > 0 }

// count is enter, and tells how many are inside then; 0: it is closed.
func (g *gate) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return 0
	}
	g.n++
	g.came++
	return g.n
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.n--
	g.came = 0
	if g.n == 0 && g.idle != nil {
		close(g.idle)
		g.idle = nil
	}
}

// crowded reports whether more than most have come in and nobody has left.
func (g *gate) crowded(most int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.came > most
}

// close lets nobody in any more.
func (g *gate) close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
}

// open lets in again.
func (g *gate) open() {
	g.mu.Lock()
	g.closed = false
	g.mu.Unlock()
}

// idleWait returns when nobody is inside.
func (g *gate) idleWait(ctx context.Context) error {
	g.mu.Lock()
	if g.n == 0 {
		g.mu.Unlock()
		return nil
	}
	if g.idle == nil {
		g.idle = make(chan struct{})
	}
	idle := g.idle
	g.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
