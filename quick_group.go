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
	rows.Shapes = slices.Grow(rows.Shapes, len(ts))[:len(ts)]
	rows.Times = slices.Grow(rows.Times, len(ts))[:len(ts)]
	rows.Nulls = slices.Grow(rows.Nulls, len(ts))[:len(ts)]
	hints, shapes, times, allNulls := in.hints[:len(ts)], rows.Shapes, rows.Times, rows.Nulls
	for i, t := range ts {
		if t == nil || len(t.Times) != 1 || len(t.Columns) == 0 || len(t.Columns) > engine.MaxRowColumns {
			return false
		}
		b := hints[i] // who writes groups mostly writes the same devices in the same order
		if b == nil || !same(b.device, t.Device) || len(b.names) != len(t.Columns) || !same(b.names[0], t.Columns[0].Name) {
			if b = db.bound.lookup(t.Device, t.Columns[0].Name, len(t.Columns)); b == nil {
				return false
			}
			hints[i] = b
		}
		shape, at := b.shape.Load(), t.Times[0]
		if shape == nil || at < minTime || at > maxTime {
			return false
		}
		nulls, ok := in.takeRow(t, b)
		if !ok {
			hints[i] = nil // maybe another series of that name, of another kind
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
		shapes[i], times[i], allNulls[i] = shape, at, nulls
	}
	return true
}

// takeRow adds the cells of the only row of t, whose columns must be those of b.
func (in *insertion) takeRow(t *Tablet, b *binding) (nulls uint64, ok bool) {
	cols, at := t.Columns, len(in.numbers.Nums)
	if len(b.names) != len(cols) || len(b.kinds) != len(cols) {
		return 0, false
	}
	if cap(in.numbers.Nums)-at < len(cols) {
		in.numbers.Nums = slices.Grow(in.numbers.Nums, len(cols))
	}
	in.numbers.Nums = in.numbers.Nums[:at+len(cols)]
	nums := in.numbers.Nums[at:]
	if n := takeCells(nums, cols, b, 0); n < len(cols) {
		return takeOddCells(nums, cols, b, n)
	}
	return 0, true
}

// takeCells sets nums to the only cells of cols, the columns of b, from the one with
// the number from up to one that is not what cells mostly are: a number of a usual
// kind, under the very string of the name. It returns the number of that one.
func takeCells(nums []uint64, cols []Column, b *binding, from int) int {
	names, kinds := b.names[:len(cols)], b.kinds[:len(cols)]
	nums = nums[:len(cols)]
	for c := from; c < len(cols); c++ {
		col, name := &cols[c], names[c]
		if len(col.Name) != len(name) || unsafe.StringData(col.Name) != unsafe.StringData(name) || len(col.Nulls) > 0 {
			return c
		}
		if d, ok := col.Data.(Float64s); ok {
			if len(d) != 1 || kinds[c] != column.Float64 {
				return c
			}
			nums[c] = math.Float64bits(d[0])
		} else if d, ok := col.Data.(Int64s); ok && len(d) == 1 && kinds[c] == column.Int64 {
			nums[c] = uint64(d[0])
		} else {
			return c
		}
	}
	return len(cols)
}

// takeOddCells is the rest of takeRow, from the column c on that takeCells has not
// taken.
func takeOddCells(nums []uint64, cols []Column, b *binding, c int) (nulls uint64, ok bool) {
	for ; c < len(cols); c = takeCells(nums, cols, b, c+1) {
		col := &cols[c]
		if !same(col.Name, b.names[c]) {
			return 0, false
		}
		if nums[c], ok = onlyCell(col.Data, b.kinds[c]); !ok {
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
