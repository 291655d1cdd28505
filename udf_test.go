package tickwell

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tickwell/tickwell/expr"
)

// probe is a UDTF made of functions; what is nil does nothing.
type probe struct {
	start     func(in *UDFInput, cfg *UDTFConfig) error
	row       func(r Row, out *Collector) error
	window    func(w *RowWindow, out *Collector) error
	terminate func(out *Collector) error
	log       *[]string
}

func (p *probe) note(format string, args ...any) {
	if p.log != nil {
		*p.log = append(*p.log, fmt.Sprintf(format, args...))
	}
}

func (p *probe) Validate(*UDFInput) error { p.note("Validate"); return nil }

func (p *probe) BeforeStart(in *UDFInput, cfg *UDTFConfig) error {
	p.note("BeforeStart")
	cfg.Output(KindInt64)
	if p.start != nil {
		return p.start(in, cfg)
	}
	return nil
}

func (p *probe) TransformRow(r Row, out *Collector) error {
	p.note("TransformRow")
	if p.row != nil {
		return p.row(r, out)
	}
	return nil
}

func (p *probe) TransformWindow(w *RowWindow, out *Collector) error {
	p.note("TransformWindow %d", w.Len())
	if p.window != nil {
		return p.window(w, out)
	}
	return nil
}

func (p *probe) Terminate(out *Collector) error {
	p.note("Terminate")
	if p.terminate != nil {
		return p.terminate(out)
	}
	return nil
}

func (p *probe) BeforeDestroy() { p.note("BeforeDestroy") }

// ask runs a query of one column over root.sg.d1 and prints its rows as
// "time=value", joined by blanks.
func ask(t testing.TB, db *DB, e expr.Expr) (string, error) {
	t.Helper()
	return askQuery(db, Query{Select: []expr.Expr{e}, From: []string{"root.sg.d1"}})
}

func askQuery(db *DB, q Query) (string, error) {
	res, err := db.Query(context.Background(), q)
	if err != nil {
		return "", err
	}
	var parts []string
	for row, err := range res.Rows() {
		if err != nil {
			return strings.Join(parts, " "), err
		}
		cells := make([]string, row.Len())
		for i := range cells {
			cells[i] = row.Value(i).String()
		}
		dev := ""
		if row.Device() != "" {
			dev = row.Device() + "@"
		}
		parts = append(parts, fmt.Sprintf("%s%d=%s", dev, row.UnixNano(), strings.Join(cells, ",")))
	}
	return strings.Join(parts, " "), nil
}

func wantAsk(t testing.TB, db *DB, q Query, want string) {
	t.Helper()
	got, err := askQuery(db, q)
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("%v\n got  %s\n want %s", q.Select, got, want)
	}
}

func wantFail(t testing.TB, err error, is error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want one with %q", parts)
		return
	}
	if is != nil && !errors.Is(err, is) {
		t.Errorf("error %q is not %q", err, is)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error %q does not contain %q", err, p)
		}
	}
}

// oneRow stores s1 = t and s2 = 10t at t = 1..n, s2 only at even times.
func rowsOf(t testing.TB, db *DB, n int64) {
	t.Helper()
	for i := int64(1); i <= n; i++ {
		f := []Field{Int64("s1", i)}
		if i%2 == 0 {
			f = append(f, Int64("s2", 10*i))
		}
		must(t, db.Insert(context.Background(), "root.sg.d1", ns(i), f...))
	}
}

func register(t testing.TB, db *DB, name string, newUDTF func() UDTF) {
	t.Helper()
	must(t, db.RegisterUDTF(context.Background(), name, newUDTF))
}

