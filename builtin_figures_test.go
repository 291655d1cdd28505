package tickwell

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/tickwell/tickwell/expr"
)

// The inputs and outputs that the IoTDB page on functions and expressions prints
// for built-in functions. A nanosecond stands for its milliseconds. want has, for
// each row, its time and the cells of all expressions, - for null; aggregates
// have no time.
func TestBuiltinFigures(t *testing.T) {
	if SmallProgram {
		t.Skip("has regular expressions")
	}
	s1, s2 := expr.Col("s1"), expr.Col("s2")
	call := expr.Call
	var hundred, spiked []string
	for i := range 100 {
		v := i
		if i%10 == 5 {
			v += 100
		}
		hundred = append(hundred, fmt.Sprintf("%d s1=%d.0", i, i))
		spiked = append(spiked, fmt.Sprintf("%d s1=%d.0", i, v))
	}
	agg := func(typ string) expr.Expr {
		return call("equal_size_bucket_agg_sample", s1).With("type", typ).With("proportion", "0.1")
	}
	odd := func(typ string) expr.Expr {
		return call("equal_size_bucket_outlier_sample", s1).With("type", typ).With("proportion", "0.1").With("number", "1")
	}
	texts := []string{"1 s1=1test1", "2 s1=22test22 s2=2222test"}
	vehicle := strings.Split("1 5,2 15,5 10,8 8,10 30,20 20,25 8,27 20,30 40,33 9,35 10,40 20,45 30,52 8,54 18", ",")
	for i, r := range vehicle {
		at, v, _ := strings.Cut(r, " ")
		vehicle[i] = at + " s1=" + v + ".0"
	}
	for _, c := range []struct {
		rows []string
		sel  []expr.Expr
		want string
	}{
		{[]string{"1 s1=7360723084922759782", "2 s1=4377791063319964531", "3 s1=7972485567734642915", "4 s1=2508858212791964081", "5 s1=2817297431185141819"},
			[]expr.Expr{call("sin", s1), call("cos", s1), call("tan", s1)},
			`1 0.8133527237573284 0.5817708713544664 1.3980636773094157; 2 -0.8938962705202537 0.4482738644511651 -1.994085181866842;
			 3 0.9627757585308978 -0.27030138509681073 -3.5618602479083545; 4 -0.6073417341629443 -0.7944406950452296 0.7644897069734913;
			 5 -0.8419358900502509 -0.5395775727782725 1.5603611649667768`},
		{[]string{"1 s1=~101.14345", "2 s1=~20.144346", "3 s1=~20.614372", "5 s1=~20.814346", "6 s1=~60.71443", "7 s1=~10.143425"},
			[]expr.Expr{call("round", s1), call("round", s1, 2), call("round", s1, -1)},
			"1 101 101.14 100; 2 20 20.14 20; 3 21 20.61 20; 5 21 20.81 20; 6 61 60.71 60; 7 10 10.14 10"},
		{[]string{"1 s1=1", "2 s1=2", "3 s1=3", "4 s1=4"},
			[]expr.Expr{call("on_off", s1).With("threshold", "2"), call("in_range", s1).With("lower", "2").With("upper", "3.1")},
			"1 false false; 2 true true; 3 true true; 4 true false"},
		{[]string{"1 s1=0 s2=0", "2 s2=0", "3 s1=0 s2=0", "4 s1=0 s2=0", "5 s1=1 s2=0", "6 s1=1 s2=0", "7 s1=1 s2=0", "8 s1=0 s2=0", "9 s1=0 s2=0", "10 s1=0 s2=0"},
			[]expr.Expr{call("count_if", s1.Eq(0).And(s2.Eq(0))).With("keep", "3"), call("count_if", s1.Eq(1).And(s2.Eq(0))).With("keep", "3"),
				call("count_if", s1.Eq(0).And(s2.Eq(0))).With("keep", "3").With("ignoreNull", "false"),
				call("count_if", s1.Eq(1).And(s2.Eq(0))).With("keep", "3").With("ignoreNull", "false")}, "2 1 1 1"},
		{[]string{"1 s1=70", "3 s1=10", "4 s1=303", "6 s1=110", "7 s1=302", "8 s1=110", "9 s1=60", "10 s1=70", "1677570934 s1=30"},
			[]expr.Expr{call("time_duration", s1)}, "1677570933"},
		{[]string{"1 s1=1.0 s2=10.0", "2 s1=2.0 s2=10.0", "3 s1=3.0 s2=3.0", "4 s1=10.0 s2=10.0", "5 s1=10.0 s2=12.0", "6 s1=6.0 s2=6.0"},
			[]expr.Expr{call("max_by", expr.Time(), s1), call("max_value", s1), call("max_by", s2, s1), call("max_by", s2.Add(1), s1.Mul(2))}, "4 10 10 11"},
		{[]string{"1 s1=warn:-8721", "2 s1=error:-37229", "3 s1=warn:1731"},
			[]expr.Expr{call("string_contains", s1).With("s", "warn"), call("string_matches", s1).With("regex", `[^\s]+37229`)}, "1 true false; 2 false true; 3 true false"},
		{texts, []expr.Expr{call("length", s1), call("locate", s1).With("target", "1"), call("locate", s1).With("target", "1").With("reverse", "true"),
			call("startswith", s1).With("target", "1"), call("endswith", s1).With("target", "1")}, "1 6 0 5 true true; 2 8 -1 -1 false false"},
		{texts, []expr.Expr{call("concat", s1, s2).With("target1", "IoT").With("target2", "DB"),
			call("concat", s1, s2).With("target1", "IoT").With("target2", "DB").With("series_behind", "true"),
			call("substring", s1, 1, 2), call("replace", s1, "es", "tt"), call("upper", s1), call("lower", call("upper", s1))},
			"1 1test1IoTDB IoTDB1test1 1t 1tttt1 1TEST1 1test1; 2 22test222222testIoTDB IoTDB22test222222test 22 22tttt22 22TEST22 22test22"},
		// The page has 66, the difference of the characters; ours is the sign of it.
		{texts, []expr.Expr{call("strcmp", s1, s2)}, "1 -; 2 1"},
		{[]string{"0 s1=false", "1 s1=false", "2 s1=true", "3 s1=true"},
			[]expr.Expr{s1.Cast("INT32"), s1.Cast("INT64"), s1.Cast("FLOAT"), s1.Cast("DOUBLE"), s1.Cast("TEXT")},
			"0 0 0 0 0 false; 1 0 0 0 0 false; 2 1 1 1 1 true; 3 1 1 1 1 true"},
		{[]string{"2 s1=TRue", "3 s1=faLse"}, []expr.Expr{s1.Cast("BOOLEAN")}, "2 true; 3 false"},
		{[]string{"0 s1=0.0 s2=0.0", "1 s1=1.0", "2 s1=2.0", "3 s2=3.0", "4 s2=4.0"},
			[]expr.Expr{call("const", s1).With("value", "1024").With("type", "INT64"), call("pi", s2), call("e", s1, s2)},
			`0 1024 3.141592653589793 2.718281828459045; 1 1024 - 2.718281828459045; 2 1024 - 2.718281828459045;
			 3 - 3.141592653589793 2.718281828459045; 4 - 3.141592653589793 2.718281828459045`},
		{[]string{"1 s1=1531604122307244742", "2 s1=-7426070874923281101", "3 s1=-7162825364312197604", "4 s1=-8581625725655917595", "5 s1=-7667364751255535391"},
			[]expr.Expr{call("top_k", s1).With("k", "2"), call("bottom_k", s1).With("k", "2")},
			"1 1531604122307244742 -; 3 -7162825364312197604 -; 4 - -8581625725655917595; 5 - -7667364751255535391"},
		{[]string{"0 s1=0", "1 s1=1", "2 s1=1", "3 s1=0", "4 s1=1", "5 s1=0", "6 s1=0", "7 s1=1"},
			[]expr.Expr{call("zero_count", s1), call("non_zero_count", s1), call("zero_duration", s1), call("non_zero_duration", s1)},
			"0 1 - 0 -; 1 - 2 - 1; 3 1 - 0 -; 4 - 1 - 0; 5 2 - 1 -; 7 - 1 - 0"},
		{[]string{"1 s1=7360723084922759782", "2 s1=4377791063319964531", "3 s1=7972485567734642915", "4 s1=2508858212791964081", "5 s1=2817297431185141819"},
			[]expr.Expr{call("time_difference", s1), call("difference", s1), call("non_negative_difference", s1), call("derivative", s1), call("non_negative_derivative", s1)},
			`2 1 -2982932021602795251 2982932021602795251 -2.982932021602795E18 2.982932021602795E18;
			 3 1 3594694504414678384 3594694504414678384 3.5946945044146785E18 3.5946945044146785E18;
			 4 1 -5463627354942678834 5463627354942678834 -5.463627354942679E18 5.463627354942679E18;
			 5 1 308439218393177738 308439218393177738 3.0843921839317773E17 3.0843921839317773E17`},
		{[]string{"1 s1=1 s2=1.0", "2 s1=2", "3 s2=3.0", "4 s1=4", "5 s1=5 s2=5.0", "6 s2=6.0"},
			[]expr.Expr{call("diff", s1), call("diff", s2), call("diff", s1).With("ignoreNull", "false"), call("diff", s2).With("ignoreNull", "false")},
			"1 - - - -; 2 1 - 1 -; 3 - 2 - -; 4 2 - - -; 5 1 2 1 -; 6 - 1 - 1"},
		{hundred, []expr.Expr{agg("avg"), agg("max"), agg("min"), agg("sum"), agg("extreme"), agg("variance")},
			`0 4.5 9 0 45 9 8.25; 10 14.5 19 10 145 19 8.25; 20 24.5 29 20 245 29 8.25; 30 34.5 39 30 345 39 8.25; 40 44.5 49 40 445 49 8.25;
			 50 54.5 59 50 545 59 8.25; 60 64.5 69 60 645 69 8.25; 70 74.50000000000001 79 70 745 79 8.25; 80 84.5 89 80 845 89 8.25; 90 94.5 99 90 945 99 8.25`},
		{hundred, []expr.Expr{call("equal_size_bucket_m4_sample", s1).With("proportion", "0.1")},
			"0 0; 1 1; 38 38; 39 39; 40 40; 41 41; 78 78; 79 79; 80 80; 81 81; 98 98; 99 99"},
		// The page asks for two of each bucket and prints one.
		{spiked, []expr.Expr{odd("avg"), odd("stendis"), odd("cos"), odd("prenextdis")},
			`5 105 105 105 105; 15 115 115 115 115; 25 125 125 125 125; 35 135 135 135 135; 45 145 145 145 145; 55 155 155 155 155;
			 65 165 165 165 165; 75 175 175 175 175; 85 185 185 185 185; 95 195 195 195 195`},
		{vehicle, []expr.Expr{call("m4", s1).With("timeInterval", "25").With("displayWindowBegin", "0").With("displayWindowEnd", "100")},
			"1 5; 10 30; 20 20; 25 8; 30 40; 45 30; 52 8; 54 18"},
		{vehicle, []expr.Expr{call("m4", s1).With("windowSize", "10")}, "1 5; 30 40; 33 9; 35 10; 45 30; 52 8; 54 18"},
	} {
		db := openMem(t, nil)
		for _, r := range c.rows {
			if !strings.Contains(r, "test") {
				put(t, db, "root.sg.d1", r)
				continue
			}
			parts := strings.Fields(r) // texts that begin like numbers
			at, err := strconv.ParseInt(parts[0], 10, 64)
			must(t, err)
			var fields []Field
			for _, p := range parts[1:] {
				name, v, _ := strings.Cut(p, "=")
				fields = append(fields, Text(name, v))
			}
			must(t, db.Insert(context.Background(), "root.sg.d1", ns(at), fields...))
		}
		res, err := db.Query(context.Background(), Query{Select: c.sel, From: d1})
		if err != nil {
			t.Errorf("%v: %v", c.sel, err)
			continue
		}
		timed := !strings.ContainsAny(c.want, ";") && strings.Count(c.want, " ") == len(c.sel)-1
		var lines []string
		for row, err := range res.Rows() {
			must(t, err)
			var cells []string
			if !timed {
				cells = append(cells, fmt.Sprint(row.UnixNano()))
			}
			for i := range c.sel {
				cell := "-"
				if !row.IsNull(i) {
					cell = row.Value(i).String()
				}
				cells = append(cells, cell)
			}
			lines = append(lines, strings.Join(cells, " "))
		}
		if got := strings.Join(lines, "; "); !sameFigures(got, c.want) {
			t.Errorf("%v:\n got %s\nwant %s", c.sel, got, strings.Join(strings.Fields(c.want), " "))
		}
	}
}

// sameFigures compares texts word by word; numbers with a fraction may differ by
// a little of their size, or of 1.
func sameFigures(got, want string) bool {
	g, w := strings.Fields(got), strings.Fields(want)
	if len(g) != len(w) {
		return false
	}
	for i := range g {
		a, b := strings.TrimSuffix(g[i], ";"), strings.TrimSuffix(w[i], ";")
		x, err1 := strconv.ParseFloat(a, 64)
		y, err2 := strconv.ParseFloat(b, 64)
		fraction := strings.ContainsAny(a+b, ".e")
		if a != b && !(err1 == nil && err2 == nil && fraction && math.Abs(x-y) <= 1e-14*max(1, math.Abs(y))) || len(g[i])-len(a) != len(w[i])-len(b) {
			return false
		}
	}
	return true
}
