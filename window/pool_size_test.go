package window

import (
	"math"
	"testing"
)

// TestPoolOfTooManyWorkers holds that the greatest number of workers is not taken
// at its word: they would take all memory.
func TestPoolOfTooManyWorkers(t *testing.T) {
	if err := NewPool(PoolOptions{Workers: math.MaxInt, MaxPending: math.MaxInt}).Close(); err != nil {
		t.Error(err)
	}
}