// The hooks are called in the documents' order, once each on an instance; the
// planning instance is ended before the one that gets rows begins.
func TestUDTFLifeCycle(t *testing.T) {
	db := openMem(t, nil)
	rowsOf(t, db, 2)
	var log []string
	register(t, db, "p", func() UDTF {
		log = append(log, "new")
		return &probe{log: &log}
	})
	log = nil // registration made one to look at
	if _, err := ask(t, db, expr.Call("p", expr.Col("s1"))); err != nil {
		t.Fatal(err)
	}
	want := "new Validate BeforeStart BeforeDestroy new Validate BeforeStart TransformRow TransformRow Terminate BeforeDestroy"
	if got := strings.Join(log, " "); got != want {
		t.Errorf("calls\n%s\nwant\n%s", got, want)
	}
	log = nil
	_, err := askQuery(db, Query{Select: []expr.Expr{expr.Call("p", expr.Col("s1"), expr.Col("s2")), expr.Call("p", expr.Col("s1"))},
		From: []string{"root.sg.d1"}, Limit: 1})
	must(t, err)
	if n := count(log, "new"); n != count(log, "BeforeDestroy") || n != 4 {
		t.Errorf("%d instances, %d destroyed, want 4 and 4: %v", n, count(log, "BeforeDestroy"), log)
	}
}

func count(list []string, s string) (n int) {
	for _, x := range list {
		if x == s {
			n++
		}
	}
	return n
}

// BeforeDestroy comes after every end: error, panic, a loop that is left,
// a context that is done. What BeforeStart opened is closed by it.
func TestUDTFAlwaysDestroyed(t *testing.T) {
	db := openMem(t, nil)
	rowsOf(t, db, 5000)
	var started atomic.Int64
	closed := make(chan error, 10)
	var mode string
	ctx, cancel := context.WithCancel(context.Background())
	register(t, db, "f", func() UDTF {
		return &opener{started: &started, closed: closed, probe: probe{
			row: func(r Row, out *Collector) error {
				switch mode {
				case "error":
					return errors.New("no luck")
				case "panic":
					panic("boom")
				case "cancel":
					cancel()
				}
				return out.PutInt64(r.UnixNano(), 1)
			},
		}}
	})
	for _, mode = range []string{"error", "panic", "break", "cancel"} {
		res, err := db.Query(ctx, Query{Select: []expr.Expr{expr.Call("f", expr.Col("s1"))}, From: []string{"root.sg.d1"}})
		must(t, err)
		var last error
		for _, err := range res.Rows() {
			last = err
			if mode == "break" {
				break
			}
		}
		n := started.Swap(0)
		if open := n - int64(len(closed)); open != 0 && mode != "cancel" {
			t.Fatalf("%s: %d left open", mode, open)
		}
		for range n { // where the context ends, the last may be left behind for a while: see query_guest.go
			must(t, <-closed)
		}
		switch mode {
		case "error":
			wantFail(t, last, nil, "function f", "TransformRow", "no luck")
		case "panic":
			var p *PanicError
			if !errors.As(last, &p) || p.Name != "function f" || p.Value != "boom" {
				t.Errorf("panic gives %v", last)
			}
		case "cancel":
			wantFail(t, last, context.Canceled)
		}
	}
	if _, err := askQuery(db, Query{Select: []expr.Expr{expr.Count(expr.Col("s1"))}, From: []string{"root.sg.d1"}}); err != nil {
		t.Errorf("the DB does not go on: %v", err)
	}
}

type opener struct {
	probe
	started *atomic.Int64
	closed  chan error
	f       *os.File
}

func (o *opener) BeforeStart(in *UDFInput, cfg *UDTFConfig) (err error) {
	o.started.Add(1)
	cfg.Output(KindInt64)
	o.f, err = os.Open(os.DevNull)
	return err
}

func (o *opener) BeforeDestroy() { o.closed <- o.f.Close() }

