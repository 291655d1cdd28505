package engine

import (
	"fmt"
	"slices"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/catalog"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/memtable"
)

// across is a section of few rows each of many devices with columns of the same
// kinds, as a gateway reads them at one moment: encoded together, column by
// column over all devices, they take a fraction of what they take one by one.
type across struct {
	kinds  []column.Kind
	ids    column.Vector // Int64: of each tablet's series, in its order
	counts column.Vector // Int64: rows of each tablet
	times  column.Vector // Int64
	cols   []column.Vector
	nulls  []column.Bitmap
	rows   memtable.Rows // view of one tablet
	one    []uint32
}

// minAcross is the number of tablets from which on they are encoded together.
const minAcross = 8

// runAcross returns how many tablets from the first on go into one section.
func runAcross(tablets []Tablet, rows []*memtable.Rows) (n int) {
	if rows[0] == nil || len(rows[0].Times) >= blockFrom {
		return 0
	}
	kinds := tablets[0].Shape.layout.Kinds
	total, ids := 0, 0
	for n = range rows {
		r := rows[n]
		if r == nil || len(r.Times) >= blockFrom || !slices.Equal(tablets[n].Shape.layout.Kinds, kinds) {
			return n
		}
		total += len(r.Times)
		if ids += len(kinds); total > block.MaxRows || ids > block.MaxRows {
			return n
		}
	}
	return len(rows)
}

// reset empties a and keeps its memory.
func (a *across) reset() {
	for i := range a.cols {
		clear(a.cols[i].Texts)
		clear(a.nulls[i])
		a.nulls[i] = a.nulls[i][:0]
	}
	a.ids.Reset(column.Int64)
	a.counts.Reset(column.Int64)
	a.times.Reset(column.Int64)
	a.kinds = a.kinds[:0]
}

// columns makes one empty column of each kind.
func (a *across) columns(kinds []column.Kind) {
	a.reset()
	a.kinds = append(a.kinds, kinds...)
	for len(a.cols) < len(kinds) {
		a.cols, a.nulls = append(a.cols, column.Vector{}), append(a.nulls, nil)
	}
	for i, k := range kinds {
		a.cols[i].Reset(k)
	}
}

// append appends the body of a section with these tablets.
func (a *across) append(dst []byte, enc *block.Encoder, scratch *[]byte, tablets []Tablet, rows []*memtable.Rows) []byte {
	a.take(tablets, rows)
	return a.encode(dst, enc, scratch)
}

// take makes the rows of these tablets those of a.
func (a *across) take(tablets []Tablet, rows []*memtable.Rows) {
	kinds := tablets[0].Shape.layout.Kinds
	a.columns(kinds)
	for i, r := range rows {
		at := len(a.times.Int64s)
		for _, id := range tablets[i].Shape.layout.IDs {
			a.ids.Int64s = append(a.ids.Int64s, int64(id))
		}
		a.counts.Int64s = append(a.counts.Int64s, int64(len(r.Times)))
		a.times.Int64s = append(a.times.Int64s, r.Times...)
		for c := range kinds {
			a.cols[c].AppendRange(&r.Cols[c], 0, len(r.Times))
			for k, nulls := 0, nullsOf(r, c); nulls != nil && k < len(r.Times); k++ {
				if nulls.Get(k) {
					a.nulls[c].Set(at + k)
				}
			}
		}
	}
}

// encode appends the body of a section with the rows of a.
func (a *across) encode(dst []byte, enc *block.Encoder, scratch *[]byte) []byte {
	n := len(a.times.Int64s)
	dst = appendUvarint(dst, uint64(len(a.counts.Int64s)))
	dst = appendUvarint(dst, uint64(n))
	dst = appendUvarint(dst, uint64(len(a.kinds)))
	for _, k := range a.kinds {
		dst = append(dst, byte(k))
	}
	for _, v := range []*column.Vector{&a.ids, &a.counts, &a.times} {
		dst = appendPiece(dst, enc, scratch, v, nil)
	}
	for c := range a.kinds {
		if a.nulls[c].Count(n) == n {
			dst = append(dst, 0)
			continue
		}
		dst = appendPiece(dst, enc, scratch, &a.cols[c], a.nulls[c])
	}
	return dst
}

