package udflib

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/tickwell/tickwell"
)

// daubechies are the filters of low frequency of the wavelets of Daubechies
// (1992, table 6.1), by the number of their coefficients.
var daubechies = map[string][]float64{
	"haar": {math.Sqrt2 / 2, math.Sqrt2 / 2},
	"db2":  {math.Sqrt2 / 2, math.Sqrt2 / 2},
	"db4":  {0.4829629131445341, 0.8365163037378077, 0.2241438680420134, -0.1294095225512603},
	"db6":  {0.3326705529500825, 0.8068915093110924, 0.4598775021184914, -0.1350110200102546, -0.0854412738820267, 0.0352262918857095},
	"db8": {0.2303778133088964, 0.7148465705529154, 0.6308807679398587, -0.0279837694168599,
		-0.1870348117190931, 0.0308413818355607, 0.0328830116668852, -0.0105974017850690},
}

// dwt is the discrete wavelet transform and its inverse, on a circle of points.
type dwt struct {
	points
	inverse bool
	low     []float64
	layers  int
}

func (f *dwt) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := read(in, 1)
	f.low = daubechies[a.oneOf("method", "haar", "db2", "db4", "db6", "db8")]
	if text, ok := a.text("coef"); ok {
		f.low = nil
		for s := range strings.SplitSeq(text, ",") {
			v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
			if err != nil || !finite(v) {
				a.fail("coef", text, "a list of numbers separated by commas")
			}
			f.low = append(f.low, v)
		}
		if len(f.low)%2 == 1 {
			a.fail("coef", text, "an even number of coefficients")
		}
	}
	f.layers = a.integer("layer", 1, 1, 62)
	cfg.Output(tickwell.KindFloat64)
	return a.done()
}

func (f *dwt) Terminate(out *tickwell.Collector) error {
	n := len(f.values)
	if n == 0 {
		return nil
	}
	if n&(n-1) != 0 {
		return fmt.Errorf("the number of points must be a power of 2, it is %d: %w", n, tickwell.ErrBadInput)
	}
	if n < len(f.low) {
		return fmt.Errorf("a filter of %d coefficients needs as many points, there are %d: %w", len(f.low), n, tickwell.ErrBadInput)
	}
	high := make([]float64, len(f.low)) // the low filter backwards, every second sign changed
	for i, c := range f.low {
		high[len(high)-1-i] = c
		if i%2 == 0 {
			high[len(high)-1-i] = -c
		}
	}
	var sizes []int
	for size := n; len(sizes) < f.layers && size >= max(2, len(f.low)); size /= 2 {
		sizes = append(sizes, size)
	}
	work := make([]float64, n)
	for l := range sizes {
		if f.inverse {
			unstep(f.values[:sizes[len(sizes)-1-l]], work, f.low, high)
		} else {
			step(f.values[:sizes[l]], work, f.low, high)
		}
	}
	return emit(out, tickwell.KindFloat64, f.times, f.values)
}

// at is where coefficient k of the filter for outputs i and i + half meets the
// circle of n points: the filter is centred on the pair it makes.
func at(i, k, n, length int) int {
	return ((2*i+1+k-length/2)%n + n) % n
}

// step replaces xs by its low half and its high half.
func step(xs, work, low, high []float64) {
	n := len(xs)
	for i := range n / 2 {
		var l, h float64
		for k := range low {
			x := xs[at(i, k, n, len(low))]
			l += low[k] * x
			h += high[k] * x
		}
		work[i], work[n/2+i] = l, h
	}
	copy(xs, work)
}

// unstep undoes step: the filters are orthogonal, so each point is the sum of
// what it gave.
func unstep(xs, work, low, high []float64) {
	n := len(xs)
	clear(work[:n])
	for i := range n / 2 {
		for k := range low {
			work[at(i, k, n, len(low))] += low[k]*xs[i] + high[k]*xs[n/2+i]
		}
	}
	copy(xs, work)
}
