package tickwell

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell/vfs"
)

func TestInsertKinds(t *testing.T) {
	ctx := context.Background()
	fs := memFS()
	db := openDir(t, "data", &Options{FS: fs})
	nan := math.Float64frombits(0x7ff8000000000123)
	must(t, db.Insert(ctx, "root.d", ns(1), Bool("b", true), Int32("i", math.MinInt32), Int64("j", math.MaxInt64),
		Float32("f", float32(math.Inf(1))), Float64("d", nan), Text("t", "grüß\x00")))
	must(t, db.Insert(ctx, "root.d", ns(2), Float64("d", math.Copysign(0, -1)), Text("t", "")))
	must(t, db.Insert(ctx, "root.d", ns(-5), Float64("d", 5e-324)))
	want := []string{"root.d.b@1=true", "root.d.d@-5=5e-324", "root.d.d@1=NaN", "root.d.d@2=-0", "root.d.f@1=+Inf",
		"root.d.i@1=-2147483648", "root.d.j@1=9223372036854775807", "root.d.t@1=grüß\x00", "root.d.t@2="}
	check := func(db *DB) {
		t.Helper()
		wantDump(t, db, "root.**", want...)
		s, err := SeriesOf[float64](db, "root.d.d")
		must(t, err)
		for p, err := range s.Range(ctx, ns(1), ns(2)) {
			must(t, err)
			if math.Float64bits(p.Value) != 0x7ff8000000000123 {
				t.Errorf("NaN came back as %x", math.Float64bits(p.Value))
			}
		}
	}
	check(db)
	must(t, db.Close())
	db = openDir(t, "data", &Options{FS: fs})
	check(db)
	must(t, db.Flush(ctx))
	check(db)
	must(t, db.Close())
	check(openDir(t, "data", &Options{FS: fs}))
}

