package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// stopper is a standard error that interrupts the program when a progress bar
// has been drawn so many times.
type stopper struct {
	bytes.Buffer
	left   int
	cancel func()
}

func (s *stopper) Write(b []byte) (int, error) {
	if bytes.HasPrefix(b, []byte("\r")) {
		if s.left--; s.left == 0 {
			s.cancel()
		}
	}
	return s.Buffer.Write(b)
}

// interrupted runs the program and presses Ctrl-C when the bar is drawn.
func interrupted(draws int, args ...string) outcome {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var out bytes.Buffer
	stderr := &stopper{left: draws, cancel: cancel}
	code := run(ctx, args, strings.NewReader(""), &out, stderr)
	return outcome{code, out.String(), stderr.String()}
}

// likeNAB makes a folder in the form of the Numenta Anomaly Benchmark, with the
// repeated times and the steps back that it has.
func likeNAB(t *testing.T, rows int) string {
	dir := filepath.Join(t.TempDir(), "data")
	start := time.Date(2014, 4, 1, 0, 0, 0, 0, time.UTC)
	for f := range 4 {
		var b strings.Builder
		b.WriteString("timestamp,value\n")
		for i := range rows {
			at := start.Add(time.Duration(i) * 5 * time.Minute)
			if i%97 == 96 {
				at = at.Add(-7 * time.Hour)
			}
			fmt.Fprintf(&b, "%s,%.9f\n", at.Format("2006-01-02 15:04:05"), 50+20*math.Sin(float64(i)/40)+float64(i*(f+7)%13))
		}
		writeFile(t, filepath.Join(dir, fmt.Sprintf("group%d", f%2), fmt.Sprintf("series-%d.csv", f)), b.String())
	}
	return dir
}

func folderSize(t *testing.T, dir string) (n int64) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			st, err := d.Info()
			require.NoError(t, err)
			n += st.Size()
		}
		return err
	}))
	return n
}

// importTwice imports a folder at once, and with interruptions: the contents are
// equal. It returns the store.
func importTwice(t *testing.T, data string, batch string) string {
	dir := t.TempDir()
	whole, cut := filepath.Join(dir, "whole"), filepath.Join(dir, "cut")
	args := func(to string, more ...string) []string {
		return append(append([]string{"import", "-prefix", "root.nab", "-batch", batch}, more...), to, data)
	}
	require.Regexp(t, `^\d+ rows of \d+ files`, do(t, args(whole)...))
	times := 0
	for ; ; times++ {
		o := interrupted(1, args(cut, "-progress", "always")...)
		if o.code == exitOK {
			break
		}
		require.Equal(t, exitInterrupted, o.code, o.err)
		require.Contains(t, o.err, " rows, ")
		require.Contains(t, o.err, "the same command goes on")
		require.FileExists(t, filepath.Join(cut, "import.resume"))
		if times > 0 {
			require.Contains(t, o.err, "going on where it was interrupted")
		}
		if times == 3 {
			require.Contains(t, do(t, args(cut)...), " rows of ")
			break
		}
	}
	require.GreaterOrEqual(t, times, 1)
	require.NoFileExists(t, filepath.Join(cut, "import.resume"))
	require.Equal(t, do(t, "export", "-format", "jsonl", whole), do(t, "export", "-format", "jsonl", cut))
	return cut
}

func TestImportResumes(t *testing.T) {
	data := likeNAB(t, 3000)
	store := importTwice(t, data, "100")
	require.Contains(t, do(t, "inspect", store), "root.nab.group1.`series-3`.value")
	require.Less(t, folderSize(t, store), folderSize(t, data)/4)

	// Imported again, it is the same; a file that has changed since begins anew.
	before := do(t, "export", store)
	do(t, "import", "-prefix", "root.nab", store, data)
	require.Equal(t, before, do(t, "export", store))
}

