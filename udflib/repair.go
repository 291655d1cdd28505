package udflib

import (
	"container/heap"
	"math"
	"slices"

	"github.com/tickwell/tickwell"
)

func repairFunctions() []Function {
	const filled = "null: no row; NaN and infinities are filled by lines first"
	return []Function{
		{Name: "masterrepair", Does: "one column of the first half of the inputs, each row replaced by a near one of the master data in the second half that fits the rows before", Nulls: masterNulls,
			Params: []Param{{"omega", "10 usual intervals", "how far back rows must fit, in milliseconds or as a number with unit"}, {"eta", "from the rows", "greatest distance of rows that fit, in standard deviations"},
				{"k", "from the rows, 2 to 5", "master rows that are tried for a row"}, {"output_column", "1", "number of the column"}}, udtf: udtf[masterRepair]()},
		{Name: "seasonalrepair", Does: "the series with the points replaced that trend and season do not explain", Inputs: 1, Nulls: filled,
			Params: []Param{{"method", "classical", "classical: means and standard deviations; improved: medians and median deviations"}, {"period", "", "points of a season, at least 2"},
				{"k", "9", "how many deviations a point may be off"}, {"max_iter", "10", "most rounds"}}, udtf: udtf[seasonalRepair]()},
		{Name: "timestamprepair", Does: "the points at even times, moved, left out and added at least cost; added ones are NaN, or left out of integers", Inputs: 1, Nulls: "null: no row; NaN is a value",
			Params: []Param{{"interval", "from the times", "interval in milliseconds, or as a number with unit"}, {"method", "median", "interval from the times: median, mode or cluster"}}, udtf: udtf[timestampRepair]()},
		{Name: "valuefill", Does: "the series with NaN filled", Inputs: 1, Nulls: "null: no row; NaN and infinities are filled",
			Params: []Param{{"method", "linear", "mean; previous; linear: evenly by number; likelihood: least squares of the changes of speed; ar: an autoregressive model of order 1; ma: mean of up to 5 points around; screen: by time, within usual speeds"}}, udtf: udtf[valueFill]()},
		{Name: "valuerepair", Does: "the series with values changed so that speeds, or changes of speed, are usual", Inputs: 1, Nulls: filled,
			Params: []Param{{"method", "screen", "screen: least change that keeps speeds between bounds; lsgreedy: most likely changes of speed"}, {"minSpeed", "median - 3 deviations", "least change by second, of screen"},
				{"maxSpeed", "median + 3 deviations", "greatest change by second, of screen"}, {"center", "0", "usual change of speed, by second and second, of lsgreedy"},
				{"sigma", "their median deviation", "standard deviation of the changes of speed, of lsgreedy"}}, udtf: udtf[valueRepair]()},
	}
}

// holes is points that keeps NaN, as fills and repairs need.
type holes struct {
	points
	kind tickwell.Kind
}

func (f *holes) begin(a *args, cfg *tickwell.UDTFConfig) {
	f.nans = true
	sameKind(a, cfg)
	if a.err == nil {
		f.kind = a.in.Inputs[0].Kind
	}
}

// seconds are the times in seconds from the first one.
func seconds(times []int64) []float64 {
	s := make([]float64, len(times))
	for i, at := range times {
		s[i] = float64(at-times[0]) / 1e9
	}
	return s
}

// speedsOf are changes by second.
func speedsOf(at, xs []float64) []float64 {
	d := differences(xs)
	for i := range d {
		d[i] /= at[i+1] - at[i]
	}
	return d
}

type valueRepair struct {
	holes
	screen         bool
	lo, hi         float64
	haveLo, haveHi bool
	center, sigma  float64
	haveSigma      bool
}

