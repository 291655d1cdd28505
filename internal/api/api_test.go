package api

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/build"
	"go/doc"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	root   = "../.."
	module = "github.com/tickwell/tickwell"
	// maxRootNames is how many types and functions the root package may export:
	// more than a reader can take in is not a small API any more. Constants and
	// error values are not counted: a reader meets them with their type, and in
	// one table.
	maxRootNames = 120
)

var update = flag.Bool("update", false, "rewrite testdata/api.txt")

// private are the folders whose packages nobody outside can or should import.
var private = []string{"internal", "cmd", "examples", "tools", "testdata", "docs", "bench", "integration"}

func TestAPI(t *testing.T) {
	dirs, err := publicFolders(root)
	require.NoError(t, err)
	var text strings.Builder
	for _, dir := range dirs {
		pkg, fset, err := load(filepath.Join(root, filepath.FromSlash(dir)), path.Join(module, dir))
		require.NoError(t, err)
		if dir == "." {
			n, values := names(pkg)
			t.Logf("note: the root package exports %d types and functions of %d, and %d constants and errors", n, maxRootNames, values)
			require.LessOrEqual(t, n, maxRootNames, "types and functions that the root package exports")
		}
		fmt.Fprintf(&text, "package %s // %s\n\n", pkg.Name, pkg.ImportPath)
		require.NoError(t, describe(&text, pkg, fset))
	}
	file := filepath.Join(root, "testdata", "api.txt")
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(text.String()), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	if string(want) != text.String() {
		t.Errorf("the exported API changed; if that is meant, run make api.\n%s", firstDifference(string(want), text.String()))
	}
}

// publicFolders lists the folders of importable packages in the main module.
func publicFolders(root string) ([]string, error) {
	var dirs []string
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if rel != "." {
			if strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_") {
				return fs.SkipDir
			}
			for _, p := range private {
				if d.Name() == p {
					return fs.SkipDir
				}
			}
			if _, err := os.Stat(filepath.Join(file, "go.mod")); err == nil {
				return fs.SkipDir // another module
			}
		}
		pkg, err := importDir(file)
		if err == nil && pkg.Name != "main" {
			dirs = append(dirs, rel)
		}
		return nil
	})
	return dirs, err
}

// importDir selects the files of a package as they are built for one fixed
// platform, so that the text does not depend on where the test runs.
func importDir(dir string) (*build.Package, error) {
	ctx := build.Default
	ctx.GOOS, ctx.GOARCH, ctx.CgoEnabled = "linux", "amd64", false
	return ctx.ImportDir(dir, 0)
}

func load(dir, importPath string) (*doc.Package, *token.FileSet, error) {
	pkg, err := importDir(dir)
	if err != nil {
		return nil, nil, err
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range pkg.GoFiles {
		f, err := parser.ParseFile(fset, filepath.Join(dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, nil, err
		}
		files = append(files, f)
	}
	d, err := doc.NewFromFiles(fset, files, importPath)
	return d, fset, err
}

// names counts the exported names at the top level of a package.
func names(p *doc.Package) (typesAndFuncs, values int) {
	count := func(list ...[]*doc.Value) {
		for _, l := range list {
			for _, v := range l {
				for _, name := range v.Names {
					if ast.IsExported(name) {
						values++
					}
				}
			}
		}
	}
	typesAndFuncs = len(p.Types) + len(p.Funcs)
	count(p.Consts, p.Vars)
	for _, t := range p.Types {
		typesAndFuncs += len(t.Funcs)
		count(t.Consts, t.Vars)
	}
	return typesAndFuncs, values
}

// describe writes the declarations of a package without comments and bodies.
func describe(w *strings.Builder, p *doc.Package, fset *token.FileSet) error {
	var failed error
	write := func(d ast.Node) {
		ast.Inspect(d, withoutComments)
		var b bytes.Buffer
		if err := (&printer.Config{Mode: printer.UseSpaces, Tabwidth: 4}).Fprint(&b, fset, d); err != nil {
			failed = err
		}
		w.WriteString(squeeze(b.String()) + "\n")
	}
	values := func(list []*doc.Value) {
		for _, v := range list {
			write(v.Decl)
		}
	}
	funcs := func(list []*doc.Func) {
		for _, f := range list {
			f.Decl.Body = nil
			write(f.Decl)
		}
	}
	values(p.Consts)
	values(p.Vars)
	funcs(p.Funcs)
	for _, t := range p.Types {
		write(t.Decl)
		values(t.Consts)
		values(t.Vars)
		funcs(t.Funcs)
		funcs(t.Methods)
	}
	w.WriteString("\n")
	return failed
}

func withoutComments(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.GenDecl:
		n.Doc = nil
	case *ast.FuncDecl:
		n.Doc = nil
	case *ast.Field:
		n.Doc, n.Comment = nil, nil
	case *ast.ValueSpec:
		n.Doc, n.Comment = nil, nil
	case *ast.TypeSpec:
		n.Doc, n.Comment = nil, nil
	}
	return true
}

// squeeze drops the empty lines that stand where comments were.
func squeeze(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		if strings.TrimSpace(line) != "" {
			b.WriteString(line)
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

// firstDifference shows the first lines that two texts do not share.
func firstDifference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(a), len(b)) {
		line := func(s []string) string {
			if i < len(s) {
				return s[i]
			}
			return "(end)"
		}
		if line(a) != line(b) {
			return fmt.Sprintf("line %d\n  file: %s\n  code: %s", i+1, line(a), line(b))
		}
	}
	return "no difference"
}

func TestDescribe(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.go"), []byte(`// Package a is small.
package a

// The limits.
const (
	// Most is the most.
	Most = 3
	least = 1
)

// T is a type.
type T struct {
	// A is said.
	A int // here too
	b int
}

// New makes one.
func New(a int) *T { return &T{A: a} }

// Get gets.
func (t *T) Get() int { return t.A + t.b + least }

func (t *T) hidden() {}

// F is a function.
func F() { var t T; t.hidden() }
`), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a_windows.go"), []byte("package a\n\nfunc OnlyThere() {}\n"), 0o644))
	pkg, fset, err := load(dir, "example.org/a")
	require.NoError(t, err)
	n, values := names(pkg)
	require.Equal(t, 3, n, "T, New, F")
	require.Equal(t, 1, values, "Most")
	var b strings.Builder
	require.NoError(t, describe(&b, pkg, fset))
	require.Equal(t, `const (
    Most = 3
)
func F()
type T struct {
    A int
    // contains filtered or unexported fields
}
func New(a int) *T
func (t *T) Get() int

`, b.String())
	require.Equal(t, "line 2\n  file: b\n  code: c", firstDifference("a\nb", "a\nc"))
}
