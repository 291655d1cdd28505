package iotsql

import (
	"context"
	"strings"
	"testing"

	"github.com/tickwell/tickwell"
)

// SHOW FUNCTIONS lists what is built in and what was created, with the columns
// of the documents. It is no script, since it grows with each function.
func TestShowFunctions(t *testing.T) {
	c := memory(t, &tickwell.Options{FunctionClasses: map[string]tickwell.FunctionSpec{"org.apache.iotdb.udf.UDTFExample": {UDTF: func() tickwell.UDTF { return identity{} }}}})
	answer(t, c, "CREATE FUNCTION example AS 'org.apache.iotdb.udf.UDTFExample'")
	lines := strings.Split(answer(t, c, "SHOW FUNCTIONS"), "|")
	if lines[0] != "FunctionName,FunctionType,ClassName(UDF)" {
		t.Errorf("columns %s", lines[0])
	}
	found := map[string]bool{}
	for i, line := range lines[1:] {
		found[line] = true
		if i > 0 && line < lines[i] {
			t.Errorf("%s comes after %s", line, lines[i])
		}
	}
	for _, want := range []string{"EXAMPLE,external UDTF,org.apache.iotdb.udf.UDTFExample", `AVG,native,""`, `SIN,built-in scalar,""`, `TOP_K,built-in UDTF,""`} {
		if !found[want] {
			t.Errorf("there is no row %s in %q", want, lines)
		}
	}
	answer(t, c, "DROP FUNCTION Example")
	if got := answer(t, c, "SHOW FUNCTIONS"); strings.Contains(got, "EXAMPLE") {
		t.Error("a dropped function is listed")
	}
}

func TestExplain(t *testing.T) {
	c := memory(t, nil)
	answer(t, c, "INSERT INTO root.e.d(time, s) VALUES (1, 1)")
	got := answer(t, c, "EXPLAIN SELECT avg(s) FROM root.e.d WHERE time > 5 GROUP BY ([0, 10), 5ms)")
	if !strings.HasPrefix(got, "Plan|") || !strings.Contains(got, "avg(root.e.d.s)") || !strings.Contains(got, "scan") {
		t.Errorf("got %s", got)
	}
	if _, err := c.Exec(context.Background(), "EXPLAIN DROP TRIGGER t"); err == nil {
		t.Error("DROP TRIGGER is explained")
	}
}

// The series that INSERT … ALIGNED makes are shown as aligned.
func TestInsertAligned(t *testing.T) {
	c := memory(t, nil)
	answer(t, c, "INSERT INTO root.a.d(time, s1, s2) ALIGNED VALUES (1, 1, 2)")
	answer(t, c, "INSERT INTO root.a.e(time, s1) VALUES (1, 1)")
	answer(t, c, "INSERT INTO root.a.e(time, s1) ALIGNED VALUES (2, 1)")
	if got, want := answer(t, c, "SHOW DEVICES"), "Device,IsAligned|root.a.d,true|root.a.e,false"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// SHOW CONTINUOUS QUERIES is sorted by id, whatever they were created after, and
// shows the statements as they were written.
func TestShowCQsAsWritten(t *testing.T) {
	c := memory(t, nil)
	const (
		b = "CREATE CONTINUOUS QUERY b BEGIN SELECT  Max_Value(s) INTO root.o(m) FROM root.d GROUP BY(1h) END"
		a = "create cq a resample every 30m boundary 0 range 1h begin select avg(s) into root.o(a) from root.d group by(30m) end"
	)
	answer(t, c, b)
	answer(t, c, a)
	want := "CQId,Query,State|a," + a + ",ACTIVE|b," + b + ",ACTIVE"
	for _, show := range []string{"SHOW CONTINUOUS QUERIES", "show cqs"} {
		if got := answer(t, c, show); got != want {
			t.Errorf("%s: got %s, want %s", show, got, want)
		}
	}
}