// What a function emits wrongly ends the query with an error that names it,
// whatever the function makes of the Collector's answer.
func TestUDTFMisbehaves(t *testing.T) {
	db := openMem(t, nil)
	rowsOf(t, db, 3000)
	var kept []Row
	cases := []struct {
		name string
		row  func(r Row, out *Collector) error
		end  func(out *Collector) error
		is   error
		text []string
	}{
		{"wrong kind", func(r Row, out *Collector) error { out.PutFloat64(r.UnixNano(), 1); return nil }, nil, ErrKindMismatch, []string{"function bad", "float64", "int64"}},
		{"equal times", func(r Row, out *Collector) error { out.PutInt64(7, 1); return nil }, nil, ErrBadInput, []string{"function bad", "time 7 after 7"}},
		{"decreasing times", func(r Row, out *Collector) error { out.PutInt64(-r.UnixNano(), 1); return nil }, nil, ErrBadInput, []string{"function bad", "must increase"}},
		{"decreasing in terminate", func(r Row, out *Collector) error { return out.PutInt64(r.UnixNano(), 1) },
			func(out *Collector) error { out.PutInt64(1, 1); return nil }, ErrBadInput, []string{"function bad", "time 1 after 3000"}},
		{"a billion points", func(r Row, out *Collector) error {
			for i := range int64(1_000_000_000) {
				if err := out.PutInt64(i, i); err != nil {
					return nil // swallowed
				}
			}
			return nil
		}, nil, ErrLimit, []string{"function bad", "bytes"}},
		{"keeps a row", func(r Row, out *Collector) error {
			if kept = append(kept, r); r.UnixNano() == 3000 {
				kept[0].Value(0)
			}
			return nil
		}, func(out *Collector) error { kept[0].Value(0); return nil }, nil, []string{"function bad", "panic"}},
		{"wrong column", func(r Row, out *Collector) error { var m map[string]int; m["x"] = 1; return nil }, nil, nil, []string{"function bad", "panic"}},
	}
	var row func(Row, *Collector) error
	var end func(*Collector) error
	register(t, db, "bad", func() UDTF { return &probe{row: row, terminate: end} })
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			row, end = c.row, c.end
			_, err := ask(t, db, expr.Call("bad", expr.Col("s1")))
			wantFail(t, err, c.is, c.text...)
		})
	}
}

// The collector takes each kind in its form; every other kind is an error.
func TestCollectorKinds(t *testing.T) {
	db := openMem(t, nil)
	rowsOf(t, db, 1)
	puts := map[Kind]func(out *Collector) error{
		KindBool:    func(out *Collector) error { return out.PutBool(1, true) },
		KindInt32:   func(out *Collector) error { return out.PutInt32(1, 2) },
		KindInt64:   func(out *Collector) error { return out.PutInt64(1, 3) },
		KindFloat32: func(out *Collector) error { return out.PutFloat32(1, 4.5) },
		KindFloat64: func(out *Collector) error { return out.PutFloat64(1, 5.5) },
		KindText:    func(out *Collector) error { return out.PutText(1, "six") },
	}
	values := map[Kind]string{KindBool: "1=true", KindInt32: "1=2", KindInt64: "1=3", KindFloat32: "1=4.5", KindFloat64: "1=5.5", KindText: "1=six"}
	var output Kind
	var put func(out *Collector) error
	register(t, db, "f", func() UDTF {
		return &probe{
			start: func(_ *UDFInput, cfg *UDTFConfig) error { cfg.Output(output); return nil },
			row:   func(_ Row, out *Collector) error { return put(out) },
		}
	})
	for output = KindBool; output <= KindText; output++ {
		for kind := KindBool; kind <= KindText; kind++ {
			put = puts[kind]
			got, err := ask(t, db, expr.Call("f", expr.Col("s1")))
			if kind == output {
				if err != nil || got != values[kind] {
					t.Errorf("%s: got %q, %v, want %q", kind, got, err, values[kind])
				}
			} else {
				wantFail(t, err, ErrKindMismatch, "function f", kind.String(), output.String())
			}
		}
	}
	output, put = KindText, func(out *Collector) error { return out.PutBytes(1, []byte("bytes")) }
	if got, err := ask(t, db, expr.Call("f", expr.Col("s1"))); got != "1=bytes" || err != nil {
		t.Errorf("bytes: %q, %v", got, err)
	}
}

