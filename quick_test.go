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

	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/internal/engine"
)

// TestQuickRows: rows given one by one, by handle, by path and by typed handle,
// late, equal, sparse and in order, with snapshots, deletes and drops between
// them, are what a store holds that is given the same rows as tablets: in memory,
// and on disk, there also after a crash and reopening.
func TestQuickRows(t *testing.T) {
	ctx := context.Background()
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 1))
		quick, slow := openMem(t, nil), openMem(t, nil)
		logged, fs := seed%3 == 0, crashfs.New()
		opts := Options{FS: fs, Sync: []SyncPolicy{SyncAlways(), SyncInterval(time.Hour), AckBuffered(time.Hour)}[seed/3%3]}
		if logged {
			quick = openDir(t, "data", &opts)
		}
		names := []string{"b", "i", "n", "r", "f", "t"}
		kinds := []Kind{KindBool, KindInt32, KindInt64, KindFloat32, KindFloat64, KindText}
		value := func(k Kind) Value {
			n := r.IntN(1000)
			switch k {
			case KindBool:
				return BoolValue(n%2 == 0)
			case KindInt32:
				return Int32Value(int32(n - 500))
			case KindInt64:
				return Int64Value(int64(n) << 33)
			case KindFloat32:
				return Float32Value(float32(n) / 8)
			case KindFloat64:
				return Float64Value(float64(n) / 100)
			}
			return TextValue(fmt.Sprint(n))
		}
		var cols []ColumnInfo
		for i := range names {
			cols = append(cols, ColumnInfo{names[i], kinds[i]})
		}
		whole, err := quick.Writer("root.d", cols...)
		require.NoError(t, err)
		some, err := quick.Writer("root.d", cols[1], cols[4])
		require.NoError(t, err)
		single, err := SeriesOf[float64](quick, "root.d.f")
		require.NoError(t, err)
		for _, k := range []int{1, 0, 2, 3, 4, 5} { // one order of creation for both
			must(t, quick.CreateSeries(ctx, "root.d."+names[k], kinds[k]))
			must(t, slow.CreateSeries(ctx, "root.d."+names[k], kinds[k]))
		}
		var pinned []pinnedSnapshot
		at := int64(1000)
		for range 3000 {
			at += int64(r.IntN(5))
			when := at
			if r.IntN(20) == 0 {
				when -= int64(r.IntN(50))
			}
			var fields []Field
			pick := []int{0, 1, 2, 3, 4, 5}
			how := r.IntN(4)
			switch how {
			case 1:
				pick = []int{1, 4}
			case 2:
				pick = []int{4}
			}
			null := 0
			for _, i := range pick {
				if how != 2 && r.IntN(6) == 0 && null < len(pick)-1 {
					fields = append(fields, Field{Name: names[i]})
					null++
					continue
				}
				fields = append(fields, Field{names[i], value(kinds[i])})
			}
			var values []Value
			for _, f := range fields {
				values = append(values, f.Value)
			}
			switch how {
			case 0:
				err = whole.Insert(ctx, ns(when), values...)
			case 1:
				err = some.Insert(ctx, ns(when), values...)
			case 2:
				err = single.Insert(ctx, ns(when), values[0].Float64())
			case 3:
				err = quick.Insert(ctx, "root.d", ns(when), fields...)
			}
			require.NoError(t, err)
			tab := &Tablet{Device: "root.d", Times: []int64{when}}
			for k, i := range pick {
				v := fields[k].Value
				c := Column{Name: names[i]}
				if v.IsNull() {
					c.Nulls.Set(0)
					v = value(kinds[i])
				}
				switch kinds[i] {
				case KindBool:
					c.Data = Bools{v.Bool()}
				case KindInt32:
					c.Data = Int32s{int32(v.Int64())}
				case KindInt64:
					c.Data = Int64s{v.Int64()}
				case KindFloat32:
					c.Data = Float32s{float32(v.Float64())}
				case KindFloat64:
					c.Data = Float64s{v.Float64()}
				case KindText:
					c.Data = Texts{v.Text()}
				}
				tab.Columns = append(tab.Columns, c)
			}
			require.NoError(t, slow.InsertTablet(ctx, tab))
			switch r.IntN(200) {
			case 3:
				if logged {
					must(t, quick.Flush(ctx))
				}
			case 0:
				from, to := ns(at-int64(r.IntN(100))), ns(at+int64(r.IntN(3)))
				must(t, quick.Delete(ctx, "root.d.f", from, to))
				must(t, slow.Delete(ctx, "root.d.f", from, to))
			case 1:
				must(t, quick.DropSeries(ctx, "root.d.t"))
				must(t, slow.DropSeries(ctx, "root.d.t"))
				must(t, quick.CreateSeries(ctx, "root.d.t", KindText))
				must(t, slow.CreateSeries(ctx, "root.d.t", KindText))
			case 2:
				p := pinnedSnapshot{snap: quick.eng.Snapshot()}
				p.was = p.read(t, quick)
				pinned = append(pinned, p)
			}
		}
		for _, p := range pinned {
			require.Equal(t, p.was, p.read(t, quick), "seed %d", seed)
			p.snap.Release()
		}
		require.Equal(t, cells(t, slow), cells(t, quick), "seed %d", seed)
		require.Equal(t, slow.Stats().Points, quick.Stats().Points)
		if !logged {
			continue
		}
		must(t, quick.Sync(ctx))
		opts.FS = crashfs.From(fs.Image(fs.Ops(), crashfs.None, seed))
		require.Equal(t, cells(t, slow), cells(t, openDir(t, "data", &opts)), "seed %d", seed)
	}
}

