package tickwell

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/tickwell/tickwell/internal/deliver"
)

// deliveryNews tells the log how a sink is doing: when its health changes, and
// what it loses. Lines are written by a goroutine of their own, without a lock: a
// logger that hangs holds up neither the sink nor its dead letters.
type deliveryNews struct {
	db   *DB
	sink string

	mu                    sync.Mutex
	lost                  int64 // by full
	trouble               bool  // the log was told of, and it is not over
	stopped               bool  // nothing is told any more
	unwell, losses, deads seldom
	lines                 []func()      // to be written, in order
	left                  int64         // lines that there was no room for, not told yet
	writing               chan struct{} // closed when all are; nil: nobody writes
}

// seldom keeps a log from being flooded: what there is is told at once, what follows in
// the next minute at its end, and what goes on for hours ever more seldom, for a target may
// be away for weeks and the log be on flash.
type seldom struct {
	n    int64 // not told yet
	tell func(n int64)
	stop func() bool // ends the wait; nil: it is over
	wait time.Duration
	told time.Duration // when it began
	from time.Duration // when what goes on did
}

// The waits of a seldom: a part of how long it goes on.
const (
	newsAgain       = time.Minute
	newsPart        = 16
	newsAgainAtMost = time.Hour
)

// health is told of a change. When the sink has stopped it returns once all is
// written.
func (n *deliveryNews) health(h deliver.Health, cause string) {
	if written := n.note(h, cause); written != nil {
		<-written
	}
}

func (n *deliveryNews) note(h deliver.Health, cause string) (written <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	say := func(level slog.Level) {
		n.say(func() {
			n.db.log.Log(context.Background(), level, "sink is "+h.String(), "sink", n.sink, "cause", cause)
		})
	}
	switch h {
	case deliver.Degraded:
		n.add(&n.unwell, 1, func(int64) {
			n.trouble = true
			say(slog.LevelInfo)
		})
		return nil
	case deliver.Stopped:
		for _, s := range []*seldom{&n.unwell, &n.losses, &n.deads} {
			if s.stop != nil {
				s.stop()
			}
			if k := s.n; k > 0 {
				s.n = 0
				s.tell(k)
			}
		}
	}
	n.unwell.n = 0
	level := slog.LevelDebug
	switch {
	case h == deliver.Failing || h == deliver.Suspended:
		level, n.trouble = slog.LevelWarn, true
	case h == deliver.OK && n.trouble:
		level, n.trouble = slog.LevelInfo, false
	}
	say(level)
	if h != deliver.Stopped {
		return nil
	}
	n.stopped = true
	return n.writing
}

// full is told how many events the outbox has dropped since it was opened.
func (n *deliveryNews) full(dropped int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	more := dropped - n.lost
	n.lost = dropped
	n.add(&n.losses, more, func(k int64) {
		n.say(func() { n.db.log.Error("the outbox is full: its oldest events are lost", "sink", n.sink, "events", k) })
	})
}

func (n *deliveryNews) dead(d DeadLetter) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.add(&n.deads, 1, func(k int64) {
		n.say(func() {
			n.db.log.Warn("events are given up, and kept as dead letters", "sink", n.sink, "events", k,
				"reason", d.Reason, "cause", d.Cause, "id", d.Event.ID)
		})
	})
}

// add counts what tell is to tell of; the lock is held.
func (n *deliveryNews) add(s *seldom, more int64, tell func(int64)) {
	if more == 0 || n.stopped {
		return
	}
	s.n, s.tell = s.n+more, tell
	if s.stop == nil {
		if now := n.db.clock.Mono(); now-s.told > 2*s.wait { // it is new
			s.from = now
		}
		n.flush(s)
	}
}

// flush tells what there is, and begins a wait; the lock is held.
func (n *deliveryNews) flush(s *seldom) {
	k := s.n
	s.n = 0
	s.told = n.db.clock.Mono()
	s.wait = min(max((s.told-s.from)/newsPart, newsAgain), newsAgainAtMost)
	s.stop = n.db.clock.AfterFunc(s.wait, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if s.stop = nil; s.n > 0 {
			n.flush(s)
		}
	})
	s.tell(k)
}

// newsWaiting bounds what waits for a logger that hangs.
const newsWaiting = 256

// say has a line written after those before it; the lock is held.
func (n *deliveryNews) say(line func()) {
	if n.stopped {
		return
	}
	if len(n.lines) == newsWaiting {
		n.left++
		return
	}
	n.lines = append(n.lines, line)
	if n.writing == nil {
		n.writing = make(chan struct{})
		go n.write()
	}
}

// write writes lines until there are no more.
func (n *deliveryNews) write() {
	over := false
	defer func() {
		if !over { // a logger has ended the goroutine
			go n.write()
		}
	}()
	for {
		n.mu.Lock()
		if left := n.left; left > 0 && len(n.lines) == 0 {
			n.left = 0
			n.lines = append(n.lines, func() {
				n.db.log.Warn("lines about a sink are left out: the logger was too slow", "sink", n.sink, "lines", left)
			})
		}
		if len(n.lines) == 0 {
			over = true
			close(n.writing)
			n.writing = nil
			n.mu.Unlock()
			return
		}
		line := n.lines[0]
		n.lines = n.lines[1:]
		n.mu.Unlock()
		_ = call(n.sink, func() error { line(); return nil }) // a logger may panic
	}
}
