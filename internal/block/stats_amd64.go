//go:build !tickwell_small

package block

import "github.com/tickwell/tickwell/internal/codec"

// along: several numbers may be taken at a time.
const along = true

// sumFours adds the first n of v to the sums, each to that of its place in its
// four, and sets lows and highs to the least and the greatest of each place. n is
// a multiple of 4 and not 0.
//
//go:noescape
func sumFours(sum, lows, highs *[4]float64, v *float64, n int)

var hasAVX2 = codec.HasAVX2()

// sumAlong is sumFloats for the first of v, and returns how many.
func sumAlong(sum *[4]float64, v []float64) (n int, lo, hi float64) {
	n = len(v) &^ 3
	if !hasAVX2 || n == 0 {
		return 0, 0, 0
	}
	var lows, highs [4]float64
	sumFours(sum, &lows, &highs, &v[0], n)
	lo, hi = lows[0], highs[0]
	for i := 1; i < 4; i++ {
		if lows[i] < lo {
			lo = lows[i]
		}
		if highs[i] > hi {
			hi = highs[i]
		}
	}
	if lo == 0 {
		lo = firstZero(v)
	}
	if hi == 0 {
		hi = firstZero(v)
	}
	return n, lo, hi
}

// firstZero returns the first of v that is 0 or -0: of those that compare equal the
// first counts.
func firstZero(v []float64) float64 {
	for _, x := range v {
		if x == 0 {
			return x
		}
	}
	return 0
}
