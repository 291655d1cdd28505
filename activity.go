package tickwell

import "sync"

// An activity is one thread of work in the store: an insert, a run of a
// continuous query, a firing from a queue, with everything that follows from it
// by triggers that write. It owns tickets, and what it has stored waits in it
// for its AFTER triggers, in log order. None is used twice: user code may keep
// a context that leads to it.
type activity struct {
	mu      sync.Mutex
	pending []*insertion
	room    [1]*insertion // memory of pending: mostly there is one
	nested  int           // writes inside its firings that are under way
	left    bool          // it is over but for those; the last of them settles the rest
	over    bool
	last    uint64 // log position of what it has stored last

	waits []*ticketWait // guarded by locks.mu
}

// begin lets a write be part of a, unless a is over.
func (a *activity) begin() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over {
		return false
	}
	a.nested++
	return true
}

// end ends what begin began and reports whether the caller has to settle a,
// because everyone else has gone.
func (a *activity) end() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.nested--
	if !a.left || a.nested > 0 {
		return false
	}
	a.left = false
	return true
}

func (a *activity) push(in *insertion) {
	a.mu.Lock()
	if a.pending == nil {
		a.pending = a.room[:0]
	}
	a.pending = append(a.pending, in)
	a.mu.Unlock()
}

// posted notes that a has stored something.
func (a *activity) posted(lsn uint64) {
	a.mu.Lock()
	a.last = max(a.last, lsn)
	a.mu.Unlock()
}

func (a *activity) lastPosted() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.last
}

// pop returns what is to fire next. Nil ends a, or leaves it to the writes that
// are still under way.
func (a *activity) pop() *insertion {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.pending) == 0 {
		a.left = a.nested > 0
		a.over = !a.left
		return nil
	}
	in := a.pending[0]
	n := copy(a.pending, a.pending[1:])
	a.pending[n] = nil
	a.pending = a.pending[:n]
	return in
}
