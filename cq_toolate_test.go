package tickwell

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/clock"
)

// counted counts the lines that have a text.
type countedLines struct {
	slog.Handler
	text string
	n    atomic.Int64
}

func (c *countedLines) Enabled(context.Context, slog.Level) bool { return true }

func (c *countedLines) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, c.text) {
		c.n.Add(1)
	}
	return nil
}

func (c *countedLines) WithAttrs([]slog.Attr) slog.Handler { return c }

// The runs that a clock brings which is set forward by years do not fill the log.
func TestCQTooLateIsToldBriefly(t *testing.T) {
	if small {
		t.Skip("reads what went to Options.Logger")
	}
	lines := &countedLines{text: "older than they are kept"}
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	ctx, clk := t.Context(), clock.NewFake(begin)
	var runs atomic.Int64
	db := openMem(t, &Options{Clock: clk, TTL: time.Hour, Logger: slog.New(lines), Observer: &Observer{Run: func(CQRunInfo) { runs.Add(1) }}})
	must(t, db.Insert(ctx, "root.d", begin, Float64("a", 1)))
	clk.Set(time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC))
	must(t, db.CreateContinuousQuery(ctx, CQSpec{Name: "hourly", Every: time.Hour, Query: Query{
		Select: []expr.Expr{expr.Count(expr.Col("a"))}, From: []string{"root.d"},
		GroupBy: GroupByTime{Interval: time.Hour}, Into: []Target{{Device: "root.hourly", Columns: []string{"n"}}},
	}}))
	clk.Set(begin.Add(time.Minute))
	clk.Advance(time.Minute)
	must(t, db.Quiesce(ctx))
	if runs.Load() < 10_000 || lines.n.Load() == 0 || lines.n.Load() > 14 {
		t.Errorf("%d runs, told %d times", runs.Load(), lines.n.Load())
	}
	must(t, db.Close())
}
