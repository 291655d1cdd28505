// Package chart draws values in the terminal and as SVG, for the command and the
// examples. It knows no series: a chart is a value for each column of it.
package chart

import (
	"fmt"
	"io"
	"math"
	"strings"
)

var blocks = []rune(" ▁▂▃▄▅▆▇█")

// Blocks draws a value for each column as a line of blocks, height rows tall,
// with the range at its left. Labels are formatted as format says, such as
// "%.1f", and stand right-aligned in width columns. NaN leaves a column empty.
func Blocks(w io.Writer, values []float64, height, width int, format string) error {
	low, high, span := extent(values)
	if low > high {
		_, err := fmt.Fprintln(w, "  no data")
		return err
	}
	for row := height - 1; row >= 0; row-- {
		label := ""
		switch row {
		case height - 1:
			label = fmt.Sprintf(format, high)
		case 0:
			label = fmt.Sprintf(format, low)
		}
		var line strings.Builder
		for _, v := range values {
			level := 0.0
			if !math.IsNaN(v) {
				level = (v-low)/span*float64(height*8-1) + 1 - float64(row*8)
			}
			line.WriteRune(blocks[int(math.Max(0, math.Min(8, level)))])
		}
		if _, err := fmt.Fprintf(w, "%*s ┤%s\n", width, label, strings.TrimRight(line.String(), " ")); err != nil {
			return err
		}
	}
	return nil
}

// extent returns the least and the greatest finite value, low > high if there is
// none, and their distance, which is never 0.
func extent(values []float64) (low, high, span float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			low, high = math.Min(low, v), math.Max(high, v)
		}
	}
	if span = high - low; span == 0 || math.IsInf(span, 0) {
		span = math.Max(1, span/2)
	}
	return low, high, span
}

// Means folds values into at most width columns by their mean, those that are
// NaN left out.
func Means(values []float64, width int) []float64 {
	columns := make([]float64, min(width, len(values)))
	for i := range columns {
		lo, hi := i*len(values)/len(columns), (i+1)*len(values)/len(columns)
		sum, n := 0.0, 0
		for _, v := range values[lo:max(hi, lo+1)] {
			if !math.IsNaN(v) {
				sum, n = sum+v, n+1
			}
		}
		columns[i] = sum / float64(n)
	}
	return columns
}
