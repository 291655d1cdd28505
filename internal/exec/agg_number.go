package exec

import (
	"math"
	"math/bits"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/column"
)

// sumAgg is sum, and avg if mean is set. Integers are added without rounding in
// 128 bits and rounded once at the end; floats are added in time order.
type sumAgg struct {
	mean  bool
	kind  column.Kind
	count int64
	f     float64
	hi    int64 // 128-bit two's complement hi:lo
	lo    uint64
}

func (a *sumAgg) Start(c *Call) (column.Kind, error) {
	a.kind = c.Inputs[0].Kind
	return column.Float64, nil
}

func (a *sumAgg) Reset() error { *a = sumAgg{mean: a.mean, kind: a.kind}; return nil }
func (a *sumAgg) Close()       {}

func (a *sumAgg) addInt(v int64) {
	lo, carry := bits.Add64(a.lo, uint64(v), 0)
	a.lo = lo
	a.hi += v>>63 + int64(carry)
}

func (a *sumAgg) Add(b *Batch, lo, hi int) error {
	c := &b.Cols[0]
	if len(c.Nulls) > 0 {
		for i := lo; i < hi; i++ {
			if c.Nulls.Get(i) {
				continue
			}
			a.count++
			if integer(c.Kind) {
				a.addInt(integerAt(c, i))
			} else {
				a.f += c.Float64At(i)
			}
		}
		return nil
	}
	a.count += int64(hi - lo)
	switch c.Kind {
	case column.Int32:
		var s int64
		for _, v := range c.Int32s[lo:hi] {
			s += int64(v) // at most 2^31 batches rows of 2^31: no overflow
		}
		a.addInt(s)
	case column.Int64:
		for _, v := range c.Int64s[lo:hi] {
			a.addInt(v)
		}
	case column.Float32:
		f := a.f
		for _, v := range c.Float32s[lo:hi] {
			f += float64(v)
		}
		a.f = f
	case column.Float64:
		f := a.f
		for _, v := range c.Float64s[lo:hi] {
			f += v
		}
		a.f = f
	}
	return nil
}

func (a *sumAgg) canStats(s *block.Stats, exact bool) bool {
	if integer(a.kind) {
		return s.Flags&block.FlagOverflow == 0
	}
	return !exact
}

func (a *sumAgg) fields() block.Fields { return block.FieldSum }

func (a *sumAgg) addStats(s *block.Stats) {
	if integer(a.kind) {
		a.addInt(s.SumI)
	} else {
		a.f += s.SumF
	}
	a.count += int64(s.Count)
}

func (a *sumAgg) Merge(other Aggregator) error {
	o := other.(*sumAgg)
	a.count += o.count
	a.f += o.f
	lo, carry := bits.Add64(a.lo, o.lo, 0)
	a.lo = lo
	a.hi += o.hi + int64(carry)
	return nil
}

func (a *sumAgg) Result(out *Col) error {
	if a.count == 0 {
		out.appendNull()
		return nil
	}
	v := a.f
	if integer(a.kind) {
		if a.hi == int64(a.lo)>>63 {
			v = float64(int64(a.lo))
		} else {
			v = float64(float64(a.hi)*(1<<64)) + float64(a.lo)
		}
	}
	if a.mean {
		v /= float64(a.count)
	}
	out.Float64s = append(out.Float64s, v)
	return nil
}

// rangeAgg is min_value, max_value and extreme. Numbers win over NaN, which is
// the result only if there is nothing else; of equal values the earliest stays,
// except that -0 is less than 0.
type rangeAgg struct {
	min, max bool // extreme keeps both
	kind     column.Kind
	any      bool // some value
	ranged   bool // some value that is not NaN
	loI, hiI int64
	loF, hiF float64
}

func (a *rangeAgg) Start(c *Call) (column.Kind, error) {
	a.kind = c.Inputs[0].Kind
	return a.kind, nil
}

func (a *rangeAgg) Reset() error {
	*a = rangeAgg{min: a.min, max: a.max, kind: a.kind}
	return nil
}
func (a *rangeAgg) Close() {}

func (a *rangeAgg) addInt(v int64) {
	if !a.ranged {
		a.any, a.ranged, a.loI, a.hiI = true, true, v, v
		return
	}
	a.loI, a.hiI = min(a.loI, v), max(a.hiI, v)
}

func (a *rangeAgg) addFloat(v float64) {
	a.any = true
	if v != v {
		return
	}
	if !a.ranged {
		a.ranged, a.loF, a.hiF = true, v, v
		return
	}
	// The built-in min and max order -0 before 0.
	a.loF, a.hiF = min(a.loF, v), max(a.hiF, v)
}

func (a *rangeAgg) Add(b *Batch, lo, hi int) error {
	c := &b.Cols[0]
	if len(c.Nulls) > 0 {
		for i := lo; i < hi; i++ {
			if !c.Nulls.Get(i) {
				a.addCell(c, i)
			}
		}
		return nil
	}
	switch {
	case lo >= hi:
	case c.Kind == column.Int32:
		l, h := bounds(c.Int32s[lo:hi])
		a.addInt(int64(l))
		a.addInt(int64(h))
	case c.Kind == column.Int64:
		l, h := bounds(c.Int64s[lo:hi])
		a.addInt(l)
		a.addInt(h)
	case c.Kind == column.Float64:
		a.addFloats(c.Float64s[lo:hi])
	default:
		for i := lo; i < hi; i++ {
			a.addCell(c, i)
		}
	}
	return nil
}

