package tickwell

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
)

// bounds registers "w", which tells of each window its rows and bounds, under
// the strategy that *access chooses.
func registerBounds(t *testing.T, db *DB, access *func(cfg *UDTFConfig), seen *[]string) {
	register(t, db, "w", func() UDTF {
		return &probe{
			start: func(_ *UDFInput, cfg *UDTFConfig) error { cfg.Output(KindInt64); (*access)(cfg); return nil },
			window: func(w *RowWindow, _ *Collector) error {
				*seen = append(*seen, fmt.Sprintf("%d-%d/%d", w.Start(), w.End(), w.Len()))
				for i := range w.Len() {
					if w.Row(i).UnixNano() != w.Tablet().Times[i] {
						return fmt.Errorf("row %d is not that of the tablet", i)
					}
				}
				return nil
			},
		}
	})
}

// ramp stores root.sg.d1.s1 = t for t in [0, n).
func ramp(t *testing.T, db *DB, n int64) {
	tab := &Tablet{Device: "root.sg.d1"}
	for i := range n {
		must(t, tab.Append(ns(i), Int64("s1", i)))
	}
	must(t, db.InsertTablet(context.Background(), tab))
}

// The tables of IoTDB's window tests: 10000 rows at t = 0..9999.
func TestSlidingWindowTables(t *testing.T) {
	db := openMem(t, nil)
	ramp(t, db, 10000)
	var access func(cfg *UDTFConfig)
	var seen []string
	registerBounds(t, db, &access, &seen)
	run := func(a func(cfg *UDTFConfig)) error {
		access, seen = a, nil
		_, err := ask(t, db, expr.Call("w", expr.Col("s1")))
		return err
	}
	for _, c := range []struct{ size, step, windows, last int }{
		{1, 1, 10000, 1}, {100, 100, 100, 100}, {111, 123, 82, 37}, {123, 111, 91, 10}, {100, 10000, 1, 100},
		{10000, 1000, 10, 1000}, {15000, 4333, 3, 1334}, {10000, 15000, 1, 10000}, {15000, 15000, 1, 10000},
		{1000, 0, 10, 1000}, {330, 0, 31, 100}, {3330, 0, 4, 10}, {30000, 0, 1, 10000},
	} {
		must(t, run(func(cfg *UDTFConfig) { cfg.SlidingSize(c.size, c.step) }))
		step := c.step
		if step == 0 {
			step = c.size
		}
		if len(seen) != c.windows {
			t.Errorf("size %+v: %d windows", c, len(seen))
			continue
		}
		for k, s := range seen {
			n := min(c.size, 10000-k*step)
			if want := fmt.Sprintf("%d-%d/%d", k*step, k*step+n-1, n); s != want {
				t.Errorf("size %+v: window %d is %s, want %s", c, k, s, want)
			}
		}
		if !strings.HasSuffix(seen[len(seen)-1], fmt.Sprint("/", c.last)) {
			t.Errorf("size %+v: last window %s", c, seen[len(seen)-1])
		}
	}
	const none = -1
	for _, c := range []struct{ interval, step, begin, end, windows int64 }{
		{3300, 3300, 3300, 3300, 0}, {330, 660, 5000, 10000, 8}, {660, 330, 5000, 10000, 16}, {330, 330, 5000, 10000, 16},
		{10000, 10000, 0, 10000, 1}, {10100, 100, 0, 5000, 50}, {100, 10100, 0, 5000, 1}, {10100, 10100, 0, 5000, 1},
		{1, 0, none, none, 10000}, {1000, 0, none, none, 10}, {303, 0, none, none, 34}, {10000, 0, none, none, 1}, {20000, 0, none, none, 1},
	} {
		must(t, run(func(cfg *UDTFConfig) {
			cfg.SlidingTime(time.Duration(c.interval), time.Duration(c.step))
			if c.begin != none {
				cfg.Display(ns(c.begin), ns(c.end))
			}
		}))
		step, begin, end := c.step, c.begin, c.end
		if step == 0 {
			step = c.interval
		}
		if begin == none {
			begin, end = 0, 10000
		}
		if int64(len(seen)) != c.windows {
			t.Errorf("time %+v: %d windows", c, len(seen))
			continue
		}
		for k, s := range seen {
			start := begin + int64(k)*step
			n := min(start+c.interval, end) - start
			if want := fmt.Sprintf("%d-%d/%d", start, start+c.interval-1, n); s != want {
				t.Errorf("time %+v: window %d is %s, want %s", c, k, s, want)
			}
		}
	}
	for _, c := range []struct {
		access func(cfg *UDTFConfig)
		text   string
	}{
		{func(cfg *UDTFConfig) { cfg.SlidingSize(0, 1) }, "windowSize(0) should be positive"},
		{func(cfg *UDTFConfig) { cfg.SlidingSize(-10000, 1) }, "windowSize(-10000) should be positive"},
		{func(cfg *UDTFConfig) { cfg.SlidingSize(1, -1) }, "slidingStep(-1) should be positive"},
		{func(cfg *UDTFConfig) { cfg.SlidingTime(-100, 500).Display(ns(0), ns(5000)) }, "timeInterval(-100) should be positive"},
		{func(cfg *UDTFConfig) { cfg.SlidingTime(0, 500) }, "timeInterval(0) should be positive"},
		{func(cfg *UDTFConfig) { cfg.SlidingTime(100, -500) }, "slidingStep(-500) should be positive"},
		{func(cfg *UDTFConfig) { cfg.SlidingTime(100, 500).Display(ns(5000), ns(0)) }, "displayWindowEnd(0) < displayWindowBegin(5000)"},
		{func(cfg *UDTFConfig) { cfg.Session(-1) }, "sessionTimeGap(-1) should be equal to or greater than zero"},
		{func(cfg *UDTFConfig) { cfg.State(-0.5) }, "delta(-0.500000) should be positive or equal to 0"},
	} {
		wantFail(t, run(c.access), ErrBadInput, "function w", c.text)
	}
	access = func(cfg *UDTFConfig) { cfg.State(0) }
	_, err := ask(t, db, expr.Call("w", expr.Col("s1"), expr.Col("s1")))
	wantFail(t, err, ErrBadInput, "one input series", "got 2")
}