// TestImportBeginsAgain imports a file with a bad row, which ends it, to one device
// and then to another: what went to the first is no part of the second.
func TestImportBeginsAgain(t *testing.T) {
	dir := t.TempDir()
	store, file := filepath.Join(dir, "store"), filepath.Join(dir, "b.csv")
	require.NoError(t, os.WriteFile(file, []byte("timestamp,value\n1,2\nbad,3\n4,5\n"), 0o600))
	o := runWith(t.Context(), "", "import", "-device", "root.a", store, file)
	require.Equal(t, exitFailed, o.code, o.err)
	require.Contains(t, o.err, "line 3")
	o = runWith(t.Context(), "", "import", "-device", "root.b", "-skip-bad", store, file)
	require.Equal(t, exitOK, o.code, o.err)
	require.NotContains(t, o.err, "going on")
	require.Equal(t, "Time,root.b.value(DOUBLE)\n1970-01-01T00:00:00.001Z,2\n1970-01-01T00:00:00.004Z,5\n", do(t, "export", "-series", "root.b.**", store))
	o = runWith(t.Context(), "", "import", "-device", "root.a", "-skip-bad", store, file)
	require.Contains(t, o.err, "going on where it was interrupted")
	require.Equal(t, "Time,root.a.value(DOUBLE)\n1970-01-01T00:00:00.001Z,2\n1970-01-01T00:00:00.004Z,5\n", do(t, "export", "-series", "root.a.**", store))
}

// TestImportNAB is the same with the real series, where they are at hand.
func TestImportNAB(t *testing.T) {
	data := os.Getenv("TICKWELL_DATA")
	if data == "" {
		data = filepath.Join("..", "..", "..", "shared", "data", "nab")
	}
	files, err := filepath.Glob(filepath.Join(data, "*.csv"))
	require.NoError(t, err)
	if len(files) == 0 {
		t.Skip("no data: set TICKWELL_DATA")
	}
	store := importTwice(t, data, "1000")
	var csv int64
	for _, f := range files {
		st, err := os.Stat(f)
		require.NoError(t, err)
		csv += st.Size()
	}
	disk := folderSize(t, store)
	t.Logf("%d files of %d bytes are %d bytes on disk: %.1f %%", len(files), csv, disk, 100*float64(disk)/float64(csv))
	require.Less(t, disk, csv/4)
}

func TestExportResumes(t *testing.T) {
	data := likeNAB(t, 3000)
	store := filepath.Join(t.TempDir(), "d")
	do(t, "import", store, data)
	for _, format := range []string{"csv", "jsonl", "line"} {
		whole := do(t, "export", "-format", format, store)
		out := filepath.Join(t.TempDir(), "out."+format)
		args := []string{"export", "-format", format, "-o", out, "-progress", "always", store}
		o := interrupted(1, args...)
		require.Equal(t, exitInterrupted, o.code, o.err)
		require.FileExists(t, out+".resume")
		part, err := os.ReadFile(out)
		require.NoError(t, err)
		require.Less(t, len(part), len(whole))
		// What a crash wrote behind the place that is known is cut off.
		require.NoError(t, os.WriteFile(out, append(part, "rubbish"...), 0o600))
		require.Contains(t, fails(t, exitFailed, "export", "-format", format, "-o", out, "-start", "2014-04-02", store), "of another export")
		do(t, args...)
		got, err := os.ReadFile(out)
		require.NoError(t, err)
		require.True(t, whole == string(got), "%s: %d bytes, want %d", format, len(got), len(whole))
		require.NoFileExists(t, out+".resume")
	}
	folder := filepath.Join(t.TempDir(), "files") + "/"
	o := interrupted(1, "export", "-o", folder, "-progress", "always", store)
	require.Equal(t, exitInterrupted, o.code, o.err)
	do(t, "export", "-o", folder, store)
	again := filepath.Join(t.TempDir(), "again")
	for _, s := range []string{"group0.series-0", "group1.series-1", "group0.series-2", "group1.series-3"} {
		group, name, _ := strings.Cut(s, ".")
		device := "root.import." + group + ".`" + name + "`"
		do(t, "import", again, "-device", device, folder+fileName(device)+".csv")
	}
	require.Equal(t, do(t, "export", store), do(t, "export", again))
}

