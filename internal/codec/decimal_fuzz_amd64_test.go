//go:build !tickwell_small

package codec

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzDecimalSteps: whatever the bytes, with and without eight steps at a time they
// decode to the same bits, or not at all; what lies behind the bytes is not read.
func FuzzDecimalSteps(f *testing.F) {
	if !hasDecimalSteps {
		f.Skip("this machine has no AVX2")
	}
	var e Encoder
	for _, v := range float64Columns() {
		f.Add(len(v), e.AppendFloat64s(nil, v))
	}
	for w := range uint(widestDecimal + 1) {
		steps := make([]uint64, 40)
		for i := range steps {
			steps[i] = uint64(i) * 0x9e3779b97f4a7c15 & (1<<w - 1)
		}
		src := pack(appendDeltaHead([]byte{floatDecimal, 2, intDelta}, -5, -3, w, 1), steps, w)
		f.Add(len(steps)+1, append(src, 0))
	}
	f.Fuzz(func(t *testing.T, n int, src []byte) {
		n &= 4095
		defer func() { hasDecimalSteps = true }()
		var d Decoder
		got, gotErr := d.Float64s(nil, src, n)
		hasDecimalSteps = false
		want, wantErr := d.Float64s(nil, src, n)
		require.Equal(t, wantErr, gotErr)
		require.Len(t, got, len(want))
		for i := range want {
			if math.Float64bits(want[i]) != math.Float64bits(got[i]) {
				t.Fatalf("value %d of %d: got %v, want %v", i, n, got[i], want[i])
			}
		}
	})
}
