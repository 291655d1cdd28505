package readme

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var testRef = regexp.MustCompile("`(?:([a-z/]+): )?((?:Test|Fuzz)[A-Za-z0-9_]+)`")

// TestGuaranteesNameTests: every row of a "held by" table of docs/guarantees.md
// names tests, and they exist.
func TestGuaranteesNameTests(t *testing.T) {
	held := false
	rows := 0
	for line := range strings.SplitSeq(read(t, "docs/guarantees.md").text, "\n") {
		switch {
		case !strings.HasPrefix(line, "|"):
			held = false
		case strings.HasSuffix(line, "| held by |"):
			held = true
		case held && !strings.HasPrefix(line, "|---"):
			rows++
			refs := testRef.FindAllStringSubmatch(line, -1)
			require.NotEmpty(t, refs, "no test holds: %s", line)
			for _, r := range refs {
				require.True(t, declares(t, filepath.Join(root, r[1]), r[2]), "%s is not in folder %q, for: %s", r[2], r[1], line)
			}
		}
	}
	require.Greater(t, rows, 20)
}

// TestGuaranteesOfSinks: docs/guarantees.md has a row for every sink, and each of
// the five cases names tests that exist, or says why there is none.
func TestGuaranteesOfSinks(t *testing.T) {
	missing := make(map[string]bool)
	folders, err := filepath.Glob(filepath.Join(root, "sink", "*", "README.md"))
	require.NoError(t, err)
	sources, err := filepath.Glob(filepath.Join(root, "sink", "*", "conformance_test.go"))
	require.NoError(t, err)
	for _, file := range append(folders, sources...) {
		missing[filepath.Base(filepath.Dir(file))] = true
	}
	require.Greater(t, len(missing), 7)
	inside := false
	for line := range strings.SplitSeq(read(t, "docs/guarantees.md").text, "\n") {
		switch {
		case !strings.HasPrefix(line, "|"):
			inside = false
		case strings.HasPrefix(line, "| sink | server |"):
			inside = true
		case inside && !strings.HasPrefix(line, "|---"):
			cells := strings.Split(strings.Trim(line, "| "), " | ")
			require.Len(t, cells, 7, "%s", line)
			delete(missing, cells[0])
			for _, cell := range cells[2:] {
				refs := testRef.FindAllStringSubmatch(cell, -1)
				require.True(t, len(refs) > 0 || strings.HasPrefix(cell, "— "), "no test and no reason: %q of %s", cell, cells[0])
				for _, r := range refs {
					require.True(t, declares(t, filepath.Join(root, r[1]), r[2]), "%s is not in folder %q, for: %s", r[2], r[1], cells[0])
				}
			}
		}
	}
	require.Empty(t, missing, "sinks without a row")
}

// declares reports whether a test file of the folder has the function.
func declares(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	require.NoError(t, err)
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == name {
				return true
			}
		}
	}
	return false
}
