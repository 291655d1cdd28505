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

// The pages that bench prints, and where parts of the full run are shown again.
const (
	fullRun    = "docs/performance-full.md"
	quickRun   = "docs/performance-quick.md"
	benchBegin = "<!-- From " + fullRun + " by go test ./internal/readme -run TestBench -update -->\n"
	benchEnd   = "<!-- end -->\n"
)

// benchRows are the measurements that the README shows: a section of the full
// run, the measure in the head of its table, and words for it.
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
	tables := benchTables(t, fullRun)
	want := "\n| work, durable against `kill -9` | tickwell | best other | which |\n|---|---:|---:|---|\n"
	for _, r := range benchRows {
		i := indexOf(tables, r.section, r.measure)
		require.GreaterOrEqual(t, i, 0, "%s has no table of %s, %s", fullRun, r.section, r.measure)
		ours, best := tables[i].ofClass(t, "tickwell", "process")
		require.NotEmpty(t, ours.value, r.section)
		require.NotEmpty(t, best.value, r.section)
		want += fmt.Sprintf("| %s | %s | %s | %s |\n", r.words, ours.value, best.value, best.store)
	}
	holdBlock(t, "README.md", 0, want+"\n")
}

// TestBenchPage holds the goals and the short table of docs/performance.md to
// the full run, and asks for a reason for each goal that it missed.
func TestBenchPage(t *testing.T) {
	full := read(t, fullRun).text
	_, goals, found := strings.Cut(full, "\n## Goals\n")
	require.True(t, found, "%s has no goals", fullRun)
	goals, _, found = strings.Cut(goals, "\n## Tables\n")
	require.True(t, found)
	holdBlock(t, "docs/performance.md", 0, goals+"\n")

	short := "\n| case, measure | tickwell | × floor | best other of its class | |\n|---|---:|---:|---:|---|\n"
	for _, b := range benchTables(t, fullRun) {
		for _, store := range []string{"tickwell", "tickwell/mem"} {
			class := map[string]string{"tickwell": "process", "tickwell/mem": "memory"}[store]
			ours, best := b.ofClass(t, store, class)
			if ours.value == "" || best.value == "" {
				continue
			}
			short += fmt.Sprintf("| %s, %s, %s | %s | %s | %s | %s |\n", b.section, b.measure, class, ours.value, ours.floor, best.value, best.store)
		}
	}
	holdBlock(t, "docs/performance.md", 1, short+"\n")

	performance := read(t, "docs/performance.md").text
	goal := ""
	for line := range strings.Lines(goals) {
		cells := strings.Split(line, "|")
		if len(cells) != 7 {
			continue
		}
		if n, err := strconv.Atoi(strings.TrimSpace(cells[1])); err == nil {
			goal = strconv.Itoa(n)
		}
		if strings.TrimSpace(cells[5]) == "no" {
			require.Contains(t, performance, "\n- **Goal "+goal+"**", "docs/performance.md does not say why goal %s is missed", goal)
		}
	}
}

// TestBenchQuick reads the page of the quick run as the other tests read the
// full one.
func TestBenchQuick(t *testing.T) {
	tables := benchTables(t, quickRun)
	for _, r := range benchRows {
		require.GreaterOrEqual(t, indexOf(tables, r.section, r.measure), 0, "%s: %s", quickRun, r.section)
	}
}

// holdBlock holds the n-th generated block of a page to want.
func holdBlock(t *testing.T, name string, n int, want string) {
	t.Helper()
	text := read(t, name).text
	parts := strings.Split(text, benchBegin)
	require.Greater(t, len(parts), n+1, "%s has %d blocks of bench", name, len(parts)-1)
	got, after, found := strings.Cut(parts[n+1], benchEnd)
	require.True(t, found, name)
	if *update && got != want {
		parts[n+1] = want + benchEnd + after
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(strings.Join(parts, benchBegin)), 0o644))
		return
	}
	require.Equal(t, want, got, "block %d of %s; -update writes it", n, name)
}

// benchTable is a table of a page that bench printed.
type benchTable struct {
	section, measure string
	rows             []benchRow
}

type benchRow struct{ store, class, value, floor, check string }

// benchTables reads the tables of a page.
func benchTables(t *testing.T, name string) []benchTable {
	t.Helper()
	var tables []benchTable
	section, in := "", false
	for line := range strings.Lines(read(t, name).text) {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "### "); ok {
			section = rest
		}
		cells := strings.Split(strings.Trim(line, "|"), " | ")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case strings.HasSuffix(line, "| class | value | × floor | best peer ÷ it | check |"):
			tables = append(tables, benchTable{section: section, measure: cells[0]})
			in = true
		case !strings.HasPrefix(line, "|"):
			in = false
		case in && !strings.HasPrefix(line, "|---"):
			require.Len(t, cells, 6, "%s: %s", name, line)
			b := &tables[len(tables)-1]
			b.rows = append(b.rows, benchRow{cells[0], cells[1], cells[2], cells[3], cells[5]})
		}
	}
	require.NotEmpty(t, tables, name)
	return tables
}

func indexOf(tables []benchTable, section, measure string) int {
	for i, b := range tables {
		if b.section == section && b.measure == measure {
			return i
		}
	}
	return -1
}

// ofClass finds what a store took, and the best of the others of a class. Rows
// without a class, which are of programs and not of stores, are of every class.
func (b benchTable) ofClass(t *testing.T, store, class string) (ours, best benchRow) {
	t.Helper()
	least := 0.0
	for _, r := range b.rows {
		if r.class != class && r.class != "" {
			continue
		}
		if r.store == store {
			ours = r
			continue
		}
		v, err := strconv.ParseFloat(r.value, 64)
		if err != nil || r.check != "ok" || strings.HasPrefix(r.store, "tickwell") {
			continue
		}
		if best.value == "" || v < least {
			least, best = v, r
		}
	}
	return ours, best
}