// A row that took its place in the log and could not be made durable is stored,
// and the error says so; the next is not.
func TestQuickRowStored(t *testing.T) {
	ctx := context.Background()
	fs := crashfs.New()
	db := openDir(t, "data", &Options{FS: fs, Sync: SyncAlways()})
	s, err := SeriesOf[float64](db, "root.d.f")
	require.NoError(t, err)
	require.NoError(t, s.Insert(ctx, ns(1), 1))
	require.NoError(t, s.Insert(ctx, ns(2), 2))
	fs.Fail(1, errors.New("disk is broken"), true, func(op crashfs.Op) bool { return op.Kind == crashfs.Sync })
	err = s.Insert(ctx, ns(3), 3)
	var e *Error
	require.ErrorAs(t, err, &e)
	require.ErrorIs(t, err, ErrStorageFailed)
	require.Equal(t, []any{"insert", "root.d", true, false}, []any{e.Op, e.Subject, e.Stored, e.Durable})
	last, err := db.Last(ctx, "root.d.f")
	require.NoError(t, err)
	require.Len(t, last, 1)
	require.Equal(t, 3.0, last[0].Value.Float64())
	err = s.Insert(ctx, ns(4), 4)
	require.ErrorAs(t, err, &e)
	require.ErrorIs(t, err, ErrStorageFailed)
	require.False(t, e.Stored)
	require.Equal(t, int64(3), db.Stats().Points)
}

// pinnedSnapshot is a snapshot with what it showed when it was taken.
type pinnedSnapshot struct {
	snap *engine.Snapshot
	was  map[int64]float64
}

// read returns what the snapshot shows of root.d.f.
func (p *pinnedSnapshot) read(t *testing.T, db *DB) map[int64]float64 {
	t.Helper()
	ser, ok := db.eng.Lookup("root.d", "f")
	require.True(t, ok)
	c := p.snap.Cursor(ser, math.MinInt64, math.MaxInt64)
	defer c.Close()
	out := map[int64]float64{}
	for c.Next() {
		for i, at := range c.Times() {
			out[at] = c.Values().Float64s[i]
		}
	}
	require.NoError(t, c.Err())
	return out
}

// cells returns every cell of a store by series and time.
func cells(t *testing.T, db *DB) map[string]Value {
	t.Helper()
	ctx := context.Background()
	out := map[string]Value{}
	all, err := db.ListSeries(ctx, "root.**")
	require.NoError(t, err)
	for s := range all {
		res, err := db.Query(ctx, Query{From: []string{s.Device}, Start: time.Unix(0, 0)})
		require.NoError(t, err)
		for row, err := range res.Rows() {
			require.NoError(t, err)
			for i := range row.Len() {
				if v := row.Value(i); !v.IsNull() {
					out[fmt.Sprint(row.Time().UnixNano(), " ", i)] = v
				}
			}
		}
	}
	return out
}

