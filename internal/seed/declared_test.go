package seed

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// declared returns the names of the tests in the test files of a folder: tests,
// fuzz functions, and examples that have output and so are run.
func declared(dir string) (map[string]bool, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		for _, d := range parsed.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv != nil || f.Type.Params.NumFields() != 1 {
				continue
			}
			if name := f.Name.Name; strings.HasPrefix(name, "Test") || strings.HasPrefix(name, "Fuzz") {
				names[name] = true
			}
		}
		for _, ex := range doc.Examples(parsed) {
			if ex.Output != "" || ex.EmptyOutput {
				names["Example"+ex.Name] = true
			}
		}
	}
	return names, nil
}

// missing reports the named tests that no file declares.
func missing(root string, covers []cover) ([]string, error) {
	folders := map[string]map[string]bool{}
	var wrong []string
	for _, c := range covers {
		for _, ref := range c.tests {
			names, ok := folders[ref.dir]
			if !ok {
				var err error
				if names, err = declared(filepath.Join(root, filepath.FromSlash(ref.dir))); err != nil {
					return nil, err
				}
				folders[ref.dir] = names
			}
			if !names[ref.parent()] {
				wrong = append(wrong, c.id+": there is no "+ref.String())
			}
		}
	}
	return wrong, nil
}

func TestMissing(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "window"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "a_test.go"), []byte(`package a
import "testing"
func TestA(t *testing.T) {}
func TestHelper() {}
func FuzzA(f *testing.F) {}
func ExampleA() {
	// Output: x
}
func ExampleSilent() {
	// Output:
}
func ExampleNotRun() {}
`), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(root, "window", "w.go"), []byte(`package window
func TestA(t *testing.T) {}
`), 0o644))
	refs := []testRef{
		{".", "TestA"}, {".", "TestA/sub/sub"}, {".", "FuzzA"}, {".", "ExampleA"}, {".", "ExampleSilent"},
		{".", "TestHelper"}, {".", "ExampleNotRun"}, {".", "TestB"}, {"window", "TestA"}, {"none", "TestA"},
	}
	got, err := missing(root, []cover{{id: "X", tests: refs}})
	require.NoError(t, err)
	require.Equal(t, []string{
		"X: there is no TestHelper",
		"X: there is no ExampleNotRun",
		"X: there is no TestB",
		"X: there is no ./window TestA",
		"X: there is no ./none TestA",
	}, got)
}