// The output kind may follow the input, the strategy an attribute.
func TestUDTFDecidesAtRunTime(t *testing.T) {
	db := openMem(t, nil)
	ctx := context.Background()
	fields := []Field{Bool("b", true), Int32("i", 1), Int64("l", 2), Float32("f", 3.5), Float64("d", 4.5), Text("t", "x")}
	must(t, db.Insert(ctx, "root.sg.d1", ns(1), fields...))
	must(t, db.Insert(ctx, "root.sg.d1", ns(2), fields...))
	register(t, db, "same", func() UDTF {
		return &probe{
			start: func(in *UDFInput, cfg *UDTFConfig) error {
				cfg.Output(in.Inputs[0].Kind)
				if in.Params.TextOr("mode", "rows") == "windows" {
					cfg.SlidingSize(2, 0)
				}
				return nil
			},
			row: func(r Row, out *Collector) error { return out.Put(r.UnixNano(), r.Value(0)) },
			window: func(w *RowWindow, out *Collector) error {
				return out.Put(w.Start(), w.Row(w.Len()-1).Value(0))
			},
		}
	})
	for _, f := range fields {
		res, err := db.Query(ctx, Query{Select: []expr.Expr{expr.Call("same", expr.Col(f.Name))}, From: []string{"root.sg.d1"}})
		must(t, err)
		if k := res.Columns()[0].Kind; k != f.Value.Kind() {
			t.Errorf("%s: output %s, want %s", f.Name, k, f.Value.Kind())
		}
		got, err := ask(t, db, expr.Call("same", expr.Col(f.Name)).With("mode", "windows"))
		if want := "1=" + f.Value.String(); got != want || err != nil {
			t.Errorf("%s in windows: %q, %v, want %q", f.Name, got, err, want)
		}
	}
}

type onlyStart struct{}

func (onlyStart) BeforeStart(*UDFInput, *UDTFConfig) error { return nil }

// What a function lacks is said at registration or when the query is planned.
func TestUDTFIncomplete(t *testing.T) {
	db := openMem(t, nil)
	rowsOf(t, db, 1)
	ctx := context.Background()
	wantFail(t, db.RegisterUDTF(ctx, "f", func() UDTF { return onlyStart{} }), ErrBadInput, "neither TransformRow nor TransformWindow")
	wantFail(t, db.RegisterUDTF(ctx, "f", func() UDTF { return nil }), ErrBadInput, "nil")
	wantFail(t, db.RegisterUDTF(ctx, "f", func() UDTF { panic("no") }), nil, "panic")
	wantFail(t, db.RegisterFunction(ctx, FunctionSpec{Name: "f"}), ErrBadInput, "UDTF")
	wantFail(t, db.RegisterUDTF(ctx, "f g", func() UDTF { return &probe{} }), ErrBadInput, "blank")

	var cfg func(*UDTFConfig)
	register(t, db, "row", func() UDTF { return configured{Adder: &cfg} })
	for _, c := range []struct {
		name string
		cfg  func(*UDTFConfig)
		text string
	}{
		{"no output", func(c *UDTFConfig) {}, "no output kind"},
		{"windows", func(c *UDTFConfig) { c.Output(KindInt64).SlidingSize(3, 1) }, "no method TransformWindow"},
		{"mappable", func(c *UDTFConfig) { c.Output(KindInt64).Mappable() }, "no method MapRow"},
	} {
		cfg = c.cfg
		_, err := ask(t, db, expr.Call("row", expr.Col("s1")))
		wantFail(t, err, ErrBadInput, "function row", c.text)
	}
}

// configured is a row transformer whose configuration a test sets.
type configured struct{ Adder *func(*UDTFConfig) }

func (c configured) BeforeStart(_ *UDFInput, cfg *UDTFConfig) error { (*c.Adder)(cfg); return nil }
func (c configured) TransformRow(Row, *Collector) error             { return nil }

