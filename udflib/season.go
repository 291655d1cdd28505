package udflib

import (
	"fmt"
	"math"

	"github.com/tickwell/tickwell"
)

// seasonalRepair replaces what trend and season do not explain.
type seasonalRepair struct {
	holes
	robust bool
	period int
	k      float64
	rounds int
}

func (f *seasonalRepair) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := read(in, 1)
	f.begin(a, cfg)
	f.robust = a.oneOf("method", "classical", "improved") == "improved"
	a.need("period")
	f.period = a.integer("period", 2, 2, 1<<24)
	f.k = a.number("k", 9, func(v float64) bool { return v > 0 }, "a positive factor")
	f.rounds = a.integer("max_iter", 10, 1, 1<<20)
	return a.done()
}

func (f *seasonalRepair) Terminate(out *tickwell.Collector) error {
	n := len(f.values)
	if n == 0 {
		return nil
	}
	if n < 2*f.period {
		return fmt.Errorf("a season of %d points needs twice as many, there are %d: %w", f.period, n, tickwell.ErrBadInput)
	}
	if interpolate(f.times, f.values) {
		for range f.rounds {
			if !f.round() {
				break
			}
		}
	}
	return emit(out, f.kind, f.times, f.values)
}

// middle is the mean, or the median if robust, of the values that are no NaN.
func (f *seasonalRepair) middle(xs []float64) float64 {
	known := xs[:0:0]
	for _, x := range xs {
		if !math.IsNaN(x) {
			known = append(known, x)
		}
	}
	if f.robust {
		return median(known)
	}
	return mean(known)
}

// trend is the middle of a season around each point; for an even number of
// points, which lies between two, that of the two seasons nearest. At the ends
// of the series it is NaN, or goes on as it is if robust.
func (f *seasonalRepair) trend() []float64 {
	n, half := len(f.values), f.period/2
	t := make([]float64, n)
	for i := range t {
		t[i] = math.NaN()
		if i < half || i+half >= n {
			continue
		}
		t[i] = f.middle(f.values[i-half : i-half+f.period])
		if f.period%2 == 0 {
			t[i] = (t[i] + f.middle(f.values[i-half+1:i-half+1+f.period])) / 2
		}
	}
	if f.robust {
		for i := range half {
			t[i], t[n-1-i] = t[half], t[n-1-half]
		}
	}
	return t
}

// of gives the values of the points that are as far in the season as i.
func (f *seasonalRepair) of(xs []float64, i, without int) []float64 {
	var same []float64
	for j := i % f.period; j < len(xs); j += f.period {
		if j != without {
			same = append(same, xs[j])
		}
	}
	return same
}

// round replaces the points that are off once and reports whether there were
// any.
func (f *seasonalRepair) round() bool {
	trend := f.trend()
	rest := make([]float64, len(trend))
	for i, v := range f.values {
		rest[i] = v - trend[i]
	}
	season := make([]float64, f.period)
	for i := range season {
		season[i] = f.middle(f.of(rest, i, -1))
	}
	level := f.middle(season)
	for i := range season {
		season[i] -= level
	}
	for i := range rest {
		rest[i] -= season[i%f.period]
	}
	m := f.middle(rest)
	far := make([]float64, len(rest))
	for i, v := range rest {
		far[i] = math.Abs(v - m)
		if !f.robust {
			far[i] *= far[i]
		}
	}
	spread := f.middle(far)
	if !f.robust {
		spread = math.Sqrt(spread)
	}
	changed := false
	half := f.period / 2
	for i, v := range rest {
		if i < half || i+half >= len(rest) {
			continue // the trend is not known there
		}
		if math.Abs(v-m) > f.k*spread+1e-9*math.Abs(f.values[i]) {
			f.values[i] = trend[i] + season[i%f.period] + f.middle(f.of(rest, i, i))
			changed = true
		}
	}
	return changed
}
