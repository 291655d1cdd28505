package main

import (
	"context"
	"testing"
)

// The program compares every hour with what was put in.
func TestDownsample(t *testing.T) {
	if err := run(context.Background(), t.TempDir(), 4); err != nil {
		t.Fatal(err)
	}
}
