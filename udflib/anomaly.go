package udflib

import (
	"math"
	"slices"

	"github.com/tickwell/tickwell"
)

// masterNulls is what becomes of nulls beside master data.
const masterNulls = "filled by the value before; rows of null are left out of either half"

func anomalyFunctions() []Function {
	eta := Param{"eta", "mean and 3 standard deviations", "distance in standard deviations at which a master row is near"}
	return []Function{
		{Name: "iqr", Does: "points further from the quartiles than 1.5 times their distance", Inputs: 1,
			Params: []Param{{"method", "batch", "batch: the quartiles of the whole input; stream: those given"}, {"q1", "", "lower quartile, for stream"}, {"q3", "", "upper quartile, for stream"}}, udtf: udtf[iqr]()},
		{Name: "ksigma", Does: "points further from the mean of the last window points than k times their standard deviation; the first window points are judged together", Inputs: 1,
			Params: []Param{{"k", "3", "factor, positive"}, {"window", "10000", "number of points"}}, udtf: udtf[ksigma]()},
		{Name: "lof", Does: "local outlier factor of each row among the rows of its window; the score of the documents is high where it is dense, that of breunig is about 1 there and higher for outliers", Nulls: "rows with null, NaN or infinities are left out",
			Params: []Param{{"method", "default", "default: a row is a point of as many dimensions as inputs; series: each windowsize points of the one input are a point, at the time of the first"},
				{"k", "3", "number of neighbours"}, {"window", "10000", "rows that are compared with each other, at the cost of their square"}, {"windowsize", "5", "dimensions of method series"},
				{"score", "documents", "documents: sum over all rows, as their figures are; breunig: over the k neighbours"}}, udtf: udtf[lof]()},
		{Name: "masterdetect", Does: "one column of the first inputs with the rows replaced that no master row is near, or whether each row then is off the model; the inputs are columns, as many of master data, and the model of mastertrain", Nulls: masterNulls,
			Params: []Param{{"p", "", "order of the model"}, {"output_type", "repair", "repair or anomaly"}, {"output_column", "1", "number of the column"}, {"k", "3", "master rows that are tried for a row"}, eta,
				{"beta", "mean and 3 standard deviations", "distance from the model, in standard deviations, above which a row is an anomaly"}}, udtf: udtf[masterDetect]()},
		{Name: "mastertrain", Does: "coefficients of the vector autoregressive model, numbered from 1, column by column, of the first half of the inputs, less the means and in standard deviations of the master data, learnt from the rows that a row of the master data in the second half is near", Nulls: masterNulls,
			Params: []Param{{"p", "", "order of the model"}, eta}, udtf: udtf[masterTrain]()},
		{Name: "missdetect", Does: "for each point whether it is on a line of at least minlen points, as left by a fill; none if most of the series is lines", Inputs: 1,
			Params: []Param{{"minlen", "10", "number of points, at least 10"}, {"error", "", "another name of minlen"}}, udtf: udtf[missDetect]()},
		{Name: "outlier", Does: "points with fewer than k points of their window, itself included, within distance r", Inputs: 1,
			Params: []Param{{"r", "5", "distance"}, {"k", "3", "number of points"}, {"w", "1000", "points of a window"}, {"s", "500", "points from window to window"}}, udtf: udtf[outlier]()},
		{Name: "range", Does: "points outside [lower_bound, upper_bound]; none if lower_bound is not below upper_bound", Inputs: 1,
			Params: []Param{{"lower_bound", "", "least value that is not given"}, {"upper_bound", "", "greatest value that is not given"}}, udtf: udtf[outside]()},
		{Name: "twosidedfilter", Does: "the points that are near the mean of the len points before or after them, counting those that are missing as 0", Inputs: 1,
			Params: []Param{{"len", "5", "number of points"}, {"threshold", "0.3", "relative distance from which a point is left out, in (0, 1)"}}, udtf: udtf[twoSided]()},
	}
}

// original is the part of a UDTF that holds the finite points of its input as
// they were.
type original struct {
	points
	cells []tickwell.Value
}

