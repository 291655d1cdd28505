package tickwell

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/tickwell/tickwell/internal/deliver"
)

// deliveryNews tells the log how a sink is doing: when its health changes, and
// what it loses.
type deliveryNews struct {
	db   *DB
	sink string
	lost int64 // by full alone

	mu                    sync.Mutex // also while the log is told: nothing is after the sink has stopped
	trouble               bool       // the log was told of, and it is not over
	unwell, losses, deads seldom
}

// seldom keeps a log from being flooded: what there is is told at once, and what
// follows in the next minute at its end.
type seldom struct {
	n    int64 // not told yet
	tell func(n int64)
	stop func() bool // ends the minute; nil: it is over
}

func (n *deliveryNews) health(h deliver.Health, cause string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	say := func(level slog.Level) {
		n.db.log.Log(context.Background(), level, "sink is "+h.String(), "sink", n.sink, "cause", cause)
	}
	switch h {
	case deliver.Degraded:
		n.add(&n.unwell, 1, func(int64) {
			n.trouble = true
			say(slog.LevelInfo)
		})
		return
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
}

// full is told how many events the outbox has dropped since it was opened.
func (n *deliveryNews) full(dropped int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	more := dropped - n.lost
	n.lost = dropped
	n.add(&n.losses, more, func(k int64) {
		n.db.log.Error("the outbox is full: its oldest events are lost", "sink", n.sink, "events", k)
	})
}

func (n *deliveryNews) dead(d *DeadLetter) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.add(&n.deads, 1, func(k int64) {
		n.db.log.Warn("events are given up, and kept as dead letters", "sink", n.sink, "events", k,
			"reason", d.Reason, "cause", d.Cause, "id", d.Event.ID)
	})
}

// add counts what tell is to tell of; the lock is held.
func (n *deliveryNews) add(s *seldom, more int64, tell func(int64)) {
	if more == 0 {
		return
	}
	s.n, s.tell = s.n+more, tell
	if s.stop == nil {
		n.flush(s)
	}
}

// flush tells what there is, and begins a minute; the lock is held.
func (n *deliveryNews) flush(s *seldom) {
	k := s.n
	s.n = 0
	s.stop = n.db.clock.AfterFunc(time.Minute, func() {
		_ = call(n.sink, func() error { // a logger may panic
			n.mu.Lock()
			defer n.mu.Unlock()
			if s.stop = nil; s.n > 0 {
				n.flush(s)
			}
			return nil
		})
	})
	s.tell(k)
}
