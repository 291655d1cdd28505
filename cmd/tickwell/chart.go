package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tickwell/tickwell/examples/chart"
)

// drawChart draws a value for each column with a title above and times below.
func drawChart(w io.Writer, title string, columns []float64, height int, from, to time.Time) {
	fmt.Fprintln(w, title)
	if chart.Blocks(w, columns, height, 12, "%.6g") != nil || len(columns) == 0 {
		return
	}
	left, right := stamp(from), stamp(to)
	gap := max(1, len(columns)-len(left)-len(right))
	fmt.Fprintf(w, "%12s  %s%s%s\n", "", left, strings.Repeat(" ", gap), right)
}
