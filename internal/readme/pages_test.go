package readme

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const root = "../.."

// page is a Markdown file; name is relative to the root.
type page struct{ name, text string }

// block is a fenced block of a page.
type block struct {
	lang string
	line int // of its fence, from 1
	text string
}

// pages reads all Markdown files of the repository.
func pages(t *testing.T) []page {
	t.Helper()
	var found []page
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && file != root && (strings.HasPrefix(d.Name(), ".") && d.Name() != ".github" || d.Name() == "testdata"):
			return fs.SkipDir
		case d.IsDir() || filepath.Ext(file) != ".md":
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, file)
		found = append(found, page{filepath.ToSlash(rel), string(text)})
		return err
	})
	require.NoError(t, err)
	return found
}

// read returns one page by name.
func read(t *testing.T, name string) page {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	require.NoError(t, err)
	return page{name, string(text)}
}

// blocks returns the fenced blocks of a page in order.
func blocks(text string) []block {
	var found []block
	var open *block
	n := 0
	for line := range strings.Lines(text) {
		n++
		fence, isFence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case isFence && open == nil:
			open = &block{lang: strings.TrimSpace(fence), line: n}
		case isFence:
			found = append(found, *open)
			open = nil
		case open != nil:
			open.text += line
		}
	}
	return found
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// deadLinks returns the links of a page to files that do not exist.
func deadLinks(root string, p page) []string {
	var dead []string
	for _, m := range link.FindAllStringSubmatch(p.text, -1) {
		target, _, _ := strings.Cut(m[1], "#")
		if target == "" || strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
			continue
		}
		if _, err := os.Stat(filepath.Join(root, filepath.Dir(p.name), filepath.FromSlash(target))); err != nil {
			dead = append(dead, m[1])
		}
	}
	return dead
}

func TestLinks(t *testing.T) {
	for _, p := range pages(t) {
		require.Empty(t, deadLinks(root, p), "links of %s that lead nowhere", p.name)
	}
}

var exampleFolder = regexp.MustCompile(`(?:^|[^.])(\./(?:examples|cmd|tools)/[\w/-]*\w)`)

// TestFolders checks the programs that pages tell a reader to run.
func TestFolders(t *testing.T) {
	for _, p := range pages(t) {
		for _, m := range exampleFolder.FindAllStringSubmatch(p.text, -1) {
			require.DirExists(t, filepath.Join(root, m[1]), "%s names %s", p.name, m[1])
		}
	}
}

func TestBlocks(t *testing.T) {
	text := "a\n```go\npackage main\n```\n\n```text\nout\n```\n```\nplain\n```\n"
	require.Equal(t, []block{{"go", 2, "package main\n"}, {"text", 6, "out\n"}, {"", 9, "plain\n"}}, blocks(text))
}

func TestDeadLinks(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "docs"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "docs", "a.md"), nil, 0o644))
	p := page{"docs/b.md", "[x](a.md#part) [y](../docs/a.md) [z](gone.md) [w](#here) [v](https://example.org/x)"}
	require.Equal(t, []string{"gone.md"}, deadLinks(dir, p))
}
