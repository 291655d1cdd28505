package udflib

import (
	"fmt"
	"math"
	"slices"

	"github.com/tickwell/tickwell"
)

// integralAvg is the area below the line through the points by its duration.
type integralAvg struct {
	any            bool
	begin, end     int64   // times of the first and the last point
	first, last    float64 // their values
	area, duration float64
}

func (f *integralAvg) BeforeStart(in *tickwell.UDFInput) (tickwell.Kind, error) {
	return tickwell.KindFloat64, read(in, 1).done()
}

func (f *integralAvg) Reset() { *f = integralAvg{} }

func (f *integralAvg) Add(row tickwell.Row) error {
	if at, v := row.UnixNano(), row.Float64(0); finite(v) {
		f.join(&integralAvg{any: true, begin: at, end: at, first: v, last: v})
	}
	return nil
}

func (f *integralAvg) Merge(other tickwell.UDAF) error {
	f.join(other.(*integralAvg))
	return nil
}

// join adds a group that lies later, with the trapezoid between the two, or
// one of another series, without.
func (f *integralAvg) join(o *integralAvg) {
	switch {
	case !o.any:
		return
	case !f.any:
		*f = *o
		return
	case o.begin > f.end:
		dt := float64(o.begin - f.end)
		f.area += (f.last + o.first) / 2 * dt
		f.duration += dt
	}
	f.area += o.area
	f.duration += o.duration
	f.end, f.last = o.end, o.last
}

func (f *integralAvg) Result() (tickwell.Value, error) {
	if f.any && f.duration == 0 {
		return tickwell.Float64Value(f.last), nil
	}
	if !f.any {
		return tickwell.Float64Value(0), nil // as the documents say
	}
	return tickwell.Float64Value(f.area / f.duration), nil
}

// mad is the median distance from the median.
type mad struct{ sample }

func wantShare(what string) string { return what + " in [0, 1)" }

func below1(v float64) bool { return v >= 0 && v < 1 }

func (f *mad) BeforeStart(in *tickwell.UDFInput) (tickwell.Kind, error) {
	a := read(in, 1)
	// The exact answer is within any error, so none is made.
	a.number("error", 0, below1, wantShare("a relative error"))
	return tickwell.KindFloat64, a.done()
}

func (f *mad) Result() (tickwell.Value, error) {
	if len(f.xs) == 0 {
		return tickwell.Value{}, nil
	}
	return tickwell.Float64Value(deviation(f.xs)), nil
}

// ranked is median, percentile and quantile: exact while it holds all values,
// or by a sketch.
type ranked struct {
	sample
	kind   tickwell.Kind
	q      float64
	middle bool // median: the mean of two in the middle
	lower  bool // quantile: the value of rank ⌊q·n⌋ instead of ⌈q·n⌉
	sk     *sketch
}

func wantRank(v float64) bool { return v > 0 && v <= 1 }

func (f *ranked) BeforeStart(in *tickwell.UDFInput) (tickwell.Kind, error) {
	a := read(in, 1)
	f.kind, f.q = tickwell.KindFloat64, 0.5
	if !f.middle {
		f.q = a.number("rank", 0.5, wantRank, "a rank in (0, 1]")
		if len(in.Inputs) > 0 {
			f.kind = in.Inputs[0].Kind
		}
	}
	if f.lower {
		f.sk = newSketch(a.integer("K", 800, 100, 1<<24))
	} else if e := a.number("error", 0, below1, wantShare("an error of rank")); e > 0 {
		f.sk = sketchFor(e)
	}
	return f.kind, a.done()
}

func (f *ranked) Reset() {
	f.sample.Reset()
	if f.sk != nil {
		f.sk.reset()
	}
}

func (f *ranked) Add(row tickwell.Row) error {
	if f.sk == nil {
		return f.sample.Add(row)
	}
	if v := row.Float64(0); finite(v) {
		f.sk.add(v)
	}
	return nil
}

func (f *ranked) Merge(other tickwell.UDAF) error {
	if o := other.(*ranked); f.sk != nil {
		f.sk.merge(o.sk)
		return nil
	}
	return f.sample.Merge(other)
}

func (f *ranked) Result() (tickwell.Value, error) {
	switch {
	case f.sk != nil:
		if f.sk.n == 0 {
			return tickwell.Value{}, nil
		}
		at := f.q * float64(f.sk.n)
		if f.lower {
			at = math.Floor(at + 1e-9)
		} else {
			at = math.Ceil(at - 1e-9)
		}
		return value(f.kind, f.sk.at(max(1, at))), nil
	case len(f.xs) == 0:
		return tickwell.Value{}, nil
	}
	slices.Sort(f.xs) // their order is not needed again
	if f.middle {
		return tickwell.Float64Value(sortedMedian(f.xs)), nil
	}
	return value(f.kind, rank(f.xs, f.q)), nil
}

// skew is the skewness of a population, from sums of powers of the distance to
// the mean that are kept up to date (Pébay 2008).
type skew struct{ n, mean, m2, m3 float64 }

func (f *skew) BeforeStart(in *tickwell.UDFInput) (tickwell.Kind, error) {
	return tickwell.KindFloat64, read(in, 1).done()
}

