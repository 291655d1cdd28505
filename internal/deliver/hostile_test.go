package deliver

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// trap is an error whose As panics.
type trap struct{}

func (trap) Error() string { return "trap" }
func (trap) As(any) bool   { panic("As") }

// long is an error with a long text.
type long int

func (n long) Error() string { return strings.Repeat("é", int(n)/2) }

// TestErrorsThatPanic holds that an error is user code as well: one whose methods
// panic is a panic of the sink, which is tried again.
func TestErrorsThatPanic(t *testing.T) {
	bubble(t, "of Open", func(t *testing.T) {
		r := newRig(t, Options{})
		open, calls := r.cfg.Open, 0
		r.cfg.Open = func(ctx context.Context) error {
			if calls++; calls < 3 {
				return trap{}
			}
			return open(ctx)
		}
		r.src.add(0, 5)
		r.start()
		r.flush()
		require.Equal(t, int64(2), r.p.Stats().Panics)
		r.close()
	})
	bubble(t, "of the rest of a batch", func(t *testing.T) {
		r := newRig(t, Options{})
		r.tgt.answer = func(_ context.Context, n int, _ []ev) error {
			if n < 2 {
				return &Partial{Done: []int{0}, Rest: trap{}}
			}
			return nil
		}
		r.src.add(0, 5)
		r.start()
		r.flush()
		require.Empty(t, r.src.left())
		r.close()
	})
}

// TestLongErrors holds that what is kept of an error is bounded: a dead letter
// has to fit into the log, whatever a target answers.
func TestLongErrors(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r := newRig(t, Options{BackoffMin: time.Second})
		var dead []string
		r.cfg.DeadLetter = func(_ context.Context, d Dead[ev]) error {
			dead = append(dead, d.Cause)
			return nil
		}
		r.tgt.answer = func(_ context.Context, n int, _ []ev) error {
			if n == 1 {
				return long(10 << 20)
			}
			return Permanent(long(10 << 20))
		}
		r.src.add(0, 1)
		r.start()
		synctest.Wait()
		require.LessOrEqual(t, len(r.p.Stats().LastError), maxText+3)
		r.flush()
		require.Len(t, dead, 1)
		require.LessOrEqual(t, len(dead[0]), maxText+3)
		require.Equal(t, "permanent: ééé", dead[0][:len("permanent: ééé")])
		require.True(t, strings.HasSuffix(dead[0], "é…"))
		r.close()
	})
}
