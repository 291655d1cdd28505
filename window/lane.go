package window

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// lane is the queue of one handler's windows, evaluated one at a time in order:
// by the workers of a pool, or without one by whoever calls drain first.
type lane[E any] struct {
	pool   *Pool // nil: drain evaluates
	policy Rejection
	fill   func(dst, src *E) // copies src into dst's memory
	run    func(*E) error    // evaluates; returns errors and panics alike
	failed func(error)       // told of errors of the pool's evaluations

	in E // what put is given, so that it need not be allocated

	mu      sync.Mutex
	idle    sync.Cond // nothing waits and nothing runs; few wait again; it is stuck
	ring    []E
	head, n int
	cur     E // being evaluated
	running bool
	queued  bool // the pool knows of it
	loiter  int  // calls that may take over from the one that drains
	popped  uint // windows taken out: shows that it goes on
	stuck   bool // the evaluation under way has kept a call for patience
	crowded atomic.Bool

	next   *lane[E]      // of a gate's lane: the pool's, to which run gives the windows
	gated  bool          // is next of a gate's lane: an evaluator may wait in put for itself
	waits  atomic.Uint32 // odd while put waits
	over   atomic.Bool   // put has lost patience, and since overAt nothing has moved
	overAt progress

	dropped atomic.Uint64
}

func newLane[E any](p *Pool, policy Rejection) *lane[E] {
	l := &lane[E]{pool: p, policy: policy, fill: func(dst, src *E) { *dst = *src }}
	l.idle.L = &l.mu
	return l
}

// before makes l the lane of a gate before a pool's lane, which may be nil.
func (l *lane[E]) before(next *lane[E]) {
	if l.next = next; next != nil {
		next.gated = true
	}
}

// verdict is what put did.
type verdict uint8

const (
	queued verdict = iota
	full           // the caller decides, by RejectError
	inline         // the caller shall evaluate, then call inlineDone
	gone           // dropped and counted
	shut           // the pool is closed
)

// put queues a copy of l.in, or says what its policy does instead.
func (l *lane[E]) put() verdict {
	e := &l.in
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pool == nil {
		l.push(e)
		return queued
	}
	if l.policy == KeepLatest {
		for l.n > 0 {
			l.dropHead()
		}
		l.pool.pending.Add(1)
		return l.admit(e)
	}
	for !l.pool.take() {
		switch l.policy {
		case RejectError:
			l.dropped.Add(1)
			return full
		case DropOldest:
			if l.n > 0 {
				l.dropHead()
				continue
			}
			fallthrough
		case DropNewest:
			l.dropped.Add(1)
			return gone
		case RejectWait:
			if l.isOver() {
				l.pool.pending.Add(1)
				return l.admit(e)
			}
			if !l.waitSpace() {
				return shut
			}
		case RunInline:
			if l.isOver() || !l.waitIdle() {
				l.pool.pending.Add(1)
				return l.admit(e)
			}
			l.running = true
			return inline
		}
	}
	return l.admit(e)
}

// progress tells how far a pool and one of its lanes have come.
type progress struct {
	pool uint64
	lane uint
}

func (l *lane[E]) progress() progress { return progress{l.pool.begun.Load(), l.popped} }

// standsStill reports whether the pool is full and since p was taken has begun no
// evaluation, or the lane's one goes on all the time. That one's evaluator may be who
// waits, whatever other handlers do.
func (l *lane[E]) standsStill(p progress) bool {
	return l.pool.pending.Load() >= l.pool.max &&
		(l.pool.begun.Load() == p.pool || l.running && l.popped == p.lane)
}

// lose notes that put has lost patience: until something moves, windows are taken
// beyond the pool's bound, so that none is lost, and room refuses rows.
func (l *lane[E]) lose(p progress) {
	l.overAt = p
	l.over.Store(true)
}

// isOver reports whether put has lost patience and nothing has moved since. The lock
// is held.
func (l *lane[E]) isOver() bool {
	if l.over.Load() && !l.standsStill(l.overAt) {
		l.over.Store(false)
	}
	return l.over.Load()
}

// waitSpace waits for room in the pool; behind a gate no longer than patience at a
// time. It reports false if the pool is closed. The lock is held before and after.
func (l *lane[E]) waitSpace() bool {
	var limit time.Duration
	var p progress
	if l.gated {
		limit, p = patience, l.progress()
	}
	l.waits.Add(1)
	l.mu.Unlock()
	open, late := l.pool.waitSpace(limit)
	l.mu.Lock()
	l.waits.Add(1)
	if late && l.standsStill(p) {
		l.lose(p)
	}
	return open
}

// waitIdle returns when nothing waits or runs; behind a gate it reports false if for
// patience nothing has moved. The lock is held before and after.
func (l *lane[E]) waitIdle() bool {
	if !l.gated {
		for l.n > 0 || l.running {
			l.idle.Wait()
		}
		return true
	}
	l.waits.Add(1)
	defer l.waits.Add(1)
	for l.n > 0 || l.running {
		p, late := l.progress(), false
		stop := realTime{}.AfterFunc(patience, func() {
			l.mu.Lock()
			late = true
			l.idle.Broadcast()
			l.mu.Unlock()
		})
		for !late && (l.n > 0 || l.running) {
			l.idle.Wait()
		}
		stop()
		if late && l.standsStill(p) {
			l.lose(p)
			return false
		}
	}
	return true
}

func (l *lane[E]) admit(e *E) verdict {
	if !l.queued && !l.running {
		if !l.pool.enqueue(l) {
			l.pool.release()
			l.dropped.Add(1)
			return shut
		}
		l.queued = true
	}
	l.push(e)
	return queued
}