// TestQuickRowsRefuse: what the slow way refuses the quick one refuses too.
func TestQuickRowsRefuse(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, nil)
	s, err := SeriesOf[float64](db, "root.d.f")
	require.NoError(t, err)
	w, err := db.Writer("root.d", ColumnInfo{"f", KindFloat64})
	require.NoError(t, err)
	require.NoError(t, s.Insert(ctx, ns(1), 1))
	require.ErrorIs(t, s.Insert(ctx, time.Time{}, 1), ErrBadInput)
	require.ErrorIs(t, w.Insert(ctx, ns(2), Int64Value(1)), ErrKindMismatch)
	require.ErrorIs(t, w.Insert(ctx, ns(2), Value{}), ErrBadInput)
	require.ErrorIs(t, db.Insert(ctx, "root.d", ns(2), Int64("f", 1)), ErrKindMismatch)
	done, cancel := context.WithCancel(ctx)
	cancel()
	require.ErrorIs(t, s.Insert(done, ns(2), 1), context.Canceled)
	fired := 0
	must(t, db.CreateTrigger(ctx, spec("t", "root.d.f", BeforeInsert, func(context.Context, *Firing) error { fired++; return nil })))
	require.NoError(t, s.Insert(ctx, ns(3), 1))
	require.Equal(t, 1, fired)
	must(t, db.DropTrigger(ctx, "t"))
	require.NoError(t, s.Insert(ctx, ns(4), 1))
	require.Equal(t, 1, fired)
	require.Equal(t, int64(3), db.Stats().Points)
	require.NoError(t, db.Close())
	require.ErrorIs(t, s.Insert(ctx, ns(5), 1), ErrClosed)
}

// Points by a handle go the short way until a query has to see them, and again when
// it is gone.
func TestQuickPointsWatched(t *testing.T) {
	if SmallProgram {
		t.Skip("programs with the tag tickwell_small have no short way")
	}
	ctx := context.Background()
	for name, dir := range map[string]string{"memory": "", "disk": t.TempDir()} {
		t.Run(name, func(t *testing.T) {
			db := openDir(t, dir, &Options{Clock: newFake()})
			s, err := SeriesOf[float64](db, "root.in.d.s")
			require.NoError(t, err)
			for i := range int64(50) { // until they wait
				require.NoError(t, s.Insert(ctx, time.Unix(i, 0), 1))
			}
			quick := func(sec int64) bool {
				quick, err := s.point(ctx, time.Unix(sec, 0), math.Float64bits(1))
				require.NoError(t, err)
				return quick
			}
			require.True(t, quick(50))
			must(t, db.CreateContinuousQuery(ctx, minuteView("m")))
			require.False(t, quick(51), "with a query that reads it")
			require.NoError(t, s.Insert(ctx, time.Unix(52, 0), 2))
			require.NoError(t, s.Insert(ctx, time.Unix(60, 0), 9))
			must(t, db.Quiesce(ctx))
			cqRows(t, db, "root.m.*", "n@0=53 sum@0=54")
			must(t, db.DropContinuousQuery(ctx, "m"))
			require.True(t, quick(61))
			require.Equal(t, int64(55), s.count(t))
		})
	}
}

// count returns how many points of s a read sees.
func (s *Series[T]) count(t *testing.T) (n int64) {
	for _, err := range s.Range(context.Background(), time.Time{}, time.Time{}) {
		require.NoError(t, err)
		n++
	}
	return n
}

// The number that a handle stores is that of the value, whatever its type.
func TestNumOf(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		n := rng.Uint64() >> rng.IntN(64)
		require.Equal(t, valueOf(n&1 == 1).num, numOf(n&1 == 1))
		require.Equal(t, valueOf(int32(n)).num, numOf(int32(n)))
		require.Equal(t, valueOf(int64(n)).num, numOf(int64(n)))
		require.Equal(t, valueOf(math.Float32frombits(uint32(n))).num, numOf(math.Float32frombits(uint32(n))))
		require.Equal(t, valueOf(math.Float64frombits(n)).num, numOf(math.Float64frombits(n)))
	}
}
