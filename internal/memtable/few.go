package memtable

import "github.com/tickwell/tickwell/internal/merge"

// fewBack is how many chunks few goes back to look for the beginning of a range.
const fewBack = 4

// Few adds the points of a series that the table has now to an answer. It reports
// whether that is all there are; if not, Sources tells: of deletes, points that are
// late or encoded, and of what is long ago.
func (d *Device) Few(f *merge.Few, id uint32) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.masks {
		if d.masks[i].id == id {
			return false
		}
	}
	m := d.member(id)
	if m == nil {
		return true
	}
	for _, g := range m.groups {
		g.settle(d.table, Cut{})
		for i := range g.side.rows {
			if at := g.side.rows[i].at; f.Touches(at, at) {
				return false
			}
		}
		col := g.col(id)
		for k := range g.lanes {
			if !g.lanes[k].few(f, col) {
				return false
			}
		}
	}
	return true
}

// few is that of a device for one column of a lane.
func (l *lane) few(f *merge.Few, col int) bool {
	from, _ := f.Range()
	first := len(l.chunks)
	for first > 0 && l.chunks[first-1].last() >= from {
		if first--; len(l.chunks)-first > fewBack {
			return false
		}
	}
	for _, c := range l.chunks[first:] {
		switch {
		case c.len() == 0 || !f.Touches(c.first(), c.last()):
		case c.sealed != nil, !f.Add(c.rows.times, &c.rows.cols[col], c.rows.nulls[col]):
			return false
		}
	}
	return true
}
