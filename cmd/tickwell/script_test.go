package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// expected is what a file of testdata/script says of itself; see the README there.
type expected struct {
	args   []string
	script string     // without what is expected
	out    string     // the csv of all statements
	errors [][]string // parts of each error
	last   int        // where the last statement begins in script
}

func readExpected(t *testing.T, file string) *expected {
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	e := &expected{}
	var script, out strings.Builder
	answering, failing, open := false, false, false
	for line := range strings.Lines(string(b)) {
		text := strings.TrimRight(line, "\r\n")
		if row, ok := strings.CutPrefix(text, "-->"); ok && !open {
			out.WriteString(strings.TrimPrefix(row, " ") + "\n")
			answering = true
			continue
		}
		if answering {
			out.WriteString("\n")
			answering = false
		}
		if text, ok := strings.CutPrefix(text, "--!"); ok && !open {
			if !failing {
				e.errors = append(e.errors, nil)
			}
			failing = true
			last := &e.errors[len(e.errors)-1]
			*last = append(*last, strings.TrimSpace(text))
			continue
		}
		failing = false
		if option, ok := strings.CutPrefix(text, "--@ "); ok {
			key, value, _ := strings.Cut(option, " ")
			e.args = append(e.args, "-"+key, value)
		}
		comment := !open && (strings.TrimSpace(text) == "" || strings.HasPrefix(text, "--"))
		if !comment && !open && !strings.HasPrefix(text, `\`) {
			e.last = script.Len()
		}
		open = !comment && !strings.HasPrefix(text, `\`) && !strings.HasSuffix(strings.TrimSpace(text), ";")
		script.WriteString(line)
	}
	if answering {
		out.WriteString("\n")
	}
	e.script, e.out = script.String(), out.String()
	return e
}

var place = regexp.MustCompile(`line \d+, column \d+:? ?`)

// TestScriptsThroughShell runs every script of iotsql through the shell, in
// memory and on disk with \reopen before the last statement: the csv is the same,
// byte for byte.
func TestScriptsThroughShell(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "testdata", "script", "*.sql"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".sql"), func(t *testing.T) {
			t.Parallel()
			e := readExpected(t, file)
			check := func(name, script string, args ...string) {
				t.Helper()
				path := writeFile(t, filepath.Join(t.TempDir(), name+".sql"), script)
				args = append(append(append([]string{"sql", "-continue", "-format", "csv"}, e.args...), args...), path)
				o := runWith(context.Background(), "", args...)
				require.Equal(t, e.out, o.out, "%s: %s", name, o.err)
				var got []string
				for line := range strings.SplitSeq(o.err, "\n") {
					if text, ok := strings.CutPrefix(line, "error: "); ok {
						got = append(got, text)
					}
				}
				require.Len(t, got, len(e.errors), "%s: %s", name, o.err)
				for i, parts := range e.errors {
					// The shell counts lines in the script, not in the statement.
					got[i] = place.ReplaceAllString(got[i], "")
					for _, want := range parts {
						want = place.ReplaceAllString(want, "")
						require.Contains(t, strings.ToLower(got[i]), strings.ToLower(want), name)
					}
				}
				code := exitOK
				if len(e.errors) > 0 {
					code = exitFailed
				}
				require.Equal(t, code, o.code, name)
			}
			check("memory", e.script)
			check("disk", e.script[:e.last]+"\\reopen\n"+e.script[e.last:], "-dir", filepath.Join(t.TempDir(), "d"))
		})
	}
}
