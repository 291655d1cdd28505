package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSimClock(t *testing.T) {
	c := newSimClock()
	require.False(t, c.simulated())
	require.WithinDuration(t, time.Now(), c.Now(), time.Minute)
	called := make(chan struct{})
	c.AfterFunc(0, func() { close(called) })
	<-called
	var got []string
	stopMoved := c.AfterFunc(2*time.Hour, func() { got = append(got, "stopped") })
	c.AfterFunc(time.Hour, func() { got = append(got, "moved") })
	before := c.Mono()
	at := time.Date(2021, 5, 11, 0, 0, 0, 0, time.UTC)
	c.set(at)
	require.True(t, c.simulated())
	require.Equal(t, at, c.Now())
	require.GreaterOrEqual(t, c.Mono(), before, "time never goes back")
	require.True(t, stopMoved())
	c.AfterFunc(30*time.Minute, func() { got = append(got, "new") })
	c.advance(3 * time.Hour)
	require.Equal(t, []string{"new", "moved"}, got)
	require.Equal(t, at.Add(3*time.Hour), c.Now())
	c.set(at)
	require.Equal(t, at, c.Now())
	require.GreaterOrEqual(t, c.Mono(), before+3*time.Hour)
}

func TestMetaCommands(t *testing.T) {
	for _, c := range []struct{ name, script, out, err string }{
		{"clock", "\\clock 2021-05-11T22:18:10\n\\clock", "2021-05-11T22:18:10.000Z\n", ""},
		{"integer", "\\clock 5\n\\clock", "1970-01-01T00:00:00.005Z\n", ""},
		{"now", "\\clock 5\nINSERT INTO root.a(x) VALUES (1); SELECT x FROM root.a", "Time,root.a.x\n5,1.0\n\n", ""},
		{"advance", "\\clock 5\n\\advance 1d2h\n\\clock", "1970-01-02T02:00:00.005Z\n", ""},
		{"clock forward and back", "\\clock 5\n\\clock 100\n\\clock 50\n\\clock", "1970-01-01T00:00:00.050Z\n", ""},
		{"reopen keeps the clock and the rows", "\\clock 5\nINSERT INTO root.a(x) VALUES (1);\n\\reopen\n\\clock\nSELECT x FROM root.a", "1970-01-01T00:00:00.005Z\nTime,root.a.x\n5,1.0\n\n", ""},
		{"help", "\\help", metaHelp, ""},
		{"quiet", "\\wait", "", ""},
		{"no clock", "\\advance 5s", "", `\advance moves a simulated clock`},
		{"no duration", "\\clock 5\n\\advance soon", "", `"soon" is no duration`},
		{"backwards", "\\clock 5\n\\advance -5s", "", "is no duration"},
		{"no time", "\\clock soon", "", `"soon" is no time`},
		{"unknown", "\\nothing", "", `there is no command \nothing`},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := runWith(context.Background(), c.script, "sql")
			require.Equal(t, c.out, o.out)
			if c.err == "" {
				require.Empty(t, o.err)
				return
			}
			require.Equal(t, exitFailed, o.code)
			require.Contains(t, o.err, "error: ")
			require.Contains(t, o.err, c.err)
		})
	}
}

// Queries that read each other's results see them as they would have, however
// far the clock is moved at once, and runs that failed are told of.
func TestAdvance(t *testing.T) {
	script := func(moves ...string) string {
		return `\clock 2024-01-01T00:00:00
CREATE CQ seconds BEGIN SELECT sum(x) INTO root.s(x) FROM root.raw GROUP BY(10s) END;
CREATE CQ minutes BEGIN SELECT sum(x) INTO root.m(x) FROM root.s GROUP BY(1m) END;
INSERT INTO root.raw(time, x) VALUES (2024-01-01T00:00:05, 1), (2024-01-01T00:00:15, 2), (2024-01-01T00:01:05, 4), (2024-01-01T00:02:35, 8);
` + strings.Join(moves, "\n") + "\nSELECT x FROM root.m;\n"
	}
	want := sqlOf(t, script(strings.Split(strings.TrimSuffix(strings.Repeat("\\advance 10s\n", 24), "\n"), "\n")...))
	require.Contains(t, want, "1704067200000,")
	require.Equal(t, want, sqlOf(t, script(`\advance 4m`), "-dir", filepath.Join(t.TempDir(), "d")))
	require.Equal(t, want, sqlOf(t, script(`\advance 2m`, `\reopen`, `\advance 2m`), "-dir", filepath.Join(t.TempDir(), "d")))

	o := runWith(context.Background(), `\clock 2024-01-01T00:00:00
CREATE CQ bad BEGIN SELECT avg(x) INTO root.t(x) FROM root.raw GROUP BY(10s) END;
CREATE TIMESERIES root.t.x WITH DATATYPE=TEXT;
INSERT INTO root.raw(time, x) VALUES (2024-01-01T00:00:05, 1);
\advance 20s
`, "sql")
	require.Equal(t, exitOK, o.code, o.err)
	require.Contains(t, o.err, "warning: continuous query bad: ")
}

func TestEventsOfShell(t *testing.T) {
	o := runWith(context.Background(), `CREATE TIMESERIES root.a.x WITH DATATYPE=DOUBLE;
CREATE STATELESS TRIGGER hot AFTER INSERT ON root.** AS 'org.apache.iotdb.trigger.ClusterAlertingExample';
INSERT INTO root.a(time, x) VALUES (1, 60);
\wait
`, "sql", "-events")
	require.Equal(t, exitOK, o.code, o.err)
	require.Regexp(t, `^event: \{.*"severity":"warning".*\}\n$`, o.err)
}
