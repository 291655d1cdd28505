package readme

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A command is a `go test` or `make` that a page tells its reader to run.
type command struct {
	dir    string   // where it is run, relative to the root
	fields []string // of the command, without go and test
}

var (
	goTest     = regexp.MustCompile("(?:cd ([\\w./-]+) && )?go test ([^`\\n&(),;]*)")
	makeTarget = regexp.MustCompile("(?m)(?:`make ([a-z-]+)`|^make ([a-z-]+)(?: +#|$))")
	makeRule   = regexp.MustCompile(`(?m)^([a-z][a-z-]*):`)
	testFunc   = regexp.MustCompile(`(?m)^func ((?:Test|Benchmark|Fuzz|Example)\w*)\(`)
	benchWord  = regexp.MustCompile(`\bBenchmark[A-Z]\w*`)
)

// commands finds the `go test` commands of a page that name tests or benchmarks.
func commands(p page) (found []command) {
	for _, m := range goTest.FindAllStringSubmatch(p.text, -1) {
		f := strings.Fields(m[2])
		if i := slices.IndexFunc(f, func(s string) bool {
			return strings.HasPrefix(s, "#") || s == "|" || s == "-->" || strings.HasSuffix(s, ".") && s != "." && !strings.HasSuffix(s, "...")
		}); i >= 0 {
			f = f[:i]
		}
		found = append(found, command{m[1], f})
	}
	return found
}

// asks returns what the command selects by -run, -bench and -fuzz, and in which
// folders it looks.
func (c command) asks() (patterns, folders []string) {
	only := slices.ContainsFunc(c.fields, func(s string) bool { return strings.HasPrefix(s, "-bench") || strings.HasPrefix(s, "-fuzz") })
	for i := 0; i < len(c.fields); i++ {
		f := strings.Trim(c.fields[i], `'"`)
		name, value, given := strings.Cut(f, "=")
		switch {
		case name == "-run" || name == "-bench" || name == "-fuzz":
			if !given && i+1 < len(c.fields) {
				i++
				value = strings.Trim(c.fields[i], `'"`)
			}
			if name != "-run" || !only { // beside -bench, -run says which tests not to run
				patterns = append(patterns, value)
			}
		case f == "." || strings.HasPrefix(f, "./"):
			folders = append(folders, f)
		case strings.HasPrefix(f, "-") && !given && slices.Contains([]string{"-count", "-timeout", "-tags", "-args"}, f):
			i++
		}
	}
	if len(folders) == 0 {
		folders = []string{"."}
	}
	return patterns, folders
}

// testsIn returns the names of tests in a folder, with /... also below it.
func testsIn(dir string) (names []string, err error) {
	dir, deep := strings.CutSuffix(dir, "/...")
	err = filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && file != dir && (!deep || d.Name() == "testdata"):
			return fs.SkipDir
		case !strings.HasSuffix(file, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(file)
		for _, m := range testFunc.FindAllSubmatch(text, -1) {
			names = append(names, string(m[1]))
		}
		return err
	})
	return names, err
}

// check returns what is wrong with a command, nil if it selects something.
func (c command) check(root string) error {
	patterns, folders := c.asks()
	var names []string
	for _, f := range folders {
		list, err := testsIn(filepath.ToSlash(filepath.Join(root, c.dir, strings.TrimSuffix(f, "/..."))) + f[len(strings.TrimSuffix(f, "/...")):])
		if err != nil {
			return err
		}
		names = append(names, list...)
	}
	for _, p := range patterns {
		first, _, _ := strings.Cut(p, "/")
		re, err := regexp.Compile(first)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(names, re.MatchString) {
			return fmt.Errorf("no test or benchmark matches %q in %v below %q", p, folders, c.dir)
		}
	}
	return nil
}

// TestCommands holds that every command by which a page says that a figure can be
// had again selects something, that benchmarks it names are there, and make's targets.
func TestCommands(t *testing.T) {
	all, err := testsIn(root + "/...")
	require.NoError(t, err)
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	require.NoError(t, err)
	var targets []string
	for _, m := range makeRule.FindAllSubmatch(makefile, -1) {
		targets = append(targets, string(m[1]))
	}
	n := 0
	for _, p := range pages(t) {
		for _, c := range commands(p) {
			if c.dir == "" && p.name != "README.md" && strings.HasSuffix(p.name, "/README.md") {
				c.dir = filepath.Dir(p.name) // such a page speaks of its own folder
			}
			if patterns, _ := c.asks(); len(patterns) > 0 {
				n++
				require.NoError(t, c.check(root), "%s: go test %s", p.name, strings.Join(c.fields, " "))
			}
		}
		for _, word := range benchWord.FindAllString(p.text, -1) {
			require.Contains(t, all, word, "benchmark in %s", p.name)
		}
		for _, m := range makeTarget.FindAllStringSubmatch(p.text, -1) {
			require.Contains(t, targets, m[1]+m[2], "make %s in %s", m[1]+m[2], p.name)
		}
	}
	require.Greater(t, n, 5)
	t.Logf("note: %d commands of the pages select tests", n)
}

func TestCommandsOfAPage(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "a", "b"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a", "x_test.go"), []byte("func BenchmarkAdd(b *testing.B) {\nfunc TestSum(t *testing.T) {\n"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a", "b", "y_test.go"), []byte("func TestDeep(t *testing.T) {\n"), 0o644))
	for text, wrong := range map[string]bool{
		"(`cd a && go test -bench Add .`)":                 false,
		"`go test -run=XXX -bench 'Add$' -count 3 ./a`":    false,
		"`go test -bench Sub ./a`":                         true,
		"go test ./a -run TestSum/case -v\n":               false,
		"`go test -run TestDeep ./a`":                      true,
		"`go test -run TestDeep ./a/...`":                  false,
		"`go test -run 'TestSum|TestNothing' ./a/... # x`": false,
		"`cd a && go test -run XXX -bench 'Ad(d'`":         false, // cut at the parenthesis
		"`go test -run TestSum`":                           true,
		"`go test -fuzz FuzzGone ./a`":                     true,
		"<!-- by go test ./a -run TestSum -update -->":     false,
	} {
		list := commands(page{"p.md", text})
		require.Len(t, list, 1, text)
		require.Equal(t, wrong, list[0].check(dir) != nil, "%s: %v", text, list[0].check(dir))
	}
}
