package tickwell

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/internal/engine"
)

// oneRow draws a tablet of one row of some columns of a device; column i has kind
// i mod 6. Texts are rare: they go the general way.
func oneRow(r *rand.Rand, device string, at int64, cols []int) *Tablet {
	t := &Tablet{Device: device, Times: []int64{at}}
	null := 0
	for _, i := range cols {
		n := r.IntN(1000)
		c := Column{Name: fmt.Sprint("c", i)}
		switch Kind(1 + i%6) {
		case KindBool:
			c.Data = Bools{n%2 == 0}
		case KindInt32:
			c.Data = Int32s{int32(n - 500)}
		case KindInt64:
			c.Data = Int64s{int64(n-500) << 33}
		case KindFloat32:
			c.Data = Float32s{float32(n) / 8}
		case KindFloat64:
			c.Data = Float64s{float64(n) / 100}
		case KindText:
			c.Data = Texts{fmt.Sprint(n)}
		}
		if r.IntN(8) == 0 && null < len(cols)-1 {
			c.Nulls.Set(0)
			null++
		}
		t.Columns = append(t.Columns, c)
	}
	return t
}

// shown returns what a snapshot shows of every series.
func shown(t *testing.T, db *DB, snap *engine.Snapshot) map[string]string {
	t.Helper()
	out := map[string]string{}
	all, err := db.ListSeries(context.Background(), "root.**")
	require.NoError(t, err)
	for s := range all {
		ser, ok := db.eng.Lookup(s.Device, s.Name)
		require.True(t, ok)
		c := snap.Cursor(ser, math.MinInt64, math.MaxInt64)
		for c.Next() {
			for i, at := range c.Times() {
				cell := c.Values().Cell(i)
				out[fmt.Sprint(s.Device, ".", s.Name, "@", at)] = fmt.Sprint(cell.Kind, cell.Num, cell.Text)
			}
		}
		require.NoError(t, c.Err())
		c.Close()
	}
	return out
}

// shownNow is shown of a snapshot of this moment.
func shownNow(t *testing.T, db *DB) map[string]string {
	t.Helper()
	snap := db.eng.Snapshot()
	defer snap.Release()
	return shown(t, db, snap)
}

// TestQuickGroups: groups of single rows of several devices, some twice in a
// group, late, equal and sparse, with snapshots, deletes and drops between them,
// are what a store holds in which each group goes the general way: in memory, and
// on disk, there also after a crash and reopening.
func TestQuickGroups(t *testing.T) {
	ctx := context.Background()
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 5))
		logged, fs := seed%2 == 0, crashfs.New()
		opts := Options{FS: fs, Sync: []SyncPolicy{SyncAlways(), SyncInterval(time.Hour), AckBuffered(time.Hour)}[seed/2%3]}
		quick := openMem(t, nil)
		if logged {
			quick = openDir(t, "data", &opts)
		}
		slow := openMem(t, &Options{Authorize: func(context.Context, Action, string) error { return nil }})
		layouts := [][]int{{0, 1, 2, 3, 4}, {1, 2, 3, 4, 7, 8, 9, 10}, {4}, {2, 8}, {3}, {4, 5}}
		at := int64(1000)
		var pinned []*engine.Snapshot
		var was []map[string]string
		for n := range 250 {
			at += int64(1 + r.IntN(5))
			var group []*Tablet
			add := func(d, layout int) {
				when := at
				if r.IntN(20) == 0 {
					when -= int64(r.IntN(100))
				}
				group = append(group, oneRow(r, fmt.Sprint("root.d", d), when, layouts[layout]))
			}
			for d := range 12 {
				add(d, d/9) // enough of the first for one section of the log
			}
			if n%16 == 15 { // so are these, some of one series and time
				for range 40 {
					add(r.IntN(6), []int{2, 4}[r.IntN(2)])
				}
			}
			for n > 20 && r.IntN(3) == 0 {
				add(r.IntN(12), r.IntN(len(layouts)-1))
			}
			if r.IntN(50) == 0 {
				add(r.IntN(12), len(layouts)-1)
			}
			if r.IntN(10) == 0 {
				r.Shuffle(len(group), func(i, j int) { group[i], group[j] = group[j], group[i] })
			}
			a, err := quick.Write(ctx, WriteOptions{Partial: n%7 == 0, Durable: n%11 == 0}, group...)
			require.NoError(t, err)
			b, err := slow.Write(ctx, WriteOptions{}, group...)
			require.NoError(t, err)
			require.Equal(t, b.Rows, a.Rows)
			require.NotZero(t, a.Position)
			switch r.IntN(40) {
			case 0:
				from, to := ns(at-int64(r.IntN(100))), ns(at+int64(r.IntN(3)))
				must(t, quick.Delete(ctx, "root.*.c4", from, to))
				must(t, slow.Delete(ctx, "root.*.c4", from, to))
			case 1:
				if len(pinned) > 0 {
					break // what is made again is another series
				}
				must(t, quick.DropSeries(ctx, "root.d3.c4"))
				must(t, slow.DropSeries(ctx, "root.d3.c4"))
			case 2:
				snap := quick.eng.Snapshot()
				pinned, was = append(pinned, snap), append(was, shown(t, quick, snap))
			case 3:
				if logged {
					must(t, quick.Flush(ctx))
				}
			case 4:
				require.Equal(t, shownNow(t, slow), shownNow(t, quick), "seed %d", seed)
			}
			if len(pinned) > 0 && r.IntN(10) == 0 {
				require.Equal(t, was[0], shown(t, quick, pinned[0]), "seed %d", seed)
				pinned[0].Release()
				pinned, was = pinned[1:], was[1:]
			}
		}
		for i, snap := range pinned {
			require.Equal(t, was[i], shown(t, quick, snap), "seed %d", seed)
			snap.Release()
		}
		require.Equal(t, shownNow(t, slow), shownNow(t, quick), "seed %d", seed)
		require.Equal(t, slow.Stats().Points, quick.Stats().Points)
		if !logged {
			continue
		}
		must(t, quick.Sync(ctx))
		opts.FS = crashfs.From(fs.Image(fs.Ops(), crashfs.None, seed))
		require.Equal(t, shownNow(t, slow), shownNow(t, openDir(t, "data", &opts)), "seed %d", seed)
	}
}

