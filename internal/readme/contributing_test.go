package readme

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestContributing holds what CONTRIBUTING.md must tell someone who brings a
// function: the section of the IoTDB page on contributing UDFs, by its items.
func TestContributing(t *testing.T) {
	pages := strings.Join(strings.Fields(read(t, "CONTRIBUTING.md").text), " ") + " " +
		strings.Join(strings.Fields(read(t, ".github/PULL_REQUEST_TEMPLATE.md").text), " ")
	for _, c := range []struct {
		item string
		says []string
	}{
		{"UDF-116", []string{"is of general use", "Ask in an issue first"}},
		{"UDF-117", []string{"merges it when CI is green", "`make test` passes"}},
		{"UDF-118", []string{"A pull request brings three parts", "source, in the place", "tests, one of them from end to end", "usage text with an example"}},
		{"UDF-119", []string{"live in `internal/exec`", "one registration table", "`builtinAggs`", "`allScalars`", "`tables`"}},
		{"UDF-122", []string{"Documentation is in English", "translations"}},
		{"UDF-123", []string{"Before you send a change", "A reviewer reads the change", "One approval is enough"}},
	} {
		t.Run(c.item, func(t *testing.T) {
			for _, s := range c.says {
				require.Contains(t, pages, s)
			}
		})
	}
}

// TestRegistrationTables checks that the tables which CONTRIBUTING.md names are
// in the code.
func TestRegistrationTables(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, "internal", "exec", "*.go"))
	require.NoError(t, err)
	var code strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		code.Write(text)
	}
	for _, name := range []string{"builtinAggs", "allScalars", "tables"} {
		require.Regexp(t, `(?m)^(func |var |\t)`+name+`\b`, code.String(), "internal/exec has no table %s", name)
	}
}
