package memtable

import (
	"math"

	"github.com/tickwell/tickwell/internal/column"
)

// AddNth is Add with the row k of w only, if it may wait in front of the columns
// or is late for a row that is there; else it changes nothing and returns false. The
// caller holds the lock.
func (d *Device) AddNth(w *Write, k int) bool {
	if len(w.Rows.Cols) == 1 && !w.Rows.nullsOf(0).Get(k) {
		if p := d.tip(w.Layout, w.Rows.Times[k], w.LSN, w.Cut); p != nil {
			d.addPoint(p, w.Layout, w.Rows.Times[k], w.Rows.Cols[0].Cell(k).Num, w.Cut)
			return true
		}
	}
	f := d.next(w.Layout, w.Rows.Times[k], w.LSN, w.Cut)
	if f == nil {
		return d.amendNth(w, k)
	}
	nulls, to := uint64(0), f.row()
	cols := w.Rows.Cols[:len(to)]
	for i := range to {
		switch v := &cols[i]; v.Kind {
		case column.Float64:
			to[i] = math.Float64bits(v.Float64s[k])
		case column.Int64:
			to[i] = uint64(v.Int64s[k])
		default:
			to[i] = v.Cell(k).Num
		}
		if b := w.Rows.nullsOf(i); len(b) > 0 && b.Get(k) {
			nulls |= 1 << i
		}
	}
	f.put(w.Rows.Times[k], nulls, d.table, w.Cut)
	return true
}
