package seed

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// item is a line of seed-items.tsv.
type item struct{ id, document, title, shown string }

// testRef names a test: the folder of its package below the root of the
// repository, "." for the root package, and the name, subtests with slashes.
type testRef struct{ dir, name string }

func (r testRef) String() string {
	if r.dir == "." {
		return r.name
	}
	return "./" + r.dir + " " + r.name
}

// parent is the top-level function of the test.
func (r testRef) parent() string {
	name, _, _ := strings.Cut(r.name, "/")
	return name
}

// cover is a line of seed-coverage.tsv: tests, or a reason, or neither.
type cover struct {
	id     string
	tests  []testRef
	reason string // why the item does not apply
}

func (c cover) open() bool { return len(c.tests) == 0 && c.reason == "" }

func readItems(file string) ([]item, error) {
	var items []item
	err := readTable(file, 4, func(cells []string) error {
		items = append(items, item{cells[0], cells[1], cells[2], cells[3]})
		return nil
	})
	return items, err
}

func readCoverage(file string) ([]cover, error) {
	var covers []cover
	err := readTable(file, 2, func(cells []string) error {
		c, err := parseCover(cells[0], cells[1])
		covers = append(covers, c)
		return err
	})
	return covers, err
}

// readTable reads lines of cells separated by tabs, below a line of headings.
func readTable(file string, columns int, row func(cells []string) error) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		if n++; n == 1 {
			continue
		}
		cells := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
		if len(cells) != columns {
			return fmt.Errorf("%s:%d: %d cells, want %d", file, n, len(cells), columns)
		}
		if err := row(cells); err != nil {
			return fmt.Errorf("%s:%d: %w", file, n, err)
		}
	}
	return nil
}

func parseCover(id, text string) (cover, error) {
	c := cover{id: id}
	if text == "open" {
		return c, nil
	}
	if reason, ok := strings.CutPrefix(text, "n/a:"); ok {
		if c.reason = strings.TrimSpace(reason); len(c.reason) < 20 {
			return c, fmt.Errorf("%s: n/a without a reason", id)
		}
		return c, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		ref := testRef{dir: "."}
		switch words := strings.Fields(part); {
		case len(words) == 1:
			ref.name = words[0]
		case len(words) == 2 && strings.HasPrefix(words[0], "./"):
			ref.dir, ref.name = strings.TrimSuffix(words[0][2:], "/"), words[1]
		default:
			return c, fmt.Errorf("%s: %q names no test", id, strings.TrimSpace(part))
		}
		c.tests = append(c.tests, ref)
	}
	return c, nil
}

// compare reports ids that only one of the tables has, or that one has twice.
func compare(items []item, covers []cover) []string {
	var wrong []string
	known := map[string]bool{}
	for _, it := range items {
		if known[it.id] {
			wrong = append(wrong, it.id+": listed twice as an item")
		}
		known[it.id] = true
	}
	covered := map[string]bool{}
	for _, c := range covers {
		if !known[c.id] {
			wrong = append(wrong, c.id+": no such item")
		}
		if covered[c.id] {
			wrong = append(wrong, c.id+": covered by two lines")
		}
		covered[c.id] = true
	}
	for _, it := range items {
		if !covered[it.id] {
			wrong = append(wrong, it.id+": no line says what shows it")
		}
	}
	return wrong
}

func TestParseCover(t *testing.T) {
	for _, c := range []struct {
		text  string
		tests []testRef
		n     string
		bad   string
	}{
		{"open", nil, "", ""},
		{"TestA", []testRef{{".", "TestA"}}, "", ""},
		{"TestA/b, ./window ExampleC", []testRef{{".", "TestA/b"}, {"window", "ExampleC"}}, "", ""},
		{"./sink/mqtt/ TestA", []testRef{{"sink/mqtt", "TestA"}}, "", ""},
		{"n/a: one process has no other nodes", nil, "one process has no other nodes", ""},
		{"n/a", nil, "", ""}, // a test of that name, which the check of names refuses
		{"n/a: no", nil, "", "without a reason"},
		{"", nil, "", "names no test"},
		{"TestA,", nil, "", "names no test"},
		{"window TestA", nil, "", "names no test"},
	} {
		got, err := parseCover("X-1", c.text)
		if c.bad != "" {
			require.ErrorContains(t, err, c.bad, c.text)
			continue
		}
		require.NoError(t, err, c.text)
		if c.text == "n/a" {
			require.Equal(t, []testRef{{".", "n/a"}}, got.tests)
			continue
		}
		require.Equal(t, cover{"X-1", c.tests, c.n}, got, c.text)
		require.Equal(t, c.text == "open", got.open(), c.text)
	}
}

func TestCompare(t *testing.T) {
	items := []item{{id: "A-1"}, {id: "A-2"}, {id: "A-3"}, {id: "A-3"}}
	covers := []cover{{id: "A-1"}, {id: "A-1"}, {id: "A-3"}, {id: "B-1"}}
	require.Equal(t, []string{
		"A-3: listed twice as an item",
		"A-1: covered by two lines",
		"B-1: no such item",
		"A-2: no line says what shows it",
	}, compare(items, covers))
	require.Empty(t, compare(items[:2], []cover{{id: "A-2"}, {id: "A-1"}}))
}
