package tickwell

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tickwell/tickwell/internal/deliver"
)

// outageStore emits one event of a fixed size for each row, to a sink that is
// down while down is set and then keeps the times of what it gets.
func outageStore(t *testing.T, dir string, bound int64, maxAge time.Duration, down *atomic.Bool, got *[]int64) *DB {
	p := Edge()
	p.OutboxBytes, p.MemtableBytes, p.LogBytes, p.SegmentBytes = bound, 256<<10, 512<<10, 128<<10
	return openDir(t, dir, &Options{
		FS: memFS(), Profile: p,
		Sinks: []SinkSpec{{Name: "s", MaxAge: maxAge, Sink: SinkFunc(func(_ context.Context, events []Event) error {
			if down.Load() {
				return errors.New("down")
			}
			for i := range events {
				*got = append(*got, events[i].Time.UnixNano())
			}
			return nil
		})}},
		Triggers: []TriggerSpec{{Name: "t", Pattern: "root.d.v", When: BeforeInsert, Trigger: TriggerFunc(func(_ context.Context, f *Firing) error {
			for _, at := range f.Times {
				f.Emit(Event{ID: fmt.Sprintf("%09d", at), Series: "root.d.v", Time: ns(at), Fields: []Field{Text("note", strings.Repeat("x", 100))}})
			}
			return nil
		})}},
	})
}

func numbers(from, to int64) (out []int64) {
	for ; from < to; from++ {
		out = append(out, from)
	}
	return out
}

// Three days without a target: the oldest events are dropped, exactly as many as
// the bound says, the rest arrives in order when it is back, and neither memory
// nor goroutines grow meanwhile.
func TestOutageBounds(t *testing.T) {
	for _, dir := range []string{"", "data"} {
		t.Run("dir "+dir, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const keep, perHour, hours = 1000, 60, 72
				var down atomic.Bool
				var got []int64
				down.Store(true)
				size := int64(64) + int64(len("root.d.v")) + func() int64 {
					b, err := appendEvent(nil, &Event{ID: "000000000", Source: "t", Series: "root.d.v", Time: ns(0), Fields: []Field{Text("note", strings.Repeat("x", 100))}})
					must(t, err)
					return int64(len(b))
				}()
				db := outageStore(t, dir, keep*size+size/2, 1000*time.Hour, &down, &got)
				var goroutines []int
				var heaps []uint64
				at := int64(0)
				for hour := range hours {
					for range perHour {
						must(t, db.Insert(t.Context(), "root.d", ns(at), Bool("v", true)))
						at++
						<-time.After(time.Minute)
					}
					synctest.Wait()
					st := db.Stats().Sinks[0]
					if want := min(at, keep); st.Backlog != want || st.Dropped != at-want || st.Dead != 0 {
						t.Fatalf("after %d h: backlog %d, dropped %d, dead %d; want %d, %d, 0", hour+1, st.Backlog, st.Dropped, st.Dead, want, at-want)
					}
					if hour >= 24 && hour%12 == 0 {
						var m runtime.MemStats
						runtime.GC()
						runtime.ReadMemStats(&m)
						goroutines, heaps = append(goroutines, runtime.NumGoroutine()), append(heaps, m.HeapAlloc)
					}
				}
				if slices.Max(goroutines) > goroutines[0]+1 {
					t.Errorf("goroutines every 12 h: %v", goroutines)
				}
				// The rows themselves are kept: a bit and some of the time each.
				if first, last := heaps[0], heaps[len(heaps)-1]; last > first+2<<20 {
					t.Errorf("heap every 12 h: %v", heaps)
				}
				down.Store(false)
				must(t, db.Quiesce(t.Context()))
				if want := numbers(at-keep, at); !slices.Equal(got, want) {
					t.Errorf("delivered %d events from %d on, want %d from %d on", len(got), got[0], len(want), want[0])
				}
				st := db.Stats().Sinks[0]
				if st.Delivered+st.Backlog+st.Dropped+st.Dead != at || st.Delivered != keep || st.Health != "ok" {
					t.Errorf("of %d: %+v", at, st)
				}
				must(t, db.Close())
			})
		})
	}
}

// What is older than MaxAge is given up, to the minutes in which the sink looks
// for it, and kept as dead letters; the rest arrives.
func TestOutageAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const perHour, hours, age = 30, 80, 72
		var down atomic.Bool
		var got []int64
		down.Store(true)
		db := outageStore(t, "data", 64<<20, 0, &down, &got) // 72 h is the default
		at := int64(0)
		for range hours * perHour {
			must(t, db.Insert(t.Context(), "root.d", ns(at), Bool("v", true)))
			at++
			<-time.After(2 * time.Minute)
		}
		synctest.Wait()
		down.Store(false)
		must(t, db.Quiesce(t.Context()))
		dead := deadTimes(t, db, "s")
		n := int64(len(dead))
		if want := int64((hours - age) * perHour); n < want-2 || n > want+1 || !slices.Equal(dead, numbers(0, n)) {
			t.Errorf("%d dead letters %v …, want the first %d", n, dead[:min(5, n)], want)
		}
		if !slices.Equal(got, numbers(n, at)) {
			t.Errorf("delivered %d, want %d to %d", len(got), n, at-1)
		}
		if st := db.Stats().Sinks[0]; st.Delivered != at-n || st.Dead != n || st.DeadLetters != n || st.Dropped != 0 || st.Backlog != 0 {
			t.Errorf("of %d: %+v", at, st)
		}
		must(t, db.Close())
	})
}

