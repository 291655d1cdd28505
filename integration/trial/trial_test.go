package trial

import (
	"context"
	"os"
	"strings"
	"testing"

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
