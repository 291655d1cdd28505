package wal

import (
	"context"
	"time"
)

// sync makes what is written durable. It is called with the lock held and
// syncing free, and returns so.
func (l *Log) sync() {
	l.syncing = true
	l.syncTaken()
	l.syncing = false
	l.signal()
	l.notify()
}

// syncTaken syncs the active segment; the caller owns the sync role. Earlier
// segments were synced when they ended. Records written meanwhile may or may
// not be covered, so only those before count.
func (l *Log) syncTaken() {
	target, stored, file := l.written, l.stored, l.file
	var err error
	if l.active != nil {
		name := l.active.name
		l.mu.Unlock()
		err = syncFile(file, name)
		l.mu.Lock()
	}
	switch {
	case err != nil:
		l.fail(err)
	case l.err == nil:
		l.durable, l.vouched = max(l.durable, target), max(l.vouched, stored)
		l.publish()
	}
}

func syncFile(file interface{ Sync() error }, name string) (err error) {
	defer caught(&err)
	if err := file.Sync(); err != nil {
		return broken("sync", name, err)
	}
	return nil
}

// notify tells OnFailed and OnDurable what they do not know yet. One goroutine
// at a time does, without the lock.
func (l *Log) notify() {
	if l.notifying || l.cfg.OnDurable == nil && l.cfg.OnFailed == nil {
		return
	}
	l.notifying = true
	for len(l.unsaid) > 0 || l.notified < l.durable {
		unsaid, durable := l.unsaid, l.durable
		l.unsaid = nil
		old := l.notified
		l.notified = durable
		l.mu.Unlock()
		for _, f := range unsaid {
			l.cfg.OnFailed(f.first, f.last, f.err)
		}
		if durable > old && l.cfg.OnDurable != nil {
			l.cfg.OnDurable(durable)
		}
		l.mu.Lock()
	}
	l.notifying = false
	l.signal()
}

// arm starts the background timer, unless it runs.
func (l *Log) arm(d time.Duration) {
	if l.armed || l.closing || l.err != nil {
		return
	}
	l.armed = true
	l.background.Add(1)
	l.stopTimer = l.cfg.Clock.AfterFunc(d, l.onTimer)
}

// tick is the background timer: it writes what nobody waits for and syncs.
func (l *Log) tick() {
	defer l.background.Done()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.armed = false
	if l.closing || l.err != nil {
		return
	}
	want := wantDurable
	if l.cfg.Policy.Mode == Never {
		want = wantWritten
	}
	// An error is kept in the log and meets the next writer.
	_ = l.await(context.Background(), l.last, want)
	if l.cfg.Policy.Mode == Never || l.closing || l.err != nil {
		return
	}
	if l.written > l.durable || l.last > l.written {
		l.arm(l.cfg.Policy.Interval)
	}
}
