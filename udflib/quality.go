package udflib

import (
	"math"
	"slices"

	"github.com/tickwell/tickwell"
)

// quality is the four functions of the group data quality. Each divides its
// input into windows and counts, in each, what is wrong with it.
type quality struct {
	score    func(times []int64, values []float64, downtime bool) float64
	downs    bool // takes the attribute downtime
	downtime bool
}

func qualityFunctions() []Function {
	window := Param{"window", "all points", "points of a window, or its length as a number with unit ms, s, m, h or d"}
	make1 := func(downs bool, score func([]int64, []float64, bool) float64) func() tickwell.UDTF {
		return func() tickwell.UDTF { return &quality{score: score, downs: downs} }
	}
	nulls := "null: no row; NaN and infinities count as wrong values"
	return []Function{
		{Name: "completeness", Does: "share of the expected points that are there and finite, at the begin of each window of more than 10 points", Inputs: 1, Nulls: nulls,
			Params: []Param{window, {"downtime", "false", "true: a gap of more than 9 intervals is a stop, and nothing is missing in it"}}, udtf: make1(true, completeness)},
		{Name: "consistency", Does: "share of the points that are not too dense, at the begin of each window of more than 10 points", Inputs: 1, Nulls: nulls,
			Params: []Param{window}, udtf: make1(false, consistency)},
		{Name: "timeliness", Does: "share of the points that are not late, at the begin of each window of more than 10 points", Inputs: 1, Nulls: nulls,
			Params: []Param{window}, udtf: make1(false, timeliness)},
		{Name: "validity", Does: "share of the points of usual value, change, speed and acceleration, at the begin of each window of more than 10 points", Inputs: 1, Nulls: nulls,
			Params: []Param{window}, udtf: make1(false, validity)},
	}
}

func (q *quality) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := read(in, 1)
	points, span := a.window("window")
	if q.downs {
		q.downtime = a.boolean("downtime", false)
	}
	cfg.Output(tickwell.KindFloat64)
	switch {
	case span > 0:
		cfg.SlidingTime(span, span)
	case points > 0:
		cfg.SlidingSize(points, points)
	default:
		cfg.SlidingSize(math.MaxInt32, math.MaxInt32)
	}
	return a.done()
}

// fewest is how many points a window must exceed to be judged.
const fewest = 10

func (q *quality) TransformWindow(w *tickwell.RowWindow, out *tickwell.Collector) error {
	if w.Len() <= fewest {
		return nil
	}
	values := make([]float64, w.Len())
	for i := range values {
		if values[i] = w.Row(i).Float64(0); !finite(values[i]) {
			values[i] = math.NaN()
		}
	}
	return out.PutFloat64(w.Row(0).UnixNano(), q.score(w.Tablet().Times, values, q.downtime))
}

// timeFaults are counts of points.
type timeFaults struct{ missing, late, dense int }

// horizon is how many points are looked at to tell a missing one from a late one.
const horizon = 10

// findTimeFaults judges the distances of points by their median, the interval.
// A point within half an interval of the one before is too dense. A gap of two
// intervals or more should hold points: if dense ones follow before the next
// such gap and within the horizon, these are late ones; the others are missing.
func findTimeFaults(times []int64, downtime bool) (f timeFaults) {
	interval := median(gaps(times))
	intervals := func(a, b int64) float64 { return float64(b-a) / interval }
	rest := slices.Clone(times)
	// drop takes point j out, which is near the head.
	drop := func(j int) {
		copy(rest[1:j+1], rest[:j])
		rest = rest[1:]
	}
	for len(rest) > 1 {
		switch gap := intervals(rest[0], rest[1]); {
		case gap <= 0.5:
			f.dense++
			drop(1)
		case gap >= 2 && !(downtime && gap > 9):
			expected := int(math.Floor(gap - 0.5))
			late := 0
			for j, ahead := 2, min(horizon, len(rest)); j < ahead && late < expected; j++ {
				next := intervals(rest[j-1], rest[j])
				if next >= 2 {
					break
				}
				if next <= 0.5 {
					late++
					drop(j)
					j--
					ahead--
				}
			}
			f.late += late
			f.missing += expected - late
		}
		rest = rest[1:]
	}
	return f
}

func share(part float64, whole int) float64 { return 1 - part/float64(whole) }

func completeness(times []int64, values []float64, downtime bool) float64 {
	f := findTimeFaults(times, downtime)
	bad := f.missing
	for _, v := range values {
		if math.IsNaN(v) {
			bad++
		}
	}
	return share(float64(bad), len(times)+f.missing)
}

func consistency(times []int64, _ []float64, _ bool) float64 {
	return share(float64(findTimeFaults(times, true).dense), len(times))
}

func timeliness(times []int64, _ []float64, _ bool) float64 {
	return share(float64(findTimeFaults(times, true).late), len(times))
}

// validity counts a quarter of a point for each of value, change, speed and
// acceleration that is further from the median than three times the median
// deviation. Fewer than two finite values are not valid at all.
func validity(times []int64, values []float64, _ bool) float64 {
	if !interpolate(times, values) {
		return 0
	}
	speed := speeds(times, values)
	bad := 0
	for _, xs := range [][]float64{values, differences(values), speed, differences(speed)} {
		m, far := median(xs), 3*scaledDeviation(xs)
		for _, x := range xs {
			// The last term is room for the rounding of equal steps.
			if math.Abs(x-m) > far+1e-9*max(math.Abs(x), math.Abs(m)) {
				bad++
			}
		}
	}
	return share(float64(bad)/4, len(times))
}

// scaledDeviation is the median deviation as an estimate of the standard
// deviation of a normal distribution, whose third quartile is at 0.6745 of it.
func scaledDeviation(xs []float64) float64 { return deviation(xs) / 0.674489750196081743 }
