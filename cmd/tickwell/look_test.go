package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// contents are all files of a folder.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(name)
		out[name] = string(b)
		return err
	}))
	return out
}

// press makes a store with a trigger, a continuous query and some rows.
func press(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	sqlOf(t, `\clock 2024-01-01T00:00:00
		CREATE TIMESERIES root.plant.press1.temperature WITH DATATYPE=DOUBLE;
		CREATE STATELESS TRIGGER alarm AFTER INSERT ON root.plant.** AS 'org.apache.iotdb.trigger.ClusterAlertingExample' WITH ("limit" = "100");
		CREATE CQ hourly BEGIN SELECT avg(temperature) INTO root.hourly(average) FROM root.plant.press1 GROUP BY(1h) END;
		INSERT INTO root.plant.press1(time, temperature, note) VALUES (2024-01-01T00:10:00, 20, 'a'), (2024-01-01T00:20:00, 30, 'b');
\advance 2h
		INSERT INTO root.plant.press1(time, temperature, open) VALUES (2024-01-01T02:30:00, 101.5, true);`, "-dir", dir)
	return dir
}

func TestInspect(t *testing.T) {
	dir := press(t)
	before := contents(t, dir)
	out := do(t, "inspect", dir)
	for _, want := range []string{
		"series      4", "points      7", " bytes a point", " in 0 block files, ",
		"memory      ", "recovered   ",
		"root.plant.press1.temperature  DOUBLE        3  2024-01-01T00:10:00Z  2024-01-01T02:30:00Z  101.5",
		"root.hourly.average            DOUBLE        1  2024-01-01T00:00:00Z  2024-01-01T00:00:00Z  25",
		"root.plant.press1.note         TEXT ",
		"alarm  AFTER_INSERT  STATELESS  ", "root.plant.**  org.apache.iotdb.trigger.ClusterAlertingExample  limit=100",
		"hourly  ACTIVE  every 1h0m0s  2024-01-01T02:00:00Z  ", "CREATE CQ hourly BEGIN SELECT avg(temperature) INTO",
	} {
		require.Contains(t, out, want)
	}
	require.Contains(t, do(t, "inspect", "-n", "1", dir), "… and 3 more")
	require.NotContains(t, do(t, "inspect", "-series", "root.hourly.**", dir), "press1.note")
	require.Contains(t, fails(t, exitFailed, "inspect", "-series", "root..x", dir), "root..x")
	do(t, "verify", dir)
	do(t, "plot", dir, "**")
	do(t, "export", dir)
	do(t, "outbox", dir)
	do(t, "backtest", "-above", "50", dir, "**")
	require.Equal(t, before, contents(t, dir), "commands that only look write nothing")
}

func TestBackup(t *testing.T) {
	dir := press(t)
	target := filepath.Join(t.TempDir(), "copy")
	require.Contains(t, do(t, "backup", dir, target), "is a copy of")
	require.Equal(t, do(t, "export", dir), do(t, "export", target))
	require.Contains(t, do(t, "verify", target), "is sound")
	require.Equal(t, sqlOf(t, "SHOW TRIGGERS; SHOW CQS", "-dir", dir), sqlOf(t, "SHOW TRIGGERS; SHOW CQS", "-dir", target))
	require.Contains(t, fails(t, exitFailed, "backup", dir, target), "exists")
	require.Contains(t, fails(t, exitFailed, "backup", target+"x", target+"y"), "there is no folder")
	require.NoDirExists(t, target+"x")
}

func TestPlot(t *testing.T) {
	store := filepath.Join(t.TempDir(), "d")
	do(t, "import", store, writeFile(t, filepath.Join(t.TempDir(), "x.csv"), "Time,root.a.x(DOUBLE),root.a.s(TEXT),root.a.b(BOOLEAN)\n0,1,q,true\n1000,2,,\n2000,3,,false\n3000,4,,\n"))
	require.Equal(t, `root.a.x, avg of 4 points
           4 ┤   █
             ┤  ▅█
             ┤ ▃██
           1 ┤▁███
              1970-01-01T00:00:00Z 1970-01-01T00:00:03Z
`, do(t, "plot", "-width", "4", "-height", "4", store, "root.a.x"))
	all := do(t, "plot", "-width", "20", store, "**")
	require.Contains(t, all, "root.a.b, avg of 2 points")
	require.NotContains(t, all, "root.a.s")
	require.Contains(t, do(t, "plot", "-fold", "count", store, "root.a.s"), "count of 1 points")
	require.Contains(t, do(t, "plot", "-start", "1970-01-01T00:00:01", "-end", "1970-01-01T00:00:03", store, "root.a.x"), "of 2 points")
	require.Contains(t, do(t, "plot", "-start", "2020-01-01", store, "root.a.x"), "no data")
	require.Contains(t, fails(t, exitFailed, "plot", store, "root.z.**"), "no series")
	require.Contains(t, fails(t, exitUsage, "plot", "-fold", "median", store, "**"), "-fold")
	require.Contains(t, fails(t, exitUsage, "plot", "-start", "soon", store, "**"), `"soon" is no time`)
	require.Contains(t, fails(t, exitUsage, "plot", "-start", "2020-01-02", "-end", "2020-01-01", store, "**"), "not before")
}

