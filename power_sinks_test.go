package tickwell

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/internal/deliver"
	"github.com/tickwell/tickwell/vfs"
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

// flushGate calls a function in the middle of a flush: when what it is to write is
// fixed, and nothing is written.
type flushGate struct {
	vfs.FS
	middle atomic.Pointer[func()]
}

func (g *flushGate) Create(name string) (vfs.File, error) {
	if f := g.middle.Swap(nil); f != nil && strings.Contains(name, ".blk") {
		(*f)()
	} else if f != nil {
		g.middle.Store(f)
	}
	return g.FS.Create(name)
}

// An event that becomes a dead letter while a flush is under way, or a dead letter that
// becomes an event again, is there after a power cut.
func TestPowerCutAfterFlushKeepsDeadLetters(t *testing.T) {
	for _, again := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			disk := crashfs.New()
			fs := &flushGate{FS: disk}
			var refuse atomic.Bool
			down := func(context.Context, []Event) error { return errors.New("down") }
			opts := &Options{
				FS: fs, Sync: SyncInterval(time.Hour), Triggers: []TriggerSpec{{Name: "t", Pattern: "root.d.v", Trigger: echo}},
				Sinks: []SinkSpec{{Name: "s", Sink: SinkFunc(func(context.Context, []Event) error {
					if refuse.Load() {
						return deliver.Permanent(errors.New("400"))
					}
					return errors.New("down")
				})}},
			}
			db := openDir(t, "data", opts)
			must(t, db.Insert(t.Context(), "root.d", ns(1), Bool("v", true)))
			must(t, db.Sync(t.Context()))
			<-time.After(time.Minute)
			if again {
				refuse.Store(true)
				<-time.After(time.Minute)
				must(t, db.Insert(t.Context(), "root.other", ns(1), Bool("v", true)))
			}
			middle := func() {
				refuse.Store(!again)
				if again {
					if n, err := db.Redrive(t.Context(), "s", nil); n != 1 || err != nil {
						t.Errorf("redrive: %d, %v", n, err)
					}
				}
				<-time.After(time.Minute)
			}
			fs.middle.Store(&middle)
			must(t, db.Flush(t.Context()))
			if fs.middle.Load() != nil {
				t.Fatal("no flush")
			}
			cut := *opts
			cut.FS, cut.Sinks = crashfs.From(disk.Image(disk.Ops(), crashfs.None, 1)), []SinkSpec{{Name: "s", Sink: SinkFunc(down)}}
			left := openDir(t, "data", &cut)
			n := 0
			for _, err := range left.Waiting("s") {
				must(t, err)
				n++
			}
			if n += len(deadTimes(t, left, "s")); n == 0 {
				t.Errorf("redriven %v: the event is gone", again)
			}
			must(t, left.Close())
			must(t, db.Close())
		})
	}
}
