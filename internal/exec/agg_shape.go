package exec

import (
	"fmt"
	"math"
	"time"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
)

// What a pathAgg tells of the path that the points make.
const (
	pathIntegral = iota // area in value × unit, by trapezoids
	pathMean            // the area by the time it covers
	pathIncrease        // of a counter, which may begin again at 0
	pathRate            // the increase by the time, in units
	pathState           // for how long a boolean was true
)

// pathAgg folds points with their neighbours. Groups are put together in the
// order of time.
type pathAgg struct {
	what   int
	unit   float64 // nanoseconds
	per    int64   // of pathState, nanoseconds that the query counts time in
	n      int64
	t0, t1 int64
	v0, v1 float64
	sum    float64
	on     int64
}

func (a *pathAgg) Start(c *Call) (column.Kind, error) {
	a.unit, a.per = float64(time.Second), perUnit(c.Unit)
	if text, ok := c.Attr("unit"); ok {
		d, err := time.ParseDuration(text)
		// The documents' integral has these, in this letter case.
		switch text {
		case "1S":
			d, err = time.Millisecond, nil
		case "1H":
			d, err = time.Hour, nil
		case "1d":
			d, err = 24*time.Hour, nil
		}
		if err != nil || d <= 0 {
			return 0, badQuery("aggregate %s: attribute \"unit\": %q is no positive duration", c.Name, text)
		}
		a.unit = float64(d)
	}
	if a.what == pathState {
		return column.Int64, nil
	}
	return column.Float64, nil
}

func (a *pathAgg) Reset() error { *a = pathAgg{what: a.what, unit: a.unit, per: a.per}; return nil }
func (a *pathAgg) Close()       {}

// step takes the way from the last point to (t, v).
func (a *pathAgg) step(t int64, v float64) {
	dt := float64(t - a.t1)
	switch a.what {
	case pathIntegral, pathMean:
		a.sum += dt * (a.v1 + v) / 2
	case pathState:
		if a.v1 != 0 {
			a.on += t - a.t1
		}
	default:
		if v >= a.v1 {
			a.sum += v - a.v1
		} else {
			a.sum += v // it began again
		}
	}
}

func (a *pathAgg) Add(b *Batch, lo, hi int) error {
	c := &b.Cols[0]
	for i := lo; i < hi; i++ {
		if c.Nulls.Get(i) {
			continue
		}
		t, v := b.Times[i], c.Float64At(i)
		if v != v {
			continue // NaN is no point of the path
		}
		if a.n == 0 {
			a.t0, a.v0 = t, v
		} else {
			a.step(t, v)
		}
		a.n++
		a.t1, a.v1 = t, v
	}
	return nil
}

func (a *pathAgg) Merge(other Aggregator) error {
	o := other.(*pathAgg)
	switch {
	case o.n == 0:
		return nil
	case a.n == 0:
		*a = *o
		return nil
	case o.t0 <= a.t1:
		return fmt.Errorf("an aggregate over the path of a series is not possible over several series: %w", errs.BadInput)
	}
	a.step(o.t0, o.v0)
	a.sum, a.on, a.n = a.sum+o.sum, a.on+o.on, a.n+o.n
	a.t1, a.v1 = o.t1, o.v1
	return nil
}

func (a *pathAgg) Result(out *Col) error {
	dt := float64(a.t1 - a.t0)
	switch {
	case a.n == 0 || a.what == pathRate && a.n == 1:
		out.appendNull()
	case a.what == pathState:
		out.Int64s = append(out.Int64s, floorDiv(a.on, a.per))
	case a.what == pathIntegral:
		out.Float64s = append(out.Float64s, a.sum/a.unit)
	case a.what == pathMean && a.n == 1:
		out.Float64s = append(out.Float64s, a.v0)
	case a.what == pathMean:
		out.Float64s = append(out.Float64s, a.sum/dt)
	case a.what == pathRate:
		out.Float64s = append(out.Float64s, a.sum/(dt/a.unit))
	default:
		out.Float64s = append(out.Float64s, a.sum)
	}
	return nil
}

// lineAgg fits a line through the points by least squares: its slope by second,
// or how much of the variance it explains.
type lineAgg struct {
	r2            bool
	n             float64
	t0            int64
	mt, mv        float64 // means; times in seconds since t0
	stt, svv, stv float64
}

func (a *lineAgg) Start(*Call) (column.Kind, error) { return column.Float64, nil }
func (a *lineAgg) Reset() error                     { *a = lineAgg{r2: a.r2}; return nil }
func (a *lineAgg) Close()                           {}

func (a *lineAgg) Add(b *Batch, lo, hi int) error {
	c := &b.Cols[0]
	for i := lo; i < hi; i++ {
		if c.Nulls.Get(i) {
			continue
		}
		if a.n == 0 {
			a.t0 = b.Times[i]
		}
		a.join(1, float64(b.Times[i]-a.t0)/1e9, c.Float64At(i), 0, 0, 0)
	}
	return nil
}

