package udflib

import (
	"math"

	"github.com/tickwell/tickwell"
)

// acf is the cross correlation of a series with itself.
type acf struct{ points }

func (f *acf) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	f.zeros = true
	cfg.Output(tickwell.KindFloat64)
	return read(in, 1).done()
}

func (f *acf) Terminate(out *tickwell.Collector) error {
	return emitIndexed(out, 1, scaled(correlate(f.values, f.values), 1/float64(len(f.values))))
}

func scaled(xs []float64, by float64) []float64 {
	for i := range xs {
		xs[i] *= by
	}
	return xs
}

// distinct gives each value once.
type distinct struct {
	seen map[cell]bool
	n    int
}

// cell is a value as a key of maps.
type cell struct {
	text string
	bits uint64
}

// cellOf is the key of v; all NaN have one.
func cellOf(v tickwell.Value) cell {
	switch v.Kind() {
	case tickwell.KindText:
		return cell{text: v.Text()}
	case tickwell.KindFloat32, tickwell.KindFloat64:
		f := v.Float64()
		if math.IsNaN(f) {
			f = math.NaN()
		}
		return cell{bits: math.Float64bits(f + 0)} // -0 is 0
	case tickwell.KindBool:
		if v.Bool() {
			return cell{bits: 1}
		}
		return cell{}
	}
	return cell{bits: uint64(v.Int64())}
}

func (f *distinct) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := readAny(in, 1, 1)
	if a.err == nil {
		cfg.Output(in.Inputs[0].Kind)
	}
	f.seen = map[cell]bool{}
	return a.done()
}

func (f *distinct) TransformRow(row tickwell.Row, out *tickwell.Collector) error {
	v := row.Value(0)
	key := cellOf(v)
	if f.seen[key] {
		return nil
	}
	f.seen[key] = true
	f.n++
	return out.Put(index(f.n), v)
}

// histogram counts values by equal ranges.
type histogram struct {
	lo, hi float64
	counts []int32
}

func (f *histogram) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := read(in, 1)
	f.lo = a.finite("min", -math.MaxFloat64)
	f.hi = a.finite("max", math.MaxFloat64)
	f.counts = make([]int32, a.integer("count", 1, 1, 1<<20))
	a.require(f.lo <= f.hi, "attribute \"min\" must not be greater than attribute \"max\"")
	cfg.Output(tickwell.KindInt32)
	return a.done()
}

func (f *histogram) TransformRow(row tickwell.Row, _ *tickwell.Collector) error {
	v := row.Float64(0)
	if !finite(v) {
		return nil
	}
	n := float64(len(f.counts))
	// Halves, so that the widest range does not overflow.
	at := (v/2 - f.lo/2) / (f.hi/2 - f.lo/2) * n
	i := 0
	if v >= f.hi && v > f.lo || at >= n {
		i = len(f.counts) - 1
	} else if at > 0 {
		i = int(at)
	}
	f.counts[i]++
	return nil
}

func (f *histogram) Terminate(out *tickwell.Collector) error {
	for i, n := range f.counts {
		if err := out.PutInt32(index(i), n); err != nil {
			return err
		}
	}
	return nil
}

// standard is minmax and zscore: values less a base by a scale, both given or
// those of the whole input.
type standard struct {
	points
	stream      bool
	base, scale float64
	zscore      bool
}

func (f *standard) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := read(in, 1)
	f.stream = a.oneOf("compute", "batch", "stream") == "stream"
	base, scale := "min", "max"
	if f.zscore {
		base, scale = "avg", "sd"
	}
	x, y := a.finite(base, 0), a.finite(scale, 0)
	f.base, f.scale = x, y-x
	if f.zscore {
		f.scale = y
	}
	if f.stream {
		a.need(base)
		a.need(scale)
		a.require(f.scale > 0, map[bool]string{
			true:  "attribute \"sd\" must be positive",
			false: "attribute \"max\" must be greater than attribute \"min\"",
		}[f.zscore])
	}
	cfg.Output(tickwell.KindFloat64)
	return a.done()
}

func (f *standard) of(v float64) float64 {
	if f.scale == 0 {
		return 0 // all values are the same
	}
	return (v - f.base) / f.scale
}

func (f *standard) TransformRow(row tickwell.Row, out *tickwell.Collector) error {
	if !f.stream {
		return f.points.TransformRow(row, out)
	}
	if v := row.Float64(0); finite(v) {
		return out.PutFloat64(row.UnixNano(), f.of(v))
	}
	return nil
}

