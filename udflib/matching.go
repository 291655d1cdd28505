package udflib

import (
	"math"

	"github.com/tickwell/tickwell"
)

func matchingFunctions() []Function {
	const both = "rows with null, NaN or infinities are left out"
	return []Function{
		{Name: "cov", Does: "covariance of a population; NaN for no rows", Inputs: 2, Nulls: both, udaf: udaf[moments2]()},
		{Name: "dtw", Does: "distance by dynamic time warping: the least sum of differences over all ways to run through both, at the cost of n²; 0 for no rows", Inputs: 2, Nulls: both, udaf: udaf[dtw]()},
		{Name: "pearson", Does: "correlation after Pearson; NaN for no rows", Inputs: 2, Nulls: both, udaf: func() tickwell.UDAF { return &moments2{correlation: true} }},
		{Name: "ptnsym", Does: "symmetry of each window of points, at its begin: the distance of its halves by dynamic time warping, 0 for a perfect one", Inputs: 1, Nulls: "null: no row; windows with NaN or infinities are left out",
			Params: []Param{{"window", "10", "number of points"}, {"threshold", "1.7976931348623157e+308", "greatest distance that is given"}}, udtf: udtf[ptnsym]()},
		{Name: "xcorr", Does: "cross correlation, 2n-1 points numbered from 1, point n without shift", Inputs: 2, Nulls: "count as 0, as do NaN and infinities", udtf: udtf[xcorr]()},
	}
}

// moments2 is cov and pearson, from sums of products of the distances to the
// means that are kept up to date.
type moments2 struct {
	correlation              bool
	n, mx, my, sxx, sxy, syy float64
}

func (f *moments2) BeforeStart(in *tickwell.UDFInput) (tickwell.Kind, error) {
	return tickwell.KindFloat64, read(in, 2).done()
}

func (f *moments2) Reset() { *f = moments2{correlation: f.correlation} }

func (f *moments2) Add(row tickwell.Row) error {
	if x, y := row.Float64(0), row.Float64(1); finite(x) && finite(y) {
		f.join(&moments2{n: 1, mx: x, my: y})
	}
	return nil
}

func (f *moments2) Merge(other tickwell.UDAF) error {
	f.join(other.(*moments2))
	return nil
}

func (f *moments2) join(o *moments2) {
	if o.n == 0 {
		return
	}
	n := f.n + o.n
	dx, dy, w := o.mx-f.mx, o.my-f.my, f.n*o.n/n
	f.sxx += o.sxx + dx*dx*w
	f.sxy += o.sxy + dx*dy*w
	f.syy += o.syy + dy*dy*w
	f.mx += dx * o.n / n
	f.my += dy * o.n / n
	f.n = n
}

func (f *moments2) Result() (tickwell.Value, error) {
	if f.correlation {
		return tickwell.Float64Value(f.sxy / (math.Sqrt(f.sxx) * math.Sqrt(f.syy))), nil
	}
	return tickwell.Float64Value(f.sxy / f.n), nil
}

type dtw struct{ pairs }

func (f *dtw) BeforeStart(in *tickwell.UDFInput) (tickwell.Kind, error) {
	return tickwell.KindFloat64, read(in, 2).done()
}

func (f *dtw) Result() (tickwell.Value, error) {
	n := len(f.ys)
	if n == 0 {
		return tickwell.Float64Value(0), nil
	}
	// cost[j] is the least sum of the ways to the pair of the current x and y j-1.
	cost := make([]float64, n+1)
	for j := 1; j <= n; j++ {
		cost[j] = math.Inf(1)
	}
	for _, x := range f.xs {
		corner := cost[0]
		cost[0] = math.Inf(1)
		for j, y := range f.ys {
			best := min(corner, cost[j], cost[j+1])
			corner = cost[j+1]
			cost[j+1] = best + math.Abs(x-y)
		}
	}
	return tickwell.Float64Value(cost[n]), nil
}

type ptnsym struct {
	size  int
	most  float64
	costs []float64
}

func (f *ptnsym) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := read(in, 1)
	f.size = a.integer("window", 10, 1, 1<<15)
	f.most = a.number("threshold", math.MaxFloat64, func(v float64) bool { return v >= 0 }, "a distance of at least 0")
	cfg.Output(tickwell.KindFloat64).SlidingSize(f.size, 1)
	return a.done()
}

func (f *ptnsym) TransformWindow(w *tickwell.RowWindow, out *tickwell.Collector) error {
	if w.Len() < f.size {
		return nil
	}
	xs := make([]float64, f.size)
	for i := range xs {
		if xs[i] = w.Row(i).Float64(0); !finite(xs[i]) {
			return nil
		}
	}
	if d := f.asymmetry(xs); d <= f.most {
		return out.PutFloat64(w.Row(0).UnixNano(), d)
	}
	return nil
}

// asymmetry is the least sum of squared differences of points that are put
// together from both ends towards the middle, where either end may wait.
func (f *ptnsym) asymmetry(xs []float64) float64 {
	n := len(xs)
	if cap(f.costs) < n {
		f.costs = make([]float64, n)
	}
	// cost[i] is that of xs[i:j+1], for growing j.
	cost := f.costs[:n]
	clear(cost)
	for j := 1; j < n; j++ {
		inner := 0.0 // of xs[i+1:j], from the round before
		cost[j] = 0
		for i := j - 1; i >= 0; i-- {
			best := min(cost[i+1], cost[i], inner)
			if i == j-1 {
				best = 0
			}
			inner = cost[i]
			d := xs[i] - xs[j]
			cost[i] = best + d*d
		}
	}
	return cost[0]
}

type xcorr struct{ a, b []float64 }

func (f *xcorr) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	cfg.Output(tickwell.KindFloat64)
	return read(in, 2).done()
}

func orZero(v float64) float64 {
	if finite(v) {
		return v
	}
	return 0
}

func (f *xcorr) TransformRow(row tickwell.Row, _ *tickwell.Collector) error {
	f.a = append(f.a, orZero(row.Float64(0)))
	f.b = append(f.b, orZero(row.Float64(1)))
	return nil
}

func (f *xcorr) Terminate(out *tickwell.Collector) error {
	return emitIndexed(out, 1, scaled(correlate(f.a, f.b), 1/float64(len(f.a))))
}
