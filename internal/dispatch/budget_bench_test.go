package dispatch

import (
	"context"
	"testing"
	"time"

	"github.com/tickwell/tickwell/internal/clock"
)

// BenchmarkBudgetedRun is what a call that returns at once costs above a plain one.
func BenchmarkBudgetedRun(b *testing.B) {
	x := NewBudgeted(clock.System(), 8)
	ctx := context.Background()
	for b.Loop() {
		_ = x.Run(ctx, "t", time.Second, func(context.Context) error { return nil })
	}
}
