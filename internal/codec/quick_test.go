package codec

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestQuick: what is encoded quickly decodes to the same bits, and takes about as
// many bytes.
func TestQuick(t *testing.T) {
	var d Decoder
	for name, v := range float64Columns() {
		e := Encoder{Quick: true}
		got, err := d.Float64s(nil, e.AppendFloat64s(nil, v), len(v))
		require.NoError(t, err, name)
		require.True(t, sameBits(v, got), name)
		narrow := make([]float32, len(v))
		for i, f := range v {
			narrow[i] = float32(f)
		}
		got32, err := d.Float32s(nil, e.AppendFloat32s(nil, narrow), len(v))
		require.NoError(t, err, name)
		require.True(t, sameBits(narrow, got32), name)
	}
	rnd := rand.New(rand.NewPCG(21, 22))
	for range 3000 {
		n := rnd.IntN(200)
		v, w := make([]int64, n), make([]float64, n)
		unit := int64(1) << rnd.IntN(3) * int64(math.Pow10(rnd.IntN(4)))
		at := rnd.Int64() >> rnd.IntN(64)
		walks, most := rnd.IntN(2) == 0, uint64(1)<<rnd.IntN(64)
		for i := range v {
			if v[i] = at + unit*int64(rnd.Uint64N(most)); walks {
				at = v[i]
			}
			w[i] = float64(v[i]) / 100
		}
		quick, small := Encoder{Quick: true}, Encoder{}
		a, b := quick.AppendInt64s(nil, v), small.AppendInt64s(nil, v)
		got, err := d.Int64s(nil, a, n)
		require.NoError(t, err)
		require.Equal(t, v, append([]int64{}, got...))
		require.LessOrEqual(t, len(a), len(b)+len(b)/2+20, "%d numbers", n)
		a = quick.AppendFloat64s(nil, w)
		floats, err := d.Float64s(nil, a, n)
		require.NoError(t, err)
		require.True(t, sameBits(w, floats))
	}
}