func (f *valueRepair) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := read(in, 1)
	f.begin(a, cfg)
	f.screen = a.oneOf("method", "screen", "lsgreedy") == "screen"
	f.haveLo, f.haveHi, f.haveSigma = a.has("minSpeed"), a.has("maxSpeed"), a.has("sigma")
	f.lo, f.hi = a.finite("minSpeed", 0), a.finite("maxSpeed", 0)
	f.center = a.finite("center", 0)
	f.sigma = a.number("sigma", 0, func(v float64) bool { return v >= 0 }, "a standard deviation of at least 0")
	a.require(!f.haveLo || !f.haveHi || f.lo <= f.hi, "attribute \"minSpeed\" must not be greater than attribute \"maxSpeed\"")
	return a.done()
}

func (f *valueRepair) Terminate(out *tickwell.Collector) error {
	if interpolate(f.times, f.values) {
		at := seconds(f.times)
		if f.screen {
			f.bounds(at)
			screen(at, f.values, f.lo, f.hi)
		} else {
			if !f.haveSigma {
				f.sigma = scaledDeviation(differences(speedsOf(at, f.values)))
			}
			greedy(at, f.values, f.center, f.sigma)
		}
	}
	return emit(out, f.kind, f.times, f.values)
}

// bounds sets those of the speeds that are not given.
func (f *valueRepair) bounds(at []float64) {
	speed := speedsOf(at, f.values)
	m, d := median(speed), 3*scaledDeviation(speed)
	if !f.haveLo {
		f.lo = m - d
	}
	if !f.haveHi {
		f.hi = m + d
	}
}

// screen changes xs in place so that all speeds lie in [lo, hi] (Song, Zhang,
// Wang and Yu 2015): each point becomes the median of what the points of the
// window after it allow, within what the point before it allows.
func screen(at, xs []float64, lo, hi float64) {
	window := 5 * median(differences(at))
	var allowed []float64
	for i := range xs {
		allowed = append(allowed[:0], xs[i])
		for j := i + 1; j < len(xs) && at[j]-at[i] <= window; j++ {
			dt := at[j] - at[i]
			allowed = append(allowed, xs[j]-lo*dt, xs[j]-hi*dt)
		}
		slices.Sort(allowed)
		v := allowed[len(allowed)/2]
		if i > 0 {
			dt := at[i] - at[i-1]
			v = max(xs[i-1]+lo*dt, min(xs[i-1]+hi*dt, v))
		}
		xs[i] = v
	}
}

// A bend is a point whose speed changes more than is usual.
type bend struct {
	i       int
	off     float64 // from the center
	version int
}

type bends []bend

func (b bends) Len() int           { return len(b) }
func (b bends) Less(i, j int) bool { return math.Abs(b[i].off) > math.Abs(b[j].off) }
func (b bends) Swap(i, j int)      { b[i], b[j] = b[j], b[i] }
func (b *bends) Push(x any)        { *b = append(*b, x.(bend)) }
func (b *bends) Pop() any {
	last := (*b)[len(*b)-1]
	*b = (*b)[:len(*b)-1]
	return last
}

// greedy moves the point with the least likely change of speed, again and
// again, until all are within three standard deviations (Zhang, Song and Wang
// 2016).
func greedy(at, xs []float64, center, sigma float64) {
	n := len(xs)
	const small = 1e-12
	version := make([]int, n)
	var queue bends
	look := func(i int) {
		if i < 1 || i > n-2 {
			return
		}
		version[i]++
		off := (xs[i+1]-xs[i])/(at[i+1]-at[i]) - (xs[i]-xs[i-1])/(at[i]-at[i-1]) - center
		if math.Abs(off) > max(small, 3*sigma) {
			heap.Push(&queue, bend{i, off, version[i]})
		}
	}
	for i := range xs {
		look(i)
	}
	for moves := 0; len(queue) > 0 && moves < 1000*n; {
		b := heap.Pop(&queue).(bend)
		i := b.i
		if b.version != version[i] {
			continue
		}
		moves++
		by := math.Abs(b.off)
		if sigma >= small {
			by = max(sigma, by/3)
		}
		dt0, dt1 := at[i]-at[i-1], at[i+1]-at[i]
		xs[i] += math.Copysign(by*dt0*dt1/(dt0+dt1), b.off)
		look(i - 1)
		look(i)
		look(i + 1)
	}
}
