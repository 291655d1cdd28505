package tickwell_test

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/tickwelltest"
)

// resample runs a continuous query over 40 seconds in which the series s of
// root.d rises by one a second, from 0, and is silent from 20 to 29; root.e.s is
// always 1. It prints each run and what it wrote.
func resample(spec tickwell.CQSpec, functions ...tickwell.FunctionSpec) {
	ctx := context.Background()
	clock := tickwelltest.NewClock(time.Unix(0, 1))
	spec.Name = "cq"
	db, err := tickwell.Open(ctx, "", &tickwell.Options{
		Clock: clock, Logger: slog.New(slog.DiscardHandler), Functions: functions,
		Observer: &tickwell.Observer{Run: func(r tickwell.CQRunInfo) {
			fmt.Printf("%d: [%d, %d)", r.At.Unix(), r.Start.Unix(), r.End.Unix())
			for _, t := range r.Rows {
				for row := range t.Rows() {
					fmt.Printf(" %s@%d", t.Device, row.Time().Unix())
					for i := range t.Columns {
						fmt.Printf(" %s", row.Value(i))
					}
				}
			}
			fmt.Println()
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	for i := range int64(41) {
		if i > 0 {
			clock.Advance(time.Unix(i, 0).Sub(clock.Now()))
			db.Quiesce(ctx)
		}
		if i < 20 || i >= 30 {
			db.Insert(ctx, "root.d", time.Unix(i, 0), tickwell.Float64("s", float64(i)))
		}
		db.Insert(ctx, "root.e", time.Unix(i, 0), tickwell.Float64("s", 1))
		if i == 0 { // the series exist
			if err := db.CreateContinuousQuery(ctx, spec); err != nil {
				fmt.Println(err)
				return
			}
		}
		db.Quiesce(ctx) // what the rows have set off is done at their time
	}
}

// maxOf is the largest s of root.d in each 10 seconds.
func maxOf() tickwell.Query {
	return tickwell.Query{
		Select: []expr.Expr{expr.Max(expr.Col("s"))}, From: []string{"root.d"},
		GroupBy: tickwell.GroupByTime{Interval: 10 * time.Second},
		Into:    []tickwell.Target{{Device: "root.out", Columns: []string{"max"}}},
	}
}

func ExampleCQSpec_every() {
	resample(tickwell.CQSpec{Query: maxOf(), Every: 20 * time.Second})
	// Output:
	// 20: [0, 20) root.out@0 9 root.out@10 19
	// 40: [20, 40) root.out@30 39
}

func ExampleCQSpec_boundary() {
	resample(tickwell.CQSpec{Query: maxOf(), Every: 20 * time.Second, Boundary: time.Unix(15, 0)})
	// Output:
	// 15: [-5, 15) root.out@-5 4 root.out@5 14
	// 35: [15, 35) root.out@15 19 root.out@25 34
}

func ExampleCQSpec_range() {
	resample(tickwell.CQSpec{Query: maxOf(), Every: 20 * time.Second, StartOffset: 30 * time.Second, EndOffset: 10 * time.Second})
	// Output:
	// 20: [-10, 10) root.out@0 9
	// 40: [10, 30) root.out@10 19
}

func ExampleCQSpec_timeoutPolicy() {
	resample(tickwell.CQSpec{Query: maxOf(), Every: 20 * time.Second, Policy: tickwell.Discard})
	// Output:
	// 20: [0, 20) root.out@0 9 root.out@10 19
	// 40: [20, 40) root.out@30 39
}

func ExampleCQSpec_where() {
	q := maxOf()
	q.Select = []expr.Expr{expr.Count(expr.Col("s"))}
	q.Where = expr.Col("s").Gt(7)
	resample(tickwell.CQSpec{Query: q, Every: 20 * time.Second})
	// Output:
	// 20: [0, 20) root.out@0 2 root.out@10 10
	// 40: [20, 40) root.out@20 0 root.out@30 10
}

func ExampleCQSpec_having() {
	q := maxOf()
	q.Having = expr.Max(expr.Col("s")).Gt(10)
	resample(tickwell.CQSpec{Query: q, Every: 20 * time.Second})
	// Output:
	// 20: [0, 20) root.out@10 19
	// 40: [20, 40) root.out@30 39
}

func ExampleCQSpec_fillPrevious() {
	q := maxOf()
	q.Fill = tickwell.Fill{Previous: true}
	resample(tickwell.CQSpec{Query: q, Every: 40 * time.Second})
	// Output:
	// 40: [0, 40) root.out@0 9 root.out@10 19 root.out@20 19 root.out@30 39
}

func ExampleCQSpec_fillLinear() {
	q := maxOf()
	q.Fill = tickwell.Fill{Linear: true}
	resample(tickwell.CQSpec{Query: q, Every: 40 * time.Second})
	// Output:
	// 40: [0, 40) root.out@0 9 root.out@10 19 root.out@20 29 root.out@30 39
}

func ExampleCQSpec_fillConstant() {
	q := maxOf()
	q.Fill = tickwell.Fill{Value: tickwell.Float64Value(100)}
	resample(tickwell.CQSpec{Query: q, Every: 40 * time.Second})
	// Output:
	// 40: [0, 40) root.out@0 9 root.out@10 19 root.out@20 100 root.out@30 39
}

func ExampleCQSpec_limit() {
	q := maxOf()
	q.Limit, q.Offset = 1, 1
	resample(tickwell.CQSpec{Query: q, Every: 20 * time.Second})
	// Output:
	// 20: [0, 20) root.out@10 19
	// 40: [20, 40) root.out@30 39
}

func ExampleCQSpec_slidingStep() {
	q := maxOf()
	q.GroupBy = tickwell.GroupByTime{Interval: 20 * time.Second, Step: 10 * time.Second}
	resample(tickwell.CQSpec{Query: q, Every: 20 * time.Second, StartOffset: 40 * time.Second})
	// Output:
	// 20: [-20, 20) root.out@-10 9 root.out@0 19 root.out@10 19
	// 40: [0, 40) root.out@0 19 root.out@10 19 root.out@20 39 root.out@30 39
}

func ExampleCQSpec_level() {
	q := maxOf()
	q.Select, q.From = []expr.Expr{expr.Sum(expr.Col("s"))}, []string{"root.*"}
	q.Levels = []int{0}
	resample(tickwell.CQSpec{Query: q, Every: 40 * time.Second})
	// Output:
	// 40: [0, 40) root.out@0 55 root.out@10 155 root.out@20 10 root.out@30 355
}

func ExampleCQSpec_alignByDevice() {
	q := maxOf()
	q.From, q.AlignByDevice = []string{"root.d", "root.e"}, true
	q.Into = []tickwell.Target{{Device: "root.copy_${1}", Columns: []string{"max"}}}
	resample(tickwell.CQSpec{Query: q, Every: 40 * time.Second})
	// Output:
	// 40: [0, 40) root.copy_d@0 9 root.copy_d@10 19 root.copy_d@30 39 root.copy_e@0 1 root.copy_e@10 1 root.copy_e@20 1 root.copy_e@30 1
}

func ExampleCQSpec_expressions() {
	resample(tickwell.CQSpec{Every: 20 * time.Second, StartOffset: 3 * time.Second, Query: tickwell.Query{
		Select: []expr.Expr{expr.Col("s").Mul(2).Add(1), expr.Call("abs", expr.Col("s").Neg())}, From: []string{"root.d"},
		Into: []tickwell.Target{{Device: "root.out", Columns: []string{"twice", "abs"}}},
	}})
	// Output:
	// 20: [17, 20) root.out@17 35 17 root.out@18 37 18 root.out@19 39 19
	// 40: [37, 40) root.out@37 75 37 root.out@38 77 38 root.out@39 79 39
}

// celsius is a function of the program.
type celsius struct{}

func (celsius) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	cfg.Output(tickwell.KindFloat64).RowByRow()
	return nil
}

func (celsius) TransformRow(row tickwell.Row, out *tickwell.Collector) error {
	return out.PutFloat64(row.UnixNano(), (row.Value(0).Float64()-32)/1.8)
}

func ExampleCQSpec_userFunction() {
	resample(tickwell.CQSpec{Every: 20 * time.Second, StartOffset: 3 * time.Second, Query: tickwell.Query{
		Select: []expr.Expr{expr.Call("celsius", expr.Col("s").Mul(10))}, From: []string{"root.d"},
		Into: []tickwell.Target{{Device: "root.out", Columns: []string{"celsius"}}},
	}}, tickwell.FunctionSpec{Name: "celsius", UDTF: func() tickwell.UDTF { return celsius{} }})
	// Output:
	// 20: [17, 20) root.out@17 76.66666666666667 root.out@18 82.22222222222221 root.out@19 87.77777777777777
	// 40: [37, 40) root.out@37 187.77777777777777 root.out@38 193.33333333333331 root.out@39 198.88888888888889
}

func ExampleCQSpec_incremental() {
	resample(tickwell.CQSpec{Query: maxOf()}) // nothing says when: once a row is newer than the window
	// Output:
	// 10: [0, 10) root.out@0 9
	// 30: [10, 20) root.out@10 19
	// 40: [30, 40) root.out@30 39
}

// The mean of each hour lands in a series of its own, one point an hour.
func ExampleContinuousQuery() {
	ctx := context.Background()
	clock := tickwelltest.NewClock(time.Unix(1, 0))
	db, err := tickwell.Open(ctx, "", &tickwell.Options{Clock: clock, Logger: slog.New(slog.DiscardHandler), ContinuousQueries: []tickwell.CQSpec{{
		Name: "hourly", Every: time.Hour, Query: tickwell.Query{
			Select: []expr.Expr{expr.Avg(expr.Col("temperature"))}, From: []string{"root.ln.wf01"},
			GroupBy: tickwell.GroupByTime{Interval: time.Hour}, Into: []tickwell.Target{{Device: "root.ln.wf01", Columns: []string{"hourly_mean"}}},
		},
	}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	for minute := range 180 {
		db.Insert(ctx, "root.ln.wf01", clock.Now(), tickwell.Float64("temperature", float64(20+minute/60)))
		clock.Advance(time.Minute)
		db.Quiesce(ctx)
	}
	res, err := db.Query(ctx, tickwell.Query{Select: []expr.Expr{expr.Col("root.ln.wf01.hourly_mean")}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for row, err := range res.Rows() {
		fmt.Println(row.Time().Format("15:04"), row.Value(0), err)
	}
	// Output:
	// 00:00 20 <nil>
	// 01:00 21 <nil>
	// 02:00 22 <nil>
}

func ExampleCQSpec_lateness() {
	resample(tickwell.CQSpec{Query: maxOf(), Lateness: 5 * time.Second})
	// Output:
	// 15: [0, 10) root.out@0 9
	// 30: [10, 20) root.out@10 19
}

func ExampleCQSpec_atEnd() {
	resample(tickwell.CQSpec{Query: maxOf(), AtEnd: true, Every: 20 * time.Second})
	// Output:
	// 20: [0, 20) root.out@10 9 root.out@20 19
	// 40: [20, 40) root.out@40 39
}

func ExampleCQSpec_leftOpen() {
	q := maxOf()
	q.GroupBy = tickwell.GroupByTime{Interval: 10 * time.Second, LeftOpen: true} // (0, 10] has the time 10
	resample(tickwell.CQSpec{Query: q})
	// Output:
	// 1: [-10, 0) root.out@0 0
	// 11: [0, 10) root.out@10 10
	// 30: [10, 20) root.out@20 19
	// 31: [20, 30) root.out@30 30
}

func ExampleCQSpec_origin() {
	resample(tickwell.CQSpec{Query: maxOf(), Origin: time.Unix(5, 0)}) // windows begin at 5, 15, 25
	// Output:
	// 5: [-5, 5) root.out@-5 4
	// 15: [5, 15) root.out@5 14
	// 30: [15, 25) root.out@15 19
	// 35: [25, 35) root.out@25 34
}

func ExampleCQSpec_onChange() {
	q := maxOf()
	q.GroupBy = tickwell.GroupByTime{Interval: 40 * time.Second} // the window that is not over yet too
	resample(tickwell.CQSpec{Query: q, OnChange: true, From: time.Unix(40, 0)})
	// Output:
	// 40: [40, 80) root.out@40 40
}

// Templates are filled from the path of what is read.
func ExampleCQSpec_into() {
	resample(tickwell.CQSpec{Every: 20 * time.Second, StartOffset: 2 * time.Second, Query: tickwell.Query{
		Select: []expr.Expr{expr.Col("s")}, From: []string{"root.d", "root.e"},
		Into: []tickwell.Target{{Device: "root.copy.${1}", Columns: []string{"${2}_of_${1}"}}},
	}})
	// Output:
	// 20: [18, 20) root.copy.d@18 18 root.copy.d@19 19 root.copy.e@18 1 root.copy.e@19 1
	// 40: [38, 40) root.copy.d@38 38 root.copy.d@39 39 root.copy.e@38 1 root.copy.e@39 1
}
