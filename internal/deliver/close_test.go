package deliver

import (
	"context"
	"testing"
	"time"
)

// closingSource closes the pipeline's group while the loop reads it, so that a
// batch falls due when no job can be started any more.
type closingSource struct {
	*outbox
	group interface{ Close(time.Duration) error }
}

func (s *closingSource) Next(ctx context.Context, after Pos, limit int) ([]Item[ev], error) {
	items, err := s.outbox.Next(ctx, after, limit)
	if len(items) > 0 {
		_ = s.group.Close(0) // the loop itself still runs: it cannot wait for it
	}
	return items, err
}

func TestCloseWhileABatchIsDue(t *testing.T) {
	bubble(t, "due", func(t *testing.T) {
		r := newRig(t, Options{})
		src := &closingSource{outbox: r.src}
		r.cfg.Source = src
		p, err := New(r.cfg)
		if err != nil {
			t.Fatal(err)
		}
		src.group = p.group
		r.src.add(1, 4, "a")
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		if err := p.Close(time.Minute); err != nil { // used to spin for ever
			t.Fatal(err)
		}
		if got := r.src.left(); len(got) != 3 {
			t.Errorf("the queue holds %v, want all three events", got)
		}
	})
}
