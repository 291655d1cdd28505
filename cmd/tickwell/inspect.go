package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
)

func inspectCommand() *command {
	f := newFlags()
	pattern := f.String("series", everything, "list the series that match `PATTERN`")
	most := f.Int("n", 40, "list at most `N` series; 0: all")
	return &command{
		name: "inspect", args: "DIR", short: "Shows what a store holds.", lo: 1, hi: 1, flags: f,
		long: `
Prints sizes and files, the memory that a program needs for what is not in files
yet, the series with kind, points and time range, triggers, continuous queries
with their lag, and the outbox. The store is opened for reading, also beside a
program that writes to it, and shown as it is at that moment. Damage that is met
on the way is told, and is exit code 3; only verify reads every byte.

    tickwell inspect data
    tickwell inspect -series 'root.plant.**' -n 0 data
`,
		run: func(c *call, args []string) error { return inspect(c, args[0], *pattern, *most) },
	}
}

func inspect(c *call, dir, pattern string, most int) (err error) {
	db, err := openForReading(c, dir)
	if err != nil {
		return err
	}
	defer closing(db, &err)
	series, err := listSeries(c, db, pattern)
	if err != nil {
		return err
	}
	s := db.Stats()
	met := db.Recovery().Damage
	rows := []seriesRow{}
	shown := len(series)
	if most > 0 {
		shown = min(shown, most)
	}
	for _, one := range series[:shown] {
		r, err := describe(c, db, one)
		if err != nil {
			return err
		}
		rows, met = append(rows, r), together(met, r.damage)
	}
	total, damage, err := countPoints(c, db, everything)
	if err != nil {
		return err
	}
	met = together(met, damage)
	c.printf("%s\n", dir)
	c.printf("  series      %d\n", s.Series)
	c.printf("  points      %d\n", total)
	perPoint := "-"
	if total > 0 {
		perPoint = fmt.Sprintf("%.2f bytes a point, log included", float64(s.DiskBytes+s.LogBytes)/float64(total))
	}
	c.printf("  disk        %s in %s, %s of log; %s\n", size(s.DiskBytes), plural(s.Files, "block file", "block files"), size(s.LogBytes), perPoint)
	c.printf("  memory      %s for points that are not in files yet, %s for events that wait\n", size(s.MemtableBytes), size(s.OutboxBytes))
	c.printf("  recovered   %s\n", plural(db.Recovery().Replayed, "log record", "log records"))
	if n := len(met); n > 0 {
		c.printf("  DAMAGED     in %s at least: see below, and tickwell verify %s\n", plural(n, "place", "places"), dir)
	}
	c.printf("\n")
	inspectSeries(c, rows, len(series))
	inspectTriggers(c, db)
	if err := inspectQueries(c, db); err != nil {
		return err
	}
	inspectSinks(c, db)
	if len(met) == 0 {
		return nil
	}
	c.printf("damage\n")
	c.printDamage(met)
	return exitError(exitDamage)
}

// seriesRow is what is told of a series.
type seriesRow struct {
	tickwell.SeriesInfo
	points      int64
	first, last time.Time
	newest      tickwell.Value
	damage      []tickwell.Damage // what could not be read of it
}

func describe(c *call, db *tickwell.DB, s tickwell.SeriesInfo) (seriesRow, error) {
	r := seriesRow{SeriesInfo: s}
	col := expr.Col(s.Path())
	res, err := db.Query(c, tickwell.Query{
		Select:       []expr.Expr{expr.Count(col), expr.Call("min_time", col), expr.Call("max_time", col), expr.Last(col)},
		AllowDamaged: true,
	})
	if err != nil {
		return r, err
	}
	for row, err := range res.Rows() {
		if err != nil {
			return r, err
		}
		r.points, r.newest = row.Value(0).Int64(), row.Value(3)
		if r.points > 0 {
			r.first, r.last = time.Unix(0, row.Value(1).Int64()).UTC(), time.Unix(0, row.Value(2).Int64()).UTC()
		}
	}
	r.damage = res.Damage()
	return r, nil
}