func TestInsertBadInput(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, &Options{MaxSeries: 4})
	must(t, db.Insert(ctx, "root.d", ns(1), Float64("s", 1)))
	col := func(name string, v Vector) Column { return Column{Name: name, Data: v} }
	done, cancel := context.WithCancel(ctx)
	cancel()
	long := "root." + strings.Repeat("x", 5000)
	for _, c := range []struct {
		name string
		err  error
		is   error
		says string
	}{
		{"nil context", db.Insert(nil, "root.d", ns(2), Float64("s", 1)), ErrBadInput, "nil context"}, //nolint:staticcheck // the subject of the test
		{"ended context", db.Insert(done, "root.d", ns(2), Float64("s", 1)), context.Canceled, "root.d"},
		{"no fields", db.Insert(ctx, "root.d", ns(2)), ErrBadInput, "without fields"},
		{"kind change", db.Insert(ctx, "root.d", ns(2), Int64("s", 1)), ErrKindMismatch, "root.d.s"},
		{"null of unknown kind", db.Insert(ctx, "root.d", ns(2), Field{Name: "new"}), ErrBadInput, "new"},
		{"twice the same field", db.Insert(ctx, "root.d", ns(2), Float64("s", 1), Float64("s", 2)), ErrBadInput, "s"},
		{"empty device", db.Insert(ctx, "", ns(2), Float64("s", 1)), ErrBadInput, ""},
		{"empty node", db.Insert(ctx, "root..d", ns(2), Float64("s", 1)), ErrBadInput, "root..d"},
		{"wildcard", db.Insert(ctx, "root.*", ns(2), Float64("s", 1)), ErrBadInput, "root.*"},
		{"empty measurement", db.Insert(ctx, "root.d", ns(2), Float64("", 1)), ErrBadInput, ""},
		{"measurement with dot", db.Insert(ctx, "root.d", ns(2), Float64("a.b", 1)), ErrBadInput, "a.b"},
		{"long path", db.Insert(ctx, long, ns(2), Float64("s", 1)), ErrBadInput, ""},
		{"year 1", db.Insert(ctx, "root.d", time.Time{}, Float64("s", 1)), ErrBadInput, "1678"},
		{"year 3000", db.Insert(ctx, "root.d", time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC), Float64("s", 1)), ErrBadInput, "2261"},
		{"nil tablet", db.InsertTablet(ctx, nil), ErrBadInput, "nil tablet"},
		{"unequal columns", db.InsertTablet(ctx, &Tablet{Device: "root.d", Times: []int64{2, 3}, Columns: []Column{col("s", Float64s{1})}}), ErrBadInput, "1 values for 2 rows"},
		{"no columns", db.InsertTablet(ctx, &Tablet{Device: "root.d", Times: []int64{2}}), ErrBadInput, "without columns"},
		{"extreme time", db.InsertTablet(ctx, &Tablet{Device: "root.d", Times: []int64{math.MaxInt64}, Columns: []Column{col("s", Float64s{1})}}), ErrBadInput, "row 0"},
		{"one bad of two", db.InsertTablets(ctx, &Tablet{Device: "root.ok", Times: []int64{2}, Columns: []Column{col("s", Float64s{1})}},
			&Tablet{Device: "root.d", Times: []int64{2}, Columns: []Column{col("s", Texts{"x"})}}), ErrKindMismatch, "root.d.s"},
		{"too many series", db.Insert(ctx, "root.e", ns(2), Float64("a", 1), Float64("b", 1), Float64("c", 1), Float64("d", 1)), ErrLimit, "series"},
	} {
		if c.err == nil || !errors.Is(c.err, c.is) || !strings.Contains(c.err.Error(), c.says) {
			t.Errorf("%s: got error %v, want %v that says %q", c.name, c.err, c.is, c.says)
		} else if !strings.HasPrefix(c.err.Error(), "tickwell: insert") {
			t.Errorf("%s: the error does not name the operation: %v", c.name, c.err)
		}
	}
	wantDump(t, db, "root.**", "root.d.s@1=1")
	must(t, db.InsertTablet(ctx, &Tablet{Device: "root.d"})) // nothing is no error
	must(t, db.Close())
	for name, err := range map[string]error{
		"insert": db.Insert(ctx, "root.d", ns(2), Float64("s", 1)), "tablet": db.InsertTablet(ctx, &Tablet{Device: "root.d"}),
		"sync": db.Sync(ctx), "flush": db.Flush(ctx), "query": errOf(db.Query(ctx, Query{From: []string{"root.d"}})), "last": errOf(db.Last(ctx, "root.**")),
		"list": errOf(db.ListSeries(ctx, "root.**")), "trigger": db.CreateTrigger(ctx, spec("n", "root.**", AfterInsert, nil)),
		"create": db.CreateSeries(ctx, "root.d.x", KindBool), "delete": db.Delete(ctx, "root.**", time.Time{}, time.Time{}),
		"cq": db.CreateContinuousQuery(ctx, CQSpec{Name: "n"}), "sink": db.AddSink(ctx, SinkSpec{Name: "n"}), "writer": errOf(db.Writer("root.d", ColumnInfo{"s", KindBool})),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s after Close: got %v, want ErrClosed", name, err)
		}
	}
	must(t, db.Close())
}

func TestWritePartial(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, nil)
	must(t, db.Insert(ctx, "root.d", ns(1), Float64("a", 1)))
	res, err := db.Write(ctx, WriteOptions{Partial: true}, &Tablet{Device: "root.d", Times: []int64{2, math.MaxInt64, 3}, Columns: []Column{
		{Name: "a", Data: Texts{"x", "y", "z"}}, {Name: "b", Data: Int32s{1, 2, 3}}}})
	var ie *InsertError
	if !errors.As(err, &ie) || !errors.Is(err, ErrKindMismatch) || !errors.Is(err, ErrBadInput) {
		t.Fatalf("got %v, want an InsertError of kind and time", err)
	}
	var rows []string
	for _, r := range ie.Rows {
		rows = append(rows, fmt.Sprintf("%s %d %s", r.Device, r.Row, r.Column))
	}
	if got, want := strings.Join(rows, ", "), "root.d 0 a, root.d 1 a, root.d 2 a, root.d 1 "; got != want {
		t.Errorf("bad rows %q, want %q", got, want)
	}
	if res.Rows != 2 {
		t.Errorf("%d rows stored, want 2", res.Rows)
	}
	wantDump(t, db, "root.**", "root.d.a@1=1", "root.d.b@2=1", "root.d.b@3=3")
}

