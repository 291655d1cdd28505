package segment

import (
	"context"
	"iter"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/vfs"
)

// Reader reads one block file. It is safe for concurrent use; Close only when
// no call is under way.
type Reader struct{}

// Scratch is the memory of one reading goroutine, reused from call to call and
// from reader to reader. The zero value is ready.
type Scratch struct{}

// Open opens the file, which must be the one numbered fileNo of the store, and
// reads its directory. Index pages go through cache, which may be nil.
func Open(fsys vfs.FS, name string, storeID, fileNo uint64, cache *Cache) (*Reader, error) {
	return &Reader{}, nil
}

// Meta describes the file.
func (r *Reader) Meta() Meta { return Meta{} }

// Series yields the ids and kinds of the file's series, ascending.
func (r *Reader) Series() iter.Seq2[uint32, column.Kind] {
	return func(func(uint32, column.Kind) bool) {}
}

// Has reports whether the file holds blocks of the series, without reading.
func (r *Reader) Has(series uint32) bool { return false }

// Blocks returns the blocks of a series in time order, nil if there are none.
func (r *Reader) Blocks(series uint32) ([]BlockInfo, error) { return nil, nil }

// BlocksIn appends to dst the blocks of a series that hold a time in
// [from, to], both inclusive, in time order.
func (r *Reader) BlocksIn(dst []BlockInfo, series uint32, from, to int64) ([]BlockInfo, error) {
	return nil, nil
}

// ReadTimes decodes the b.N times of the block's chunk into dst[:0].
func (r *Reader) ReadTimes(dst []int64, scratch *Scratch, b *BlockInfo) ([]int64, error) {
	return nil, nil
}

// ReadValues decodes the b.N values of the block into dst, with zero values at
// null rows, and returns the null bitmap in the memory of nulls, nil if no row
// is null.
func (r *Reader) ReadValues(dst *column.Vector, nulls column.Bitmap, scratch *Scratch, b *BlockInfo) (column.Bitmap, error) {
	return nil, nil
}

// ReadRaw returns the encoded bytes that ref names after checking them; values
// tells a value block from a times block. They are valid until the next use of
// scratch. Compaction copies blocks this way.
func (r *Reader) ReadRaw(scratch *Scratch, ref Ref, values bool) ([]byte, error) { return nil, nil }

// Verify reads the whole file, checks and decodes everything, and reports each
// damaged piece. It returns an error only if ctx is done or reading fails.
func (r *Reader) Verify(ctx context.Context, report func(Damage)) error { return nil }

// Close closes the file and drops its pages from the cache.
func (r *Reader) Close() error { return nil }