// The messages of the documents' validator.
func TestUDFValidator(t *testing.T) {
	db := openMem(t, nil)
	ctx := context.Background()
	must(t, db.Insert(ctx, "root.sg.d1", ns(1), Float32("s1", 1), Float32("s2", 1)))
	var check func(in *UDFInput) error
	register(t, db, "v", func() UDTF {
		return &probe{start: func(in *UDFInput, cfg *UDTFConfig) error { return check(in) }}
	})
	s1, s2 := expr.Col("s1"), expr.Col("s2")
	for _, c := range []struct {
		check func(in *UDFInput) error
		call  expr.Expr
		is    error
		text  string
	}{
		{func(in *UDFInput) error { return in.RequireAttribute("k") }, expr.Call("v", s1), ErrBadInput, `attribute "k" is required but was not provided`},
		{func(in *UDFInput) error { return in.RequireKind(0, KindInt32, KindInt64) }, expr.Call("v", s1), ErrKindMismatch,
			"the data type of the input series (index: 0) is not valid. expected: [INT32, INT64]. actual: FLOAT"},
		{func(in *UDFInput) error { return in.RequireKind(1, KindInt32) }, expr.Call("v", s1, s2), ErrKindMismatch, "(index: 1) is not valid. expected: INT32. actual: FLOAT"},
		{func(in *UDFInput) error { return in.RequireKind(1, KindInt32) }, expr.Call("v", s1), ErrBadInput, "the index (1) of the input series is not valid. valid index range: [0, 1)"},
		{func(in *UDFInput) error { return in.RequireInputs(2) }, expr.Call("v", s1, s2, s1), ErrBadInput, "the number of the input series is not valid. expected: 2. actual: 3"},
		{func(in *UDFInput) error { return in.RequireInputsBetween(2, 3) }, expr.Call("v", s1), ErrBadInput, "expected: [2, 3]. actual: 1"},
		{func(in *UDFInput) error { return in.Require(in.Params.Has("a"), "a or nothing") }, expr.Call("v", s1), ErrBadInput, "a or nothing"},
		{func(in *UDFInput) error { _, err := in.Params.Int64("n"); return err }, expr.Call("v", s1).With("n", "x1"), ErrBadInput, `attribute "n": "x1" is not an integer`},
		{func(in *UDFInput) error { _, err := in.Params.Float64("n"); return err }, expr.Call("v", s1), ErrBadInput, `attribute "n" is required`},
	} {
		check = c.check
		_, err := ask(t, db, c.call)
		wantFail(t, err, c.is, "function v", "BeforeStart", c.text)
	}
	check = func(in *UDFInput) error {
		f, err := in.Params.Float64("key2")
		n, err2 := in.Params.Int64Or("key4", 678)
		if len(in.Inputs) != 2 || in.Inputs[1].Name != "root.sg.d1.s2" || in.Params.Text("key1") != "iotdb" || f != 123.45 || n != 678 ||
			in.Params.Has("key3") || in.Function != "V" {
			t.Errorf("the call reads as %+v", in)
		}
		return errors.Join(err, err2)
	}
	if _, err := ask(t, db, expr.Call("V", s1, s2).With("key1", "iotdb").With("key2", "123.45")); err != nil {
		t.Error(err)
	}
	for _, ok := range []func(in *UDFInput) error{
		func(in *UDFInput) error { return in.RequireKind(0, KindFloat32) },
		func(in *UDFInput) error { return in.RequireInputs(1) },
		func(in *UDFInput) error { return in.RequireInputsBetween(1, 1) },
	} {
		check = ok
		if _, err := ask(t, db, expr.Call("v", s1)); err != nil {
			t.Error(err)
		}
	}
}

