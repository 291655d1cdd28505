package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"
)

// printTable prints the closing table.
func printTable(w io.Writer, rows []row, took time.Duration) {
	width := len("part")
	for _, r := range rows {
		width = max(width, len(r.name))
	}
	rule := strings.Repeat("-", width+20)
	fmt.Fprintf(w, "\n%-*s  %-6s  %7s  %s\n%s\n", width, "part", "result", "seconds", "note", rule)
	for _, r := range rows {
		fmt.Fprintf(w, "%-*s  %-6s  %7.1f  %s\n", width, r.name, r.status, r.took.Seconds(), r.note)
	}
	fmt.Fprintf(w, "%s\n%-*s  %-6s  %7.1f  %.1f minutes\n\n", rule, width, "all", "", took.Seconds(), took.Minutes())
}

// printSkippedTests prints the tests that skipped themselves, once each.
func printSkippedTests(w io.Writer, tests []skippedTest) {
	seen := map[skippedTest]bool{}
	for _, t := range tests {
		if !seen[t] {
			if len(seen) == 0 {
				fmt.Fprintln(w, "\ntests that skipped themselves:")
			}
			seen[t] = true
			fmt.Fprintf(w, "  %s: %s\n", t.where, t.why)
		}
	}
}

// printTotals prints the plain closing line that CI reads and returns how many
// parts failed.
func printTotals(w io.Writer, rows []row) int {
	n := map[status]int{}
	for _, r := range rows {
		n[r.status]++
	}
	fmt.Fprintf(w, "%d passed, %d failed, %d skipped\n", n[pass], n[fail], n[skip])
	return n[fail]
}

// recordTable writes the table as a Markdown page.
func recordTable(file string, r *repo, rows []row, took time.Duration) error {
	var b strings.Builder
	b.WriteString("# Last nightly run\n\n")
	b.WriteString("Written by `make nightly`: all that `make test` runs, then the long parts.\n\n")
	fmt.Fprintf(&b, "- when: %s\n- %s on %s/%s, %d cores\n- took: %.1f minutes\n\n",
		time.Now().UTC().Format("2006-01-02 15:04 UTC"), runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), took.Minutes())
	b.WriteString("| part | result | seconds | note |\n|---|---|---:|---|\n")
	for _, row := range rows {
		fmt.Fprintf(&b, "| %s | %s | %.1f | %s |\n", row.name, row.status, row.took.Seconds(), strings.ReplaceAll(row.note, "|", `\|`))
	}
	b.WriteString("\n")
	if len(r.skipped) > 0 {
		b.WriteString("```text")
		printSkippedTests(&b, r.skipped)
		b.WriteString("```\n\n")
	}
	printTotals(&b, rows)
	return os.WriteFile(file, []byte(b.String()), 0o644)
}
