package iotsql

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
)

// parsed reads a statement that must be right.
func parsed(t *testing.T, c *Conn, text string) statement {
	t.Helper()
	st, err := c.parse(text, &binding{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return st
}

// same compares what two statements say, whatever their text is.
func same(t *testing.T, got, want any) {
	t.Helper()
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w || !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}

func triggerOf(t *testing.T, c *Conn, text string) tickwell.TriggerSpec {
	t.Helper()
	s := parsed(t, c, text).(*createTriggerStmt).spec
	if s.Text != strings.TrimSpace(text) {
		t.Errorf("the text is %q", s.Text)
	}
	s.Text = ""
	return s
}

func cqOf(t *testing.T, c *Conn, text string) tickwell.CQSpec {
	t.Helper()
	s := parsed(t, c, text).(*createCQStmt).spec
	s.Text = ""
	return s
}

// The statement of the 1.2 page is one TriggerSpec, whichever quotes and letter
// case it has.
func TestGoldenTrigger12(t *testing.T) {
	c := memory(t, nil)
	want := tickwell.TriggerSpec{
		Name: "triggerTest", Pattern: "root.sg.**", When: tickwell.BeforeInsert,
		Class: "org.apache.iotdb.trigger.ClusterAlertingExample", Params: tickwell.Params{"name": "trigger", "limit": "100"},
	}
	page := `CREATE STATELESS TRIGGER triggerTest
BEFORE INSERT
ON root.sg.**
AS 'org.apache.iotdb.trigger.ClusterAlertingExample'
USING URI 'http://jar/ClusterAlertingExample.jar'
WITH (
"name" = "trigger",
"limit" = "100"
)`
	same(t, triggerOf(t, c, page), want)
	same(t, triggerOf(t, c, strings.ReplaceAll(page, `"`, `'`)), want)
	same(t, triggerOf(t, c, strings.ReplaceAll(page, `'`, `"`)), want)
	same(t, triggerOf(t, c, "create stateless trigger triggerTest before insert on root.sg.** as 'org.apache.iotdb.trigger.ClusterAlertingExample' with ('name'='trigger','limit'='100')"), want)
	if uri := parsed(t, c, page).(*createTriggerStmt).uri; uri != "http://jar/ClusterAlertingExample.jar" {
		t.Errorf("the URI is %q", uri)
	}
	if n, err := want.Params.Int64("limit"); n != 100 || err != nil {
		t.Errorf("limit is %d, %v", n, err)
	}
	want.Params, want.Stateful, want.When = nil, true, tickwell.AfterInsert
	same(t, triggerOf(t, c, "CREATE STATEFUL TRIGGER triggerTest AFTER INSERT ON root.sg.** AS 'org.apache.iotdb.trigger.ClusterAlertingExample'"), want)
	for text, expected := range map[string]string{
		"CREATE STATELESS TRIGGER t BEFORE ON root.** AS 'c'":                                        "line 1, column 35: found \"ON\", expected INSERT",
		"CREATE STATELESS TRIGGER t BEFORE INSERT root.** AS 'c'":                                    "expected ON",
		"CREATE STATELESS TRIGGER t BEFORE INSERT ON root.** AS c":                                   "expected the class in quotes",
		"CREATE STATELESS TRIGGER t BEFORE INSERT ON root.** AS 'c' WITH ()":                         "expected an attribute",
		"CREATE STATELESS TRIGGER t BEFORE INSERT ON root.** AS 'c' WITH ('k'='v' 'l'='w')":          "line 1, column 74: found \"'l'\", expected )",
		"CREATE STATELESS TRIGGER t BEFORE INSERT ON root.** AS 'c' WITH ('k')":                      "expected =",
		"CREATE STATELESS TRIGGER t BEFORE INSERT ON root.** AS 'c' USING 'http://jar'":              "expected URI",
		"CREATE STATELESS TRIGGER t BEFORE INSERT ON root.** AS 'c' USING URI http://jar":            "expected the URI in quotes",
		"CREATE STATELESS TRIGGER t BEFORE INSERT ON root.** AS 'c' WITH ('k'='v') USING URI 'late'": "expected the end of the statement",
		"CREATE TRIGGER t BEFORE INSERT ON root.sg.* AS 'c'":                                         "Please specify trigger type: STATELESS or STATEFUL.",
		"CREATE STATELESS TRIGGER t DURING INSERT ON root.** AS 'c'":                                 "expected BEFORE or AFTER",
		"CREATE STATELESS TRIGGER BEFORE INSERT ON root.** AS 'c'":                                   "expected BEFORE or AFTER",
	} {
		if _, err := c.parse(text, &binding{}); err == nil || !strings.Contains(err.Error(), expected) {
			t.Errorf("%s: error %v, want one with %q", text, err, expected)
		}
	}
}

// The statements of the 0.13 page.
func TestGoldenTrigger013(t *testing.T) {
	c := memory(t, nil)
	want := tickwell.TriggerSpec{
		Name: "alert-listener-sg1d1s1", Series: "root.sg1.d1.s1", Class: "org.apache.iotdb.db.engine.trigger.example.AlertListener",
		Params: tickwell.Params{"lo": "0", "hi": "100.0"},
	}
	page := "CREATE TRIGGER `alert-listener-sg1d1s1`\nAFTER INSERT\nON root.sg1.d1.s1\nAS 'org.apache.iotdb.db.engine.trigger.example.AlertListener'\nWITH (\n'lo' = '0',\n'hi' = '100.0'\n)"
	same(t, triggerOf(t, c, page), want)
	same(t, triggerOf(t, c, strings.ReplaceAll(page, "'", `"`)), want)
	want.Params = nil
	page, _, _ = strings.Cut(page, "\nWITH")
	same(t, triggerOf(t, c, page), want)
	want = tickwell.TriggerSpec{Name: "window-avg-alerter", Series: "root.sg1.d1.s1", Class: "org.apache.iotdb.trigger.TriggerExample", Params: tickwell.Params{"lo": "0", "hi": "10.0"}}
	same(t, triggerOf(t, c, "CREATE TRIGGER `window-avg-alerter`\nAFTER INSERT\nON root.sg1.d1.s1\nAS 'org.apache.iotdb.trigger.TriggerExample'\nWITH (\n'lo' = '0',\n'hi' = '10.0'\n)"), want)
	if _, err := c.parse("CREATE TRIGGER t AFTER INSERT ON root.sg1.d1.s1 AS org.apache.Example", &binding{}); err == nil || !strings.Contains(err.Error(), "expected the class in quotes") {
		t.Errorf("a class without quotes: %v", err)
	}
	for _, verb := range []string{"DROP", "START", "STOP"} {
		if st := parsed(t, c, verb+" TRIGGER `alert-listener-sg1d1s1`").(*callStmt); st.names[0] != "alert-listener-sg1d1s1" {
			t.Errorf("%s names %q", verb, st.names)
		}
	}
}

// A trigger that is made by SQL and one that is made in Go are the same to the
// store.
func TestSameAsGo(t *testing.T) {
	ctx := context.Background()
	list := func(make func(db *tickwell.DB, c *Conn) error) string {
		c := memory(t, &tickwell.Options{Classes: map[string]func() tickwell.Trigger{"nothing": func() tickwell.Trigger { return nothing{} }}})
		if err := make(c.db, c); err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for info := range c.db.Triggers() {
			info.Spec.Text = ""
			fmt.Fprintf(&b, "%+v\n", info)
		}
		all, err := c.db.ContinuousQueries(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for info := range all {
			info.Spec.Text, info.Spec.New, info.NextRun, info.Lag = "", false, time.Time{}, 0
			fmt.Fprintf(&b, "%+v\n", info)
		}
		return b.String()
	}
	bySQL := list(func(_ *tickwell.DB, c *Conn) error {
		var errs []error
		for _, text := range []string{
			"CREATE STATEFUL TRIGGER a AFTER INSERT ON root.sg.* AS 'nothing' WITH ('k'='v')", "CREATE STATELESS TRIGGER b BEFORE INSERT ON root.** AS 'nothing'", "DROP TRIGGER b",
			"CREATE CQ c RESAMPLE EVERY 20s RANGE 40s, 20s BEGIN SELECT max_value(s) INTO root.o.d(m) FROM root.sg.* GROUP BY(10s) FILL(100.0) END",
		} {
			_, err := c.Exec(ctx, text)
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
	byGo := list(func(db *tickwell.DB, _ *Conn) error {
		return errors.Join(
			db.CreateTrigger(ctx, tickwell.TriggerSpec{Name: "a", Pattern: "root.sg.*", Stateful: true, Class: "nothing", Params: tickwell.Params{"k": "v"}}),
			db.CreateTrigger(ctx, tickwell.TriggerSpec{Name: "b", Pattern: "root.**", When: tickwell.BeforeInsert, Class: "nothing"}),
			db.DropTrigger(ctx, "b"),
			db.CreateContinuousQuery(ctx, tickwell.CQSpec{Name: "c", Every: 20 * time.Second, StartOffset: 40 * time.Second, EndOffset: 20 * time.Second, Query: tickwell.Query{
				Select: []expr.Expr{expr.Max(expr.Col("s"))}, From: []string{"root.sg.*"}, Into: []tickwell.Target{{Device: "root.o.d", Columns: []string{"m"}}},
				GroupBy: tickwell.GroupByTime{Interval: 10 * time.Second, Step: 10 * time.Second}, Fill: tickwell.Fill{Value: tickwell.Float64Value(100)}, TimeUnit: time.Millisecond,
			}}),
		)
	})
	if bySQL != byGo {
		t.Errorf("by SQL\n%s\nby Go\n%s", bySQL, byGo)
	}
}

// Statements that are written in several ways mean one thing.
func TestGoldenCQ(t *testing.T) {
	c := memory(t, nil)
	body := "BEGIN SELECT count(s1) INTO root.sg_count.d(count_s1) FROM root.sg.d GROUP BY(30m) END"
	want := tickwell.CQSpec{Name: "s1_count_cq", Every: 30 * time.Minute, New: true, Query: tickwell.Query{
		Select: []expr.Expr{expr.Call("count", expr.Col("s1"))}, From: []string{"root.sg.d"}, TimeUnit: time.Millisecond,
		Into:    []tickwell.Target{{Device: "root.sg_count.d", Columns: []string{"count_s1"}}},
		GroupBy: tickwell.GroupByTime{Interval: 30 * time.Minute, Step: 30 * time.Minute},
	}}
	for _, text := range []string{
		"CREATE CQ s1_count_cq " + body,
		"CREATE CONTINUOUS QUERY s1_count_cq " + body,
		"create continuous query s1_count_cq resample " + strings.ToLower(body),
		"CREATE CQ s1_count_cq TIMEOUT POLICY BLOCKED " + body,
		"CREATE CQ s1_count_cq RESAMPLE EVERY 30m TIMEOUT POLICY BLOCKED " + body,
		"CREATE CQ s1_count_cq " + strings.Replace(body, "root.sg_count.d(count_s1)", "root.sg_count.d.count_s1", 1),
	} {
		same(t, cqOf(t, c, text), want)
	}
	want.Every, want.Boundary, want.StartOffset, want.EndOffset, want.Policy = time.Hour, time.UnixMilli(1000).UTC(), 2*time.Hour, time.Hour, tickwell.Discard
	same(t, cqOf(t, c, "CREATE CQ s1_count_cq RESAMPLE EVERY 1h BOUNDARY 1970-01-01T00:00:01Z RANGE 2h, 60m TIMEOUT POLICY DISCARD "+body), want)

	// The parts of RESAMPLE are optional, and in this order.
	for _, resample := range []string{"EVERY 1h", "BOUNDARY 5", "RANGE 1h", "EVERY 1h BOUNDARY 5", "EVERY 1h RANGE 2h", "BOUNDARY 5 RANGE 2h, 1h", "EVERY 1h BOUNDARY 5 RANGE 2h"} {
		parsed(t, c, "CREATE CQ c RESAMPLE "+resample+" "+body)
	}
	for resample, expected := range map[string]string{
		"RANGE 1h EVERY 1h": "expected EVERY, BOUNDARY, RANGE, TIMEOUT or BEGIN, in this order", "EVERY": "expected the period", "EVERY 1x": "\"1x\" is no duration",
		"EVERY 0s": "Every interval [0]", "EVERY -1s": "found \"-\"", "RANGE 0s": "should be greater than 0", "RANGE 2h,": "expected the end offset", "RANGE 1h, 2h": "greater than end time offset",
	} {
		text := "CREATE CQ c RESAMPLE " + resample + " " + body
		if _, err := c.parse(text, &binding{}); err == nil || !strings.Contains(err.Error(), expected) {
			t.Errorf("%s: error %v, want one with %q", resample, err, expected)
		}
	}
	// Units.
	ns, err := New(c.db, &Options{Precision: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	const day = 24 * time.Hour
	for text, every := range map[string]time.Duration{
		"5ns": 5, "5us": 5 * time.Microsecond, "5ms": 5 * time.Millisecond, "5s": 5 * time.Second, "5m": 5 * time.Minute, "5h": 5 * time.Hour, "5d": 5 * day, "5w": 35 * day,
		"1mo": 30 * day, "1y": 365 * day, "1h30m": 90 * time.Minute,
	} {
		if got := cqOf(t, ns, "CREATE CQ c RESAMPLE EVERY "+text+" "+body).Every; got != every {
			t.Errorf("EVERY %s is %s, want %s", text, got, every)
		}
	}
}

// The clauses of the box of the page, each in its forms.
func TestGoldenBody(t *testing.T) {
	c := memory(t, nil)
	body := func(clauses string) tickwell.Query {
		t.Helper()
		return cqOf(t, c, "CREATE CQ c RESAMPLE EVERY 10s BEGIN SELECT avg(s) INTO root.o.d(a) FROM root.sg.* "+clauses+" END").Query.(tickwell.Query)
	}
	base := body("")
	with := func(change func(q *tickwell.Query)) tickwell.Query {
		q := base
		change(&q)
		return q
	}
	ten := tickwell.GroupByTime{Interval: 10 * time.Second, Step: 10 * time.Second}
	levels := with(func(q *tickwell.Query) { q.GroupBy, q.Levels = ten, []int{1} })
	for text, want := range map[string]tickwell.Query{
		"GROUP BY(10s)": with(func(q *tickwell.Query) { q.GroupBy = ten }),
		"group by (10s, 5s)": with(func(q *tickwell.Query) {
			q.GroupBy = tickwell.GroupByTime{Interval: 10 * time.Second, Step: 5 * time.Second}
		}),
		"GROUP BY(10s), level=1":      levels,
		"GROUP BY(10s), level = 1":    levels,
		"GROUP BY(10s, level=1)":      levels,
		"GROUP BY(10s, 10s, LEVEL=1)": levels,
		"GROUP BY(1mo)":               with(func(q *tickwell.Query) { q.GroupBy = tickwell.GroupByTime{IntervalMonths: 1, StepMonths: 1} }),
		"HAVING avg(s) > 3":           with(func(q *tickwell.Query) { q.Having = expr.Avg(expr.Col("s")).Gt(int32(3)) }),
		"FILL(PREVIOUS)":              with(func(q *tickwell.Query) { q.Fill.Previous = true }),
		"FILL PREVIOUS":               with(func(q *tickwell.Query) { q.Fill.Previous = true }),
		"fill(linear)":                with(func(q *tickwell.Query) { q.Fill.Linear = true }),
		"FILL LINEAR":                 with(func(q *tickwell.Query) { q.Fill.Linear = true }),
		"FILL(100.0)":                 with(func(q *tickwell.Query) { q.Fill.Value = tickwell.Float64Value(100) }),
		"FILL 100.0":                  with(func(q *tickwell.Query) { q.Fill.Value = tickwell.Float64Value(100) }),
		"LIMIT 1 OFFSET 2":            with(func(q *tickwell.Query) { q.Limit, q.Offset = 1, 2 }),
		"OFFSET 2 LIMIT 1":            with(func(q *tickwell.Query) { q.Limit, q.Offset = 1, 2 }),
		"LIMIT 1":                     with(func(q *tickwell.Query) { q.Limit = 1 }),
		"OFFSET 2":                    with(func(q *tickwell.Query) { q.Offset = 2 }),
		"ALIGN BY DEVICE":             with(func(q *tickwell.Query) { q.AlignByDevice = true }),
		"align by time":               base,
		"WHERE s > 1 ALIGN BY DEVICE": with(func(q *tickwell.Query) { q.Where, q.AlignByDevice = expr.Col("s").Gt(int32(1)), true }),
		"GROUP BY SESSION(5s)":        with(func(q *tickwell.Query) { q.GroupBy = tickwell.GroupBySession{Gap: 5 * time.Second} }),
		"GROUP BY COUNT(s, 3)":        with(func(q *tickwell.Query) { q.GroupBy = tickwell.GroupByCount{By: expr.Col("s"), Size: 3} }),
		"GROUP BY VARIATION(s, 1, ignoreNull=false)": with(func(q *tickwell.Query) {
			q.GroupBy = tickwell.GroupByVariation{By: expr.Col("s"), Delta: 1, KeepNulls: true}
		}),
		"GROUP BY CONDITION(s > 1, KEEP >= 2)": with(func(q *tickwell.Query) {
			q.GroupBy = tickwell.GroupByCondition{By: expr.Col("s").Gt(int32(1)), KeepOp: expr.OpGe, KeepN: 2}
		}),
	} {
		t.Run(text, func(t *testing.T) { same(t, body(text), want) })
	}
	for text, expected := range map[string]string{
		"CREATE CQ c RESAMPLE EVERY 1s SELECT s INTO root.o.d(s) FROM root.sg.d END":         "line 1, column 31: found \"SELECT\", expected EVERY, BOUNDARY, RANGE, TIMEOUT or BEGIN",
		"CREATE CQ c RESAMPLE EVERY 1s BEGIN SELECT s INTO root.o.d(s) FROM root.sg.d":       "line 1, column 77: found the end of the statement, expected END",
		"CREATE CQ c RESAMPLE EVERY 1s BEGIN SELECT s INTO root.o.d(s) FROM root.sg.d END x": "expected the end of the statement",
		"ALTER CQ c RESAMPLE EVERY 1s": "expected SELECT, INSERT",
	} {
		if _, err := c.parse(text, &binding{}); err == nil || !strings.Contains(err.Error(), expected) {
			t.Errorf("%s: error %v, want one with %q", text, err, expected)
		}
	}
}
