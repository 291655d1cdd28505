package lint

import (
	"go/ast"
	"go/parser"
	"slices"
	"strings"
	"testing"
)

// TestForbiddenUses holds the rules on the clock, the disk, chance and output.
func TestForbiddenUses(t *testing.T) {
	for _, s := range loadModule(t).sources {
		for _, problem := range forbiddenUses(s) {
			t.Error(problem)
		}
	}
}

// forbiddenUses lists what in a file breaks the rules.
func forbiddenUses(s *source) (problems []string) {
	names := s.imports()
	for _, r := range rules {
		if r.allows(s) {
			continue
		}
		for _, spec := range s.file.Imports {
			if importPath(spec) != r.pkg {
				continue
			}
			if r.names == nil && r.except == nil {
				problems = append(problems, s.at(spec.Pos())+": imports "+r.pkg+": "+r.why)
			} else if spec.Name != nil && spec.Name.Name == "." {
				problems = append(problems, s.at(spec.Pos())+": dot import of "+r.pkg)
			}
		}
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		id, ok := sel.X.(*ast.Ident)
		if !ok || names[id.Name] == "" {
			return true
		}
		for _, r := range rules {
			if r.pkg == names[id.Name] && r.forbids(sel.Sel.Name) && !r.allows(s) {
				problems = append(problems, s.at(sel.Pos())+": "+r.pkg+"."+sel.Sel.Name+": "+r.why)
			}
		}
		return true
	})
	return append(problems, sleeps(s, names)...)
}

// allows reports whether the rule does not hold in a file.
func (r *rule) allows(s *source) bool {
	return s.test && !r.tests || within(s.pkg.name(), r.where) || within(s.name, r.where)
}

func (r *rule) forbids(name string) bool {
	if r.except != nil {
		return !slices.Contains(r.except, name)
	}
	return slices.Contains(r.names, name)
}

// sleeps finds time.Sleep in tests. In a file that uses testing/synctest it is
// the bubble's time that passes.
func sleeps(s *source, names map[string]string) (problems []string) {
	for _, path := range names {
		if path == "testing/synctest" {
			return nil
		}
	}
	if !s.test {
		return nil
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "Sleep" {
			if id, ok := sel.X.(*ast.Ident); ok && names[id.Name] == "time" {
				problems = append(problems, s.at(sel.Pos())+": a test sleeps; wait for what it waits for")
			}
		}
		return true
	})
	return problems
}

// TestNoInit holds that linking a library package does nothing by itself.
func TestNoInit(t *testing.T) {
	for _, s := range loadModule(t).sources {
		// With the tag tickwell_small package sink says that it is linked.
		if s.test || s.pkg.main() || s.name == "sink/install_small.go" {
			continue
		}
		for _, decl := range s.file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: func init: importing a library must not do anything", s.at(f.Pos()))
			}
		}
	}
}

// TestRulesBite feeds the checker what it must find, and what it must not.
func TestRulesBite(t *testing.T) {
	for _, c := range []struct {
		pkg, file, code string
		want            string // a part of the one problem; empty: none
	}{
		{"internal/wal", "a.go", `import "time"; var _ = time.Now`, "time.Now"},
		{"internal/wal", "a.go", `import t "time"; var _ = t.Now()`, "time.Now"},
		{"internal/wal", "a.go", `import . "time"`, "dot import"},
		{"internal/wal", "a.go", `import "time"; var _ time.Time; var _ = time.Second`, ""},
		{"internal/wal", "a.go", `type t struct{ Now int }; var time t; var _ = time.Now`, ""},
		{"internal/wal", "a.go", `// time.Now`, ""},
		{"internal/clock", "a.go", `import "time"; var _ = time.Now`, ""},
		{"window", "window/clock.go", `import "time"; var _ = time.Now`, ""},
		{"window", "window/core.go", `import "time"; var _ = time.Now`, "time.Now"},
		{"internal/wal", "a.go", `import "context"; var _ = context.WithTimeout`, "real clock"},
		{"internal/wal", "a.go", `import "os"; var _ = os.Open`, "imports os"},
		{"internal/wal", "a_test.go", `import "os"; var _ = os.Open`, ""},
		{"vfs", "a.go", `import "os"; var _ = os.Open`, ""},
		{"examples/one", "a.go", `import "os"; var _ = os.Open`, ""},
		{"internal/wal", "a_test.go", `import "time"; func f() { time.Sleep(1) }`, "sleeps"},
		{"internal/wal", "a_test.go", `import ("time"; "testing/synctest"); func f() { time.Sleep(1); synctest.Wait() }`, ""},
		{"internal/wal", "a.go", `import "math/rand/v2"; var _ = rand.IntN(3)`, "rand/v2.IntN"},
		{"internal/wal", "a_test.go", `import "math/rand"; var _ = rand.Intn(3)`, "rand.Intn"},
		{"internal/wal", "a.go", `import "math/rand/v2"; var _ = rand.New(rand.NewPCG(1, 2))`, ""},
		{"internal/wal", "a.go", `import "crypto/rand"; var _ = rand.Read`, "imports crypto/rand"},
		{"internal/wal", "a.go", `import "fmt"; func f() { fmt.Println() }`, "fmt.Println"},
		{"internal/wal", "a.go", `import "fmt"; var _ = fmt.Sprint()`, ""},
		{"internal/wal", "a.go", `import "log/slog"; func f() { slog.Info("") }`, "slog.Info"},
		{"root", "a.go", `import "testing"; var _ testing.TB`, "imports testing"},
		{"root", "a.go", `import "github.com/stretchr/testify/require"; var _ = require.New`, "in tests only"},
		{"root", "a_test.go", `import "github.com/stretchr/testify/require"; var _ = require.New`, ""},
	} {
		f, err := parser.ParseFile(fset, c.file, "package p; "+c.code, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		s := &source{&pkg{ImportPath: module + "/" + c.pkg}, c.file, strings.HasSuffix(c.file, "_test.go"), f}
		if c.pkg == "root" {
			s.pkg.ImportPath = module
		}
		got := forbiddenUses(s)
		if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)) {
			t.Errorf("%s in %s/%s: %q, want %q", c.code, c.pkg, c.file, got, c.want)
		}
	}
}
