package memtable

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/column"
)

// point writes a point as an engine does, which remembers a tip for each layout, and
// reports whether it went the short way.
func (m *lateModel) point(l *Layout, tips map[*Layout]*Tip) bool {
	at := m.head + m.rng.Int64N(6)
	m.head = max(m.head, at)
	cell := m.cell(l.Kinds[0])
	m.lsn++
	m.now[l.IDs[0]][at] = cell
	m.d.Lock()
	defer m.d.Unlock()
	if p := tips[l]; p.Of(m.d) && p.Takes(at, m.cut.Epoch) {
		if p.Put(at, cell.Num) {
			p.Ahead()
		}
		return true
	}
	if m.d.AppendPoint(l, at, cell.Num, m.lsn, m.cut) {
		tips[l] = m.d.TipOf(l)
		return true
	}
	m.d.Add(&Write{Layout: l, Rows: rowsOf(l, at, []uint64{cell.Num}, 0), LSN: m.lsn, Cut: m.cut})
	return false
}

// Points of series of each kind of number, one by one: whatever is done between them,
// a snapshot shows what there was, and the device what there is.
func TestTips(t *testing.T) {
	for seed := uint64(1); seed < 60; seed += 2 {
		m := newLateModel(seed)
		m.layouts = nil
		for id := range uint32(10) {
			m.layouts = append(m.layouts, m.layout(id+1))
		}
		m.layouts = append(m.layouts, m.layout(3, 4)) // which ends the groups of those
		short, tips := 0, map[*Layout]*Tip{}
		for range 4000 {
			switch m.rng.IntN(150) {
			case 0:
				m.write()
			case 1:
				m.mask()
			case 2:
				m.snapshot()
			case 3:
				m.check(t, Newest, Newest, m.now)
			case 4:
				for epoch, k := range m.kept {
					m.check(t, epoch, k.lsn, k.cells)
				}
			case 5:
				clear(m.kept)
				m.cut.Oldest = NoSnapshot
			default:
				if m.point(m.layouts[m.rng.IntN(10)], tips) {
					short++
				}
			}
		}
		m.check(t, Newest, Newest, m.now)
		for epoch, k := range m.kept {
			m.check(t, epoch, k.lsn, k.cells)
		}
		require.Greater(t, short, 1000, "points that went the short way, seed %d", seed)
		m.d.Lock()
		size := m.d.size()
		m.d.Unlock()
		require.InDelta(t, size, m.table.Bytes(), float64(size)/10, "bytes counted and bytes held, seed %d", seed)
	}
}

// What says where a point goes is in one line of the cache.
func TestTipIsALine(t *testing.T) {
	require.LessOrEqual(t, unsafe.Sizeof(Tip{}), uintptr(tipBytes))
}

// Points go to their columns without memory of their own, but for columns that grow
// and blocks; what readers do between them makes none.
func TestPointsAllocateNothing(t *testing.T) {
	for _, kind := range []column.Kind{column.Int64, column.Float64} {
		d := New(1024).Device(1, true)
		l := &Layout{IDs: []uint32{7}, Kinds: []column.Kind{kind}}
		at := int64(0)
		point := func() {
			at++
			d.Lock()
			defer d.Unlock()
			if !d.AppendPoint(l, at, uint64(at), 1, now) {
				d.Add(&Write{Layout: l, Rows: rowsOf(l, at, []uint64{uint64(at)}, 0), LSN: 1, Cut: now})
			}
		}
		for d.groups == nil || d.groups[0].lanes[0].rows() < 800 {
			point()
			d.Last(7, Newest, Newest)
		}
		require.Zero(t, testing.AllocsPerRun(100, func() {
			point()
			d.Last(7, Newest, Newest)
			point()
		}), kind)
	}
}
