package udflib

import (
	"fmt"
	"math"

	"github.com/tickwell/tickwell"
)

func learningFunctions() []Function {
	blocks := []Param{{"tb", "10", "number of time blocks"}, {"vb", "10", "number of value blocks"}}
	return []Function{
		{Name: "ar", Does: "coefficients of the autoregressive model of the series less its mean, numbered from 1; gaps are filled by lines", Inputs: 1,
			Params: []Param{{"p", "1", "order, below the number of points"}}, udtf: udtf[ar]()},
		{Name: "representation", Does: "for each value block, from low to high, whether the series is in it (1) or not (0) in each time block, numbered from 1", Inputs: 1,
			Params: blocks, udtf: udtf[representation]()},
		{Name: "rm", Does: "match of the representations of two series: blocks with both by blocks with either; 1 for no rows", Inputs: 2, Nulls: "rows with null, NaN or infinities are left out",
			Params: blocks, udaf: udaf[match]()},
	}
}

type ar struct {
	points
	p int
}

func (f *ar) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := read(in, 1)
	f.p = a.integer("p", 1, 1, math.MaxInt32)
	cfg.Output(tickwell.KindFloat64)
	return a.done()
}

// mostFilled is how many points gaps may be filled to.
const mostFilled = 1 << 26

// filled has a value for each usual interval, on the line between neighbours
// where there is none.
func filled(times []int64, values []float64) ([]float64, error) {
	gap := usual(times)
	out := values[:min(1, len(values)):1]
	for i := 1; i < len(values); i++ {
		n := max(1, (times[i]-times[i-1])/gap)
		if int64(len(out))+n > mostFilled {
			return nil, fmt.Errorf("the gaps hold more than %d points %d ns apart: %w", mostFilled, gap, tickwell.ErrBadInput)
		}
		for k := int64(1); k <= n; k++ {
			out = append(out, values[i-1]+(values[i]-values[i-1])*(float64(k)/float64(n)))
		}
	}
	return out, nil
}

func (f *ar) Terminate(out *tickwell.Collector) error {
	if len(f.values) == 0 {
		return nil
	}
	if len(f.values) <= f.p {
		return fmt.Errorf("a model of order %d needs more points than that, there are %d: %w", f.p, len(f.values), tickwell.ErrBadInput)
	}
	xs, err := filled(f.times, f.values)
	if err != nil {
		return err
	}
	m := mean(xs)
	for i := range xs {
		xs[i] -= m
	}
	_, coefficients := autoregression(covariances(xs, f.p))
	return emitIndexed(out, 1, coefficients)
}

// grid says in which blocks of time and value a series is.
func grid(times []int64, values []float64, tb, vb int) []bool {
	cells := make([]bool, tb*vb)
	if len(values) == 0 {
		return cells
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		lo, hi = min(lo, v), max(hi, v)
	}
	block := func(part, whole float64, n int) int {
		if !(whole > 0) {
			return 0
		}
		return min(n-1, int(part/whole*float64(n)))
	}
	begin, end := times[0], times[len(times)-1]
	for i, v := range values {
		t := block(float64(times[i]-begin), float64(end-begin), tb)
		cells[block(v/2-lo/2, hi/2-lo/2, vb)*tb+t] = true
	}
	return cells
}

type representation struct {
	points
	tb, vb int
}

// mostBlocks is how many blocks of time, and of value, there may be.
const mostBlocks = 1 << 12

func (f *representation) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := read(in, 1)
	f.tb, f.vb = a.integer("tb", 10, 1, mostBlocks), a.integer("vb", 10, 1, mostBlocks)
	cfg.Output(tickwell.KindInt32)
	return a.done()
}

func (f *representation) Terminate(out *tickwell.Collector) error {
	if len(f.values) == 0 {
		return nil
	}
	for i, in := range grid(f.times, f.values, f.tb, f.vb) {
		var v int32
		if in {
			v = 1
		}
		if err := out.PutInt32(index(i+1), v); err != nil {
			return err
		}
	}
	return nil
}

type match struct {
	pairs
	times  []int64
	tb, vb int
}

func (f *match) BeforeStart(in *tickwell.UDFInput) (tickwell.Kind, error) {
	a := read(in, 2)
	f.tb, f.vb = a.integer("tb", 10, 1, mostBlocks), a.integer("vb", 10, 1, mostBlocks)
	return tickwell.KindFloat64, a.done()
}

func (f *match) Reset() {
	f.pairs.Reset()
	f.times = f.times[:0]
}

func (f *match) Add(row tickwell.Row) error {
	n := len(f.xs)
	if err := f.pairs.Add(row); err != nil || len(f.xs) == n {
		return err
	}
	f.times = append(f.times, row.UnixNano())
	return nil
}

// Merge adds a group that lies later.
func (f *match) Merge(other tickwell.UDAF) error {
	o := other.(*match)
	if n := len(f.times); n > 0 && len(o.times) > 0 && o.times[0] <= f.times[n-1] {
		return fmt.Errorf("a match of shapes is not possible over several pairs of series: %w", tickwell.ErrBadInput)
	}
	f.times = append(f.times, o.times...)
	return f.pairs.Merge(o)
}

func (f *match) Result() (tickwell.Value, error) {
	x, y := grid(f.times, f.xs, f.tb, f.vb), grid(f.times, f.ys, f.tb, f.vb)
	both, either := 0, 0
	for i := range x {
		if x[i] && y[i] {
			both++
		}
		if x[i] || y[i] {
			either++
		}
	}
	if either == 0 {
		return tickwell.Float64Value(1), nil
	}
	return tickwell.Float64Value(float64(both) / float64(either)), nil
}
