package engine

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/catalog"
	"github.com/tickwell/tickwell/internal/codec"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/memtable"
)

// recordGroup is the log record kind of an atomic group of sections;
// docs/format/records.md has the bytes.
const recordGroup = 1

// Section kinds; on disk, never changed.
const (
	sectionSeries = 1
	sectionTablet = 2
	sectionDelete = 3
	sectionDrop   = 4
	sectionPut    = 5
	sectionEvent  = 6
	sectionMark   = 7 // reserved: end of a group of several records
	sectionAcross = 8
	sectionParity = 9 // only in files, see parity.go
)

// Column encodings of a tablet section.
const (
	rowsRaw   = 0
	rowsBlock = 1
)

// blockFrom is the number of rows from which on columns go through the block
// codecs.
const blockFrom = 16

// appendUvarint is for what is not in a loop over rows: inlined, each use takes
// 230 bytes.
//
//go:noinline
func appendUvarint(dst []byte, n uint64) []byte { return binary.AppendUvarint(dst, n) }

//go:noinline
func appendSection(dst []byte, kind uint8, body []byte) []byte {
	dst = append(dst, kind)
	dst = appendUvarint(dst, uint64(len(body)))
	return append(dst, body...)
}

//go:noinline
func appendString(dst []byte, s string) []byte {
	dst = appendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

func appendDefinitions(dst []byte, defs []catalog.Definition) []byte {
	dst = appendUvarint(dst, uint64(len(defs)))
	for _, d := range defs {
		dst = appendUvarint(dst, uint64(d.ID))
		dst = append(dst, byte(d.Kind))
		dst = appendString(dst, d.Device)
		dst = appendString(dst, d.Name)
	}
	return dst
}

func appendSeries(dst []byte, series []*Series) []byte {
	dst = appendUvarint(dst, uint64(len(series)))
	for _, s := range series {
		dst = appendUvarint(dst, uint64(s.ID))
		dst = append(dst, byte(s.Kind))
		dst = appendString(dst, s.Device)
		dst = appendString(dst, s.Name)
	}
	return dst
}

func appendIDs(dst []byte, ids []uint32) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(ids)))
	last := int64(0)
	for _, id := range ids {
		dst = binary.AppendVarint(dst, int64(id)-last)
		last = int64(id)
	}
	return dst
}

func appendSeriesIDs(dst []byte, series []*Series) []byte {
	dst = appendUvarint(dst, uint64(len(series)))
	last := int64(0)
	for _, s := range series {
		dst = binary.AppendVarint(dst, int64(s.ID)-last)
		last = int64(s.ID)
	}
	return dst
}

func appendDelete(dst []byte, d *Delete) []byte {
	dst = appendSeriesIDs(dst, d.Series)
	dst = binary.AppendVarint(dst, d.From)
	return binary.AppendVarint(dst, d.To)
}

const putDeletes = 1

//go:noinline
func appendPut(dst []byte, p *Put) []byte {
	flags := byte(0)
	if p.Delete {
		flags = putDeletes
	}
	dst = append(dst, byte(p.Kind), flags)
	dst = appendString(dst, p.Key)
	if p.Delete {
		return dst
	}
	return append(dst, p.Value...)
}

// Flags of an event.
const (
	eventUrgent = 1
	eventTimed  = 2
)

func appendEvent(dst []byte, ev *Event) []byte {
	flags := byte(0)
	if ev.Urgent {
		flags |= eventUrgent
	}
	if ev.At != 0 {
		flags |= eventTimed
	}
	dst = append(dst, flags)
	if ev.At != 0 {
		dst = binary.AppendVarint(dst, ev.At)
	}
	dst = appendUvarint(dst, uint64(len(ev.Sinks)))
	for _, s := range ev.Sinks {
		dst = appendString(dst, s)
	}
	dst = appendString(dst, ev.Key)
	return append(dst, ev.Payload...)
}

