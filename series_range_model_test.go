package tickwell

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// rangeModel is a device's series as maps, and handles that live as long as the store.
type rangeModel struct {
	t       *testing.T
	r       *rand.Rand
	db      *DB
	now     int64
	want    map[string]map[int64]float64
	handles map[string]*Series[float64]
}

func (m *rangeModel) handle(name string) *Series[float64] {
	if m.handles[name] == nil || m.r.IntN(8) == 0 {
		s, err := SeriesOf[float64](m.db, "root.d."+name)
		require.NoError(m.t, err)
		m.handles[name] = s
	}
	return m.handles[name]
}

// at is the time of the next point, which now and then is late or there already.
func (m *rangeModel) at() int64 {
	m.now += 1 + m.r.Int64N(2)
	if m.r.IntN(80) == 0 {
		return m.now - m.r.Int64N(60)
	}
	return m.now
}

func (m *rangeModel) put(name string, at int64, v float64) {
	if m.want[name] == nil {
		m.want[name] = map[int64]float64{}
	}
	m.want[name][at] = v
}

func (m *rangeModel) points(ctx context.Context, name string) {
	for range 1 + m.r.IntN(40) {
		at, v := m.at(), m.r.Float64()
		require.NoError(m.t, m.handle(name).Insert(ctx, ns(at), v))
		m.put(name, at, v)
	}
}

// tablet writes rows of all series, some of whose cells are null.
func (m *rangeModel) tablet(ctx context.Context, names []string) {
	tb := &Tablet{Device: "root.d"}
	for range 1 + m.r.IntN(40) {
		tb.Times = append(tb.Times, m.at())
	}
	for _, name := range names {
		data, nulls := make(Float64s, len(tb.Times)), Bitmap{0}
		for i, at := range tb.Times {
			if m.r.IntN(10) == 0 {
				nulls[0] |= 1 << i
				continue
			}
			data[i] = m.r.Float64()
			m.put(name, at, data[i])
		}
		tb.Columns = append(tb.Columns, Column{Name: name, Data: data, Nulls: nulls})
	}
	require.NoError(m.t, m.db.InsertTablets(ctx, tb))
}

// delete deletes points of a series, or drops it.
func (m *rangeModel) delete(ctx context.Context, name string) {
	if m.want[name] == nil {
		return
	}
	if m.r.IntN(2) == 0 {
		require.NoError(m.t, m.db.DropSeries(ctx, "root.d."+name))
		delete(m.want, name)
		return
	}
	from := m.now - m.r.Int64N(100)
	to := from + 1 + m.r.Int64N(60)
	require.NoError(m.t, m.db.Delete(ctx, "root.d."+name, ns(from), ns(to)))
	for at := range m.want[name] {
		if at >= from && at < to {
			delete(m.want[name], at)
		}
	}
}

// check reads the newest points of a series, to the end or not.
func (m *rangeModel) check(ctx context.Context, name string) {
	from := m.now - m.r.Int64N(120)
	to, end := m.now+1, time.Time{}
	if m.r.IntN(2) == 0 {
		to = from + m.r.Int64N(90)
		end = ns(to)
	}
	var want, got []Point[float64]
	for at, v := range m.want[name] {
		if at >= from && at < to {
			want = append(want, Point[float64]{ns(at), v})
		}
	}
	slices.SortFunc(want, func(a, b Point[float64]) int { return a.Time.Compare(b.Time) })
	for p, err := range m.handle(name).Range(ctx, ns(from), end) {
		require.NoError(m.t, err)
		got = append(got, p)
	}
	require.Equal(m.t, want, got, "%s [%d, %d)", name, from, to)
}

// TestRangesOfNewestPoints compares what handles that stay read of the newest points
// with what was written, whichever way they are read by: alone and in tablets, late,
// deleted, dropped, flushed, compacted, reopened, and while they wait for the log.
func TestRangesOfNewestPoints(t *testing.T) {
	ctx := context.Background()
	names := []string{"a", "b", "c", "d"}
	for seed := range uint64(8) {
		fs := memFS()
		dir := []string{"", "data"}[seed%2]
		begin := func() *DB {
			o := &Options{FS: fs, Logger: openMemLogger()}
			if seed%4 == 3 {
				o.Sync = AckBuffered(time.Hour)
			}
			return openDir(t, dir, o)
		}
		m := &rangeModel{t: t, r: rand.New(rand.NewPCG(seed, 99)), db: begin(), now: 1000,
			want: map[string]map[int64]float64{}, handles: map[string]*Series[float64]{}}
		for range 150 {
			name := names[m.r.IntN(len(names))]
			switch n := m.r.IntN(40); {
			case n < 10:
				m.tablet(ctx, names)
			case n < 30:
				m.points(ctx, name)
			case n < 34:
				require.NoError(t, m.db.Flush(ctx))
			case n < 35:
				require.NoError(t, m.db.Compact(ctx))
			case n < 38:
				if seed%8 > 3 { // else most is read the short way
					m.delete(ctx, name)
				}
			case dir != "":
				require.NoError(t, m.db.Close())
				m.db = begin()
				clear(m.handles)
			}
			for _, name := range names {
				m.check(ctx, name)
			}
		}
		require.NoError(t, m.db.Close())
	}
}
