package tickwell_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/tickwelltest"
)

// stubborn is a UDTF that does not return, or ends its goroutine, at a value.
type stubborn struct {
	release chan struct{}
	entered chan struct{}
	exit    bool
}

func (s *stubborn) BeforeStart(_ *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	cfg.Output(tickwell.KindFloat64)
	return nil
}

func (s *stubborn) TransformRow(row tickwell.Row, out *tickwell.Collector) error {
	if row.Float64(0) == 3 {
		if s.exit {
			runtime.Goexit()
		}
		close(s.entered)
		<-s.release
	}
	return out.PutFloat64(row.UnixNano(), row.Float64(0))
}

func hanging(ctx context.Context, t *testing.T, s *tickwelltest.Store) error {
	t.Helper()
	r, err := s.Query(ctx, tickwell.Query{Select: []expr.Expr{expr.Call("stubborn", expr.Col("v"))}, From: []string{"root.d"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range r.Rows() {
		if err != nil {
			return err
		}
	}
	return nil
}

// A function that hangs costs its query, which ends with its context and says
// who it was; the store goes on and closes, and nothing stays once the function
// has returned.
func TestQueryFunctionHangs(t *testing.T) {
	u := &stubborn{release: make(chan struct{}), entered: make(chan struct{})}
	s := tickwelltest.New(t, &tickwell.Options{Functions: []tickwell.FunctionSpec{{Name: "stubborn", UDTF: func() tickwell.UDTF { return u }}}})
	t.Cleanup(func() { close(u.release) }) // before the store is closed
	for i := range 5 {
		s.Put("root.d", tickwell.Float64("v", float64(i)))
		s.Clock.Advance(time.Second)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-u.entered; cancel() }()
	err := hanging(ctx, t, s)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "function stubborn has not returned") {
		t.Errorf("the query ends with %v, want it canceled, with the name of the function", err)
	}
	s.Put("root.d", tickwell.Float64("v", 9)) // the store goes on
	s.RequireWritten("root.d.v", "+0s 0", "+1s 1", "+2s 2", "+3s 3", "+4s 4", "+5s 9")
}

// planless is a UDTF that does not return from one of the methods beside the rows.
type planless struct {
	stubborn
	from string
	stop func()
}

func (p *planless) hang(from string) {
	if from == p.from {
		p.stop()
		<-p.release
	}
}

func (p *planless) Validate(*tickwell.UDFInput) error {
	p.hang("Validate")
	return nil
}

func (p *planless) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	p.hang("BeforeStart")
	return p.stubborn.BeforeStart(in, cfg)
}

func (p *planless) TransformRow(row tickwell.Row, out *tickwell.Collector) error {
	return out.PutFloat64(row.UnixNano(), row.Float64(0))
}

func (p *planless) BeforeDestroy() { p.hang("BeforeDestroy") }

// So does one that hangs while the query is planned, or when it is over.
func TestQueryFunctionHangsAround(t *testing.T) {
	for _, from := range []string{"Validate", "BeforeStart", "BeforeDestroy"} {
		ctx, cancel := context.WithCancel(context.Background())
		u := &planless{stubborn{release: make(chan struct{})}, from, cancel}
		s := tickwelltest.New(t, &tickwell.Options{Functions: []tickwell.FunctionSpec{{Name: "planless", UDTF: func() tickwell.UDTF { return u }}}})
		t.Cleanup(func() { close(u.release) }) // before the store is closed
		s.Put("root.d", tickwell.Float64("v", 1))
		r, err := s.Query(ctx, tickwell.Query{Select: []expr.Expr{expr.Call("planless", expr.Col("v"))}, From: []string{"root.d"}})
		if err == nil {
			_, err = r.Collect()
		}
		if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "planless") {
			t.Errorf("%s: the query ends with %v, want it canceled, with the name of the function", from, err)
		}
	}
}

// A function that ends its goroutine is an error of the query.
func TestQueryFunctionExits(t *testing.T) {
	u := &stubborn{exit: true}
	s := tickwelltest.New(t, &tickwell.Options{Functions: []tickwell.FunctionSpec{{Name: "stubborn", UDTF: func() tickwell.UDTF { return u }}}})
	for i := range 5 {
		s.Put("root.d", tickwell.Float64("v", float64(i)))
		s.Clock.Advance(time.Second)
	}
	if err := hanging(t.Context(), t, s); err == nil || !strings.Contains(err.Error(), "stubborn") {
		t.Errorf("the query ends with %v, want an error with the name of the function", err)
	}
}

// Leaving the loop early leaves nothing behind.
func TestQueryFunctionLoopLeft(t *testing.T) {
	s := tickwelltest.New(t, &tickwell.Options{Functions: []tickwell.FunctionSpec{tickwell.RowFunc1("twice", func(v float64) float64 { return 2 * v })}})
	for i := range 5 {
		s.Put("root.d", tickwell.Float64("v", float64(i)))
		s.Clock.Advance(time.Second)
	}
	r, err := s.Query(t.Context(), tickwell.Query{Select: []expr.Expr{expr.Call("twice", expr.Col("v"))}, From: []string{"root.d"}})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // a result can be ranged over again
		for row, err := range r.Rows() {
			if err != nil || row.Float64(0) != 0 {
				t.Errorf("first row %v, %v; want 0", row.Value(0), err)
			}
			break
		}
	}
}

// A continuous query whose function hangs is dropped all the same: its run ends
// with its context, and the others go on.
func TestCQFunctionHangs(t *testing.T) {
	u := &stubborn{release: make(chan struct{}), entered: make(chan struct{})}
	s := tickwelltest.New(t, &tickwell.Options{Functions: []tickwell.FunctionSpec{{Name: "stubborn", UDTF: func() tickwell.UDTF { return u }}}})
	t.Cleanup(func() { close(u.release) }) // before the store is closed
	ctx := context.Background()
	for name, e := range map[string]expr.Expr{"hangs": expr.Call("stubborn", expr.Col("v")), "goes": expr.Col("v").Mul(2)} {
		err := s.CreateContinuousQuery(ctx, tickwell.CQSpec{Name: name, Every: 10 * time.Second, Query: tickwell.Query{
			Select: []expr.Expr{e}, From: []string{"root.d"}, Into: []tickwell.Target{{Device: "root." + name, Columns: []string{"v"}}},
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range 5 {
		s.Put("root.d", tickwell.Float64("v", float64(i)))
		s.Clock.Advance(time.Second)
	}
	s.Clock.Advance(10 * time.Second)
	<-u.entered
	if err := s.DropContinuousQuery(ctx, "hangs"); err != nil {
		t.Fatal(err)
	}
	s.RequireWritten("root.goes.v", "+0s 0", "+1s 2", "+2s 4", "+3s 6", "+4s 8")
}
