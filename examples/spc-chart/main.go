// Command spc-chart keeps a Shewhart chart: parts are measured, the means of
// five are compared with limits that the first twenty subgroups have set, and
// two rules tell when the process is out of control: a mean outside three
// sigma, and eight means in a row on one side of the centre.
//
//	go run ./examples/spc-chart
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/window"
)

func main() {
	log.SetFlags(0)
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal("spc-chart: ", err)
	}
}

const (
	part     = "root.line1.lathe"
	chart    = "root.line1.chart"
	subgroup = 5
	settling = 20 // subgroups that set the limits
)

// control is a Shewhart chart of means.
type control struct {
	means         []float64 // while it settles
	centre, sigma float64   // of a mean
	side          float64
	inRow         int
}

// mean takes the mean of a subgroup and returns what is wrong with it.
func (c *control) mean(m float64) (rule string) {
	if len(c.means) < settling {
		c.means = append(c.means, m)
		sum, squares := 0.0, 0.0
		for _, v := range c.means {
			sum += v
		}
		c.centre = sum / float64(len(c.means))
		for _, v := range c.means {
			squares += (v - c.centre) * (v - c.centre)
		}
		c.sigma = math.Sqrt(squares / float64(len(c.means)))
		return ""
	}
	if side := math.Copysign(1, m-c.centre); side == c.side {
		c.inRow++
	} else {
		c.side, c.inRow = side, 1
	}
	switch {
	case math.Abs(m-c.centre) > 3*c.sigma:
		return "outside 3 sigma"
	case c.inRow == 8:
		return "8 on one side"
	}
	return ""
}

func run(ctx context.Context, out io.Writer) error {
	limits := &control{}
	var told []tickwell.Event
	db, err := tickwell.Open(ctx, "", &tickwell.Options{
		Sinks: []tickwell.SinkSpec{{Name: "operator", Sink: tickwell.SinkFunc(func(_ context.Context, events []tickwell.Event) error {
			told = append(told, events...)
			return nil
		})}},
		Triggers: []tickwell.TriggerSpec{{
			Name: "xbar", Pattern: part + ".diameter", Stateful: true,
			Trigger: tickwell.OnWindow(window.Count(subgroup), nil, func(ctx context.Context, f *tickwell.Firing, series string, w window.Window[float64]) error {
				sum := 0.0
				for _, v := range w.Values() {
					sum += v
				}
				mean := sum / float64(w.Len())
				at := time.Unix(0, w.Time(w.Len()-1))
				if rule := limits.mean(mean); rule != "" {
					f.Emit(tickwell.Event{Series: series, Time: at, Fields: []tickwell.Field{tickwell.Float64("mean", mean)}, Labels: map[string]string{"rule": rule}})
				}
				t := &tickwell.Tablet{Device: chart}
				if err := t.Append(at, tickwell.Float64("mean", mean)); err != nil {
					return err
				}
				return f.Write(t)
			}),
		}},
	})
	if err != nil {
		return err
	}
	defer db.Close()
	// Sixty subgroups of turned parts. The tool breaks in the 34th, is replaced
	// after the 36th, and is a little off from the 45th on.
	rng := rand.New(rand.NewPCG(1, 1))
	at := time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC)
	for i := range 60 * subgroup {
		d := 20 + 0.01*rng.NormFloat64()
		switch g := i/subgroup + 1; {
		case g >= 34 && g <= 36:
			d += 0.03
		case g >= 45:
			d += 0.006
		}
		if err := db.Insert(ctx, part, at, tickwell.Float64("diameter", d)); err != nil {
			return err
		}
		at = at.Add(20 * time.Second)
	}
	if err := db.Quiesce(ctx); err != nil {
		return err
	}
	if err := draw(ctx, out, db, limits, told); err != nil {
		return err
	}
	for _, e := range told {
		fmt.Fprintf(out, "%s  mean %.4f mm: %s\n", e.Time.UTC().Format(time.TimeOnly), e.Get("mean").Float64(), e.Labels["rule"])
	}
	return nil
}

// draw shows the stored means between their limits.
func draw(ctx context.Context, out io.Writer, db *tickwell.DB, c *control, told []tickwell.Event) error {
	r, err := db.Query(ctx, tickwell.Query{Select: []expr.Expr{expr.Col("mean")}, From: []string{chart}})
	if err != nil {
		return err
	}
	var times []time.Time
	var means []float64
	for row, err := range r.Rows() {
		if err != nil {
			return err
		}
		times, means = append(times, row.Time()), append(means, row.Float64(0))
	}
	marks := map[int64]bool{}
	for _, e := range told {
		marks[e.Time.UnixNano()] = true
	}
	const half = 9 // lines above and below the centre, two a sigma
	for line := half; line >= -half; line-- {
		var b strings.Builder
		for i, m := range means {
			at := int(math.Round((m - c.centre) / c.sigma * 2))
			switch at = max(-half, min(half, at)); {
			case at == line && marks[times[i].UnixNano()]:
				b.WriteRune('●')
			case at == line:
				b.WriteRune('·')
			case line == 0 || line == 6 || line == -6:
				b.WriteRune('─')
			default:
				b.WriteRune(' ')
			}
		}
		label := ""
		switch line {
		case 6, 0, -6:
			label = fmt.Sprintf("%.4f", c.centre+float64(line)/2*c.sigma)
		}
		fmt.Fprintln(out, strings.TrimRight(fmt.Sprintf("%9s %s", label, b.String()), " "))
	}
	fmt.Fprintln(out)
	return nil
}
