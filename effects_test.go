package tickwell

import (
	"fmt"
	"testing"
	"time"
)

// The IDs of many events of one record cost work in proportion to their number,
// whether one run emits them or many firings that are put together, and are those
// of their ordinal among the like.
func TestEmitWorkGrowsWithEvents(t *testing.T) {
	const n = 5000
	event := func(i int) Event { return Event{Series: fmt.Sprint("d", i%7), Time: time.Unix(int64(i%11), 0)} }
	want := make([]string, n)
	seen := make(map[likeness]int)
	for i := range want {
		e := event(i)
		e.Source = "t"
		want[i] = e.stableID(seen[e.likeness()])
		seen[e.likeness()]++
	}
	for _, each := range []int{1, 3, 100, n} { // events of a firing
		var x effects
		looks := 0
		for i := 0; i < n; {
			y := effects{earlier: &x}
			for range min(each, n-i) {
				y.emit("t", nil, event(i))
				i++
			}
			looks += y.looks
			x.merge(&y)
		}
		if looks += x.looks; looks > 2*manyEvents*n {
			t.Errorf("%d events by %d: %d were looked at, want at most %d", n, each, looks, 2*manyEvents*n)
		}
		for i := range want {
			if got := x.events[i].event.ID; got != want[i] {
				t.Fatalf("event %d by %d has ID %s, want %s", i, each, got, want[i])
			}
		}
	}
}
