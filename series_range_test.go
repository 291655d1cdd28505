package tickwell

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// readBlocks reads a range by Blocks and by Range and checks that both say the
// same, that blocks are whole, ordered and not longer than they may be used, and
// that nothing can be appended to the store's memory.
func readBlocks[T Type](t testing.TB, s *Series[T], start, end time.Time) (times []int64, values []T) {
	t.Helper()
	for b, err := range s.Blocks(context.Background(), start, end) {
		must(t, err)
		if len(b.Times) == 0 || len(b.Values) != len(b.Times) || cap(b.Times) != len(b.Times) || cap(b.Values) != len(b.Values) {
			t.Fatalf("a block of %d times (cap %d) and %d values (cap %d)", len(b.Times), cap(b.Times), len(b.Values), cap(b.Values))
		}
		times, values = append(times, b.Times...), append(values, b.Values...)
	}
	for i := 1; i < len(times); i++ {
		if times[i] <= times[i-1] {
			t.Fatalf("time %d comes after %d", times[i], times[i-1])
		}
	}
	i := 0
	for p, err := range s.Range(context.Background(), start, end) {
		must(t, err)
		if i == len(times) {
			t.Fatalf("Range yields %v, after the %d points that Blocks yields", p, i)
		}
		if p.Time != ns(times[i]) || p.Value != values[i] {
			t.Fatalf("point %d by Range is %v, by Blocks %v %v", i, p, ns(times[i]), values[i])
		}
		i++
	}
	if i != len(times) {
		t.Fatalf("Range yields %d points, Blocks %d", i, len(times))
	}
	return times, values
}

// TestBlocksModel compares Blocks and Range with a map through inserts in order
// and late, overwrites, deletes, flushes and reopening, over random ranges.
func TestBlocksModel(t *testing.T) {
	for _, c := range []struct{ name, dir string }{{"memory", ""}, {"disk", "data"}} {
		t.Run(c.name, func(t *testing.T) {
			testBlocksModel(t, c.dir, func(n int64) float64 { return float64(n) / 4 })
			testBlocksModel(t, c.dir, func(n int64) string { return fmt.Sprint("v", n) })
			testBlocksModel(t, c.dir, func(n int64) int32 { return int32(n) })
			testBlocksModel(t, c.dir, func(n int64) bool { return n%3 == 0 })
		})
	}
}

func testBlocksModel[T Type](t *testing.T, dir string, value func(int64) T) {
	ctx := context.Background()
	rng := rand.New(rand.NewPCG(7, 11))
	opts := &Options{FS: memFS(), Logger: openMemLogger()}
	db := openDir(t, dir, opts)
	open := func() *Series[T] {
		s, err := SeriesOf[T](db, "root.d.s")
		must(t, err)
		return s
	}
	s := open()
	type row struct {
		at int64
		v  T
	}
	var model []row // sorted by time
	put := func(at int64, v T) {
		i, found := slices.BinarySearchFunc(model, at, func(r row, at int64) int { return cmp.Compare(r.at, at) })
		if found {
			model[i].v = v
		} else {
			model = slices.Insert(model, i, row{at, v})
		}
	}
	next, newest := int64(0), int64(0)
	insert := func(at int64) {
		v := value(next)
		next++
		must(t, s.Insert(ctx, ns(at), v))
		put(at, v)
		newest = max(newest, at)
	}
	check := func(from, to int64, start, end time.Time) {
		t.Helper()
		lo, _ := slices.BinarySearchFunc(model, from, func(r row, at int64) int { return cmp.Compare(r.at, at) })
		hi, _ := slices.BinarySearchFunc(model, to, func(r row, at int64) int { return cmp.Compare(r.at, at) })
		times, values := readBlocks(t, s, start, end)
		want := model[lo:max(lo, hi)]
		if len(times) != len(want) {
			t.Fatalf("[%d, %d) has %d points, want %d", from, to, len(times), len(want))
		}
		for i, w := range want {
			if times[i] != w.at || values[i] != w.v {
				t.Fatalf("[%d, %d): point %d is %d %v, want %d %v", from, to, i, times[i], values[i], w.at, w.v)
			}
		}
	}
	for step := range 60 {
		switch rng.IntN(8) {
		case 0, 1, 2: // in order
			for range rng.IntN(900) {
				insert(newest + 1 + rng.Int64N(3)*rng.Int64N(2))
			}
		case 3, 4: // late, or again
			for range rng.IntN(60) {
				insert(max(0, newest-rng.Int64N(3000)))
			}
		case 5:
			from := rng.Int64N(newest + 1)
			to := from + rng.Int64N(400)
			must(t, db.Delete(ctx, "root.d.s", ns(from), ns(to)))
			model = slices.DeleteFunc(model, func(r row) bool { return r.at >= from && r.at < to })
		case 6:
			must(t, db.Flush(ctx))
		case 7:
			if dir != "" && rng.IntN(3) == 0 {
				must(t, db.Close())
				db = openDir(t, dir, opts)
				s = open()
			}
		}
		if step%10 == 0 {
			check(-1<<62, 1<<62, time.Time{}, time.Time{})
		}
		for range 3 {
			from := rng.Int64N(newest+50) - 20
			to := from + rng.Int64N(2500)
			check(from, to, ns(from), ns(to))
		}
		if len(model) > 0 {
			check(newest-29, newest+1, ns(newest-29), ns(newest+1))
		}
	}
	if n := db.eng.Stats().Snapshots; n != 0 {
		t.Errorf("%d snapshots are still held", n)
	}
}

