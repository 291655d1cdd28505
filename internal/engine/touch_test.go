package engine

import (
	"math/rand"
	"slices"
	"testing"

	"github.com/tickwell/tickwell/internal/memtable"
)

// Whatever the order of its rows and however often each device comes, a commit
// locks every device once, in the order of ids, and the next knows nothing of it.
func TestTouchedDevices(t *testing.T) {
	rnd := rand.New(rand.NewSource(1))
	mem := memtable.New(1024)
	c := new(commit)
	for round := range 200 {
		var ids, want []uint32
		span := []uint32{3, 300, 5 * seenDevices}[round%3] // some share a place of c.seen
		for range 1 + rnd.Intn(600) {
			id := 1 + uint32(rnd.Intn(int(span)))
			if round%2 == 0 {
				id = 1 + id*seenDevices // all of them do
			}
			ids = append(ids, id)
		}
		if round%5 == 0 {
			slices.Sort(ids)
		}
		for _, id := range ids {
			c.touches(mem.Device(id, true))
		}
		want = append(want, ids...)
		slices.Sort(want)
		want = slices.Compact(want)
		c.lockTouched()
		var got []uint32
		for _, d := range c.devices {
			got = append(got, d.ID)
		}
		c.unlockDevices()
		if !slices.Equal(got, want) {
			t.Fatalf("round %d: devices %v are locked, want %v", round, got, want)
		}
		if c.reset(); c.seen != [seenDevices]*memtable.Device{} {
			t.Fatalf("round %d: devices are still known after reset", round)
		}
	}
}
