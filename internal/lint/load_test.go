package lint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/tickwell/tickwell"

// pkg is what go list says of a package.
type pkg struct {
	Dir, ImportPath, Name                            string
	Standard                                         bool
	Module                                           *struct{ Path string }
	GoFiles, CgoFiles, IgnoredGoFiles, TestGoFiles   []string
	XTestGoFiles, Imports, TestImports, SFiles, Deps []string
}

// name returns the package's path in the module; the root is "root".
func (p *pkg) name() string {
	if p.ImportPath == module {
		return "root"
	}
	return strings.TrimPrefix(p.ImportPath, module+"/")
}

func (p *pkg) main() bool { return p.Name == "main" }

func (p *pkg) internal() bool { return strings.Contains("/"+p.name()+"/", "/internal/") }

// source is one parsed file.
type source struct {
	pkg  *pkg
	name string // path in the module
	test bool
	file *ast.File
}

var fset = token.NewFileSet()

func (s *source) at(pos token.Pos) string {
	return fmt.Sprintf("%s:%d", s.name, fset.Position(pos).Line)
}

// imports returns the local names of the file's imports, with their paths.
func (s *source) imports() map[string]string {
	names := map[string]string{}
	for _, spec := range s.file.Imports {
		path := importPath(spec)
		name := path[strings.LastIndexByte(path, '/')+1:]
		if name == "v2" || name == "v3" {
			name = strings.TrimSuffix(path, "/"+name)
			name = name[strings.LastIndexByte(name, '/')+1:]
		}
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = path
	}
	return names
}

func importPath(spec *ast.ImportSpec) string { return strings.Trim(spec.Path.Value, `"`) }

// goList runs go list in the module's root.
func goList(args ...string) ([]*pkg, error) {
	cmd := exec.Command("go", append([]string{"list", "-e", "-json"}, args...)...)
	cmd.Dir = "../.."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, stderr.Bytes())
	}
	var list []*pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		p := new(pkg)
		if err := dec.Decode(p); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
}

type tree struct {
	pkgs    []*pkg
	sources []*source
}

var load = sync.OnceValues(func() (*tree, error) {
	pkgs, err := goList("./...")
	if err != nil {
		return nil, err
	}
	t := &tree{pkgs: pkgs}
	for _, p := range pkgs {
		for _, name := range slices.Concat(p.GoFiles, p.CgoFiles, p.IgnoredGoFiles, p.TestGoFiles, p.XTestGoFiles) {
			f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				return nil, err
			}
			if ignored(f) {
				continue
			}
			path := name
			if p.name() != "root" {
				path = p.name() + "/" + name
			}
			t.sources = append(t.sources, &source{p, path, strings.HasSuffix(name, "_test.go"), f})
		}
	}
	return t, nil
})

// ignored reports whether the file is a program kept beside a package, which
// says //go:build ignore. Files for other systems are not ignored.
func ignored(f *ast.File) bool {
	for _, group := range f.Comments {
		for _, c := range group.List {
			if expr, err := constraint.Parse(c.Text); err == nil && c.Pos() < f.Package && expr.String() == "ignore" {
				return true
			}
		}
	}
	return false
}

// module loads the module, or skips the test where there is no go command.
func loadModule(t *testing.T) *tree {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skipf("the go command cannot be run: %v", err)
	}
	tr, err := load()
	if err != nil {
		t.Fatal(err)
	}
	if len(tr.pkgs) < 10 {
		t.Fatalf("go list found %d packages; the tests would hold nothing", len(tr.pkgs))
	}
	return tr
}

// within reports whether a package is in a list such as "vfs examples/...".
func within(name, list string) bool {
	for entry := range strings.FieldsSeq(list) {
		below, all := strings.CutSuffix(entry, "/...")
		if name == entry || all && (name == below || strings.HasPrefix(name, below+"/")) {
			return true
		}
	}
	return false
}
