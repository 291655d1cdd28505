package dispatch

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/internal/errs"
)

// Full says what Put does when a queue is at its capacity.
type Full uint8

// What Put does at the capacity.
const (
	Block      Full = iota // wait for room, in the order of arrival, until the context ends
	DropOldest             // discard the longest waiting item and take the new one
	DropNewest             // discard the new one
	Refuse                 // return an error that wraps errs.Overloaded
)

// QueueConfig describes a [Queue].
type QueueConfig[K comparable, T any] struct {
	Name     string // in errors
	Clock    clock.Clock
	Capacity int // items that may wait, over all keys; at least 1
	Workers  int // handlers running at a time, over all keys; at least 1
	Full     Full

	// Handle takes one item. Items of a key are handled one after the other in
	// the order of Put; the context ends with Close.
	Handle func(ctx context.Context, key K, item T) error
	// Failed, if set, is told of a Handle that returned an error or panicked.
	Failed func(key K, item T, err error)
	// Dropped, if set, is told of items discarded by DropOldest and DropNewest.
	Dropped func(key K, item T)
}

// QueueStats counts what happened to the items of a [Queue] since it was made:
// Accepted = Waiting + Running + Handled + Failed + DroppedOldest + Abandoned.
type QueueStats struct {
	Accepted      int64 // taken by Put
	Handled       int64 // handled without error
	Failed        int64 // handled with error or panic
	DroppedOldest int64 // taken, then discarded for a newer item
	DroppedNewest int64 // never taken, Put returned nil
	Refused       int64 // never taken, Put returned an error
	Abandoned     int64 // taken, still waiting at Close
	Waiting       int
	Running       int
	Blocked       int // callers waiting in Put
}

// A Queue hands items to a handler on a bounded number of goroutines, which
// exist only while there is work, in order for each key. It is safe for
// concurrent use; no lock is held while user code runs.
type Queue[K comparable, T any] struct {
	cfg    QueueConfig[K, T]
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex
	closed  bool
	lanes   map[K]*lane[K, T]
	ready   laneList[K, T] // lanes with items and no handler, oldest readiness first
	oldest  *node[K, T]    // waiting items over all keys in the order of Put
	newest  *node[K, T]
	free    *node[K, T] // recycled nodes, linked by next
	spare   []*lane[K, T]
	blocked waiters
	stats   QueueStats
	quiet   []chan struct{} // closed when nothing waits or runs
}

type node[K comparable, T any] struct {
	item       T
	lane       *lane[K, T]
	prev, next *node[K, T] // over all keys
	later      *node[K, T] // within the key
}

type lane[K comparable, T any] struct {
	key         K
	first, last *node[K, T]
	running     bool
	listed      bool // in ready
	prev, next  *lane[K, T]
}

// NewQueue returns an empty queue.
func NewQueue[K comparable, T any](cfg QueueConfig[K, T]) *Queue[K, T] {
	cfg.Capacity = max(cfg.Capacity, 1)
	cfg.Workers = max(cfg.Workers, 1)
	ctx, cancel := context.WithCancel(context.Background())
	return &Queue[K, T]{cfg: cfg, ctx: ctx, cancel: cancel, lanes: make(map[K]*lane[K, T])}
}

// Put appends item to its key's lane. What it does when the queue is full is
// the configured policy's choice; only Block ever waits. After Close it
// returns an error that wraps errs.Closed.
func (q *Queue[K, T]) Put(ctx context.Context, key K, item T) error {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return q.closedError()
	}
	if q.stats.Waiting >= q.cfg.Capacity {
		switch q.cfg.Full {
		case Block:
			w := q.blocked.push()
			w.admit = func() { q.put(key, item) }
			q.mu.Unlock()
			return q.await(ctx, w)
		case DropOldest:
			k, old := q.dropOldest()
			q.put(key, item)
			q.mu.Unlock()
			q.dropped(k, old)
			return nil
		case DropNewest:
			q.stats.DroppedNewest++
			q.mu.Unlock()
			q.dropped(key, item)
			return nil
		default:
			q.stats.Refused++
			q.mu.Unlock()
			return fmt.Errorf("queue %s: %d items waiting: %w", q.cfg.Name, q.cfg.Capacity, errs.Overloaded)
		}
	}
	q.put(key, item)
	q.mu.Unlock()
	return nil
}

