package readme

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// maxFirst is how many lines the first program of the README may have.
const maxFirst = 25

// program is a whole Go program in a page, and what the page says it prints:
// the text block right after it. Without one it is only built.
type program struct {
	where, code, output string
	run                 bool
}

func programs(p page) []program {
	var found []program
	all := blocks(p.text)
	for i, b := range all {
		if b.lang != "go" || !strings.HasPrefix(b.text, "package main\n") {
			continue
		}
		prog := program{where: fmt.Sprintf("%s:%d", p.name, b.line), code: b.text}
		if i+1 < len(all) && all[i+1].lang == "text" {
			prog.output, prog.run = all[i+1].text, true
		}
		found = append(found, prog)
	}
	return found
}

// TestPrograms builds and runs every program in the pages.
func TestPrograms(t *testing.T) {
	if testing.Short() {
		t.Skip("builds programs")
	}
	n := 0
	for _, p := range pages(t) {
		for _, prog := range programs(p) {
			n++
			dir := t.TempDir()
			file := filepath.Join(dir, "main.go")
			require.NoError(t, os.WriteFile(file, []byte(prog.code), 0o644))
			binary := filepath.Join(dir, "program.exe")
			build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, file)
			build.Dir = root // so that imports are those of this module
			out, err := build.CombinedOutput()
			require.NoError(t, err, "%s does not build:\n%s", prog.where, out)
			if !prog.run {
				continue
			}
			var stdout, stderr bytes.Buffer
			cmd := exec.CommandContext(t.Context(), binary)
			cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
			require.NoError(t, cmd.Run(), "%s: %s", prog.where, stderr.String())
			require.Equal(t, prog.output, stdout.String(), "what %s prints", prog.where)
		}
	}
	t.Logf("note: %d programs of the pages built and run", n)
}

// TestFirstScreen holds what the README promises a newcomer: one short program,
// its output right after it.
func TestFirstScreen(t *testing.T) {
	all := programs(read(t, "README.md"))
	require.NotEmpty(t, all, "README.md has no program")
	first := all[0]
	require.LessOrEqual(t, strings.Count(first.code, "\n"), maxFirst, "lines of the first program")
	require.True(t, first.run, "the first program is followed by its output")
	require.NotEmpty(t, first.output)
	require.Less(t, strings.Index(read(t, "README.md").text, first.code), 1500, "bytes before the first program")
}

func TestProgramsOfAPage(t *testing.T) {
	got := programs(page{"p.md", "```go\npackage main\n```\n```text\nx\n```\n```go\nfunc f() {}\n```\n```go\npackage main\n```\n"})
	require.Equal(t, []program{
		{"p.md:1", "package main\n", "x\n", true},
		{"p.md:10", "package main\n", "", false},
	}, got)
}
