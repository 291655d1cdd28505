package trial

import (
	"context"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink/jsonl"
)

// The sink of this package's own tests writes lines to a file.
func TestMain(m *testing.M) {
	Main(m, func(s map[string]string) (tickwell.Sink, error) {
		if s["forgets"] != "" {
			return tickwell.SinkFunc(func(context.Context, []tickwell.Event) error { return nil }), nil
		}
		return &jsonl.Sink{Path: s["file"]}, nil
	})
}

// lines reads the ids from a file of lines.
func lines(t *testing.T, file string) (ids []string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		_, rest, ok := strings.Cut(line, `"id":"`)
		id, _, end := strings.Cut(rest, `"`)
		if ok && end {
			ids = append(ids, id)
		}
	}
	return ids
}

// TestJSONL kills a process that writes lines to a file.
func TestJSONL(t *testing.T) {
	file := t.TempDir() + "/events.jsonl"
	Kill(t, map[string]string{"file": file}, 600, 5, func(t *testing.T) []string { return lines(t, file) })
}

// TestJSONLWrongPlace has a file where no file can be: its folder is a file. The
// events wait until that is put right.
func TestJSONLWrongPlace(t *testing.T) {
	dir := t.TempDir() + "/out"
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	WrongCredentials(t, Wrong{
		Sink: &jsonl.Sink{Path: dir + "/events.jsonl"}, Says: "not a directory", Password: "c4nAry",
		Right: func() {
			if err := os.Remove(dir); err != nil {
				t.Fatal(err)
			}
		},
		Received: func(t *testing.T) []string { return lines(t, dir+"/events.jsonl") },
	})
}

// TestFollow holds that every whole line counts, however the pipe cuts them, also
// those that come after the kill, and that nothing else is taken for a row.
func TestFollow(t *testing.T) {
	for _, c := range []struct {
		name, said string
		from, want int
		killed     int
		err        string
	}{
		{"to the end", "0\n1\n2\n", 0, 2, -1, ""},
		{"after the kill", "0\n1\n2\n3\n4\n", 0, 4, 2, ""},
		{"a later round", "8122\n8123\n", 8122, 8123, 8122, ""},
		{"the last line is cut", "0\n1\n12", 0, 1, 1, ""},
		{"nothing", "", 5, 4, -1, ""},
		{"a line without its head", "8122\n23\n", 8122, 8122, -1, `after row 8122 the process says "23\n"`},
		{"words", "0\nerror here\n", 0, 0, -1, `the process says "error here\n"`},
	} {
		for how, of := range map[string]func(io.Reader) io.Reader{"whole": func(r io.Reader) io.Reader { return r }, "half": iotest.HalfReader, "one": iotest.OneByteReader, "with the end": iotest.DataErrReader} {
			killed := -1
			got, err := follow(of(strings.NewReader(c.said)), c.from-1, c.killed, func() error { killed = c.killed; return nil })
			if got != c.want || killed != c.killed || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s, %s: row %d, killed at %d, %v; want %d, %d, %q", c.name, how, got, killed, err, c.want, c.killed, c.err)
			}
		}
	}
}

// TestCheckFinds holds that loss, disorder and strangers are found.
func TestCheckFinds(t *testing.T) {
	for name, ids := range map[string][]string{
		"loss":     {ID(0), ID(1), ID(2), ID(3)},
		"disorder": {ID(0), ID(1), ID(5), ID(2), ID(3), ID(4)},
		"stranger": {ID(0), ID(1), ID(2), ID(3), ID(4), ID(5), "x"},
	} {
		inner := &testing.T{}
		Check(inner, 6, ids)
		if !inner.Failed() {
			t.Errorf("%s was not found", name)
		}
	}
	if again := Check(t, 3, []string{ID(0), ID(1), ID(0), ID(2)}); again != 1 {
		t.Errorf("%d came again, want 1", again)
	}
}
