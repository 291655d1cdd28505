package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A part is one row of the closing table.
type part struct {
	name  string
	limit time.Duration
	run   func(ctx context.Context) outcome
}

type status string

const (
	pass status = "pass"
	fail status = "FAIL"
	skip status = "skip"
)

// outcome is how a part ended. The note stands in the table; the output is
// printed at once when the part failed.
type outcome struct {
	status status
	note   string
	output string
}

func passed(note string) outcome         { return outcome{status: pass, note: note} }
func failed(note, output string) outcome { return outcome{fail, note, output} }
func skipped(why string) outcome         { return outcome{status: skip, note: why} }

// row is a part that ended.
type row struct {
	name string
	took time.Duration
	outcome
}

// skippedTest is a test that skipped itself.
type skippedTest struct{ where, why string }

// repo is the repository under test and what the parts share.
type repo struct {
	root    string // folder of the main module
	folder  string // of this run; closing removes it
	temp    string // in it, for temporary files: empty when a part begins
	closing func()
	out     io.Writer
	modules []module // main module first
	events  string   // file that gathers the test events of the full run
	skipped []skippedTest
	again   bool              // run packages that failed once more
	missing map[string]string // tool that could not be installed -> reason
}

func newRepo(out io.Writer) (*repo, error) {
	wd, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	modules, err := findModules(wd)
	if err != nil {
		return nil, err
	}
	folder, closing, err := newRunFolder(os.TempDir())
	if err != nil {
		return nil, err
	}
	return &repo{
		root: wd, folder: folder, closing: closing, out: out, modules: modules,
		events:  filepath.Join(folder, "events.json"),
		missing: parseMissing(os.Getenv("TICKWELL_NOT_INSTALLED")),
	}, nil
}

// parseMissing reads what the CI script says of tools that it could not
// install: lines of the form "tool: reason".
func parseMissing(s string) map[string]string {
	m := map[string]string{}
	for line := range strings.Lines(s) {
		if tool, why, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			m[tool] = why
		}
	}
	return m
}

// do runs one part within its limit.
func (r *repo) do(ctx context.Context, p part) row {
	fmt.Fprintf(r.out, "=== %s\n", p.name)
	started := time.Now()
	o := skipped("interrupted")
	if ctx.Err() == nil {
		o = r.limited(ctx, p)
	}
	took := time.Since(started)
	if o.status == fail && o.output != "" {
		fmt.Fprintln(r.out, strings.TrimRight(tail(o.output, 64<<10), "\n"))
	}
	fmt.Fprintf(r.out, "--- %s: %s (%.1fs) %s\n", o.status, p.name, took.Seconds(), o.note)
	return row{p.name, took, o}
}

// limited runs a part within its limit and removes the temporary files it leaves.
func (r *repo) limited(ctx context.Context, p part) outcome {
	leave, err := r.enter()
	if err != nil {
		return failed("", err.Error())
	}
	ctx, cancel := context.WithTimeout(ctx, p.limit)
	defer cancel()
	o := p.run(ctx)
	if ctx.Err() == context.DeadlineExceeded {
		o = failed(fmt.Sprintf("not done after %s", p.limit), o.output)
	}
	if left := leave(); o.status == pass && len(left) > 0 {
		o.note = strings.TrimPrefix(o.note+"; "+leftNote(left), "; ")
	}
	return o
}

// tail returns the last n bytes of s and says how much it left out.
func tail(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return fmt.Sprintf("... %d bytes left out ...\n%s", len(s)-n, s[len(s)-n:])
}
