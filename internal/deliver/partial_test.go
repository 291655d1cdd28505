package deliver

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
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