func (l *lane[E]) push(e *E) {
	if l.n == len(l.ring) {
		l.grow()
	}
	l.fill(&l.ring[(l.head+l.n)&(len(l.ring)-1)], e)
	if l.n++; l.n == mostWaiting {
		l.crowded.Store(true)
	}
}

func (l *lane[E]) grow() {
	ring := make([]E, max(4, 2*len(l.ring)))
	for i := range l.n {
		ring[i] = l.ring[(l.head+i)&(len(l.ring)-1)]
	}
	l.ring, l.head = ring, 0
}

// pop moves the oldest window to cur and cur's memory into the ring.
func (l *lane[E]) pop() {
	l.cur, l.ring[l.head] = l.ring[l.head], l.cur
	l.head = (l.head + 1) & (len(l.ring) - 1)
	l.n--
	l.popped++
	l.stuck = false
	if l.n == mostWaiting-1 {
		l.crowded.Store(false)
		l.idle.Broadcast()
	}
}

func (l *lane[E]) dropHead() {
	l.head = (l.head + 1) & (len(l.ring) - 1)
	l.n--
	l.dropped.Add(1)
	l.pool.release()
}

// serve evaluates for a worker. After a while it lets other handlers go first.
func (l *lane[E]) serve() {
	l.mu.Lock()
	l.queued, l.running = false, true
	done := false
	defer func() {
		if !done { // an evaluator called runtime.Goexit
			l.mu.Lock()
		}
		l.running = false
		if l.n > 0 {
			l.queued = true
			l.pool.again(l)
		} else {
			l.idle.Broadcast()
		}
		l.mu.Unlock()
	}()
	for i := 0; i < 64 && l.n > 0; i++ {
		l.pop()
		l.pool.begun.Add(1)
		l.mu.Unlock()
		l.pool.release()
		if err := l.run(&l.cur); err != nil {
			l.failed(err)
		}
		l.mu.Lock()
	}
	done = true
}

// inlineDone ends an evaluation that put asked the caller to do.
func (l *lane[E]) inlineDone() {
	l.mu.Lock()
	l.running = false
	if l.n > 0 {
		l.queued = true
		l.pool.again(l)
	} else {
		l.idle.Broadcast()
	}
	l.mu.Unlock()
}

// crowd is how many windows may wait in a lane without pool before those who add to
// them hold back, and how many a call evaluates of others' while one of these can go on.
const crowd = 64

// mostWaiting is how many windows may wait in a lane without pool before calls that
// may add to them wait for room, and patience how long a single evaluation may keep
// them waiting: its evaluator may be the caller, or wait for it.
const (
	mostWaiting = 1024
	patience    = 5 * time.Second
)

// room returns when a lane without pool has room. It reports false if one evaluation
// goes on all the time; as long as it does, all later calls are told so at once.
// Where the lane only waits for a pool's, it is for that one to lose patience.
func (l *lane[E]) room() bool {
	if l.crowded.Load() && !l.waitRoom() {
		return false
	}
	if l.next == nil || !l.next.over.Load() {
		return true
	}
	l.next.mu.Lock()
	defer l.next.mu.Unlock()
	return !l.next.isOver()
}

func (l *lane[E]) waitRoom() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.running && l.n >= mostWaiting {
		seen, late := l.popped, false
		var waits uint32
		if l.next != nil {
			waits = l.next.waits.Load()
		}
		stop := realTime{}.AfterFunc(patience, func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			late = true
			if l.popped == seen && (l.next == nil || waits&1 == 0 && l.next.waits.Load() == waits) {
				l.stuck = true
			}
			l.idle.Broadcast()
		})
		for l.running && l.n >= mostWaiting && l.popped == seen && !l.stuck && !late {
			l.idle.Wait()
		}
		stop()
		if l.stuck {
			return false
		}
	}
	return true
}

// drain evaluates what waits in a lane without pool and returns the errors. If
// another call is at it, that one will find the windows.
func (l *lane[E]) drain() (err error) {
	l.mu.Lock()
	if l.running && !l.holdBack() {
		l.mu.Unlock()
		return nil
	}
	l.running = true
	done := false
	defer func() {
		if !done {
			l.mu.Lock()
		}
		l.running = false
		l.idle.Broadcast()
		l.mu.Unlock()
	}()
	for n := 0; l.n > 0 && (n < crowd || l.loiter == 0); n++ {
		l.pop()
		l.mu.Unlock()
		err = join(err, l.run(&l.cur))
		l.mu.Lock()
	}
	done = true
	return err
}

// holdBack lets the call that evaluates catch up where many windows wait, so that
// goroutines that collect faster than one can evaluate neither fill the memory nor
// keep that one for ever. It reports whether the caller is to go on in its place. It
// does not wait for a single evaluation, whose evaluator may be the caller. The lock
// is held before and after.
func (l *lane[E]) holdBack() bool {
	l.loiter++
	for n, seen := 0, l.popped; n < crowd && l.running && l.n >= crowd; n++ {
		l.mu.Unlock()
		runtime.Gosched()
		l.mu.Lock()
		if l.popped != seen {
			n, seen = 0, l.popped
		}
	}
	l.loiter--
	return !l.running && l.n > 0
}

// wait returns when nothing waits or runs, or with the context's error.
func (l *lane[E]) wait(ctx context.Context) error {
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, func() {
			l.mu.Lock()
			l.idle.Broadcast()
			l.mu.Unlock()
		})
		defer stop()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.running || l.n > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		l.idle.Wait()
	}
	return nil
}

// busy reports whether something waits or runs.
func (l *lane[E]) busy() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.running || l.n > 0
}
