package seed

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const root = "../.."

var (
	update = flag.Bool("update", false, "rewrite docs/not-applicable.md")
	run    = flag.Bool("run-named", false, "run the named tests, which takes minutes")
)

func load(t *testing.T) ([]item, []cover) {
	t.Helper()
	items, err := readItems(filepath.Join(root, "testdata", "seed-items.tsv"))
	require.NoError(t, err)
	covers, err := readCoverage(filepath.Join(root, "testdata", "seed-coverage.tsv"))
	require.NoError(t, err)
	return items, covers
}

// TestSeedCoverage is the check that the package comment tells of.
func TestSeedCoverage(t *testing.T) {
	items, covers := load(t)
	require.Empty(t, compare(items, covers))
	for _, c := range covers {
		for _, ref := range c.tests {
			require.NotEqual(t, "internal/seed", ref.dir, "%s: the check cannot show an item", c.id)
		}
	}
	absent, err := missing(root, covers)
	require.NoError(t, err)
	require.Empty(t, absent)
	for _, line := range count(items, covers) {
		t.Log(line)
	}

	ran := results{}
	switch file := os.Getenv("TICKWELL_TEST_EVENTS"); {
	case file != "":
		events, err := os.Open(file)
		require.NoError(t, err)
		defer events.Close()
		require.NoError(t, ran.read(events))
	case *run:
		ran = runNamed(t, root, covers)
	default:
		t.Log("whether the named tests pass is checked by make test and make seed, not here")
		return
	}
	wrong, err := notPassed(covers, ran, importPathBelow(root))
	require.NoError(t, err)
	require.Empty(t, wrong)
}

// count says how many items are shown, do not apply and are open, by document.
func count(items []item, covers []cover) []string {
	type tally struct{ shown, na, open, all int }
	var documents []string
	tallies := map[string]*tally{"all": {}}
	documentOf := map[string]string{}
	for _, it := range items {
		if tallies[it.document] == nil {
			tallies[it.document] = &tally{}
			documents = append(documents, it.document)
		}
		documentOf[it.id] = it.document
	}
	for _, c := range covers {
		for _, name := range []string{documentOf[c.id], "all"} {
			n := tallies[name]
			n.all++
			switch {
			case c.open():
				n.open++
			case c.reason != "":
				n.na++
			default:
				n.shown++
			}
		}
	}
	var lines, open []string
	for _, name := range documents {
		n := tallies[name]
		lines = append(lines, fmt.Sprintf("%-12s %4d items: %4d shown by tests, %3d not applicable, %4d open", name, n.all, n.shown, n.na, n.open))
		open = append(open, fmt.Sprintf("%d %s", n.open, name))
	}
	n := tallies["all"]
	return append(lines, fmt.Sprintf("note: %d items, %d shown, %d not applicable, %d open (%s)", n.all, n.shown, n.na, n.open, strings.Join(open, ", ")))
}

func TestCount(t *testing.T) {
	items := []item{{id: "A-1", document: "a"}, {id: "B-1", document: "b"}, {id: "A-2", document: "a"}}
	covers := []cover{{id: "A-1"}, {id: "B-1", reason: "because"}, {id: "A-2", tests: []testRef{{".", "TestA"}}}}
	require.Equal(t, []string{
		"a               2 items:    1 shown by tests,   0 not applicable,    1 open",
		"b               1 items:    0 shown by tests,   1 not applicable,    0 open",
		"note: 3 items, 1 shown, 1 not applicable, 1 open (1 a, 0 b)",
	}, count(items, covers))
}

// TestSeedNotApplicable holds docs/not-applicable.md to the coverage table;
// -update writes it.
func TestSeedNotApplicable(t *testing.T) {
	items, covers := load(t)
	byID := map[string]item{}
	for _, it := range items {
		byID[it.id] = it
	}
	var page strings.Builder
	page.WriteString(`# What the documents have and a library cannot have

Of the documents that tickwell is built from, these items do not apply to a Go
library in one process. All others are shown by tests or still open: see
testdata/seed-coverage.tsv. Written by ` + "`go test ./internal/seed -update`" + `.

| item | in the document | here |
|---|---|---|
`)
	for _, c := range covers {
		if c.reason != "" {
			fmt.Fprintf(&page, "| %s | %s: %s | %s |\n", c.id, byID[c.id].document, strings.ReplaceAll(byID[c.id].title, "|", `\|`), c.reason)
		}
	}
	file := filepath.Join(root, "docs", "not-applicable.md")
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(page.String()), 0o644))
	}
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, page.String(), string(got), "run: go test ./internal/seed -update")
}
