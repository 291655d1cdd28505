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
	for _, line := range strings.Split(read(t, "docs/guarantees.md").text, "\n") {
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
