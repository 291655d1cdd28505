package udflib

import (
	"math"
	"math/cmplx"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
)

func TestFrequencyFigures(t *testing.T) {
	const from = "IoTDB 1.2, UDF libraries, frequency domain analysis"
	const ms, s = time.Millisecond, time.Second
	f32 := tickwell.KindFloat32
	for _, f := range []figure{
		{from, msec("0 1 7, 1 0 2, 2 1 -"), "conv", "0 7, 1 2, 2 7, 3 2", ms, 0},
		{from, msec("0 8 7, 1 2 2, 2 7 -, 3 2 -"), "deconv", "0 1, 1 0, 2 1", ms, 0},
		{from, msec("0 8 7, 1 2 2, 2 7 -, 3 2 -"), "deconv result=remainder", "0 1, 1 0, 2 0, 3 0", ms, 0},
		{from, msec(wavy).as(f32), "dwt method=haar", wavyHaar, ms, 1e-12},
		{from + ", latest", msec(haarBack), "idwt method=haar", haarPoints, ms, 1e-12},
		{from, sec(twoSines).as(f32), "fft", twoSinesAbs, ms, 1e-13},
		{from, sec(twoSines).as(f32), "fft result=real compress=0.99", twoSinesReal, ms, 1e-13},
		{from, sec(twoSines).as(f32), "fft result=imag compress=0.99", twoSinesImag, ms, 1e-13},
		{from, sec(twoSines).as(f32), "highpass wpass=0.45", twoSinesHigh, s, 1e-13},
		{from, sec(twoSines).as(f32), "lowpass wpass=0.45", twoSinesLow, s, 1e-13},
		{from + ", from 1970", msec(spectrumParts), "ifft interval=1m", spectrumBack, s, 1e-13},
	} {
		f.check(t)
	}
}

// dft is the transform by its definition.
func dft(a []complex128, inverse bool) []complex128 {
	n := len(a)
	out := make([]complex128, n)
	sign := -2i * math.Pi
	if inverse {
		sign = -sign
	}
	for k := range out {
		for j, v := range a {
			out[k] += v * cmplx.Exp(sign*complex(float64(k*j%n)/float64(n), 0))
		}
		if inverse {
			out[k] /= complex(float64(n), 0)
		}
	}
	return out
}

// The fast transform is the definition, for lengths of all sorts.
func TestTransformIsDefinition(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 4, 5, 7, 8, 12, 16, 17, 20, 31, 64, 97, 100, 255, 256, 257} {
		a := make([]complex128, n)
		for i := range a {
			a[i] = complex(math.Sin(float64(3*i*i)), math.Cos(float64(i*7)))
		}
		for _, inverse := range []bool{false, true} {
			got := append([]complex128(nil), a...)
			transform(got, inverse)
			for k, want := range dft(a, inverse) {
				if cmplx.Abs(got[k]-want) > 1e-11 {
					t.Fatalf("length %d, inverse %v, bin %d: %v, the definition gives %v", n, inverse, k, got[k], want)
				}
			}
		}
	}
}

// Long products go through the transform and are those of the sums.
func TestConvolveLong(t *testing.T) {
	x, y := make([]float64, 3*direct), make([]float64, 2*direct)
	for i := range x {
		x[i] = float64(i%17 - 8)
	}
	for i := range y {
		y[i] = float64(i%11 - 5)
	}
	got := convolve(x, y)
	for _, k := range []int{0, 1, direct, 2*direct + 7, len(got) - 1} {
		want := 0.0
		for i := range x {
			if j := k - i; j >= 0 && j < len(y) {
				want += x[i] * y[j]
			}
		}
		if math.Abs(got[k]-want) > 1e-7 {
			t.Errorf("coefficient %d is %v, the sum is %v", k, got[k], want)
		}
	}
}

