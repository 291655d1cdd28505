package udflib

import (
	"math"
	"slices"
)

// mean is NaN for no values.
func mean(xs []float64) float64 {
	sum := 0.0
	for _, x := range xs {
		sum += x
	}
	return sum / float64(len(xs))
}

// variance is that of a population.
func variance(xs []float64) float64 {
	m, sum := mean(xs), 0.0
	for _, x := range xs {
		sum += (x - m) * (x - m)
	}
	return sum / float64(len(xs))
}

// median is the middle value, or the mean of the two in the middle; NaN for
// none. xs stays as it is.
func median(xs []float64) float64 {
	if len(xs) == 0 {
		return math.NaN()
	}
	s := slices.Clone(xs)
	slices.Sort(s)
	return sortedMedian(s)
}

func sortedMedian(s []float64) float64 {
	n := len(s)
	if n%2 == 1 {
		return s[n/2]
	}
	return s[n/2-1]/2 + s[n/2]/2
}

// deviation is the median of the distances to the median.
func deviation(xs []float64) float64 {
	m := median(xs)
	d := make([]float64, len(xs))
	for i, x := range xs {
		d[i] = math.Abs(x - m)
	}
	return median(d)
}

// rank returns the value of rank q of a sorted sample: the smallest that a
// share q of the values does not exceed.
func rank(sorted []float64, q float64) float64 {
	n := len(sorted)
	return sorted[max(0, min(n, int(math.Ceil(q*float64(n)-1e-9)))-1)]
}

// gaps are the differences of times.
func gaps(times []int64) []float64 {
	g := make([]float64, 0, max(0, len(times)-1))
	for i := 1; i < len(times); i++ {
		g = append(g, float64(times[i]-times[i-1]))
	}
	return g
}

// differences are those of neighbours.
func differences(xs []float64) []float64 {
	d := make([]float64, 0, max(0, len(xs)-1))
	for i := 1; i < len(xs); i++ {
		d = append(d, xs[i]-xs[i-1])
	}
	return d
}

// speeds are the differences of neighbours by nanosecond.
func speeds(times []int64, xs []float64) []float64 {
	d := differences(xs)
	for i := range d {
		d[i] /= float64(times[i+1] - times[i])
	}
	return d
}

// interpolate replaces each NaN of xs by the line through its neighbours in
// time; at the ends the line through the two nearest values goes on. It reports
// whether there were two values to draw lines through.
func interpolate(times []int64, xs []float64) bool {
	a, b := -1, -1 // the last two values seen
	line := func(i int) float64 {
		return xs[a] + (xs[b]-xs[a])*(float64(times[i]-times[a])/float64(times[b]-times[a]))
	}
	open := 0 // first position not yet filled
	for i, x := range xs {
		if math.IsNaN(x) {
			continue
		}
		a, b = b, i
		if a < 0 {
			continue
		}
		for j := open; j < i; j++ {
			if math.IsNaN(xs[j]) {
				xs[j] = line(j)
			}
		}
		open = i + 1
	}
	if a < 0 {
		return false
	}
	for j := open; j < len(xs); j++ {
		xs[j] = line(j)
	}
	return true
}
