package block

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
)

func f64(v ...float64) column.Vector { return column.Vector{Kind: column.Float64, Float64s: v} }
func i64(v ...int64) column.Vector   { return column.Vector{Kind: column.Int64, Int64s: v} }

func TestStats(t *testing.T) {
	b := math.Float64bits
	nan, inf := math.NaN(), math.Inf(1)
	neg := math.Copysign(0, -1)
	for _, tt := range []struct {
		name  string
		v     column.Vector
		nulls column.Bitmap
		want  Stats
	}{
		{"no rows", f64(), nil, Stats{Flags: FlagNoRange}},
		{"all null", f64(1, 2), column.Bitmap{3}, Stats{Flags: FlagNoRange}},
		{"floats", f64(2, -1, 5), nil, Stats{Count: 3, MinTime: 10, MaxTime: 12, First: b(2), Last: b(5), Min: b(-1), Max: b(5), SumF: 6}},
		{"nulls at both ends", f64(9, 2, 9, 3, 9), column.Bitmap{0b10101}, Stats{Count: 2, MinTime: 11, MaxTime: 13, First: b(2), Last: b(3), Min: b(2), Max: b(3), SumF: 5}},
		{"nan inside", f64(1, nan, 3), nil, Stats{Count: 3, Flags: FlagNaN, MinTime: 10, MaxTime: 12, First: b(1), Last: b(3), Min: b(1), Max: b(3), SumF: nan}},
		{"nan hidden by null", f64(1, nan, 3), column.Bitmap{2}, Stats{Count: 2, MinTime: 10, MaxTime: 12, First: b(1), Last: b(3), Min: b(1), Max: b(3), SumF: 4}},
		{"only nan", f64(nan, nan), nil, Stats{Count: 2, Flags: FlagNaN | FlagNoRange, MinTime: 10, MaxTime: 11, First: b(nan), Last: b(nan), SumF: nan}},
		{"infinities", f64(inf, -inf, 1), nil, Stats{Count: 3, MinTime: 10, MaxTime: 12, First: b(inf), Last: b(1), Min: b(-inf), Max: b(inf), SumF: nan}},
		{"only infinity", f64(inf), nil, Stats{Count: 1, MinTime: 10, MaxTime: 10, First: b(inf), Last: b(inf), Min: b(inf), Max: b(inf), SumF: inf}},
		{"only minus infinity", f64(-inf), nil, Stats{Count: 1, MinTime: 10, MaxTime: 10, First: b(-inf), Last: b(-inf), Min: b(-inf), Max: b(-inf), SumF: -inf}},
		{"zeros keep the first", f64(neg, 0), nil, Stats{Count: 2, MinTime: 10, MaxTime: 11, First: b(neg), Last: b(0), Min: b(neg), Max: b(neg)}},
		{"ints", i64(-3, 4), nil, Stats{Count: 2, MinTime: 10, MaxTime: 11, First: uint64(math.MaxUint64 - 2), Last: 4, Min: uint64(math.MaxUint64 - 2), Max: 4, SumI: 1}},
		{"ints to the limit", i64(math.MaxInt64, 1, -1), nil, Stats{Count: 3, MinTime: 10, MaxTime: 12, First: math.MaxInt64, Last: math.MaxUint64, Min: math.MaxUint64, Max: math.MaxInt64, SumI: math.MaxInt64}},
		{"ints over", i64(math.MaxInt64, math.MaxInt64), nil, Stats{Count: 2, Flags: FlagOverflow, MinTime: 10, MaxTime: 11, First: math.MaxInt64, Last: math.MaxInt64, Min: math.MaxInt64, Max: math.MaxInt64, SumF: 1 << 64}},
		{"ints under", i64(math.MinInt64, -1), nil, Stats{Count: 2, Flags: FlagOverflow, MinTime: 10, MaxTime: 11, First: 1 << 63, Last: math.MaxUint64, Min: 1 << 63, Max: math.MaxUint64, SumF: -(1 << 63)}},
		{"int32", column.Vector{Kind: column.Int32, Int32s: []int32{-1, math.MinInt32}}, nil, Stats{Count: 2, MinTime: 10, MaxTime: 11, First: math.MaxUint64, Last: 0xffffffff80000000, Min: 0xffffffff80000000, Max: math.MaxUint64, SumI: math.MinInt32 - 1}},
		{"float32", column.Vector{Kind: column.Float32, Float32s: []float32{1.5, -2}}, nil, Stats{Count: 2, MinTime: 10, MaxTime: 11, First: 0x3fc00000, Last: 0xc0000000, Min: 0xc0000000, Max: 0x3fc00000, SumF: -0.5}},
		{"bools", column.Vector{Kind: column.Bool, Bools: []bool{true, false, true}}, nil, Stats{Count: 3, MinTime: 10, MaxTime: 12, First: 1, Last: 1, Max: 1, SumI: 2}},
		{"true under null", column.Vector{Kind: column.Bool, Bools: []bool{true, true, true}}, column.Bitmap{2}, Stats{Count: 2, MinTime: 10, MaxTime: 12, First: 1, Last: 1, Min: 1, Max: 1, SumI: 2}},
		{"texts", column.Vector{Kind: column.Text, Texts: []string{"a", "b"}}, nil, Stats{Count: 2, Flags: FlagNoRange, MinTime: 10, MaxTime: 11}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := Stats{Count: 77, Flags: 0xff} // left over from before
			got.Compute([]int64{10, 11, 12, 13, 14}, &tt.v, tt.nulls)
			require.Equal(t, b(tt.want.SumF), b(got.SumF), "expected sum %v, got %v", tt.want.SumF, got.SumF)
			tt.want.SumF, got.SumF = 0, 0
			require.Equal(t, tt.want, got)
		})
	}
}

