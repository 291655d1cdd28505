package udflib

import (
	"math"

	"github.com/tickwell/tickwell"
)

type valueFill struct {
	holes
	method string
}

func (f *valueFill) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := read(in, 1)
	f.begin(a, cfg)
	f.method = a.oneOf("method", "linear", "mean", "previous", "likelihood", "ar", "ma", "screen")
	return a.done()
}

func (f *valueFill) Terminate(out *tickwell.Collector) error {
	n := len(f.values)
	var known []float64
	for _, v := range f.values {
		if !math.IsNaN(v) {
			known = append(known, v)
		}
	}
	if len(known) == 0 || len(known) == n {
		return emit(out, f.kind, f.times, f.values)
	}
	switch f.method {
	case "mean":
		m := mean(known)
		for i, v := range f.values {
			if math.IsNaN(v) {
				f.values[i] = m
			}
		}
	case "previous":
		for i := 1; i < n; i++ {
			if math.IsNaN(f.values[i]) {
				f.values[i] = f.values[i-1]
			}
		}
	case "likelihood":
		f.values = likely(f.times, f.values)
	case "ar":
		if !autoregress(f.values) {
			// The documents' answer to a series that is not autocorrelated.
			return put(out, f.kind, 0, 0)
		}
	case "ma":
		f.values = around(f.values)
	case "screen":
		f.values = screened(f.times, f.values)
	default:
		eachHole(f.values, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				f.values[i] = f.values[lo-1] + (f.values[hi]-f.values[lo-1])*float64(i-lo+1)/float64(hi-lo+1)
			}
		})
	}
	return emit(out, f.kind, f.times, f.values)
}

// eachHole calls fill for each run of NaN with a value on either side.
func eachHole(xs []float64, fill func(lo, hi int)) {
	last := -1
	for i, x := range xs {
		if math.IsNaN(x) {
			continue
		}
		if last >= 0 && i > last+1 {
			fill(last+1, i)
		}
		last = i
	}
}

// around fills NaN with the mean of the values of the two points on either side.
func around(xs []float64) []float64 {
	out := make([]float64, len(xs))
	for i, x := range xs {
		if out[i] = x; !math.IsNaN(x) {
			continue
		}
		sum, n := 0.0, 0.0
		for j := max(0, i-2); j <= min(len(xs)-1, i+2); j++ {
			if !math.IsNaN(xs[j]) {
				sum, n = sum+xs[j], n+1
			}
		}
		if n > 0 {
			out[i] = sum / n
		}
	}
	return out
}

// screened fills NaN by lines over time, within the usual speeds.
func screened(times []int64, xs []float64) []float64 {
	out := append([]float64(nil), xs...)
	if !interpolate(times, out) {
		return out
	}
	at := seconds(times)
	r := valueRepair{holes: holes{points: points{values: out}}}
	r.bounds(at)
	smooth := append([]float64(nil), out...)
	screen(at, smooth, r.lo, r.hi)
	for i, x := range xs {
		if out[i] = x; math.IsNaN(x) {
			out[i] = smooth[i]
		}
	}
	return out
}

// autoregress fills NaN from the value before by a model of order 1 of the
// distances to the mean. It reports false if neighbours are not correlated, or
// so much that the model does not hold.
func autoregress(xs []float64) bool {
	sum, n := 0.0, 0.0
	for _, x := range xs {
		if !math.IsNaN(x) {
			sum, n = sum+x, n+1
		}
	}
	m := sum / n
	var xx, xy float64
	for i := 1; i < len(xs); i++ {
		if a, b := xs[i-1]-m, xs[i]-m; !math.IsNaN(a + b) {
			xx, xy = xx+a*a, xy+a*b
		}
	}
	theta := xy / xx
	if !(math.Abs(theta) < 1) || theta == 0 {
		return false
	}
	for i := 1; i < len(xs); i++ {
		if math.IsNaN(xs[i]) {
			xs[i] = m + theta*(xs[i-1]-m)
		}
	}
	return true
}

// likely fills the NaN between values so that the squares of the changes of
// speed have the least sum, which makes these changes most likely if they are
// normal. Each run of NaN gives linear equations of five diagonals.
func likely(times []int64, xs []float64) []float64 {
	at := seconds(times)
	out := append([]float64(nil), xs...)
	eachHole(xs, func(lo, hi int) { fillRun(at, out, lo, hi) })
	return out
}

// fillRun solves the equations of one run, [lo, hi).
func fillRun(at, xs []float64, lo, hi int) {
	m := hi - lo
	// a[k] has the coefficients of unknowns k, k+1 and k+2; they are symmetric.
	a := make([][3]float64, m+2)
	right := make([]float64, m+2)
	for c := lo - 1; c <= hi; c++ { // the point in the middle of a change of speed
		if c < 1 || c > len(xs)-2 || c-1 < lo && math.IsNaN(xs[c-1]) || c+1 >= hi && math.IsNaN(xs[c+1]) {
			continue
		}
		h0, h1 := at[c]-at[c-1], at[c+1]-at[c]
		w := [3]float64{1 / h0, -1/h0 - 1/h1, 1 / h1}
		known := 0.0
		for d := range 3 {
			if i := c - 1 + d; i < lo || i >= hi {
				known += w[d] * xs[i]
			}
		}
		for d := range 3 {
			k := c - 1 + d - lo
			if k < 0 || k >= m {
				continue
			}
			right[k] -= w[d] * known
			for e := d; e < 3; e++ {
				if c-1+e < hi {
					a[k][e-d] += w[d] * w[e]
				}
			}
		}
	}
	for k := range m {
		for s := 1; s <= 2 && k+s < m; s++ {
			f := a[k][s] / a[k][0]
			a[k+s][0] -= f * a[k][s]
			if s == 1 {
				a[k+1][1] -= f * a[k][2]
			}
			right[k+s] -= f * right[k]
		}
	}
	for k := m - 1; k >= 0; k-- {
		v := right[k]
		for s := 1; s <= 2 && k+s < m; s++ {
			v -= a[k][s] * xs[lo+k+s]
		}
		xs[lo+k] = v / a[k][0]
	}
}
