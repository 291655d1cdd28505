package iotsql

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/tickwell/tickwell"
)

// answer runs a statement and returns its csv, with | between lines.
func answer(t *testing.T, c *Conn, text string, args ...any) string {
	t.Helper()
	r, err := c.Exec(context.Background(), text, args...)
	var b strings.Builder
	if err == nil {
		err = r.WriteCSV(&b)
	}
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return strings.ReplaceAll(strings.TrimRight(b.String(), "\n"), "\n", "|")
}

func TestErrorPosition(t *testing.T) {
	c := memory(t, nil)
	_, err := c.Exec(context.Background(), "SELECT 温度,\n  s1\nFORM root.sg.d")
	var e *Error
	if !errors.As(err, &e) || !errors.Is(err, tickwell.ErrBadInput) {
		t.Fatalf("error %v is no *Error of bad input", err)
	}
	want := Error{Line: 3, Column: 1, Found: `"FORM"`, Expected: "FROM", Suggestion: "FROM"}
	if *e != want {
		t.Errorf("got %+v, want %+v", *e, want)
	}
	if text := e.Error(); text != `iotsql: line 3, column 1: found "FORM", expected FROM; did you mean FROM?` {
		t.Errorf("text %s", text)
	}
	_, err = c.Exec(context.Background(), "SELECT 温度 + + FROM root.sg.d")
	if !errors.As(err, &e) || e.Column != 15 {
		t.Errorf("error %v: column %d, want 15, counted in characters", err, e.Column)
	}
}

func TestSpans(t *testing.T) {
	for _, c := range []struct {
		text       string
		months, ns int64
	}{
		{"1ns", 0, 1}, {"1us", 0, 1e3}, {"1ms", 0, 1e6}, {"1s", 0, 1e9}, {"1m", 0, 60e9}, {"1h", 0, 3600e9}, {"1d", 0, 86400e9}, {"1w", 0, 7 * 86400e9},
		{"1mo", 1, 0}, {"1y", 12, 0}, {"1y2mo3d4h5m6s7ms8us9ns", 14, 3*86400e9 + 4*3600e9 + 5*60e9 + 6e9 + 7e6 + 8e3 + 9}, {"1H30M", 0, 5400e9}, {"0s", 0, 0},
		{"1MO", 1, 0}, {"1Ms", 0, 1e6}, {"90m", 0, 5400e9}, {"1m1m", 0, 120e9},
	} {
		s, err := parseSpan(c.text)
		if err != nil || s != (span{c.months, c.ns}) {
			t.Errorf("%s is %+v, %v; want %d months and %d ns", c.text, s, err, c.months, c.ns)
		}
	}
	for _, bad := range []string{"", "1", "h", "1x", "1h2", "1.5h", "-1h", "99999999999999999999s", "9999999999999y", "106752d", "1 h"} {
		if s, err := parseSpan(bad); err == nil {
			t.Errorf("%q is %+v, want an error", bad, s)
		}
	}
	if d := (span{months: 14, ns: 1_500_000}).fixed(time.Millisecond); d != (365+60)*24*time.Hour+time.Millisecond {
		t.Errorf("14mo1500us is %s in ms", d)
	}
}