func (a *rangeAgg) addCell(c *Col, i int) {
	switch c.Kind {
	case column.Bool:
		a.addInt(int64(bit(c.Bools[i])))
	case column.Int32, column.Int64:
		a.addInt(integerAt(c, i))
	default:
		a.addFloat(c.Float64At(i))
	}
}

func bounds[T int32 | int64](s []T) (lo, hi T) {
	lo, hi = s[0], s[0]
	for _, v := range s[1:] {
		lo, hi = min(lo, v), max(hi, v)
	}
	return lo, hi
}

// addFloats compares with < first, which is quick, and looks closer only where
// that cannot decide: at NaN and zeros.
func (a *rangeAgg) addFloats(s []float64) {
	i := 0
	for ; i < len(s) && !a.ranged; i++ {
		a.addFloat(s[i])
	}
	lo, hi := a.loF, a.hiF
	for _, v := range s[i:] {
		if v < lo {
			lo = v
		} else if v > hi {
			hi = v
		} else if v == 0 {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	a.loF, a.hiF = lo, hi
	a.any = a.any || len(s) > 0
}

// canStats leaves blocks with a zero bound to be read where bits matter, since
// statistics do not tell 0 from -0.
func (a *rangeAgg) canStats(s *block.Stats, exact bool) bool {
	switch {
	case !exact:
	case a.kind == column.Float64 && (s.Min<<1 == 0 || s.Max<<1 == 0),
		a.kind == column.Float32 && (uint32(s.Min)<<1 == 0 || uint32(s.Max)<<1 == 0):
		return false
	}
	return s.Flags&block.FlagNoRange == 0 || s.Flags&block.FlagNaN != 0
}

func (a *rangeAgg) fields() block.Fields { return block.FieldRange }

func (a *rangeAgg) addStats(s *block.Stats) {
	if s.Flags&block.FlagNoRange != 0 {
		a.any = true // nothing but NaN
		return
	}
	switch a.kind {
	case column.Float32:
		a.addFloat(float64(math.Float32frombits(uint32(s.Min))))
		a.addFloat(float64(math.Float32frombits(uint32(s.Max))))
	case column.Float64:
		a.addFloat(math.Float64frombits(s.Min))
		a.addFloat(math.Float64frombits(s.Max))
	default:
		a.addInt(int64(s.Min))
		a.addInt(int64(s.Max))
	}
}

func (a *rangeAgg) Merge(other Aggregator) error {
	o := other.(*rangeAgg)
	a.any = a.any || o.any
	if !o.ranged {
		return nil
	}
	if a.kind == column.Float32 || a.kind == column.Float64 {
		a.addFloat(o.loF)
		a.addFloat(o.hiF)
	} else {
		a.addInt(o.loI)
		a.addInt(o.hiI)
	}
	return nil
}

func (a *rangeAgg) Result(out *Col) error {
	if !a.any {
		out.appendNull()
		return nil
	}
	i, f := a.loI, a.loF
	useMax := a.max
	if a.min && a.max { // extreme: on a tie the positive one
		useMax = math.Abs(a.hiF) >= math.Abs(a.loF) && magnitude(a.hiI) >= magnitude(a.loI)
	}
	if useMax {
		i, f = a.hiI, a.hiF
	}
	if !a.ranged {
		f = math.NaN()
	}
	switch a.kind {
	case column.Bool:
		out.Bools = append(out.Bools, i == 1)
	case column.Int32:
		out.Int32s = append(out.Int32s, int32(i))
	case column.Int64:
		out.Int64s = append(out.Int64s, i)
	case column.Float32:
		out.Float32s = append(out.Float32s, float32(f))
	case column.Float64:
		out.Float64s = append(out.Float64s, f)
	}
	return nil
}

func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}

// varianceAgg is the stddev and variance family, by Welford's recurrence in
// time order.
type varianceAgg struct {
	sample, root bool
	n, mean, m2  float64
}

func (a *varianceAgg) Start(*Call) (column.Kind, error) { return column.Float64, nil }
func (a *varianceAgg) Reset() error {
	*a = varianceAgg{sample: a.sample, root: a.root}
	return nil
}
func (a *varianceAgg) Close() {}

func (a *varianceAgg) Add(b *Batch, lo, hi int) error {
	c := &b.Cols[0]
	for i := lo; i < hi; i++ {
		if c.Nulls.Get(i) {
			continue
		}
		v := c.Float64At(i)
		a.n++
		d := v - a.mean
		a.mean += d / a.n
		a.m2 += float64(d * (v - a.mean))
	}
	return nil
}

func (a *varianceAgg) Merge(other Aggregator) error {
	o := other.(*varianceAgg)
	if o.n == 0 {
		return nil
	}
	n := a.n + o.n
	d := o.mean - a.mean
	a.m2 += o.m2 + float64(float64(d*d)*a.n*o.n/n)
	a.mean += float64(d * o.n / n)
	a.n = n
	return nil
}

func (a *varianceAgg) Result(out *Col) error {
	n := a.n
	if a.sample {
		n--
	}
	if a.n == 0 || n <= 0 {
		out.appendNull()
		return nil
	}
	v := a.m2 / n
	if a.root {
		v = math.Sqrt(v)
	}
	out.Float64s = append(out.Float64s, v)
	return nil
}
