package trial

import (
	"slices"
	"testing"
	"time"
)

// Throughput compares what a sink does in a second with what the bare client
// does: the same messages, the same acknowledgements, in turn within one run. The
// sink has to reach goal times the bare client's rate in one round of many, for
// the machine has other things to do as well; three are always measured. It
// returns the ratios, sorted, and the best rate of the bare client.
func Throughput(t *testing.T, messages int, goal float64, bare, ours func()) (ratios []float64, rate float64) {
	t.Helper()
	for round := 0; round < 12 && (round < 3 || slices.Max(ratios) < goal); round++ {
		began := time.Now()
		bare()
		between := time.Now()
		ours()
		a, b := between.Sub(began).Seconds(), time.Since(between).Seconds()
		ratios = append(ratios, a/b)
		rate = max(rate, float64(messages)/a)
		t.Logf("bare client %.0f messages/s, sink %.0f messages/s", float64(messages)/a, float64(messages)/b)
	}
	slices.Sort(ratios)
	if best := ratios[len(ratios)-1]; best < goal {
		t.Errorf("%.2f of the bare client's rate at best, want %.2f; all rounds: %.2f", best, goal, ratios)
	}
	return ratios, rate
}

// Median returns the middle one of sorted numbers.
func Median(sorted []float64) float64 { return sorted[len(sorted)/2] }
