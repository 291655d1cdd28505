package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/examples/chart"
)

// picture is the rows by column with, below, where alerts fired.
func picture(rows []row, events []tickwell.Event, width int) *chart.Picture {
	first, last := rows[0].at, rows[len(rows)-1].at
	column := func(at time.Time) int {
		return min(width-1, int(float64(width)*float64(at.Sub(first))/float64(last.Sub(first)+1)))
	}
	p := &chart.Picture{
		Title: fmt.Sprintf("%s, %s to %s", series, first.Format(time.DateOnly), last.Format(time.DateOnly)),
		From:  first.Format(time.DateOnly), To: last.Format(time.DateOnly),
		Values: make([]float64, width),
	}
	counts := make([]float64, width)
	for _, r := range rows {
		p.Values[column(r.at)] += r.value
		counts[column(r.at)]++
	}
	for i, n := range counts {
		if n > 0 {
			p.Values[i] /= n
		} else {
			p.Values[i] = math.NaN()
		}
	}
	for _, name := range []string{"temperature", "silent"} {
		band := chart.Band{Name: name}
		from := -1
		for _, e := range events {
			switch {
			case e.Source != name:
			case e.Status == tickwell.StatusFiring:
				from = column(e.Time)
			case from >= 0:
				band.Spans = append(band.Spans, [2]int{from, column(e.Time)})
				from = -1
			}
		}
		if from >= 0 {
			band.Spans = append(band.Spans, [2]int{from, width - 1})
		}
		p.Bands = append(p.Bands, band)
	}
	return p
}

// draw shows a picture in the terminal.
func draw(out io.Writer, p *chart.Picture) error {
	fmt.Fprintln(out, p.Title)
	if err := chart.Blocks(out, p.Values, 8, 9, "%.1f"); err != nil {
		return err
	}
	for _, band := range p.Bands {
		marks := []rune(strings.Repeat("·", len(p.Values)))
		for _, s := range band.Spans {
			for i := s[0]; i <= s[1]; i++ {
				marks[i] = '█'
			}
		}
		fmt.Fprintf(out, "%11s %s\n", band.Name, string(marks))
	}
	return nil
}
