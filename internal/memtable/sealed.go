package memtable

import (
	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/merge"
)

// Sealed is an encoded chunk. It never changes.
type Sealed struct {
	N        int
	Min, Max int64
	Times    []byte
	Kinds    []column.Kind
	cols     []sealedColumn
	data     []byte // blocks of the columns
}

// sealedColumn has no pointers: those of several chunks are one piece of memory,
// which must not keep the blocks of chunks that are gone.
type sealedColumn struct {
	from, to int // where its block is in data; nowhere if every row is null
	stats    block.Stats
}

const sealedColumnBytes = 88

// Col returns the block of column i, nil if every row is null.
func (s *Sealed) Col(i int) []byte {
	c := &s.cols[i]
	if c.stats.Count == 0 {
		return nil
	}
	return s.data[c.from:c.to:c.to]
}

// Raw is part of merge.Chunk.
func (s *Sealed) Raw() bool { return false }

// Times is part of merge.Chunk.
func (s *Sealed) times(dst []int64) ([]int64, error) { return block.DecodeTimes(dst, s.Times, s.N) }

// Stats returns the statistics of column i, nil if every row is null.
func (s *Sealed) Stats(i int) *block.Stats {
	if s.cols[i].stats.Count == 0 {
		return nil
	}
	return &s.cols[i].stats
}

func (s *Sealed) bytes() int64 {
	return int64(96 + len(s.Times) + len(s.data) + sealedColumnBytes*len(s.cols))
}

// sealedChunk is a Sealed as merge sees it.
type sealedChunk struct{ *Sealed }

func (s sealedChunk) Times(dst []int64, _ *merge.Scratch) ([]int64, error) { return s.times(dst) }

func (s sealedChunk) Values(i int, dst *column.Vector, nulls column.Bitmap, sc *merge.Scratch) (column.Bitmap, error) {
	return sc.Decoder.Values(dst, nulls, s.Col(i), s.Kinds[i], s.N)
}

// SealedOf returns the encoded chunk behind c, if it is one of this package.
func SealedOf(c merge.Chunk) (*Sealed, bool) {
	s, ok := c.(sealedChunk)
	return s.Sealed, ok
}

// rawChunk shows rows that are not encoded.
type rawChunk struct {
	columns
	oneCol  [1]column.Vector // memory of a single column
	oneNull [1]column.Bitmap
}

func (r *rawChunk) Raw() bool { return true }

func (r *rawChunk) Times([]int64, *merge.Scratch) ([]int64, error) { return r.times, nil }

func (r *rawChunk) Values(i int, dst *column.Vector, _ column.Bitmap, _ *merge.Scratch) (column.Bitmap, error) {
	*dst = r.cols[i]
	return r.nulls[i], nil
}

func (r *rawChunk) Stats(int) *block.Stats { return nil }

// Seal encodes the rows [lo, hi) of r, at most block.MaxRows; from maps columns
// to r's as for columns.append. Times are strictly increasing.
func Seal(kinds []column.Kind, r *Rows, lo, hi int) *Sealed { return seal(kinds, r, nil, lo, hi) }

func seal(kinds []column.Kind, r *Rows, from []int, lo, hi int) *Sealed {
	p := beginSealing(new(Sealed), make([]sealedColumn, len(kinds)), kinds, r.Times[lo:hi])
	p.columns(r, from, lo, len(kinds))
	return p.end(nil)
}

// cutBits returns the bits [lo, hi) of b from 0 on.
func cutBits(b column.Bitmap, lo, hi int) column.Bitmap {
	if lo == 0 {
		return b
	}
	var out column.Bitmap
	for i := lo; i < hi; i++ {
		if b.Get(i) {
			out.Set(i - lo)
		}
	}
	return out
}
