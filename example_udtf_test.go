package tickwell_test

import (
	"context"
	"fmt"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
)

// Adder adds two series of int64. Where one of them has no value, it gives no
// point.
type Adder struct{}

func (Adder) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	cfg.Output(tickwell.KindInt64).RowByRow()
	return nil
}

func (Adder) TransformRow(row tickwell.Row, out *tickwell.Collector) error {
	if row.IsNull(0) || row.IsNull(1) {
		return nil
	}
	return out.PutInt64(row.UnixNano(), row.Value(0).Int64()+row.Value(1).Int64())
}

// Misspelt optional methods go unnoticed; lines like this one notice.
var _ tickwell.RowTransformer = Adder{}

// A function that reads row by row: the adder of the IoTDB documents.
func ExampleUDTF_rowByRow() {
	ctx := context.Background()
	db, err := tickwell.Open(ctx, "", &tickwell.Options{
		Functions: []tickwell.FunctionSpec{{Name: "adder", UDTF: func() tickwell.UDTF { return Adder{} }}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	db.Insert(ctx, "root.sg.d1", time.Unix(1, 0), tickwell.Int64("s1", 1), tickwell.Int64("s2", 2))
	db.Insert(ctx, "root.sg.d1", time.Unix(2, 0), tickwell.Int64("s1", 10))
	db.Insert(ctx, "root.sg.d1", time.Unix(3, 0), tickwell.Int64("s1", 20), tickwell.Int64("s2", 22))

	res, err := db.Query(ctx, tickwell.Query{
		Select: []expr.Expr{expr.Call("adder", expr.Col("s1"), expr.Col("s2"))},
		From:   []string{"root.sg.d1"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(res.Columns()[0].Name)
	for row, err := range res.Rows() {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(row.Time().Unix(), row.Value(0))
	}
	// Output:
	// adder(root.sg.d1.s1, root.sg.d1.s2)
	// 1 3
	// 3 42
}

// Counter counts the rows of each time window. Windows without rows give no
// point.
type Counter struct{}

func (Counter) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	var ms [4]int64
	for i, key := range []string{"time_interval", "sliding_step", "display_window_begin", "display_window_end"} {
		v, err := in.Params.Int64(key)
		if err != nil {
			return err
		}
		ms[i] = v
	}
	cfg.Output(tickwell.KindInt32).
		SlidingTime(time.Duration(ms[0])*time.Millisecond, time.Duration(ms[1])*time.Millisecond).
		Display(time.UnixMilli(ms[2]), time.UnixMilli(ms[3]))
	return nil
}

func (Counter) TransformWindow(w *tickwell.RowWindow, out *tickwell.Collector) error {
	if w.Len() == 0 {
		return nil
	}
	return out.PutInt32(w.Start(), int32(w.Len()))
}

// A function that reads sliding time windows: the counter of the IoTDB
// documents.
func ExampleUDTF_slidingTimeWindow() {
	ctx := context.Background()
	db, err := tickwell.Open(ctx, "", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	db.RegisterUDTF(ctx, "counter", func() tickwell.UDTF { return Counter{} })
	for t := range int64(10) {
		db.Insert(ctx, "root.sg.d1", time.UnixMilli(t), tickwell.Float64("s1", float64(t)))
	}

	counter := expr.Call("counter", expr.Col("s1")).
		With("time_interval", "3").With("sliding_step", "3").
		With("display_window_begin", "0").With("display_window_end", "9")
	res, err := db.Query(ctx, tickwell.Query{Select: []expr.Expr{counter}, From: []string{"root.sg.d1"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for row, err := range res.Rows() {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(row.Time().UnixMilli(), row.Value(0))
	}
	// Output:
	// 0 3
	// 3 3
	// 6 3
}

// Max finds the greatest value of a series, and gives it when all rows are
// read.
type Max struct {
	found bool
	at    int64
	value int64
}

func (m *Max) Validate(in *tickwell.UDFInput) error {
	if err := in.RequireInputs(1); err != nil {
		return err
	}
	return in.RequireKind(0, tickwell.KindInt32)
}

func (m *Max) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	cfg.Output(tickwell.KindInt32).RowByRow()
	return nil
}

func (m *Max) TransformRow(row tickwell.Row, out *tickwell.Collector) error {
	if v := row.Value(0).Int64(); !m.found || v > m.value {
		m.found, m.at, m.value = true, row.UnixNano(), v
	}
	return nil
}

func (m *Max) Terminate(out *tickwell.Collector) error {
	if !m.found {
		return nil
	}
	return out.PutInt32(m.at, int32(m.value))
}

// A function that knows its result at the end: the maximum of the IoTDB
// documents.
func ExampleUDTF_terminate() {
	ctx := context.Background()
	db, err := tickwell.Open(ctx, "", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	db.RegisterUDTF(ctx, "max", func() tickwell.UDTF { return &Max{} })
	for t, v := range []int32{3, 9, 4} {
		db.Insert(ctx, "root.sg.d1", time.Unix(int64(t), 0), tickwell.Int32("s1", v))
	}

	res, err := db.Query(ctx, tickwell.Query{
		Select: []expr.Expr{expr.Call("MAX", expr.Col("s1"))}, // in any letter case
		From:   []string{"root.sg.d1"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for row, err := range res.Rows() {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(row.Time().Unix(), row.Value(0))
	}
	// Output:
	// 1 9
}