func appendPiece(dst []byte, enc *block.Encoder, scratch *[]byte, v *column.Vector, nulls column.Bitmap) []byte {
	*scratch = enc.AppendValues((*scratch)[:0], v, nulls)
	dst = appendUvarint(dst, uint64(len(*scratch)))
	return append(dst, *scratch...)
}

// read decodes the body of a section.
func (a *across) read(w *wire, dec *block.Decoder) error {
	tablets, n, width := w.uvarint(), w.uvarint(), w.count()
	bad := fmt.Errorf("rows of %d devices: %w", tablets, errs.Corrupt)
	if w.bad || tablets == 0 || tablets > n || n > block.MaxRows || width == 0 || tablets*uint64(width) > block.MaxRows {
		return bad
	}
	kinds := make([]column.Kind, width)
	for i := range kinds {
		if kinds[i] = column.Kind(w.byte()); !kinds[i].Valid() {
			return bad
		}
	}
	a.columns(kinds)
	piece := func(v *column.Vector, kind column.Kind, n int) error {
		_, err := dec.Values(v, nil, w.bytes(w.count()), kind, n)
		return err
	}
	if err := piece(&a.ids, column.Int64, int(tablets)*width); err != nil {
		return err
	}
	if err := piece(&a.counts, column.Int64, int(tablets)); err != nil {
		return err
	}
	if err := piece(&a.times, column.Int64, int(n)); err != nil {
		return err
	}
	for c, kind := range kinds {
		b := w.bytes(w.count())
		if len(b) == 0 {
			a.cols[c].AppendZero(int(n))
			for i := range int(n) {
				a.nulls[c].Set(i)
			}
			continue
		}
		nulls, err := dec.Values(&a.cols[c], a.nulls[c], b, kind, int(n))
		if err != nil {
			return err
		}
		a.nulls[c] = nulls
	}
	sum := int64(0)
	for _, k := range a.counts.Int64s {
		if k < 1 || k > int64(n) {
			return bad
		}
		sum += k
	}
	for _, id := range a.ids.Int64s {
		if id < 1 || id > catalog.MaxID {
			return bad
		}
	}
	if w.bad || len(w.b) > 0 || sum != int64(n) {
		return bad
	}
	return nil
}

// each calls f for every tablet of a section that was read; ids and rows are
// valid during the call.
func (a *across) each(f func(ids []uint32, r *memtable.Rows) error) error {
	width := len(a.kinds)
	if cap(a.rows.Cols) < width {
		a.rows.Cols, a.rows.Nulls = make([]column.Vector, width), make([]column.Bitmap, width)
	}
	r := &a.rows
	r.Cols, r.Nulls = r.Cols[:width], r.Nulls[:width]
	for c, k := range a.kinds {
		r.Cols[c] = column.Vector{Kind: k}
	}
	lo := 0
	for i, n := range a.counts.Int64s {
		hi := lo + int(n)
		a.one = a.one[:0]
		for _, id := range a.ids.Int64s[i*width : (i+1)*width] {
			a.one = append(a.one, uint32(id))
		}
		r.Times = a.times.Int64s[lo:hi]
		for c := range a.kinds {
			r.Cols[c].View(&a.cols[c], lo, hi)
			r.Nulls[c] = nil
			for k := lo; k < hi && len(a.nulls[c]) > 0; k++ {
				if a.nulls[c].Get(k) {
					r.Nulls[c].Set(k - lo)
				}
			}
		}
		if !r.Sorted() || r.Times[0] < MinTime || r.Times[len(r.Times)-1] > MaxTime {
			return fmt.Errorf("rows of %d devices: %w", len(a.counts.Int64s), errs.Corrupt)
		}
		if err := f(a.one, r); err != nil {
			return err
		}
		lo = hi
	}
	return nil
}
