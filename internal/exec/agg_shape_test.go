package exec

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/column"
)

func floatStore(values ...float64) *fakeStore {
	f := newFakeStore()
	var times []int64
	for i := range values {
		times = append(times, int64(i)*1e9)
	}
	f.add("root.d", "s", times, column.Vector{Kind: column.Float64, Float64s: values})
	return f
}

// column0 prints the first column of a query of one expression over root.d.
func column0(t *testing.T, f *fakeStore, e expr.Expr) string {
	t.Helper()
	b := f.run(t, Query{Select: []expr.Expr{e}, From: []string{"root.d"}})
	var cells []string
	for i := range b.Times {
		if b.Cols[0].Nulls.Get(i) {
			cells = append(cells, "null")
			continue
		}
		cells = append(cells, fmt.Sprintf("%.10g", b.Cols[0].Float64At(i)))
	}
	return strings.Join(cells, " ")
}

func called(name string, attrs ...string) expr.Expr {
	e := expr.Call(name, expr.Col("s"))
	for _, a := range attrs {
		k, v, _ := strings.Cut(a, "=")
		e = e.With(k, v)
	}
	return e
}

// Values worked out by hand.
func TestShapeAggregates(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		values []float64
		e      expr.Expr
		want   string
	}{
		{[]float64{0, 2, 4}, called("integral"), "4"},
		{[]float64{0, 2, 4}, called("integral", "unit=2s"), "2"},
		{[]float64{0, 2, 4}, called("integral", "unit=1S"), "4000"},
		{[]float64{0, 3600, 7200}, called("integral", "unit=1H"), "2"},
		{[]float64{0, 86400, 172800}, called("integral", "unit=1d"), "2"},
		{[]float64{0, nan, 4}, called("integral"), "4"},
		{[]float64{nan, 7, nan}, called("time_weighted_avg"), "7"},
		{[]float64{10, nan, 3}, called("increase"), "3"},
		{[]float64{7}, called("integral"), "0"},
		{nil, called("integral"), "null"},
		{[]float64{0, 4, 4}, called("time_weighted_avg"), "3"},
		{[]float64{7}, called("time_weighted_avg"), "7"},
		{[]float64{10, 15, 3, 4}, called("increase"), "9"}, // 5, then 3 after a reset, then 1
		{[]float64{10, 15, 3, 4}, called("rate"), "3"},
		{[]float64{10, 15, 3, 4}, called("rate", "unit=1m"), "180"},
		{[]float64{10}, called("increase"), "0"},
		{[]float64{10}, called("rate"), "null"},
		{[]float64{1, 3, 5, 7}, called("linear_slope"), "2"},
		{[]float64{1, 3, 5, 7}, called("linear_r2"), "1"},
		{[]float64{0, 1, 0}, called("linear_slope"), "0"},
		{[]float64{0, 1, 0}, called("linear_r2"), "0"},
		{[]float64{1, 2, 2, 3}, called("linear_r2"), "0.9"},
		{[]float64{5}, called("linear_slope"), "null"},
		{[]float64{5, 5}, called("linear_r2"), "1"},
		{[]float64{3, 1, 2, nan}, called("approx_quantile", "q=0"), "1"},
		{[]float64{3, 1, 2, nan}, called("approx_quantile", "q=1"), "3"},
		{[]float64{nan}, called("approx_quantile", "q=1"), "null"},
		{[]float64{1, 1, nan, nan, 0, math.Copysign(0, -1), 7}, called("approx_count_distinct"), "4"},
		{nil, called("approx_count_distinct"), "0"},
		{[]float64{4, 8, 0}, called("ewma", "alpha=0.25"), "4 5 3.75"},
		{[]float64{1, 2, 6, 4}, called("moving_avg", "window=3"), "1 1.5 3 4"},
		{[]float64{1, 2, 6, 4}, called("moving_sum", "window=3"), "1 3 9 12"},
		{[]float64{1, 2, 6, 4}, called("moving_min", "window=2"), "1 1 2 4"},
		{[]float64{1, 2, 6, 4, nan, nan}, called("moving_max", "window=2"), "1 2 6 6 4 NaN"},
		{[]float64{1, 3, 5, 5}, called("moving_stddev", "window=2"), "1.414213562 1.414213562 0"},
		{[]float64{5}, called("moving_stddev", "window=2"), ""},
		{[]float64{5, 7}, called("moving_sum", "window=1"), "5 7"},
	} {
		if got := column0(t, floatStore(c.values...), c.e); got != c.want {
			t.Errorf("%s of %v is %s, want %s", c.e, c.values, got, c.want)
		}
	}
	for _, e := range []expr.Expr{called("approx_quantile"), called("approx_quantile", "q=2"), called("rate", "unit=x"), called("ewma", "alpha=0"),
		called("moving_avg"), called("moving_avg", "window=0"), called("time_in_state"), called("equal_size_bucket_agg_sample", "type=median"),
		called("equal_size_bucket_random_sample", "proportion=1.5"), called("equal_size_bucket_outlier_sample", "number=0")} {
		q := Query{Select: []expr.Expr{e}, From: []string{"root.d"}}
		if _, err := Prepare(&q, floatStore(1), nil); err == nil || !strings.Contains(err.Error(), e.Name()) {
			t.Errorf("%s: got error %v, want one that names the function", e, err)
		}
	}
}

