package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
)

// tickwellStore keeps averages by a continuous query, or, to rescan, by asking
// again for each minute.
type tickwellStore struct{ rescan bool }

func (tickwellStore) open() (*tickwell.DB, error) {
	return tickwell.Open(context.Background(), "", &tickwell.Options{Logger: slog.New(slog.DiscardHandler)})
}

func (t tickwellStore) trigger(n int64, on string) (told, calls int64, err error) {
	ctx := context.Background()
	db, err := t.open()
	if err != nil {
		return 0, 0, err
	}
	defer db.Close()
	if on != "" {
		err := db.CreateTrigger(ctx, tickwell.TriggerSpec{Name: "high", Pattern: "root.d." + on,
			Trigger: tickwell.OnBatch(func(_ context.Context, _ *tickwell.Firing, _ string, _ []int64, values []float64) error {
				calls++
				for _, v := range values {
					if v > limit {
						told++
					}
				}
				return nil
			})})
		if err != nil {
			return 0, 0, err
		}
	}
	times, values := make([]int64, rowsPerBatch), make(tickwell.Float64s, rowsPerBatch)
	batch := &tickwell.Tablet{Device: "root.d", Times: times, Columns: []tickwell.Column{{Name: "v", Data: values}}}
	for i := int64(0); i+rowsPerBatch <= n; i += rowsPerBatch {
		for j := range int64(rowsPerBatch) {
			times[j], values[j] = start.UnixNano()+(i+j)*int64(time.Second), value(0, i+j)
		}
		if err := db.InsertTablet(ctx, batch); err != nil {
			return 0, 0, err
		}
	}
	return told, calls, nil
}

func (t tickwellStore) minutes(seconds int64, with bool) (sum float64, err error) {
	return t.keep(seconds, with, "root.d.*")
}

func (t tickwellStore) elsewhere(seconds int64, with bool) (sum float64, err error) {
	return t.keep(seconds, with, "root.e.*")
}

// keep inserts rows below root.d, and keeps averages of the series below from.
func (t tickwellStore) keep(seconds int64, with bool, from string) (sum float64, err error) {
	ctx := context.Background()
	db, err := t.open()
	if err != nil {
		return 0, err
	}
	defer db.Close()
	query := tickwell.Query{Select: []expr.Expr{expr.Avg(expr.Col("v"))}, From: []string{from},
		GroupBy: tickwell.GroupByTime{Interval: time.Minute}}
	for s := range series {
		query.Into = append(query.Into, tickwell.Target{Device: fmt.Sprintf("root.m.s%03d", s), Columns: []string{"v"}})
	}
	if with && !t.rescan {
		if err := db.CreateContinuousQuery(ctx, tickwell.CQSpec{Name: "minutes", Query: query}); err != nil {
			return 0, err
		}
	}
	tablets := make([]*tickwell.Tablet, series)
	for s := range tablets {
		tablets[s] = &tickwell.Tablet{Device: fmt.Sprintf("root.d.s%03d", s), Times: make([]int64, 1),
			Columns: []tickwell.Column{{Name: "v", Data: make(tickwell.Float64s, 1)}}}
	}
	for i := range seconds {
		for s, tab := range tablets {
			tab.Times[0] = start.UnixNano() + i*int64(time.Second)
			tab.Columns[0].Data.(tickwell.Float64s)[0] = value(int64(s), i)
		}
		if err := db.InsertTablets(ctx, tablets...); err != nil {
			return 0, err
		}
		if with && t.rescan && i > 0 && i%60 == 0 {
			query.Start, query.End = start.Add(time.Duration(i-60)*time.Second), start.Add(time.Duration(i)*time.Second)
			r, err := db.Query(ctx, query)
			if err != nil {
				return 0, err
			}
			if _, err := r.Collect(); err != nil {
				return 0, err
			}
		}
	}
	if !with {
		return 0, nil
	}
	if err := db.Quiesce(ctx); err != nil {
		return 0, err
	}
	r, err := db.Query(ctx, tickwell.Query{Select: []expr.Expr{expr.Sum(expr.Col("v"))}, From: []string{"root.m.*"}})
	if err != nil {
		return 0, err
	}
	for row, err := range r.Rows() {
		if err != nil {
			return 0, err
		}
		for c := range row.Len() {
			sum += row.Float64(c)
		}
	}
	return sum, nil
}