// TestStatsSums compares sums with exact ones.
func TestStatsSums(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for round := range 200 {
		n := 1 + r.IntN(1100)
		ints, floats := i64(), f64()
		times := make([]int64, n)
		sumI, sumF, sumAbs := new(big.Int), new(big.Float).SetPrec(2000), 0.0
		var nulls column.Bitmap
		for i := range n {
			times[i] = int64(i)
			x, f := int64(r.Uint64())>>r.UintN(63), r.NormFloat64()*math.Pow10(r.IntN(9))
			ints.Int64s = append(ints.Int64s, x)
			floats.Float64s = append(floats.Float64s, f)
			if round&1 == 1 && r.IntN(5) == 0 {
				nulls.Set(i)
				continue
			}
			sumI.Add(sumI, big.NewInt(x))
			sumF.Add(sumF, big.NewFloat(f))
			sumAbs += math.Abs(f)
		}
		var s Stats
		s.Compute(times, &ints, nulls)
		if s.Flags&FlagOverflow == 0 {
			require.Equal(t, sumI.Int64(), s.SumI)
			require.True(t, sumI.IsInt64())
		} else {
			require.False(t, sumI.IsInt64())
			exact, _ := new(big.Float).SetInt(sumI).Float64()
			require.InEpsilon(t, exact, s.SumF, 1e-15)
		}
		s.Compute(times, &floats, nulls)
		exact, _ := sumF.Float64()
		require.InDelta(t, exact, s.SumF, 1e-13*sumAbs)
	}
}

func TestStatsAppend(t *testing.T) {
	for i, s := range []Stats{
		{}, {Count: MaxRows, Flags: knownFlags, MinTime: math.MinInt64, MaxTime: math.MaxInt64},
		{Count: 3, MinTime: -5, MaxTime: -5, First: 1, Last: math.MaxUint64, Min: 3, Max: 4, SumF: -0.1, SumI: math.MinInt64},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			b := s.Append([]byte("x"))[1:]
			got, rest, err := ReadStats(append(slices.Clip(b), "rest"...))
			require.NoError(t, err)
			require.Equal(t, s, got)
			require.Equal(t, "rest", string(rest))
			for k := range b {
				_, _, err := ReadStats(b[:k])
				require.ErrorIs(t, err, errs.Corrupt)
			}
		})
	}
}

func FuzzReadStats(f *testing.F) {
	f.Add((&Stats{Count: 3, MinTime: -5, MaxTime: 7, First: 1, SumF: 2.5, SumI: -9}).Append(nil))
	f.Fuzz(func(t *testing.T, src []byte) {
		s, _, err := ReadStats(src)
		if err != nil {
			require.ErrorIs(t, err, errs.Corrupt)
			return
		}
		again, rest, err := ReadStats(s.Append(nil))
		require.NoError(t, err)
		require.Empty(t, rest)
		require.Equal(t, math.Float64bits(s.SumF), math.Float64bits(again.SumF))
		s.SumF, again.SumF = 0, 0
		require.Equal(t, s, again)
	})
}
