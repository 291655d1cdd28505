package udflib

import (
	"fmt"
	"math"
	"slices"

	"github.com/tickwell/tickwell"
)

// master is what the functions with master data share: rows of width columns,
// and master rows of as many, in the second half of the inputs.
type master struct {
	width  int
	times  []int64
	rows   [][]float64
	master [][]float64
	scale  []float64 // standard deviation of each column
}

func (f *master) TransformRow(row tickwell.Row, _ *tickwell.Collector) error {
	take := func(first int) []float64 {
		cells, some := make([]float64, f.width), false
		for i := range cells {
			if cells[i] = row.Float64(first + i); finite(cells[i]) {
				some = true
			} else {
				cells[i] = math.NaN()
			}
		}
		if !some {
			return nil
		}
		return cells
	}
	if cells := take(0); cells != nil {
		f.times, f.rows = append(f.times, row.UnixNano()), append(f.rows, cells)
	}
	if cells := take(f.width); cells != nil {
		f.master = append(f.master, cells)
	}
	return nil
}

// prepare fills holes by the value before, or the first one, and measures the
// columns.
func (f *master) prepare() error {
	if len(f.master) == 0 {
		return fmt.Errorf("there is no master data: %w", tickwell.ErrBadInput)
	}
	f.scale = make([]float64, f.width)
	for c := range f.width {
		for _, rows := range [][][]float64{f.rows, f.master} {
			if !fillColumn(rows, c) {
				return fmt.Errorf("column %d has no values: %w", c+1, tickwell.ErrBadInput)
			}
		}
		xs := make([]float64, len(f.rows))
		for i, r := range f.rows {
			xs[i] = r[c]
		}
		if f.scale[c] = math.Sqrt(variance(xs)); f.scale[c] == 0 {
			f.scale[c] = 1
		}
	}
	return nil
}

func fillColumn(rows [][]float64, c int) bool {
	last := math.NaN()
	for _, r := range rows {
		if !math.IsNaN(r[c]) {
			last = r[c]
			break
		}
	}
	for _, r := range rows {
		if math.IsNaN(r[c]) {
			r[c] = last
		}
		last = r[c]
	}
	return !math.IsNaN(last)
}

// apart is the distance of two rows in standard deviations.
func (f *master) apart(a, b []float64) float64 {
	sum := 0.0
	for i, x := range a {
		d := (x - b[i]) / f.scale[i]
		sum += d * d
	}
	return math.Sqrt(sum)
}

// near gives the k master rows nearest to r.
func (f *master) near(r []float64, k int) []neighbour {
	var near []neighbour
	for i, m := range f.master {
		near = nearest(near, k, neighbour{i, f.apart(r, m)})
	}
	return near
}

type masterRepair struct {
	master
	omega  int64
	eta    float64
	k, col int
	kind   tickwell.Kind
}

func (f *masterRepair) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := readBetween(in, 2, math.MaxInt32)
	a.require(len(in.Inputs)%2 == 0, "the inputs are columns and as many columns of master data: their number must be even")
	f.width = len(in.Inputs) / 2
	f.omega = a.millis("omega", -1)
	f.eta = a.number("eta", -1, func(v float64) bool { return v > 0 }, "a positive distance")
	f.k = a.integer("k", 0, 1, 1<<15)
	f.col = a.integer("output_column", 1, 1, max(1, f.width)) - 1
	if a.err == nil {
		f.kind = in.Inputs[f.col].Kind
		cfg.Output(f.kind)
	}
	return a.done()
}

func (f *masterRepair) Terminate(out *tickwell.Collector) error {
	if len(f.rows) == 0 {
		return nil
	}
	if err := f.prepare(); err != nil {
		return err
	}
	f.estimate()
	return emit(out, f.kind, f.times, f.repaired())
}

// estimate sets what is not given.
func (f *masterRepair) estimate() {
	if f.omega < 0 {
		f.omega = int64(10 * median(gaps(f.times)))
		if len(f.times) < 2 {
			f.omega = 0
		}
	}
	if f.eta < 0 {
		var d []float64
		for i := range f.rows {
			for j := i - 1; j >= 0 && f.times[i]-f.times[j] <= f.omega; j-- {
				d = append(d, f.apart(f.rows[i], f.rows[j]))
			}
		}
		slices.Sort(d)
		f.eta = math.Inf(1)
		if len(d) > 0 {
			f.eta = d[int(float64(len(d))*0.9973)] // three standard deviations of a normal distribution
		}
	}
	for f.k == 0 {
		for k := 2; k < 5 && f.k == 0; k++ {
			var d []float64
			for _, r := range f.rows {
				for _, n := range f.near(r, k) {
					d = append(d, n.d)
				}
			}
			slices.Sort(d)
			if d[int(float64(len(d))*0.9)] > f.eta {
				f.k = k
			}
		}
		if f.k == 0 {
			f.k = 5
		}
	}
}

// repaired gives the column with each row replaced by the nearest of its
// candidates that fits all repaired rows of the last omega: the master rows
// near to it, and near to them. A row without one stays.
func (f *masterRepair) repaired() []float64 {
	column := make([]float64, len(f.rows))
	done := make([][]float64, len(f.rows))
	byRow := make([][]neighbour, len(f.rows)) // near a repaired row
	begin := 0
	for i, r := range f.rows {
		for f.times[i]-f.times[begin] > f.omega {
			begin++
		}
		k := f.k
		if begin == i {
			k = 1
		}
		candidates := f.near(r, k)
		for j := begin; j < i; j++ {
			candidates = append(candidates, byRow[j]...)
		}
		best, at := r, math.Inf(1)
		for _, c := range candidates {
			m := f.master.master[c.i]
			if d := f.apart(m, r); d < at && f.fits(m, done[begin:i]) {
				best, at = m, d
			}
		}
		done[i], column[i] = best, best[f.col]
		byRow[i] = f.near(best, f.k)
	}
	return column
}

func (f *masterRepair) fits(m []float64, before [][]float64) bool {
	for _, b := range before {
		if f.apart(m, b) > f.eta {
			return false
		}
	}
	return true
}
