package window

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Pool evaluates windows in a bounded number of goroutines that belong to it.
// Windows of one handler are evaluated in order, one at a time; handlers side by
// side. It may serve any number of handlers, of any type.
type Pool struct {
	max     int64
	pending atomic.Int64  // windows that wait, over all handlers
	begun   atomic.Uint64 // evaluations: shows that it goes on

	mu      sync.Mutex
	work    sync.Cond // workers wait for ready
	space   sync.Cond // callers wait for room
	ready   []server  // handlers with waiting windows, each once
	closed  bool
	workers sync.WaitGroup
}

type server interface{ serve() }

// PoolOptions are the documents' two parameters.
type PoolOptions struct {
	// Workers is concurrent_window_evaluation_thread; 0 means GOMAXPROCS, and
	// more than 4096 means that.
	Workers int
	// MaxPending is max_pending_window_evaluation_tasks: how many windows may
	// wait, those being evaluated not counted. 0 means 64.
	MaxPending int
}

// mostWorkers bounds the goroutines of a pool, which are started at once.
const mostWorkers = 4096

// NewPool starts a pool. Close ends its goroutines.
func NewPool(o PoolOptions) *Pool {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.MaxPending <= 0 {
		o.MaxPending = 64
	}
	p := &Pool{max: int64(o.MaxPending)}
	p.work.L, p.space.L = &p.mu, &p.mu
	for range min(o.Workers, mostWorkers) {
		p.workers.Go(p.loop)
	}
	return p
}

// Pending is the number of windows that wait for a worker.
func (p *Pool) Pending() int { return int(p.pending.Load()) }

// Close evaluates what waits and ends the workers. Windows that come later are
// refused with ErrClosed. It must not be called from an evaluator.
func (p *Pool) Close() error {
	p.mu.Lock()
	p.closed = true
	p.work.Broadcast()
	p.space.Broadcast()
	p.mu.Unlock()
	p.workers.Wait()
	return nil
}

func (p *Pool) loop() {
	for {
		s := p.next()
		if s == nil {
			return
		}
		p.guarded(s)
	}
}

// guarded replaces a worker whose evaluator called runtime.Goexit.
func (p *Pool) guarded(s server) {
	done := false
	defer func() {
		if !done {
			p.workers.Go(p.loop)
		}
	}()
	s.serve()
	done = true
}

func (p *Pool) next() server {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.ready) == 0 {
		if p.closed {
			return nil
		}
		p.work.Wait()
	}
	s := p.ready[0]
	n := copy(p.ready, p.ready[1:])
	p.ready[n] = nil
	p.ready = p.ready[:n]
	return s
}

// enqueue makes a handler known that has windows waiting. It reports false when
// the pool is closed.
func (p *Pool) enqueue(s server) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.ready = append(p.ready, s)
	p.work.Signal()
	return true
}

// again is enqueue for a handler already taken: Close waits for it.
func (p *Pool) again(s server) {
	p.mu.Lock()
	p.ready = append(p.ready, s)
	p.work.Signal()
	p.mu.Unlock()
}

// take claims room for one waiting window.
func (p *Pool) take() bool {
	for {
		n := p.pending.Load()
		if n >= p.max {
			return false
		}
		if p.pending.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// release gives room back. Callers that wait are woken when half of the room is
// free again, so that they and the workers do not wake each other by turns.
func (p *Pool) release() {
	if p.pending.Add(-1) == p.max/2 {
		p.mu.Lock()
		p.space.Broadcast()
		p.mu.Unlock()
	}
}

// waitSpace returns when there is room, or with open false when the pool is closed.
// Unless limit is 0 it returns after that in any case, late.
func (p *Pool) waitSpace(limit time.Duration) (open, late bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var over *bool
	if limit > 0 {
		over = new(bool)
		stop := realTime{}.AfterFunc(limit, func() {
			p.mu.Lock()
			*over = true
			p.space.Broadcast()
			p.mu.Unlock()
		})
		defer stop()
	}
	for p.pending.Load() > p.max/2 && !p.closed {
		if over != nil && *over {
			return true, true
		}
		p.space.Wait()
	}
	return !p.closed, false
}
