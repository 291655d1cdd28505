package main

import (
	"fmt"
	"math"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
)

func plotCommand() *command {
	f := newFlags()
	var s span
	f.StringVar(&s.start, "start", "", "draw from this `TIME` on (the first point)")
	f.StringVar(&s.end, "end", "", "draw up to this `TIME` (after the last point)")
	f.StringVar(&s.zone, "zone", "UTC", "the time `ZONE` of -start and -end")
	fold := f.String("fold", "avg", "what a column of the chart shows of its points: `avg`, min, max, last or count")
	width := f.Int("width", 0, "columns of the chart; 0: as wide as the terminal")
	height := f.Int("height", 8, "rows of a chart")
	most := f.Int("n", 8, "draw at most `N` series")
	return &command{
		name: "plot", args: "DIR PATTERN", short: "Draws series as charts in the terminal.", lo: 2, hi: 2, flags: f,
		long: `
Draws a chart of each numeric or boolean series that matches the pattern. Each
column of a chart is a piece of time; it shows the average of the points in it,
or what -fold says. An empty column has no points.

    tickwell plot data root.plant.press1.temperature
    tickwell plot -start -24h -fold max data 'root.plant.**'

` + timeHelp,
		run: func(c *call, args []string) error {
			start, end, err := s.times()
			if err != nil {
				return err
			}
			functions := map[string]string{"avg": "avg", "min": "min_value", "max": "max_value", "last": "last_value", "count": "count"}
			function := functions[*fold]
			switch {
			case function == "":
				return wrongf("-fold is avg, min, max, last or count")
			case *height < 1 || *height > 200 || *width < 0 || *width > 10000 || *most < 1:
				return wrongf("-height, -width or -n is out of range")
			}
			if *width == 0 {
				*width = max(20, terminalWidth(c.out)-16)
			}
			p := plotter{start, end, function, *fold, *width, *height}
			return p.run(c, args[0], args[1], *most)
		},
	}
}

type plotter struct {
	start, end     time.Time
	function, word string
	width, height  int
}

func (p *plotter) run(c *call, dir, pattern string, most int) (err error) {
	db, err := openForReading(c, dir)
	if err != nil {
		return err
	}
	defer closing(db, &err)
	series, err := listSeries(c, db, pattern)
	if err != nil {
		return err
	}
	drawn, left := 0, 0
	for _, s := range series {
		if s.Kind == tickwell.KindText && p.function != "count" {
			continue
		}
		if drawn == most {
			left++
			continue
		}
		if drawn > 0 {
			c.printf("\n")
		}
		if err := p.draw(c, db, s); err != nil {
			return err
		}
		drawn++
	}
	if drawn == 0 {
		return fmt.Errorf("no series that can be drawn matches %s: %w", pattern, tickwell.ErrNotFound)
	}
	if left > 0 {
		c.note("%d more series match: -n draws more", left)
	}
	return nil
}

func (p *plotter) draw(c *call, db *tickwell.DB, s tickwell.SeriesInfo) error {
	start, end, points, err := p.bounds(c, db, s)
	if err != nil {
		return err
	}
	columns := make([]float64, p.width)
	for i := range columns {
		columns[i] = math.NaN()
	}
	if points > 0 {
		step := (end.Sub(start) + time.Duration(p.width) - 1) / time.Duration(p.width)
		col := expr.Col(s.Path())
		if s.Kind == tickwell.KindBool && p.function == "avg" {
			col = expr.Case(col, 1.0, 0.0)
		}
		res, err := db.Query(c, tickwell.Query{
			Select: []expr.Expr{expr.Call(p.function, col)}, Start: start, End: end, GroupBy: tickwell.GroupByTime{Interval: max(1, step)},
		})
		if err != nil {
			return err
		}
		i := 0
		for row, err := range res.Rows() {
			if err != nil {
				return err
			}
			if i < len(columns) {
				columns[i] = row.Float64(0)
			}
			i++
		}
		columns = columns[:max(1, min(i, len(columns)))]
	}
	title := fmt.Sprintf("%s, %s of %d points", s.Path(), p.word, points)
	drawChart(c.out, title, columns, p.height, start, end.Add(-1))
	return nil
}

// bounds returns the range to draw, which begins and ends with points unless it
// was given, and the number of points in it.
func (p *plotter) bounds(c *call, db *tickwell.DB, s tickwell.SeriesInfo) (start, end time.Time, points int64, err error) {
	col := expr.Col(s.Path())
	res, err := db.Query(c, tickwell.Query{
		Select: []expr.Expr{expr.Count(col), expr.Call("min_time", col), expr.Call("max_time", col)}, Start: p.start, End: p.end,
	})
	if err != nil {
		return start, end, 0, err
	}
	start, end = p.start, p.end
	for row, err := range res.Rows() {
		if err != nil {
			return start, end, 0, err
		}
		if points = row.Value(0).Int64(); points == 0 {
			break
		}
		if start.IsZero() {
			start = time.Unix(0, row.Value(1).Int64())
		}
		if end.IsZero() {
			end = time.Unix(0, row.Value(2).Int64()).Add(1)
		}
	}
	return start, end, points, nil
}
