package tickwell

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
)

// product multiplies its inputs: a UDAF with every hook.
type product struct {
	v    float64
	any  bool
	log  *[]string
	fail string
}

func (p *product) Validate(in *UDFInput) error {
	p.note("Validate")
	return in.RequireKind(0, KindFloat64)
}
func (p *product) BeforeStart(in *UDFInput) (Kind, error) {
	p.note("BeforeStart")
	return KindFloat64, nil
}
func (p *product) Reset() { p.note("Reset"); p.v, p.any = 1, false }
func (p *product) Add(row Row) error {
	if p.fail == "panic" {
		panic("boom")
	}
	p.v *= row.Float64(0)
	p.any = true
	return nil
}
func (p *product) Merge(other UDAF) error {
	o := other.(*product)
	p.note("Merge")
	if o.any {
		p.v, p.any = p.v*o.v, true
	}
	return nil
}
func (p *product) Result() (Value, error) {
	if p.fail == "kind" {
		return Int64Value(1), nil
	}
	if p.fail == "error" {
		return Value{}, errors.New("no luck")
	}
	if !p.any {
		return Value{}, nil
	}
	return Float64Value(p.v), nil
}
func (p *product) BeforeDestroy() { p.note("BeforeDestroy") }
func (p *product) note(s string) {
	if p.log != nil {
		*p.log = append(*p.log, s)
	}
}

func TestUDAF(t *testing.T) {
	db := openMem(t, nil)
	ctx := context.Background()
	var log []string
	var fail string
	must(t, db.RegisterUDAF(ctx, "product", func() UDAF { return &product{log: &log, fail: fail} }))
	for i := range int64(6) {
		must(t, db.Insert(ctx, "root.sg.d1", ns(i), Float64("s1", float64(i+1)), Int64("n", i)))
		must(t, db.Insert(ctx, "root.sg.d2", ns(i), Float64("s1", 2)))
	}
	p := expr.Call("product", expr.Col("s1"))
	from := []string{"root.sg.d1"}
	wantAsk(t, db, Query{Select: []expr.Expr{p}, From: from}, "0=720")
	if n := count(log, "BeforeDestroy"); n != count(log, "Validate") || n != 2 {
		t.Errorf("calls %v", log)
	}
	by := GroupByTime{Interval: 2}
	wantAsk(t, db, Query{Select: []expr.Expr{p, expr.Count(expr.Col("s1"))}, From: from, Start: ns(0), End: ns(8), GroupBy: by},
		"0=2,2 2=12,2 4=30,2 6=null,0")
	wantAsk(t, db, Query{Select: []expr.Expr{p}, From: from, Start: ns(0), End: ns(6), GroupBy: by, Having: p.Gt(5)}, "2=12 4=30")
	wantAsk(t, db, Query{Select: []expr.Expr{p}, From: from, Where: expr.Col("n").Ge(4)}, "0=30")
	wantAsk(t, db, Query{Select: []expr.Expr{p.Add(1)}, From: from, GroupBy: GroupByCount{By: expr.Col("s1"), Size: 3}}, "0=7 3=121")
	wantAsk(t, db, Query{Select: []expr.Expr{p}, From: []string{"root.sg.*"}, AlignByDevice: true}, "root.sg.d1@0=720 root.sg.d2@0=64")
	log = nil
	wantAsk(t, db, Query{Select: []expr.Expr{p}, From: []string{"root.sg.*"}, Levels: []int{1}}, "0=46080")
	if count(log, "Merge") != 2 {
		t.Errorf("merges: %v", log)
	}
	_, err := ask(t, db, expr.Call("product", expr.Col("n")))
	wantFail(t, err, ErrKindMismatch, "function product", "Validate", "expected: DOUBLE. actual: INT64")
	_, err = ask(t, db, expr.Call("product", p))
	wantFail(t, err, ErrBadInput, "aggregation results cannot be as input")
	for fail = range map[string]bool{"panic": true, "kind": true, "error": true} {
		_, err := ask(t, db, p)
		wantFail(t, err, nil, "function product")
	}
}

