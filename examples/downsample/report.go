package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
)

// report says what was computed and what is left, and compares the hours.
func (p *plant) report(ctx context.Context) error {
	if err := p.db.Compact(ctx); err != nil {
		return err
	}
	list, err := p.db.ContinuousQueries(ctx)
	if err != nil {
		return err
	}
	fmt.Println("what was computed since the restart")
	for q := range list {
		fmt.Printf("  %-8s %-7s %6d windows, %d still open, rows seen until %s\n", q.Spec.Name, q.State, q.Computed, q.Dirty, q.Watermark.Format("2006-01-02 15:04"))
	}
	fmt.Println("what is left of p1")
	for _, level := range []struct{ path, column string }{{"raw", "bar"}, {"minutes", "n"}, {"hours", "n"}} {
		col := expr.Col(level.column)
		res, err := p.db.Query(ctx, tickwell.Query{Select: []expr.Expr{expr.Count(col), expr.Call("min_time", col)}, From: []string{"root." + level.path + ".p1"}})
		if err != nil {
			return err
		}
		for row, err := range res.Rows() {
			if err != nil {
				return err
			}
			fmt.Printf("  %-8s %6d rows since %s\n", level.path, row.Value(0).Int64(), time.Unix(0, row.Value(1).Int64()).UTC().Format("2006-01-02 15:04"))
		}
	}
	s := p.db.Stats()
	fmt.Printf("on disk: %.2f MiB in %d files, after %d readings\n", float64(s.DiskBytes+s.LogBytes)/(1<<20), s.Files, p.count())
	return p.compare(ctx)
}

func (p *plant) count() (n int64) {
	for _, t := range p.expected {
		n += t.n
	}
	return n
}

// compare wants each hour that is over to be what was put in, also those of
// which every reading has expired.
func (p *plant) compare(ctx context.Context) error {
	hours := 0
	for _, pump := range pumps {
		q := tickwell.Query{Select: []expr.Expr{expr.Col("n"), expr.Col("sum"), expr.Col("max")}, From: []string{"root.hours." + pump}}
		res, err := p.db.Query(ctx, q)
		if err != nil {
			return err
		}
		for row, err := range res.Rows() {
			if err != nil {
				return err
			}
			want := p.expected[hour{pump, row.UnixNano()}]
			n, sum, most := row.Value(0).Float64(), row.Value(1).Float64(), row.Value(2).Float64()
			if int64(n) != want.n || math.Abs(sum-want.sum) > 1e-6 || most != want.max {
				return fmt.Errorf("%s at %s: %v readings, sum %v, max %v; want %+v", pump, row.Time().Format(time.RFC3339), n, sum, most, want)
			}
			hours++
		}
	}
	if over := len(p.expected) - len(pumps); hours < over {
		return fmt.Errorf("%d hours are stored, %d are over", hours, over)
	}
	fmt.Printf("hours compared with what was put in: %d, all equal\n", hours)
	return nil
}
