// Package merge reads runs of chunks that may overlap in time as one ordered
// stream of rows, cell by cell the last write wins. Memtables and block files
// are its sources; flushes and queries are its users.
package merge

import (
	"fmt"
	"slices"
	"sort"
	"sync/atomic"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
)

// Chunk gives the rows of one stored chunk. Implementations are immutable.
type Chunk interface {
	// Raw reports that Times and Values return the chunk's own memory, which is
	// not changed, instead of refilling what they are given.
	Raw() bool
	// Times returns the row times, strictly increasing.
	Times(dst []int64, sc *Scratch) ([]int64, error)
	// Values fills dst with column col, or replaces it by the chunk's own memory,
	// and returns the null bitmap.
	Values(col int, dst *column.Vector, nulls column.Bitmap, sc *Scratch) (column.Bitmap, error)
	// Stats returns the statistics of the whole column, nil if there are none.
	Stats(col int) *block.Stats
}

// Scratch is memory that chunks decode through; one cursor owns it.
type Scratch struct {
	Decoder block.Decoder
	Bytes   []byte
	Local   any   // of the implementation that first uses it
	Last    int64 // the last time that is read
}

// Block is a chunk as one source of a cursor.
type Block struct {
	Min, Max int64  // bounds of the row times
	N        int    // the first N rows count
	Whole    bool   // N is all of the chunk, so that Stats hold
	LSN      uint64 // first commit in it; masks after it apply
	Cols     []int  // the chunk's column of each wanted series, -1 = it has none
	Chunk    Chunk
	// Lent, if set, counts who may look at the chunk's own memory. Whoever makes
	// the block adds one; a cursor that is closed takes it away. What it keeps
	// counting, because a cursor is not closed, is only not used again.
	Lent *atomic.Int32
}

// Source is blocks in time order that do not overlap.
type Source []Block

// Within returns the blocks that overlap [from, last].
func (s Source) Within(from, last int64) Source {
	lo := sort.Search(len(s), func(i int) bool { return s[i].Max >= from })
	hi := lo + sort.Search(len(s)-lo, func(i int) bool { return s[lo+i].Min > last })
	return s[lo:hi:hi]
}

// Mask hides what was written before LSN with From <= time < To.
type Mask struct {
	LSN      uint64
	From, To int64 // To = math.MaxInt64: to the end
}

func (m *Mask) hides(b *Block) bool {
	return m.LSN > b.LSN && m.From <= b.Max && b.Min < m.To
}

// source is the reading position in a Source.
type source struct {
	blocks []Block
	i      int
	loaded bool
	pos    int // next row of the loaded block
	times  []int64
	cols   []column.Vector
	nulls  []column.Bitmap

	buf, packed columns // decoded, and rid of empty rows
	keep        []int32
}

// columns is reusable memory of a block.
type columns struct {
	times []int64
	cols  []column.Vector
	nulls []column.Bitmap
}

func (s *source) done() bool { return s.i >= len(s.blocks) }

// head is the time of the next row, or a lower bound of it while its block is
// not loaded.
func (s *source) head(from int64) int64 {
	if s.loaded {
		return s.times[s.pos]
	}
	return max(s.blocks[s.i].Min, from)
}

func (s *source) skip() { s.i, s.loaded = s.i+1, false }

// load reads the current block, cut to [from, to), without the cells that
// masks hide and the rows that have no cell left. A block of which nothing is
// left is passed over.
func (s *source) load(r *Rows) error {
	b := &s.blocks[s.i]
	k := len(r.kinds)
	s.ready(k)
	raw := b.Chunk.Raw()
	times, err := b.Chunk.Times(s.buf.times[:0], &r.scratch)
	if err != nil {
		return err
	}
	if !raw {
		s.buf.times = times
	}
	times = times[:min(b.N, len(times))]
	lo, _ := slices.BinarySearch(times, r.from)
	hi := len(times)
	if r.to != toEnd {
		hi, _ = slices.BinarySearch(times, r.to)
	}
	if lo >= hi {
		s.skip()
		return nil
	}
	s.times = times
	present, nullable := 0, 0
	for c := range k {
		s.nulls[c] = nil
		if b.Cols[c] < 0 {
			continue
		}
		nulls, err := s.values(r, b, c, raw, len(times))
		if err != nil {
			return err
		}
		if !nulls.Any(len(times)) {
			nulls = nil
		}
		nulls = s.mask(r, c, b, times, nulls)
		s.nulls[c] = nulls
		present++
		if nulls != nil {
			nullable++
		}
	}
	s.pos, s.loaded = lo, true
	s.times = times[:hi]
	if present == 0 {
		s.skip()
		return nil
	}
	if nullable == present {
		s.dropEmptyRows(b)
	}
	return nil
}

