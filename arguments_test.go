package tickwell

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell/vfs"
	"github.com/tickwell/tickwell/window"
)

// What is forgotten or the wrong way round is refused where it is given, with a
// word about what is missing.
func TestForgottenArguments(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, nil)
	nothing := openMem(t, &Options{Classes: map[string]func() Trigger{"c": func() Trigger { return OnPoint[float64](nil) }}})
	for what, c := range map[string]struct {
		err  error
		want string
	}{
		"TriggerFunc":   {db.CreateTrigger(ctx, TriggerSpec{Name: "a", Pattern: "root.**", Trigger: TriggerFunc(nil)}), "no Trigger"},
		"OnPoint":       {db.CreateTrigger(ctx, TriggerSpec{Name: "a", Pattern: "root.**", Trigger: OnPoint[float64](nil)}), "no Trigger"},
		"OnBatch":       {db.CreateTrigger(ctx, TriggerSpec{Name: "a", Pattern: "root.**", Trigger: OnBatch[float64](nil)}), "no Trigger"},
		"OnWindow":      {db.CreateTrigger(ctx, TriggerSpec{Name: "a", Pattern: "root.**", Trigger: OnWindow[float64](window.Count(1), nil, nil)}), "no Trigger"},
		"class":         {nothing.CreateTrigger(ctx, TriggerSpec{Name: "a", Pattern: "root.**", Class: "c"}), "returned nil"},
		"ttl":           {db.SetTTL(ctx, "a..b", time.Hour), "tickwell: set ttl a..b: path \"a..b\": node 2 is empty"},
		"series":        {second(SeriesOf[float64](db, "root.*.x")), "tickwell: series root.*.x: "},
		"pattern":       {db.CreateTrigger(ctx, TriggerSpec{Name: "a", Trigger: TriggerFunc(func(context.Context, *Firing) error { return nil })}), "no Pattern"},
		"Queue":         {db.CreateTrigger(ctx, TriggerSpec{Name: "a", Pattern: "root.**", Trigger: PointFuncs{}, Queue: -1}), ": Queue is negative"},
		"Retries":       {db.CreateTrigger(ctx, TriggerSpec{Name: "a", Pattern: "root.**", Trigger: PointFuncs{}, Retries: -1}), ": Retries is negative"},
		"DisableAfter":  {db.CreateTrigger(ctx, TriggerSpec{Name: "a", Pattern: "root.**", Trigger: PointFuncs{}, DisableAfter: -1}), ": DisableAfter is negative"},
		"Budget":        {db.CreateTrigger(ctx, TriggerSpec{Name: "a", Pattern: "root.**", Trigger: PointFuncs{}, Budget: -1}), ": Budget is negative"},
		"SinkFunc":      {db.AddSink(ctx, SinkSpec{Name: "a", Sink: SinkFunc(nil)}), "no Sink"},
		"RowFunc1":      {db.RegisterFunction(ctx, RowFunc1[float64, float64]("f", nil)), "UDTF"},
		"RowFunc2":      {db.RegisterFunction(ctx, RowFunc2[float64, float64, float64]("f", nil)), "UDTF"},
		"AggregateFunc": {db.RegisterFunction(ctx, AggregateFunc[int64, float64, float64]("f", nil, nil, nil)), "UDAF"},
		"delete":        {db.Delete(ctx, "root.a", time.Unix(5, 0), time.Unix(1, 0)), "before it begins"},
		"query":         {second(db.Query(ctx, Query{From: []string{"root.a"}, Start: time.Unix(5, 0), End: time.Unix(1, 0)})), "before it begins"},
	} {
		if !errors.Is(c.err, ErrBadInput) || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%s: got error %v, want one with %q", what, c.err, c.want)
		}
	}
	if _, err := db.Query(ctx, Query{From: []string{"root.a"}, Start: time.Unix(5, 0), End: time.Unix(5, 0)}); err != nil {
		t.Errorf("an empty range: %v", err)
	}
}

// TestSeriesOfOtherKind holds that the error names what was asked for.
func TestSeriesOfOtherKind(t *testing.T) {
	db := openMem(t, nil)
	if err := db.Insert(context.Background(), "root.a", time.Unix(0, 0), Float64("x", 1)); err != nil {
		t.Fatal(err)
	}
	_, err := SeriesOf[int64](db, "root.a.x")
	if want := "tickwell: series root.a.x: "; !errors.Is(err, ErrKindMismatch) || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got error %v, want one that begins with %q", err, want)
	}
}