func TestOverwrite(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, nil)
	w, err := db.Writer("root.d", ColumnInfo{"a", KindInt64}, ColumnInfo{"b", KindText})
	must(t, err)
	must(t, w.Insert(ctx, ns(5), Int64Value(1), TextValue("one")))
	must(t, w.Insert(ctx, ns(6), Int64Value(2), Value{}))
	must(t, w.Insert(ctx, ns(5), Value{}, TextValue("two"))) // a null overwrites nothing
	must(t, w.Insert(ctx, ns(4), Int64Value(0), TextValue("zero")))
	wantDump(t, db, "root.**", "root.d.a@4=0", "root.d.a@5=1", "root.d.a@6=2", "root.d.b@4=zero", "root.d.b@5=two")
	res, err := db.Write(ctx, WriteOptions{Durable: true}, &Tablet{Device: "root.d", Times: []int64{6, 7, 7}, Columns: []Column{{Name: "a", Data: Int64s{20, 30, 31}}}})
	must(t, err)
	if res.Rows != 3 || res.LateRows < 1 {
		t.Errorf("got %+v, want 3 rows and late ones among them", res)
	}
	wantDump(t, db, "root.d.a", "root.d.a@4=0", "root.d.a@5=1", "root.d.a@6=20", "root.d.a@7=31")
	last, err := db.Last(ctx, "root.d.*")
	must(t, err)
	if got := fmt.Sprint(last[0].Path(), last[0].Time.UnixNano(), last[0].Value, last[1].Path(), last[1].Time.UnixNano(), last[1].Value); got != "root.d.a7 31root.d.b5 two" {
		t.Errorf("last values are %s", got)
	}
	for _, bad := range []error{w.Insert(ctx, ns(8), Int64Value(1)), w.Insert(ctx, ns(8), Value{}, Value{})} {
		if !errors.Is(bad, ErrBadInput) {
			t.Errorf("got %v, want ErrBadInput", bad)
		}
	}
	if err := w.Insert(ctx, ns(8), Float64Value(1), Value{}); !errors.Is(err, ErrKindMismatch) {
		t.Errorf("got %v, want ErrKindMismatch", err)
	}
}

func TestDelete(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, nil)
	for i := int64(1); i <= 5; i++ {
		must(t, db.Insert(ctx, "root.d", ns(i), Int64("a", i), Int64("b", i)))
	}
	must(t, db.Delete(ctx, "root.d.a", ns(2), ns(4)))
	wantDump(t, db, "root.d.a", "root.d.a@1=1", "root.d.a@4=4", "root.d.a@5=5")
	must(t, db.Insert(ctx, "root.d", ns(3), Int64("a", 33)))
	wantDump(t, db, "root.d.a", "root.d.a@1=1", "root.d.a@3=33", "root.d.a@4=4", "root.d.a@5=5")
	w, err := db.Writer("root.d", ColumnInfo{"a", KindInt64})
	must(t, err)
	must(t, db.DropSeries(ctx, "root.d.a"))
	wantDump(t, db, "root.d.a")
	must(t, w.Insert(ctx, ns(9), Int64Value(9))) // the handle finds the new series
	wantDump(t, db, "root.**", "root.d.a@9=9", "root.d.b@1=1", "root.d.b@2=2", "root.d.b@3=3", "root.d.b@4=4", "root.d.b@5=5")
	must(t, db.DropSeries(ctx, "root.d.a"))
	must(t, db.Insert(ctx, "root.d", ns(1), Text("a", "another kind")))
	wantDump(t, db, "root.d.a", "root.d.a@1=another kind")
	if err := db.Delete(ctx, "root.d.b", ns(4), ns(2)); !errors.Is(err, ErrBadInput) {
		t.Errorf("range that ends before it begins: got %v, want ErrBadInput", err)
	}
}

