package exec

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLine: where rows lie by the first time and the step is where they lie by
// their times.
func TestLine(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 11))
	for range 3000 {
		l := line{first: r.Int64N(1000) - 500, step: 1 + r.Int64N(20), n: 1 + r.IntN(60)}
		if r.IntN(10) == 0 {
			l.first = math.MinInt64 + r.Int64N(3)
		}
		if r.IntN(10) == 0 {
			l.first = math.MaxInt64 - int64(l.n-1)*l.step - r.Int64N(3)
		}
		f := fold{}
		for i := range l.n {
			f.batch.Times = append(f.batch.Times, l.at(i))
		}
		require.Equal(t, f.batch.Times[l.n-1], l.last())
		near := func() int64 { // a time about that of a row, maybe beyond all
			at := l.at(r.IntN(l.n))
			d := r.Int64N(60) - 30
			if d > 0 && at > math.MaxInt64-d || d < 0 && at < math.MinInt64-d {
				return at
			}
			return at + d
		}
		for range 20 {
			i, at := r.IntN(l.n+1), near()
			require.Equal(t, seek(f.batch.Times, i, at), l.seek(i, at), "%+v from %d on, at %d", l, i, at)
		}
		require.Equal(t, seek(f.batch.Times, 0, math.MaxInt64), l.seek(0, math.MaxInt64))
		require.Equal(t, seek(f.batch.Times, 0, math.MinInt64), l.seek(0, math.MinInt64))
		var windows []window
		start, length := near(), 1+r.Int64N(70)
		for range r.IntN(40) {
			if start > math.MaxInt64-length {
				break
			}
			windows = append(windows, window{start: start, end: start + length})
			if start += length; r.IntN(8) == 0 && start < math.MaxInt64-100 {
				start += r.Int64N(90) - 20
			}
			if r.IntN(8) == 0 {
				length = 1 + r.Int64N(70)
			}
		}
		f.low = r.IntN(l.n + 1)
		require.Equal(t, f.bound(windows, nil), l.bound(f.low, windows, nil), "%+v from %d on, %v", l, f.low, windows)
	}
}
