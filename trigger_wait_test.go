package tickwell

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A trigger that writes into its own pattern, or into that of one that waits for
// it, with another context than its own, waits for itself: the log names the
// trigger and the insert, and the write ends when its context does.
func TestTriggerWaitsForItself(t *testing.T) {
	if SmallProgram {
		t.Skip("reads what went to Options.Logger")
	}
	for _, c := range []struct {
		name     string
		triggers int
		want     []string // trigger ← insert
	}{
		{"itself", 1, []string{"t0 ← root.d0"}},
		{"each other", 2, []string{"t0 ← root.d0", "t1 ← root.d1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var warned journal
				var db *DB
				var ended atomic.Int32
				both := make(chan struct{}, c.triggers)
				opts := &Options{Logger: slog.New(&waitLog{&warned})}
				for i := range c.triggers {
					to := "root.d" + string(rune('0'+(i+1)%c.triggers))
					sp := spec("t"+string(rune('0'+i)), "root.d"+string(rune('0'+i))+".*", AfterInsert, func(_ context.Context, f *Firing) error {
						if f.Times[0] == 2 {
							return nil // written by a trigger whose wait has ended before its context
						}
						both <- struct{}{}
						for len(both) < cap(both) {
							time.Sleep(time.Second) // of the bubble
						}
						own, cancel := context.WithTimeout(context.Background(), time.Minute)
						defer cancel()
						err := db.InsertTablet(own, tab(to, 2, "s", Int64s{1}))
						if errors.Is(err, context.DeadlineExceeded) {
							ended.Add(1)
						}
						return err
					})
					sp.Stateful = true
					opts.Triggers = append(opts.Triggers, sp)
				}
				db = openMem(t, opts)
				done := make(chan error)
				for i := range c.triggers {
					go func() {
						done <- db.InsertTablet(context.Background(), tab("root.d"+string(rune('0'+i)), 1, "s", Int64s{1}))
					}()
				}
				for range c.triggers {
					must(t, <-done)
				}
				if ended.Load() == 0 {
					t.Error("no write has returned the error of its context")
				}
				got := warned.take()
				slices.Sort(got)
				if !slices.Equal(got, c.want) {
					t.Errorf("warned of %q, want %q", got, c.want)
				}
				must(t, db.Close())
			})
		})
	}
}

// waitLog keeps the warnings of long waits.
type waitLog struct{ j *journal }

func (l *waitLog) Enabled(context.Context, slog.Level) bool { return true }
func (l *waitLog) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *waitLog) WithGroup(string) slog.Handler            { return l }

func (l *waitLog) Handle(_ context.Context, r slog.Record) error {
	if !strings.HasPrefix(r.Message, "an insert waits") {
		return nil
	}
	of := make(map[string]string)
	r.Attrs(func(a slog.Attr) bool { of[a.Key] = a.Value.String(); return true })
	l.j.add("%s ← %s", of["trigger"], of["insert"])
	return nil
}

// A wait that ends soon is not worth a warning.
func TestTriggerShortWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var warned journal
		ctx := context.Background()
		slow := spec("slow", "root.d.*", AfterInsert, func(context.Context, *Firing) error {
			time.Sleep(longWait - time.Second) // of the bubble
			return nil
		})
		slow.Stateful = true
		db := openMem(t, &Options{Logger: slog.New(&waitLog{&warned}), Triggers: []TriggerSpec{slow}})
		done := make(chan error)
		for i := range int64(2) {
			go func() { done <- db.InsertTablet(ctx, tab("root.d", i, "s", Int64s{1})) }()
		}
		must(t, <-done)
		must(t, <-done)
		warned.want(t)
		must(t, db.Close())
	})
}
