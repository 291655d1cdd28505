package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"
)

// chart draws a value for each column as a line of blocks, height rows tall,
// with the range at its left and times below. NaN leaves a column empty.
func chart(w io.Writer, title string, columns []float64, height int, from, to time.Time) {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range columns {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			low, high = math.Min(low, v), math.Max(high, v)
		}
	}
	fmt.Fprintln(w, title)
	if low > high {
		fmt.Fprintln(w, "  no data")
		return
	}
	span := high - low
	if span == 0 || math.IsInf(span, 0) {
		span = math.Max(1, span/2)
	}
	blocks := []rune(" ▁▂▃▄▅▆▇█")
	for row := height - 1; row >= 0; row-- {
		label := ""
		switch row {
		case height - 1:
			label = fmt.Sprintf("%.6g", high)
		case 0:
			label = fmt.Sprintf("%.6g", low)
		}
		var line strings.Builder
		for _, v := range columns {
			level := 0.0
			if !math.IsNaN(v) {
				level = (v-low)/span*float64(height*8-1) + 1 - float64(row*8)
			}
			line.WriteRune(blocks[int(math.Max(0, math.Min(8, level)))])
		}
		fmt.Fprintf(w, "%12s ┤%s\n", label, strings.TrimRight(line.String(), " "))
	}
	left, right := stamp(from), stamp(to)
	gap := max(1, len(columns)-len(left)-len(right))
	fmt.Fprintf(w, "%12s  %s%s%s\n", "", left, strings.Repeat(" ", gap), right)
}
