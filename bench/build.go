package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
)

// program is one peer program: a module below peers/ or cases/.
type program struct {
	name     string // of its folder
	dir      string
	variants []string // "" is the default
}

// variants says which variants of a program are run; all others only have the
// default.
var variants = map[string][]string{
	"tickwell":      {"", "buffered", "sync", "mem"},
	"tstorage":      {"", "mem"},
	"duckdb":        {"", "mem"},
	"pebble":        {"", "nosync"},
	"bbolt":         {"", "nosync"},
	"sqlitemodernc": {"", "full", "mem"},
	"sqlitemattn":   {""},
	"windows":       {"tickwell", "deque", "ro", "gozero", "loop"},
	"behaviour":     {"tickwell", "rescan", "sqlite"},
}

// findPrograms lists what there is, restricted to only. Names in only that do
// not exist are an error.
func findPrograms(root string, only []string) ([]program, error) {
	var all []program
	for _, folder := range []string{"peers", "cases"} {
		entries, err := os.ReadDir(filepath.Join(root, folder))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, e := range entries {
			if !e.IsDir() {
				continue
			}
			vs := variants[e.Name()]
			if vs == nil {
				vs = []string{""}
			}
			all = append(all, program{e.Name(), filepath.Join(root, folder, e.Name()), vs})
		}
	}
	if only == nil {
		return all, nil
	}
	var picked []program
	for _, o := range only {
		name, variant, one := strings.Cut(strings.TrimSpace(o), ":")
		found := false
		for _, p := range all {
			if p.name != name {
				continue
			}
			found = true
			if one {
				p.variants = []string{variant}
			}
			picked = append(picked, p)
		}
		if !found {
			var names []string
			for _, p := range all {
				names = append(names, p.name)
			}
			sort.Strings(names)
			return nil, fmt.Errorf("no program %q; there are %s", name, strings.Join(names, ", "))
		}
	}
	return picked, nil
}

// build compiles p, stripped, and returns the file.
func build(ctx context.Context, p program, bin string) (string, error) {
	file := filepath.Join(bin, p.name)
	args := []string{"build", "-trimpath", "-ldflags=-s -w", "-o", file, "."}
	if inMain, err := os.Stat(filepath.Join(p.dir, "go.mod")); err == nil && inMain.Mode().IsRegular() {
		args = append([]string{"build", "-mod=readonly"}, args[1:]...)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = p.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("cannot be built: %w: %s", err, lastLine(out))
	}
	return file, nil
}

func lastLine(b []byte) string {
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return lines[len(lines)-1]
}

// dependencies counts the packages and modules that are linked into p beside the
// standard library and the harness.
func dependencies(ctx context.Context, p program) (map[string]float64, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}} {{with .Module}}{{.Path}}{{end}}{{end}}", ".")
	cmd.Dir = p.dir
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	n, mods := 0, map[string]bool{}
	for line := range strings.Lines(string(out)) {
		path, module, _ := strings.Cut(strings.TrimSpace(line), " ")
		if path == "" || strings.HasPrefix(path, self) {
			continue
		}
		n++
		mods[module] = true
	}
	return map[string]float64{packages: float64(n), modules: float64(len(mods))}, nil
}

// self is what the paths of this module's own packages begin with.
const self = "github.com/tickwell/tickwell/bench"
