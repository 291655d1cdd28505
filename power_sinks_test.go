package tickwell

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tickwell/tickwell/internal/crashfs"
)

// A power cut at any moment, whatever the sync policy: a delivered event has its
// point, and the state that its trigger put with it.
func TestPowerCutLeavesNoEventWithoutItsPoint(t *testing.T) {
	const rows = 40
	for name, policy := range map[string]SyncPolicy{
		"always": SyncAlways(), "interval": SyncInterval(2e6), "buffered": AckBuffered(2e6), "never": SyncNever(),
	} {
		for _, when := range []When{BeforeInsert, AfterInsert} {
			t.Run(fmt.Sprint(name, " ", when), func(t *testing.T) {
				fs := crashfs.New()
				type delivery struct {
					at int64
					op int // operations on the disk before it
				}
				var mu sync.Mutex
				var got []delivery
				p := Edge()
				p.SegmentBytes, p.BlockRows = 4<<10, 8
				opts := &Options{
					FS: fs, Sync: policy, Profile: p,
					Sinks: []SinkSpec{{Name: "s", Sink: SinkFunc(func(_ context.Context, events []Event) error {
						op := fs.Ops() // what is delivered now is out in the world whatever happens next
						mu.Lock()
						defer mu.Unlock()
						for i := range events {
							got = append(got, delivery{events[i].Time.UnixNano(), op})
						}
						return nil
					})}},
					Triggers: []TriggerSpec{{Name: "t", Pattern: "root.d.v", When: when, Trigger: TriggerFunc(func(_ context.Context, f *Firing) error {
						for _, at := range f.Times {
							f.Emit(Event{Series: "root.d.v", Time: ns(at), Urgent: at%10 == 0})
							f.Put(fmt.Sprint(at), []byte{1})
						}
						return nil
					})}},
				}
				db := openDir(t, "data", opts)
				for at := range int64(rows) {
					must(t, db.Insert(t.Context(), "root.d", ns(at), Float64("v", 1)))
					switch at % 16 {
					case 7:
						must(t, db.Flush(t.Context()))
					case 12:
						must(t, db.Quiesce(t.Context()))
					}
				}
				must(t, db.Quiesce(t.Context()))
				must(t, db.Close())
				mu.Lock()
				defer mu.Unlock()
				if len(got) != rows {
					t.Fatalf("%d deliveries, want %d", len(got), rows)
				}
				ops := fs.Ops()
				step := 1 + ops/150
				if testing.Short() {
					step *= 4
				}
				for op := 0; op <= ops; op += step {
					for _, mode := range []crashfs.Mode{crashfs.None, crashfs.Random} {
						opts := *opts
						opts.FS, opts.Sinks = fs.Image(op, mode, uint64(op)), []SinkSpec{{Name: "s", Sink: SinkFunc(func(context.Context, []Event) error { return context.Canceled })}}
						db := openDir(t, "data", &opts)
						stored := dump(t, db, "root.**")
						for _, d := range got {
							if d.op > op {
								continue
							}
							if !slices.ContainsFunc(stored, func(s string) bool { return strings.HasPrefix(s, fmt.Sprintf("root.d.v@%d=", d.at)) }) {
								t.Fatalf("cut after operation %d of %d: event %d was delivered after operation %d and its point is gone; stored: %d rows", op, ops, d.at, d.op, len(stored))
							}
							if _, ok := db.eng.Get("trigger/t/" + fmt.Sprint(d.at)); !ok {
								t.Fatalf("cut after operation %d: event %d without the state of its trigger", op, d.at)
							}
						}
						must(t, db.Close())
					}
				}
			})
		}
	}
}