func (f *original) TransformRow(row tickwell.Row, out *tickwell.Collector) error {
	n := len(f.values)
	if err := f.points.TransformRow(row, out); err != nil || len(f.values) == n {
		return err
	}
	f.cells = append(f.cells, row.Value(0))
	return nil
}

// sameKind sets the output to the kind of the first input.
func sameKind(a *args, cfg *tickwell.UDTFConfig) {
	if a.err == nil {
		cfg.Output(a.in.Inputs[0].Kind)
	}
}

type iqr struct {
	points
	stream bool
	q1, q3 float64
}

func (f *iqr) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := read(in, 1)
	f.stream = a.oneOf("method", "batch", "stream") == "stream"
	f.q1, f.q3 = a.finite("q1", 0), a.finite("q3", 0)
	if f.stream {
		a.need("q1")
		a.need("q3")
		a.require(f.q1 < f.q3, "attribute \"q1\" must be less than attribute \"q3\"")
	}
	cfg.Output(tickwell.KindFloat64)
	return a.done()
}

func (f *iqr) far(v float64) bool {
	reach := 1.5 * (f.q3 - f.q1)
	return v < f.q1-reach || v > f.q3+reach
}

func (f *iqr) TransformRow(row tickwell.Row, out *tickwell.Collector) error {
	if !f.stream {
		return f.points.TransformRow(row, out)
	}
	if v := row.Float64(0); finite(v) && f.far(v) {
		return out.PutFloat64(row.UnixNano(), v)
	}
	return nil
}

func (f *iqr) Terminate(out *tickwell.Collector) error {
	if len(f.values) == 0 {
		return nil
	}
	sorted := slices.Clone(f.values)
	slices.Sort(sorted)
	f.q1, f.q3 = rank(sorted, 0.25), rank(sorted, 0.75)
	for i, v := range f.values {
		if f.far(v) {
			if err := out.PutFloat64(f.times[i], v); err != nil {
				return err
			}
		}
	}
	return nil
}

type ksigma struct {
	k     float64
	ring  []float64
	times []int64 // until the ring is full
	cells []tickwell.Value
	n     int
	// Sums over the ring of the distances to base, and of their squares.
	base, sum, sq float64
}

func (f *ksigma) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := read(in, 1)
	f.k = a.number("k", 3, func(v float64) bool { return v > 0 }, "a positive factor")
	f.ring = make([]float64, 0, a.integer("window", 10000, 1, 1<<24))
	sameKind(a, cfg)
	return a.done()
}

// far reports whether v is further than k standard deviations of a sample from
// the mean.
func (f *ksigma) far(v float64) bool {
	n := float64(len(f.ring))
	mean := f.sum / n
	sd := math.Sqrt(max(0, f.sq-n*mean*mean) / (n - 1))
	return math.Abs(v-f.base-mean) > f.k*sd
}

// addUp computes the sums anew around the mean, so that rounding does not pile
// up.
func (f *ksigma) addUp() {
	f.base = mean(f.ring)
	f.sum, f.sq = 0, 0
	for _, v := range f.ring {
		f.sum += v - f.base
		f.sq += (v - f.base) * (v - f.base)
	}
}

func (f *ksigma) TransformRow(row tickwell.Row, out *tickwell.Collector) error {
	v := row.Float64(0)
	if !finite(v) {
		return nil
	}
	if len(f.ring) < cap(f.ring) {
		f.ring = append(f.ring, v)
		f.times = append(f.times, row.UnixNano())
		f.cells = append(f.cells, row.Value(0))
		if len(f.ring) == cap(f.ring) {
			return f.first(out)
		}
		return nil
	}
	at := f.n % len(f.ring)
	was := f.ring[at]
	f.ring[at] = v
	if f.n++; at == len(f.ring)-1 {
		f.addUp()
	} else {
		f.sum += v - was
		f.sq += (v-f.base)*(v-f.base) - (was-f.base)*(was-f.base)
	}
	if f.far(v) {
		return out.Put(row.UnixNano(), row.Value(0))
	}
	return nil
}