func TestBacktest(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "nab")
	var b strings.Builder
	b.WriteString("timestamp,value\n")
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 100 {
		v := 10
		if i/10 == 3 || i/10 == 7 {
			v = 99
		}
		fmt.Fprintf(&b, "%s,%d\n", start.Add(time.Duration(i)*time.Minute).Format("2006-01-02 15:04:05"), v)
	}
	writeFile(t, filepath.Join(data, "kind", "machine.csv"), b.String())
	labels := writeFile(t, filepath.Join(dir, "labels.json"), `{"kind/machine.csv": [["2024-01-01 00:25:00", "2024-01-01 00:35:00"], ["2024-01-01 00:50:00", "2024-01-01 00:55:00"]]}`)
	store := filepath.Join(dir, "d")
	do(t, "import", "-prefix", "root.nab", store, data)
	require.Equal(t, `root.nab.kind.machine.value: 2 alarms
  2024-01-01T00:30:00Z – 2024-01-01T00:40:00Z  10m0s  in window 1
  2024-01-01T01:10:00Z – 2024-01-01T01:20:00Z  10m0s  outside
  window 1  2024-01-01T00:25:00Z – 2024-01-01T00:35:00Z  hit
  window 2  2024-01-01T00:50:00Z – 2024-01-01T00:55:00Z  missed

1 of 2 labelled windows hit (recall 50 %), 1 of 2 alarms outside of all (precision 50 %)
`, do(t, "backtest", "-above", "50", "-labels", labels, store, "root.nab.**"))
	require.Contains(t, do(t, "backtest", "-above", "50", "-for", "15m", store, "root.nab.**"), ": 0 alarms")
	require.Contains(t, do(t, "backtest", "-above", "50", "-slack", "20m", "-labels", labels, store, "root.nab.**"), "2 of 2 labelled windows hit")
	require.Contains(t, do(t, "backtest", "-below", "50", "-clear", "60", "-n", "1", store, "root.nab.**"), "… and 2 more")
	require.Contains(t, do(t, "backtest", "-above", "50", "-start", "2024-01-01T01:00:00", store, "root.nab.**"), ": 1 alarm\n")
	for _, bad := range [][]string{{}, {"-above", "1", "-below", "2"}, {"-above", "high"}, {"-above", "1", "-clear", "low"}} {
		fails(t, exitUsage, append(append([]string{"backtest"}, bad...), store, "**")...)
	}
	require.Contains(t, fails(t, exitFailed, "backtest", "-above", "1", store, "root.z.**"), "no series")
}

// The scripts for the shells are read by the shells that are there.
func TestCompletionScripts(t *testing.T) {
	bash := do(t, "completion", "bash")
	for _, c := range commands() {
		require.Contains(t, bash, "    "+c.name+") words=")
	}
	require.Contains(t, do(t, "completion", "zsh"), "bashcompinit")
	require.Contains(t, do(t, "completion", "fish"), "-a inspect")
	require.Contains(t, fails(t, exitUsage, "completion", "tcsh"), "no completion")
	path, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash here")
	}
	script := bash + `
COMP_WORDS=(tickwell in); COMP_CWORD=1; _tickwell; echo "${COMPREPLY[*]}"
COMP_WORDS=(tickwell sql -pre); COMP_CWORD=2; _tickwell; echo "${COMPREPLY[*]}"
COMP_WORDS=(tickwell help ver); COMP_CWORD=2; _tickwell; echo "${COMPREPLY[*]}"
`
	out, err := exec.CommandContext(context.Background(), path, "-c", script).CombinedOutput()
	require.NoError(t, err, string(out))
	require.Equal(t, "inspect\n-precision\nverify version\n", string(out))
}
