package tickwelltest

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/vfs"
)

// TriggerCase is a trigger under [CheckTrigger].
type TriggerCase struct {
	// Spec says how the trigger is created. Trigger and Class are left out.
	Spec tickwell.TriggerSpec
	// New returns a new trigger.
	New func() tickwell.Trigger
	// Rows are typical rows for it, in the order of their arrival. At least some
	// of them should make it act.
	Rows []*tickwell.Tablet
	// ByRow says that it makes no difference to the trigger whether rows come
	// one by one or many at once.
	ByRow bool
}

// CheckTrigger checks the laws that programs with triggers rely on:
//
//	acts      the rows make it emit, write or change something
//	lent      the rows that Fire is given are neither changed nor kept
//	hostile   nulls, NaN, infinities, other kinds, far times and empty text are
//	          errors at worst, never a panic
//	repeat    the same rows give the same events and rows again: nothing depends
//	          on the clock of the machine, chance, or another instance
//	rows      with ByRow, rows one by one give what they give together
//	restart   a trigger with a Restore hook, or without state, goes on after a
//	          restart of the store as if there had been none
//	ends      after it is dropped no goroutine of it runs
func CheckTrigger(t testing.TB, c TriggerCase) {
	t.Helper()
	before := runs(t, c, c.Rows, run{})
	if before.problem != "" {
		t.Errorf("lent: %s", before.problem)
		return
	}
	idle := c
	idle.New = func() tickwell.Trigger {
		return tickwell.TriggerFunc(func(context.Context, *tickwell.Firing) error { return nil })
	}
	if slices.Equal(before.lines, runs(t, idle, c.Rows, run{}).lines) {
		t.Errorf("acts: the trigger emits, writes and changes nothing for the %d tablets of the case, so nothing can be checked", len(c.Rows))
	}
	if again := runs(t, c, c.Rows, run{}); !slices.Equal(before.lines, again.lines) {
		t.Errorf("repeat: %s", difference(before.lines, again.lines))
	} else if loose := runs(t, c, c.Rows, run{loose: true}); !slices.Equal(before.lines, loose.lines) {
		t.Errorf("lent: rows that were kept after the call made a difference: %s", difference(before.lines, loose.lines))
	}
	if c.ByRow {
		var single []*tickwell.Tablet
		for _, tab := range c.Rows {
			single = append(single, rowByRow(tab)...)
		}
		if one := runs(t, c, single, run{}); !slices.Equal(before.lines, one.lines) {
			t.Errorf("rows: %s", difference(before.lines, one.lines))
		}
	}
	if _, restores := c.New().(interface {
		Restore(context.Context, tickwell.Env) error
	}); restores || !c.Spec.Stateful {
		if cut := runs(t, c, c.Rows, run{restarts: true}); !slices.Equal(before.lines, cut.lines) {
			t.Errorf("restart: %s", difference(before.lines, cut.lines))
		}
	}
	if out := runs(t, c, hostileRows(c.Rows), run{}); out.panicked != "" {
		t.Errorf("hostile: %s", out.panicked)
	}
	leaks := &leakCheck{label: before.label}
	if left := leaks.settle(clock.System()); len(left) > 0 {
		t.Errorf("ends: goroutines are left:\n%s", strings.Join(left, "\n"))
	}
}

// outcomes is what a trigger made of some rows.
type outcomes struct {
	lines    []string // events and points, sorted by what they say
	problem  string   // rows changed or kept
	panicked string
	label    string
}

// run is how rows are put through a store.
type run struct {
	restarts bool // the store is closed and opened again between tablets
	loose    bool // lent rows are not spoiled after the call
}

