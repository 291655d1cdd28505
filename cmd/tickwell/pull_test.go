package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell"
)

// lastCursor returns the cursor in the last line.
func lastCursor(t *testing.T, out string) string {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var last struct{ Cursor string }
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &last), out)
	require.NotEmpty(t, last.Cursor)
	return last.Cursor
}

func TestExportSince(t *testing.T) {
	dir := t.TempDir()
	store := filepath.Join(dir, "d")
	add := func(csv string) { do(t, "import", store, writeFile(t, filepath.Join(dir, "x.csv"), csv)) }
	add("Time,root.a.x(INT64)\n1000,1\n2000,2\n")
	first := do(t, "export", "-since", "0", store)
	require.Contains(t, first, `{"time":"1970-01-01T00:00:02Z","device":"root.a","fields":{"x":2},"kinds":{"x":"INT64"}}`)
	cursor := lastCursor(t, first)
	require.Empty(t, do(t, "export", "-since", cursor, store))
	add("Time,root.a.x(INT64)\n500,7\n2000,3\n")
	second := do(t, "export", "-since", cursor, store)
	require.Contains(t, second, `"fields":{"x":7}`)
	require.Contains(t, second, `"fields":{"x":3}`)
	require.Empty(t, do(t, "export", "-since", lastCursor(t, second), store))
	copied := filepath.Join(dir, "copy")
	for _, part := range []string{first, second} {
		var rows strings.Builder
		for line := range strings.Lines(part) {
			if !strings.HasPrefix(line, `{"cursor"`) {
				rows.WriteString(line)
			}
		}
		require.Equal(t, exitOK, runWith(context.Background(), rows.String(), "import", "-format", "jsonl", copied, "-").code)
	}
	require.Equal(t, do(t, "export", store), do(t, "export", copied))

	require.Contains(t, fails(t, exitFailed, "export", "-since", "nonsense", store), "is no cursor")
	require.Contains(t, fails(t, exitUsage, "export", "-follow", store), "-since")
	require.Contains(t, fails(t, exitUsage, "export", "-since", "0", "-start", "now", store), "cannot be combined")
	require.Contains(t, fails(t, exitUsage, "export", "-since", "0", "-format", "csv", store), "JSON lines")
}

// watched is a standard output that somebody reads as it comes.
type watched struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	line chan string
}

func (w *watched) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf.Write(b)
	for {
		i := bytes.IndexByte(w.buf.Bytes(), '\n')
		if i < 0 {
			return len(b), nil
		}
		w.line <- string(w.buf.Next(i + 1))
	}
}

// A program writes while another follows.
func TestExportFollow(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	dir := filepath.Join(t.TempDir(), "d")
	db, err := tickwell.Open(ctx, dir, &tickwell.Options{Sync: tickwell.SyncAlways(), Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	defer db.Close()
	require.NoError(t, db.Insert(ctx, "root.a", time.Unix(1, 0), tickwell.Text("x", "one")))
	out := &watched{line: make(chan string, 100)}
	code := make(chan int, 1)
	go func() {
		var stderr bytes.Buffer
		code <- run(ctx, []string{"export", "-since", "0", "-follow", "-poll", "1ms", dir}, strings.NewReader(""), out, &stderr)
	}()
	expect := func(part string) {
		t.Helper()
		limit := time.After(time.Minute)
		for {
			select {
			case line := <-out.line:
				if strings.Contains(line, part) {
					return
				}
			case <-limit:
				t.Fatalf("%s does not come", part)
			}
		}
	}
	expect(`"x":"one"`)
	expect(`{"cursor"`)
	require.NoError(t, db.Insert(ctx, "root.a", time.Unix(2, 0), tickwell.Text("x", "two")))
	expect(`"x":"two"`)
	require.NoError(t, db.Insert(ctx, "root.a", time.Unix(0, 0), tickwell.Text("x", "late")))
	require.NoError(t, db.Flush(ctx))
	require.NoError(t, db.Insert(ctx, "root.b", time.Unix(3, 0), tickwell.Text("x", "three")))
	expect(`"x":"late"`)
	expect(`"x":"three"`)
	cancel()
	require.Equal(t, exitInterrupted, <-code)
}
