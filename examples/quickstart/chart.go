package main

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// chart draws values as a line of blocks, height rows tall, with the range at
// its left.
func chart(w io.Writer, title string, values []float64, width, height int) {
	if len(values) == 0 {
		fmt.Fprintf(w, "  %s: no data\n", title)
		return
	}
	points := make([]float64, min(width, len(values)))
	for i := range points { // the largest of the values that share a column
		lo, hi := i*len(values)/len(points), (i+1)*len(values)/len(points)
		points[i] = math.Inf(-1)
		for _, v := range values[lo:max(hi, lo+1)] {
			points[i] = math.Max(points[i], v)
		}
	}
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range points {
		low, high = math.Min(low, v), math.Max(high, v)
	}
	span := high - low
	if span == 0 {
		span = 1
	}
	blocks := []rune(" ▁▂▃▄▅▆▇█")
	fmt.Fprintf(w, "  %s\n", title)
	for row := height - 1; row >= 0; row-- {
		label := ""
		switch row {
		case height - 1:
			label = fmt.Sprintf("%.1f", high)
		case 0:
			label = fmt.Sprintf("%.1f", low)
		}
		var line strings.Builder
		for _, v := range points {
			level := (v-low)/span*float64(height*8-1) + 1 - float64(row*8)
			line.WriteRune(blocks[int(math.Max(0, math.Min(8, level)))])
		}
		fmt.Fprintf(w, "  %8s ┤%s\n", label, line.String())
	}
}
