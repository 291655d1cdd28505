package udflib

import (
	"math"
	"slices"

	"github.com/tickwell/tickwell"
)

// resample gives one value for each step of a grid: of the points in the step
// if there are any, else between those of other steps.
type resample struct {
	points
	every         int64
	interp, aggr  string
	start, end    int64
	starts, ended bool
}

func (f *resample) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := read(in, 1)
	a.need("every")
	f.every = max(1, int64(a.duration("every", 1)))
	f.interp = a.oneOf("interp", "nan", "ffill", "bfill", "linear")
	f.aggr = a.oneOf("aggr", "mean", "max", "min", "first", "last", "median")
	f.start, f.starts = a.instant("start")
	f.end, f.ended = a.instant("end")
	a.require(!f.starts || !f.ended || f.start < f.end, "attribute \"start\" must be before attribute \"end\"")
	cfg.Output(tickwell.KindFloat64)
	return a.done()
}

// of is the value of the points in a step.
func (f *resample) of(xs []float64) float64 {
	switch f.aggr {
	case "max":
		return slices.Max(xs)
	case "min":
		return slices.Min(xs)
	case "first":
		return xs[0]
	case "last":
		return xs[len(xs)-1]
	case "median":
		return median(xs)
	}
	return mean(xs)
}

func (f *resample) Terminate(out *tickwell.Collector) error {
	n := len(f.times)
	if n == 0 {
		return nil
	}
	if !f.starts {
		f.start = f.times[0]
	}
	if !f.ended {
		f.end = f.times[n-1]
		if f.end < math.MaxInt64 {
			f.end++ // the last point is inside
		}
	}
	lo, _ := slices.BinarySearch(f.times, f.start)
	hi, _ := slices.BinarySearch(f.times, f.end)
	// at is the step to be given next; before it is the last one with points.
	at, before, was := f.start, int64(0), math.NaN()
	for lo < hi {
		step := (f.times[lo]-f.start)/f.every*f.every + f.start
		k := lo
		for k < hi && f.times[k]-step < f.every {
			k++
		}
		v := f.of(f.values[lo:k])
		for ; at < step; at += f.every {
			if err := out.PutFloat64(at, f.between(at, before, was, step, v)); err != nil {
				return err
			}
		}
		if err := out.PutFloat64(step, v); err != nil {
			return err
		}
		at, before, was, lo = step+f.every, step, v, k
	}
	for ; at < f.end && at >= f.start; at += f.every {
		v := math.NaN()
		if f.interp == "ffill" {
			v = was
		}
		if err := out.PutFloat64(at, v); err != nil {
			return err
		}
	}
	return nil
}

// between is the value of a step without points, after one at a with value x,
// which is NaN for none, and before one at b with value y.
func (f *resample) between(at, a int64, x float64, b int64, y float64) float64 {
	switch f.interp {
	case "ffill":
		return x
	case "bfill":
		return y
	case "linear":
		return x + (y-x)*(float64(at-a)/float64(b-a))
	}
	return math.NaN()
}
