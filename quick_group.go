package tickwell

import (
	"context"
	"math"
	"slices"
	"unsafe"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/engine"
)

// quickGroup is quick for a group of tablets of one row of numbers each, such as
// a gateway reads of its devices at one moment.
func (db *DB) quickGroup(ctx context.Context, in *insertion, durable bool, ts []*Tablet) (res WriteResult, stored bool, err error) {
	if small {
		return res, false, nil // the long way does it too
	}
	table, cqs := db.triggers.Load(), db.cqs.table.Load()
	if len(ts) == 0 || db.opts.Authorize != nil || !in.takeRows(db, ts, table, cqs) {
		return res, false, nil
	}
	t, m := db.cqs.begin()
	m.list = in.marked
	if t == cqs && m.covered(db, in.reads) {
		res.Position, res.LateRows, stored, err = db.eng.AppendRows(ctx, &in.numbers, table.terms, durable)
	}
	in.marked = m.settleQuick(db, stored, err)
	if !stored { // maybe series that were dropped
		clear(in.hints)
	}
	if res.Rows = len(ts); err != nil {
		err = insertError(ts[0].Device, err)
	}
	return res, stored, err
}

// takeRows makes the rows of ts the numbers of in, and reads what reads them. It
// returns false if one of them is not of a kind that was inserted before, or not
// right, fires a trigger or belongs to a continuous query.
func (in *insertion) takeRows(db *DB, ts []*Tablet, table *triggerTable, cqs *cqTable) bool {
	rows, alone := &in.numbers, len(table.live) == 0 && cqs.plainRows()
	rows.Reset()
	in.reads = in.reads[:0]
	for len(in.hints) < len(ts) {
		in.hints = append(in.hints, nil)
	}
	for i, t := range ts {
		if t == nil || len(t.Times) != 1 || len(t.Columns) == 0 || len(t.Columns) > engine.MaxRowColumns {
			return false
		}
		b := in.hints[i] // who writes groups mostly writes the same devices in the same order
		if b == nil || !same(b.device, t.Device) || len(b.names) != len(t.Columns) || !same(b.names[0], t.Columns[0].Name) {
			if b = db.bound.lookup(t.Device, t.Columns[0].Name, len(t.Columns)); b == nil {
				return false
			}
			in.hints[i] = b
		}
		shape, at := b.shape.Load(), t.Times[0]
		if shape == nil || at < minTime || at > maxTime {
			return false
		}
		nulls, ok := in.takeRow(t, b)
		if !ok {
			in.hints[i] = nil // maybe another series of that name, of another kind
			return false
		}
		if !alone {
			views, free := b.readers(cqs)
			if !free || b.fires(table) {
				return false
			}
			if len(views) > 0 {
				in.reads = readBy(in.reads, views, at)
			}
		}
		rows.Shapes = append(rows.Shapes, shape)
		rows.Times = append(rows.Times, at)
		rows.Nulls = append(rows.Nulls, nulls)
	}
	return true
}

// takeRow adds the cells of the only row of t, whose columns must be those of b.
func (in *insertion) takeRow(t *Tablet, b *binding) (nulls uint64, ok bool) {
	cols, names, kinds := t.Columns, b.names, b.kinds
	if len(names) != len(cols) || len(kinds) != len(cols) {
		return 0, false
	}
	at := len(in.numbers.Nums)
	in.numbers.Nums = slices.Grow(in.numbers.Nums, len(cols))[:at+len(cols)]
	nums := in.numbers.Nums[at:][:len(cols)]
	for c := range cols {
		col := &cols[c]
		if !same(col.Name, names[c]) {
			return 0, false
		}
		if d, ok := col.Data.(Float64s); ok && len(d) == 1 && kinds[c] == column.Float64 { // mostly
			nums[c] = math.Float64bits(d[0])
		} else if nums[c], ok = onlyCell(col.Data, kinds[c]); !ok {
			return 0, false
		}
		if len(col.Nulls) > 0 && col.Nulls[0]&1 != 0 {
			nums[c], nulls = 0, nulls|1<<c
		}
	}
	return nulls, nulls != ^uint64(0)>>(64-len(cols))
}

// onlyCell returns the only value of data as in column.Cell, if it is one number of
// the kind.
func onlyCell(data Vector, kind column.Kind) (num uint64, ok bool) {
	is := column.Null
	switch d := data.(type) {
	case Float64s:
		if len(d) == 1 {
			num, is = math.Float64bits(d[0]), column.Float64
		}
	case Int64s:
		if len(d) == 1 {
			num, is = uint64(d[0]), column.Int64
		}
	case Int32s:
		if len(d) == 1 {
			num, is = uint64(uint32(d[0])), column.Int32
		}
	case Float32s:
		if len(d) == 1 {
			num, is = uint64(math.Float32bits(d[0])), column.Float32
		}
	case Bools:
		if is = column.Bool; len(d) != 1 {
			is = column.Null
		} else if d[0] {
			num = 1
		}
	}
	return num, is == kind
}

// same reports whether a and b are equal; those that are one string in memory are
// not looked at.
func same(a, b string) bool {
	return len(a) == len(b) && (unsafe.StringData(a) == unsafe.StringData(b) || a == b)
}
