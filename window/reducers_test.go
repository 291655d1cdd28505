package window

import (
	"fmt"
	"math"
	"math/rand"
	"slices"
	"testing"
)

// fold gives a reducer's result over values cut into three panes, each saved and
// loaded.
func fold[T, A, R any](t *testing.T, red Reducer[T, A, R], vals []T) R {
	t.Helper()
	var out A
	red.Init(&out)
	for i := range 3 {
		var part A
		red.Init(&part)
		from, to := i*len(vals)/3, (i+1)*len(vals)/3
		for j := from; j < to; j++ {
			red.Add(&part, int64(j), vals[j])
		}
		codec := red.(StateCodec[A])
		loaded := make([]A, 1)
		rest, err := codec.LoadState(codec.AppendState(nil, []A{part}), loaded)
		if err != nil || len(rest) != 0 {
			t.Fatalf("%T: load: %v, %d bytes left", red, err, len(rest))
		}
		red.Merge(&out, &loaded[0])
	}
	return red.Result(&out)
}

func TestReducers(t *testing.T) {
	nan := math.NaN()
	vals := []float64{3, -1, 4, 1, -5, 9, 2, 6}
	for _, c := range []struct {
		name      string
		got, want any
	}{
		{"tally", fold(t, Tally[float64]{}, vals), int64(8)},
		{"sum", fold(t, Sum[float64]{}, vals), 19.0},
		{"sum of int32", fold(t, Sum[int32]{}, []int32{math.MaxInt32, math.MaxInt32}), 2.0 * math.MaxInt32},
		{"exact sum", fold(t, SumInt[int8]{}, []int8{100, 100, -1}), int64(199)},
		{"avg", fold(t, Avg[float64]{}, vals), 2.375},
		{"min", fold(t, Min[float64]{}, vals), -5.0},
		{"max", fold(t, Max[float64]{}, vals), 9.0},
		{"min int", fold(t, Min[int64]{}, []int64{math.MaxInt64, math.MinInt64}), int64(math.MinInt64)},
		{"max uint", fold(t, Max[uint64]{}, []uint64{1, math.MaxUint64, 3}), uint64(math.MaxUint64)},
		{"min among NaN", fold(t, Min[float64]{}, []float64{nan, 2, nan, 1, nan}), 1.0},
		{"max among NaN", fold(t, Max[float64]{}, []float64{nan, 2, nan, 1, nan}), 2.0},
		{"minmax", fold(t, MinMax[float32]{}, []float32{2, 7, -3}), Extent[float32]{-3, 7, true}},
		{"minmax of none", fold(t, MinMax[float32]{}, nil), Extent[float32]{}},
		{"first", fold(t, First[string]{}, []string{"a", "b", "c"}), "a"},
		{"last", fold(t, Last[string]{}, []string{"a", "b", "c"}), "c"},
		{"distinct", fold(t, Distinct[string]{}, []string{"a", "b", "a", "c", "b"}), int64(3)},
		{"distinct zeros", fold(t, Distinct[float64]{}, []float64{0, math.Copysign(0, -1), 1}), int64(2)},
		{"least quantile", fold(t, Quantile[float64]{0}, vals), -5.0},
		{"largest quantile", fold(t, Quantile[float64]{1}, vals), 9.0},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, c.got, c.want)
		}
	}
	if got := fold(t, StdDev[float64]{}, []float64{2, 4, 4, 4, 5, 5, 7, 9}); math.Abs(got-2.138089935) > 1e-9 {
		t.Errorf("stddev: got %v, want 2.138089935", got)
	}
	// sums of squares would give nonsense here
	if got := fold(t, StdDev[float64]{}, []float64{1e9 + 1, 1e9 + 2, 1e9 + 3}); math.Abs(got-1) > 1e-6 {
		t.Errorf("stddev far from zero: got %v, want 1", got)
	}
	for name, got := range map[string]float64{"stddev": fold(t, StdDev[float64]{}, []float64{1}), "avg": fold(t, Avg[float64]{}, nil), "quantile": fold(t, Quantile[float64]{0.5}, nil)} {
		if !math.IsNaN(got) {
			t.Errorf("%s of too few: got %v, want NaN", name, got)
		}
	}
}

