package codec

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAllocs holds that numbers are encoded and decoded without allocating once
// the scratch memory has grown.
func TestAllocs(t *testing.T) {
	for name, v := range intColumns() {
		var e Encoder
		var d Decoder
		requireNoAllocs(t, name, v, e.AppendInt64s, d.Int64s)
	}
	for name, v := range benchTimes() {
		var e Encoder
		requireNoAllocs(t, name, v, e.AppendTimes, Times)
	}
	for name, v := range float64Columns() {
		var e Encoder
		var d Decoder
		requireNoAllocs(t, name, v, e.AppendFloat64s, d.Float64s)
	}
	for name, v := range float32Columns() {
		var e Encoder
		var d Decoder
		requireNoAllocs(t, name, v, e.AppendFloat32s, d.Float32s)
	}
	for name, v := range boolColumns() {
		var e Encoder
		var d Decoder
		requireNoAllocs(t, name, v, e.AppendBools, d.Bools)
	}
}

func requireNoAllocs[T any](t *testing.T, name string, v []T, enc func([]byte, []T) []byte, dec func([]T, []byte, int) ([]T, error)) {
	t.Helper()
	src := enc(nil, v)
	buf := make([]byte, 0, 2*len(src)+64)
	dst := make([]T, len(v))
	require.Zero(t, testing.AllocsPerRun(5, func() { buf = enc(buf[:0], v) }), "encoding %q", name)
	require.Zero(t, testing.AllocsPerRun(5, func() { dst, _ = dec(dst, src, len(v)) }), "decoding %q", name)
}

// TestBounded holds that a few hostile bytes cannot ask for much memory.
func TestBounded(t *testing.T) {
	var e Encoder
	long := e.AppendInt64s([]byte{textPlain}, []int64{1 << 40, 1 << 40})
	swell := append(e.AppendInt64s([]byte{textCompressed}, []int64{maxCompressed + 1, 0}), 5, 0xff, 0xff, 0xff, 0x7f, 0)
	negative := e.AppendInt64s([]byte{textPlain}, []int64{-1, 1})
	manyEntries := append([]byte{textDict, 0xff, 0xff, 0x03}, 1, 0)
	for name, src := range map[string][]byte{"long": long, "swell": swell, "negative": negative, "entries": manyEntries} {
		var d Decoder
		var before, after runtime.MemStats
		const runs = 100
		runtime.ReadMemStats(&before)
		for range runs {
			_, err := d.Texts(nil, src, 2)
			requireCorrupt(t, err)
		}
		runtime.ReadMemStats(&after)
		require.Less(t, (after.TotalAlloc-before.TotalAlloc)/runs, uint64(8192), name)
	}
}