func (f *skew) Reset() { *f = skew{} }

func (f *skew) Add(row tickwell.Row) error {
	if v := row.Float64(0); finite(v) {
		return f.Merge(&skew{n: 1, mean: v})
	}
	return nil
}

func (f *skew) Merge(other tickwell.UDAF) error {
	o := other.(*skew)
	n := f.n + o.n
	if o.n == 0 {
		return nil
	}
	d := o.mean - f.mean
	f.m3 += o.m3 + d*d*d*f.n*o.n*(f.n-o.n)/(n*n) + 3*d*(f.n*o.m2-o.n*f.m2)/n
	f.m2 += o.m2 + d*d*f.n*o.n/n
	f.mean += d * o.n / n
	f.n = n
	return nil
}

func (f *skew) Result() (tickwell.Value, error) {
	if f.n == 0 {
		return tickwell.Value{}, nil
	}
	return tickwell.Float64Value(math.Sqrt(f.n) * f.m3 / math.Pow(f.m2, 1.5)), nil
}

// spread is the greatest value less the least.
type spread struct {
	kind   tickwell.Kind
	any    bool
	lo, hi float64
	// of Int64, whose large values float64 does not tell apart
	ilo, ihi int64
}

func (f *spread) BeforeStart(in *tickwell.UDFInput) (tickwell.Kind, error) {
	err := read(in, 1).done()
	if err == nil {
		f.kind = in.Inputs[0].Kind
	}
	return f.kind, err
}

func (f *spread) Reset() { *f = spread{kind: f.kind} }

func (f *spread) Add(row tickwell.Row) error {
	v := row.Float64(0)
	if !finite(v) {
		return nil
	}
	i := row.Value(0).Int64()
	return f.Merge(&spread{any: true, lo: v, hi: v, ilo: i, ihi: i})
}

func (f *spread) Merge(other tickwell.UDAF) error {
	o := other.(*spread)
	switch {
	case !o.any:
	case !f.any:
		kind := f.kind
		*f = *o
		f.kind = kind
	default:
		f.lo, f.hi = min(f.lo, o.lo), max(f.hi, o.hi)
		f.ilo, f.ihi = min(f.ilo, o.ilo), max(f.ihi, o.ihi)
	}
	return nil
}

func (f *spread) Result() (tickwell.Value, error) {
	if !f.any {
		return tickwell.Value{}, nil
	}
	if f.kind == tickwell.KindFloat32 || f.kind == tickwell.KindFloat64 {
		return value(f.kind, f.hi-f.lo), nil
	}
	d := f.ihi - f.ilo
	if d < 0 || f.kind == tickwell.KindInt32 && d > math.MaxInt32 {
		return tickwell.Value{}, fmt.Errorf("from %d to %d is more than %s holds: %w", f.ilo, f.ihi, f.kind, tickwell.ErrBadInput)
	}
	if f.kind == tickwell.KindInt32 {
		return tickwell.Int32Value(int32(d)), nil
	}
	return tickwell.Int64Value(d), nil
}

// period is how many points a series takes to repeat itself: the least shift
// up to half its length at which its correlation with itself peaks, above one
// half and within a tenth of the highest such peak; 0 if there is none.
type period struct{ sample }

func (f *period) BeforeStart(in *tickwell.UDFInput) (tickwell.Kind, error) {
	return tickwell.KindInt32, read(in, 1).done()
}

func (f *period) Result() (tickwell.Value, error) {
	n := len(f.xs)
	r := make([]float64, n/2+2)
	for s, c := range shiftCorrelations(f.xs, min(n-2, n/2+1)) {
		r[s] = c
	}
	highest := 0.5
	peak := func(s int) bool { return r[s] > r[s-1] && r[s] >= r[s+1] }
	for s := 1; s <= n/2; s++ {
		if peak(s) {
			highest = max(highest, r[s])
		}
	}
	for s := 1; s <= n/2; s++ {
		if peak(s) && r[s] > 0.5 && r[s] >= 0.9*highest {
			return tickwell.Int32Value(int32(s)), nil
		}
	}
	return tickwell.Int32Value(0), nil
}

// shiftCorrelations are the Pearson correlations of xs with itself shifted by 0
// to most points, each over the points where both are.
func shiftCorrelations(xs []float64, most int) []float64 {
	n := len(xs)
	if most < 0 {
		return nil
	}
	m := mean(xs) // first, so that the sums below cancel less
	d := make([]float64, n)
	sum, sq := make([]float64, n+1), make([]float64, n+1)
	for i, x := range xs {
		d[i] = x - m
		sum[i+1], sq[i+1] = sum[i]+d[i], sq[i]+d[i]*d[i]
	}
	products := correlate(d, d)
	r := make([]float64, most+1)
	for s := range r {
		k := float64(n - s)
		sx, sy := sum[n-s], sum[n]-sum[s]
		xx, yy := sq[n-s]-sx*sx/k, (sq[n]-sq[s])-sy*sy/k
		if xx > 1e-12*sq[n] && yy > 1e-12*sq[n] {
			r[s] = (products[n-1-s] - sx*sy/k) / math.Sqrt(xx*yy)
		}
	}
	return r
}
