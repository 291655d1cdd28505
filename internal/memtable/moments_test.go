package memtable

import (
	"testing"

	"github.com/tickwell/tickwell/internal/column"
)

// moments writes several moments at once, as replay does.
func (m *lateModel) moments() {
	l := m.layouts[m.rng.IntN(len(m.layouts))]
	if m.rng.IntN(2) == 0 {
		l = m.layouts[0]
	}
	var mo Moments
	mo.Reset(l.Kinds)
	n := 1 + m.rng.IntN(MaxMoments)
	var all []*Rows
	var lsns []uint64
	k := m.rng.IntN(3) // place of the row
	for range n {
		m.lsn++
		at := m.head + 1 + m.rng.Int64N(3)
		if m.rng.IntN(6) == 0 {
			at = max(0, m.head-m.rng.Int64N(12))
		}
		m.head = max(m.head, at)
		r := &Rows{}
		nulls := m.rng.IntN(3) == 0
		for range k + 1 + m.rng.IntN(2) {
			r.Times = append(r.Times, at)
		}
		for c, id := range l.IDs {
			v, b := column.Vector{Kind: l.Kinds[c]}, column.Bitmap(nil)
			for i := range r.Times {
				cell := m.cell(v.Kind)
				v.AppendCell(&cell)
				null := nulls && m.rng.IntN(3) == 0
				if null {
					b.Set(i)
				}
				if i == k && !null {
					m.now[id][at] = cell
				}
			}
			r.Cols, r.Nulls = append(r.Cols, v), append(r.Nulls, b)
		}
		all, lsns = append(all, r), append(lsns, m.lsn)
		mo.Add(m.lsn, r)
	}
	m.d.Lock()
	defer m.d.Unlock()
	if m.rng.IntN(3) == 0 { // one by one
		for i, r := range all {
			w := Write{Layout: l, Rows: *r, LSN: lsns[i], Cut: m.cut}
			if !m.d.AddNth(&w, k) {
				m.addView(l, r, k, lsns[i])
			}
		}
		return
	}
	for at := 0; at < n; {
		got := m.d.AddMoments(l, &mo, at, k, m.cut)
		if at += got; got == 0 {
			m.addView(l, all[at], k, lsns[at])
			at++
		}
	}
}

// addView writes row k of r alone.
func (m *lateModel) addView(l *Layout, r *Rows, k int, lsn uint64) {
	v := Rows{Times: r.Times[k : k+1]}
	for c := range r.Cols {
		v.Cols = append(v.Cols, r.Cols[c].Slice(k, k+1))
		var b column.Bitmap
		if r.Nulls[c].Get(k) {
			b.Set(0)
		}
		v.Nulls = append(v.Nulls, b)
	}
	m.d.Add(&Write{Layout: l, Rows: v, LSN: lsn, Cut: m.cut})
}

// TestMomentsAgainstModel: what AddMoments and AddNth write, in order and late, is
// what one row after the other would be, between everything else that is done with a
// device, and for snapshots too.
func TestMomentsAgainstModel(t *testing.T) {
	seeds := uint64(16)
	if testing.Short() {
		seeds = 5
	}
	for seed := range seeds {
		m := newLateModel(seed)
		for range 400 {
			switch m.rng.IntN(40) {
			case 0:
				m.mask()
			case 1:
				m.snapshot()
			case 2:
				clear(m.kept)
				m.cut.Oldest = NoSnapshot
				m.cut.Epoch++
			case 3:
				m.check(t, Newest, Newest, m.now)
				for epoch, k := range m.kept {
					m.check(t, epoch, k.lsn, k.cells)
				}
			case 4, 5, 6, 7, 8, 9, 10, 11:
				m.write()
			default:
				m.moments()
			}
		}
		m.check(t, Newest, Newest, m.now)
	}
}
