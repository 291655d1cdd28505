package tickwell

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// triggerBench inserts tablets of 10 columns and 100 rows into a store on disk
// with some triggers. The figures are ratios to "none" of the same run.
func triggerBench(b *testing.B, specs ...TriggerSpec) {
	db := openDir(b, b.TempDir(), &Options{Triggers: specs})
	cols, names := benchColumns(10)
	w, err := db.Writer("root.d", cols...)
	must(b, err)
	t, walks := benchTablet(names, 100)
	at := int64(0)
	ctx := context.Background()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%16 == 0 {
			b.StopTimer()
			fill(t, walks, &at)
			b.StartTimer()
		} else {
			for r := range t.Times {
				t.Times[r] += int64(100 * time.Second)
			}
			at = t.Times[99]
		}
		if err := w.InsertTablet(ctx, t); err != nil {
			b.Fatal(err)
		}
	}
}

func noops(n int, pattern string) (specs []TriggerSpec) {
	for i := range n {
		specs = append(specs, spec(fmt.Sprint("t", i), pattern, AfterInsert, func(context.Context, *Firing) error { return nil }))
	}
	return specs
}

func BenchmarkTrigger(b *testing.B) {
	var sum float64
	point := OnPoint(func(_ context.Context, _ *Firing, _ string, p Point[float64]) error { sum += p.Value; return nil })
	batch := OnBatch(func(_ context.Context, _ *Firing, _ string, _ []int64, vs []float64) error {
		for _, v := range vs {
			sum += v
		}
		return nil
	})
	budgeted, stateful := noops(1, "root.**"), noops(1, "root.**")
	budgeted[0].Budget, stateful[0].Stateful = time.Second, true
	for _, c := range []struct {
		name  string
		specs []TriggerSpec
	}{
		{"none", nil}, {"1 noop", noops(1, "root.**")}, {"10 noop", noops(10, "root.**")}, {"1000 not matching", noops(1000, "root.other.*.x")},
		{"1 stateful", stateful}, {"1 budgeted", budgeted},
		{"batch helper", []TriggerSpec{{Name: "n", Pattern: "root.**", Trigger: batch}}}, {"point helper", []TriggerSpec{{Name: "n", Pattern: "root.**", Trigger: point}}},
	} {
		b.Run(c.name, func(b *testing.B) { triggerBench(b, c.specs...) })
	}
}

// BenchmarkPointHelper is what OnPoint costs a point above OnBatch.
func BenchmarkPointHelper(b *testing.B) {
	t, _ := benchTablet([]string{"s"}, 1000)
	f := &Firing{Tablet: t}
	ctx := context.Background()
	var sum float64
	for name, tr := range map[string]Trigger{
		"point": OnPoint(func(_ context.Context, _ *Firing, _ string, p Point[float64]) error { sum += p.Value; return nil }),
		"batch": OnBatch(func(_ context.Context, _ *Firing, _ string, _ []int64, vs []float64) error {
			for _, v := range vs {
				sum += v
			}
			return nil
		}),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := tr.Fire(ctx, f); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/point")
		})
	}
}

// A firing allocates nothing: of rows, of tablets, BEFORE and AFTER, with a
// part of the columns, stateful or not.
func TestTriggerAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	ctx := context.Background()
	for _, when := range []When{BeforeInsert, AfterInsert} {
		for _, stateful := range []bool{false, true} {
			for _, pattern := range []string{"root.**", "root.d.s1"} {
				measure := func(n int) (row, tablet float64) {
					var specs []TriggerSpec
					for i := range n {
						specs = append(specs, TriggerSpec{Name: fmt.Sprint(i), Pattern: pattern, When: when, Stateful: stateful, Trigger: TriggerFunc(func(_ context.Context, f *Firing) error {
							if f.Float64s("s1") == nil {
								return errBoom
							}
							return nil
						})})
					}
					db := openMem(t, &Options{Triggers: specs})
					cols, names := benchColumns(3)
					w, err := db.Writer("root.d", cols...)
					must(t, err)
					tab, _ := benchTablet(names, 20)
					at := int64(0)
					values := []Value{Float64Value(1), Float64Value(2), Float64Value(3)}
					row = testing.AllocsPerRun(2000, func() {
						at++
						must(t, w.Insert(ctx, ns(at), values...))
					})
					tablet = testing.AllocsPerRun(2000, func() {
						for i := range tab.Times {
							at++
							tab.Times[i] = at
						}
						must(t, w.InsertTablet(ctx, tab))
					})
					return row, tablet
				}
				row0, tablet0 := measure(0)
				row4, tablet4 := measure(4)
				if row4 > row0 || tablet4 > tablet0 {
					t.Errorf("%s, stateful %v, %s: 4 firings allocate %g and %g times, want 0 more than none: %g, %g", when, stateful, pattern, row4, tablet4, row0, tablet0)
				}
			}
		}
	}
}