// Leading and middle empty windows are given, trailing ones are not.
func TestSlidingTimeEmptyWindows(t *testing.T) {
	db := openMem(t, nil)
	ctx := context.Background()
	for _, at := range []int64{1, 2, 7} {
		must(t, db.Insert(ctx, "root.sg.d1", ns(at), Int32("s1", int32(at))))
	}
	var access func(cfg *UDTFConfig)
	var seen []string
	registerBounds(t, db, &access, &seen)
	for _, c := range []struct {
		access func(cfg *UDTFConfig)
		want   string
	}{
		{func(cfg *UDTFConfig) { cfg.SlidingTime(3, 0) }, "1-3/2 4-6/0 7-9/1"},
		{func(cfg *UDTFConfig) { cfg.SlidingTime(3, 0).Display(ns(-6), time.Time{}) }, "-6--4/0 -3--1/0 0-2/2 3-5/0 6-8/1"},
		{func(cfg *UDTFConfig) { cfg.SlidingTime(3, 0).Display(ns(-6), ns(100)) }, "-6--4/0 -3--1/0 0-2/2 3-5/0 6-8/1"},
		{func(cfg *UDTFConfig) { cfg.SlidingTime(2, 5) }, "1-2/2 6-7/1"},
		{func(cfg *UDTFConfig) { cfg.SlidingTime(3, 0).Display(time.Time{}, ns(7)) }, "1-3/2"},
	} {
		access, seen = c.access, nil
		_, err := ask(t, db, expr.Call("w", expr.Col("s1")))
		must(t, err)
		if got := strings.Join(seen, " "); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	seen = nil
	_, err := askQuery(db, Query{Select: []expr.Expr{expr.Call("w", expr.Col("s1"))}, From: []string{"root.sg.d1"}, Start: ns(1000)})
	must(t, err)
	if len(seen) != 0 {
		t.Errorf("windows without a row: %v", seen)
	}
}

// The session and state tables of IoTDB's tests: 1000 rows t = 0..999.
func TestSessionAndStateTables(t *testing.T) {
	db := openMem(t, nil)
	special := map[int64]bool{}
	for _, at := range []int64{1, 2, 3, 15, 17, 53, 54, 996, 997, 998} {
		special[at] = true
	}
	missing := map[int64]bool{}
	for _, at := range []int64{5, 6, 7, 51, 52, 53, 54, 996, 997, 998} {
		missing[at] = true
	}
	tab := &Tablet{Device: "root.sg.d1"}
	for i := range int64(1000) {
		s4 := int32(0)
		switch {
		case special[i]:
			s4 = int32(i) + 100
		case i == 500 || i == 501:
			s4 = 12
		case i%2 == 1:
			s4 = 3
		}
		s6 := "<500"
		switch {
		case i >= 993:
			s6 = ">=994"
		case i >= 500:
			s6 = "<993"
		}
		fields := []Field{Int32("s4", s4), Bool("s5", special[i]), Text("s6", s6)}
		if !missing[i] {
			fields = append(fields, Float64("s3", float64(i)))
		}
		must(t, tab.Append(ns(i), fields...))
	}
	must(t, db.InsertTablet(context.Background(), tab))
	var access func(cfg *UDTFConfig)
	var seen []string
	registerBounds(t, db, &access, &seen)
	common := "[15] [16] [17] [18-52] [53-54] [55-995] [996-998] [999]"
	at := ns
	var open time.Time
	for _, c := range []struct {
		series string
		access func(cfg *UDTFConfig)
		want   string
	}{
		{"s3", func(c *UDTFConfig) { c.Session(2) }, "[0-4] [8-50] [55-995] [999]"},
		{"s3", func(c *UDTFConfig) { c.Session(4) }, "[0-50] [55-999]"},
		{"s3", func(c *UDTFConfig) { c.Session(6) }, "[0-999]"},
		{"s3", func(c *UDTFConfig) { c.Session(2).Display(at(1), at(993)) }, "[1-4] [8-50] [55-992]"},
		{"s3", func(c *UDTFConfig) { c.Session(4).Display(at(43), at(100)) }, "[43-50] [55-99]"},
		{"s3", func(c *UDTFConfig) { c.Session(1).Display(at(2), at(20000)) }, "[2-4] [8-50] [55-995] [999]"},
		{"s3", func(c *UDTFConfig) { c.Session(1).Display(at(2000), at(20000)) }, ""},
		{"s4", func(c *UDTFConfig) { c.Display(at(10), at(976)).State(10) }, "[10-14] [15] [16] [17] [18-52] [53-54] [55-975]"},
		{"s4", func(c *UDTFConfig) { c.State(9).Display(at(0), at(100000)) }, "[0] [1-3] [4-14] " + common},
		{"s4", func(c *UDTFConfig) { c.State(102) }, "[0-2] [3] [4-14] " + common},
		{"s4", func(c *UDTFConfig) { c.State(2).Display(at(-100), at(1)) }, "[0]"},
		{"s5", func(c *UDTFConfig) { c.State(0) }, "[0] [1-3] [4-14] " + common},
		{"s6", func(c *UDTFConfig) { c.State(0) }, "[0-499] [500-992] [993-999]"},
		{"s6", func(c *UDTFConfig) { c.State(0).Display(at(490), open) }, "[490-499] [500-992] [993-999]"},
	} {
		access, seen = c.access, nil
		_, err := ask(t, db, expr.Call("w", expr.Col(c.series)))
		must(t, err)
		for i, s := range seen {
			var from, to, n int64
			fmt.Sscanf(s, "%d-%d/%d", &from, &to, &n)
			seen[i] = fmt.Sprintf("[%d-%d]", from, to)
			if from == to {
				seen[i] = fmt.Sprintf("[%d]", from)
			}
		}
		if got := strings.Join(seen, " "); got != c.want {
			t.Errorf("%s:\n got  %s\n want %s", c.series, got, c.want)
		}
	}
	access, seen = func(c *UDTFConfig) { c.State(0).Display(at(2), at(20000)) }, nil
	_, err := ask(t, db, expr.Call("w", expr.Col("s4")))
	must(t, err)
	if len(seen) != 997 { // 998 rows from 2 on; only 500 and 501 are alike
		t.Errorf("state 0 over s4: %d windows, want 997", len(seen))
	}
	access, seen = func(c *UDTFConfig) { c.Session(0) }, nil
	_, err = ask(t, db, expr.Call("w", expr.Col("s3")))
	must(t, err)
	if len(seen) != 990 {
		t.Errorf("session 0 over s3: %d windows, want 990", len(seen))
	}
}

// Integers that lie further apart than their kind can say still split.
func TestStateWindowWide(t *testing.T) {
	db := openMem(t, nil)
	for i, v := range []int64{-1 << 63, 1<<63 - 1, 0} {
		must(t, db.Insert(context.Background(), "root.sg.d1", ns(int64(i)), Int64("s1", v), Int32("s2", int32(v>>32))))
	}
	var access func(cfg *UDTFConfig)
	var seen []string
	registerBounds(t, db, &access, &seen)
	access = func(c *UDTFConfig) { c.State(5) }
	for _, s := range []string{"s1", "s2"} {
		seen = nil
		_, err := ask(t, db, expr.Call("w", expr.Col(s)))
		must(t, err)
		if got := strings.Join(seen, " "); got != "0-0/1 1-1/1 2-2/1" {
			t.Errorf("%s: %s", s, got)
		}
	}
}

// A window has random access and can be read again; what is outside panics,
// which ends the query with an error that names the function.
func TestRowWindowAccess(t *testing.T) {
	db := openMem(t, nil)
	rowsOf(t, db, 5)
	register(t, db, "w", func() UDTF {
		return &probe{
			start: func(in *UDFInput, cfg *UDTFConfig) error { cfg.Output(KindText).SlidingSize(3, 0); return nil },
			window: func(w *RowWindow, out *Collector) error {
				var b strings.Builder
				for range 2 {
					for r := range w.Tablet().Rows() {
						fmt.Fprint(&b, r.Value(0), "/", r.IsNull(1), " ")
					}
				}
				fmt.Fprint(&b, w.Row(w.Len()-1).Get("root.sg.d1.s1"))
				return out.PutText(w.Start(), b.String())
			},
		}
	})
	wantAsk(t, db, Query{Select: []expr.Expr{expr.Call("w", expr.Col("s1"), expr.Col("s2"))}, From: []string{"root.sg.d1"}},
		"1=1/true 2/false 3/true 1/true 2/false 3/true 3 4=4/false 5/true 4/false 5/true 5")
	for _, i := range []int{-1, 3} {
		name := fmt.Sprint("out", i+1)
		register(t, db, name, func() UDTF {
			return &probe{
				start:  func(in *UDFInput, cfg *UDTFConfig) error { cfg.Output(KindText).SlidingSize(3, 0); return nil },
				window: func(w *RowWindow, _ *Collector) error { w.Row(i); return nil },
			}
		})
		_, err := ask(t, db, expr.Call(name, expr.Col("s1")))
		wantFail(t, err, nil, "function "+name, fmt.Sprintf("row %d of a window of 3 rows", i))
	}
}

// What a function's windows hold counts against the memory budget.
func TestWindowBudget(t *testing.T) {
	db := openMem(t, nil)
	tab := &Tablet{Device: "root.sg.d1"}
	long := strings.Repeat("x", 1000)
	for i := range int64(40000) {
		must(t, tab.Append(ns(i), Text("s1", long)))
	}
	must(t, db.InsertTablet(context.Background(), tab))
	var access func(cfg *UDTFConfig)
	var seen []string
	registerBounds(t, db, &access, &seen)
	access = func(c *UDTFConfig) { c.SlidingSize(1<<30, 0) }
	_, err := ask(t, db, expr.Call("w", expr.Col("s1")))
	wantFail(t, err, ErrLimit, "function w", "windows hold more than")
}

// M4 of IoTDB's tests.
func TestM4(t *testing.T) {
	db := openMem(t, nil)
	points := [][2]int64{{1, 5}, {2, 15}, {5, 10}, {8, 8}, {10, 30}, {20, 20}, {25, 8}, {27, 20}, {30, 40}, {33, 9}, {35, 10}, {40, 20}, {45, 30}, {52, 8}, {54, 18}, {120, 8}}
	for _, p := range points {
		must(t, db.Insert(context.Background(), "root.sg.d1", ns(p[0]), Int64("s1", p[1])))
	}
	for i := range int64(100) {
		must(t, db.Insert(context.Background(), "root.sg.d1", ns(i), Int64("s2", 1)))
	}
	window := func(col string, attrs ...string) expr.Expr {
		e := expr.Call("M4", expr.Col(col))
		for i := 0; i < len(attrs); i += 2 {
			e = e.With(attrs[i], attrs[i+1])
		}
		return e
	}
	whole := "1=5 10=30 20=20 25=8 30=40 45=30 52=8 54=18 120=8"
	for _, c := range []struct {
		e    expr.Expr
		want string
	}{
		{window("s1", "timeInterval", "25", "slidingStep", "25", "displayWindowBegin", "0", "displayWindowEnd", "150"), whole},
		{window("s1", "timeInterval", "25", "slidingStep", "25", "displayWindowBegin", "75", "displayWindowEnd", "150"), "120=8"},
		{window("s1", "windowSize", "10"), "1=5 30=40 33=9 35=10 45=30 120=8"},
		{window("s2", "timeInterval", "25", "displayWindowBegin", "0", "displayWindowEnd", "100"), "0=1 24=1 25=1 49=1 50=1 74=1 75=1 99=1"},
	} {
		wantAsk(t, db, Query{Select: []expr.Expr{c.e}, From: []string{"root.sg.d1"}}, c.want)
	}
	_, err := ask(t, db, window("s1"))
	wantFail(t, err, ErrBadInput, "exactly one")
}
