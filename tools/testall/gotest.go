package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
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
	passed, failed, skips int // tests, subtests included
	packages              int
	failures              strings.Builder // output of what failed
	skipped               []skippedTest
	notes                 []string            // what tests logged for the table
	running               map[string][]string // output of tests and packages not done yet
}

func newTests() *tests { return &tests{running: map[string][]string{}} }

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
		t.failures.Write(line)
		return
	}
	key := e.Package + " " + e.Test
	switch e.Action {
	case "build-output":
		t.failures.WriteString(e.Output)
	case "output":
		if e.Test == "" && (strings.HasPrefix(e.Output, "ok  \t") || strings.HasPrefix(e.Output, "FAIL\t")) {
			fmt.Fprint(out, e.Output)
		}
		if m := testLog.FindStringSubmatch(e.Output); m != nil {
			if note, ok := strings.CutPrefix(m[1], "note: "); ok {
				t.notes = append(t.notes, note)
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
	if e.Test == "" {
		if e.Action != "skip" { // a package without tests is skipped
			t.packages++
		}
		if e.Action == "fail" {
			t.failures.WriteString(strings.Join(said, ""))
		}
		return
	}
	switch e.Action {
	case "pass":
		t.passed++
	case "fail":
		t.failed++
		fmt.Fprintf(&t.failures, "%s %s\n%s", e.Package, e.Test, strings.Join(said, ""))
	case "skip":
		t.skips++
		t.skipped = append(t.skipped, skippedTest{e.Package + " " + e.Test, skipReason(said)})
	}
}

var testLog = regexp.MustCompile(`^\s+\w+_test\.go:\d+: (.*)`)

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
			fmt.Fprintf(&t.failures, "not finished: %s\n%s", key, tail(strings.Join(said, ""), 4<<10))
		}
	}
}

// note is what the table says of a run: what tests logged for it, else counts.
func (t *tests) note() string {
	if len(t.notes) > 0 && t.failed == 0 {
		return strings.Join(t.notes, "; ")
	}
	s := fmt.Sprintf("%d tests in %d packages", t.passed+t.failed+t.skips, t.packages)
	if t.failed > 0 {
		s += fmt.Sprintf(", %d failed", t.failed)
	}
	if t.skips > 0 {
		s += fmt.Sprintf(", %d skipped", t.skips)
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
		if err := r.goTest(ctx, t, g); err != nil {
			bad = true
			if t.failures.Len() == 0 {
				fmt.Fprintf(&t.failures, "%s: %v\n", g.module.rel, err)
			}
		}
	}
	r.skipped = append(r.skipped, t.skipped...)
	if bad {
		t.unfinished()
		return failed(t.note(), t.failures.String())
	}
	if t.packages == 0 {
		return skipped("no package has tests")
	}
	if t.passed == 0 && t.skips > 0 {
		return skipped(t.skipped[0].why)
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
		t.failures.Write(complaints.Bytes())
		return err
	}
	return readErr
}
