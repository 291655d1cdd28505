package deliver

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// lateFlush is a source to which an event is added, and for which a flush is
// asked, right after it was found empty.
type lateFlush struct {
	*outbox
	p    *Pipeline[ev]
	done chan error
}

func (s *lateFlush) Next(ctx context.Context, after Pos, limit int) ([]Item[ev], error) {
	items, err := s.outbox.Next(ctx, after, limit)
	if len(items) == 0 && s.done == nil {
		s.add(0, 1)
		s.done = make(chan error, 1)
		go func() { s.done <- s.p.Flush(context.Background()) }()
		for registered := false; !registered; {
			s.p.mu.Lock()
			registered = len(s.p.waiters) > 0
			s.p.mu.Unlock()
		}
	}
	return items, err
}

// TestFlushDuringAStep holds that a flush waits for what was queued before it
// even if the loop has just looked and seen nothing.
func TestFlushDuringAStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		late := &lateFlush{outbox: r.src}
		r.cfg.Source = late
		release := make(chan struct{})
		r.tgt.answer = func(context.Context, int, []ev) error { <-release; return nil }
		p, err := New(r.cfg)
		require.NoError(t, err)
		late.p = p
		require.NoError(t, p.Start())
		synctest.Wait()
		require.Empty(t, late.done, "the flush has ended before its event is delivered")
		close(release)
		require.NoError(t, <-late.done)
		require.Equal(t, []int{0}, r.tgt.snap().accepted)
		require.NoError(t, p.Close(time.Minute))
	})
}
