package tickwell

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestListSeries(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, nil)
	for _, path := range []string{"root.ln.wf02.wt02.status", "root.ln.wf01.wt01.temperature", "root.ln.wf01.wt01.status", "root.sg.d1.s1", "plant.x", "root.`odd name`.`a.b`"} {
		must(t, db.CreateSeries(ctx, path, KindFloat64))
	}
	for pat, want := range map[string]string{
		"root.ln.**":           "root.ln.wf01.wt01.status root.ln.wf01.wt01.temperature root.ln.wf02.wt02.status",
		"root.*.*.*.status":    "root.ln.wf01.wt01.status root.ln.wf02.wt02.status",
		"root.ln.*.*.status":   "root.ln.wf01.wt01.status root.ln.wf02.wt02.status",
		"root.ln.wf0*.**":      "root.ln.wf01.wt01.status root.ln.wf01.wt01.temperature root.ln.wf02.wt02.status",
		"root.**.s*":           "root.ln.wf01.wt01.status root.ln.wf02.wt02.status root.sg.d1.s1",
		"root.sg":              "",
		"**":                   "plant.x root.`odd name`.`a.b` root.ln.wf01.wt01.status root.ln.wf01.wt01.temperature root.ln.wf02.wt02.status root.sg.d1.s1",
		"root.`odd name`.*":    "root.`odd name`.`a.b`",
		"root.`odd name`.`a*`": "",
	} {
		all, err := db.ListSeries(ctx, pat)
		must(t, err)
		var got []string
		for s := range all {
			got = append(got, s.Path())
		}
		if g := strings.Join(got, " "); g != want {
			t.Errorf("%s: got %q, want %q", pat, g, want)
		}
	}
	if _, err := db.ListSeries(ctx, "root..x"); !errors.Is(err, ErrBadInput) {
		t.Errorf("bad pattern: got %v, want ErrBadInput", err)
	}
	if err := db.CreateSeries(ctx, "root.sg.d1.s1", KindInt32); !errors.Is(err, ErrKindMismatch) {
		t.Errorf("create with another kind: got %v, want ErrKindMismatch", err)
	}
	must(t, db.CreateSeries(ctx, "root.sg.d1.s1", KindFloat64))
	for _, bad := range []string{"alone", "", "root.*", "root.a b.c"} {
		if err := db.CreateSeries(ctx, bad, KindFloat64); !errors.Is(err, ErrBadInput) {
			t.Errorf("create %q: got %v, want ErrBadInput", bad, err)
		}
	}
	if err := db.CreateSeries(ctx, "root.sg.d1.s2", KindNull); !errors.Is(err, ErrBadInput) {
		t.Errorf("create without a kind: got %v, want ErrBadInput", err)
	}
}

// A name may be quoted where it need not be: it is the same series.
func TestQuotedNames(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, nil)
	must(t, db.Insert(ctx, "root.`plant`", ns(1), Int64("`s`", 1)))
	must(t, db.Insert(ctx, "root.plant", ns(2), Int64("s", 2), Int64("`a.b`", 3)))
	wantDump(t, db, "root.**", "root.plant.`a.b`@2=3", "root.plant.s@1=1", "root.plant.s@2=2")
	s, err := SeriesOf[int64](db, "root.`plant`.`a.b`")
	must(t, err)
	must(t, s.Insert(ctx, ns(5), 4))
	wantDump(t, db, "root.plant.`a.b`", "root.plant.`a.b`@2=3", "root.plant.`a.b`@5=4")
}