// A function sees the rows in which one of its own inputs has a value, after
// WHERE.
func TestUDTFInput(t *testing.T) {
	db := openMem(t, nil)
	rowsOf(t, db, 6)
	var log []string
	register(t, db, "see", func() UDTF {
		return &probe{row: func(r Row, out *Collector) error {
			cells := make([]string, r.Len())
			for i := range cells {
				cells[i] = r.Value(i).String()
			}
			log = append(log, fmt.Sprint(r.UnixNano(), cells))
			return nil
		}}
	})
	s1, s2 := expr.Col("s1"), expr.Col("s2")
	for _, c := range []struct {
		sel   []expr.Expr
		where expr.Expr
		want  string
	}{
		{[]expr.Expr{expr.Call("see", s2)}, expr.Expr{}, "2 [20] 4 [40] 6 [60]"},
		{[]expr.Expr{s1, expr.Call("see", s2)}, expr.Expr{}, "2 [20] 4 [40] 6 [60]"},
		{[]expr.Expr{expr.Call("see", s1, s2)}, expr.Expr{}, "1 [1 null] 2 [2 20] 3 [3 null] 4 [4 40] 5 [5 null] 6 [6 60]"},
		{[]expr.Expr{expr.Call("see", s1)}, s2.Gt(20), "4 [4] 6 [6]"},
		{[]expr.Expr{expr.Call("see", s2)}, s1.Gt(2), "4 [40] 6 [60]"},
		{[]expr.Expr{expr.Call("see", s1)}, expr.Time().Ge(2).And(expr.Time().Lt(5)), "2 [2] 3 [3] 4 [4]"},
		{[]expr.Expr{expr.Call("see", s1, 1)}, s1.Le(2), "1 [1 1] 2 [2 1]"},
		{[]expr.Expr{expr.Call("see", s1.Add(s2))}, expr.Expr{}, "2 [22] 4 [44] 6 [66]"},
	} {
		log = nil
		_, err := askQuery(db, Query{Select: c.sel, From: []string{"root.sg.d1"}, Where: c.where})
		must(t, err)
		if got := strings.Join(log, " "); got != c.want {
			t.Errorf("%v where %s:\n got  %s\n want %s", c.sel, c.where, got, c.want)
		}
	}
}

