package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// write makes the files of a small repository and returns its folder.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFindModules(t *testing.T) {
	root := write(t, map[string]string{
		"go.mod":               "module example.org/m\n\ngo 1.25\n",
		"sink/mqtt/go.mod":     "// a comment\nmodule example.org/m/sink/mqtt\n",
		"bench/go.mod":         "module example.org/m/bench\n",
		"bench/peers/x/go.mod": "module hidden\n",
		"testdata/hide/go.mod": "module hidden\n",
		".cache/go.mod":        "module hidden\n",
	})
	found, err := findModules(root)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range found {
		got = append(got, m.rel+" "+m.path)
	}
	want := []string{". example.org/m", "bench example.org/m/bench", "sink/mqtt example.org/m/sink/mqtt"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := findModules(t.TempDir()); err == nil {
		t.Error("a folder without go.mod was accepted")
	}
}

func TestFuzzTargets(t *testing.T) {
	root := write(t, map[string]string{
		"a_test.go":            "package m\n\nfunc FuzzB(f *testing.F) {}\n\nfunc FuzzA(f *testing.F) {}\n",
		"internal/c/c_test.go": "package c\n\n// func FuzzNot(\nfunc FuzzC(f *testing.F) {}\n",
		"internal/c/c.go":      "package c\n\nfunc FuzzCode() {}\n",
		"internal/d/d_test.go": "package d\n\nconst text = `\nfunc FuzzText(f *testing.F) {}\n`\n",
		"sink/go.mod":          "module example.org/m/sink\n", // runs in its own module
		"sink/s_test.go":       "package sink\n\nfunc FuzzS(f *testing.F) {}\n",
	})
	want := []fuzzTarget{{".", "FuzzA"}, {".", "FuzzB"}, {"internal/c", "FuzzC"}}
	if got := fuzzTargets(root); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := fuzzNote("execs: 12 (x)\nexecs: 345 (y)\n"); got != "345 inputs" {
		t.Errorf("got %q", got)
	}
}

func TestExample(t *testing.T) {
	root := write(t, map[string]string{
		"one/expect.txt": "args: -data $DATA -n 3\n# a comment\n^points +[0-9]+$\n^done$\n",
		"bad/expect.txt": "(\n",
		"none/main.go":   "",
	})
	ex, err := readExample(filepath.Join(root, "one"), "D")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"-data", "D", "-n", "3"}; !ex.data || !reflect.DeepEqual(ex.args, want) {
		t.Errorf("args %q, data %v", ex.args, ex.data)
	}
	for _, c := range []struct{ out, missing string }{
		{"x\npoints  12\ny\ndone\n", ""},
		{"points 12\r\ndone\r\n", ""},
		{"done\npoints 12\n", "^done$"}, // order matters
		{"", "^points +[0-9]+$"},
	} {
		if got := ex.unmatched(c.out); got != c.missing {
			t.Errorf("%q: missing %q, want %q", c.out, got, c.missing)
		}
	}
	if _, err := readExample(filepath.Join(root, "bad"), ""); err == nil {
		t.Error("a bad expression was accepted")
	}
	if ex, err := readExample(filepath.Join(root, "none"), ""); err != nil || len(ex.expect) != 0 {
		t.Errorf("without expect.txt: %v, %v", ex, err)
	}
}

func TestTable(t *testing.T) {
	rows := []row{
		{"vet", 1500 * time.Millisecond, passed("2 modules")},
		{"race", time.Minute, failed("3 tests, 1 failed", "boom")},
		{"qemu linux/arm", 0, skipped("not installed")},
	}
	var b bytes.Buffer
	printTable(&b, rows, 2*time.Minute)
	for _, want := range []string{
		"vet             pass        1.5  2 modules\n",
		"race            FAIL       60.0  3 tests, 1 failed\n",
		"qemu linux/arm  skip        0.0  not installed\n",
		"2.0 minutes\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("table lacks %q:\n%s", want, b.String())
		}
	}
	b.Reset()
	if n := printTotals(&b, rows); n != 1 || b.String() != "1 passed, 1 failed, 1 skipped\n" {
		t.Errorf("%d, %q", n, b.String())
	}
	b.Reset()
	printSkippedTests(&b, []skippedTest{{"a", "x"}, {"a", "x"}, {"b", "y"}})
	if want := "\ntests that skipped themselves:\n  a: x\n  b: y\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

