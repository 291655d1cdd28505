package schedule

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tickwell/tickwell/internal/clock"
)

func TestWaitIdle(t *testing.T) {
	clk := clock.NewFake(time.Unix(100, 0))
	s := NewScheduler(clk, 1)
	defer s.Close(time.Second)
	plan, err := Spec{Every: 10 * time.Second}.Plan()
	if err != nil {
		t.Fatal(err)
	}
	started, release := make(chan int64), make(chan struct{})
	if err := s.Add(Task{Name: "a", Plan: plan, Do: func(_ context.Context, r Run) error {
		started <- r.At
		<-release
		return nil
	}}); err != nil {
		t.Fatal(err)
	}
	if at := <-started; at != 100e9 {
		t.Fatalf("first run is due at %d, want 100e9", at)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.WaitIdle(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("while a task runs: got %v, want context.Canceled", err)
	}
	clk.Advance(20 * time.Second) // two more are due behind it
	idle := make(chan error, 1)
	go func() { idle <- s.WaitIdle(t.Context()) }()
	for _, want := range []int64{110e9, 120e9} {
		release <- struct{}{}
		if at := <-started; at != want {
			t.Fatalf("run is due at %d, want %d", at, want)
		}
		select {
		case err := <-idle:
			t.Fatalf("idle (%v) while the run of %d goes on", err, want)
		default:
		}
	}
	release <- struct{}{}
	if err := <-idle; err != nil {
		t.Fatal(err)
	}
}

// A task that the wall clock makes due by a step runs before the scheduler is idle,
// although no wake-up comes for it.
func TestWaitIdleAfterStep(t *testing.T) {
	clk := clock.NewFake(time.Unix(100, 0))
	s := NewScheduler(clk, 1)
	defer s.Close(time.Second)
	plan, err := Spec{Every: time.Hour}.Plan()
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan int64, 10)
	if err := s.Add(Task{Name: "a", Plan: plan, Do: func(_ context.Context, r Run) error {
		ran <- r.At
		return nil
	}}); err != nil {
		t.Fatal(err)
	}
	if err := s.WaitIdle(t.Context()); err != nil {
		t.Fatal(err)
	}
	clk.Set(time.Unix(3601, 0))
	if err := s.WaitIdle(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case at := <-ran:
		if at != 3600e9 {
			t.Errorf("ran for %d, want 3600e9", at)
		}
	default:
		t.Error("idle, and the run of 3600e9 has not been")
	}
}
