package codec

import (
	"math"
	"math/bits"
)

// divisor divides numbers by a constant that usually divides them, with one
// multiplication instead of a division.
type divisor struct {
	by      uint64 // at least 1
	shift   uint   // by = odd << shift
	inverse uint64 // of odd, modulo 2^64
	limit   uint64 // largest magnitude of a quotient
}

func newDivisor(by uint64) divisor {
	shift := uint(bits.TrailingZeros64(by))
	odd := by >> shift
	inverse := odd // correct to 3 bits; each step doubles them
	for range 5 {
		inverse *= 2 - odd*inverse
	}
	return divisor{by: by, shift: shift, inverse: inverse, limit: math.MaxInt64 / by}
}

// divide returns x / d.by if that is exact.
func (d *divisor) divide(x int64) (int64, bool) {
	q := (x >> d.shift) * int64(d.inverse)
	exact := x&(1<<d.shift-1) == 0 && uint64(q)+d.limit <= 2*d.limit
	return q, exact
}

// quotient is divide for a multiple below 2^63.
func (d *divisor) quotient(x uint64) uint64 { return (x >> d.shift) * d.inverse }

func magnitude(x int64) uint64 {
	if x < 0 {
		return -uint64(x)
	}
	return uint64(x)
}

// gcd returns the greatest common divisor; gcd(0, x) is x.
func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
