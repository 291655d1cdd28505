package udflib

import (
	"math"

	"github.com/tickwell/tickwell"
)

// index is the time of point i of an output whose times only number the points.
func index(i int) int64 { return int64(i) * 1e6 }

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// points is the part of a UDTF that holds its input to compute at the end.
type points struct {
	// zeros and nans say what becomes of a value that is not finite: it is left
	// out unless one of them is set.
	zeros, nans bool

	times  []int64
	values []float64
}

// TransformRow keeps the row.
func (p *points) TransformRow(row tickwell.Row, _ *tickwell.Collector) error {
	v := row.Float64(0)
	if !finite(v) {
		switch {
		case p.zeros:
			v = 0
		case p.nans:
			v = math.NaN()
		default:
			return nil
		}
	}
	p.times = append(p.times, row.UnixNano())
	p.values = append(p.values, v)
	return nil
}

// put emits v as a point of kind k; integers are rounded.
func put(out *tickwell.Collector, k tickwell.Kind, at int64, v float64) error {
	switch k {
	case tickwell.KindInt32:
		return out.PutInt32(at, int32(max(math.MinInt32, min(math.MaxInt32, math.RoundToEven(v)))))
	case tickwell.KindInt64:
		return out.PutInt64(at, toInt64(v))
	case tickwell.KindFloat32:
		return out.PutFloat32(at, float32(v))
	}
	return out.PutFloat64(at, v)
}

func toInt64(v float64) int64 {
	v = math.RoundToEven(v)
	switch {
	case v >= math.MaxInt64:
		return math.MaxInt64
	case v <= math.MinInt64:
		return math.MinInt64
	case math.IsNaN(v):
		return 0
	}
	return int64(v)
}

// value is v as a [tickwell.Value] of kind k.
func value(k tickwell.Kind, v float64) tickwell.Value {
	switch k {
	case tickwell.KindInt32:
		return tickwell.Int32Value(int32(max(math.MinInt32, min(math.MaxInt32, math.RoundToEven(v)))))
	case tickwell.KindInt64:
		return tickwell.Int64Value(toInt64(v))
	case tickwell.KindFloat32:
		return tickwell.Float32Value(float32(v))
	}
	return tickwell.Float64Value(v)
}

// emit emits values at times.
func emit(out *tickwell.Collector, k tickwell.Kind, times []int64, values []float64) error {
	for i, at := range times {
		if err := put(out, k, at, values[i]); err != nil {
			return err
		}
	}
	return nil
}

// emitIndexed emits values as points numbered from first.
func emitIndexed(out *tickwell.Collector, first int, values []float64) error {
	for i, v := range values {
		if err := out.PutFloat64(index(first+i), v); err != nil {
			return err
		}
	}
	return nil
}

// sample is the part of a UDAF that holds the finite values of its group in
// the order of time. Groups merge by putting one after the other.
type sample struct{ xs []float64 }

func (s *sample) Reset() { s.xs = s.xs[:0] }

func (s *sample) Add(row tickwell.Row) error {
	if v := row.Float64(0); finite(v) {
		s.xs = append(s.xs, v)
	}
	return nil
}

func (s *sample) held() *sample { return s }

func (s *sample) Merge(other tickwell.UDAF) error {
	s.xs = append(s.xs, other.(interface{ held() *sample }).held().xs...)
	return nil
}

// pairs is a sample of the rows in which two inputs are finite.
type pairs struct{ xs, ys []float64 }

func (p *pairs) Reset() { p.xs, p.ys = p.xs[:0], p.ys[:0] }

func (p *pairs) Add(row tickwell.Row) error {
	if x, y := row.Float64(0), row.Float64(1); finite(x) && finite(y) {
		p.xs, p.ys = append(p.xs, x), append(p.ys, y)
	}
	return nil
}

func (p *pairs) heldPairs() *pairs { return p }

func (p *pairs) Merge(other tickwell.UDAF) error {
	o := other.(interface{ heldPairs() *pairs }).heldPairs()
	p.xs, p.ys = append(p.xs, o.xs...), append(p.ys, o.ys...)
	return nil
}
