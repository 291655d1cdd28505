package tickwell

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
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

// Encoded events share memory; none is written over by a later one, and none can
// grow into its neighbour.
func TestEffectsPayloadsShareMemory(t *testing.T) {
	var x effects
	var want []Event
	var payloads [][]byte
	for i := range 400 {
		e := Event{
			ID: fmt.Sprint("id", i), Source: "s", Series: "root.d", Time: time.Unix(int64(i), 0).UTC(),
			Fields: []Field{Text("text", strings.Repeat(string(rune('a'+i%26)), i*i%1500))},
		}
		if i%3 == 0 {
			e.Labels = map[string]string{"n": strings.Repeat("l", i)}
		}
		b, err := x.payload(&e)
		must(t, err)
		if e.roughSize() <= roomBytes/4 {
			require.Equal(t, len(b), cap(b))
		}
		if i%50 == 0 {
			x.reset() // what was encoded belongs to the outbox
		}
		want, payloads = append(want, e), append(payloads, b)
	}
	for i, b := range payloads {
		got, err := decodeEvent(b)
		must(t, err)
		require.Equal(t, want[i], got)
	}
	bad := Event{Time: time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)}
	_, err := x.payload(&bad)
	require.Error(t, err)
}

func TestEffectsPayloadAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	var x effects
	e := Event{ID: "trigger|root.d|0|0|0", Source: "trigger", Series: "root.d", Time: time.Unix(0, 0), Fields: []Field{Float64("max", 1)}}
	n := testing.AllocsPerRun(1000, func() {
		if _, err := x.payload(&e); err != nil {
			t.Fatal(err)
		}
	})
	if n > 0.5 { // AllocsPerRun rounds down: less than one for each event
		t.Errorf("%v allocations for an event", n)
	}
}