// TestQuickGroupsRefuse: what is wrong with one tablet of a group is said, and
// nothing of the group is stored.
func TestQuickGroupsRefuse(t *testing.T) {
	ctx := context.Background()
	fs := crashfs.New()
	db := openDir(t, "data", &Options{FS: fs, Sync: SyncAlways()})
	tablet := func(at int64, data Vector) *Tablet {
		return &Tablet{Device: "root.d", Times: []int64{at}, Columns: []Column{{Name: "f", Data: data}}}
	}
	good := func(at int64) *Tablet { return tablet(at, Float64s{1}) }
	must(t, db.InsertTablets(ctx, good(1)))
	must(t, db.InsertTablets(ctx, good(2)))
	for _, c := range []struct {
		bad  *Tablet
		want error
	}{
		{tablet(3, Int64s{1}), ErrKindMismatch},
		{tablet(3, Float64s{1, 2}), ErrBadInput},
		{tablet(3, nil), ErrBadInput},
		{tablet(math.MinInt64, Float64s{1}), ErrBadInput},
		{nil, ErrBadInput},
	} {
		require.ErrorIs(t, db.InsertTablets(ctx, good(3), c.bad), c.want)
		require.ErrorIs(t, db.InsertTablets(ctx, c.bad, good(3)), c.want)
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	require.ErrorIs(t, db.InsertTablets(done, good(3)), context.Canceled)
	require.Equal(t, int64(2), db.Stats().Points)

	fired := 0
	must(t, db.CreateTrigger(ctx, spec("t", "root.d.f", BeforeInsert, func(context.Context, *Firing) error { fired++; return nil })))
	must(t, db.InsertTablets(ctx, good(3)))
	require.Equal(t, 1, fired)
	must(t, db.DropTrigger(ctx, "t"))
	must(t, db.InsertTablets(ctx, good(4)))
	require.Equal(t, 1, fired)

	fs.Fail(1, errors.New("disk is broken"), true, func(op crashfs.Op) bool { return op.Kind == crashfs.Sync })
	err := db.InsertTablets(ctx, good(5), good(6))
	var e *Error
	require.ErrorAs(t, err, &e)
	require.ErrorIs(t, err, ErrStorageFailed)
	require.Equal(t, []any{"insert", "root.d", true, false}, []any{e.Op, e.Subject, e.Stored, e.Durable})
	require.Equal(t, int64(6), db.Stats().Points)
	require.ErrorIs(t, db.InsertTablets(ctx, good(7)), ErrStorageFailed)
	require.Equal(t, int64(6), db.Stats().Points)
}

// TestQuickGroupsForget: a device whose series were dropped and made again, of
// the same kind or another, is soon stored the quick way again.
func TestQuickGroupsForget(t *testing.T) {
	if SmallProgram {
		t.Skip("programs with the tag tickwell_small have no short way")
	}
	ctx := context.Background()
	for _, data := range []Vector{Float64s{1}, Int64s{1}} {
		db := openMem(t, nil)
		tablet := func(at int64, v Vector) *Tablet {
			return &Tablet{Device: "root.d", Times: []int64{at}, Columns: []Column{{Name: "f", Data: v}}}
		}
		in := new(insertion)
		quick := func(tab *Tablet) bool {
			_, stored, err := db.quickGroup(ctx, in, false, []*Tablet{tab})
			require.NoError(t, err)
			return stored
		}
		must(t, db.InsertTablets(ctx, tablet(1, Float64s{1})))
		require.True(t, quick(tablet(2, Float64s{1})))
		must(t, db.DropSeries(ctx, "root.d.f"))
		require.False(t, quick(tablet(3, data)))
		must(t, db.InsertTablets(ctx, tablet(3, data)))
		for i := range bindingShards { // as if others had taken the place of what is remembered
			if b := db.bound.shards[i].m["root.d"]; b != nil {
				renewed, err := newBinding(b.device, b.names, b.kinds)
				require.NoError(t, err)
				_, err = renewed.resolve(db.eng)
				require.NoError(t, err)
				db.bound.keep(renewed)
			}
		}
		_ = quick(tablet(4, data))
		require.True(t, quick(tablet(5, data)))
	}
}

// TestQuickBesideOthers: a trigger and continuous queries send only the rows the
// long way that they have to be asked about, and miss none.
func TestQuickBesideOthers(t *testing.T) {
	if SmallProgram {
		t.Skip("programs with the tag tickwell_small have no short way")
	}
	ctx := context.Background()
	db := openMem(t, &Options{Clock: newFake()})
	in := new(insertion)
	const minute = int64(time.Minute)
	group := func(at int64, devices ...string) (ts []*Tablet) {
		for _, d := range devices {
			ts = append(ts, &Tablet{Device: d, Times: []int64{at}, Columns: []Column{{Name: "s", Data: Float64s{1}}}})
		}
		return ts
	}
	quick := func(ts []*Tablet) bool {
		t.Helper()
		_, stored, err := db.quickGroup(ctx, in, false, ts)
		require.NoError(t, err)
		in.reset()
		return stored
	}
	single := func(device string, at int64) bool {
		t.Helper()
		fields := []Field{Float64("s", 2)}
		stored, err := db.quick(ctx, db.bound.named(device, fields), ns(at), []column.Cell{fields[0].Value.cell()})
		require.NoError(t, err)
		return stored
	}
	var fired []string
	must(t, db.CreateTrigger(ctx, spec("t", "root.fire.s", AfterInsert, func(_ context.Context, f *Firing) error {
		fired = append(fired, render(f.Tablet))
		return nil
	})))
	must(t, db.CreateContinuousQuery(ctx, minuteView("m")))
	must(t, db.InsertTablets(ctx, group(0, "root.a", "root.b", "root.fire", "root.in.d")...))
	must(t, db.Quiesce(ctx))

	for _, c := range []struct {
		of   string
		at   int64
		on   []string
		want bool
	}{
		{"nobody's rows", 1, []string{"root.a", "root.b"}, true},
		{"one fires", 2, []string{"root.a", "root.fire"}, false},
		{"read, of a window that is marked", 3, []string{"root.a", "root.in.d", "root.b"}, true},
		{"read, twice, one late", 2, []string{"root.in.d", "root.a", "root.in.d"}, true},
		{"read, of a window that is not marked", minute, []string{"root.in.d"}, false},
		{"far ahead of all, read by nobody", int64(100 * time.Hour), []string{"root.a"}, true},
		{"far ahead of all", int64(1e18), []string{"root.in.d"}, false},
		{"results", 0, []string{"root.m"}, false},
	} {
		require.Equal(t, c.want, quick(group(c.at, c.on...)), c.of)
		if len(c.on) == 1 && db.bound.named(c.on[0], []Field{Float64("s", 2)}) != nil {
			require.Equal(t, c.want, single(c.on[0], c.at+1), "one row: %s", c.of)
		}
	}
	require.True(t, single("root.in.d", 4))
	require.False(t, single("root.fire", 4))
	require.Equal(t, []string{"root.fire [0] s:1"}, fired)

	must(t, db.InsertTablets(ctx, group(minute, "root.in.d")...))
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.m.*", "n@0=4 sum@0=5") // at 0, 2, 3 and 4
	require.False(t, quick(group(5, "root.in.d")), "late in a window that is over")
	must(t, db.InsertTablets(ctx, group(5, "root.in.d")...))
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.m.*", "n@0=5 sum@0=6")

	must(t, db.DropTrigger(ctx, "t"))
	require.True(t, quick(group(6, "root.fire")))
	require.Equal(t, []string{"root.fire [0] s:1"}, fired)
}
