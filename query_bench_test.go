package tickwell

import (
	"context"
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