// Wildcards make one column per choice, the first argument outermost; calls
// nest with arithmetic and with each other.
func TestUDTFColumns(t *testing.T) {
	db := openMem(t, nil)
	rowsOf(t, db, 4)
	register(t, db, "example", func() UDTF {
		return &probe{
			start: func(_ *UDFInput, cfg *UDTFConfig) error { cfg.Output(KindFloat64); return nil },
			row: func(r Row, out *Collector) error {
				sum := 0.0
				for i := range r.Len() {
					if r.IsNull(i) {
						return nil
					}
					sum += r.Float64(i)
				}
				return out.PutFloat64(r.UnixNano(), sum)
			},
		}
	})
	s1, s2, all := expr.Col("s1"), expr.Col("s2"), expr.Col("*")
	ex := func(args ...any) expr.Expr { return expr.Call("example", args...) }
	for _, c := range []struct {
		sel     []expr.Expr
		columns string
		rows    string
	}{
		{[]expr.Expr{ex(all)}, "example(root.sg.d1.s1); example(root.sg.d1.s2)", "1=1,null 2=2,20 3=3,null 4=4,40"},
		{[]expr.Expr{ex(s1, all)}, "example(root.sg.d1.s1, root.sg.d1.s1); example(root.sg.d1.s1, root.sg.d1.s2)", "1=2,null 2=4,22 3=6,null 4=8,44"},
		{[]expr.Expr{ex(all, all)}, "example(root.sg.d1.s1, root.sg.d1.s1); example(root.sg.d1.s1, root.sg.d1.s2); " +
			"example(root.sg.d1.s2, root.sg.d1.s1); example(root.sg.d1.s2, root.sg.d1.s2)", "1=2,null,null,null 2=4,22,22,40 3=6,null,null,null 4=8,44,44,80"},
		{[]expr.Expr{s1.Mul(ex(all.Div(s1).Add(s2)))}, "root.sg.d1.s1 * example(root.sg.d1.s1 / root.sg.d1.s1 + root.sg.d1.s2); " +
			"root.sg.d1.s1 * example(root.sg.d1.s2 / root.sg.d1.s1 + root.sg.d1.s2)", "2=42,60 4=164,200"},
		{[]expr.Expr{s1, s2, s1.Add(ex(s1, s2)), s1.Sub(ex(s1.Add(ex(s1, s2)).Div(s2)))},
			"root.sg.d1.s1; root.sg.d1.s2; root.sg.d1.s1 + example(root.sg.d1.s1, root.sg.d1.s2); " +
				"root.sg.d1.s1 - example((root.sg.d1.s1 + example(root.sg.d1.s1, root.sg.d1.s2)) / root.sg.d1.s2)",
			"1=1,null,null,null 2=2,20,24,0.8 3=3,null,null,null 4=4,40,48,2.8"},
		{[]expr.Expr{ex(s1).With("key1", "value1").With("key2", "value2"), ex(all).With("key3", "value3")},
			`example(root.sg.d1.s1, "key1"="value1", "key2"="value2"); example(root.sg.d1.s1, "key3"="value3"); example(root.sg.d1.s2, "key3"="value3")`,
			"1=1,1,null 2=2,2,20 3=3,3,null 4=4,4,40"},
		{[]expr.Expr{ex(s1, expr.Col("s100"))}, "", ""},
	} {
		q := Query{Select: c.sel, From: []string{"root.sg.d1"}}
		res, err := db.Query(context.Background(), q)
		must(t, err)
		var names []string
		for _, col := range res.Columns() {
			names = append(names, col.Name)
		}
		if got := strings.Join(names, "; "); got != c.columns {
			t.Errorf("columns\n got  %s\n want %s", got, c.columns)
		}
		wantAsk(t, db, q, c.rows)
	}
	wantAsk(t, db, Query{Select: []expr.Expr{ex(all)}, From: []string{"root.sg.d1"}, SeriesLimit: 1, SeriesOffset: 1}, "2=20 4=40")
	wantAsk(t, db, Query{Select: []expr.Expr{ex(s1)}, From: []string{"root.sg.d1"}, Limit: 2, Offset: 1}, "2=2 3=3")
	wantAsk(t, db, Query{Select: []expr.Expr{s1}, From: []string{"root.sg.d1"}, Where: ex(s1, s2).Gt(30)}, "4=4")
	wantAsk(t, db, Query{Select: []expr.Expr{all, ex(all)}, From: []string{"root.sg.d1"}, DisableAlign: true},
		"1=1 2=2 3=3 4=4 2=20 4=40 1=1 2=2 3=3 4=4 2=20 4=40")
	_, err := ask(t, db, expr.Call("example", 1, 2))
	wantFail(t, err, ErrBadInput, "input of 'example' is illegal")
	_, err = ask(t, db, expr.Call("nosuch", s1))
	wantFail(t, err, ErrNotFound, `function "nosuch"`)
}

// States of two uses of a function, in one query or in many at once, do not
// mix.
func TestUDTFIsolation(t *testing.T) {
	db := openMem(t, nil)
	rowsOf(t, db, 200)
	register(t, db, "running", func() UDTF {
		sum := int64(0)
		return &probe{row: func(r Row, out *Collector) error {
			sum += r.Value(0).Int64()
			return out.PutInt64(r.UnixNano(), sum)
		}}
	})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 5 {
				q := Query{Select: []expr.Expr{expr.Call("running", expr.Col("s1")), expr.Call("running", expr.Col("s1"))}, From: []string{"root.sg.d1"}}
				got, err := askQuery(db, q)
				if err != nil || !strings.HasSuffix(got, "200=20100,20100") {
					t.Errorf("%v: %s", err, got[max(0, len(got)-30):])
				}
			}
		})
	}
	wg.Wait()
}