// appendTablet appends the rows [lo, hi), at most block.MaxRows, sorted by time.
func appendTablet(dst []byte, enc *block.Encoder, scratch *[]byte, l *memtable.Layout, r *memtable.Rows, lo, hi int) []byte {
	n := hi - lo
	dst = appendIDs(dst, l.IDs)
	dst = binary.AppendUvarint(dst, uint64(n))
	if n < blockFrom {
		dst = append(dst, rowsRaw)
		last := int64(0)
		for i, t := range r.Times[lo:hi] {
			if i == 0 {
				dst = binary.AppendVarint(dst, t)
			} else {
				dst = binary.AppendUvarint(dst, uint64(t)-uint64(last))
			}
			last = t
		}
		for c := range r.Cols {
			dst = appendRawColumn(dst, &r.Cols[c], nullsOf(r, c), lo, hi)
		}
		return dst
	}
	dst = append(dst, rowsBlock)
	*scratch = enc.AppendTimes((*scratch)[:0], r.Times[lo:hi])
	dst = binary.AppendUvarint(dst, uint64(len(*scratch)))
	dst = append(dst, *scratch...)
	for c := range r.Cols {
		v, nulls := r.Cols[c].Slice(lo, hi), nullsOf(r, c)
		if lo > 0 {
			nulls = shifted(nulls, lo, hi)
		}
		if nulls.Count(n) == n {
			dst = append(dst, 0)
			continue
		}
		*scratch = enc.AppendValues((*scratch)[:0], &v, nulls)
		dst = binary.AppendUvarint(dst, uint64(len(*scratch)))
		dst = append(dst, *scratch...)
	}
	return dst
}

func nullsOf(r *memtable.Rows, c int) column.Bitmap {
	if c < len(r.Nulls) {
		return r.Nulls[c]
	}
	return nil
}

func shifted(b column.Bitmap, lo, hi int) column.Bitmap {
	var out column.Bitmap
	for i := lo; i < hi && b != nil; i++ {
		if b.Get(i) {
			out.Set(i - lo)
		}
	}
	return out
}

// Null flags of a raw column.
const (
	rawNoNulls = 0
	rawBitmap  = 1
)

func appendRawColumn(dst []byte, v *column.Vector, nulls column.Bitmap, lo, hi int) []byte {
	some := false
	for i := lo; i < hi && nulls != nil; i++ {
		some = some || nulls.Get(i)
	}
	if !some {
		dst = append(dst, rawNoNulls)
		for i := lo; i < hi; i++ {
			dst = appendCell(dst, v, i)
		}
		return dst
	}
	dst = append(dst, rawBitmap)
	at := len(dst)
	for range (hi - lo + 7) / 8 {
		dst = append(dst, 0)
	}
	for i := lo; i < hi; i++ {
		if nulls.Get(i) {
			dst[at+(i-lo)/8] |= 1 << ((i - lo) % 8)
		} else {
			dst = appendCell(dst, v, i)
		}
	}
	return dst
}

func appendCell(dst []byte, v *column.Vector, i int) []byte {
	switch v.Kind {
	case column.Bool:
		if v.Bools[i] {
			return append(dst, 1)
		}
		return append(dst, 0)
	case column.Int32:
		return binary.LittleEndian.AppendUint32(dst, uint32(v.Int32s[i]))
	case column.Int64:
		return binary.LittleEndian.AppendUint64(dst, uint64(v.Int64s[i]))
	case column.Float32:
		return binary.LittleEndian.AppendUint32(dst, math.Float32bits(v.Float32s[i]))
	case column.Float64:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v.Float64s[i]))
	case column.Text:
		return appendString(dst, v.Texts[i])
	}
	return dst
}

// wire reads what the functions above wrote, from any bytes.
type wire struct{ codec.Reader }

func (w *wire) ids() []uint32 { return w.idsInto(nil) }

// idsInto is ids in the memory of dst.
func (w *wire) idsInto(dst []uint32) []uint32 {
	n := w.Count(1)
	ids := slices.Grow(dst[:0], n)
	last := int64(0)
	for range n {
		last += w.Varint()
		if last <= 0 || last > catalog.MaxID {
			w.Fail()
			return nil
		}
		ids = append(ids, uint32(last))
	}
	return ids
}

func (w *wire) definitions() []catalog.Definition {
	n := w.Count(1)
	defs := make([]catalog.Definition, 0, n)
	for range n {
		id := w.Uvarint()
		if id > catalog.MaxID {
			w.Fail()
		}
		d := catalog.Definition{ID: uint32(id), Kind: column.Kind(w.Byte()), Device: w.Text(), Name: w.Text()}
		if w.Bad {
			return nil
		}
		defs = append(defs, d)
	}
	return defs
}

func (w *wire) put() Put {
	p := Put{Kind: PutKind(w.Byte())}
	p.Delete = w.Byte()&putDeletes != 0
	p.Key = w.Text()
	if !p.Delete {
		p.Value = append([]byte{}, w.Src...)
	}
	return p
}

func (w *wire) event() Event {
	var ev Event
	w.eventInto(&ev)
	if w.Bad {
		return Event{}
	}
	ev.Payload = append([]byte{}, ev.Payload...)
	return ev
}

