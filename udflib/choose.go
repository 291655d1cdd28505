package udflib

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/tickwell/tickwell"
)

// sampled is the function sample: k points of the input.
type sampled struct {
	method string
	k      int
	coin   *rand.Rand
	seen   int
	times  []int64
	values []tickwell.Value
	order  []int // of points in the reservoir: their position in the input
}

func (f *sampled) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := readAny(in, 1, 1)
	f.method = a.oneOf("method", "reservoir", "isometric", "triangle")
	f.k = a.integer("k", 1, 1, math.MaxInt32)
	f.coin = rand.New(rand.NewPCG(uint64(a.integer("seed", 0, 0, math.MaxInt32)), 0))
	if a.err == nil {
		if f.method == "triangle" {
			a.err = in.RequireKind(0, numbers...)
		}
		cfg.Output(in.Inputs[0].Kind)
	}
	return a.done()
}

func (f *sampled) TransformRow(row tickwell.Row, _ *tickwell.Collector) error {
	i := f.seen
	f.seen++
	if f.method == "reservoir" && i >= f.k {
		if j := f.coin.IntN(i + 1); j < f.k {
			f.times[j], f.values[j], f.order[j] = row.UnixNano(), row.Value(0), i
		}
		return nil
	}
	f.times = append(f.times, row.UnixNano())
	f.values = append(f.values, row.Value(0))
	f.order = append(f.order, i)
	return nil
}

func (f *sampled) Terminate(out *tickwell.Collector) error {
	n := len(f.times)
	chosen := make([]int, 0, min(f.k, n))
	switch {
	case n <= f.k:
		for i := range n {
			chosen = append(chosen, i)
		}
	case f.method == "isometric":
		for i := range f.k {
			chosen = append(chosen, int(int64(i)*int64(n)/int64(f.k)))
		}
	default:
		chosen = f.triangles()
	}
	slices.SortFunc(chosen, func(a, b int) int { return f.order[a] - f.order[b] })
	for _, i := range chosen {
		if err := out.Put(f.times[i], f.values[i]); err != nil {
			return err
		}
	}
	return nil
}

// triangles chooses the first and the last point and, of each of k-2 buckets
// between, the one that makes the largest triangle with the point chosen before
// and the mean of the next bucket (Steinarsson 2013, largest triangle three
// buckets).
func (f *sampled) triangles() []int {
	n := len(f.times)
	if f.k < 3 {
		return []int{0, n - 1}[:f.k]
	}
	x := func(i int) float64 { return float64(f.times[i] - f.times[0]) }
	y := func(i int) float64 {
		if v := f.values[i].Float64(); finite(v) {
			return v
		}
		return 0
	}
	buckets := f.k - 2
	edge := func(b int) int { return 1 + int(int64(b)*int64(n-2)/int64(buckets)) }
	chosen := []int{0}
	for b := range buckets {
		lo, hi := edge(b), edge(b+1)
		nextLo, nextHi := hi, min(n, max(hi+1, edge(b+2)))
		if b == buckets-1 {
			nextLo, nextHi = n-1, n
		}
		var cx, cy float64
		for i := nextLo; i < nextHi; i++ {
			cx += x(i) / float64(nextHi-nextLo)
			cy += y(i) / float64(nextHi-nextLo)
		}
		a, best, area := chosen[len(chosen)-1], lo, -1.0
		for i := lo; i < hi; i++ {
			if s := math.Abs((x(a)-cx)*(y(i)-y(a)) - (x(a)-x(i))*(cy-y(a))); s > area {
				best, area = i, s
			}
		}
		chosen = append(chosen, best)
	}
	return append(chosen, n-1)
}
