package memtable

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/merge"
)

// inTurn reports whether a chunk of the device is encoded in part.
func (d *Device) inTurn() bool {
	for _, g := range d.groups {
		if g.fresh != nil && g.fresh.sealing != nil {
			return true
		}
	}
	return false
}

// row writes one row in one of the ways that there are, and to both devices.
func (m *lateModel) row(beside *Device, l *Layout, at int64) {
	m.lsn++
	w := Write{Layout: l, LSN: m.lsn, Cut: m.cut, Rows: Rows{Times: []int64{at}}}
	nulls := m.rng.IntN(8) == 0
	row := make([]column.Cell, len(l.IDs))
	for c, id := range l.IDs {
		v, b := column.Vector{Kind: l.Kinds[c]}, column.Bitmap(nil)
		cell := m.cell(v.Kind)
		v.AppendCell(&cell)
		if row[c] = cell; nulls && m.rng.IntN(3) == 0 {
			b.Set(0)
			row[c] = column.Cell{}
		} else {
			m.now[id][at] = cell
		}
		w.Rows.Cols, w.Rows.Nulls = append(w.Rows.Cols, v), append(w.Rows.Nulls, b)
	}
	m.head = max(m.head, at)
	way := m.rng.IntN(4)
	for _, d := range []*Device{m.d, beside} {
		w := w
		if d == beside { // layouts know the place in one table
			w.Layout = &Layout{IDs: l.IDs, Kinds: l.Kinds}
			for i := range d.targets {
				if known := d.targets[i].layout; fmt.Sprint(known.IDs) == fmt.Sprint(l.IDs) {
					w.Layout = known
				}
			}
		}
		d.Lock()
		nums, null, ok := numbersOf(row)
		switch {
		case way == 0 && ok:
			d.AddNumbers(w.Layout, at, nums, null, m.lsn, &m.cut)
		case way == 1 && d.TakesRows(w.Layout):
			d.AddRow(w.Layout, at, row, m.lsn, m.cut)
		case way == 2 && d.AddNth(&w, 0):
		default:
			d.Add(&w)
		}
		d.Unlock()
	}
}

