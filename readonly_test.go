package tickwell

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/vfs"
)

// countedLife is a sink that counts what is done with it.
type countedLife struct {
	fail                    error
	opened, closed, handled atomic.Int64
}

func (s *countedLife) Open(context.Context) error  { s.opened.Add(1); return nil }
func (s *countedLife) Close(context.Context) error { s.closed.Add(1); return nil }
func (s *countedLife) Handle(_ context.Context, e []Event) error {
	s.handled.Add(int64(len(e)))
	return s.fail
}

// countedTrigger wants to be woken.
type countedTrigger struct {
	at           time.Time
	fired, woken atomic.Int64
	lives        atomic.Int64 // hooks around firings
}

func (c *countedTrigger) OnCreate(context.Context, Env) error { c.lives.Add(1); return nil }
func (c *countedTrigger) Restore(context.Context, Env) error  { c.lives.Add(1); return nil }
func (c *countedTrigger) OnStop(context.Context) error        { c.lives.Add(1); return nil }
func (c *countedTrigger) OnDrop(context.Context) error        { c.lives.Add(1); return nil }

func (c *countedTrigger) Fire(_ context.Context, f *Firing) error {
	c.fired.Add(1)
	if f.Trigger == "alarm" {
		f.Emit(Event{Series: f.Device, Time: ns(f.Times[0])})
		f.Wake(c.at)
		return nil
	}
	return nil
}

func (c *countedTrigger) OnWake(context.Context, *Firing) error { c.woken.Add(1); return nil }

// TestReadOnlyDoesNothing: a store that is opened for reading with the options of
// the one that writes neither sends its events, nor wakes its triggers, nor makes
// up for their firings; the store that writes does all that, once.
func TestReadOnlyDoesNothing(t *testing.T) {
	ctx, clk, fs := context.Background(), newFake(), vfs.NewMem()
	open := func(readOnly bool, s *countedLife, c *countedTrigger) *DB {
		c.at = clk.Now().Add(time.Minute)
		return openDir(t, "data", &Options{FS: fs, Clock: clk, ReadOnly: readOnly, Logger: openMemLogger(),
			Sinks: []SinkSpec{{Name: "s", Sink: s}},
			Triggers: []TriggerSpec{
				{Name: "alarm", Pattern: "root.**", Trigger: c, Sinks: []string{"s"}},
				{Name: "before", Pattern: "root.**", Trigger: c, When: BeforeInsert},
				{Name: "durable", Pattern: "root.**", Trigger: c, Durable: true, Stateful: true},
				{Name: "stopped", Pattern: "root.**", Trigger: c},
			},
		})
	}
	first := &countedLife{fail: errors.New("unreachable")}
	db := open(false, first, new(countedTrigger))
	must(t, db.Insert(ctx, "root.d", clk.Now(), Int64("v", 1)))
	promise := engine.Put{Kind: engine.PutEffect, Key: "todo/durable/0000000000000001", Value: appendTablet(nil, &Tablet{
		Device: "root.d", Times: []int64{1}, Columns: []Column{{Name: "v", Data: Int64s{1}}}})} // as a crash leaves it
	_, err := db.eng.Commit(ctx, &engine.Batch{Puts: []engine.Put{promise}}, false)
	must(t, err)
	must(t, db.StopTrigger(ctx, "stopped"))
	must(t, db.Sync(ctx))
	must(t, db.Close())

	s, c := new(countedLife), new(countedTrigger)
	ro := open(true, s, c)
	clk.Advance(time.Hour)
	require.ErrorIs(t, ro.Insert(ctx, "root.d", clk.Now(), Int64("v", 1)), ErrReadOnly)
	require.ErrorIs(t, ro.AddSink(ctx, SinkSpec{Name: "other", Sink: s}), ErrReadOnly)
	require.ErrorIs(t, ro.DropSink(ctx, "s"), ErrReadOnly)
	must(t, ro.Quiesce(ctx))
	waiting := 0
	for _, err := range ro.Waiting("s") {
		must(t, err)
		waiting++
	}
	require.Equal(t, 1, waiting)
	require.EqualValues(t, 1, ro.Stats().Sinks[0].Backlog)
	require.ErrorIs(t, ro.CreateTrigger(ctx, TriggerSpec{Name: "more", Pattern: "root.**", Trigger: c}), ErrReadOnly)
	for _, err := range []error{ro.StopTrigger(ctx, "alarm"), ro.StartTrigger(ctx, "stopped"), ro.DropTrigger(ctx, "before")} {
		require.ErrorIs(t, err, ErrReadOnly)
	}
	must(t, ro.Close())
	require.Equal(t, "0 0 0 0 0 0", fmt.Sprint(s.opened.Load(), s.closed.Load(), s.handled.Load(), c.fired.Load(), c.woken.Load(), c.lives.Load()))

	s, c = new(countedLife), new(countedTrigger)
	db = open(false, s, c)
	clk.Advance(time.Hour)
	must(t, db.Quiesce(ctx))
	require.Equal(t, "1 1 1", fmt.Sprint(s.handled.Load(), c.fired.Load(), c.woken.Load()))
	must(t, db.Close())
}
