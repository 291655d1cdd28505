package tickwell_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/tickwelltest"
)

type cqFunc func(ctx context.Context, r *tickwell.CQRun) error

func (f cqFunc) Run(ctx context.Context, r *tickwell.CQRun) error { return f(ctx, r) }

// A query that could not be dropped in time is there as before: it runs, and can be
// paused, resumed and dropped.
func TestCQDropGivenUp(t *testing.T) {
	s := tickwelltest.New(t, nil)
	ctx := context.Background()
	var hang atomic.Bool
	hang.Store(true)
	release, ran := make(chan struct{}), make(chan struct{}, 100)
	err := s.CreateContinuousQuery(ctx, tickwell.CQSpec{Name: "q", Every: 10 * time.Second, Query: cqFunc(func(context.Context, *tickwell.CQRun) error {
		ran <- struct{}{}
		if hang.Load() {
			<-release
		}
		return nil
	})})
	if err != nil {
		t.Fatal(err)
	}
	s.Clock.Advance(10 * time.Second)
	<-ran
	brief, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	if err := s.DropContinuousQuery(brief, "q"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("drop of a query whose run hangs: %v, want its context's error", err)
	}
	hang.Store(false)
	close(release)
	for range 3 {
		s.Advance(10 * time.Second)
	}
	if len(ran) == 0 {
		t.Error("it does not run any more")
	}
	for _, change := range []func(context.Context, string) error{s.PauseContinuousQuery, s.ResumeContinuousQuery, s.DropContinuousQuery} {
		if err := change(ctx, "q"); err != nil {
			t.Error(err)
		}
	}
}
