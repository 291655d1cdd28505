package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
)

// event is one line of `go test -json`.
type event struct {
	Action     string
	Package    string
	Test       string
	Output     string
	ImportPath string // of build output
}

// tests gathers the events of one or more runs of go test.
type tests struct {
	packages   []*packageRun // in the order in which they began
	complaints strings.Builder
	running    map[string][]string // output of tests and packages not done yet
	again      []string            // what failed first and passed when run again
}

// packageRun is what is known of the last run of one package's tests.
type packageRun struct {
	path                  string
	ended, bad            bool
	passed, failed, skips int      // tests, subtests included
	failedTests           []string // without subtests
	failures              strings.Builder
	skipped               []skippedTest
	notes                 []string // what tests logged for the table
}

func newTests() *tests { return &tests{running: map[string][]string{}} }

// of returns the run of a package, begun when it is first heard of.
func (t *tests) of(path string) *packageRun {
	for _, p := range t.packages {
		if p.path == path {
			return p
		}
	}
	p := &packageRun{path: path}
	t.packages = append(t.packages, p)
	return p
}

// bad lists the packages whose tests ran and failed.
func (t *tests) bad() []string {
	var list []string
	for _, p := range t.packages {
		if p.bad {
			list = append(list, p.path)
		}
	}
	return list
}

// replace puts the runs of u in place of those of the same packages.
func (t *tests) replace(u *tests) {
	for _, p := range u.packages {
		if i := slices.IndexFunc(t.packages, func(q *packageRun) bool { return q.path == p.path }); i >= 0 {
			t.packages[i] = p
		} else {
			t.packages = append(t.packages, p)
		}
	}
	t.complaints.WriteString(u.complaints.String())
	t.again = append(t.again, u.again...)
	maps.Copy(t.running, u.running)
}

// failures is what the failing packages said, and the go command.
func (t *tests) failures() string {
	var b strings.Builder
	for _, p := range t.packages {
		b.WriteString(p.failures.String())
	}
	return b.String() + t.complaints.String()
}

func (t *tests) skipped() []skippedTest {
	var list []skippedTest
	for _, p := range t.packages {
		list = append(list, p.skipped...)
	}
	return list
}

