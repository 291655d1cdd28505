package memtable

import "github.com/tickwell/tickwell/internal/merge"

// FewRows adds what a snapshot of the epoch sees of the series that f wants. It
// reports whether that is all there is; if not, Sources tells: of deletes, rows that
// are late or encoded, series that are not written together, and of what is long ago.
func (d *Device) FewRows(f *merge.FewRows, epoch uint64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.masks) > 0 {
		return false
	}
	found := false
	for _, g := range d.groups {
		has := 0
		for i := range f.Series {
			s := &f.Series[i]
			if s.At = g.col(s.ID); s.At >= 0 {
				has++
			}
		}
		switch {
		case has == 0:
			continue
		case has < len(f.Series) || found || !g.fewRows(f, d.table, epoch):
			return false
		}
		found = true
	}
	return true
}

func (g *group) fewRows(f *merge.FewRows, t *Table, epoch uint64) bool {
	g.settle(t, Cut{})
	lanes, late, now, ok := g.at(epoch)
	if !ok {
		return true
	}
	for i := range late.rows {
		if at := late.rows[i].at; f.Touches(at, at) {
			return false
		}
	}
	for i := range lanes {
		if !lanes[i].fewRows(f, now) {
			return false
		}
	}
	return true
}

// fewRows is that of a group for a lane.
func (l *lane) fewRows(f *merge.FewRows, now bool) bool {
	first := len(l.chunks)
	for first > 0 && l.chunks[first-1].last() >= f.Since() {
		if first--; len(l.chunks)-first > fewBack {
			return false
		}
	}
	for i, c := range l.chunks[first:] {
		n := c.len()
		if !now && first+i == len(l.chunks)-1 {
			n = l.tail
		}
		switch {
		case n == 0 || !f.Touches(c.first(), c.last()):
		case c.sealed != nil, !f.Add(c.rows.times[:n], c.rows.cols, c.rows.nulls):
			return false
		}
	}
	return true
}
