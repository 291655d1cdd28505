package codec

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/errs"
)

// TestTimesOfLine decodes times of a constant step, of which some wrap.
func TestTimesOfLine(t *testing.T) {
	for _, c := range []struct {
		name        string
		first, step int64
		n           int
		ok          bool
	}{
		{"one", 5, 0, 1, true},
		{"one, to the end", math.MaxInt64, 1, 1, true},
		{"two", 5, 1, 2, true},
		{"all equal", 5, 0, 2, false},
		{"backwards", 5, -1, 100, false},
		{"seconds", 1_700_000_000e9, 1e9, 1024, true},
		{"before 1970", -1_700_000_000e9, 10e9, 1000, true},
		{"over all", math.MinInt64, math.MaxInt64, 3, true},
		{"to the end", math.MaxInt64 - 70, 10, 8, true},
		{"beyond the end", math.MaxInt64 - 69, 10, 8, false},
		{"around more than once", 0, 1 << 62, 9, false},
		{"around to a greater time", -10, math.MaxInt64, 100, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := binary.AppendVarint(binary.AppendVarint([]byte{intLine}, c.first), c.step)
			got, err := Times(nil, src, c.n)
			if !c.ok {
				require.ErrorIs(t, err, errs.Corrupt)
				return
			}
			require.NoError(t, err)
			want := make([]int64, c.n)
			for i := range want {
				want[i] = c.first + int64(i)*c.step
			}
			require.Equal(t, want, got)
		})
	}
}
