package wal

import "context"

// want says what a waiter waits for.
type want uint8

const (
	wantSpace   want = iota // room in the buffer, or the chance to make some
	wantWritten             // written >= lsn, or the chance to write
	wantDurable             // durable >= lsn, or the chance to write or sync
	wantWriting             // the write role
	wantSyncing             // the sync role
	wantIdle                // no role taken
)

// waiter is a goroutine that waits. Its channel has room for one signal and is
// used again, so that waiting allocates nothing.
type waiter struct {
	want want
	lsn  uint64
	need int
	wake chan struct{}
}

// park waits for a signal from wake: the caller must look again at what it
// waits for. It needs the lock, gives it away
// meanwhile, and returns with it.
func (l *Log) park(ctx context.Context, as waiter) error {
	if err := ctx.Err(); err != nil {
		l.orphan(as)
		return err
	}
	w := l.waiter()
	w.want, w.lsn, w.need = as.want, as.lsn, as.need
	l.waiters = append(l.waiters, w)
	l.mu.Unlock()
	var err error
	select {
	case <-w.wake:
	case <-ctx.Done():
		err = ctx.Err()
	}
	l.mu.Lock()
	if err != nil {
		l.abandon(w)
		l.orphan(as)
	}
	l.idle = append(l.idle, w)
	return err
}

func (l *Log) waiter() *waiter {
	if n := len(l.idle); n > 0 {
		w := l.idle[n-1]
		l.idle = l.idle[:n-1]
		return w
	}
	return &waiter{wake: make(chan struct{}, 1)}
}

// abandon takes a waiter off whose context ended. If it was signalled in the
// same moment, the signal, which may offer a role, goes to another.
func (l *Log) abandon(w *waiter) {
	for i, x := range l.waiters {
		if x == w {
			l.waiters = append(l.waiters[:i], l.waiters[i+1:]...)
			return
		}
	}
	<-w.wake
	l.signal()
}

// orphan sees to it that a record whose writer no longer waits is written all
// the same.
func (l *Log) orphan(w waiter) {
	if w.lsn > l.written || w.want == wantDurable && w.lsn > l.durable {
		l.arm(0)
	}
}

// signal wakes those who have what they want and, for each free role, one who
// needs it. It is called whenever a role becomes free.
func (l *Log) signal() {
	if len(l.waiters) > 0 {
		l.offer()
	}
}

func (l *Log) offer() {
	write, sync := !l.writing, !l.syncing
	keep := l.waiters[:0]
	for _, w := range l.waiters {
		ready := false
		switch w.want {
		case wantSpace:
			ready = l.hasSpace(w.need) || take(&write)
		case wantWritten:
			ready = l.written >= w.lsn || take(&write)
		case wantDurable:
			ready = l.durable >= w.lsn || (w.lsn <= l.written || write) && take(&sync)
		case wantWriting:
			ready = take(&write)
		case wantSyncing:
			ready = take(&sync)
		case wantIdle:
			ready = !l.writing && !l.syncing && !l.notifying
		}
		if ready {
			w.wake <- struct{}{}
		} else {
			keep = append(keep, w)
		}
	}
	clear(l.waiters[len(keep):])
	l.waiters = keep
}

// take uses up an offer.
func take(offer *bool) bool {
	was := *offer
	*offer = false
	return was
}

// wakeAll makes every waiter look again, for a failure concerns them all.
func (l *Log) wakeAll() {
	for _, w := range l.waiters {
		w.wake <- struct{}{}
	}
	clear(l.waiters)
	l.waiters = l.waiters[:0]
}
