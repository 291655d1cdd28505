package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// sqlOf runs a script and returns what it printed.
func sqlOf(t *testing.T, script string, args ...string) string {
	t.Helper()
	o := runWith(context.Background(), script, append([]string{"sql"}, args...)...)
	require.Equal(t, exitOK, o.code, "%s", o.err)
	require.Empty(t, o.err)
	return o.out
}

const windowAlerter = `CREATE TIMESERIES root.sg1.d1.s1 WITH DATATYPE=DOUBLE, ENCODING=PLAIN;
CREATE TRIGGER ` + "`window-avg-alerter`" + `
AFTER INSERT
ON root.sg1.d1.s1
AS 'org.apache.iotdb.trigger.TriggerExample'
WITH (
'lo' = '0',
'hi' = '10.0'
);
INSERT INTO root.sg1.d1(timestamp, s1) VALUES (1, 0);
INSERT INTO root.sg1.d1(timestamp, s1) VALUES (2, 2);
INSERT INTO root.sg1.d1(timestamp, s1) VALUES (3, 4);
INSERT INTO root.sg1.d1(timestamp, s1) VALUES (4, 6);
INSERT INTO root.sg1.d1(timestamp, s1) VALUES (5, 8);
INSERT INTO root.sg1.d1(timestamp, s1) VALUES (6, 10);
INSERT INTO root.sg1.d1(timestamp, s1) VALUES (7, 12);
\reopen
INSERT INTO root.sg1.d1(timestamp, s1) VALUES (8, 14);
INSERT INTO root.sg1.d1(timestamp, s1) VALUES (9, 16);
INSERT INTO root.sg1.d1(timestamp, s1) VALUES (10, 18);
SELECT * FROM root.alerting;
`

// Each -e is run, in their order.
func TestStatementsOfFlags(t *testing.T) {
	require.Equal(t, "Time,root.x.value\n1,2.0\n\n", sqlOf(t, "", "-e", "INSERT INTO root.x(time, value) VALUES (1, 1);", "-e", "INSERT INTO root.x(time, value) VALUES (1, 2) -- two", "-e", "SELECT value FROM root.x"))
}

// A name that no series has is no error; the shell says so beside the empty result.
func TestMisspeltColumn(t *testing.T) {
	for query, told := range map[string]bool{
		"SELECT valu FROM root.x": true, "SELECT value FROM root.y": true, "SELECT avg(valu) FROM root.x": true,
		"SELECT valu FROM root.x ALIGN BY DEVICE": true,
		"SELECT value FROM root.x":                false, "SELECT value FROM root.x WHERE value > 5": false, "SHOW TRIGGERS": false,
		"SELECT value, valu FROM root.x": false, "SELECT avg(value) FROM root.x": false,
	} {
		for _, format := range []string{"csv", "table", "json"} {
			o := runWith(context.Background(), "INSERT INTO root.x(time, value) VALUES (1, 1); "+query, "sql", "-format", format)
			require.Equal(t, exitOK, o.code, "%s", o.err)
			require.Equal(t, told, strings.Contains(o.err, "SHOW TIMESERIES"), "%s, %s: %s", query, format, o.err)
		}
	}
}

// The trigger of the 0.13 page, run as printed: the table is the page's.
func TestPageTriggerThroughShell(t *testing.T) {
	require.Equal(t, `+-----------------------------+--------------------+-------------------+
|                         Time|root.alerting.remote|root.alerting.local|
+-----------------------------+--------------------+-------------------+
|1970-01-01T08:00:00.006+08:00|                14.0|               14.0|
+-----------------------------+--------------------+-------------------+
Total line number = 1
`, sqlOf(t, windowAlerter, "-format", "table", "-zone", "Asia/Shanghai"))
	csv := "Time,root.alerting.remote,root.alerting.local\n6,14.0,14.0\n\n"
	require.Equal(t, csv, sqlOf(t, windowAlerter))
	require.Equal(t, csv, sqlOf(t, windowAlerter, "-dir", filepath.Join(t.TempDir(), "d")))
	require.Equal(t, strings.Replace(csv, "\n6,", "\n1970-01-01T00:00:00.006Z,", 1), sqlOf(t, windowAlerter, "-times", "iso"))
	require.Equal(t, `{"columns":[{"name":"Time","type":"TIMESTAMP"},{"name":"root.alerting.remote","type":"DOUBLE"},{"name":"root.alerting.local","type":"DOUBLE"}],"rows":[[6,14,14]]}
`, sqlOf(t, windowAlerter, "-format", "json"))
}

func TestCSVForms(t *testing.T) {
	require.Equal(t, `Time,root.a.x,root.a.y
1,1.0,
2,,"a,""b"""
3,2.5,

Time,Device,x,y
1,root.a,1.0,
2,root.a,,"a,""b"""
3,root.a,2.5,

count(root.a.x)
2

Time,root.a.x

`, sqlOf(t, `
		INSERT INTO root.a(time, x) VALUES (1, 1), (3, 2.5); INSERT INTO root.a(time, y) VALUES (2, 'a,"b"');
		SELECT x, y FROM root.a; SELECT x, y FROM root.a ALIGN BY DEVICE;
		SELECT count(x) FROM root.a; SELECT x FROM root.a WHERE time > 100`))
}