// Moving windows of every length are what their rows give one by one, and
// neither NaN nor a great value stays behind.
func TestMovingWindows(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var values []float64
	for i := range 60 {
		v := math.Round(rng.NormFloat64() * 100)
		if i == 20 {
			v = math.NaN()
		} else if i == 30 {
			v = 1e300
		}
		values = append(values, v)
	}
	f := floatStore(values...)
	for name, of := range map[string]func([]float64) float64{
		"moving_sum": func(xs []float64) (sum float64) {
			for _, x := range xs {
				sum += x
			}
			return sum
		},
		"moving_min": func(xs []float64) float64 {
			least := math.NaN()
			for _, x := range xs {
				if !(x >= least) && x == x {
					least = x
				}
			}
			return least
		},
		"moving_max": func(xs []float64) float64 {
			most := math.NaN()
			for _, x := range xs {
				if !(x <= most) && x == x {
					most = x
				}
			}
			return most
		},
		"moving_stddev": func(xs []float64) float64 {
			mean, sq := 0.0, 0.0
			for _, x := range xs {
				mean += x / float64(len(xs))
			}
			for _, x := range xs {
				sq += (x - mean) * (x - mean)
			}
			return math.Sqrt(sq / float64(len(xs)-1))
		},
	} {
		for _, window := range []int{1, 2, 3, 7, 59, 60, 61, 1000} {
			got := f.run(t, Query{Select: []expr.Expr{called(name, fmt.Sprint("window=", window))}, From: []string{"root.d"}})
			skip := 0
			if name == "moving_stddev" {
				if skip = 1; window == 1 {
					skip = len(values)
				}
			}
			if len(got.Times) != len(values)-skip {
				t.Fatalf("%s over %d: %d points, want %d", name, window, len(got.Times), len(values)-skip)
			}
			for i := skip; i < len(values); i++ {
				want := of(values[max(0, i+1-window) : i+1])
				if have := got.Cols[0].Float64s[i-skip]; !(have == want || have != have && want != want || math.Abs(have-want) <= 1e-9*max(1, math.Abs(want))) {
					t.Errorf("%s over %d, row %d: %v, one by one %v", name, window, i, have, want)
				}
			}
		}
	}
}

// A group in two parts that are merged gives what it gives as a whole.
func TestShapeAggregatesMerge(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, name := range []string{"integral", "time_weighted_avg", "increase", "rate", "linear_slope", "linear_r2", "approx_quantile", "approx_count_distinct"} {
		for range 50 {
			n := 2 + rng.IntN(40)
			b := Batch{Cols: []Col{{Vector: column.Vector{Kind: column.Float64}}}}
			for i := range n {
				b.Times = append(b.Times, int64(i)*1e9+rng.Int64N(1e8))
				b.Cols[0].Float64s = append(b.Cols[0].Float64s, math.Round(rng.NormFloat64()*20))
			}
			part := func(lo, hi int) Aggregator {
				a := builtinAggs[name].make()
				if _, err := a.Start(&Call{Name: name, Inputs: []Column{{Kind: column.Float64}}, Attrs: []expr.Attr{{Key: "q", Value: "0.5"}}}); err != nil {
					t.Fatal(err)
				}
				if err := a.Add(&b, lo, hi); err != nil {
					t.Fatal(err)
				}
				return a
			}
			value := func(a Aggregator) float64 {
				var out Col
				out.reset(column.Float64)
				if name == "approx_count_distinct" {
					out.reset(column.Int64)
				}
				if err := a.Result(&out); err != nil {
					t.Fatal(err)
				}
				return out.Float64At(0)
			}
			cut := rng.IntN(n + 1)
			merged := part(0, cut)
			if err := merged.Merge(part(cut, n)); err != nil {
				t.Fatal(err)
			}
			if got, want := value(merged), value(part(0, n)); math.Abs(got-want) > 1e-9*(1+math.Abs(want)) {
				t.Fatalf("%s: %v merged from %d and %d rows, %v as a whole", name, got, cut, n-cut, want)
			}
		}
	}
}