// TestTurnsAgainstModel: chunks that are encoded some columns a row hold what was
// written, whatever comes between two rows, and become the blocks that they would have
// become at once.
func TestTurnsAgainstModel(t *testing.T) {
	seeds := uint64(16)
	if testing.Short() {
		seeds = 8
	}
	found := map[string]int{} // chunks that were encoded in part, by what came then
	for seed := range seeds {
		m := newLateModel(2*seed + 1)
		m.table = New([]int{32, 48, 64}[seed%3])
		m.d = m.table.Device(1, true)
		m.layouts = []*Layout{m.layout(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), m.layout(3), m.layout(6, 7, 8, 2)}
		atOnce := New(m.table.blockRows)
		atOnce.sealing.Store(turnChunks)
		beside := atOnce.Device(1, true)
		for range 3000 {
			name := "row"
			k := m.rng.IntN(400)
			switch {
			case k < 2:
				name = "delete"
			case k < 8:
				name = "snapshot"
			case k < 11:
				name = "release"
			case k < 17:
				name = "read"
			case k < 20:
				name = "read of a snapshot"
			case k < 24:
				name = "rows"
			case k < 29:
				name = "late row"
			case k < 37:
				name = "late point"
			case k < 38:
				name = "row of some"
			case k < 39:
				name = "evict"
			}
			if m.d.inTurn() {
				found[name]++
			}
			switch name {
			case "row":
				m.row(beside, m.layouts[0], m.head+1+m.rng.Int64N(3))
			case "row of some":
				m.row(beside, m.layouts[2], m.head+1)
			case "late row":
				m.row(beside, m.layouts[0], max(0, m.head-m.rng.Int64N(60)))
			case "late point":
				m.row(beside, m.layouts[1], max(0, m.head-m.rng.Int64N(20)))
			case "rows":
				for range 1 + m.rng.IntN(40) {
					m.row(beside, m.layouts[0], m.head+1)
				}
			case "delete":
				id, from := 1+uint32(m.rng.IntN(10)), m.rng.Int64N(m.head+1)
				if m.rng.IntN(2) == 0 { // of what is being encoded
					from = max(0, m.head-30)
				}
				to := from + m.rng.Int64N(60)
				m.lsn++
				for _, d := range []*Device{m.d, beside} {
					d.Lock()
					d.Mask(id, from, to, m.lsn, m.cut)
					d.Unlock()
				}
				maps.DeleteFunc(m.now[id], func(at int64, _ column.Cell) bool { return from <= at && at < to })
			case "snapshot":
				m.snapshot()
			case "release":
				m.kept, m.cut.Oldest = map[uint64]keptEpoch{}, NoSnapshot
				m.cut.Epoch++
			case "read":
				m.check(t, Newest, Newest, m.now)
			case "read of a snapshot":
				if m.cut.Oldest != NoSnapshot {
					epoch := m.cut.Oldest + m.rng.Uint64N(m.cut.Epoch-m.cut.Oldest)
					m.check(t, epoch, m.kept[epoch].lsn, m.kept[epoch].cells)
				}
			case "evict":
				if m.cut.Oldest != NoSnapshot {
					continue
				}
				before := m.head - 200
				n := m.table.Evict(m.cut, math.MinInt64, func(uint32) int64 { return before })
				require.Equal(t, n, atOnce.Evict(m.cut, math.MinInt64, func(uint32) int64 { return before }))
				for id := range m.now { // what is left is whole chunks
					m.now[id] = m.left(t, m.d, id)
					require.Equal(t, m.left(t, beside, id), m.now[id], "what was not evicted")
				}
			}
		}
		m.check(t, Newest, Newest, m.now)
		require.Equal(t, sealedOf(beside), sealedOf(m.d), "seed %d: blocks", seed)
		if m.d.inTurn() {
			require.EqualValues(t, 1, m.table.sealing.Load())
		} else {
			require.Zero(t, m.table.sealing.Load())
		}
		require.InDelta(t, m.d.size(), m.table.Bytes(), float64(m.d.size())/10, "bytes counted and bytes held")
	}
	for _, name := range []string{"row", "delete", "snapshot", "release", "read", "read of a snapshot", "rows", "late row", "late point", "row of some", "evict"} {
		if found[name] == 0 && !testing.Short() {
			t.Errorf("nothing was encoded in part when it came to %q", name)
		}
	}
}

// left returns what a device holds of a series.
func (m *lateModel) left(t *testing.T, d *Device, id uint32) cells {
	t.Helper()
	r := merge.New([]column.Kind{m.kind(id)}, [][]merge.Mask{d.Masks(nil, id, Newest)}, math.MinInt64, math.MaxInt64,
		d.Sources(nil, []uint32{id}, Newest, math.MinInt64, math.MaxInt64))
	out := cells{}
	for r.Next() {
		v, nulls := r.Col(0)
		for i, at := range r.Times() {
			if !nulls.Get(i) {
				out[at] = v.Cell(i)
			}
		}
	}
	require.NoError(t, r.Err())
	return out
}

// sealedOf describes the chunks of a device, the encoded ones byte for byte.
func sealedOf(d *Device) (out []string) {
	for _, g := range d.groups {
		g.settle(d.table, Cut{})
		for k := range g.lanes {
			for _, c := range g.lanes[k].chunks {
				text := fmt.Sprint(g.ids, " ", k, " ", c.lsn, " ", c.limit, " ", c.closed, " ", c.len())
				if s := c.sealed; s != nil {
					text += fmt.Sprint(" ", s.Min, s.Max, s.Kinds, s.cols, s.Times, s.data)
				}
				out = append(out, text)
			}
		}
	}
	return out
}

// TestTurnsAreFew: not all of a hundred devices may have a chunk encoded in part, and
// those that do are done when somebody looks.
func TestTurnsAreFew(t *testing.T) {
	tb := New(64)
	var devices []*Device
	var layouts []*Layout
	for id := range uint32(100) {
		devices = append(devices, tb.Device(id, true))
		layouts = append(layouts, intLayout(1000, 1001, 1002, 1003, 1004)) // full at the same row
	}
	most := 0
	for at := range int64(300) {
		parts := 0
		for i, d := range devices {
			add(d, layouts[i], uint64(at+1), now, at, at)
			if d.inTurn() {
				parts++
			}
		}
		require.EqualValues(t, parts, tb.sealing.Load())
		most = max(most, parts)
	}
	require.Equal(t, turnChunks, most)
	for _, d := range devices {
		require.Len(t, read(t, d, 1002, Newest), 300)
	}
	require.Zero(t, tb.sealing.Load())
}

