package codec

import (
	"math"
	"math/bits"
)

// quotient divides whole numbers by 10^k, rounded as a division rounds, with two
// multiplications: a division takes several times as long.
//
// Let n be the bits of a number that is divided at most. hi is the upper 53-n
// bits of 1/10^k, so that d*hi is exact, and lo the rest of it, rounded. What
// d*hi + d*lo is before it is rounded differs from d/10^k by less than
// 2^(n-104) of it: 2^-53 of lo, and as much again where d*lo is rounded. The
// quotient is never halfway between two neighbouring numbers, for that takes a
// d of 54 bits, and lies at least 2^-54/10^k of itself away from there. So the
// sum rounds to the same number while n-104 < -54-log2(10^k), for which
// n = 49 - (bits of 10^k) is enough.
type quotient struct {
	by     float64 // 10^k
	hi, lo float64
	reach  float64 // largest magnitude of a number that may be divided, below 0: none
	bound  uint64  // the same, 0: none
}

// quotientDecimals is the largest exponent that is divided by multiplication. Up
// to here hi * 10^k is exact.
const quotientDecimals = 8

var quotients = func() (all [maxDecimals + 1]quotient) {
	for k := range all {
		by := powersOfTen[k]
		all[k] = quotient{by: by, reach: -1}
		if k > quotientDecimals {
			continue
		}
		n := 49 - bits.Len64(uint64(by))
		inverse := 1 / by
		hi := math.Float64frombits(math.Float64bits(inverse) &^ (1<<n - 1))
		rest := 1 - float64(hi*by) // exact: the two are close
		all[k] = quotient{by: by, hi: hi, lo: rest / by, reach: float64(int64(1)<<n - 1), bound: 1<<n - 1}
	}
	return all
}()

// of returns d / 10^k for a d within reach.
func (q *quotient) of(d float64) float64 { return float64(d*q.hi) + float64(d*q.lo) }

// reaches reports whether d may be divided. Where none may, 0 may, by nothing.
func (q *quotient) reaches(d int64) bool { return uint64(d)+q.bound <= 2*q.bound }

// quotientsOf sets dst to the quotients of v, of which none has a magnitude
// above reach.
func quotientsOf[T float](dst []T, v []int64, q *quotient, reach float64) {
	dst = dst[:len(v)]
	if reach > q.reach {
		for i, d := range v {
			dst[i] = T(intToFloat(d) / q.by)
		}
		return
	}
	hi, lo := q.hi, q.lo
	if bits.UintSize == 32 && reach <= math.MaxInt32 {
		for i, d := range v {
			f := float64(int32(d))
			dst[i] = T(float64(f*hi) + float64(f*lo))
		}
		return
	}
	for i, d := range v {
		f := wholeFloat(d)
		dst[i] = T(float64(f*hi) + float64(f*lo))
	}
}

// quotientsAlong is quotientsOf for the running sums of steps.
func quotientsAlong[T float](dst []T, steps []int64, q *quotient, reach float64) {
	dst = dst[:len(steps)]
	hi, lo := q.hi, q.lo
	if bits.UintSize == 32 && reach <= math.MaxInt32 {
		sum := int32(0)
		for i, x := range steps {
			sum += int32(x)
			f := float64(sum)
			dst[i] = T(float64(f*hi) + float64(f*lo))
		}
		return
	}
	sum := int64(0)
	for i, x := range steps {
		sum += x
		f := wholeFloat(sum)
		dst[i] = T(float64(f*hi) + float64(f*lo))
	}
}

// wholeFloat converts a number below 2^51 in magnitude by what is quickest on
// the machine: 32-bit ones have an instruction for 32 bits, and wait long for a
// float that was put together in memory.
func wholeFloat(d int64) float64 {
	if bits.UintSize == 64 {
		return float64(d)
	}
	high, low := float64(int32(d>>32)), float64(int32(uint32(d)^1<<31))
	return float64(high*(1<<32)) + (low + 1<<31)
}

// reachOf returns a bound of the magnitudes of v.
func reachOf(v []int64) float64 {
	var or int64
	for _, x := range v {
		or |= x ^ x>>63
	}
	return float64(or) + 1
}

// powerOfTwo returns 2^n.
func powerOfTwo(n uint) float64 { return math.Float64frombits(uint64(1023+n) << 52) }
