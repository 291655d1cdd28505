package readme

import (
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const stepsFolder = "examples/steps"

// TestSteps holds that examples/steps is the README's steps: -update writes them.
func TestSteps(t *testing.T) {
	files := stepFiles(t)
	for _, name := range []string{"steps.go", "steps_test.go", "expect.txt"} {
		file := filepath.Join(root, stepsFolder, name)
		if *update {
			require.NoError(t, os.WriteFile(file, []byte(files[name]), 0o644))
		}
		got, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, files[name], string(got), "%s (-update writes it from the README)", name)
	}
}

// stepFiles makes the files of the steps by name: those that use t are tests.
func stepFiles(t *testing.T) map[string]string {
	t.Helper()
	p := read(t, "README.md")
	start, end := strings.Index(p.text, "\n## Step by step\n"), strings.Index(p.text, "\n## What is guaranteed\n")
	require.True(t, 0 < start && start < end)
	all, err := fragments(page{p.name, p.text[start:end]})
	require.NoError(t, err)
	var titles []string // what is in bold begins a step
	for line := range strings.Lines(p.text[start:end]) {
		if rest, ok := strings.CutPrefix(line, "**"); ok {
			title, _, _ := strings.Cut(rest, "**")
			titles = append(titles, strings.TrimRight(title, ".,"))
		}
	}
	require.Len(t, titles, len(all), "each step has a block of Go")
	const head = "// Code generated from README.md by go test ./internal/readme -run TestSteps -update. DO NOT EDIT.\n\npackage main\n\n"
	var table, code, tests, expect strings.Builder
	uses := []string{"context", "github.com/tickwell/tickwell"}
	testUses := []string{"testing"}
	add := func(to *[]string, packages []string) {
		for _, p := range packages {
			if !slices.Contains(*to, p) {
				*to = append(*to, p)
			}
		}
	}
	for i, f := range all {
		if strings.Contains(f.code, "New(t,") {
			add(&testUses, f.imports)
			fmt.Fprintf(&tests, "\n// %s.\nfunc TestStep%d(t *testing.T) {\n%s}\n", titles[i], i+1, f.code)
			continue
		}
		add(&uses, f.imports)
		fmt.Fprintf(&table, "\t{%q, step%d},\n", titles[i], i+1)
		fmt.Fprintf(&code, "\n// %s.\nfunc step%d(ctx context.Context, db *tickwell.DB, dir string) {\n%s}\n", titles[i], i+1, f.code)
		for line := range strings.Lines(strings.TrimRight(f.output, "\n") + "\n") {
			fmt.Fprintf(&expect, "^%s$\n", regexp.QuoteMeta(strings.TrimRight(line, "\n")))
		}
	}
	source := func(imports []string, body string) string {
		var b strings.Builder
		b.WriteString(head + "import (\n")
		for _, own := range []bool{false, true} {
			slices.Sort(imports)
			for _, p := range imports {
				if strings.Contains(p, ".") == own {
					fmt.Fprintf(&b, "\t%q\n", p)
				}
			}
			if !own {
				b.WriteString("\n")
			}
		}
		out, err := format.Source([]byte(b.String() + ")\n" + body))
		require.NoError(t, err)
		return string(out)
	}
	return map[string]string{
		"steps.go": source(uses, "\nvar steps = []struct {\n\ttitle string\n\ttake func(ctx context.Context, db *tickwell.DB, dir string)\n}{\n"+
			table.String()+"}\n"+code.String()),
		"steps_test.go": source(testUses, tests.String()),
		"expect.txt":    expect.String(),
	}
}
