package deliver

import (
	"context"
	"errors"
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
		s.p.awaitWaiter()
	}
	return items, err
}

// awaitWaiter returns when somebody flushes.
func (p *Pipeline[E]) awaitWaiter() {
	for registered := false; !registered; {
		p.mu.Lock()
		registered = len(p.waiters) > 0
		p.mu.Unlock()
	}
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

// TestFlushOfASinkThatIsDisabledJustNow holds that a flush is told of a disabled
// sink by a step that began after it: it may be for rest, which such a sink is at,
// and the sink may have been enabled again before.
func TestFlushOfASinkThatIsDisabledJustNow(t *testing.T) {
	for _, c := range []struct {
		name   string
		ctx    context.Context
		enable bool
		want   []int
	}{
		{"until rest", UntilRest(context.Background()), false, nil},
		{"enabled again", context.Background(), true, []int{0}},
		{"enabled again, until rest", UntilRest(context.Background()), true, []int{0}},
	} {
		bubble(t, c.name, func(t *testing.T) {
			r := newRig(t, Options{})
			r.src.add(0, 1)
			r.tgt.answer = script(Disabled(errors.New("410 gone")))
			flushed := make(chan error, 1)
			r.cfg.OnHealth = func(h Health, _ string) { // at the end of a step
				if h != Suspended {
					return
				}
				if c.enable {
					r.p.Enable()
				}
				go func() { flushed <- r.p.Flush(c.ctx) }()
				r.p.awaitWaiter()
			}
			r.start()
			require.NoError(t, <-flushed)
			require.Equal(t, c.want, r.tgt.snap().accepted)
			r.close()
		})
	}
}
