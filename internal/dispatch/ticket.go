package dispatch

import (
	"context"
	"sync"
)

// A Ticket is a mutual exclusion lock that is granted in the order of arrival
// and can be waited for under a context. Waiting is a channel wait.
//
// A stateful trigger holds its ticket from firing until its insert has a log
// position, so the order of fires is the order of the log. Whoever needs
// several tickets takes them in one global order (the triggers' firing order).
// The zero value is unlocked.
type Ticket struct {
	mu   sync.Mutex // guards the fields below, never held across a wait
	held bool
	wait waiters
}

// Lock waits for its turn. It returns ctx's error, without the lock, when ctx
// ends first; a context that has already ended never gets the lock.
func (t *Ticket) Lock(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	t.mu.Lock()
	if !t.held {
		t.held = true
		t.mu.Unlock()
		return nil
	}
	w := t.wait.push()
	t.mu.Unlock()

	select {
	case <-w.granted:
		return nil
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.wait.remove(w) { // granted in the meantime: pass it on
		t.unlock()
	}
	return context.Cause(ctx)
}

// Unlock hands the lock to the longest waiter. It panics when the lock is not
// held, which is a mistake of the store, never of its user.
func (t *Ticket) Unlock() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.held {
		panic("dispatch: unlock of an unlocked ticket")
	}
	t.unlock()
}

func (t *Ticket) unlock() {
	if w := t.wait.pop(); w != nil {
		close(w.granted) // held stays true: it is the waiter's now
		return
	}
	t.held = false
}

// Waiting returns how many callers wait for the lock.
func (t *Ticket) Waiting() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.wait.n
}

// waiters is a first-in first-out list of callers, each with its own channel.
type waiters struct {
	head, tail *waiter
	n          int
}

type waiter struct {
	granted    chan struct{}
	prev, next *waiter
	queued     bool

	admit   func() // a Queue's: puts the waiting item
	refused bool   // a Queue's: closed instead
}

func (l *waiters) push() *waiter {
	w := &waiter{granted: make(chan struct{}), prev: l.tail, queued: true}
	if l.tail == nil {
		l.head = w
	} else {
		l.tail.next = w
	}
	l.tail = w
	l.n++
	return w
}

func (l *waiters) pop() *waiter {
	w := l.head
	if w != nil {
		l.remove(w)
	}
	return w
}

// remove takes w out and reports whether it was still waiting.
//
//go:noinline
func (l *waiters) remove(w *waiter) bool {
	if !w.queued {
		return false
	}
	if w.prev == nil {
		l.head = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		l.tail = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.prev, w.next, w.queued = nil, nil, false
	l.n--
	return true
}