// fillSeries gives a series n points, time and value i*step from 0 on, on disk
// in a folder and flushed.
func fillSeries(t testing.TB, dir string, n int, opts Options) (*DB, *Series[int64]) {
	t.Helper()
	opts.FS = memFS()
	db := openDir(t, dir, &opts)
	tab := &Tablet{Device: "root.d"}
	v := make(Int64s, n)
	for i := range v {
		tab.Times, v[i] = append(tab.Times, int64(i)), int64(i)
	}
	tab.Columns = []Column{{Name: "s", Data: v}}
	must(t, db.InsertTablet(context.Background(), tab))
	must(t, db.Flush(context.Background()))
	s, err := SeriesOf[int64](db, "root.d.s")
	must(t, err)
	return db, s
}

// A loop over blocks may be left in any way, and rows that are stored, deleted
// or flushed meanwhile do not change what it sees.
func TestBlocksLoops(t *testing.T) {
	ctx := context.Background()
	const n = 10_000
	for _, c := range []struct{ name, dir string }{{"memory", ""}, {"disk", "data"}} {
		t.Run(c.name, func(t *testing.T) {
			db, s := fillSeries(t, c.dir, n, Options{})
			held := func(after string) {
				t.Helper()
				if n := db.eng.Stats().Snapshots; n != 0 {
					t.Errorf("after %s %d snapshots are still held", after, n)
				}
			}
			for b, err := range s.Blocks(ctx, time.Time{}, time.Time{}) {
				must(t, err)
				if b.Times[0] != 0 {
					t.Errorf("the first block begins at %d, want 0", b.Times[0])
				}
				break
			}
			held("break")

			func() {
				defer func() {
					if r := recover(); r != "mine" {
						t.Errorf("recovered %v, want what the body threw", r)
					}
				}()
				for range s.Blocks(ctx, time.Time{}, time.Time{}) {
					panic("mine")
				}
			}()
			held("panic")

			cut, cancel := context.WithCancel(ctx)
			steps := 0
			for b, err := range s.Blocks(cut, time.Time{}, time.Time{}) {
				if steps++; steps == 1 {
					must(t, err)
					cancel()
					continue
				}
				if !errors.Is(err, context.Canceled) || b.Times != nil || b.Values != nil {
					t.Errorf("after cancel: got %d times and %v, want context.Canceled and no block", len(b.Times), err)
				}
			}
			cancel()
			if steps != 2 {
				t.Errorf("after cancel the loop took %d steps, want 2", steps)
			}
			held("cancel")

			var got []int64
			for b, err := range s.Blocks(ctx, time.Time{}, time.Time{}) {
				must(t, err)
				if len(got) == 0 {
					must(t, db.Delete(ctx, "root.d.s", ns(0), ns(n/2)))
					must(t, s.Insert(ctx, ns(n-1), -1))
					must(t, s.Insert(ctx, ns(n+5), -1))
					must(t, db.Flush(ctx))
				}
				got = append(got, b.Values...)
			}
			for i, v := range got {
				if v != int64(i) {
					t.Fatalf("value %d is %d: the loop sees what came after it began", i, v)
				}
			}
			if len(got) != n {
				t.Errorf("%d points, want %d", len(got), n)
			}
			if times, values := readBlocks(t, s, time.Time{}, time.Time{}); len(times) != n/2+1 || times[0] != n/2 || values[n/2-1] != -1 || times[n/2] != n+5 {
				t.Errorf("after the loop: %d points from %d on, the last %v", len(times), times[0], values[len(values)-2:])
			}

			// One loop inside another of the same series.
			sum := 0
			for range s.Blocks(ctx, ns(n/2), ns(n/2+2000)) {
				for b, err := range s.Blocks(ctx, ns(n/2+100), ns(n/2+110)) {
					must(t, err)
					if !slices.Equal(b.Times, b.Values) || b.Times[0] != n/2+100 {
						t.Fatalf("inner block is %v %v", b.Times, b.Values)
					}
					sum += len(b.Times)
				}
			}
			if sum == 0 || sum%10 != 0 {
				t.Errorf("inner loops yielded %d points, want 10 each", sum)
			}

			seq := s.Blocks(ctx, time.Time{}, time.Time{})
			must(t, db.Close())
			for _, err := range seq {
				if !errors.Is(err, ErrClosed) {
					t.Errorf("after Close: got %v, want ErrClosed", err)
				}
			}
		})
	}
}