// A poisoned event that the target chokes on goes to the dead letters whether it
// says so or not, and the rest flows.
func TestPoisonEvent(t *testing.T) {
	for name, answer := range map[string]error{"says so": deliver.Permanent(errors.New("400")), "does not": errors.New("500")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got []int64
				db := openDir(t, "data", &Options{
					FS: memFS(),
					Sinks: []SinkSpec{{Name: "s", Sink: SinkFunc(func(_ context.Context, events []Event) error {
						for i := range events {
							if events[i].Time.UnixNano() == 333 {
								return answer
							}
						}
						for i := range events {
							got = append(got, events[i].Time.UnixNano())
						}
						return nil
					})}},
					Triggers: []TriggerSpec{{Name: "t", Pattern: "root.*.v", Trigger: TriggerFunc(func(_ context.Context, f *Firing) error {
						for _, at := range f.Times {
							f.Emit(Event{Series: fmt.Sprint("root.s", at%7), Time: ns(at)})
						}
						return nil
					})}},
				})
				must(t, db.InsertTablet(t.Context(), boolRows(1000)))
				for i := range int64(60) { // life goes on, which is how the pipeline learns whose fault it is
					<-time.After(time.Minute)
					must(t, db.Insert(t.Context(), "root.d", ns(1000+i), Bool("v", true)))
				}
				must(t, db.Quiesce(t.Context()))
				want := slices.DeleteFunc(numbers(0, 1060), func(at int64) bool { return at == 333 })
				slices.Sort(got)
				if !slices.Equal(got, want) {
					t.Errorf("delivered %d, want %d", len(got), len(want))
				}
				if dead := deadTimes(t, db, "s"); !slices.Equal(dead, []int64{333}) {
					t.Errorf("dead letters %v, want 333", dead)
				}
				must(t, db.Close())
			})
		})
	}
}

// How much waits for a sink, since when, and how long it will take, while it is
// down, while it works its backlog off, and in a store that was opened without it.
func TestBacklogProgress(t *testing.T) {
	for _, dir := range []string{"", "data"} {
		t.Run("dir "+dir, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var down atomic.Bool
				down.Store(true)
				fs := memFS()
				specs := []SinkSpec{{Name: "s", Batch: 1, Sink: SinkFunc(func(context.Context, []Event) error {
					if down.Load() {
						return errors.New("down")
					}
					<-time.After(time.Second)
					return nil
				})}}
				db := openDir(t, dir, &Options{FS: fs, Sinks: specs, Triggers: []TriggerSpec{{Name: "t", Pattern: "root.**", When: BeforeInsert, Trigger: echo}}})
				stats := func(what string, age time.Duration, drain time.Duration) SinkStats {
					t.Helper()
					s := db.Stats().Sinks[0]
					if s.OldestAge.Round(2*time.Second) != age || s.Drain.Round(10*time.Second) != drain.Round(10*time.Second) || drain == -1 && s.Drain != -1 || s.Backlog > 0 && s.Bytes < 64*s.Backlog || s.Backlog == 0 && s.Bytes != 0 {
						t.Errorf("%s: oldest %v, drain %v, %d bytes of %d events; want %v, %v", what, s.OldestAge, s.Drain, s.Bytes, s.Backlog, age, drain)
					}
					return s
				}
				stats("empty", 0, 0)
				must(t, db.InsertTablet(t.Context(), boolRows(90)))
				must(t, db.Sync(t.Context()))
				<-time.After(10 * time.Minute)
				stats("down", 10*time.Minute, -1)
				if dir != "" {
					must(t, db.Close())
					db = openDir(t, dir, &Options{FS: fs})
					if s := stats("absent", 10*time.Minute, -1); s.Health != "absent" || s.Backlog != 90 {
						t.Errorf("%+v", s)
					}
					must(t, db.Close())
					db = openDir(t, dir, &Options{FS: fs, Sinks: specs})
					<-time.After(time.Minute)
					stats("again", 11*time.Minute, -1)
				}
				down.Store(false)
				for db.Stats().Sinks[0].Backlog > 60 {
					<-time.After(time.Second)
				}
				if s := db.Stats().Sinks[0]; s.Drain < 50*time.Second || s.Drain > 70*time.Second || s.OldestAge < 10*time.Minute {
					t.Errorf("at one a second: drain %v of %d, oldest %v", s.Drain, s.Backlog, s.OldestAge)
				}
				must(t, db.Quiesce(t.Context()))
				stats("done", 0, 0)
				must(t, db.Close())
			})
		})
	}
}
