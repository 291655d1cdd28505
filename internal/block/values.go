package block

import (
	"github.com/tickwell/tickwell/internal/codec"
	"github.com/tickwell/tickwell/internal/column"
)

// Encoder encodes blocks. It keeps scratch memory: use one per goroutine. The
// zero value is ready.
type Encoder struct {
	// Compress lets Text blocks be compressed with s2 where that pays.
	Compress bool

	// Quick is that of codec.Encoder.
	Quick bool

	enc   codec.Encoder
	cells column.Vector // the non-null cells
}

// AppendTimes is the package's AppendTimes with the encoder's scratch.
func (e *Encoder) AppendTimes(dst []byte, times []int64) []byte {
	return e.enc.AppendTimes(append(dst, kindTimes), times)
}

// AppendValues appends the block of v, whose rows marked in nulls are left out.
// v holds at most MaxRows rows of a valid kind.
func (e *Encoder) AppendValues(dst []byte, v *column.Vector, nulls column.Bitmap) []byte {
	n := v.Len()
	head := byte(v.Kind)
	if !nulls.Any(n) {
		return e.appendCells(append(dst, head), v)
	}
	dst = codec.AppendBits(append(dst, head|flagNulls), nulls, n)
	e.cells.Reset(v.Kind)
	for hi := 0; hi < n; {
		lo := nulls.NextClear(hi, n)
		hi = nulls.NextSet(lo, n)
		e.cells.AppendRange(v, lo, hi)
	}
	dst = e.appendCells(dst, &e.cells)
	clear(e.cells.Texts)
	return dst
}

func (e *Encoder) appendCells(dst []byte, v *column.Vector) []byte {
	e.enc.Quick = e.Quick
	switch v.Kind {
	case column.Bool:
		return e.enc.AppendBools(dst, v.Bools)
	case column.Int32:
		return e.enc.AppendInt32s(dst, v.Int32s)
	case column.Int64:
		return e.enc.AppendInt64s(dst, v.Int64s)
	case column.Float32:
		return e.enc.AppendFloat32s(dst, v.Float32s)
	case column.Float64:
		return e.enc.AppendFloat64s(dst, v.Float64s)
	case column.Text:
		e.enc.Compress = e.Compress
		return e.enc.AppendTexts(dst, v.Texts)
	}
	return dst
}

// Decoder decodes value blocks. It keeps scratch memory: use one per goroutine.
// The zero value is ready.
type Decoder struct {
	dec codec.Decoder
}

// Values decodes src, a block of n rows of the given kind, into dst, replacing
// its contents. Null rows hold the zero value. It returns the null bitmap in the
// memory of nulls if that is large enough, or nil if no row is null.
func (d *Decoder) Values(dst *column.Vector, nulls column.Bitmap, src []byte, kind column.Kind, n int) (column.Bitmap, error) {
	dst.Reset(kind)
	if n < 0 || n > MaxRows || !kind.Valid() {
		return nil, corrupt("value block", "%d rows of kind %d asked for", n, kind)
	}
	if len(src) == 0 {
		return nil, corrupt("value block", "it is empty")
	}
	head := src[0]
	src = src[1:]
	if head&^flagNulls != byte(kind) {
		return nil, corrupt("value block", "first byte %#02x in a block of kind %s", head, kind)
	}
	if head&flagNulls == 0 {
		return nil, d.cells(dst, src, n)
	}
	set, rest, err := codec.Bits(nulls[:0], src, n)
	if err != nil {
		return nil, err
	}
	nulls = set
	absent := nulls.Count(n)
	if absent == 0 {
		return nil, corrupt("value block", "null flag without a null")
	}
	reserve(dst, n)
	if err := d.cells(dst, rest, n-absent); err != nil {
		return nil, err
	}
	spreadCells(dst, nulls, n)
	return nulls, nil
}

// cells decodes n cells without nulls.
func (d *Decoder) cells(dst *column.Vector, src []byte, n int) (err error) {
	switch dst.Kind {
	case column.Bool:
		dst.Bools, err = d.dec.Bools(dst.Bools, src, n)
	case column.Int32:
		dst.Int32s, err = d.dec.Int32s(dst.Int32s, src, n)
	case column.Int64:
		dst.Int64s, err = d.dec.Int64s(dst.Int64s, src, n)
	case column.Float32:
		dst.Float32s, err = d.dec.Float32s(dst.Float32s, src, n)
	case column.Float64:
		dst.Float64s, err = d.dec.Float64s(dst.Float64s, src, n)
	case column.Text:
		dst.Texts, err = d.dec.Texts(dst.Texts, src, n)
	}
	return err
}