func TestQuantileAccuracy(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	for _, draw := range []func() float64{r.NormFloat64, func() float64 { return math.Exp(4 * r.NormFloat64()) }, func() float64 { return float64(r.Intn(5) - 2) }} {
		var vals []float64
		for range 20000 {
			vals = append(vals, draw())
		}
		sorted := slices.Clone(vals)
		slices.Sort(sorted)
		for _, q := range []float64{0.01, 0.25, 0.5, 0.9, 0.999} {
			want := sorted[int(math.Ceil(q*20000))-1]
			if got := fold(t, Quantile[float64]{q}, vals); math.Abs(got-want) > 0.0101*math.Abs(want) {
				t.Errorf("quantile %v: got %v, want %v within a per cent", q, got, want)
			}
		}
	}
}

func TestDistinctAccuracy(t *testing.T) {
	for _, n := range []int{1, 100, 128, 129, 1000, 10000, 200000} {
		var vals []string
		for i := range n {
			vals = append(vals, fmt.Sprint("value ", i), fmt.Sprint("value ", i/2))
		}
		got := fold(t, Distinct[string]{}, vals)
		if most := 0.05 * float64(n); math.Abs(float64(got)-float64(n)) > most || n <= fewMost && got != int64(n) {
			t.Errorf("%d values: got %d", n, got)
		}
	}
}

// One infinity, NaN or huge value leaves with its row: no later window knows it.
func TestBadValuesLeave(t *testing.T) {
	for _, s := range []Spec{Count(5).Every(1), Count(6).Every(2), Sliding(5, 1)} {
		for _, bad := range []float64{math.Inf(1), math.NaN(), 1e300} {
			var got []float64
			h := must(Reduce(s, Sum[float64]{}, func(r Result[float64]) error { got = append(got, r.Value/float64(r.Count)); return nil }, nil))
			for ts := range int64(40) {
				v := 1.0
				if ts == 20 {
					v = bad
				}
				h.Collect(ts, v)
			}
			wrong := 0
			for _, g := range got {
				if g != 1 {
					wrong++
				}
			}
			if most := 6; wrong == 0 || wrong > most {
				t.Errorf("%s with %v: %d windows of %d are not 1: %v", s, bad, wrong, len(got), got)
			}
		}
	}
}

// Built-in reducers over windows give the same as over the window's rows, bit by
// bit where the order of additions is the same.
func TestReduceBuiltins(t *testing.T) {
	r := rand.New(rand.NewSource(3))
	var ts []int64
	var vals []float64
	for i := range 500 {
		ts, vals = append(ts, int64(i*3)), append(vals, math.Round(r.NormFloat64()*1000)/8)
	}
	for _, s := range []Spec{Count(7), Count(8).Every(2), Count(5).Every(1), Tumbling(20), Sliding(60, 9), Gap(2)} {
		var want, got [][]float64
		for w, err := range Cut(ts, vals, s, nil) {
			if err != nil {
				t.Fatal(err)
			}
			v := slices.Clone(w.Values())
			sum := 0.0
			for _, x := range v {
				sum += x
			}
			want = append(want, []float64{sum, slices.Min(v), slices.Max(v), v[0], v[len(v)-1]})
		}
		for _, batch := range []bool{false, true} {
			got = make([][]float64, len(want))
			n := 0
			run := func(collect interface {
				Collect(int64, float64) (Outcome, error)
				CollectBatch([]int64, []float64) (int, error)
			}, flush func() error) {
				n = 0
				if batch {
					if a, err := collect.CollectBatch(ts, vals); a != len(ts) || err != nil {
						t.Fatalf("%s: %d accepted, %v", s, a, err)
					}
				} else {
					for i := range ts {
						collect.Collect(ts[i], vals[i])
					}
				}
				if err := flush(); err != nil {
					t.Fatal(err)
				}
				if n != len(want) {
					t.Fatalf("%s: %d windows, want %d", s, n, len(want))
				}
			}
			take := func(r Result[float64]) error { got[n] = append(got[n], r.Value); n++; return nil }
			sum := must(Reduce(s, Sum[float64]{}, take, nil))
			run(sum, func() error { return sum.Flush(t.Context()) })
			low := must(Reduce(s, Min[float64]{}, take, nil))
			run(low, func() error { return low.Flush(t.Context()) })
			high := must(Reduce(s, Max[float64]{}, take, nil))
			run(high, func() error { return high.Flush(t.Context()) })
			first := must(Reduce(s, First[float64]{}, take, nil))
			run(first, func() error { return first.Flush(t.Context()) })
			last := must(Reduce(s, Last[float64]{}, take, nil))
			run(last, func() error { return last.Flush(t.Context()) })
			for i := range want {
				if !slices.Equal(got[i], want[i]) {
					t.Fatalf("%s batch %t window %d: got %v, want %v", s, batch, i, got[i], want[i])
				}
			}
		}
	}
}
