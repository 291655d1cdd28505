package schedule

import (
	"context"
)

// WaitIdle returns when no task runs and none is due. A failed run that waits
// to be repeated is not due. Paused tasks do not count. What a step of the wall
// clock has made due begins now, and not when the scheduler wakes up next.
func (s *Scheduler) WaitIdle(ctx context.Context) error {
	ticked := false
	for {
		s.mu.Lock()
		if s.changed == nil {
			s.changed = make(chan struct{})
		}
		changed, idle, asleep := s.changed, s.idle(), s.running == 0
		s.mu.Unlock()
		if idle {
			return nil
		}
		if asleep && !ticked {
			ticked = true
			s.tick()
			continue
		}
		select {
		case <-changed:
			ticked = false
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (s *Scheduler) idle() bool {
	if s.running > 0 {
		return false
	}
	if s.closed {
		return true
	}
	now, mono := s.clk.Now().UnixNano(), s.clk.Mono()
	for _, e := range s.list {
		if e.waiting() && e.delay(now, mono) <= 0 {
			return false
		}
	}
	return true
}

// announce wakes those who wait for the scheduler to be idle.
func (s *Scheduler) announce() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}