// TestRecord: a part that is run again has its line replaced; the others stay, but
// those of parts that are no more.
func TestRecord(t *testing.T) {
	file := filepath.Join(t.TempDir(), "nightly.md")
	put := func(commit string, parts []part, rows ...row) {
		t.Helper()
		rec, err := openRecord(file, commit, parts)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if err := rec.add(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	expect := func(want ...string) {
		t.Helper()
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, table, _ := strings.Cut(string(text), recordHead)
		var got []string
		for line := range strings.Lines(table) {
			cells := strings.Split(line, " | ")
			got = append(got, strings.Join(append(cells[:4], cells[5:]...), " | ")) // without the time
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %q, want %q in\n%s", got, want, text)
		}
	}
	all := []part{{name: "a"}, {name: "a b"}, {name: "c"}}
	put("1", all, row{"c", time.Second, passed("")}, row{"a", time.Second, failed("x | y", "")})
	expect("| a | FAIL | 1 | 1 | x \\| y |\n", "| c | pass | 1 | 1 |  |\n")
	put("2", all, row{"a", 2 * time.Second, passed("well")}, row{"a b", time.Second, skipped("why")})
	expect("| a | pass | 2 | 2 | well |\n", "| a b | skip | 1 | 2 | why |\n", "| c | pass | 1 | 1 |  |\n")
	put("3", all[1:], row{"a b", time.Second, passed("")})
	expect("| a b | pass | 1 | 3 |  |\n", "| c | pass | 1 | 1 |  |\n")

	if err := os.WriteFile(file, []byte("| c | pass | 1 |\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	put("4", all, row{"a", time.Second, passed("")})
	expect("| a | pass | 1 | 4 |  |\n")
	if _, err := openRecord(t.TempDir(), "5", all); err == nil {
		t.Error("a folder is no page")
	}
}

func TestPartOutcomes(t *testing.T) {
	var b bytes.Buffer
	r := &repo{out: &b, folder: t.TempDir()}
	got := r.do(context.Background(), part{"slow", time.Millisecond, func(ctx context.Context) outcome {
		<-ctx.Done()
		return passed("")
	}})
	if got.status != fail || got.note != "not done after 1ms" {
		t.Errorf("past its limit: %v", got.outcome)
	}
	b.Reset()
	r.do(context.Background(), part{"bad", time.Minute, func(context.Context) outcome { return failed("n", "said") }})
	if !strings.Contains(b.String(), "\nsaid\n--- FAIL: bad") {
		t.Errorf("printed %q", b.String())
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if got := r.do(ctx, part{"late", time.Minute, func(context.Context) outcome { return passed("") }}); got.status != skip {
		t.Errorf("after an interrupt: %v", got.outcome)
	}
}

func TestArguments(t *testing.T) {
	m := parseMissing("qemu-arm-static: no network\n\nnonsense\n")
	if !reflect.DeepEqual(m, map[string]string{"qemu-arm-static": "no network"}) {
		t.Errorf("got %v", m)
	}
	t.Chdir(write(t, map[string]string{"go.mod": "module example.org/m\n"}))
	var b bytes.Buffer
	if code := testall(context.Background(), []string{"-list", "-run", "^(vet|build linux/arm)$"}, &b); code != 0 || b.String() != "vet\nbuild linux/arm\n" {
		t.Errorf("-list: %d, %q", code, b.String())
	}
	for _, args := range [][]string{{"-tier", "x"}, {"-run", "("}, {"-nonsense"}} {
		if code := testall(context.Background(), args, &b); code != 2 {
			t.Errorf("%q: exit %d, want 2", args, code)
		}
	}
}