func (q *Queue[K, T]) closedError() error {
	return fmt.Errorf("queue %s: %w", q.cfg.Name, errs.Closed)
}

func (q *Queue[K, T]) dropped(key K, item T) {
	if q.cfg.Dropped != nil {
		_ = Call(q.cfg.Name, func() error { q.cfg.Dropped(key, item); return nil })
	}
}

// await waits until w's item is admitted. Whoever makes room admits it, so
// that blocked callers get in by arrival and not by who wakes up first.
func (q *Queue[K, T]) await(ctx context.Context, w *waiter) error {
	select {
	case <-w.granted:
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.blocked.remove(w) { // not admitted: ctx ended
		q.stats.Refused++
		return fmt.Errorf("queue %s: %w", q.cfg.Name, context.Cause(ctx))
	}
	if w.refused {
		q.stats.Refused++
		return q.closedError()
	}
	return nil
}

// put links the item in and starts a worker when one may run it.
func (q *Queue[K, T]) put(key K, item T) {
	l := q.lanes[key]
	if l == nil {
		l = q.newLane(key)
	}
	n := q.newNode()
	n.item, n.lane = item, l
	if n.prev = q.newest; n.prev == nil {
		q.oldest = n
	} else {
		n.prev.next = n
	}
	q.newest = n
	if l.last == nil {
		l.first = n
	} else {
		l.last.later = n
	}
	l.last = n
	q.stats.Accepted++
	q.stats.Waiting++
	if !l.running && !l.listed {
		q.ready.push(l)
	}
	if q.ready.first != nil && q.stats.Running < q.cfg.Workers {
		q.stats.Running++
		go q.work(q.next())
	}
}

// take unlinks a waiting node, which must be the first of its lane, and
// returns its item.
func (q *Queue[K, T]) take(n *node[K, T]) T {
	l := n.lane
	if l.first = n.later; l.first == nil {
		l.last = nil
	}
	if n.prev == nil {
		q.oldest = n.next
	} else {
		n.prev.next = n.next
	}
	if n.next == nil {
		q.newest = n.prev
	} else {
		n.next.prev = n.prev
	}
	item := n.item
	*n = node[K, T]{next: q.free}
	q.free = n
	q.stats.Waiting--
	return item
}

// dropOldest discards the oldest waiting item. Items of one key wait in the
// order of Put, so the oldest of all is the first of its lane.
func (q *Queue[K, T]) dropOldest() (K, T) {
	l := q.oldest.lane
	item := q.take(q.oldest)
	q.stats.DroppedOldest++
	key := l.key
	if l.first == nil && !l.running {
		q.ready.remove(l)
		q.dropLane(l)
	}
	return key, item
}

// next marks the first ready lane as running.
func (q *Queue[K, T]) next() *lane[K, T] {
	l := q.ready.first
	q.ready.remove(l)
	l.running = true
	return l
}

// work handles ready lanes, one item at a time, until none is left.
func (q *Queue[K, T]) work(l *lane[K, T]) {
	for l != nil {
		q.mu.Lock()
		if q.closed { // Close has abandoned what waited
			q.finish(l)
			q.mu.Unlock()
			return
		}
		if l.first == nil { // its only item was dropped for a newer one
			l = q.finish(l)
			q.mu.Unlock()
			continue
		}
		key, item := l.key, q.take(l.first)
		q.unblock()
		q.mu.Unlock()
		if !q.handle(key, item, l) {
			return
		}
		q.mu.Lock()
		l = q.finish(l)
		q.mu.Unlock()
	}
}

// handle calls the handler. When that leaves by runtime.Goexit the deferred
// call below ends the worker's part, and a fresh one takes over.
func (q *Queue[K, T]) handle(key K, item T, l *lane[K, T]) (ok bool) {
	defer func() {
		if ok {
			return
		}
		q.count(key, item, &GoexitError{Name: q.cfg.Name})
		q.mu.Lock()
		if l := q.finish(l); l != nil {
			go q.work(l)
		}
		q.mu.Unlock()
	}()
	err := Call(q.cfg.Name, func() error { return q.cfg.Handle(q.ctx, key, item) })
	q.count(key, item, err)
	return true
}

func (q *Queue[K, T]) count(key K, item T, err error) {
	if err != nil && q.cfg.Failed != nil {
		_ = Call(q.cfg.Name, func() error { q.cfg.Failed(key, item, err); return nil })
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if err != nil {
		q.stats.Failed++
	} else {
		q.stats.Handled++
	}
}

// finish ends the handling of l and returns the lane the worker goes on with,
// or nil when there is none and the worker ends.
func (q *Queue[K, T]) finish(l *lane[K, T]) *lane[K, T] {
	l.running = false
	if l.first != nil {
		q.ready.push(l) // behind the others: keys take turns
	} else {
		q.dropLane(l)
	}
	if q.ready.first != nil && !q.closed {
		return q.next()
	}
	if q.stats.Running--; q.stats.Running == 0 && q.stats.Waiting == 0 {
		for _, c := range q.quiet {
			close(c)
		}
		q.quiet = nil
	}
	return nil
}

// unblock admits the items of callers that wait in Put.
func (q *Queue[K, T]) unblock() {
	for q.stats.Waiting < q.cfg.Capacity {
		w := q.blocked.pop()
		if w == nil {
			return
		}
		w.admit()
		close(w.granted)
	}
}

// Stats returns the counters.
func (q *Queue[K, T]) Stats() QueueStats {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.stats
	s.Blocked = q.blocked.n
	return s
}

// Drain waits until nothing waits and nothing runs, or ctx ends.
func (q *Queue[K, T]) Drain(ctx context.Context) error {
	q.mu.Lock()
	if q.stats.Running == 0 && q.stats.Waiting == 0 {
		q.mu.Unlock()
		return nil
	}
	quiet := make(chan struct{})
	q.quiet = append(q.quiet, quiet)
	q.mu.Unlock()
	select {
	case <-quiet:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("drain queue %s: %w", q.cfg.Name, context.Cause(ctx))
	}
}

// Close refuses new items, abandons the waiting ones (Drain first to keep
// them), ends the handlers' context and waits for them, at most limit; then it
// returns a [*StuckError].
func (q *Queue[K, T]) Close(limit time.Duration) error {
	q.mu.Lock()
	q.closed = true
	for q.oldest != nil {
		l := q.oldest.lane
		q.take(q.oldest)
		q.stats.Abandoned++
		if l.first == nil && !l.running {
			q.ready.remove(l)
			q.dropLane(l)
		}
	}
	for w := q.blocked.pop(); w != nil; w = q.blocked.pop() {
		w.refused = true
		close(w.granted)
	}
	quiet := make(chan struct{})
	if q.stats.Running == 0 {
		close(quiet)
		for _, c := range q.quiet {
			close(c)
		}
		q.quiet = nil
	} else {
		q.quiet = append(q.quiet, quiet)
	}
	q.mu.Unlock()
	q.cancel()
	if waitFor(q.cfg.Clock, quiet, limit) {
		return nil
	}
	return &StuckError{Name: q.cfg.Name, After: limit}
}

func (q *Queue[K, T]) newNode() *node[K, T] {
	n := q.free
	if n == nil {
		return new(node[K, T])
	}
	q.free, n.next = n.next, nil
	return n
}

func (q *Queue[K, T]) newLane(key K) *lane[K, T] {
	var l *lane[K, T]
	if n := len(q.spare); n > 0 {
		l, q.spare = q.spare[n-1], q.spare[:n-1]
	} else {
		l = new(lane[K, T])
	}
	l.key = key
	q.lanes[key] = l
	return l
}

// dropLane forgets an empty lane and keeps a few for reuse.
func (q *Queue[K, T]) dropLane(l *lane[K, T]) {
	delete(q.lanes, l.key)
	var none K
	l.key = none
	if len(q.spare) < q.cfg.Workers {
		q.spare = append(q.spare, l)
	}
}

// laneList is a first-in first-out list of lanes.
type laneList[K comparable, T any] struct{ first, last *lane[K, T] }

func (s *laneList[K, T]) push(l *lane[K, T]) {
	l.prev, l.next, l.listed = s.last, nil, true
	if s.last == nil {
		s.first = l
	} else {
		s.last.next = l
	}
	s.last = l
}

func (s *laneList[K, T]) remove(l *lane[K, T]) {
	if !l.listed {
		return
	}
	if l.prev == nil {
		s.first = l.next
	} else {
		l.prev.next = l.next
	}
	if l.next == nil {
		s.last = l.prev
	} else {
		l.next.prev = l.prev
	}
	l.prev, l.next, l.listed = nil, nil, false
}
