package readme

import (
	"go/build"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var mapRow = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| .{20,} \\|$")

// TestFileMap holds the file map of docs/DESIGN.md to the tree: each package has
// a row, or the folder at the top that it lies in has one, and each row, those
// of files included, leads somewhere.
func TestFileMap(t *testing.T) {
	_, fileMap, found := strings.Cut(read(t, "docs/DESIGN.md").text, "### File map\n")
	require.True(t, found, "docs/DESIGN.md has no file map")
	fileMap, _, _ = strings.Cut(fileMap, "\n### ") // tables of what comes after it name packages too
	listed := map[string]bool{}
	for _, m := range mapRow.FindAllStringSubmatch(fileMap, -1) {
		require.False(t, listed[m[1]], "%s is listed twice", m[1])
		listed[m[1]] = true
		_, err := os.Stat(filepath.Join(root, m[1]))
		require.NoError(t, err, "docs/DESIGN.md lists %s", m[1])
	}
	var missing []string
	for _, name := range packageFolders(t) {
		if !listed[name] && !listed[strings.SplitN(name, "/", 2)[0]] {
			missing = append(missing, name)
		}
	}
	require.Empty(t, missing, "not in the file map of docs/DESIGN.md")
}

// packageFolders lists the folders with Go code below the root, nested modules
// and examples included.
func packageFolders(t *testing.T) []string {
	t.Helper()
	var found []string
	require.NoError(t, filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || file == root {
			return err
		}
		if name := d.Name(); name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
			return fs.SkipDir
		}
		if _, err := build.ImportDir(file, 0); err == nil {
			rel, err := filepath.Rel(root, file)
			found = append(found, filepath.ToSlash(rel))
			return err
		}
		return nil
	}))
	sort.Strings(found)
	return found
}