// eventInto is event in the memory of ev: texts that are those of the event
// before are used again, and Payload is a part of what is read.
func (w *wire) eventInto(ev *Event) {
	flags := w.Byte()
	ev.Urgent, ev.At = flags&eventUrgent != 0, 0
	if flags&eventTimed != 0 {
		ev.At = w.Varint()
	}
	n := w.Count(1)
	was := ev.Sinks
	ev.Sinks = ev.Sinks[:0]
	for i := range n {
		if w.Bad {
			return
		}
		old := ""
		if i < len(was) {
			old = was[i]
		}
		ev.Sinks = append(ev.Sinks, w.stringLike(old))
	}
	ev.Key = w.stringLike(ev.Key)
	ev.Payload = w.Src
}

// stringLike is string, in the memory of old if it is the same.
func (w *wire) stringLike(old string) string {
	b := w.Bytes(w.Count(1))
	if string(b) == old {
		return old
	}
	return string(b)
}

// tabletRows decodes the rows of a tablet whose series have these kinds.
func (w *wire) tabletRows(dec *block.Decoder, kinds []column.Kind) (*memtable.Rows, error) {
	r := new(memtable.Rows)
	if err := w.tabletRowsInto(r, dec, kinds); err != nil {
		return nil, err
	}
	return r, nil
}

// tabletRowsInto is tabletRows in the memory of r.
func (w *wire) tabletRowsInto(r *memtable.Rows, dec *block.Decoder, kinds []column.Kind) error {
	n := w.Uvarint()
	enc := w.Byte()
	if w.Bad || n == 0 || n > block.MaxRows || enc > rowsBlock || enc == rowsRaw && n > uint64(len(w.Src)) {
		return fmt.Errorf("tablet of %d rows: %w", n, errs.Corrupt)
	}
	if cap(r.Cols) < len(kinds) {
		r.Cols, r.Nulls = make([]column.Vector, len(kinds)), make([]column.Bitmap, len(kinds))
	}
	r.Cols, r.Nulls = r.Cols[:len(kinds)], r.Nulls[:len(kinds)]
	clear(r.Nulls)
	if enc == rowsRaw {
		r.Times = w.rawTimes(r.Times, int(n))
	} else {
		var err error
		if r.Times, err = block.DecodeTimes(r.Times, w.Bytes(w.Count(1)), int(n)); err != nil {
			return err
		}
	}
	for c, kind := range kinds {
		v := &r.Cols[c]
		v.Reset(kind)
		if enc == rowsRaw {
			r.Nulls[c] = w.rawColumn(v, int(n))
			continue
		}
		b := w.Bytes(w.Count(1))
		if len(b) == 0 {
			v.AppendZero(int(n))
			for i := range int(n) {
				r.Nulls[c].Set(i)
			}
			continue
		}
		nulls, err := dec.Values(v, nil, b, kind, int(n))
		if err != nil {
			return err
		}
		r.Nulls[c] = nulls
	}
	if w.Bad || len(w.Src) > 0 || !r.Sorted() || r.Times[0] < MinTime || r.Times[n-1] > MaxTime {
		return fmt.Errorf("tablet of %d rows: %w", n, errs.Corrupt)
	}
	return nil
}

func (w *wire) rawTimes(dst []int64, n int) []int64 {
	times := slices.Grow(dst[:0], n)
	t := w.Varint()
	times = append(times, t)
	for range n - 1 {
		t = int64(uint64(t) + w.Uvarint())
		times = append(times, t)
	}
	return times
}

func (w *wire) rawColumn(v *column.Vector, n int) column.Bitmap {
	var nulls column.Bitmap
	if w.Byte() == rawBitmap {
		bits := w.Bytes((n + 7) / 8)
		for i := range n {
			if bits != nil && bits[i/8]&(1<<(i%8)) != 0 {
				nulls.Set(i)
			}
		}
	}
	for i := range n {
		if nulls.Get(i) {
			v.AppendZero(1)
			continue
		}
		switch v.Kind {
		case column.Bool:
			v.Bools = append(v.Bools, w.Byte() != 0)
		case column.Int32:
			v.Int32s = append(v.Int32s, int32(w.Uint32()))
		case column.Int64:
			v.Int64s = append(v.Int64s, int64(w.Uint64()))
		case column.Float32:
			v.Float32s = append(v.Float32s, math.Float32frombits(w.Uint32()))
		case column.Float64:
			v.Float64s = append(v.Float64s, math.Float64frombits(w.Uint64()))
		case column.Text:
			v.Texts = append(v.Texts, w.Text())
		}
	}
	return nulls
}
