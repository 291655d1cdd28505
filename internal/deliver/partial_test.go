package deliver

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/errs"
)

// TestPartialRest holds that the error for what is left of a partial result
// counts as if it stood alone.
func TestPartialRest(t *testing.T) {
	for _, tt := range []struct {
		name  string
		rest  error
		calls [][]int // within a minute
		opens int
		final Health
	}{
		{"retry after", Retry(boom, time.Hour), [][]int{{0, 1, 2, 3}}, 1, Degraded},
		{"retry", Retry(boom, 0), [][]int{{0, 1, 2, 3}, {2, 3}}, 1, OK},
		{"not connected", NotConnected(boom), [][]int{{0, 1, 2, 3}, {2, 3}}, 2, OK},
		{"disabled", Disabled(boom), [][]int{{0, 1, 2, 3}}, 1, Suspended},
		{"unclassified", boom, [][]int{{0, 1, 2, 3}, {2, 3}}, 1, OK},
		{"permanent makes no sense", Permanent(boom), [][]int{{0, 1, 2, 3}, {2, 3}}, 1, OK},
		{"none", nil, [][]int{{0, 1, 2, 3}, {2, 3}}, 1, OK},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			r := newRig(t, Options{BatchEvents: 4})
			r.tgt.answer = script(&Partial{Done: []int{0}, Rejected: []int{1}, Rest: tt.rest})
			r.src.add(0, 4, "k")
			r.start()
			time.Sleep(time.Minute)
			synctest.Wait()
			require.Equal(t, tt.calls, r.tgt.snap().calls)
			require.Equal(t, []string{"1 partial"}, r.tgt.deadIDs())
			require.Equal(t, tt.opens, r.tgt.snap().opens)
			require.Equal(t, tt.final, r.p.Stats().Health)
			if tt.final != OK {
				require.Equal(t, []int{2, 3}, r.src.left())
			}
			r.close()
		})
	}
}

// TestPartialRestTooOld holds that what is left of a partial result goes to the dead
// letters if it is too old, and that the sink goes on.
func TestPartialRestTooOld(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r := newRig(t, Options{BatchEvents: 4, MaxAge: time.Hour})
		r.tgt.answer = script(&Partial{Done: []int{0}, Rejected: []int{1}})
		r.src.add(0, 4, "k")
		time.Sleep(2 * time.Hour)
		r.src.add(4, 6, "k")
		r.start()
		r.flush()
		require.Equal(t, [][]int{{0, 1, 2, 3}, {4, 5}}, r.tgt.snap().calls)
		require.Equal(t, []string{"1 partial", "2 expired", "3 expired"}, r.tgt.deadIDs())
		require.Equal(t, OK, r.p.Stats().Health)
		r.close()
	})
}

// TestBrokenLoop holds that a pipeline which has a fault says so and keeps nobody
// waiting.
func TestBrokenLoop(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r := newRig(t, Options{})
		r.cfg.Source = panickyFloor{r.src}
		r.src.add(0, 1, "k")
		r.start()
		err := r.p.Flush(t.Context())
		require.ErrorContains(t, err, "panic")
		require.Equal(t, Stopped, r.p.Stats().Health)
		require.Contains(t, r.p.Stats().LastError, "floor")
		require.ErrorIs(t, r.p.Flush(t.Context()), errs.Closed)
		r.close()
	})
}

type panickyFloor struct{ *outbox }

func (panickyFloor) Floor() Pos { panic("floor") }
