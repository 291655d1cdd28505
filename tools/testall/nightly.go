package main

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"time"
)

// linter is run from the module proxy, so that nothing needs to be installed.
const linter = "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0"

// nightlyParts are the long parts: big models, repeated runs, fuzzing, lint.
// Tests with a long form look at TICKWELL_NIGHTLY.
func nightlyParts(r *repo, fuzz time.Duration) []part {
	nightly := []string{"TICKWELL_NIGHTLY=1"}
	parts := []part{
		{"lint", 30 * time.Minute, r.lint},
		{"long unit", 2 * time.Hour, func(ctx context.Context) outcome {
			return r.unit(ctx, goTest{module: r.modules[0], env: nightly, args: []string{"-vet=off", "-count=1", "-timeout=2h"}})
		}},
		{"race x5", 3 * time.Hour, func(ctx context.Context) outcome {
			return r.unit(ctx, goTest{module: r.modules[0], args: []string{"-vet=off", "-race", "-count=5", "-shuffle=on", "-timeout=3h"}})
		}},
	}
	for _, m := range r.modules[1:] {
		parts = append(parts, part{"long unit " + m.rel, time.Hour, func(ctx context.Context) outcome {
			list, err := r.nested(ctx, m)
			if err != nil {
				return failed("", err.Error())
			}
			return r.goTests(ctx, goTest{module: m, env: nightly, args: []string{"-vet=off", "-count=1", "-timeout=1h"}, packages: list})
		}})
	}
	for _, f := range foreignNightly {
		parts = append(parts, part{"qemu " + f.name(), 20 * time.Minute, r.emulated(f.target, f.qemu)})
	}
	for _, m := range r.modules {
		for _, f := range fuzzTargets(m.dir) {
			parts = append(parts, part{"fuzz " + path.Join(m.rel, f.pkg) + " " + f.name, fuzz + 5*time.Minute, func(ctx context.Context) outcome {
				// by default a worker spends up to a minute on making each new input smaller, and tries few others
				out, err := output(ctx, m.dir, nil, "go", "test", "-run", "^$", "-fuzz", "^"+f.name+"$", "-fuzztime", fuzz.String(), "-fuzzminimizetime", "10x", "./"+f.pkg)
				if err != nil {
					return failed("", out)
				}
				return passed(fuzzNote(out))
			}})
		}
	}
	return parts
}

func (r *repo) lint(ctx context.Context) outcome {
	if !r.exists(".golangci.yml") {
		return skipped("no .golangci.yml")
	}
	var found strings.Builder
	for _, m := range r.modules {
		out, err := output(ctx, m.dir, nil, "go", "run", linter, "run", "--config", filepath.Join(r.root, ".golangci.yml"), "./...")
		switch {
		case err == nil:
		case strings.Contains(out, ".go:") && !strings.Contains(out, "reading "+linter):
			fmt.Fprintf(&found, "module %s\n%s", m.path, out)
		case m.dir == r.root:
			return skipped("the linter cannot be run: " + firstLine(out))
		default: // its packages cannot be had here, as other parts say
			r.skipped = append(r.skipped, skippedTest{"lint of " + m.path, firstLine(out)})
		}
	}
	if found.Len() > 0 {
		return failed(fmt.Sprintf("%d lines", strings.Count(found.String(), "\n")), found.String())
	}
	return passed(fmt.Sprintf("%d modules", len(r.modules)))
}

// fuzzTarget is a fuzz function and the folder of its package.
type fuzzTarget struct{ pkg, name string }

// fuzzTargets finds the fuzz functions of the module in root, not of those
// nested in it.
func fuzzTargets(root string) []fuzzTarget {
	var found []fuzzTarget
	_ = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // as if it were not there
		}
		if d.IsDir() {
			_, nested := os.Stat(filepath.Join(file, "go.mod"))
			if file != root && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") || nested == nil) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(file, "_test.go") {
			return nil
		}
		rel, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return nil
		}
		parsed, _ := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if parsed == nil {
			return nil
		}
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Fuzz") {
				found = append(found, fuzzTarget{filepath.ToSlash(rel), f.Name.Name})
			}
		}
		return nil
	})
	sort.Slice(found, func(i, j int) bool {
		return found[i].pkg < found[j].pkg || found[i].pkg == found[j].pkg && found[i].name < found[j].name
	})
	return found
}

var fuzzProgress = regexp.MustCompile(`execs: (\d+)`)

// fuzzNote says how many inputs a fuzz run tried.
func fuzzNote(out string) string {
	all := fuzzProgress.FindAllStringSubmatch(out, -1)
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1][1] + " inputs"
}