// The sketches keep the error that they promise.
func TestSketches(t *testing.T) {
	var values []float64
	for i := range 100000 {
		values = append(values, float64((i*7919)%100000)-20000)
	}
	f := floatStore(values...)
	for q, want := range map[string]float64{"0.1": -10000, "0.5": 30000, "0.99": 79000} {
		b := f.run(t, Query{Select: []expr.Expr{called("approx_quantile", "q="+q)}, From: []string{"root.d"}})
		if got := b.Cols[0].Float64s[0]; math.Abs(got-want) > 0.0101*math.Abs(want)+1 {
			t.Errorf("quantile %s is %v, want %v within 1 %%", q, got, want)
		}
	}
	b := f.run(t, Query{Select: []expr.Expr{called("approx_count_distinct")}, From: []string{"root.d"}})
	if got := b.Cols[0].Int64s[0]; math.Abs(float64(got)-100000) > 5000 {
		t.Errorf("%d different values, want 100000 within 5 %%", got)
	}
}

// The examples of the IoTDB documents: s = 0..99, and 1..100 for M4.
func TestSamples(t *testing.T) {
	var up, down, one []float64
	for i := range 100 {
		up, down, one = append(up, float64(i)), append(down, float64(-i)), append(one, float64(i+1))
	}
	spiky := []float64{5, 5, 9, 5, 5, 5, 5, -8, 5, 5}
	for _, c := range []struct {
		values []float64
		e      expr.Expr
		want   string
	}{
		{up, called("equal_size_bucket_agg_sample"), "4.5 14.5 24.5 34.5 44.5 54.5 64.5 74.5 84.5 94.5"},
		{up, called("equal_size_bucket_agg_sample", "type=min"), "0 10 20 30 40 50 60 70 80 90"},
		{up, called("equal_size_bucket_agg_sample", "type=max"), "9 19 29 39 49 59 69 79 89 99"},
		{up, called("equal_size_bucket_agg_sample", "type=sum"), "45 145 245 345 445 545 645 745 845 945"},
		{down, called("equal_size_bucket_agg_sample", "type=extreme"), "-9 -19 -29 -39 -49 -59 -69 -79 -89 -99"},
		{up, called("equal_size_bucket_agg_sample", "type=variance"), "8.25 8.25 8.25 8.25 8.25 8.25 8.25 8.25 8.25 8.25"},
		{one, called("equal_size_bucket_m4_sample", "proportion=0.1"), "1 2 39 40 41 42 79 80 81 82 99 100"},
		{up[:7], called("equal_size_bucket_agg_sample", "proportion=0.2", "type=min"), "0 5"}, // the last bucket is shorter
		{spiky, called("equal_size_bucket_outlier_sample", "number=2"), "9 -8"},
		{spiky, called("equal_size_bucket_outlier_sample", "number=2", "type=stendis"), "9 -8"},
		{spiky, called("equal_size_bucket_outlier_sample", "number=2", "type=prenextdis"), "5 -8"},
		{[]float64{3}, called("equal_size_bucket_random_sample"), "3"},
		{nil, called("equal_size_bucket_random_sample"), ""},
	} {
		if got := column0(t, floatStore(c.values...), c.e); got != c.want {
			t.Errorf("%s is %s, want %s", c.e, got, c.want)
		}
	}
	random := called("equal_size_bucket_random_sample", "proportion=0.1")
	first := column0(t, floatStore(up...), random)
	if again := column0(t, floatStore(up...), random); again != first || len(strings.Fields(first)) != 10 {
		t.Errorf("random sample %s, then %s", first, again)
	}
}