// join adds n points with these means and sums of squares about them.
func (a *lineAgg) join(n, mt, mv, stt, svv, stv float64) {
	all := a.n + n
	dt, dv, w := mt-a.mt, mv-a.mv, a.n*n/all
	a.stt += stt + float64(dt*dt*w)
	a.svv += svv + float64(dv*dv*w)
	a.stv += stv + float64(dt*dv*w)
	a.mt += dt * n / all
	a.mv += dv * n / all
	a.n = all
}

func (a *lineAgg) Merge(other Aggregator) error {
	o := other.(*lineAgg)
	if o.n == 0 {
		return nil
	}
	if a.n == 0 {
		a.t0 = o.t0
	}
	a.join(o.n, o.mt+float64(o.t0-a.t0)/1e9, o.mv, o.stt, o.svv, o.stv)
	return nil
}

func (a *lineAgg) Result(out *Col) error {
	switch {
	case a.n < 2 || a.stt == 0:
		out.appendNull()
	case !a.r2:
		out.Float64s = append(out.Float64s, a.stv/a.stt)
	case a.svv == 0:
		out.Float64s = append(out.Float64s, 1) // a level line fits level points
	default:
		out.Float64s = append(out.Float64s, a.stv*a.stv/(a.stt*a.svv))
	}
	return nil
}

// quantileAgg estimates a quantile within 1 % of its value: values are counted
// in buckets whose bounds grow by a constant factor. NaN is left out.
type quantileAgg struct {
	q        float64
	n, zeros int64
	pos, neg map[int32]int64
	lo, hi   float64
}

// logGamma is the logarithm of the factor between bounds of buckets.
var logGamma = math.Log(1.01 / 0.99)

func (a *quantileAgg) Start(c *Call) (column.Kind, error) {
	var err error
	a.q, err = c.number("q")
	if err == nil && !(a.q >= 0 && a.q <= 1) {
		err = badQuery("aggregate %s: attribute \"q\" is %v, it has to be in [0, 1]", c.Name, a.q)
	}
	if err != nil {
		return 0, err
	}
	return column.Float64, a.Reset()
}

func (a *quantileAgg) Reset() error {
	*a = quantileAgg{q: a.q, pos: map[int32]int64{}, neg: map[int32]int64{}}
	return nil
}
func (a *quantileAgg) Close() {}

func (a *quantileAgg) Add(b *Batch, lo, hi int) error {
	c := &b.Cols[0]
	for i := lo; i < hi; i++ {
		v := c.Float64At(i)
		if c.Nulls.Get(i) || v != v {
			continue
		}
		if a.n == 0 {
			a.lo, a.hi = v, v
		}
		a.lo, a.hi = min(a.lo, v), max(a.hi, v)
		a.n++
		switch {
		case v > 0:
			a.pos[bucketOf(v)]++
		case v < 0:
			a.neg[bucketOf(-v)]++
		default:
			a.zeros++
		}
	}
	return nil
}

func bucketOf(v float64) int32 {
	return int32(math.Ceil(math.Log(min(v, math.MaxFloat64)) / logGamma))
}

func (a *quantileAgg) Merge(other Aggregator) error {
	o := other.(*quantileAgg)
	if o.n == 0 {
		return nil
	}
	if a.n == 0 {
		a.lo, a.hi = o.lo, o.hi
	}
	a.lo, a.hi, a.n, a.zeros = min(a.lo, o.lo), max(a.hi, o.hi), a.n+o.n, a.zeros+o.zeros
	for k, n := range o.pos {
		a.pos[k] += n
	}
	for k, n := range o.neg {
		a.neg[k] += n
	}
	return nil
}

func (a *quantileAgg) Result(out *Col) error {
	switch r := int64(a.q * float64(a.n-1)); {
	case a.n == 0:
		out.appendNull()
	case r == 0:
		out.Float64s = append(out.Float64s, a.lo)
	case r == a.n-1:
		out.Float64s = append(out.Float64s, a.hi)
	default:
		out.Float64s = append(out.Float64s, min(max(a.at(r), a.lo), a.hi))
	}
	return nil
}

// at estimates the value of rank r, counted from 0.
func (a *quantileAgg) at(r int64) float64 {
	middle := func(k int32) float64 { return 2 * math.Exp(float64(k)*logGamma) / (1.01/0.99 + 1) }
	negative := sortedBuckets(a.neg)
	for i := len(negative) - 1; i >= 0; i-- {
		if r -= a.neg[negative[i]]; r < 0 {
			return -middle(negative[i])
		}
	}
	if r -= a.zeros; r < 0 {
		return 0
	}
	for _, k := range sortedBuckets(a.pos) {
		if r -= a.pos[k]; r < 0 {
			return middle(k)
		}
	}
	return a.hi
}
