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
	n      int           // rows, once read
	times  column.Vector // Int64
	cols   []column.Vector
	nulls  []column.Bitmap
	rows   memtable.Rows // view of one tablet
	one    []uint32

	of   []*Shape // of the group whose devices were encoded last, by takeRows
	head []byte   // what was encoded of them; only that is kept by reset
	same bool     // head is that of these rows
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
	a.kinds, a.same = a.kinds[:0], false
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
	if a.same {
		dst = append(dst, a.head...)
	} else {
		dst = a.appendDevices(dst, enc, scratch)
	}
	dst = appendPiece(dst, enc, scratch, &a.times, nil)
	for c := range a.kinds {
		if a.nulls[c].Count(n) == n {
			dst = append(dst, 0)
			continue
		}
		dst = appendPiece(dst, enc, scratch, &a.cols[c], a.nulls[c])
	}
	return dst
}

// appendDevices appends the first part: whose rows they are, and how many.
func (a *across) appendDevices(dst []byte, enc *block.Encoder, scratch *[]byte) []byte {
	dst = appendUvarint(dst, uint64(len(a.counts.Int64s)))
	dst = appendUvarint(dst, uint64(len(a.times.Int64s)))
	dst = appendUvarint(dst, uint64(len(a.kinds)))
	for _, k := range a.kinds {
		dst = append(dst, byte(k))
	}
	for _, v := range []*column.Vector{&a.ids, &a.counts} {
		dst = appendPiece(dst, enc, scratch, v, nil)
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
	if err := a.readDevices(w, dec); err != nil {
		return err
	}
	return a.readRows(w, dec, a.kinds, a.n)
}

//go:noinline
func (a *across) bad() error {
	return fmt.Errorf("rows of %d devices: %w", len(a.counts.Int64s), errs.Corrupt)
}

// readDevices decodes the first part: whose rows they are, and how many.
func (a *across) readDevices(w *wire, dec *block.Decoder) error {
	a.reset()
	tablets, n, width := w.Uvarint(), w.Uvarint(), w.Count(1)
	if w.Bad || tablets == 0 || tablets > n || n > block.MaxRows || width == 0 || tablets*uint64(width) > block.MaxRows {
		return a.bad()
	}
	for range width {
		k := column.Kind(w.Byte())
		if !k.Valid() {
			return a.bad()
		}
		a.kinds = append(a.kinds, k)
	}
	if err := w.piece(dec, &a.ids, int(tablets)*width); err != nil {
		return err
	}
	if err := w.piece(dec, &a.counts, int(tablets)); err != nil {
		return err
	}
	sum := int64(0)
	for _, k := range a.counts.Int64s {
		if k < 1 || k > int64(n) {
			return a.bad()
		}
		sum += k
	}
	for _, id := range a.ids.Int64s {
		if id < 1 || id > catalog.MaxID {
			return a.bad()
		}
	}
	if w.Bad || sum != int64(n) {
		return a.bad()
	}
	a.n = int(n)
	return nil
}

// piece decodes a column of n integers.
func (w *wire) piece(dec *block.Decoder, v *column.Vector, n int) error {
	_, err := dec.Values(v, nil, w.Bytes(w.Count(1)), column.Int64, n)
	return err
}

// readRows decodes the second part, n rows of columns of these kinds.
func (a *across) readRows(w *wire, dec *block.Decoder, kinds []column.Kind, n int) error {
	if err := w.piece(dec, &a.times, n); err != nil {
		return err
	}
	for len(a.cols) < len(kinds) {
		a.cols, a.nulls = append(a.cols, column.Vector{}), append(a.nulls, nil)
	}
	for c, kind := range kinds {
		b := w.Bytes(w.Count(1))
		if len(b) == 0 {
			a.cols[c].Reset(kind)
			a.cols[c].AppendZero(n)
			for i := range n {
				a.nulls[c].Set(i)
			}
			continue
		}
		nulls, err := dec.Values(&a.cols[c], a.nulls[c], b, kind, n)
		if err != nil {
			return err
		}
		a.nulls[c] = nulls
	}
	if w.Bad || len(w.Src) > 0 {
		return a.bad()
	}
	return nil
}

// each calls f for every tablet of a section that was read; ids and rows are
// valid during the call.
func (a *across) each(f func(ids []uint32, r *memtable.Rows) error) error {
	width := len(a.kinds)
	r := &a.rows
	lo := 0
	for i, n := range a.counts.Int64s {
		hi := lo + int(n)
		a.view(r, lo, hi)
		if !r.Sorted() || r.Times[0] < MinTime || r.Times[len(r.Times)-1] > MaxTime {
			return a.bad()
		}
		if err := f(a.idsAt(i*width), r); err != nil {
			return err
		}
		lo = hi
	}
	return nil
}

// idsAt returns the ids of a tablet, the first of which is that of number at.
func (a *across) idsAt(at int) []uint32 {
	a.one = a.one[:0]
	for _, id := range a.ids.Int64s[at : at+len(a.kinds)] {
		a.one = append(a.one, uint32(id))
	}
	return a.one
}

// view makes r the rows [lo, hi) of a.
func (a *across) view(r *memtable.Rows, lo, hi int) {
	width := len(a.kinds)
	if cap(r.Cols) < width {
		r.Cols, r.Nulls = make([]column.Vector, width), make([]column.Bitmap, width)
	}
	r.Cols, r.Nulls = r.Cols[:width], r.Nulls[:width]
	r.Times = a.times.Int64s[lo:hi]
	for c, k := range a.kinds {
		if r.Cols[c].Kind != k {
			r.Cols[c] = column.Vector{Kind: k}
		}
		r.Cols[c].View(&a.cols[c], lo, hi)
		r.Nulls[c] = nil
		for k := lo; k < hi && len(a.nulls[c]) > 0; k++ {
			if a.nulls[c].Get(k) {
				r.Nulls[c].Set(k - lo)
			}
		}
	}
}
