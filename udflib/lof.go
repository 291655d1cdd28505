package udflib

import (
	"math"

	"github.com/tickwell/tickwell"
)

// lof is the local outlier factor.
type lof struct {
	series  bool
	breunig bool
	k, dims int
}

func (f *lof) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := readBetween(in, 1, math.MaxInt32)
	f.series = a.oneOf("method", "default", "series") == "series"
	f.breunig = a.oneOf("score", "documents", "breunig") == "breunig"
	f.k = a.integer("k", 3, 1, 1<<15)
	window := a.integer("window", 10000, 1, 1<<16)
	f.dims = a.integer("windowsize", 5, 1, 1<<10)
	a.require(!f.series || len(in.Inputs) == 1, "method series takes one input series")
	cfg.Output(tickwell.KindFloat64).SlidingSize(window, window)
	return a.done()
}

// rowsOf gives the whole rows of a window one after the other, and their times.
func (f *lof) rowsOf(w *tickwell.RowWindow) (times []int64, cells []float64, dims int) {
	dims = len(w.Tablet().Columns)
rows:
	for i := range w.Len() {
		row := w.Row(i)
		n := len(cells)
		for c := range dims {
			v := row.Float64(c)
			if !finite(v) {
				cells = cells[:n]
				continue rows
			}
			cells = append(cells, v)
		}
		times = append(times, row.UnixNano())
	}
	return times, cells, dims
}

func (f *lof) TransformWindow(w *tickwell.RowWindow, out *tickwell.Collector) error {
	times, cells, dims := f.rowsOf(w)
	n, step := len(times), dims
	if f.series {
		// A point is as many values as there are dimensions, from each one on.
		n, dims, step = n-f.dims+1, f.dims, 1
	}
	if n <= f.k {
		return nil
	}
	point := func(i int) []float64 { return cells[i*step : i*step+dims] }
	score := f.scoreDocuments
	if f.breunig {
		score = f.scoreBreunig
	}
	for i, v := range score(n, point) {
		if err := out.PutFloat64(times[i], v); err != nil {
			return err
		}
	}
	return nil
}

func distance(a, b []float64) float64 {
	sum := 0.0
	for i, x := range a {
		sum += (x - b[i]) * (x - b[i])
	}
	return math.Sqrt(sum)
}

// A neighbour of a point.
type neighbour struct {
	i int
	d float64
}

// nearest keeps the k nearest, sorted.
func nearest(near []neighbour, k int, n neighbour) []neighbour {
	if len(near) == k && n.d >= near[k-1].d {
		return near
	}
	if len(near) < k {
		near = append(near, n)
	}
	i := len(near) - 1
	for ; i > 0 && near[i-1].d > n.d; i-- {
		near[i] = near[i-1]
	}
	near[i] = n
	return near
}

// scoreDocuments gives the figures of the documents: the reach of a point is the
// sum of its distances to all points, none counted for less than that to its
// k-th neighbour, by k; its score is the sum of all reaches by its own, by k.
func (f *lof) scoreDocuments(n int, point func(int) []float64) []float64 {
	reach := make([]float64, n)
	d := make([]float64, n)
	total := 0.0
	var near []neighbour
	for i := range n {
		near = near[:0]
		for j := range n {
			d[j] = distance(point(i), point(j))
			if j != i {
				near = nearest(near, f.k, neighbour{j, d[j]})
			}
		}
		for _, x := range d {
			reach[i] += max(x, near[f.k-1].d)
		}
		reach[i] /= float64(f.k)
		total += reach[i]
	}
	for i, r := range reach {
		reach[i] = orOne(total/r) / float64(f.k)
	}
	return reach
}

// orOne is 1 for 0/0: where points are the same, none stands out.
func orOne(v float64) float64 {
	if math.IsNaN(v) {
		return 1
	}
	return v
}

// scoreBreunig is the factor by its definition (Breunig, Kriegel, Ng and Sander
// 2000), with exactly k neighbours.
func (f *lof) scoreBreunig(n int, point func(int) []float64) []float64 {
	near := make([][]neighbour, n)
	for i := range n {
		for j := range n {
			if j != i {
				near[i] = nearest(near[i], f.k, neighbour{j, distance(point(i), point(j))})
			}
		}
	}
	density := make([]float64, n)
	for i := range n {
		sum := 0.0
		for _, o := range near[i] {
			sum += max(o.d, near[o.i][f.k-1].d)
		}
		density[i] = float64(f.k) / sum
	}
	out := make([]float64, n)
	for i := range n {
		for _, o := range near[i] {
			ratio := density[o.i] / density[i]
			if math.IsInf(density[o.i], 1) && math.IsInf(density[i], 1) {
				ratio = 1
			}
			out[i] += ratio / float64(f.k)
		}
	}
	return out
}