func TestPrecision(t *testing.T) {
	const script = "INSERT INTO root.a(time, x) VALUES (2021-01-01T00:00:00.123456789Z, 1); SELECT x FROM root.a"
	for precision, want := range map[string]string{"ms": "1609459200123", "us": "1609459200123456", "ns": "1609459200123456789"} {
		require.Equal(t, "Time,root.a.x\n"+want+",1.0\n\n", sqlOf(t, script, "-precision", precision))
	}
	require.Equal(t, "Time,root.a.x\n2021-01-01T01:00:00.123456789+01:00,1.0\n\n", sqlOf(t, script, "-precision", "ns", "-times", "iso", "-zone", "Europe/Berlin"))
	require.Contains(t, fails(t, exitUsage, "sql", "-precision", "s"), "-precision")
	require.Contains(t, fails(t, exitUsage, "sql", "-zone", "Mars"), "no time zone")
	require.Contains(t, fails(t, exitUsage, "sql", "-format", "xml"), "-format")
	require.Contains(t, fails(t, exitUsage, "sql", "-times", "utc"), "-times")
	require.Contains(t, fails(t, exitUsage, "sql", "-readonly"), "needs -dir")
}

func TestFailingStatement(t *testing.T) {
	const script = `INSERT INTO root.a(time, x) VALUES (1, 1);
  SELECT x
  FORM root.a;
\nonsense
SELECT nofunction(x) FROM root.a;
SELECT x FROM root.a;`
	o := runWith(context.Background(), script, "sql")
	require.Equal(t, exitFailed, o.code)
	require.Empty(t, o.out)
	require.Equal(t, 1, strings.Count(o.err, "error: "), o.err)
	require.True(t, strings.HasPrefix(o.err, "error: line 3, column 3: "), o.err)

	o = runWith(context.Background(), script, "sql", "-continue")
	require.Equal(t, exitFailed, o.code)
	require.Equal(t, "Time,root.a.x\n1,1.0\n\n", o.out)
	lines := strings.Split(strings.TrimSpace(o.err), "\n")
	require.Len(t, lines, 3)
	for i, want := range []string{"line 3, column 3", `\nonsense`, "nofunction"} {
		require.True(t, strings.HasPrefix(lines[i], "error: ") && strings.Contains(lines[i], want), lines[i])
	}
	name := writeFile(t, filepath.Join(t.TempDir(), "s.sql"), script)
	require.Contains(t, fails(t, exitFailed, "sql", name), "s.sql:2)")
}

func TestScriptPieces(t *testing.T) {
	for _, c := range []struct {
		name, script string
		want         []string
	}{
		{"one a line", "a;\nb;\n", []string{"1:a", "2:b"}},
		{"two a line", "a; b ;\n", []string{"1:a", "1:b"}},
		{"no end", "a;\nb", []string{"1:a", "2:b"}},
		{"over lines", "a\n b;\nc", []string{"1:a\n b", "3:c"}},
		{"in a text", "a ';' b;\nc", []string{"1:a ';' b", "2:c"}},
		{"a text over lines", "a ';\n' b;\nc;", []string{"1:a ';\n' b", "3:c"}},
		{"comments", "-- x; y\na -- z;\n;b /* ;\n; */ c;\n", []string{"2:a -- z;", "3:b /* ;\n; */ c"}},
		{"commands", "\\clock 1\na;\n  \\wait \nb;\n", []string{"1:\\clock 1", "2:a", "3:\\wait", "4:b"}},
		{"a command after a comment", "-- hello\n\\wait\n", []string{"2:\\wait"}},
		{"no command in a statement", "a '\n\\wait\n';", []string{"1:a '\n\\wait\n'"}},
		{"a quote not closed", "a 'b;\nc;\nd 'e' f;\n\\wait\n", []string{"1:a 'b;", "2:c", "3:d 'e' f", "4:\\wait"}},
		{"a comment not closed", "a;\nb /* c;\nd\n;\n", []string{"1:a", "2:b /* c;", "3:d"}},
		{"not closed at the end", "a `b;\nc", []string{"1:a `b;", "2:c"}},
		{"empty", " \n;;\n-- x\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			st := &statements{text: c.script}
			for {
				p, err := st.next()
				if err != nil {
					break
				}
				require.Equal(t, strings.HasPrefix(p.text, `\`), p.meta)
				got = append(got, string(rune('0'+p.line))+":"+p.text)
			}
			require.Equal(t, c.want, got)
		})
	}
}

func TestReadOnlyShell(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	sqlOf(t, "INSERT INTO root.a(time, x) VALUES (1, 1)", "-dir", dir)
	require.Equal(t, "Time,root.a.x\n1,1.0\n\n", sqlOf(t, "SELECT x FROM root.a", "-dir", dir, "-readonly"))
	o := runWith(context.Background(), "INSERT INTO root.a(time, x) VALUES (2, 1)", "sql", "-dir", dir, "-readonly")
	require.Equal(t, exitFailed, o.code)
	require.Contains(t, o.err, "read-only")
	require.Contains(t, fails(t, exitFailed, "sql", "-readonly", "-dir", dir+"x"), "there is no folder")
}