// runs puts rows through a store with the trigger.
func runs(t testing.TB, c TriggerCase, rows []*tickwell.Tablet, how run) (out outcomes) {
	t.Helper()
	ctx := context.Background()
	sink := &Recorder{}
	clk := NewClock(Start)
	if len(rows) > 0 && rows[0].Len() > 0 {
		clk.Set(time.Unix(0, rows[0].Times[0]))
	}
	var mu sync.Mutex
	const class = "checked"
	spec := c.Spec
	spec.Trigger, spec.Class = nil, class
	if spec.Name == "" {
		spec.Name = class
	}
	opts := &tickwell.Options{FS: vfs.NewMem(), Clock: clk, Seed: 1, Logger: discard, CheckTriggers: !how.loose,
		Classes: map[string]func() tickwell.Trigger{class: c.New}, Sinks: []tickwell.SinkSpec{{Name: "events", Sink: sink}},
		Observer: &tickwell.Observer{Fire: func(f tickwell.FireInfo) {
			mu.Lock()
			defer mu.Unlock()
			switch text := fmt.Sprint(f.Err); {
			case f.Err == nil:
			case strings.Contains(text, "changed the rows it was lent"):
				out.problem = text
			case strings.Contains(text, "panic"):
				out.panicked = text
			}
		}}}
	spec.Sinks = []string{"events"}
	leaks := watchGoroutines(t)
	defer leaks.unwatch()
	out.label = leaks.label
	db, err := tickwell.Open(ctx, "store", opts)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	if err := db.CreateTrigger(ctx, spec); err != nil {
		t.Fatalf("create the trigger: %v", err)
	}
	for i, tab := range rows {
		if how.restarts && i > 0 {
			if err := db.Close(); err != nil {
				t.Fatalf("close: %v", err)
			}
			if db, err = tickwell.Open(ctx, "store", opts); err != nil {
				t.Fatalf("open again: %v", err)
			}
		}
		for _, at := range tab.Times {
			if d := time.Unix(0, at).Sub(clk.Now()); d > 0 && d < 365*24*time.Hour {
				clk.Advance(d)
			}
		}
		_ = db.InsertTablet(ctx, tab) // the trigger, or the store, may refuse it
	}
	wait, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := db.Quiesce(wait); err != nil {
		t.Fatalf("the store does not come to rest: %v", err)
	}
	for _, e := range sink.Events() {
		out.lines = append(out.lines, "event "+sink.text(&e))
	}
	slices.Sort(out.lines) // of several series, whose order may differ
	out.lines = append(out.lines, allPoints(t, db)...)
	if err := db.DropTrigger(ctx, spec.Name); err != nil {
		t.Errorf("drop the trigger: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	return out
}

// allPoints lists what the store holds: the rows put in, which are the same in
// every run, and those that the trigger wrote or changed.
func allPoints(t testing.TB, db *tickwell.DB) (lines []string) {
	t.Helper()
	r, err := db.Query(context.Background(), tickwell.Query{From: []string{"**"}, AlignByDevice: true})
	if err != nil {
		t.Fatalf("query: %v", err)
	}
	cols := r.Columns()
	for row, err := range r.Rows() {
		if err != nil {
			t.Fatalf("query: %v", err)
		}
		line := "row " + row.Device() + " " + distance(Start, row.Time())
		for _, c := range cols {
			if v := row.Get(c.Name); !v.IsNull() {
				line += " " + c.Name + "=" + v.String()
			}
		}
		lines = append(lines, line)
	}
	return lines
}

func rowByRow(tab *tickwell.Tablet) (out []*tickwell.Tablet) {
	for row := range tab.Rows() {
		one := &tickwell.Tablet{Device: tab.Device}
		var fields []tickwell.Field
		for i, col := range tab.Columns {
			if v := row.Value(i); !v.IsNull() {
				fields = append(fields, tickwell.Field{Name: col.Name, Value: v})
			}
		}
		if one.Append(row.Time(), fields...) == nil && len(fields) > 0 {
			out = append(out, one)
		}
	}
	return out
}

// hostileRows makes rows of the same series that nobody expects, and such of
// other kinds under new names of the same device.
func hostileRows(rows []*tickwell.Tablet) (out []*tickwell.Tablet) {
	for _, tab := range rows {
		for _, col := range tab.Columns {
			var data []tickwell.Vector
			switch col.Data.Kind() {
			case tickwell.KindFloat64:
				data = append(data, tickwell.Float64s{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, math.Copysign(0, -1)})
			case tickwell.KindFloat32:
				nan, inf := float32(math.NaN()), float32(math.Inf(1))
				data = append(data, tickwell.Float32s{nan, inf, -inf, math.MaxFloat32, 0})
			case tickwell.KindInt64:
				data = append(data, tickwell.Int64s{math.MinInt64, math.MaxInt64, 0, -1, 1})
			case tickwell.KindInt32:
				data = append(data, tickwell.Int32s{math.MinInt32, math.MaxInt32, 0, -1, 1})
			case tickwell.KindText:
				data = append(data, tickwell.Texts{"", "\x00", "\xff\xfe", strings.Repeat("x", 1000), "{{.x}}"})
			case tickwell.KindBool:
				data = append(data, tickwell.Bools{true, false, true, false, true})
			}
			for _, d := range data {
				times := []int64{math.MinInt64 / 2, 0, 1, tab.Times[0], tab.Times[0] + 1}
				nulls := tickwell.Bitmap{}
				nulls.Set(1)
				out = append(out, &tickwell.Tablet{Device: tab.Device, Times: times, Columns: []tickwell.Column{{Name: col.Name, Data: d}}},
					&tickwell.Tablet{Device: tab.Device, Times: times, Columns: []tickwell.Column{{Name: col.Name, Data: d, Nulls: nulls}}})
			}
		}
		for i, d := range []tickwell.Vector{tickwell.Texts{"text"}, tickwell.Bools{true}, tickwell.Int32s{1}} {
			out = append(out, &tickwell.Tablet{Device: tab.Device, Times: tab.Times[:1],
				Columns: []tickwell.Column{{Name: fmt.Sprint("hostile", i), Data: d}}})
		}
	}
	return out
}

// difference shows where two runs part.
func difference(want, got []string) string {
	for i := range max(len(want), len(got)) {
		w, g := "nothing", "nothing"
		if i < len(want) {
			w = want[i]
		}
		if i < len(got) {
			g = got[i]
		}
		if w != g {
			return fmt.Sprintf("first %q, then %q", w, g)
		}
	}
	return "the same"
}