// TestTurnsBesideReaders: cursors, that go on while rows are written and encoded, and
// questions for the newest see all rows up to some row.
func TestTurnsBesideReaders(t *testing.T) {
	rows := int64(20_000)
	if testing.Short() {
		rows = 4_000
	}
	d, l := New(64).Device(1, true), intLayout(1, 2, 3, 4, 5, 6, 7, 8)
	cut := Cut{Epoch: 2, Oldest: 1}
	var done atomic.Bool
	var readers sync.WaitGroup
	for k := range uint32(3) {
		readers.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(k), 1))
			for !done.Load() {
				id := 1 + uint32(rng.IntN(8))
				d.Lock()
				newest, cell, ok, known := d.Last(id, Newest, Newest)
				d.Unlock()
				if known && ok && cell.Num != uint64(newest) {
					t.Errorf("%v is the newest at %d", cell, newest)
					return
				}
				from := int64(math.MinInt64)
				if ok && rng.IntN(4) > 0 {
					from = newest - rng.Int64N(200)
				}
				r := merge.New([]column.Kind{column.Int64}, nil, from, math.MaxInt64, d.Sources(nil, []uint32{id}, Newest, from, math.MaxInt64))
				next := max(0, from)
				for r.Next() {
					v, _ := r.Col(0)
					for i, at := range r.Times() {
						if at != next || v.Int64s[i] != at {
							t.Errorf("%d at %d instead of %d", v.Int64s[i], at, next)
							return
						}
						next++
					}
				}
				if ok && next <= newest {
					t.Errorf("rows end before %d, but %d was there", next, newest)
					return
				}
				r.Close()
			}
		})
	}
	for at := range rows {
		add(d, l, uint64(at+1), cut, at, at)
	}
	done.Store(true)
	readers.Wait()
	require.Len(t, read(t, d, 3, Newest), int(rows))
}

// TestTurnNotTaken: who may add a row that is to wait for a chunk to be encoded need
// not do it.
func TestTurnNotTaken(t *testing.T) {
	for _, then := range []string{"rows", "a late row", "a delete", "a read"} {
		for n := int64(20); n < 140; n++ {
			d, l := New(32).Device(1, true), intLayout(1, 2, 3, 4, 5)
			want := map[int64]int64{}
			put := func(value int64, times ...int64) {
				add(d, l, 100, now, value, times...)
				for _, at := range times {
					want[at] = value
				}
			}
			for i := range n {
				put(0, 10*i)
			}
			d.Lock()
			d.next(l, 10*n, 100, now)
			if then == "a delete" {
				d.Mask(3, 10*n-20, 10*n+1, 101, now)
				delete(want, 10*n-10)
				delete(want, 10*n-20)
			}
			d.Unlock()
			switch then {
			case "rows":
				put(1, 10*n, 10*n+1, 10*n+2)
			case "a late row":
				put(1, 10*n-10)
			case "a read":
				require.Equal(t, want, read(t, d, 3, Newest))
			}
			for i := n; i < n+40; i++ {
				add(d, l, 200, now, 2, 10*i+3)
				want[10*i+3] = 2
			}
			require.Equal(t, want, read(t, d, 3, Newest), "%d rows, one that was not added, %s", n, then)
		}
	}
}

// TestTurnOfRemoved: a device that is removed while a chunk is encoded in part leaves
// nothing.
func TestTurnOfRemoved(t *testing.T) {
	tb := New(64)
	for id := range uint32(3 * turnChunks) {
		d, l := tb.Device(id, true), intLayout(1, 2, 3, 4, 5)
		for at := int64(0); !d.inTurn(); at++ {
			add(d, l, uint64(at+1), now, at, at)
		}
		require.EqualValues(t, 1, tb.sealing.Load())
		tb.Remove(id)
		require.Zero(t, tb.sealing.Load())
	}
}
