package block

import (
	"github.com/tickwell/tickwell/internal/codec"
	"github.com/tickwell/tickwell/internal/column"
)

// Encoder encodes value blocks. It keeps scratch memory: use one per goroutine.
// The zero value is ready.
type Encoder struct {
	// Compress lets Text blocks be compressed with s2 where that pays.
	Compress bool

	enc codec.Encoder
}

// AppendTimes is the package's AppendTimes with the encoder's scratch.
func (e *Encoder) AppendTimes(dst []byte, times []int64) []byte { return dst }

// AppendValues appends the block of v, whose rows marked in nulls are left out.
// v holds at most MaxRows rows.
func (e *Encoder) AppendValues(dst []byte, v *column.Vector, nulls column.Bitmap) []byte { return dst }

// Decoder decodes value blocks. It keeps scratch memory: use one per goroutine.
// The zero value is ready.
type Decoder struct {
	dec codec.Decoder
}

// Values decodes src, a block of n rows of the given kind, into dst, replacing
// its contents. Null rows hold the zero value. It returns the null bitmap in the
// memory of nulls if that is large enough, or nil if no row is null.
func (d *Decoder) Values(dst *column.Vector, nulls column.Bitmap, src []byte, kind column.Kind, n int) (column.Bitmap, error) {
	return nil, nil
}