func (f *standard) Terminate(out *tickwell.Collector) error {
	if f.stream || len(f.values) == 0 {
		return nil
	}
	if f.zscore {
		f.base, f.scale = mean(f.values), math.Sqrt(variance(f.values))
	} else {
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, v := range f.values {
			lo, hi = min(lo, v), max(hi, v)
		}
		f.base, f.scale = lo, hi-lo
	}
	for i, v := range f.values {
		if err := out.PutFloat64(f.times[i], f.of(v)); err != nil {
			return err
		}
	}
	return nil
}

// mvavg is the mean of the last points, once there are enough.
type mvavg struct {
	ring []float64
	n    int
	sum  float64
}

func (f *mvavg) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := read(in, 1)
	f.ring = make([]float64, a.integer("window", 10, 1, 1<<24))
	cfg.Output(tickwell.KindFloat64)
	return a.done()
}

func (f *mvavg) TransformRow(row tickwell.Row, out *tickwell.Collector) error {
	v := row.Float64(0)
	if !finite(v) {
		return nil
	}
	at := f.n % len(f.ring)
	f.sum += v - f.ring[at]
	f.ring[at] = v
	f.n++
	if f.n%len(f.ring) == 0 {
		// Added up anew once a round, so that rounding does not pile up.
		f.sum = 0
		for _, x := range f.ring {
			f.sum += x
		}
	}
	if f.n < len(f.ring) {
		return nil
	}
	return out.PutFloat64(row.UnixNano(), f.sum/float64(len(f.ring)))
}

// pacf is the partial autocorrelation.
type pacf struct {
	points
	lag int
}

func (f *pacf) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := read(in, 1)
	f.zeros = true
	f.lag = a.integer("lag", 0, 1, math.MaxInt32)
	cfg.Output(tickwell.KindFloat64)
	return a.done()
}

// covariances are the means of the products of xs with itself shifted by 0 to
// most, each over the products there are.
func covariances(xs []float64, most int) []float64 {
	n := len(xs)
	r := make([]float64, most+1)
	for s := range r {
		for i := s; i < n; i++ {
			r[s] += xs[i] * xs[i-s]
		}
		r[s] /= float64(n - s)
	}
	return r
}

// autoregression solves the equations of Yule and Walker for each order up to
// that of r, by the recursion of Levinson and Durbin. last has the last
// coefficient of each order, which is the partial autocorrelation, and all has
// the coefficients of the greatest order.
func autoregression(r []float64) (last, all []float64) {
	p := len(r) - 1
	a := make([]float64, p+1)
	was := make([]float64, p+1)
	e := r[0]
	for k := 1; k <= p; k++ {
		c := r[k]
		for j := 1; j < k; j++ {
			c -= a[j] * r[k-j]
		}
		c /= e
		copy(was, a)
		a[k] = c
		for j := 1; j < k; j++ {
			a[j] = was[j] - c*was[k-j]
		}
		e *= 1 - c*c
		last = append(last, c)
	}
	return last, a[1:]
}

func (f *pacf) Terminate(out *tickwell.Collector) error {
	n := len(f.values)
	if n == 0 {
		return nil
	}
	lag := f.lag
	if lag == 0 {
		lag = int(10 * math.Log10(float64(n)))
	}
	m := mean(f.values)
	for i := range f.values {
		f.values[i] -= m
	}
	last, _ := autoregression(covariances(f.values, min(lag, n-1)))
	for i, v := range append([]float64{1}, last...) {
		if math.IsInf(v, 0) {
			v = math.NaN() // the equations have no solution
		}
		if err := out.PutFloat64(f.times[i], v); err != nil {
			return err
		}
	}
	return nil
}

// qlb is the test of Ljung and Box for autocorrelation.
type qlb struct {
	points
	lag int
}

func (f *qlb) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := read(in, 1)
	f.zeros = true
	f.lag = a.integer("lag", 0, 0, math.MaxInt32)
	cfg.Output(tickwell.KindFloat64)
	return a.done()
}

func (f *qlb) Terminate(out *tickwell.Collector) error {
	n := len(f.values)
	lag := n - 2
	if f.lag > 0 {
		lag = min(lag, f.lag)
	}
	if lag < 1 {
		return nil
	}
	m := mean(f.values)
	for i := range f.values {
		f.values[i] -= m
	}
	sums := correlate(f.values, f.values)
	q := 0.0
	for s := 1; s <= lag; s++ {
		r := sums[n-1-s] / sums[n-1]
		q += r * r / float64(n-s) * float64(n) * float64(n+2)
		if err := out.PutFloat64(index(s), chiSquareTail(q, s)); err != nil {
			return err
		}
	}
	return nil
}
