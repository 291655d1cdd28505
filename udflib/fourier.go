package udflib

import (
	"math"
	"math/bits"
	"math/cmplx"
)

// transform computes the discrete Fourier transform of a in place, the inverse
// one divided by the length. A length that is no power of two goes through a
// convolution of one that is (Bluestein), so that every length costs n log n.
func transform(a []complex128, inverse bool) {
	n := len(a)
	switch {
	case n < 2:
	case n&(n-1) == 0:
		radix2(a, inverse)
	default:
		bluestein(a, inverse)
	}
	if inverse {
		for i := range a {
			a[i] /= complex(float64(n), 0)
		}
	}
}

// root is e^(±2πi·k/n), the sign as inverse says.
func root(k, n int, inverse bool) complex128 {
	s, c := math.Sincos(2 * math.Pi * float64(k) / float64(n))
	if inverse {
		return complex(c, s)
	}
	return complex(c, -s)
}

// radix2 is the transform of a power of two, not scaled.
func radix2(a []complex128, inverse bool) {
	n := len(a)
	shift := 64 - bits.Len(uint(n-1))
	for i := range a {
		if j := int(bits.Reverse64(uint64(i)) >> shift); j > i {
			a[i], a[j] = a[j], a[i]
		}
	}
	w := make([]complex128, n/2)
	for k := range w {
		w[k] = root(k, n, inverse)
	}
	for size := 2; size <= n; size *= 2 {
		half, step := size/2, n/size
		for lo := 0; lo < n; lo += size {
			for k := range half {
				even, odd := a[lo+k], a[lo+k+half]*w[k*step]
				a[lo+k], a[lo+k+half] = even+odd, even-odd
			}
		}
	}
}

// bluestein is the transform of any length, not scaled.
func bluestein(a []complex128, inverse bool) {
	n := len(a)
	m := 1 << bits.Len(uint(2*n-1))
	chirp := make([]complex128, n)
	for i := range chirp {
		// i² modulo 2n, so that large i lose no digits.
		sq := int(uint64(i) * uint64(i) % uint64(2*n))
		chirp[i] = root(sq, 2*n, inverse)
	}
	x, y := make([]complex128, m), make([]complex128, m)
	for i, c := range chirp {
		x[i] = a[i] * c
		y[i] = cmplx.Conj(c)
		if i > 0 {
			y[m-i] = y[i]
		}
	}
	radix2(x, false)
	radix2(y, false)
	for i := range x {
		x[i] *= y[i]
	}
	radix2(x, true)
	for i, c := range chirp {
		a[i] = x[i] / complex(float64(m), 0) * c
	}
}

// spectrum is the transform of real values.
func spectrum(xs []float64) []complex128 {
	a := make([]complex128, len(xs))
	for i, x := range xs {
		a[i] = complex(x, 0)
	}
	transform(a, false)
	return a
}

// direct is the length up to which sums of products are taken one by one:
// exact for small integers, and faster than a transform.
const direct = 512

// convolve multiplies two polynomials.
func convolve(x, y []float64) []float64 {
	if len(x) == 0 || len(y) == 0 {
		return nil
	}
	out := make([]float64, len(x)+len(y)-1)
	if min(len(x), len(y)) <= direct {
		for i, a := range x {
			for j, b := range y {
				out[i+j] += a * b
			}
		}
		return out
	}
	n := 1 << bits.Len(uint(len(out)-1))
	a, b := make([]complex128, n), make([]complex128, n)
	for i, v := range x {
		a[i] = complex(v, 0)
	}
	for i, v := range y {
		b[i] = complex(v, 0)
	}
	transform(a, false)
	transform(b, false)
	for i := range a {
		a[i] *= b[i]
	}
	transform(a, true)
	for i := range out {
		out[i] = real(a[i])
	}
	return out
}

// correlate gives, for series of length n, the sums of x[m]·y[m+s] for the
// shifts s from n-1 down to 1-n: 2n-1 values with shift 0 in the middle.
func correlate(x, y []float64) []float64 {
	back := make([]float64, len(y))
	for i, v := range y {
		back[len(y)-1-i] = v
	}
	return convolve(x, back)
}
