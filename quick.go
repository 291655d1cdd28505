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

// point stores a number of the series of m. It goes the short way, and says so, where
// no trigger fires, nobody reads or owns any column and the point goes on from those
// before. That needs no epoch, since the engine is told before there are readers, and
// sends points the long way: see cqSet.publish.
func (m *single) point(ctx context.Context, at time.Time, num uint64) (quick bool, err error) {
	if s := at.Unix(); !small && s >= year1678 && s < year2262 && ctx != nil {
		ns := s*1e9 + int64(at.Nanosecond())
		if ctx.Err() == nil {
			db := m.w.db
			if shape := m.b.shape.Load(); shape != nil && db.phase.Load() == phaseOpen && db.opts.Authorize == nil {
				if table := db.triggers.Load(); len(table.live) == 0 || !m.b.fires(table) {
					stored, err := db.eng.AppendPoint(ctx, shape, ns, num, table.terms)
					if err != nil {
						return true, insertError(m.b.device, err)
					}
					if stored {
						return true, nil
					}
				}
			}
		}
		at = time.Unix(0, ns) // or else all of it would be kept meanwhile
	}
	return false, m.insert(ctx, at, Value{num: num, kind: Kind(m.b.kinds[0])})
}

func (v *Value) cell() column.Cell {
	return column.Cell{Num: v.num, Text: v.str, Kind: column.Kind(v.kind)}
}
