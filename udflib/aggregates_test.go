package udflib

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/tickwelltest"
)

// All aggregates obey the laws that queries rely on: they merge, start anew,
// and can be asked twice.
func TestAggregateLaws(t *testing.T) {
	for _, f := range Functions() {
		if f.udaf == nil {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			if _, ok := f.udaf().(tickwell.Merger); !ok {
				t.Error("does not merge")
			}
			for _, k := range []tickwell.Kind{tickwell.KindFloat64, tickwell.KindInt32} {
				in := tickwell.UDFInput{Function: f.Name}
				for range f.Inputs {
					in.Inputs = append(in.Inputs, tickwell.ColumnInfo{Name: "s", Kind: k})
				}
				tickwelltest.CheckUDAF(t, f.udaf, in)
			}
		})
	}
}

// Aggregates work in groups by time and over several series.
func TestAggregatesInGroups(t *testing.T) {
	ctx := context.Background()
	db := open(t)
	for i, v := range []float64{1, 2, 9, 4, 4, 7, 1, 1} {
		for _, device := range []string{"root.a.x", "root.b.x"} {
			if err := db.Insert(ctx, device, time.Unix(int64(i), 0), tickwell.Float64("s", v)); err != nil {
				t.Fatal(err)
			}
		}
	}
	ask := func(q tickwell.Query) (out []tickwell.Value) {
		t.Helper()
		res, err := db.Query(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		for row, err := range res.Rows() {
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, row.Value(0))
		}
		return out
	}
	check := func(what string, got []tickwell.Value, want ...float64) {
		t.Helper()
		same := len(got) == len(want)
		for i := 0; same && i < len(got); i++ {
			same = math.Abs(got[i].Float64()-want[i]) < 1e-12
		}
		if !same {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	s := expr.Col("s")
	byTime := tickwell.GroupByTime{Interval: 4 * time.Second}
	for name, want := range map[string][]float64{
		"median": {3, 2.5}, "spread": {8, 6}, "mad": {1.5, 1.5}, "percentile": {2, 1}, "integralavg": {13.5 / 3, 10.5 / 3},
	} {
		check(name, ask(tickwell.Query{Select: []expr.Expr{expr.Call(name, s)}, From: []string{"root.a.x"}, GroupBy: byTime, Start: time.Unix(0, 0), End: time.Unix(8, 0)}), want...)
	}
	check("percentile over two series", ask(tickwell.Query{Select: []expr.Expr{expr.Call("percentile", s).With("rank", "1")}, From: []string{"root.*.x"}, Levels: []int{0}}), 9)
}

// The sketch is exact for few values, within its error for many, whatever their
// order, and does not grow with them.
func TestSketch(t *testing.T) {
	for _, order := range []string{"up", "down", "mixed"} {
		const n = 200_000
		s := newSketch(800)
		for i := range n {
			switch order {
			case "up":
				s.add(float64(i))
			case "down":
				s.add(float64(n - 1 - i))
			default:
				s.add(float64(i * 7919 % n))
			}
		}
		held := 0
		for _, l := range s.levels {
			held += len(l)
		}
		if held > 4000 {
			t.Errorf("%s: holds %d values of %d", order, held, n)
		}
		for _, q := range []float64{0.001, 0.1, 0.5, 0.9, 0.999} {
			if got := s.at(q*n) / n; math.Abs(got-q) > 0.01 {
				t.Errorf("%s: rank %v is at %v", order, q, got)
			}
		}
	}
	s := newSketch(100)
	for i := range 100 {
		s.add(float64(99 - i))
	}
	for i := range 100 {
		if got := s.at(float64(i + 1)); got != float64(i) {
			t.Errorf("of 100 values in a sketch of 100, number %d is %v", i+1, got)
		}
	}
}

// The tail of chi-square against its closed forms: e^(-x/2) for two degrees of
// freedom, and times 1 + x/2 for four; erfc(√(x/2)) for one.
func TestChiSquareTail(t *testing.T) {
	for _, x := range []float64{0, 1e-6, 0.1, 1, 2, 5, 10, 50, 300} {
		for k, want := range map[int]float64{1: math.Erfc(math.Sqrt(x / 2)), 2: math.Exp(-x / 2), 4: math.Exp(-x/2) * (1 + x/2)} {
			if got := chiSquareTail(x, k); math.Abs(got-want) > 1e-13 {
				t.Errorf("%d degrees of freedom beyond %v: %v, the closed form gives %v", k, x, got, want)
			}
		}
	}
}