// Errors of the range, the context and the authorizer are yielded once.
func TestBlocksErrors(t *testing.T) {
	denied := errors.New("not for you")
	deny := false
	db := openMem(t, &Options{Authorize: func(_ context.Context, a Action, path string) error {
		if deny && a == ActionRead && path == "root.d.s" {
			return denied
		}
		return nil
	}})
	s, err := SeriesOf[float64](db, "root.d.s")
	must(t, err)
	must(t, s.Insert(context.Background(), ns(1), 1))
	done, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		name       string
		ctx        context.Context
		start, end time.Time
		deny       bool
		want       error
	}{
		{"reversed", context.Background(), ns(5), ns(1), false, ErrBadInput},
		{"ended context", done, ns(1), ns(5), false, context.Canceled},
		{"denied", context.Background(), ns(1), ns(5), true, denied},
		{"year 3000", context.Background(), time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC), time.Time{}, false, ErrBadInput},
	} {
		deny = c.deny
		n := 0
		for b, err := range s.Blocks(c.ctx, c.start, c.end) {
			if !errors.Is(err, c.want) || b.Times != nil {
				t.Errorf("%s: got %v and %d times, want %v", c.name, err, len(b.Times), c.want)
			}
			n++
		}
		if n != 1 {
			t.Errorf("%s: %d steps, want 1", c.name, n)
		}
	}
}

// A series that was dropped and made anew as another kind is an error, not a
// panic, of handles from before.
func TestBlocksOfAnotherKind(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, nil)
	s, err := SeriesOf[float64](db, "root.d.s")
	must(t, err)
	must(t, s.Insert(ctx, ns(1), 1))
	must(t, db.DropSeries(ctx, "root.d.s"))
	if times, _ := readBlocks(t, s, time.Time{}, time.Time{}); len(times) != 0 {
		t.Errorf("a dropped series has points at %v", times)
	}
	must(t, db.Insert(ctx, "root.d", ns(1), Text("s", "one")))
	for b, err := range s.Blocks(ctx, time.Time{}, time.Time{}) {
		if !errors.Is(err, ErrKindMismatch) {
			t.Errorf("got %v, %v, want ErrKindMismatch", b, err)
		}
	}
	for p, err := range s.Range(ctx, time.Time{}, time.Time{}) {
		if !errors.Is(err, ErrKindMismatch) {
			t.Errorf("got %v, %v, want ErrKindMismatch", p, err)
		}
	}
}

// Points that have expired are not yielded.
func TestBlocksTTL(t *testing.T) {
	for _, dir := range []string{"", "data"} {
		db, s := fillSeries(t, dir, 10_000, Options{})
		must(t, db.SetTTL(context.Background(), "root.d", 3000))
		if times, _ := readBlocks(t, s, time.Time{}, time.Time{}); len(times) != 3001 || times[0] != 6999 {
			t.Errorf("%q: %d points, want those from 6999 on, 3001", dir, len(times))
		}
		if times, _ := readBlocks(t, s, ns(100), ns(7010)); len(times) != 11 || times[0] != 6999 {
			t.Errorf("%q: %d points before 7010, want 11", dir, len(times))
		}
		if times, _ := readBlocks(t, s, ns(100), ns(6000)); len(times) != 0 {
			t.Errorf("%q: %d points before the horizon, want none", dir, len(times))
		}
	}
}

// Reading a block allocates nothing: ten times as many cost no more.
func TestBlocksAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for _, dir := range []string{"", "data"} {
		_, s := fillSeries(t, dir, 64*1024, Options{})
		allocs := func(end int64) float64 {
			return testing.AllocsPerRun(100, func() {
				n := int64(0)
				for b, err := range s.Blocks(context.Background(), ns(0), ns(end)) {
					must(t, err)
					n += int64(len(b.Times))
				}
				if n != end {
					t.Fatalf("%d points, want %d", n, end)
				}
			})
		}
		if few, many := allocs(4*1024), allocs(60*1024); few > 12 || many > few+4 {
			t.Errorf("%q: %v allocations for 4 blocks and %v for 60, want at most 12 and no more", dir, few, many)
		}
	}
}
