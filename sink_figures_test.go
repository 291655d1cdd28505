package tickwell

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// One event for each tablet of 100 rows costs inserts at most 5 % more with a
// dead sink than with none, where the same trigger emits the same event, in the
// same run. The machine may be busy: the quick tenth of many short turns counts,
// and it fails far above what is asked.
func TestDeadSinkFigure(t *testing.T) {
	if raceEnabled || testing.Short() {
		t.Skip("measures time")
	}
	for _, when := range []When{BeforeInsert, AfterInsert} {
		deadSinkFigure(t.Context(), t, when)
	}
}

const deadSinkAsked, deadSinkFail = 1.05, 1.25

func deadSinkFigure(ctx context.Context, t *testing.T, when When) {
	open := func(sinks ...SinkSpec) (*DB, func()) {
		db := openDir(t, t.TempDir(), &Options{
			Sinks: sinks,
			Triggers: []TriggerSpec{{Name: "t", Pattern: "root.d.*", When: when, Trigger: TriggerFunc(func(_ context.Context, f *Firing) error {
				f.Emit(Event{Series: f.Device, Time: f.Row(0).Time(), Fields: []Field{Float64("max", 1), Text("note", "too hot")}})
				return nil
			})}},
		})
		at := int64(0)
		tab := &Tablet{Device: "root.d", Times: make([]int64, 100)}
		for c := range 10 {
			tab.Columns = append(tab.Columns, Column{Name: string(rune('a' + c)), Data: make(Float64s, 100)})
		}
		return db, func() {
			for range 50 {
				for i := range tab.Times {
					at += 1e9
					tab.Times[i] = at
					for c := range tab.Columns {
						tab.Columns[c].Data.(Float64s)[i] = float64(at/1e9*int64(c+7)%1000) / 10
					}
				}
				must(t, db.InsertTablet(ctx, tab))
			}
		}
	}
	_, without := open()
	db, with := open(SinkSpec{Name: "dead", Sink: SinkFunc(func(context.Context, []Event) error { return errors.New("down") })})
	measure := func(f func()) time.Duration {
		began := time.Now()
		f()
		return time.Since(began)
	}
	for range 100 { // until the pipeline has as many in memory as it wants
		without()
		with()
	}
	quick := deadSinkFail + 1
	for try := 0; try < 20 && quick > deadSinkFail; try++ { // a busy machine is not always busy
		var a, b []time.Duration
		for range 61 {
			a, b = append(a, measure(without)), append(b, measure(with))
			b, a = append(b, measure(with)), append(a, measure(without)) // and the other way round
		}
		slices.Sort(a)
		slices.Sort(b)
		ratio := func(part int) float64 { return float64(b[len(b)/part]) / float64(a[len(a)/part]) }
		quick = ratio(10)
		t.Logf("%s: inserts with a dead sink take %.3f of those without (asked %.2f; at the median %.3f); backlog %d",
			when, quick, deadSinkAsked, ratio(2), db.Stats().Sinks[0].Backlog)
	}
	if quick > deadSinkFail {
		t.Errorf("%s: inserts with a dead sink take %.3f of those without, want at most %.2f", when, quick, deadSinkAsked)
	}
}

// An event is delivered or it waits, and never both: also one that came through while
// another before it did not.
func TestFiguresOfOvertakenEvent(t *testing.T) {
	for _, dir := range []string{"", "data"} {
		synctest.Test(t, func(t *testing.T) {
			var down atomic.Bool
			down.Store(true)
			db := openDir(t, dir, &Options{
				FS: memFS(),
				Sinks: []SinkSpec{{Name: "s", Batch: 1, Sink: SinkFunc(func(_ context.Context, events []Event) error {
					if events[0].Series == "root.x" && down.Load() {
						return errors.New("down")
					}
					return nil
				})}},
				Triggers: []TriggerSpec{{Name: "t", Pattern: "root.d.v", Trigger: TriggerFunc(func(_ context.Context, f *Firing) error {
					for _, series := range []string{"root.x", "root.y", "root.z"} {
						f.Emit(Event{Series: series, Time: ns(f.Times[0])})
					}
					return nil
				})}},
			})
			must(t, db.Insert(t.Context(), "root.d", ns(1), Bool("v", true)))
			must(t, db.Sync(t.Context()))
			<-time.After(time.Minute)
			want := func(backlog, delivered int64) {
				t.Helper()
				if s := db.Stats().Sinks[0]; s.Backlog != backlog || s.Delivered != delivered || s.Dead+s.Dropped != 0 {
					t.Errorf("backlog %d, delivered %d, dead %d, dropped %d; want %d, %d", s.Backlog, s.Delivered, s.Dead, s.Dropped, backlog, delivered)
				}
			}
			want(1, 2)
			down.Store(false)
			must(t, db.Quiesce(t.Context()))
			want(0, 3)
			must(t, db.Close())
		})
	}
}
