package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// module is one Go module of the repository.
type module struct {
	dir  string // absolute
	rel  string // relative to the root, "." for the main module
	path string // as in its go.mod
}

// peers are folders of programs that the benchmark builds itself, each with the
// dependencies of another store; nothing else loads them.
var peers = map[string]bool{"bench/peers": true, "bench/cases": true}

// findModules returns the module in root and the ones nested below it, without
// the peers of the benchmark.
func findModules(root string) ([]module, error) {
	var found []module
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			name := d.Name()
			if path != root && (name == "testdata" || name == "node_modules" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")) {
				return filepath.SkipDir
			}
			if rel, err := filepath.Rel(root, path); err == nil && peers[filepath.ToSlash(rel)] {
				return filepath.SkipDir
			}
			return nil
		}
		if d.Name() != "go.mod" {
			return nil
		}
		name, err := modulePath(path)
		if err != nil {
			return err
		}
		dir := filepath.Dir(path)
		rel, err := filepath.Rel(root, dir)
		if err != nil {
			return err
		}
		found = append(found, module{dir, filepath.ToSlash(rel), name})
		return nil
	})
	if err != nil {
		return nil, err
	}
	sort.Slice(found, func(i, j int) bool { return found[i].rel < found[j].rel })
	if len(found) == 0 || found[0].rel != "." {
		return nil, fmt.Errorf("no go.mod in %s: run it in the folder of the main module", root)
	}
	return found, nil
}

func modulePath(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "module "); ok {
			return strings.Trim(strings.TrimSpace(rest), `"`), nil
		}
	}
	return "", fmt.Errorf("%s: no module line", file)
}

// exists reports whether a file or folder of the repository exists.
func (r *repo) exists(rel string) bool {
	_, err := os.Stat(filepath.Join(r.root, filepath.FromSlash(rel)))
	return err == nil
}