func TestAuthorize(t *testing.T) {
	ctx := context.Background()
	var j journal
	denied := Action("")
	db := openMem(t, &Options{Authorize: func(_ context.Context, a Action, path string) error {
		if a == denied {
			j.add("%s %s", a, path)
			return errBoom
		}
		return nil
	}})
	must(t, db.CreateTrigger(ctx, spec("old", "root.x.*", AfterInsert, func(context.Context, *Firing) error { return nil })))
	for _, c := range []struct {
		action Action
		path   string
		do     func() error
	}{
		{ActionWrite, "root.d", func() error { return db.Insert(ctx, "root.d", ns(1), Bool("s", true)) }},
		{ActionRead, "root.d.*", func() error { return errOf(db.Last(ctx, "root.d.*")) }},
		{ActionRead, "root.d.*", func() error { return errOf(db.ListSeries(ctx, "root.d.*")) }},
		{ActionCreateSeries, "root.d.s", func() error { return db.CreateSeries(ctx, "root.d.s", KindBool) }},
		{ActionDelete, "root.d.s", func() error { return db.Delete(ctx, "root.d.s", time.Time{}, time.Time{}) }},
		{ActionDelete, "root.d.s", func() error { return db.DropSeries(ctx, "root.d.s") }},
		{ActionCreateTrigger, "root.**", func() error { return db.CreateTrigger(ctx, spec("n", "root.**", AfterInsert, nil)) }},
		{ActionDropTrigger, "root.x.*", func() error { return db.DropTrigger(ctx, "old") }},
		{ActionCreateCQ, "n", func() error { return db.CreateContinuousQuery(ctx, CQSpec{Name: "n"}) }},
		{ActionDropCQ, "n", func() error { return db.DropContinuousQuery(ctx, "n") }},
		{ActionShowCQ, "", func() error { return errOf(db.ContinuousQueries(ctx)) }},
	} {
		denied = c.action
		if err := c.do(); !errors.Is(err, errBoom) {
			t.Errorf("%s: got %v, want the refusal", c.action, err)
		}
		j.want(t, string(c.action)+" "+c.path)
	}
	denied = ""
	wantDump(t, db, "root.**")
}

func TestOpenErrors(t *testing.T) {
	ctx := context.Background()
	fs := memFS()
	db := openDir(t, "data", &Options{FS: fs})
	quiet := slog.New(slog.DiscardHandler)
	if _, err := Open(ctx, "data", &Options{FS: fs, Logger: quiet}); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "data") {
		t.Errorf("second Open: got %v, want ErrLocked that names the folder", err)
	} else if strings.Count(err.Error(), "open data") != 1 {
		t.Errorf("second Open: got %v, want the folder once", err)
	}
	must(t, db.Close())
	openDir(t, "data", &Options{FS: fs})
	if _, err := Open(nil, "", nil); !errors.Is(err, ErrBadInput) { //nolint:staticcheck // the subject of the test
		t.Errorf("nil context: got %v, want ErrBadInput", err)
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Open(done, "", &Options{Logger: quiet}); !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: got %v, want context.Canceled", err)
	}
	if _, err := Open(ctx, "", &Options{Logger: quiet, Triggers: []TriggerSpec{{Name: "n"}}}); !errors.Is(err, ErrBadInput) {
		t.Errorf("bad trigger in the options: got %v, want ErrBadInput", err)
	}
	if _, err := Open(ctx, t.TempDir()+"/a\x00b", &Options{Logger: quiet, FS: vfs.OS()}); err == nil {
		t.Error("a folder that cannot be: no error")
	}
}
