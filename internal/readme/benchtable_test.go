package readme

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	benchBegin = "<!-- From docs/performance.md by go test ./internal/readme -run TestBenchTable -update -->\n"
	benchEnd   = "<!-- end -->\n"
)

// benchRows are the measurements that the README shows: a section of
// docs/performance.md, the measure in the head of its table, and words for it.
var benchRows = []struct{ section, measure, words string }{
	{"ingest batches", "wall, ns/point", "insert in batches, ns a point"},
	{"disk", "kept, B/point", "kept on disk, bytes a point"},
	{"scan", "wall, ns/point", "read rows, ns a point"},
	{"aggregate", "wall, ns/point", "one aggregate over each series, ns a point"},
	{"1-minute averages", "wall, ns/point", "averages by the minute, ns a point"},
	{"last values", "wall, us", "newest value of 1,000 series, µs"},
}

// TestBenchTable holds the table of the README to the one that bench printed.
func TestBenchTable(t *testing.T) {
	performance := read(t, "docs/performance.md").text
	want := "\n| work, durable against `kill -9` | tickwell | best other | |\n|---|---:|---:|---|\n"
	for _, r := range benchRows {
		ours, best, name := measured(t, performance, r.section, r.measure)
		want += fmt.Sprintf("| %s | %s | %s | %s |\n", r.words, ours, best, name)
	}
	want += "\n"
	readme := read(t, "README.md").text
	before, rest, found := strings.Cut(readme, benchBegin)
	require.True(t, found, "README.md has no table of bench")
	got, after, found := strings.Cut(rest, benchEnd)
	require.True(t, found)
	if *update && got != want {
		require.NoError(t, os.WriteFile(filepath.Join(root, "README.md"), []byte(before+benchBegin+want+benchEnd+after), 0o644))
		return
	}
	require.Equal(t, want, got, "the table of README.md; -update writes it")
}

// measured finds what tickwell and the best of the others took, of those that
// lose nothing when the process is killed.
func measured(t *testing.T, page, section, measure string) (ours, best, name string) {
	t.Helper()
	_, text, found := strings.Cut(page, "\n### "+section+"\n")
	require.True(t, found, section)
	text, _, _ = strings.Cut(text, "\n### ")
	_, text, found = strings.Cut(text, "| "+measure+" |")
	require.True(t, found, "%s: no table of %s", section, measure)
	text, _, _ = strings.Cut(text, "\n\n")
	least := 0.0
	for line := range strings.Lines(text) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 || strings.TrimSpace(cells[2]) != "process" {
			continue
		}
		store, value := strings.TrimSpace(cells[1]), strings.TrimSpace(cells[3])
		if store == "tickwell" {
			ours = value
			continue
		}
		v, err := strconv.ParseFloat(value, 64)
		require.NoError(t, err)
		if best == "" || v < least {
			least, best, name = v, value, strings.TrimSuffix(store, "/process")
		}
	}
	require.NotEmpty(t, ours, section)
	require.NotEmpty(t, best, section)
	return ours, best, name
}
