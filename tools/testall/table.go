package main

import (
	"fmt"
	"io"
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
