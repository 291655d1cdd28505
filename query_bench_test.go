package tickwell

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
)

// doubler is the cheapest useful UDTF.
type doubler struct{}

func (doubler) BeforeStart(_ *UDFInput, cfg *UDTFConfig) error {
	cfg.Output(KindFloat64)
	return nil
}

func (doubler) TransformRow(row Row, out *Collector) error {
	return out.PutFloat64(row.UnixNano(), 2*row.Float64(0))
}

// BenchmarkQuery gives nanoseconds per row read of the same million rows.
func BenchmarkQuery(b *testing.B) {
	const n = 1 << 20
	db := openMem(b, &Options{Functions: []FunctionSpec{
		{Name: "doubler", UDTF: func() UDTF { return doubler{} }},
		RowFunc1("twice", func(v float64) float64 { return 2 * v }),
	}})
	ctx := context.Background()
	for lo := int64(0); lo < n; lo += 8192 {
		tab := &Tablet{Device: "root.sg.d1"}
		for i := lo; i < lo+8192; i++ {
			must(b, tab.Append(ns(i), Float64("s", math.Sin(float64(i)))))
		}
		must(b, db.InsertTablet(ctx, tab))
	}
	must(b, db.Flush(ctx))
	s := expr.Col("s")
	for _, c := range []struct {
		name string
		q    Query
	}{
		{"scan", Query{Select: []expr.Expr{s}}},
		{"avg+max by statistics", Query{Select: []expr.Expr{expr.Avg(s), expr.Max(s)}}},
		{"avg+max decoded", Query{Select: []expr.Expr{expr.Avg(s), expr.Max(s), expr.Call("stddev", s)}}},
		{"windows of 60", Query{Select: []expr.Expr{expr.Avg(s)}, Start: ns(0), End: ns(n), GroupBy: GroupByTime{Interval: 60 * time.Nanosecond}}},
		{"arithmetic", Query{Select: []expr.Expr{s.Mul(2).Add(1)}}},
		{"row UDTF", Query{Select: []expr.Expr{expr.Call("doubler", s)}}},
		{"row closure", Query{Select: []expr.Expr{expr.Call("twice", s)}}},
	} {
		c.q.From = d1
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				res, err := db.Query(ctx, c.q)
				must(b, err)
				for _, err := range res.Tablets() {
					must(b, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/row")
		})
	}
}

// BenchmarkMinuteAverages asks for averages by the minute over 100 series of
// 100,000 points, in nanoseconds a point; the floor reads the rows of each series
// and folds them by the minute.
func BenchmarkMinuteAverages(b *testing.B) {
	const series, n = 100, 100_000
	db := openMem(b, nil)
	ctx := context.Background()
	var from []string
	for d := range series {
		from = append(from, fmt.Sprintf("root.sg.d%02d", d))
		for lo := int64(0); lo < n; lo += 10_000 {
			tab := &Tablet{Device: from[d]}
			for i := lo; i < lo+10_000; i++ {
				must(b, tab.Append(ns(i*1e9), Float64("s", math.Round(2000+1000*math.Sin(float64(i+int64(d))/700))/100)))
			}
			must(b, db.InsertTablet(ctx, tab))
		}
	}
	must(b, db.Flush(ctx))
	perPoint := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(series*n), "ns/point")
	}
	b.Run("floor", func(b *testing.B) {
		for b.Loop() {
			for _, device := range from {
				res, err := db.Query(ctx, Query{Select: []expr.Expr{expr.Col("s")}, From: []string{device}})
				must(b, err)
				minute, sum, count, out := int64(-1), 0.0, 0, 0
				for tab, err := range res.Tablets() {
					must(b, err)
					data := tab.Columns[0].Data.(Float64s)
					for i, at := range tab.Times {
						if m := at / 60e9; m != minute {
							minute, sum, count = m, 0, 0
							out++
						}
						sum += data[i]
						count++
					}
				}
				if out == 0 || sum < 0 || count == 0 {
					b.Fatal(out, sum, count)
				}
			}
		}
		perPoint(b)
	})
	b.Run("query", func(b *testing.B) {
		for b.Loop() {
			res, err := db.Query(ctx, Query{Select: []expr.Expr{expr.Avg(expr.Col("s"))}, From: from, Start: ns(0), End: ns(n * 1e9), GroupBy: GroupByTime{Interval: time.Minute}})
			must(b, err)
			for _, err := range res.Tablets() {
				must(b, err)
			}
		}
		perPoint(b)
	})
}
