package seed

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// results maps "import/path TestName" to pass, fail or skip.
type results map[string]string

// read adds the events of `go test -json`.
func (r results) read(stream io.Reader) error {
	lines := bufio.NewReader(stream)
	for {
		line, err := lines.ReadBytes('\n')
		var e struct{ Action, Package, Test string }
		if json.Unmarshal(line, &e) == nil && e.Test != "" {
			switch e.Action {
			case "pass", "fail", "skip":
				r[e.Package+" "+e.Test] = e.Action
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// notPassed reports the named tests that did not run, were skipped or failed.
// importPath turns a folder into the import path of its package.
func notPassed(covers []cover, ran results, importPath func(dir string) (string, error)) ([]string, error) {
	var wrong []string
	for _, c := range covers {
		for _, ref := range c.tests {
			pkg, err := importPath(ref.dir)
			if err != nil {
				return nil, err
			}
			switch ran[pkg+" "+ref.name] {
			case "pass":
			case "fail":
				wrong = append(wrong, c.id+": "+ref.String()+" failed")
			case "skip":
				wrong = append(wrong, c.id+": "+ref.String()+" was skipped")
			default:
				wrong = append(wrong, c.id+": "+ref.String()+" did not run")
			}
		}
	}
	return wrong, nil
}

// moduleOf finds the module that a folder belongs to: its folder relative to
// root, and its path.
func moduleOf(root, dir string) (moduleDir, modulePath string, err error) {
	for d := path.Clean(dir); ; d = path.Dir(d) {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(d), "go.mod"))
		if err == nil {
			for line := range strings.Lines(string(text)) {
				if name, ok := strings.CutPrefix(strings.TrimSpace(line), "module "); ok {
					return d, strings.TrimSpace(name), nil
				}
			}
			return "", "", fmt.Errorf("%s/go.mod: no module line", d)
		}
		if d == "." {
			return "", "", err
		}
	}
}

func importPathBelow(root string) func(string) (string, error) {
	return func(dir string) (string, error) {
		moduleDir, modulePath, err := moduleOf(root, dir)
		if err != nil || dir == moduleDir {
			return modulePath, err
		}
		return path.Join(modulePath, strings.TrimPrefix(dir, strings.TrimSuffix(moduleDir, "."))), nil
	}
}

// runNamed runs the named tests, one go command for each module.
func runNamed(t *testing.T, root string, covers []cover) results {
	names, dirs := map[string][]string{}, map[string][]string{} // by module folder
	for _, c := range covers {
		for _, ref := range c.tests {
			moduleDir, _, err := moduleOf(root, ref.dir)
			require.NoError(t, err)
			below, err := filepath.Rel(filepath.FromSlash(moduleDir), filepath.FromSlash(ref.dir))
			require.NoError(t, err)
			names[moduleDir] = append(names[moduleDir], ref.parent())
			dirs[moduleDir] = append(dirs[moduleDir], "./"+filepath.ToSlash(below))
		}
	}
	ran := results{}
	for moduleDir := range names {
		args := []string{"test", "-json", "-vet=off", "-run", "^(" + strings.Join(unique(names[moduleDir]), "|") + ")$"}
		if moduleDir != "." {
			args = append(args, "-p=1") // real servers start side by side otherwise
		}
		cmd := exec.CommandContext(t.Context(), "go", slices.Concat(args, unique(dirs[moduleDir]))...)
		cmd.Dir = filepath.Join(root, filepath.FromSlash(moduleDir))
		out, err := cmd.Output()
		require.NoError(t, ran.read(bytes.NewReader(out)))
		if err != nil && len(ran) == 0 {
			t.Fatalf("go test in %s: %v\n%s", moduleDir, err, out)
		}
	}
	return ran
}

func unique(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

func TestNotPassed(t *testing.T) {
	ran := results{}
	require.NoError(t, ran.read(strings.NewReader(`{"Action":"run","Package":"m","Test":"TestA"}
{"Action":"pass","Package":"m","Test":"TestA/sub"}
{"Action":"pass","Package":"m","Test":"TestA"}
not an event
{"Action":"skip","Package":"m/window","Test":"TestB"}
{"Action":"fail","Package":"m/window","Test":"TestC"}
{"Action":"run","Package":"m/window","Test":"TestD"}
{"Action":"pass","Package":"m/window"}`)))
	refs := []testRef{
		{".", "TestA"}, {".", "TestA/sub"}, {".", "TestA/other"},
		{"window", "TestB"}, {"window", "TestC"}, {"window", "TestD"}, {"window", "TestA"},
	}
	got, err := notPassed([]cover{{id: "X", tests: refs}}, ran, func(dir string) (string, error) {
		return path.Join("m", dir), nil
	})
	require.NoError(t, err)
	require.Equal(t, []string{
		"X: TestA/other did not run",
		"X: ./window TestB was skipped",
		"X: ./window TestC failed",
		"X: ./window TestD did not run",
		"X: ./window TestA did not run",
	}, got)
}

func TestImportPath(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "sink", "mqtt", "deep"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "go.mod"), []byte("module example.org/m\n"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(root, "sink", "mqtt", "go.mod"), []byte("module example.org/q\n"), 0o644))
	for dir, want := range map[string]string{
		".":              "example.org/m",
		"window":         "example.org/m/window",
		"sink":           "example.org/m/sink",
		"sink/mqtt":      "example.org/q",
		"sink/mqtt/deep": "example.org/q/deep",
	} {
		got, err := importPathBelow(root)(dir)
		require.NoError(t, err, dir)
		require.Equal(t, want, got, dir)
	}
}
