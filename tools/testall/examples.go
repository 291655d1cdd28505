package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// An example is a main package below examples/. Its file expect.txt says how to
// run it and what it must print:
//
//	args: -data $DATA      arguments; an example that needs $DATA is skipped without it
//	^points +[0-9]+        a regular expression that some later line must match, in this order
//
// An example without the file runs without arguments and must exit with 0.
type example struct {
	name   string
	args   []string
	data   bool
	expect []*regexp.Regexp
}

// examples runs every program below examples/ for real.
func (r *repo) examples(ctx context.Context) outcome {
	mains, err := filepath.Glob(filepath.Join(r.root, "examples", "*", "main.go"))
	if err != nil || len(mains) == 0 {
		return skipped("no examples yet")
	}
	var notes []string
	for _, main := range mains {
		dir := filepath.Dir(main)
		ex, err := readExample(dir, r.dataFolder())
		if err != nil {
			return failed(filepath.Base(dir), err.Error())
		}
		if ex.data && r.dataFolder() == "" {
			notes = append(notes, ex.name+" skipped: its data folder is absent (set TICKWELL_DATA)")
			r.skipped = append(r.skipped, skippedTest{"examples/" + ex.name, "its data folder is absent (set TICKWELL_DATA)"})
			continue
		}
		binary := filepath.Join(r.temp, ex.name)
		if out, err := output(ctx, dir, nil, "go", "build", "-o", binary, "."); err != nil {
			return failed(ex.name+" does not build", out)
		}
		out, err := output(ctx, dir, nil, binary, ex.args...)
		os.Remove(binary)
		if err != nil {
			return failed(fmt.Sprintf("%s: %v", ex.name, err), out)
		}
		if missing := ex.unmatched(out); missing != "" {
			return failed(fmt.Sprintf("%s: no line matches %s", ex.name, missing), out)
		}
		notes = append(notes, fmt.Sprintf("%s ok", ex.name))
	}
	return passed(strings.Join(notes, ", "))
}

func readExample(dir, data string) (example, error) {
	ex := example{name: filepath.Base(dir)}
	text, err := os.ReadFile(filepath.Join(dir, "expect.txt"))
	if os.IsNotExist(err) {
		return ex, nil
	}
	if err != nil {
		return ex, err
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		if args, ok := strings.CutPrefix(line, "args: "); ok {
			ex.data = strings.Contains(args, "$DATA")
			ex.args = strings.Fields(args)
			for i, a := range ex.args {
				ex.args[i] = strings.ReplaceAll(a, "$DATA", data)
			}
			continue
		}
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		re, err := regexp.Compile(line)
		if err != nil {
			return ex, fmt.Errorf("%s: %w", filepath.Join(dir, "expect.txt"), err)
		}
		ex.expect = append(ex.expect, re)
	}
	return ex, nil
}

// unmatched returns the first expectation that no line of out meets, in order.
func (ex example) unmatched(out string) string {
	want := ex.expect
	for line := range strings.Lines(out) {
		if len(want) > 0 && want[0].MatchString(strings.TrimRight(line, "\r\n")) {
			want = want[1:]
		}
	}
	if len(want) > 0 {
		return want[0].String()
	}
	return ""
}