// ready makes room for a block of k columns.
func (s *source) ready(k int) {
	if len(s.cols) != k {
		s.cols, s.nulls = make([]column.Vector, k), make([]column.Bitmap, k)
	}
	s.buf.sized(k)
	s.buf.poison()
	s.packed.poison()
}

// values reads column c of b's first n rows into s.cols[c].
func (s *source) values(r *Rows, b *Block, c int, raw bool, n int) (column.Bitmap, error) {
	if raw {
		nulls, err := b.Chunk.Values(b.Cols[c], &s.cols[c], nil, &r.scratch)
		if err == nil {
			s.cols[c] = s.cols[c].Slice(0, n)
		}
		return nulls, err
	}
	r.decoded++
	v := &s.buf.cols[c]
	v.Reset(r.kinds[c])
	nulls, err := b.Chunk.Values(b.Cols[c], v, s.buf.nulls[c][:0], &r.scratch)
	if err != nil {
		return nil, err
	}
	if v.Kind != r.kinds[c] || v.Len() < n {
		return nil, fmt.Errorf("merge: block of %d %s rows where %d of %s were expected: %w", v.Len(), v.Kind, n, r.kinds[c], errs.Corrupt)
	}
	if nulls != nil {
		s.buf.nulls[c] = nulls
	}
	s.cols[c] = v.Slice(0, n)
	return nulls, nil
}

// mask marks the cells of column c that r's masks hide. The bitmap it returns
// is the source's own if it changed anything.
func (s *source) mask(r *Rows, c int, b *Block, times []int64, nulls column.Bitmap) column.Bitmap {
	copied := false
	for i := range r.masks[c] {
		m := &r.masks[c][i]
		if !m.hides(b) {
			continue
		}
		lo, _ := slices.BinarySearch(times, m.From)
		hi := len(times)
		if m.To != toEnd {
			hi, _ = slices.BinarySearch(times, m.To)
		}
		if lo >= hi {
			continue
		}
		if !copied {
			s.buf.nulls[c] = append(s.buf.nulls[c][:0], nulls...)
			copied = true
		}
		for j := lo; j < hi; j++ {
			s.buf.nulls[c].Set(j)
		}
	}
	if copied {
		return s.buf.nulls[c]
	}
	return nulls
}

// dropEmptyRows removes the rows in which every column is null, if there are
// any, from the loaded block.
func (s *source) dropEmptyRows(b *Block) {
	s.keep = s.keep[:0]
	for i := s.pos; i < len(s.times); i++ {
		for c := range b.Cols {
			if b.Cols[c] >= 0 && !s.nulls[c].Get(i) {
				s.keep = append(s.keep, int32(i))
				break
			}
		}
	}
	if len(s.keep) == 0 {
		s.skip()
		return
	}
	if len(s.keep) == len(s.times)-s.pos {
		return
	}
	p := &s.packed
	p.sized(len(b.Cols))
	p.times = column.Pick(p.times[:0], s.times, s.keep)
	s.times, s.pos = p.times, 0
	for c := range b.Cols {
		if b.Cols[c] < 0 {
			continue
		}
		v := &p.cols[c]
		v.Reset(s.cols[c].Kind)
		v.AppendRows(&s.cols[c], s.keep)
		s.cols[c] = *v
		if s.nulls[c] == nil {
			continue
		}
		nulls, any := p.nulls[c][:0], false
		for j, i := range s.keep {
			if s.nulls[c].Get(int(i)) {
				nulls.Set(j)
				any = true
			}
		}
		p.nulls[c] = nulls
		if s.nulls[c] = nil; any {
			s.nulls[c] = nulls
		}
	}
}