// Names are not case-sensitive; those of built-in functions are taken.
func TestFunctionNames(t *testing.T) {
	db := openMem(t, nil)
	ctx := context.Background()
	rowsOf(t, db, 1)
	register(t, db, "Example", func() UDTF { return &probe{} })
	wantFail(t, db.RegisterUDTF(ctx, "EXAMPLE", func() UDTF { return &probe{} }), ErrExists, "the same name UDF has been created")
	for _, name := range []string{"avg", "COUNT", "max_value", "Sin", "top_k"} {
		wantFail(t, db.RegisterUDTF(ctx, name, func() UDTF { return &probe{} }), ErrExists, "conflicts with the built-in function name")
		wantFail(t, db.DropFunction(ctx, name), ErrBadInput, "can not be deregistered")
	}
	for _, name := range []string{"example", "EXAMPLE", "eXample"} {
		if _, err := ask(t, db, expr.Call(name, expr.Col("s1"))); err != nil {
			t.Error(err)
		}
	}
	var listed []FunctionInfo
	for f := range db.Functions() {
		listed = append(listed, f)
	}
	i := slices.IndexFunc(listed, func(f FunctionInfo) bool { return f.Name == "EXAMPLE" })
	want := FunctionInfo{"EXAMPLE", "external UDTF", "tickwell.probe", []string{"UDFValidator", "RowTransformer", "WindowTransformer", "Terminator", "BeforeDestroyer"}}
	if i < 0 || fmt.Sprint(listed[i]) != fmt.Sprint(want) {
		t.Errorf("listed %v, want %v", listed, want)
	}
	if i := slices.IndexFunc(listed, func(f FunctionInfo) bool { return f.Name == "AVG" }); i < 0 || listed[i].Type != "native" {
		t.Errorf("avg is not listed as native: %v", listed)
	}
	res, err := db.Query(ctx, Query{Select: []expr.Expr{expr.Call("example", expr.Col("s1"))}, From: []string{"root.sg.d1"}})
	must(t, err)
	must(t, db.DropFunction(ctx, "exAMPLE"))
	if _, err := res.Collect(); err != nil {
		t.Errorf("a query planned before the drop fails: %v", err)
	}
	wantFail(t, db.DropFunction(ctx, "example"), ErrNotFound, "this UDF has not been created")
	_, err = ask(t, db, expr.Call("example", expr.Col("s1")))
	wantFail(t, err, ErrNotFound)
	register(t, db, "example", func() UDTF { return &probe{} }) // again, with other code
}

// Each privilege of functions is asked for.
func TestFunctionPrivileges(t *testing.T) {
	var deny Action
	refused := errors.New("not you")
	db := openMem(t, &Options{Authorize: func(_ context.Context, a Action, path string) error {
		if a == deny {
			return fmt.Errorf("%s: %w", path, refused)
		}
		return nil
	}})
	ctx := context.Background()
	rowsOf(t, db, 1)
	deny = ActionCreateFunc
	wantFail(t, db.RegisterUDTF(ctx, "f", func() UDTF { return &probe{} }), refused, "CREATE_FUNCTION", "f")
	deny = ""
	_, err := ask(t, db, expr.Call("f", expr.Col("s1")))
	wantFail(t, err, ErrNotFound)
	register(t, db, "f", func() UDTF { return &probe{} })
	deny = ActionDropFunc
	wantFail(t, db.DropFunction(ctx, "f"), refused, "DROP_FUNCTION")
	deny = ActionRead
	_, err = ask(t, db, expr.Call("f", expr.Col("s1")))
	wantFail(t, err, refused, "READ_TIMESERIES", "root.sg.d1.s1")
	_, err = askQuery(db, Query{Select: []expr.Expr{expr.Count(expr.Col("s1"))}, From: []string{"root.sg.d1"}, Where: expr.Col("s2").Gt(1)})
	wantFail(t, err, refused, "READ_TIMESERIES")
	deny = ""
	if _, err := ask(t, db, expr.Call("f", expr.Col("s1"))); err != nil {
		t.Error(err)
	}
}