func testSeriesOf[T Type](t *testing.T, db *DB, values ...T) {
	t.Helper()
	ctx := context.Background()
	path := fmt.Sprintf("root.typed.%T", values[0])
	s, err := SeriesOf[T](db, path)
	must(t, err)
	for p, err := range s.Range(ctx, time.Time{}, time.Time{}) {
		t.Errorf("%s: a series that does not exist yields %v, %v", path, p, err)
	}
	for i, v := range values {
		must(t, s.Insert(ctx, ns(int64(i+1)), v))
	}
	read := func(from, to time.Time) (got []T) {
		for p, err := range s.Range(ctx, from, to) {
			must(t, err)
			got = append(got, p.Value)
		}
		return got
	}
	if got := read(time.Time{}, time.Time{}); !slices.Equal(got, values) {
		t.Errorf("%s: got %v, want %v", path, got, values)
	}
	if got, want := read(ns(2), ns(3)), values[1:2]; !slices.Equal(got, want) {
		t.Errorf("%s: [2, 3) is %v, want %v", path, got, want)
	}
	for range s.Range(ctx, time.Time{}, time.Time{}) {
		break // leaving the loop releases what it held
	}
}

func TestSeriesOf(t *testing.T) {
	db := openMem(t, nil)
	testSeriesOf(t, db, true, false, true)
	testSeriesOf(t, db, int32(1), -2, 3)
	testSeriesOf(t, db, int64(1), -2, 1<<62)
	testSeriesOf(t, db, float32(1.5), -2, 3)
	testSeriesOf(t, db, 1.5, -2, 3)
	testSeriesOf(t, db, "a", "", "c")
	if n := db.eng.Stats().Snapshots; n != 0 {
		t.Errorf("%d snapshots are still held", n)
	}
	if _, err := SeriesOf[bool](db, "root.typed.int32"); !errors.Is(err, ErrKindMismatch) {
		t.Errorf("another kind: got %v, want ErrKindMismatch", err)
	}
	s, err := SeriesOf[string](db, "root.typed.string")
	must(t, err)
	done, cancel := context.WithCancel(context.Background())
	cancel()
	for _, err := range s.Range(done, time.Time{}, time.Time{}) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("ended context: got %v, want context.Canceled", err)
		}
	}
	for _, err := range s.Range(context.Background(), ns(5), ns(1)) {
		if !errors.Is(err, ErrBadInput) {
			t.Errorf("range that ends before it begins: got %v, want ErrBadInput", err)
		}
	}
}

// A read sees one cut: what is written while it runs is not in it, and tablets
// of one insert are in it whole or not at all.
func TestReadsSeeOneCut(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, nil)
	stop := make(chan struct{})
	wrote := make(chan error, 1)
	go func() {
		for i := int64(1); ; i++ {
			select {
			case <-stop:
				wrote <- nil
				return
			default:
			}
			err := db.InsertTablets(ctx,
				&Tablet{Device: "root.a", Times: []int64{i}, Columns: []Column{{Name: "s", Data: Int64s{i}}}},
				&Tablet{Device: "root.b", Times: []int64{i}, Columns: []Column{{Name: "s", Data: Int64s{i}}}})
			if err != nil {
				wrote <- err
				return
			}
		}
	}()
	for range 200 {
		last, err := db.Last(ctx, "root.*.s")
		must(t, err)
		if len(last) == 2 && (!last[0].Time.Equal(last[1].Time) || !last[0].Value.Equal(last[1].Value)) || len(last) == 1 {
			t.Fatalf("half of an insert is seen: %v", last)
		}
	}
	close(stop)
	must(t, <-wrote)
}

func TestOpenOddFolders(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	must(t, os.WriteFile(file, nil, 0o600))
	for _, bad := range []string{file, filepath.Join(file, "below")} {
		if _, err := Open(ctx, bad, &Options{Logger: openMemLogger()}); err == nil || !strings.Contains(err.Error(), bad) {
			t.Errorf("open %s: got %v, want an error that names it", bad, err)
		}
	}
	if os.Getuid() > 0 {
		closed := filepath.Join(dir, "closed")
		must(t, os.Mkdir(closed, 0o500))
		if _, err := Open(ctx, closed, &Options{Logger: openMemLogger()}); !errors.Is(err, os.ErrPermission) {
			t.Errorf("folder without permission: got %v, want a permission error", err)
		}
	}
	must(t, openDir(t, filepath.Join(dir, "a", "b", "c"), nil).Close())
	if _, err := os.Stat(filepath.Join(dir, "a", "b", "c", "CURRENT")); err != nil {
		t.Errorf("folders that do not exist are made: %v", err)
	}
}
