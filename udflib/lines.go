package udflib

import (
	"container/heap"
	"math"

	"github.com/tickwell/tickwell"
)

// fitLine is the line of least squares through values at 0, 1, 2 and so on.
func fitLine(ys []float64) (at0, slope float64) {
	n := float64(len(ys))
	if n < 2 {
		return mean(ys), 0
	}
	mid, m := (n-1)/2, mean(ys)
	var sxy, sxx float64
	for i, y := range ys {
		d := float64(i) - mid
		sxy += d * (y - m)
		sxx += d * d
	}
	slope = sxy / sxx
	return m - slope*mid, slope
}

// lineError is the mean distance of values from their line.
func lineError(ys []float64) float64 {
	at0, slope := fitLine(ys)
	sum := 0.0
	for i, y := range ys {
		sum += math.Abs(y - at0 - slope*float64(i))
	}
	return sum / float64(len(ys))
}

// segment cuts a series into pieces that are nearly lines.
type segment struct {
	points
	all bool
	err float64
}

func (f *segment) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := read(in, 1)
	f.all = a.oneOf("output", "first", "all") == "all"
	f.err = a.number("error", 0.1, func(v float64) bool { return v >= 0 }, "a mean absolute error of at least 0")
	cfg.Output(tickwell.KindFloat64)
	return a.done()
}

func (f *segment) Terminate(out *tickwell.Collector) error {
	for _, piece := range cutLines(f.values, f.err) {
		ys := f.values[piece[0]:piece[1]]
		at0, slope := fitLine(ys)
		for i := range ys {
			if err := out.PutFloat64(f.times[piece[0]+i], at0+slope*float64(i)); err != nil {
				return err
			}
			if !f.all {
				break
			}
		}
	}
	return nil
}

// A piece is part of a series, [lo, hi); version counts its changes.
type piece struct {
	lo, hi     int
	prev, next *piece
	version    int
	gone       bool
}

// A join of a piece with the next one, at the cost of the error of their line.
type join struct {
	cost        float64
	left        *piece
	mine, their int // versions of both when the cost was computed
}

type joins []join

func (j joins) Len() int { return len(j) }
func (j joins) Less(a, b int) bool {
	return j[a].cost < j[b].cost || j[a].cost == j[b].cost && j[a].left.lo < j[b].left.lo
}
func (j joins) Swap(a, b int) { j[a], j[b] = j[b], j[a] }
func (j *joins) Push(x any)   { *j = append(*j, x.(join)) }
func (j *joins) Pop() any {
	last := (*j)[len(*j)-1]
	*j = (*j)[:len(*j)-1]
	return last
}

// cutLines begins with pieces of two points and joins the cheapest neighbours
// as long as the error stays below most (Keogh 2001, bottom up).
func cutLines(ys []float64, most float64) (pieces [][2]int) {
	n := len(ys)
	if n == 0 {
		return nil
	}
	var first, last *piece
	for lo := 0; lo < n; lo += 2 {
		if lo == n-1 && last != nil {
			last.hi = n // the odd one goes with the two before
			break
		}
		p := &piece{lo: lo, hi: min(lo+2, n), prev: last}
		if last == nil {
			first = p
		} else {
			last.next = p
		}
		last = p
	}
	var queue joins
	push := func(p *piece) {
		if p != nil && p.next != nil {
			heap.Push(&queue, join{lineError(ys[p.lo:p.next.hi]), p, p.version, p.next.version})
		}
	}
	for p := first; p != nil; p = p.next {
		push(p)
	}
	for len(queue) > 0 {
		j := heap.Pop(&queue).(join)
		p := j.left
		if p.gone || p.next == nil || p.version != j.mine || p.next.version != j.their {
			continue
		}
		if j.cost >= most {
			break
		}
		dead := p.next
		p.hi, p.next, dead.gone = dead.hi, dead.next, true
		p.version++
		if p.next != nil {
			p.next.prev = p
		}
		push(p)
		push(p.prev)
	}
	for p := first; p != nil; p = p.next {
		pieces = append(pieces, [2]int{p.lo, p.hi})
	}
	return pieces
}

// spline draws a smooth line of cubic pieces through the points (Akima 1970):
// its slope at a point depends on the two points on either side, so that a
// jump makes no waves further off. The first and the last piece are those of
// the parabolas through the first and the last three points.
type spline struct {
	points
	n int
}

func (f *spline) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := read(in, 1)
	a.need("points")
	f.n = a.integer("points", 2, 2, math.MaxInt32)
	cfg.Output(tickwell.KindFloat64)
	return a.done()
}

func (f *spline) Terminate(out *tickwell.Collector) error {
	n := len(f.times)
	if n < 4 {
		return nil
	}
	// Times from the first one, so that they have all their digits.
	x := make([]float64, n)
	for i, at := range f.times {
		x[i] = float64(at - f.times[0])
	}
	slopes := akimaSlopes(x, f.values)
	span := f.times[n-1] - f.times[0]
	k, last := 0, int64(-1)
	for i := range f.n {
		dt := int64(float64(span) * (float64(i) / float64(f.n-1)))
		if i == f.n-1 {
			dt = span
		}
		if dt == last {
			continue // more points than nanoseconds
		}
		last = dt
		at := float64(dt)
		for k < n-2 && at >= x[k+1] {
			k++
		}
		if err := out.PutFloat64(f.times[0]+dt, hermite(x[k:], f.values[k:], slopes[k:], at)); err != nil {
			return err
		}
	}
	return nil
}

// hermite is the cubic piece between the first two points with given slopes.
func hermite(x, y, slope []float64, at float64) float64 {
	h := x[1] - x[0]
	mean := (y[1] - y[0]) / h
	d := at - x[0]
	c2 := (3*mean - 2*slope[0] - slope[1]) / h
	c3 := (slope[0] + slope[1] - 2*mean) / (h * h)
	return y[0] + d*(slope[0]+d*(c2+d*c3))
}

func akimaSlopes(x, y []float64) []float64 {
	n := len(x)
	s := make([]float64, n-1) // between points
	for i := range s {
		s[i] = (y[i+1] - y[i]) / (x[i+1] - x[i])
	}
	slopes := make([]float64, n)
	for i := 2; i < n-2; i++ {
		left, right := math.Abs(s[i+1]-s[i]), math.Abs(s[i-1]-s[i-2])
		if left+right == 0 {
			left, right = x[i+1]-x[i], x[i]-x[i-1]
		}
		slopes[i] = (left*s[i-1] + right*s[i]) / (left + right)
	}
	// parabola is the slope at x[at] of the parabola through three points.
	parabola := func(first, at int) float64 {
		bend := (s[first+1] - s[first]) / (x[first+2] - x[first])
		return s[first] + bend*((x[at]-x[first])+(x[at]-x[first+1]))
	}
	slopes[0], slopes[1] = parabola(0, 0), parabola(0, 1)
	slopes[n-2], slopes[n-1] = parabola(n-3, n-2), parabola(n-3, n-1)
	return slopes
}
