package block

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
)

var kinds = []column.Kind{column.Bool, column.Int32, column.Int64, column.Float32, column.Float64, column.Text}

// patterns of null rows.
var nullPatterns = map[string]func(i, n int) bool{
	"none":        func(i, n int) bool { return false },
	"all":         func(i, n int) bool { return true },
	"first":       func(i, n int) bool { return i == 0 },
	"last":        func(i, n int) bool { return i == n-1 },
	"alternating": func(i, n int) bool { return i&1 == 0 },
	"half":        func(i, n int) bool { return i < n/2 },
	"scattered":   func(i, n int) bool { return i*7919%13 < 3 },
	"one value":   func(i, n int) bool { return i != n/2 },
}

func randomVector(r *rand.Rand, kind column.Kind, n int) column.Vector {
	v := column.Vector{Kind: kind}
	for range n {
		switch kind {
		case column.Bool:
			v.Bools = append(v.Bools, r.IntN(2) == 0)
		case column.Int32:
			v.Int32s = append(v.Int32s, int32(r.Uint32())>>r.UintN(31))
		case column.Int64:
			v.Int64s = append(v.Int64s, int64(r.Uint64())>>r.UintN(63))
		case column.Float32:
			v.Float32s = append(v.Float32s, float32(r.IntN(1000))/10)
		case column.Float64:
			v.Float64s = append(v.Float64s, float64(r.IntN(100_000))/100)
		case column.Text:
			v.Texts = append(v.Texts, fmt.Sprint("t", r.IntN(9)))
		}
	}
	return v
}

// masked returns the bitmap of a pattern, with a bit beyond the rows that must
// not matter, and sets the null rows of v to zero.
func masked(v *column.Vector, pattern func(i, n int) bool) column.Bitmap {
	var nulls column.Bitmap
	zero := column.Vector{Kind: v.Kind}
	zero.AppendZero(1)
	n := v.Len()
	for i := range n {
		if pattern(i, n) {
			nulls.Set(i)
			v.Set(i, &zero, 0)
		}
	}
	nulls.Set(n + 1)
	return nulls
}

func TestValues(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var e Encoder
	var d Decoder
	dst := column.Vector{Kind: column.Text, Texts: []string{"left over"}}
	var bitmap column.Bitmap
	for _, kind := range kinds {
		for name, pattern := range nullPatterns {
			for _, n := range []int{0, 1, 2, 63, 64, 65, 1024} {
				t.Run(fmt.Sprintf("%s/%s/%d", kind, name, n), func(t *testing.T) {
					v := randomVector(r, kind, n)
					nulls := masked(&v, pattern)
					src := e.AppendValues([]byte("x"), &v, nulls)[1:]
					got, err := d.Values(&dst, bitmap, src, kind, n)
					require.NoError(t, err)
					requireEqual(t, &v, &dst)
					if !nulls.Any(n) {
						require.Nil(t, got)
					} else {
						bitmap = got
						for i := range n + 70 {
							require.Equal(t, i < n && nulls.Get(i), got.Get(i), "null at row %d", i)
						}
					}
					for k := range src {
						_, err := d.Values(&dst, nil, src[:k], kind, n)
						require.ErrorIs(t, err, errs.Corrupt, "%d of %d bytes", k, len(src))
					}
					_, err = d.Values(&dst, nil, append(slices.Clip(src), 0), kind, n)
					require.ErrorIs(t, err, errs.Corrupt)
				})
			}
		}
	}
}

func requireEqual(t testing.TB, want, got *column.Vector) {
	t.Helper()
	require.Equal(t, want.Kind, got.Kind)
	require.Equal(t, want.Len(), got.Len())
	for i := range want.Len() {
		a, b := want.Slice(i, i+1), got.Slice(i, i+1)
		require.Equal(t, a, b, "row %d", i)
	}
}

func TestValuesOfAnotherKind(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	var e Encoder
	var d Decoder
	for _, kind := range kinds {
		v := randomVector(r, kind, 20)
		src := e.AppendValues(nil, &v, nil)
		for _, other := range append(kinds, 0, 7, 200) {
			if other == kind {
				continue
			}
			_, err := d.Values(new(column.Vector), nil, src, other, 20)
			require.ErrorIs(t, err, errs.Corrupt, "%s read as %s", kind, other)
		}
		_, err := DecodeTimes(nil, src, 20)
		require.ErrorIs(t, err, errs.Corrupt, "%s read as times", kind)
		for _, flags := range []byte{0x08, 0x10, 0x20, 0x40, 0x80} {
			bad := append([]byte{src[0] | flags}, src[1:]...)
			_, err := d.Values(new(column.Vector), nil, bad, kind, 20)
			require.ErrorIs(t, err, errs.Corrupt, "flags %#x", flags)
		}
	}
}

func TestTimes(t *testing.T) {
	for name, times := range map[string][]int64{
		"one": {5}, "regular": {10, 20, 30, 40}, "extremes": {math.MinInt64, 0, math.MaxInt64},
		"irregular": {-5, 1, 2, 900, 901, 1 << 40},
	} {
		t.Run(name, func(t *testing.T) {
			src := AppendTimes([]byte("x"), times)[1:]
			var e Encoder
			require.Equal(t, src, e.AppendTimes(nil, times))
			got, err := DecodeTimes(make([]int64, 9), src, len(times))
			require.NoError(t, err)
			require.Equal(t, times, got)
			for k := range src {
				_, err := DecodeTimes(nil, src[:k], len(times))
				require.ErrorIs(t, err, errs.Corrupt)
			}
		})
	}
}

func TestAllocs(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	times := make([]int64, 1000)
	for i := range times {
		times[i] = int64(i) * 1e9
	}
	var e Encoder
	var d Decoder
	var s Stats
	buf := make([]byte, 0, 1<<16)
	for _, kind := range kinds[:5] {
		for _, pattern := range []string{"none", "scattered"} {
			v := randomVector(r, kind, len(times))
			nulls := masked(&v, nullPatterns[pattern])
			var dst column.Vector
			bitmap := make(column.Bitmap, 0, 17)
			run := func() {
				buf = e.AppendTimes(buf[:0], times)
				times, _ = DecodeTimes(times, buf, len(times))
				s.Compute(times, &v, nulls)
				buf = e.AppendValues(buf[:0], &v, nulls)
				if got, err := d.Values(&dst, bitmap, buf, kind, len(times)); err != nil {
					t.Fatal(err)
				} else if got != nil {
					bitmap = got
				}
			}
			run()
			require.Zero(t, testing.AllocsPerRun(20, run), "%s with nulls %s", kind, pattern)
		}
	}
}

func FuzzValues(f *testing.F) {
	r := rand.New(rand.NewPCG(4, 4))
	var e Encoder
	for _, kind := range kinds {
		for _, pattern := range nullPatterns {
			v := randomVector(r, kind, 50)
			nulls := masked(&v, pattern)
			f.Add(e.AppendValues(nil, &v, nulls), uint8(kind), 50)
		}
	}
	f.Fuzz(func(t *testing.T, src []byte, kind uint8, n int) {
		var d Decoder
		var v column.Vector
		nulls, err := d.Values(&v, nil, src, column.Kind(kind), n)
		if err != nil {
			require.ErrorIs(t, err, errs.Corrupt)
			return
		}
		require.Equal(t, n, v.Len())
		require.True(t, nulls == nil || nulls.Any(n))
	})
}