func TestBadRows(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ name, text, want, kept string }{
		{"x.csv", "time,v\n1,2\nyesterday,3\n3,4\n", `line 3: "yesterday" is no time`, "2"},
		{"x.csv", "time,v\n1,2\n2,three\n3,4\n", `line 3: root.import.x.v: "three" is no DOUBLE`, "2"},
		{"x.csv", "time,v(INT32)\n1,2\n2,3.5\n3,4\n", `line 3: column v: "3.5" is no INT32`, "2"},
		{"x.csv", "time,v\n1,2\n2,3,4\n3,4\n", `line 3: the row has 1 cells more`, "2"},
		{"x.jsonl", "{\"time\":1,\"device\":\"root.a\",\"fields\":{\"v\":2}}\nno\n{\"time\":3,\"device\":\"root.a\",\"fields\":{\"v\":4}}\n", `line 2: invalid character`, "2"},
		{"x.jsonl", "{\"time\":1,\"device\":\"root.a\",\"fields\":{\"v\":2}}\n{\"time\":2,\"device\":\"root.a\",\"fields\":{\"v\":[1]}}\n{\"time\":3,\"device\":\"root.a\",\"fields\":{\"v\":4}}\n", `line 2: field "v": a value is`, "2"},
		{"x.lp", "m v=2 1\nm v=bad 2\nm v=4 3\n", `line 2: line protocol: "bad" is no value`, "2"},
		{"x.lp", "m v=2 1\nm,t v=3 2\nm v=4 3\n", `line 2: line protocol: a tag is key=value`, "2"},
	} {
		file := writeFile(t, filepath.Join(t.TempDir(), c.name), c.text)
		store := filepath.Join(t.TempDir(), "d")
		require.Contains(t, fails(t, exitFailed, "import", store, file), c.want)
		require.Contains(t, fails(t, exitFailed, "import", store, file), c.want, "it fails at the same place again")
		o := runWith(context.Background(), "", "import", "-skip-bad", store, file)
		require.Equal(t, exitOK, o.code, o.err)
		require.Contains(t, o.err, "1 row was left out")
		require.Contains(t, do(t, "inspect", store), "points      "+c.kept+"\n")
	}
	for _, c := range []struct{ name, text, want string }{
		{"a.csv", "", "the file is empty"},
		{"b.csv", "value,x\n1,2\n", "not time or timestamp"},
		{"c.csv", "time\n1\n", "no columns"},
		{"d.csv", "time,root.a.x,y\n1,2,3\n", "some columns are whole paths"},
		{"e.txt", "", "-format says it"},
	} {
		o := runWith(context.Background(), "", "import", filepath.Join(dir, "d"), writeFile(t, filepath.Join(dir, c.name), c.text))
		require.NotEqual(t, exitOK, o.code)
		require.Contains(t, o.err, c.want)
	}
}

func TestImportForms(t *testing.T) {
	for _, c := range []struct {
		name, file, text string
		args             []string
		want             string // export as CSV, without the header's kinds where they do not matter
	}{
		{"measurements", "plant/press.csv", "timestamp,t,on,note\n2024-01-01 00:00:00,1.5,true,x\n", nil,
			"Time,root.import.press.note(TEXT),root.import.press.on(BOOLEAN),root.import.press.t(DOUBLE)\n2024-01-01T00:00:00Z,x,true,1.5\n"},
		{"device", "x.csv", "Time,t\n1000,1\n", []string{"-device", "root.a.b"}, "Time,root.a.b.t(DOUBLE)\n1970-01-01T00:00:01Z,1\n"},
		{"by row", "x.csv", "Time,Device,t(INT64)\n1000,root.a,1\n1000,root.b,2\n", nil,
			"Time,root.a.t(INT64),root.b.t(INT64)\n1970-01-01T00:00:01Z,1,2\n"},
		{"byte order mark", "x.csv", "\ufeffTime,t\r\n1,1\r\n", []string{"-precision", "s", "-device", "root.a"}, "Time,root.a.t(DOUBLE)\n1970-01-01T00:00:01Z,1\n"},
		{"zone", "x.csv", "Time,t\n2024-07-01T00:00:00,1\n", []string{"-zone", "Europe/Berlin", "-device", "root.a"}, "Time,root.a.t(DOUBLE)\n2024-06-30T22:00:00Z,1\n"},
		{"tags", "x.lp", "cpu,host=b\\ 1,dc=a load=0.5,n=3i,up=t,s=\"q\\\"\" 1000000000\n", []string{"-prefix", "root.m"},
			"Time,root.m.cpu.a.`b 1`.load(DOUBLE),root.m.cpu.a.`b 1`.n(INT64),root.m.cpu.a.`b 1`.s(TEXT),root.m.cpu.a.`b 1`.up(BOOLEAN)\n1970-01-01T00:00:01Z,0.5,3,\"q\"\"\",true\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			file := writeFile(t, filepath.Join(dir, c.file), c.text)
			store := filepath.Join(dir, "store")
			do(t, append(append([]string{"import"}, c.args...), store, file)...)
			require.Equal(t, c.want, do(t, "export", store))
		})
	}
}
