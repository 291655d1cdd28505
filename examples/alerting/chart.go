package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/tickwell/tickwell"
)

const (
	width  = 100
	height = 8
)

// chart draws the rows as a line of blocks with, below, where alerts fired.
func chart(out io.Writer, title string, rows []row, events []tickwell.Event) {
	first, last := rows[0].at, rows[len(rows)-1].at
	column := func(at time.Time) int {
		return min(width-1, int(float64(width)*float64(at.Sub(first))/float64(last.Sub(first)+1)))
	}
	sums, counts := make([]float64, width), make([]float64, width)
	low, high := math.Inf(1), math.Inf(-1)
	for _, r := range rows {
		sums[column(r.at)] += r.value
		counts[column(r.at)]++
	}
	for i := range sums {
		if counts[i] > 0 {
			sums[i] /= counts[i]
			low, high = min(low, sums[i]), max(high, sums[i])
		}
	}
	blocks := []rune(" ▁▂▃▄▅▆▇█")
	fmt.Fprintln(out, title)
	for line := height - 1; line >= 0; line-- {
		label := ""
		switch line {
		case height - 1:
			label = fmt.Sprintf("%.1f", high)
		case 0:
			label = fmt.Sprintf("%.1f", low)
		}
		var b strings.Builder
		for i, v := range sums {
			level := 0.0
			if counts[i] > 0 {
				level = (v-low)/max(high-low, 1e-9)*float64(height*8-1) + 1 - float64(line*8)
			}
			b.WriteRune(blocks[int(max(0, min(8, level)))])
		}
		fmt.Fprintf(out, "%9s ┤%s\n", label, b.String())
	}
	for _, name := range []string{"temperature", "silent"} {
		marks := []rune(strings.Repeat("·", width))
		from := -1
		for _, e := range events {
			switch {
			case e.Source != name:
			case e.Status == tickwell.StatusFiring:
				from = column(e.Time)
			case from >= 0:
				mark(marks, from, column(e.Time))
				from = -1
			}
		}
		if from >= 0 {
			mark(marks, from, width-1)
		}
		fmt.Fprintf(out, "%11s %s\n", name, string(marks))
	}
}

func mark(marks []rune, from, to int) {
	for i := from; i <= to; i++ {
		marks[i] = '█'
	}
}
