package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// progress is a bar that is drawn over itself on a terminal.
type progress struct {
	out   io.Writer // nil: none
	unit  string
	total int64 // of what done counts, 0 if it is not known
	start time.Time
	drawn time.Time
	wide  int
	begin int64 // what was done before the start
}

// progressModes are the values of -progress.
const progressModes = "auto, always or never"

func newProgress(c *call, mode string, total, begin int64) (*progress, error) {
	p := &progress{total: total, begin: begin, start: time.Now(), unit: "rows"}
	switch mode {
	case "always":
		p.out = c.err
	case "auto":
		if isTerminal(c.err) {
			p.out = c.err
		}
	case "never":
	default:
		return nil, wrongf("-progress is %s", progressModes)
	}
	return p, nil
}

// show draws the bar unless that was just done.
func (p *progress) show(done, count int64) {
	if now := time.Now(); p.out != nil && now.Sub(p.drawn) > 100*time.Millisecond {
		p.drawn = now
		p.draw(done, count)
	}
}

func (p *progress) draw(done, count int64) {
	spent := time.Since(p.start)
	var b strings.Builder
	if p.total > 0 {
		const cells = 30
		part := min(1, float64(done)/float64(p.total))
		full := int(part * cells)
		fmt.Fprintf(&b, "%3.0f %% ▕%s%s▏ ", 100*part, strings.Repeat("█", full), strings.Repeat("·", cells-full))
	}
	fmt.Fprintf(&b, "%d %s, %.0f/s", count, p.unit, float64(count)/max(spent.Seconds(), 1e-3))
	if fresh := done - p.begin; p.total > done && fresh > 0 && spent > time.Second {
		left := time.Duration(float64(spent) / float64(fresh) * float64(p.total-done))
		fmt.Fprintf(&b, ", %s left", left.Round(time.Second))
	}
	n := len([]rune(b.String()))
	fmt.Fprintf(p.out, "\r%s%s", b.String(), strings.Repeat(" ", max(0, p.wide-n)))
	p.wide = n
}

// end draws the bar a last time and leaves its line.
func (p *progress) end(done, count int64) {
	if p.out != nil {
		p.draw(done, count)
		fmt.Fprintln(p.out)
	}
}