// idwt undoes dwt, and dwt keeps the energy, for each wavelet and depth.
func TestWaveletInverse(t *testing.T) {
	for _, args := range []string{"method=haar", "method=db4 layer=3", "method=db6 layer=2", "method=db8 layer=9", "coef=0.6,0.8 layer=2"} {
		there := run(t, msec(wavy), "dwt "+args)
		var in, out float64
		var coefficients []float64
		for _, p := range there {
			coefficients = append(coefficients, p.value.Float64())
			out += p.value.Float64() * p.value.Float64()
		}
		back := run(t, plain(100*time.Millisecond, 0, coefficients...), "idwt "+args)
		like(t, "idwt after dwt "+args, list(back, time.Millisecond), wavy, 1e-9)
		for _, p := range back {
			in += p.value.Float64() * p.value.Float64()
		}
		if math.Abs(in-out) > 1e-9*in {
			t.Errorf("dwt %s: energy %v became %v", args, in, out)
		}
	}
	refused(t, msec("0 1, 1 2, 2 3"), "dwt", "power of 2, it is 3")
	refused(t, msec("0 1, 1 2"), "dwt method=db4", "4 coefficients needs as many points, there are 2")
	refused(t, msec("0 1, 1 2"), "dwt coef=1,2,3", "coef", "an even number")
}

// A cosine of 5 Hz whose strength swings with 2 Hz, at 64 Hz for 4 s: its
// envelope is 1 + cos(2π·2t)/2 + …, so the spectrum has 1 at 0 Hz and a quarter
// at 2 Hz (half of each amplitude, as each line has a mirror).
func TestEnvelope(t *testing.T) {
	var xs []float64
	for i := range 256 {
		at := float64(i) / 64
		xs = append(xs, (1+0.5*math.Cos(2*math.Pi*2*at))*math.Cos(2*math.Pi*16*at))
	}
	in := plain(15625*time.Microsecond, 0, xs...)
	got := run(t, in, "envelope amplification=4")
	if len(got) != 128 {
		t.Fatalf("%d frequencies, want half the points", len(got))
	}
	for i, p := range got {
		want := map[int]float64{0: 1, 8: 0.25}[i]
		if p.at != int64(i)*1e6 || math.Abs(p.value.Float64()-want) > 1e-9 {
			t.Errorf("%v Hz at %v: %v, want %v", float64(i)/4, time.Duration(p.at), p.value, want)
		}
	}
	refused(t, in, "envelope", "amplification", "0.25 Hz apart")
	refused(t, in, "envelope frequency=0", "frequency", "a positive frequency")
}

// The magnitudes of stft are those of fft by the number of points.
func TestShortTransform(t *testing.T) {
	f := figure{"8 points of cos(2πi/4) have half their size in bins 2 and 6, by the definition",
		msec("0 1, 1 0, 2 -1, 3 0, 4 1, 5 0, 6 -1, 7 0, 8 3"), "stft nfft=8", "0 0, 1 0, 2 0.5, 3 0, 4 0, 5 0, 6 0.5, 7 0, 8 3", time.Millisecond, 1e-12}
	f.check(t)
	f.call, f.want = "stft nfft=8 beta=1", "0 0, 1 0, 2 0, 3 0, 4 0, 5 0, 6 0, 7 0, 8 4"
	f.check(t)
}

// Even times make both transforms the same; a sine at uneven times keeps its
// frequency only in the one that looks at them.
func TestUnevenTransform(t *testing.T) {
	like(t, "fft method=nonuniform", list(run(t, sec(twoSines).as(tickwell.KindFloat32), "fft method=nonuniform"), time.Millisecond), twoSinesAbs, 1e-9)
	var b []byte
	for i := range 64 {
		at := float64(i) + 0.3*math.Sin(float64(i))
		b = fmtRow(b, at, math.Cos(2*math.Pi*at*24/64))
	}
	greatest := func(call string) (bin int, size float64) {
		for i, p := range run(t, sec(string(b)), call)[:32] {
			if v := p.value.Float64(); v > size {
				bin, size = i, v
			}
		}
		return bin, size
	}
	bin, sharp := greatest("fft method=nonuniform")
	_, dull := greatest("fft")
	if bin != 24 || sharp < 31 || dull > 31 {
		t.Errorf("the line is in bin %d with %.1f of 32, and by number with %.1f; want bin 24 with more than 31, and less than 31", bin, sharp, dull)
	}
}

// What has no place in a spectrum is an error.
func TestInverseTransformInput(t *testing.T) {
	refused(t, msec("0 1 0, 0.5 1 0"), "ifft", "time 500000 is no number of a point")
	refused(t, sec("1000000 1 0"), "ifft", "below 16777216")
	refused(t, msec("0 1 0"), "ifft start=soon", "start", "yyyy-MM-dd HH:mm:ss")
	refused(t, msec("0 1 0"), "ifft interval=1", "interval", "a positive number with a unit")
}
