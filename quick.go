package tickwell

import (
	"context"
	"time"

	"github.com/tickwell/tickwell/internal/column"
)

// maxQuick is the largest number of columns of a row that is stored the quick
// way.
const maxQuick = 16

// quick stores a row of known series that fires no trigger and changes no mark of
// a continuous query. It returns false with nothing stored when the row is not that
// simple, or not right; the error says, as that of Insert does, what is wrong with
// one that is stored.
func (db *DB) quick(ctx context.Context, b *binding, at time.Time, cells []column.Cell) (stored bool, err error) {
	if small {
		return false, nil // the long way does it too
	}
	shape := b.shape.Load()
	table := db.triggers.Load()
	if shape == nil || db.opts.Authorize != nil || db.usable(ctx) != nil || b.fires(table) {
		return false, nil
	}
	some := false
	for i := range cells {
		if k := cells[i].Kind; k == b.kinds[i] {
			some = true
		} else if k != column.Null {
			return false, nil
		}
	}
	ns, err := unixNano(at)
	if err != nil || !some {
		return false, nil
	}
	t, m := db.cqs.begin()
	switch views, free := b.readers(t); {
	case !free:
		m.epoch.leave()
	case len(views) == 0:
		stored, err = db.eng.AppendRow(ctx, shape, ns, cells, table.terms)
		m.epoch.leave()
	default:
		in := db.scratch.Get()
		in.reads = readBy(in.reads, views, ns)
		m.list = in.marked
		if m.covered(db, in.reads) {
			stored, err = db.eng.AppendRow(ctx, shape, ns, cells, table.terms)
		}
		in.marked = m.settleQuick(db, stored, err)
		db.end(in)
	}
	if err != nil {
		err = insertError(b.device, err)
	}
	return stored, err
}

// quickPoint is quick for a number of the only column of b, where nobody reads or
// owns any column and the row goes on from those before. It needs no epoch, since the
// engine is told before there are readers: see cqSet.publish.
func (db *DB) quickPoint(ctx context.Context, b *binding, at time.Time, num uint64) (stored bool, err error) {
	if small {
		return false, nil
	}
	shape := b.shape.Load()
	table := db.triggers.Load()
	if shape == nil || db.phase.Load() != phaseOpen || db.opts.Authorize != nil || ctx == nil || ctx.Err() != nil ||
		b.fires(table) || !db.cqs.table.Load().plainRows() {
		return false, nil
	}
	s := at.Unix()
	if s < year1678 || s >= year2262 {
		return false, nil
	}
	ns := s*1e9 + int64(at.Nanosecond())
	if stored, err = db.eng.AppendPoint(ctx, shape, ns, num, table.terms); err != nil {
		err = insertError(b.device, err)
	}
	return stored, err
}

func (v *Value) cell() column.Cell {
	return column.Cell{Num: v.num, Text: v.str, Kind: column.Kind(v.kind)}
}
