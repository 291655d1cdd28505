package chart

import (
	"fmt"
	"html"
	"io"
	"math"
	"strings"
)

// Picture is a line with bands below it, such as a series and when its alerts
// fired.
type Picture struct {
	Title    string    // above the line
	From, To string    // what stands at the left and right end of the axis
	Values   []float64 // one a column; NaN is a gap
	Bands    []Band    // below it, from above to below
}

// Band is a row of spans below the line.
type Band struct {
	Name  string   // at its left
	Spans [][2]int // first and last column
}

const (
	plotLeft, plotTop    = 70, 34
	plotWidth, plotTall  = 700, 160
	bandTall             = 22
	ink, line, bandColor = "#444", "#1f6feb", "#d1242f"
)

// SVG writes the picture as an SVG document of fixed width.
func (p *Picture) SVG(w io.Writer) error {
	low, high, span := extent(p.Values)
	bottom := plotTop + plotTall
	total := bottom + 30 + bandTall*len(p.Bands)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="800" height="%d" viewBox="0 0 800 %d" font-family="sans-serif" font-size="12" fill="%s">`+"\n", total, total, ink)
	fmt.Fprintf(&b, `<rect width="800" height="%d" fill="#fff"/>`+"\n", total)
	p.text(&b, plotLeft, 20, "start", p.Title)
	if low <= high {
		p.text(&b, plotLeft-8, plotTop+8, "end", fmt.Sprintf("%.1f", high))
		p.text(&b, plotLeft-8, bottom, "end", fmt.Sprintf("%.1f", low))
	}
	for _, part := range runs(p.Values) {
		fmt.Fprintf(&b, `<polyline fill="none" stroke="%s" stroke-width="1.5" points="`, line)
		for i := part[0]; i <= part[1]; i++ {
			y := float64(bottom) - (p.Values[i]-low)/span*plotTall
			fmt.Fprintf(&b, "%.1f,%.1f ", p.x(i), y)
		}
		b.WriteString(`"/>` + "\n")
	}
	fmt.Fprintf(&b, `<path d="M%d %dV%dH%d" fill="none" stroke="%s"/>`+"\n", plotLeft, plotTop, bottom, plotLeft+plotWidth, ink)
	p.text(&b, plotLeft, bottom+16, "start", p.From)
	p.text(&b, plotLeft+plotWidth, bottom+16, "end", p.To)
	for i, band := range p.Bands {
		y := bottom + 24 + bandTall*i
		p.text(&b, plotLeft-8, y+13, "end", band.Name)
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%d" height="14" fill="#eee"/>`+"\n", plotLeft, y, plotWidth)
		for _, s := range band.Spans {
			fmt.Fprintf(&b, `<rect x="%.1f" y="%d" width="%.1f" height="14" fill="%s"/>`+"\n", p.x(s[0]), y, math.Max(2, p.x(s[1])-p.x(s[0])), bandColor)
		}
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func (p *Picture) x(column int) float64 {
	return plotLeft + plotWidth*float64(column)/float64(max(1, len(p.Values)-1))
}

func (p *Picture) text(b *strings.Builder, x, y int, anchor, text string) {
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="%s">%s</text>`+"\n", x, y, anchor, html.EscapeString(text))
}

// runs returns the first and last index of each run of finite values.
func runs(values []float64) (all [][2]int) {
	open := -1
	for i, v := range values {
		finite := !math.IsNaN(v) && !math.IsInf(v, 0)
		if finite && open < 0 {
			open = i
		}
		if open >= 0 && (!finite || i == len(values)-1) {
			last := i
			if !finite {
				last--
			}
			all = append(all, [2]int{open, last})
			open = -1
		}
	}
	return all
}
