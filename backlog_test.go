package tickwell

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
)

// A backlog of 100,000 events for a dead sink takes at most 8 MiB of memory,
// also after a restart, and nothing of it is lost.
func TestBacklogMemory(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector takes memory of its own")
	}
	n := 100_000
	if testing.Short() {
		n = 25_000
	}
	const limit = 8 << 20
	ctx := t.Context()
	var down atomic.Bool
	var next int64
	var bad string
	down.Store(true)
	note := strings.Repeat("x", 150)
	profile := Edge()
	profile.OutboxBytes = 1 << 30
	opts := &Options{
		Profile: profile, Sync: SyncInterval(1e9),
		Sinks: []SinkSpec{{Name: "s", Sink: SinkFunc(func(_ context.Context, events []Event) error {
			if down.Load() {
				return errors.New("down")
			}
			for i := range events {
				if at := events[i].Time.UnixNano(); at != next || events[i].Get("note").Text() != note {
					bad = fmt.Sprintf("event %d, want %d", at, next)
				}
				next++
			}
			return nil
		})}},
		Triggers: []TriggerSpec{{Name: "t", Pattern: "root.*.v", When: BeforeInsert, Trigger: TriggerFunc(func(_ context.Context, f *Firing) error {
			f.Emit(Event{Series: "root.d.v", Time: ns(f.Times[0]), Fields: []Field{Float64("v", 1), Text("note", note)}})
			return nil
		})}},
	}
	dir := t.TempDir()
	db := openDir(t, dir, opts)
	w, err := db.Writer("root.d", ColumnInfo{"v", KindFloat64})
	must(t, err)
	fill := func(from, to int) {
		for i := from; i < to; i++ {
			must(t, w.Insert(ctx, ns(int64(i)), Float64Value(1)))
		}
	}
	heap := func() int64 {
		var m runtime.MemStats
		for range 3 {
			runtime.GC()
		}
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	fill(0, 1) // what a store takes whatever waits
	must(t, db.Flush(ctx))
	before := heap()
	fill(1, n)
	must(t, db.Flush(ctx)) // the points, which are not the subject
	used := heap() - before
	t.Logf("backlog of %d events: %.2f MiB", n, float64(used)/(1<<20))
	if used > limit {
		t.Errorf("%d bytes for a backlog of %d, want at most %d", used, n, limit)
	}
	must(t, db.Close())

	db = openDir(t, dir, opts)
	used = heap() - before
	t.Logf("opened again: %.2f MiB", float64(used)/(1<<20))
	if used > limit {
		t.Errorf("opened again: %d bytes for a backlog of %d, want at most %d", used, n, limit)
	}
	if got := db.Stats().Sinks[0].Backlog; got != int64(n) {
		t.Errorf("backlog %d, want %d", got, n)
	}
	down.Store(false)
	must(t, db.Quiesce(ctx))
	if next != int64(n) || bad != "" {
		t.Errorf("delivered %d, want %d in order; %s", next, n, bad)
	}
}
