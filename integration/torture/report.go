package torture

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tickwell/tickwell/integration/oracle"
)

// Report is the outcome of a mode. Its JSON is one line.
type Report struct {
	Mode    string  `json:"mode"`
	Seed    uint64  `json:"seed"`
	States  int64   `json:"states"`  // stores opened after a fault and compared
	Same    int64   `json:"same"`    // further ones left out, their bytes having been opened already
	Runs    int64   `json:"runs"`    // lists of calls
	Acked   int64   `json:"acked"`   // calls acknowledged in them
	Lost    int64   `json:"lost"`    // states in which an acknowledged call is missing
	Wrong   int64   `json:"wrong"`   // states with contents that no prefix of the calls gives
	Refused int64   `json:"refused"` // stores that did not open, calls that failed without reason
	Panics  int64   `json:"panics"`
	Alarms  int64   `json:"alarms"` // crashes reported as damage
	Seconds float64 `json:"seconds"`

	// Counts are what a mode counts besides, such as sites and killed.
	Counts map[string]int64 `json:"counts,omitempty"`

	Failures []Failure `json:"-"` // the first few

	begun time.Time
}

// Failure is one thing that went wrong, with what is needed to see it again.
type Failure struct {
	Verdict Verdict
	Seed    uint64
	Where   string // the cut, the flip, the fault
	Setup   Setup
	Calls   []oracle.Call // shrunk
	Repeat  string        // arguments of the command
	Cause   string        // equal for failures that need not be told twice
}

// maxFailures is how many failures a report keeps.
const maxFailures = 5

func newReport(mode string, seed uint64) *Report {
	return &Report{Mode: mode, Seed: seed, Counts: map[string]int64{}, begun: time.Now()}
}

// count adds a verdict to the report.
func (r *Report) count(v Verdict) {
	switch v.Class {
	case Lost:
		r.Lost++
	case Wrong:
		r.Wrong++
	case Refusal:
		r.Refused++
	case Panics:
		r.Panics++
	case Alarm:
		r.Alarms++
	}
}

// fail adds a failure. Of those that have a cause in common the first is kept.
func (r *Report) fail(f Failure) {
	r.count(f.Verdict)
	for i := range r.Failures {
		if f.Cause != "" && r.Failures[i].Cause == f.Cause {
			return
		}
	}
	if len(r.Failures) < maxFailures {
		r.Failures = append(r.Failures, f)
	}
}

// OK reports whether nothing went wrong.
func (r *Report) OK() bool {
	return r.Lost+r.Wrong+r.Refused+r.Panics+r.Alarms == 0 && len(r.Failures) == 0
}

func (r *Report) done() *Report {
	r.Seconds = float64(time.Since(r.begun).Milliseconds()) / 1000
	return r
}

// Print writes the line for machines, if asked, and the lines for humans.
func (r *Report) Print(out io.Writer, machines bool) {
	if machines {
		b, err := json.Marshal(r)
		if err != nil {
			fmt.Fprintln(out, err)
			return
		}
		fmt.Fprintln(out, string(b))
	}
	word := "ok"
	if !r.OK() {
		word = "FAILED"
	}
	var more strings.Builder
	for _, k := range sortedKeys(r.Counts) {
		fmt.Fprintf(&more, ", %s %d", k, r.Counts[k])
	}
	fmt.Fprintf(out, "%s %s: seed %d, %d runs, %d calls acknowledged, %d states compared (%d more were the same bytes): %d lost, %d wrong, %d refused, %d panics, %d false alarms%s; %.1f s\n",
		r.Mode, word, r.Seed, r.Runs, r.Acked, r.States, r.Same, r.Lost, r.Wrong, r.Refused, r.Panics, r.Alarms, more.String(), r.Seconds)
	for _, f := range r.Failures {
		f.print(out)
	}
}

func (f *Failure) print(out io.Writer) {
	fmt.Fprintf(out, "\n%s at %s (seed %d; %v)\n  %s\n", f.Verdict.Class, f.Where, f.Seed, f.Setup, strings.ReplaceAll(f.Verdict.Text, "\n", "\n  "))
	if len(f.Calls) > 0 {
		fmt.Fprintf(out, "  after %d calls:\n", len(f.Calls))
		for i := range f.Calls {
			fmt.Fprintf(out, "    %2d  %v\n", i+1, &f.Calls[i])
		}
	}
	if f.Repeat != "" {
		fmt.Fprintf(out, "  again: go run ./cmd/torture %s\n", f.Repeat)
	}
}