func TestTimes(t *testing.T) {
	shanghai := time.FixedZone("", 8*3600)
	for _, c := range []struct {
		text string
		want string
	}{
		{"2021-05-11T22:18:14.598+08:00", "2021-05-11T14:18:14.598Z"},
		{"2021-05-11 22:18:14.598", "2021-05-11T14:18:14.598Z"},
		{"2021-05-11t22:18:14z", "2021-05-11T22:18:14Z"},
		{"2021/5/1", "2021-04-30T16:00:00Z"},
		{"2021.05.11T1:2:3", "2021-05-10T17:02:03Z"},
		{"2020-02-29", "2020-02-28T16:00:00Z"},
		{"2021-05-11T22:18:14.123456789-01:30", "2021-05-11T23:48:14.123456789Z"},
		{"1969-12-31T23:59:59.999+00:00", "1969-12-31T23:59:59.999Z"},
	} {
		l := lexer{c.text + ")"}
		tok := l.next(0)
		if tok.kind != tokDatetime || tok.end != len(c.text) {
			t.Errorf("%s is token %d up to %d", c.text, tok.kind, tok.end)
			continue
		}
		at, err := parseTime(c.text, shanghai)
		if err != nil || at.UTC().Format(time.RFC3339Nano) != c.want {
			t.Errorf("%s is %s, %v; want %s", c.text, at.UTC().Format(time.RFC3339Nano), err, c.want)
		}
	}
	for _, bad := range []string{"2021-13-01", "2021-02-29", "2021-00-01", "2021-01-00", "2021-01-01T24:00:00", "2021-01-01T00:60:00", "2021-01-01T00:00:00+19:00"} {
		if at, err := parseTime(bad, time.UTC); err == nil {
			t.Errorf("%s is %s, want an error", bad, at)
		}
	}
	// What only looks like one.
	for text, kind := range map[string]tokenKind{"2021-5": tokInteger, "20210-05-11": tokInteger, "2021-05/11": tokInteger, "2021-123-01": tokInteger, "2021x-01-01": tokWord} {
		if tok := (&lexer{text}).next(0); tok.kind != kind {
			t.Errorf("%s is token %d, want %d", text, tok.kind, kind)
		}
	}
}

// Where midnight is skipped the day begins an hour later, not the evening before.
func TestTimesWithoutMidnight(t *testing.T) {
	zone, err := time.LoadLocation("America/Asuncion")
	if err != nil {
		t.Fatal(err)
	}
	const want = "2023-10-01T01:00:00-03:00"
	at, err := parseTime("2023-10-01", zone)
	if got := at.Format(time.RFC3339); err != nil || got != want {
		t.Errorf("2023-10-01 is %s, %v; want %s", got, err, want)
	}
	first, err := parseTime("2023-09-01", zone)
	if err != nil {
		t.Fatal(err)
	}
	if got := addMonths(first, 1).Format(time.RFC3339); got != want {
		t.Errorf("2023-09-01 + 1mo is %s, want %s", got, want)
	}
	if got := addMonths(at, -1).Format(time.RFC3339); got != "2023-09-01T01:00:00-04:00" {
		t.Errorf("that - 1mo is %s", got)
	}
}

func TestText(t *testing.T) {
	for want, v := range map[string]tickwell.Value{
		"0.0": tickwell.Float64Value(0), "-0.0": tickwell.Float64Value(math.Copysign(0, -1)), "14.0": tickwell.Float64Value(14),
		"0.001": tickwell.Float64Value(0.001), "9.99E-4": tickwell.Float64Value(0.000999), "9999999.0": tickwell.Float64Value(9999999),
		"1.0E7": tickwell.Float64Value(1e7), "1.5E300": tickwell.Float64Value(1.5e300), "4.9E-324": tickwell.Float64Value(4.9e-324),
		"NaN": tickwell.Float64Value(math.NaN()), "Infinity": tickwell.Float64Value(math.Inf(1)), "-Infinity": tickwell.Float64Value(math.Inf(-1)),
		"0.1": tickwell.Float32Value(0.1), "1.6777216E7": tickwell.Float32Value(1 << 24), "3.4028235E38": tickwell.Float32Value(math.MaxFloat32),
		"true": tickwell.BoolValue(true), "-5": tickwell.Int32Value(-5), "x": tickwell.TextValue("x"),
	} {
		if got := Text(v); got != want && !(want == "4.9E-324" && got == "5.0E-324") {
			t.Errorf("%v prints %s, want %s", v, got, want)
		}
	}
}