func second[T any](_ T, err error) error { return err }

// TestBadOptions holds that Open names the option that can only be a slip.
func TestBadOptions(t *testing.T) {
	for want, o := range map[string]Options{
		"Options.MaxSeries is negative: bad input":           {MaxSeries: -1},
		"Options.QueryMemory is negative: bad input":         {QueryMemory: -1},
		"Options.TTL is negative: bad input":                 {TTL: -1},
		"Options.QuotaBytes is negative: bad input":          {QuotaBytes: -1},
		"Options.MemoryBudget is negative: bad input":        {MemoryBudget: -1},
		"Options.CQMinEvery is negative: bad input":          {CQMinEvery: -1},
		"Options.Sync is negative: bad input":                {Sync: SyncInterval(-1)},
		"Options.ReadOnly needs a folder to read: bad input": {ReadOnly: true},
	} {
		db, err := Open(context.Background(), "", &o)
		if db != nil || !errors.Is(err, ErrBadInput) || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("got %v, %v; want an error that ends with %q", db, err, want)
		}
	}
}

// TestNilRowsOfTrigger holds that a trigger which writes nil is told so, before
// and after the insert.
func TestNilRowsOfTrigger(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, nil)
	for _, when := range []When{BeforeInsert, AfterInsert} {
		var got error
		err := db.CreateTrigger(ctx, TriggerSpec{Name: "t", Pattern: "root.**", When: when, Trigger: TriggerFunc(func(_ context.Context, f *Firing) error {
			got = f.Write(nil)
			return nil
		})})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Insert(ctx, "root.a", time.Unix(0, 0), Float64("x", 1)); err != nil {
			t.Fatal(err)
		}
		if !errors.Is(got, ErrBadInput) || !strings.Contains(got.Error(), "nil tablet") {
			t.Errorf("%v: got error %v", when, got)
		}
		if err := db.DropTrigger(ctx, "t"); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDropNamesItself holds that the error of DropSeries does not speak of Delete.
func TestDropNamesItself(t *testing.T) {
	db := openMem(t, nil)
	const want = `tickwell: drop series a..b: pattern "a..b": node 2 is empty: bad input`
	if err := db.DropSeries(context.Background(), "a..b"); err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
}

// TestGreatestProfile holds that a store with the greatest or the least number of
// each field works; the greatest MemtableBytes panicked.
func TestGreatestProfile(t *testing.T) {
	ctx := context.Background()
	for what, p := range map[string]Profile{
		"BlockRows":     {BlockRows: math.MaxInt},
		"MemtableBytes": {MemtableBytes: math.MaxInt64},
		"LogBytes":      {LogBytes: math.MaxInt64},
		"SegmentBytes":  {SegmentBytes: math.MaxInt64},
		"OutboxBytes":   {OutboxBytes: math.MaxInt64},
		"OpenFiles":     {OpenFiles: math.MaxInt},
		"least":         {BlockRows: 1, MemtableBytes: 1, LogBytes: 1, SegmentBytes: 1, OutboxBytes: 1, OpenFiles: 1},
	} {
		db, err := Open(ctx, "store", &Options{FS: vfs.NewMem(), Profile: p})
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		for i := range 10 {
			if err := db.Insert(ctx, "root.a", time.Unix(int64(i), 0), Float64("x", float64(i))); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
		}
		if err := db.Flush(ctx); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		last, err := db.Last(ctx, "root.a.x")
		if err != nil || len(last) != 1 || last[0].Value.Float64() != 9 {
			t.Errorf("%s: got %v, %v", what, last, err)
		}
		if err := db.Close(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestGreatestInFlight holds that room for more calls of a sink than there can be
// is an error: the process ended for want of memory.
func TestGreatestInFlight(t *testing.T) {
	err := openMem(t, nil).AddSink(context.Background(), SinkSpec{Name: "s", InFlight: math.MaxInt, Sink: SinkFunc(func(context.Context, []Event) error { return nil })})
	if !errors.Is(err, ErrBadInput) || !strings.Contains(err.Error(), "InFlight over 65536") {
		t.Errorf("got error %v", err)
	}
}