// first judges the points of the first window.
func (f *ksigma) first(out *tickwell.Collector) error {
	if len(f.ring) < 2 {
		f.times = nil
		return nil
	}
	f.addUp()
	for i, v := range f.ring {
		if f.far(v) {
			if err := out.Put(f.times[i], f.cells[i]); err != nil {
				return err
			}
		}
	}
	f.times, f.cells = nil, nil
	return nil
}

func (f *ksigma) Terminate(out *tickwell.Collector) error {
	if len(f.ring) < cap(f.ring) {
		return f.first(out)
	}
	return nil
}

// outside is the function range.
type outside struct{ lo, hi float64 }

func (f *outside) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := read(in, 1)
	a.need("lower_bound")
	a.need("upper_bound")
	f.lo, f.hi = a.finite("lower_bound", 0), a.finite("upper_bound", 0)
	sameKind(a, cfg)
	return a.done()
}

func (f *outside) TransformRow(row tickwell.Row, out *tickwell.Collector) error {
	v := row.Float64(0)
	if !finite(v) || f.lo >= f.hi || v >= f.lo && v <= f.hi {
		return nil
	}
	return out.Put(row.UnixNano(), row.Value(0))
}

type twoSided struct {
	original
	size      int
	threshold float64
}

func (f *twoSided) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := read(in, 1)
	f.size = a.integer("len", 5, 1, 1<<24)
	f.threshold = a.number("threshold", 0.3, func(v float64) bool { return v > 0 && v < 1 }, "a threshold in (0, 1)")
	sameKind(a, cfg)
	return a.done()
}

func (f *twoSided) Terminate(out *tickwell.Collector) error {
	n := len(f.values)
	// Points count while they are no further than size usual intervals away.
	reach := int64(math.Round(median(gaps(f.times)) * float64(f.size)))
	sums := make([]float64, n+1)
	for i, v := range f.values {
		sums[i+1] = sums[i] + v
	}
	lo, hi := 0, 0
	for i, v := range f.values {
		at := f.times[i]
		for lo < i && (i-lo > f.size || at-f.times[lo] > reach) {
			lo++
		}
		hi = max(hi, i+1)
		for hi < n && hi-i <= f.size && f.times[hi]-at <= reach {
			hi++
		}
		before := (sums[i] - sums[lo]) / float64(f.size)
		after := (sums[hi] - sums[i+1]) / float64(f.size)
		strange := func(m float64) bool { return math.Abs(m-v)/(max(m, v)+1) >= f.threshold }
		if strange(before) && strange(after) {
			continue
		}
		if err := out.Put(at, f.cells[i]); err != nil {
			return err
		}
	}
	return nil
}

type outlier struct {
	original
	r       float64
	k, w, s int
}

func (f *outlier) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := read(in, 1)
	f.r = a.number("r", 5, func(v float64) bool { return v >= 0 }, "a distance of at least 0")
	f.k = a.integer("k", 3, 1, math.MaxInt32)
	f.w = a.integer("w", 1000, 1, 1<<24)
	f.s = a.integer("s", 500, 1, 1<<24)
	sameKind(a, cfg)
	return a.done()
}

func (f *outlier) Terminate(out *tickwell.Collector) error {
	n := len(f.values)
	far := make([]bool, n)
	sorted := make([]float64, 0, min(n, f.w))
	judge := func(lo, hi int) {
		sorted = append(sorted[:0], f.values[lo:hi]...)
		slices.Sort(sorted)
		for i := lo; i < hi; i++ {
			v := f.values[i]
			from, _ := slices.BinarySearch(sorted, v-f.r)
			// the first value above the reach
			to, _ := slices.BinarySearchFunc(sorted, v+f.r, func(x, most float64) int {
				if x <= most {
					return -1
				}
				return 1
			})
			far[i] = far[i] || to-from < f.k
		}
	}
	lo := 0
	for ; lo+f.w <= n; lo += f.s {
		judge(lo, lo+f.w)
	}
	// What no whole window reached is judged with the last points.
	if n > 0 && (lo == 0 || lo-f.s+f.w < n) {
		judge(max(0, n-f.w), n)
	}
	for i, is := range far {
		if is {
			if err := out.Put(f.times[i], f.cells[i]); err != nil {
				return err
			}
		}
	}
	return nil
}
