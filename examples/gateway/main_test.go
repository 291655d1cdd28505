package main

import (
	"context"
	"strings"
	"testing"
	"time"
)

// TestDemonstration runs the program: every alert and every average comes out
// once.
func TestDemonstration(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out strings.Builder
	if err := run(ctx, settings{client: "gateway", dir: t.TempDir()}, &out); err != nil {
		t.Fatal(err)
	}
	for part, want := range map[string]int{
		"published 183 readings": 1, "out/alerts/root.plant.press3": 6, `"temperature":92}`: 1,
		"out/averages/root.plant.press1": 6, "out/averages/root.plant.press2": 6, "out/averages/root.plant.press3": 6, `"average":90.5}`: 1,
	} {
		if n := strings.Count(out.String(), part); n != want {
			t.Errorf("%d times %q, want %d in\n%s", n, part, want, out.String())
		}
	}
}
