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
	was  deliver.Health // by health alone
	lost int64          // by full alone, as lostNews

	lostNews, deadNews seldom
}

func (n *deliveryNews) health(h deliver.Health, cause string) {
	level := slog.LevelDebug
	switch h {
	case deliver.OK:
		if n.was != deliver.Starting {
			level = slog.LevelInfo // what was told of before is over
		}
	case deliver.Degraded:
		level = slog.LevelInfo
	case deliver.Failing, deliver.Suspended:
		level = slog.LevelWarn
	}
	n.was = h
	n.db.log.Log(context.Background(), level, "sink is "+h.String(), "sink", n.sink, "cause", cause)
}

// full is told how many events the outbox has dropped since it was opened.
func (n *deliveryNews) full(dropped int64) {
	more := dropped - n.lost
	n.lost = dropped
	if k := n.lostNews.add(n.db.clock.Mono(), more); k > 0 {
		n.db.log.Error("the outbox is full: its oldest events are lost", "sink", n.sink, "events", k)
	}
}

func (n *deliveryNews) dead(d *DeadLetter) {
	if k := n.deadNews.add(n.db.clock.Mono(), 1); k > 0 {
		n.db.log.Warn("events are given up, and kept as dead letters", "sink", n.sink, "events", k,
			"reason", d.Reason, "cause", d.Cause, "id", d.Event.ID)
	}
}

// seldom keeps a log from being flooded: what there is is told at once, and what
// follows a minute later at the earliest.
type seldom struct {
	mu   sync.Mutex
	told bool
	next time.Duration
	n    int64
}

// add counts and returns how many there are to tell of, 0 for not now.
func (s *seldom) add(now time.Duration, n int64) (tell int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n += n
	if s.n == 0 || s.told && now < s.next {
		return 0
	}
	tell, s.n, s.told, s.next = s.n, 0, true, now+time.Minute
	return tell
}