func TestCSVQuotes(t *testing.T) {
	c := memory(t, nil)
	answer(t, c, "INSERT INTO root.q.d(time, a, b) VALUES (1, ?, ?)", "", "a,b")
	answer(t, c, "INSERT INTO root.q.d(time, a, b) VALUES (2, ?, ?)", "two\nlines", ` "x" `)
	if got, want := answer(t, c, "SELECT a, b FROM root.q.d"), `Time,root.q.d.a,root.q.d.b|1,"","a,b"|2,"two|lines"," ""x"" "`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	// A result of one null: the cell is empty.
	if got, want := answer(t, c, "SELECT max_value(time) FROM root.q.d")+answer(t, c, "SELECT first_value(a) FROM root.q.d WHERE time > 5")+"$", `first_value(root.q.d.a)$`; !strings.HasSuffix(got, want) {
		t.Errorf("got %s", got)
	}
}

// The precision of the connection is what integers count, whatever shows times.
func TestPrecision(t *testing.T) {
	for _, c := range []struct {
		unit            time.Duration
		now             string
		want, over, lit string
	}{
		{time.Millisecond, "1717243200123", "5,7|9,1", "2", "1620742694598"},
		{time.Microsecond, "1717243200123456", "5,7|9,1", "2", "1620742694598123"},
		{time.Nanosecond, "1717243200123456789", "5,7|9,1", "2", "1620742694598123456"},
	} {
		t.Run(c.unit.String(), func(t *testing.T) {
			db, err := tickwell.Open(context.Background(), "", &tickwell.Options{Clock: stopped{time.Date(2024, 6, 1, 12, 0, 0, 123456789, time.UTC)}})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			conn, err := New(db, &Options{Precision: c.unit})
			if err != nil {
				t.Fatal(err)
			}
			answer(t, conn, "INSERT INTO root.p.d(time, s) VALUES (5, 7), (9, 1)")
			if got := answer(t, conn, "SELECT s FROM root.p.d"); got != "Time,root.p.d.s|"+strings.ReplaceAll(strings.ReplaceAll(c.want, "7", "7.0"), ",1", ",1.0") {
				t.Errorf("rows %s", got)
			}
			var times []int64
			res, err := conn.Exec(context.Background(), "SELECT s FROM root.p.d")
			if err != nil {
				t.Fatal(err)
			}
			for row, err := range res.Rows() {
				if err != nil {
					t.Fatal(err)
				}
				times = append(times, res.Time(row[0]).UnixNano())
			}
			if want := []int64{5 * int64(c.unit), 9 * int64(c.unit)}; !slices.Equal(times, want) {
				t.Errorf("stored at %d, want %d", times, want)
			}
			for text, want := range map[string]string{
				"SELECT min_time(s), max_time(s), time_duration(s) FROM root.p.d":                                  "min_time(root.p.d.s),max_time(root.p.d.s),time_duration(root.p.d.s)|5,9,4",
				"SELECT s FROM root.p.d WHERE time > 5":                                                            "Time,root.p.d.s|9,1.0",
				"SELECT s FROM root.p.d WHERE time >= 5 AND time < 9":                                              "Time,root.p.d.s|5,7.0",
				"SELECT s FROM root.p.d WHERE time % 2 = 1 AND time != 5":                                          "Time,root.p.d.s|9,1.0",
				"SELECT time_difference(s), derivative(s) FROM root.p.d":                                           "Time,time_difference(root.p.d.s),derivative(root.p.d.s)|9,4,-1.5",
				"SELECT __endTime, count(s) FROM root.p.d GROUP BY COUNT(s, 2)":                                    "Time,__endTime,count(root.p.d.s)|5,9,2",
				"SELECT m4(s, 'timeInterval'='2', 'displayWindowBegin'='4', 'displayWindowEnd'='6') FROM root.p.d": `Time,"m4(root.p.d.s, ""timeInterval""=""2"", ""displayWindowBegin""=""4"", ""displayWindowEnd""=""6"")"|5,7.0`,
				"SELECT time + s FROM root.p.d":                                                                    "Time,Time + root.p.d.s|5,12.0|9,10.0",
			} {
				if got := answer(t, conn, text); got != want {
					t.Errorf("%s answers %s, want %s", text, got, want)
				}
			}
			answer(t, conn, "INSERT INTO root.p.now(s) VALUES (1)")
			answer(t, conn, "INSERT INTO root.p.lit(time, s) VALUES (2021-05-11T22:18:14.598123456+08:00, 1)")
			if got, want := answer(t, conn, "SELECT s FROM root.p.now, root.p.lit"), "Time,root.p.now.s,root.p.lit.s|"+c.lit+",,1.0|"+c.now+",1.0,"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// stopped is a clock that stands still.
type stopped struct{ at time.Time }

func (s stopped) Now() time.Time                              { return s.at }
func (s stopped) Mono() time.Duration                         { return 0 }
func (s stopped) AfterFunc(time.Duration, func()) func() bool { return func() bool { return true } }

func TestParameters(t *testing.T) {
	c := memory(t, nil)
	ctx := context.Background()
	at := time.UnixMilli(1620742694598)
	answer(t, c, "INSERT INTO root.p.d(time, b, i32, i64, f32, f64, t, at, none) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)",
		at, true, int32(-1), int64(1)<<40, float32(0.5), 2.5, "it's 'quoted'; -- not", at)
	answer(t, c, "INSERT INTO root.p.d(time, none, t) VALUES (?2, ?3, :text)", 0, 5, nil, Named("text", []byte("bytes")))
	want := "Time,Timeseries,Value,DataType|1620742694598,root.p.d.at,1620742694598,INT64|1620742694598,root.p.d.b,true,BOOLEAN|1620742694598,root.p.d.f32,0.5,FLOAT" +
		"|1620742694598,root.p.d.f64,2.5,DOUBLE|1620742694598,root.p.d.i32,-1,INT32|1620742694598,root.p.d.i64,1099511627776,INT64|1620742694598,root.p.d.none,1.0,FLOAT" +
		"|1620742694598,root.p.d.t,it's 'quoted'; -- not,TEXT"
	if got := answer(t, c, "SELECT LAST * FROM root.p.d"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, q := range []struct {
		text string
		args []any
		want string
	}{
		{"SELECT i32 FROM root.p.d WHERE time = ?", []any{at}, "1620742694598,-1"},
		{"SELECT i32 FROM root.p.d WHERE f64 > ? AND t LIKE ?", []any{2, "it%"}, "1620742694598,-1"},
		{"SELECT i32 FROM root.p.d WHERE f64 BETWEEN :lo AND :hi", []any{Named("hi", 3), Named("lo", 2)}, "1620742694598,-1"},
		{"SELECT i32 FROM root.p.d WHERE t IN (?, ?)", []any{"x", "it's 'quoted'; -- not"}, "1620742694598,-1"},
		{"SELECT count(t) FROM root.p.d GROUP BY ([?, ?), ?)", []any{0, 10, 10 * time.Millisecond}, "0,1"},
		{"SELECT t FROM root.p.d LIMIT ? OFFSET ?", []any{1, 1}, "1620742694598,it's 'quoted'; -- not"},
		{"SELECT none FROM root.p.d FILL(?) LIMIT 1", []any{"ignored"}, "1620742694598,1.0"},
	} {
		if got := answer(t, c, q.text, q.args...); !strings.HasSuffix(got, "|"+q.want) {
			t.Errorf("%s %v answers %s, want %s", q.text, q.args, got, q.want)
		}
	}
	for _, q := range []struct {
		text string
		args []any
		want string
	}{
		{"SELECT s FROM root.p.d WHERE s > ?", nil, "parameter 1 has no value"},
		{"SELECT s FROM root.p.d WHERE s > ?", []any{1, 2}, "2 values are given for 1 parameters"},
		{"SELECT s FROM root.p.d WHERE s > :x", []any{1}, "parameter :x has no value"},
		{"SELECT s FROM root.p.d", []any{Named("x", 1)}, "there is no parameter :x"},
		{"SELECT s FROM root.p.d WHERE s > ?", []any{struct{}{}}, "struct {} cannot be bound"},
		{"SELECT s FROM root.p.d WHERE s > ?0", []any{1}, "counted from 1"},
		{"SELECT s FROM root.p.d WHERE s > ?", []any{uint64(math.MaxUint64)}, "greater than the greatest INT64"},
		{"SELECT s FROM root.p.d LIMIT ?", []any{-1}, "LIMIT -1"},
		{"SELECT s FROM root.p.d WHERE t LIKE ?", []any{1}, "is a text"},
		{"SELECT s FROM ?", []any{"root.p.d"}, "expected a path"},
		{"INSERT INTO root.p.d(time, i32) VALUES (?, 1)", []any{"now"}, "is a time or an integer"},
	} {
		if _, err := c.Exec(ctx, q.text, q.args...); err == nil || !strings.Contains(err.Error(), q.want) {
			t.Errorf("%s %v: error %v, want one with %q", q.text, q.args, err, q.want)
		}
	}
}

func TestPrepare(t *testing.T) {
	c := memory(t, nil)
	for text, want := range map[string]string{
		"INSERT INTO root.p.d(time, a, b) VALUES (?, ?, :b)":                "2 [b] false",
		"SELECT a FROM root.p.d WHERE a > ?3 AND b < :x AND b > :x LIMIT ?": "3 [x] true",
		"SHOW TRIGGERS": "0 [] true",
		"SELECT a FROM root.p.d GROUP BY ([?, ?), ?)":                            "3 [] true",
		"DELETE FROM root.p.d.a WHERE time < ?":                                  "1 [] false",
		"SET TTL TO root.p ?":                                                    "1 [] false",
		"SELECT a FROM root.p.d FILL(?)":                                         "1 [] true",
		"SELECT count(a) FROM root.p.d GROUP BY VARIATION(a, ?)":                 "1 [] true",
		"SELECT cast(a, 'type'=?) FROM root.p.d WHERE a LIKE ? OR a REGEXP ?":    "3 [] true",
		"CREATE STATELESS TRIGGER t AFTER INSERT ON root.p.** AS ? WITH ('k'=?)": "2 [] false",
	} {
		s, err := c.Prepare(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := fmt.Sprint(s.NumInput(), s.Names(), s.Query()); got != want || s.Text() != text {
			t.Errorf("%s needs %s, want %s", text, got, want)
		}
	}
	if _, err := c.Prepare("SELECT a FORM root.p.d WHERE a = ?"); err == nil {
		t.Error("a wrong statement is prepared")
	}
	s, err := c.Prepare("INSERT INTO root.p.d(time, a) VALUES (?, ?)")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		r, err := s.Exec(context.Background(), i, i)
		if err != nil || r.Affected() != 1 || r.HasRows() {
			t.Errorf("%d: %v, %d rows", i, err, r.Affected())
		}
	}
}

func TestSplit(t *testing.T) {
	script := "-- first\nSELECT ';' FROM root.a; ;\n\n  INSERT \"a;b\" `c;d` /* ; */ x -- ;\n;SHOW TRIGGERS"
	var got []string
	for p := range Split(script) {
		got = append(got, fmt.Sprintf("%d:%d %s", p.Line, p.Column, p.Text))
	}
	want := []string{"2:1 SELECT ';' FROM root.a", "4:3 INSERT \"a;b\" `c;d` /* ; */ x -- ;", "5:2 SHOW TRIGGERS"}
	if !slices.Equal(got, want) {
		t.Errorf("pieces %q, want %q", got, want)
	}
	for p := range Split("a; b; 'open ; c") {
		if p.Text == "b" {
			break
		}
	}
	var last string
	for p := range Split("a; 'open ; c") {
		last = p.Text
	}
	if last != "'open ; c" {
		t.Errorf("the last piece is %q", last)
	}
}

// Nesting is bounded, and statements of an adversary take time in proportion to
// their length.
func TestAdversarial(t *testing.T) {
	c := memory(t, nil)
	const n = 20000
	parse := func(text string) error { _, err := c.parse(text, &binding{}); return err }
	for name, text := range map[string]string{
		"brackets":    "SELECT " + strings.Repeat("(", n) + "s" + strings.Repeat(")", n) + " FROM root.d",
		"calls":       "SELECT " + strings.Repeat("f(", n) + "s" + strings.Repeat(")", n) + " FROM root.d",
		"minus":       "SELECT " + strings.Repeat("- ", n) + "s FROM root.d",
		"nots":        "SELECT " + strings.Repeat("NOT ", n) + "s FROM root.d",
		"cases":       "SELECT " + strings.Repeat("CASE WHEN ", n) + "s FROM root.d",
		"sums":        "SELECT s" + strings.Repeat(" + s", n) + " FROM root.d",
		"ands":        "SELECT s FROM root.d WHERE s > 1" + strings.Repeat(" AND s > 1", n),
		"open":        "SELECT " + strings.Repeat("(", n),
		"comparisons": "SELECT s FROM root.d WHERE s" + strings.Repeat(" > s", n),
	} {
		began := time.Now()
		err := parse(text)
		if err == nil || !strings.Contains(err.Error(), "more than 200") {
			t.Errorf("%s: error %v, want the limit", name, err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s took %s", name, took)
		}
	}
	// Long lists are fine.
	for name, text := range map[string]string{
		"columns": "SELECT s" + strings.Repeat(", s", n) + " FROM root.d",
		"in":      "SELECT s FROM root.d WHERE s IN (1" + strings.Repeat(", 1", n) + ")",
		"rows":    "INSERT INTO root.d(time, s) VALUES (1, 1)" + strings.Repeat(", (1, 1)", n),
		"blanks":  "SELECT s FROM root.d" + strings.Repeat(" ", 20*n),
		"strings": "SELECT s FROM root.d WHERE s = '" + strings.Repeat("''", 10*n) + "'",
		"stars":   "SELECT " + strings.Repeat("s*", 150) + "1 FROM root.d",
	} {
		if err := parse(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := parse("SELECT s FROM root.d" + strings.Repeat(" ", maxText)); err == nil {
		t.Error("a statement of more than 4 MiB is accepted")
	}
	// Twice the length, about twice the time.
	cost := func(n int) time.Duration {
		text := "SELECT s FROM root.d WHERE s IN (" + strings.Repeat("'x' , ", n) + "1) AND " + strings.Repeat("(s > 1) AND ", 90) + "true"
		best := time.Hour
		for range 5 {
			began := time.Now()
			if err := parse(text); err != nil {
				t.Fatal(err)
			}
			best = min(best, time.Since(began))
		}
		return best
	}
	if small, large := cost(5000), cost(40000); large > 40*small+100*time.Millisecond {
		t.Errorf("8 times the length takes %s in place of %s", large, small)
	}
}

// FuzzParse: no statement panics, and what is wrong has a place in the text.
func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("../testdata/script/*.sql")
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for p := range Split(string(b)) {
			f.Add(p.Text)
		}
	}
	for _, s := range []string{"", ";", "SELECT", "'", "`", "/*", "?", ":x", "SELECT a FROM root.`", "2021-01-01T", "1e", "1.e", "SELECT ${"} {
		f.Add(s)
	}
	db, err := tickwell.Open(context.Background(), "", nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { db.Close() })
	c, err := New(db, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, err := c.parse(text, &binding{open: true})
		var e *Error
		if err != nil {
			if !errors.As(err, &e) {
				t.Fatalf("%q: error %T %v", text, err, err)
			}
			if lines := 1 + strings.Count(text, "\n"); e.Line < 1 || e.Line > lines || e.Column < 1 || e.Column > len(text)+1 {
				t.Fatalf("%q: line %d, column %d", text, e.Line, e.Column)
			}
			if e.Expected == "" && e.Cause == "" {
				t.Fatalf("%q: %v says nothing", text, e)
			}
		}
		n := 0
		for p := range Split(text) {
			n += len(p.Text)
			if p.Text == "" {
				t.Fatalf("%q has an empty piece", text)
			}
		}
		if n > len(text) {
			t.Fatalf("%q: its pieces are longer", text)
		}
	})
}