// countPoints counts the points of all series that match a pattern and can be read.
func countPoints(c *call, db *tickwell.DB, pattern string) (total int64, damage []tickwell.Damage, err error) {
	series, err := listSeries(c, db, pattern)
	if err != nil {
		return 0, nil, err
	}
	const atOnce = 256
	for len(series) > 0 {
		n := min(atOnce, len(series))
		q := tickwell.Query{AllowDamaged: true}
		for _, s := range series[:n] {
			q.Select = append(q.Select, expr.Count(expr.Col(s.Path())))
		}
		series = series[n:]
		res, err := db.Query(c, q)
		if err != nil {
			return 0, nil, err
		}
		for row, err := range res.Rows() {
			if err != nil {
				return 0, nil, err
			}
			for i := range row.Len() {
				total += row.Value(i).Int64()
			}
		}
		damage = together(damage, res.Damage())
	}
	return total, damage, nil
}

func inspectSeries(c *call, rows []seriesRow, all int) {
	t := table{head: []string{"series", "kind", "points", "first", "last", "newest"}, right: map[int]bool{2: true}}
	for _, r := range rows {
		switch {
		case len(r.damage) > 0:
			t.add(r.Path(), kindNames[r.Kind], "damaged", "", "", fmt.Sprintf("%s left", plural(int(r.points), "point", "points")))
		case r.points == 0:
			t.add(r.Path(), kindNames[r.Kind], "0")
		default:
			t.add(r.Path(), kindNames[r.Kind], fmt.Sprint(r.points), stamp(r.first), stamp(r.last), short(r.newest.String(), 24))
		}
	}
	t.print(c)
	if all > len(rows) {
		c.printf("… and %d more (-n 0 shows all, -series PATTERN fewer)\n", all-len(rows))
	}
}

func inspectTriggers(c *call, db *tickwell.DB) {
	t := table{title: "triggers", head: []string{"name", "event", "type", "state", "pattern", "class", "attributes"}}
	for tr := range db.Triggers() {
		pattern := tr.Spec.Pattern
		if pattern == "" {
			pattern = tr.Spec.Series
		}
		t.add(tr.Spec.Name, tr.Spec.When.String(), tr.Type, tr.State, pattern, tr.ClassName, pairs(tr.Spec.Params))
	}
	t.print(c)
}

func inspectQueries(c *call, db *tickwell.DB) error {
	all, err := db.ContinuousQueries(c)
	if err != nil {
		return err
	}
	t := table{title: "continuous queries", head: []string{"name", "state", "mode", "last run", "lag", "definition"}}
	for q := range all {
		mode := "every " + q.Spec.Every.String()
		switch {
		case q.Incremental:
			mode = "incremental"
		case q.Spec.Cron != "":
			mode = "cron " + q.Spec.Cron
		}
		last, lag := "-", "-"
		if !q.LastRun.IsZero() {
			last = stamp(q.LastRun)
		}
		if q.Lag > 0 {
			lag = q.Lag.Round(time.Second).String()
		}
		t.add(q.Spec.Name, q.State, mode, last, lag, short(strings.Join(strings.Fields(q.Spec.Text), " "), 80))
	}
	t.print(c)
	return nil
}

func inspectSinks(c *call, db *tickwell.DB) {
	t := table{title: "outbox", head: []string{"sink", "waiting", "bytes", "oldest", "dead letters", "dropped", "dead dropped"}, right: map[int]bool{1: true, 2: true, 3: true, 4: true, 5: true, 6: true}}
	for _, s := range db.Stats().Sinks {
		oldest := "-"
		if s.OldestAge > 0 {
			oldest = s.OldestAge.Round(time.Second).String()
		}
		t.add(s.Name, fmt.Sprint(s.Backlog), fmt.Sprint(s.Bytes), oldest, fmt.Sprint(s.DeadLetters), fmt.Sprint(s.Dropped), fmt.Sprint(s.DeadDropped))
	}
	t.print(c)
}
