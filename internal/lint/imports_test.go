package lint

import (
	"slices"
	"strings"
	"testing"
)

// layerOf finds the package's entry in the table.
func layerOf(name string) (layer, bool) {
	if l, ok := layers[name]; ok {
		return l, true
	}
	for entry, l := range layers {
		if strings.HasSuffix(entry, "/...") && within(name, entry) {
			return l, true
		}
	}
	return layer{}, false
}

func TestImportsGoDown(t *testing.T) {
	for _, s := range loadModule(t).sources {
		l, ok := layerOf(s.pkg.name())
		if !ok {
			t.Errorf("package %s is not in the table of layers_test.go", s.pkg.name())
			continue
		}
		if s.test {
			continue
		}
		for _, spec := range s.file.Imports {
			if problem := forbiddenImport(s.pkg.name(), l, importPath(spec)); problem != "" {
				t.Errorf("%s: %s", s.at(spec.Pos()), problem)
			}
		}
	}
}

// forbiddenImport says why the package of a layer may not import the path.
func forbiddenImport(name string, l layer, path string) string {
	own := strings.TrimPrefix(path, module+"/")
	switch {
	case path == "C":
		return "cgo is not allowed"
	case path == module:
		own = "root"
	case own == path: // not of this module
		if first, _, _ := strings.Cut(path, "/"); !strings.Contains(first, ".") || within(path, l.external) {
			return ""
		}
		return name + " may not import " + path + " of another module"
	}
	if within(own, l.imports) {
		return ""
	}
	return name + " may not import " + own + "; it may: " + l.imports + " (" + l.why + ")"
}

// TestLayersHaveNoCycle holds the table itself: what it allows goes down only.
func TestLayersHaveNoCycle(t *testing.T) {
	state := map[string]int{} // 1: being visited, 2: done
	var visit func(name string, path []string)
	visit = func(name string, path []string) {
		if state[name] == 1 {
			t.Fatalf("the table allows the cycle %s", strings.Join(append(path, name), " > "))
		}
		if state[name] == 2 {
			return
		}
		state[name] = 1
		l, ok := layerOf(strings.TrimSuffix(name, "/..."))
		if !ok && !strings.HasSuffix(name, "/...") {
			t.Errorf("%s allows %s, which is not in the table", path[len(path)-1], name)
		}
		for next := range strings.FieldsSeq(l.imports) {
			visit(next, append(path, name))
		}
		state[name] = 2
	}
	for name, l := range layers {
		if l.why == "" {
			t.Errorf("%s: the table gives no reason", name)
		}
		visit(name, nil)
	}
}

func TestForbiddenImport(t *testing.T) {
	for _, c := range []struct {
		name, path string
		ok         bool
	}{
		{"vfs", "os", true},
		{"vfs", module + "/internal/errs", false},
		{"vfs", module, false},
		{"vfs", "C", false},
		{"internal/codec", s2, true},
		{"internal/wal", s2, false},
		{"internal/schedule", cron, true},
		{"root", cron, false},
		{"root", module + "/iotsql", false},
		{"root", module + "/sink", false},
		{"sink/jsonl", module, true},
		{"sink/jsonl", module + "/internal/engine", false},
		{"examples/one", module + "/sink/slack", true},
		{"examples/one", module + "/internal/errs", false},
		{"internal/engine", module + "/internal/exec", false},
		{"internal/exec", module + "/internal/engine", false},
		{"expr", "golang.org/x/text", false},
	} {
		l, _ := layerOf(c.name)
		if problem := forbiddenImport(c.name, l, c.path); (problem == "") != c.ok {
			t.Errorf("%s importing %s: %q, want allowed %v", c.name, c.path, problem, c.ok)
		}
	}
}

// TestUsersDoNotPay holds that a program which imports the root links nothing of
// what is built on it: no command line, no SQL, no driver, no sink.
func TestUsersDoNotPay(t *testing.T) {
	deps, err := goList("-deps", module)
	if err != nil {
		t.Fatal(err)
	}
	linked := map[string]bool{}
	for _, d := range deps {
		linked[d.ImportPath] = true
	}
	above := 0
	for _, p := range loadModule(t).pkgs {
		l, _ := layerOf(p.name())
		if p.ImportPath == module || !slices.Contains(strings.Fields(l.imports), "root") {
			continue
		}
		if above++; linked[p.ImportPath] {
			t.Errorf("a program that imports the root links %s", p.ImportPath)
		}
	}
	if above < 10 || !linked[module+"/internal/engine"] {
		t.Errorf("%d packages above the root were looked at: the test does not see them", above)
	}
	for _, name := range []string{"cmd/tickwell", "iotsql", "iotsql/driver"} {
		if l, ok := layerOf(name); !ok || !slices.Contains(strings.Fields(l.imports), "root") {
			t.Errorf("%s is not among the packages above the root", name)
		}
	}
}

// TestCoreLinksLittle holds what a program links that embeds the store.
func TestCoreLinksLittle(t *testing.T) {
	for _, p := range loadModule(t).pkgs {
		if !slices.Contains(core, p.name()) {
			continue
		}
		deps, err := goList("-deps", p.ImportPath)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range deps {
			if why, never := coreNever[d.ImportPath]; never {
				t.Errorf("%s links %s (%s)", p.name(), d.ImportPath, why)
			}
			switch {
			case d.Standard:
			case len(d.CgoFiles) > 0:
				t.Errorf("%s links %s, which uses cgo", p.name(), d.ImportPath)
			case d.Module == nil:
				t.Errorf("%s links %s, which is in no module", p.name(), d.ImportPath)
			case d.Module.Path != module && !slices.Contains(externalModules, d.Module.Path):
				t.Errorf("%s links %s of module %s, which is not among %q", p.name(), d.ImportPath, d.Module.Path, externalModules)
			case strings.HasPrefix(d.ImportPath, module+"/internal/crashfs"):
				t.Errorf("%s links crashfs, a test tool", p.name())
			}
		}
	}
}