// read consumes a stream of events. It writes go test's own "ok" and "FAIL"
// lines to out as they come, and the raw stream to raw.
func (t *tests) read(stream io.Reader, out, raw io.Writer) error {
	lines := bufio.NewReader(stream)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			if _, err := raw.Write(line); err != nil {
				return err
			}
			t.line(line, out)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (t *tests) line(line []byte, out io.Writer) {
	var e event
	if json.Unmarshal(line, &e) != nil || e.Action == "" {
		// Not an event: the go command itself complains.
		t.complaints.Write(line)
		return
	}
	key := e.Package + " " + e.Test
	switch e.Action {
	case "build-output":
		t.complaints.WriteString(e.Output)
	case "output":
		if e.Test == "" && (strings.HasPrefix(e.Output, "ok  \t") || strings.HasPrefix(e.Output, "FAIL\t")) {
			fmt.Fprint(out, e.Output)
		}
		if m := testLog.FindStringSubmatch(e.Output); m != nil {
			if note, ok := strings.CutPrefix(m[1], "note: "); ok {
				p := t.of(e.Package)
				p.notes = append(p.notes, note)
			}
		}
		t.running[key] = append(t.running[key], e.Output)
	case "pass", "fail", "skip":
		t.end(e, t.running[key])
		delete(t.running, key)
	}
}

// end counts a test or package that ended, and keeps what it said if that
// matters.
func (t *tests) end(e event, said []string) {
	p := t.of(e.Package)
	if e.Test == "" {
		p.ended = e.Action != "skip" // a package without tests is skipped
		if e.Action == "fail" {
			p.bad = true
			p.failures.WriteString(strings.Join(said, ""))
		}
		return
	}
	switch e.Action {
	case "pass":
		p.passed++
	case "fail":
		p.failed++
		if !strings.Contains(e.Test, "/") {
			p.failedTests = append(p.failedTests, e.Test)
		}
		fmt.Fprintf(&p.failures, "%s %s\n%s", e.Package, e.Test, strings.Join(said, ""))
	case "skip":
		p.skips++
		p.skipped = append(p.skipped, skippedTest{e.Package + " " + e.Test, skipReason(said)})
	}
}

// testLog is a line that a test has logged, or a kit of tests for it, whose file
// is no test file.
var testLog = regexp.MustCompile(`^\s+\w+\.go:\d+: (.*)`)

// skipReason finds what t.Skip was given in the output of a test.
func skipReason(said []string) string {
	for _, line := range slices.Backward(said) {
		if m := testLog.FindStringSubmatch(line); m != nil {
			return m[1]
		}
	}
	return "no reason given"
}

// unfinished adds what tests said that were under way when the run ended.
func (t *tests) unfinished() {
	for key, said := range t.running {
		if !strings.HasSuffix(key, " ") {
			fmt.Fprintf(&t.complaints, "not finished: %s\n%s", key, tail(strings.Join(said, ""), 4<<10))
		}
	}
}

// note is what the table says of a run: what tests logged for it, else counts.
func (t *tests) note() string {
	var passed, failed, skips, packages int
	var notes []string
	for _, p := range t.packages {
		passed, failed, skips = passed+p.passed, failed+p.failed, skips+p.skips
		if p.ended {
			packages++
		}
		notes = append(notes, p.notes...)
	}
	s := strings.Join(notes, "; ")
	if s == "" || failed > 0 {
		s = fmt.Sprintf("%d tests in %d packages", passed+failed+skips, packages)
		if failed > 0 {
			s += fmt.Sprintf(", %d failed", failed)
		}
		if skips > 0 {
			s += fmt.Sprintf(", %d skipped", skips)
		}
	}
	if len(t.again) > 0 {
		s += "; FAILED AT FIRST: " + strings.Join(t.again, ", ")
	}
	return s
}

// goTest is one run of go test.
type goTest struct {
	module   module
	env      []string
	args     []string // flags
	packages []string
	record   bool // keep the events for the seed coverage check
}

// goTests runs go test for each of runs and makes one outcome of them.
func (r *repo) goTests(ctx context.Context, runs ...goTest) outcome {
	t := newTests()
	bad := false
	for _, g := range runs {
		u := newTests()
		err := r.goTest(ctx, u, g)
		if err != nil && r.again {
			err = r.runAgain(ctx, u, g, err)
		}
		t.replace(u)
		if err != nil {
			bad = true
			if t.failures() == "" {
				fmt.Fprintf(&t.complaints, "%s: %v\n", g.module.rel, err)
			}
		}
	}
	skippedTests := t.skipped()
	r.skipped = append(r.skipped, skippedTests...)
	if bad {
		t.unfinished()
		return failed(t.note(), t.failures())
	}
	var passedTests, packages int
	for _, p := range t.packages {
		passedTests += p.passed
		if p.ended {
			packages++
		}
	}
	if packages == 0 {
		return skipped("no package has tests")
	}
	if passedTests == 0 && len(skippedTests) > 0 {
		return skipped(skippedTests[0].why)
	}
	return passed(t.note())
}

func (r *repo) goTest(ctx context.Context, t *tests, g goTest) error {
	raw := io.Discard
	if g.record {
		f, err := os.OpenFile(r.events, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		defer f.Close()
		raw = f
	}
	args := append([]string{"test", "-json"}, g.args...)
	if os.Getenv("CI") != "" {
		args = append(args, "-count=1")
	}
	cmd := command(ctx, g.module.dir, g.env, "go", append(args, g.packages...)...)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	readErr := t.read(stdout, r.out, raw)
	if err := cmd.Wait(); err != nil {
		t.complaints.Write(complaints.Bytes())
		return err
	}
	return readErr
}
