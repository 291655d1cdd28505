// Package boiler is a service as it might be anywhere: it writes what it
// measures to a store and asks the store for what it needs. Its tests, beside
// it, use a store in memory with a clock that they move.
package boiler

import (
	"context"
	"fmt"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/alert"
	"github.com/tickwell/tickwell/expr"
)

// Boiler watches one boiler.
type Boiler struct {
	DB     *tickwell.DB // where its rows are
	Device string       // such as "root.house.boiler"
}

// Rules are the triggers that the service installs.
func Rules() []tickwell.TriggerSpec {
	return []tickwell.TriggerSpec{
		alert.Rule{Name: "overheated", Condition: alert.Above(90, 80), For: time.Minute}.Spec("root.boiler.*.temp"),
		alert.Rule{Name: "silent", Absent: 10 * time.Minute}.Spec("root.boiler.*.temp"),
	}
}

// Measured stores a reading.
func (b *Boiler) Measured(ctx context.Context, at time.Time, temp float64) error {
	return b.DB.Insert(ctx, b.Device, at, tickwell.Float64("temp", temp))
}

// Mean returns the average temperature from start to end.
func (b *Boiler) Mean(ctx context.Context, start, end time.Time) (float64, error) {
	r, err := b.DB.Query(ctx, tickwell.Query{Select: []expr.Expr{expr.Avg(expr.Col("temp"))}, From: []string{b.Device}, Start: start, End: end})
	if err != nil {
		return 0, err
	}
	for row, err := range r.Rows() {
		if err != nil {
			return 0, err
		}
		if !row.IsNull(0) {
			return row.Float64(0), nil
		}
	}
	return 0, fmt.Errorf("mean of %s: nothing was measured: %w", b.Device, tickwell.ErrNotFound)
}