// Functions made of plain Go functions.
func TestClosures(t *testing.T) {
	db := openMem(t, &Options{Functions: []FunctionSpec{
		RowFunc1("half", func(v float64) float64 { return v / 2 }),
		RowFunc1("even", func(v int64) bool { return v%2 == 0 }),
		RowFunc1("shout", func(s string) string { return strings.ToUpper(s) + "!" }),
		RowFunc2("hypot", math.Hypot),
		RowFunc2("plus", func(a, b int64) int64 { return a + b }),
		RowFunc1("boom", func(v float64) float64 { panic("boom") }),
		AggregateFunc("sumsq", func(s *float64, v float64) { *s += v * v }, func(s, o *float64) { *s += *o }, func(s *float64) float64 { return *s }),
		AggregateFunc("longest", func(s *string, v string) {
			if len(v) > len(*s) {
				*s = v
			}
		}, func(s, o *string) {
			if len(*o) > len(*s) {
				*s = *o
			}
		}, func(s *string) int64 { return int64(len(*s)) }),
	}})
	ctx := context.Background()
	must(t, db.Insert(ctx, "root.sg.d1", ns(1), Int32("i", 3), Float32("f", 4), Text("t", "ab")))
	must(t, db.Insert(ctx, "root.sg.d1", ns(2), Int32("i", 6)))
	must(t, db.Insert(ctx, "root.sg.d1", ns(3), Float32("f", 8), Text("t", "abc")))
	col := expr.Col
	for _, c := range []struct {
		e    expr.Expr
		want string
	}{
		{expr.Call("half", col("i")), "1=1.5 2=3"},
		{expr.Call("half", col("f")), "1=2 3=4"},
		{expr.Call("even", col("i")), "1=false 2=true"},
		{expr.Call("shout", col("t")), "1=AB! 3=ABC!"},
		{expr.Call("hypot", col("i"), col("f")), "1=5 2=null 3=null"},
		{expr.Call("hypot", expr.Call("half", col("i")), 2), "1=2.5 2=3.6055512754639896"},
		{expr.Call("plus", col("i"), 1), "1=4 2=7"},
		{expr.Call("sumsq", col("i")), "0=45"},
		{expr.Call("longest", col("t")), "0=3"},
		{expr.Call("sumsq", expr.Call("half", col("f"))), "0=20"},
	} {
		wantAsk(t, db, Query{Select: []expr.Expr{c.e}, From: []string{"root.sg.d1"}}, c.want)
	}
	wantAsk(t, db, Query{Select: []expr.Expr{col("i")}, From: []string{"root.sg.d1"}, Where: expr.Call("even", col("i"))}, "2=6")
	wantAsk(t, db, Query{Select: []expr.Expr{expr.Call("longest", col("t"))}, From: []string{"root.sg.d1"}, Start: ns(1), End: ns(4),
		GroupBy: GroupByTime{Interval: time.Duration(1)}}, "1=2 2=null 3=3")
	for _, c := range []struct {
		e    expr.Expr
		is   error
		text string
	}{
		{expr.Call("half", col("t")), ErrKindMismatch, "actual: TEXT"},
		{expr.Call("plus", col("f"), 1), ErrKindMismatch, "actual: FLOAT"},
		{expr.Call("half", col("i"), col("f")), ErrBadInput, "expected: 1. actual: 2"},
		{expr.Call("boom", col("i")), nil, "function boom panicked: boom"},
	} {
		_, err := ask(t, db, c.e)
		wantFail(t, err, c.is, c.text)
	}
	for f := range db.Functions() {
		if f.Name == "HYPOT" && fmt.Sprint(f) != "{HYPOT external UDTF func(float64, float64) float64 []}" {
			t.Errorf("listed %v", f)
		}
	}
}
