package merge

import (
	"errors"
	"math"
	"slices"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
)

const (
	toEnd     = math.MaxInt64
	batchRows = 1024 // rows of a batch put together from several sources
	viewRows  = 128  // from here on rows are shown in place instead of copied
)

// Rows merges sources into rows in time order. A later source wins over an
// earlier one, cell by cell; a null never hides a value. Not safe for concurrent
// use.
type Rows struct {
	kinds    []column.Kind
	masks    [][]Mask
	from, to int64
	srcs     []source
	scratch  Scratch
	err      error

	// SkipDamaged, if set, is told of every block that cannot be read, which is
	// then left out instead of ending the cursor.
	SkipDamaged func(b *Block, err error)

	out   columns // the batch
	buf   columns // memory of batches that are copied
	zeros []column.Vector
	ones  column.Bitmap
	shift []column.Bitmap
	tied  []int

	decoded int64
	peeked  int // the source of the block that Peek showed, by number from 1 on
}

// New returns a cursor over columns of the given kinds with from <= time < to.
// Sources are given from the oldest to the newest; masks has a list for each
// column, or is nil. Close is not needed, but makes later cursors cheaper.
func New(kinds []column.Kind, masks [][]Mask, from, to int64, sources []Source) *Rows {
	r := spare.Get().(*Rows)
	r.start(kinds, masks, from, to, sources)
	return r
}

// start makes r, which has read nothing, a cursor as New does.
func (r *Rows) start(kinds []column.Kind, masks [][]Mask, from, to int64, sources []Source) {
	r.kinds, r.masks, r.from, r.to = kinds, masks, from, to
	k := len(kinds)
	if masks == nil {
		r.masks = make([][]Mask, k)
	}
	r.out.sized(k)
	r.srcs = slices.Grow(r.srcs, len(sources))
	last := to
	switch to {
	case toEnd:
	case math.MinInt64:
		sources = nil
	default:
		last--
	}
	r.scratch.Last = last
	for _, src := range sources {
		if src = src.Within(from, last); len(src) > 0 {
			n := len(r.srcs)
			r.srcs = r.srcs[:n+1] // with the memory that the slot has from before
			r.srcs[n].blocks = src
		}
	}
}

// heads returns the source with the smallest head, that head, and the smallest
// head among the others (toEnd if there is none); -1 at the end. Of equal heads
// the later source is returned.
func (r *Rows) heads() (first int, head, next int64) {
	first, head, next = -1, toEnd, toEnd
	for i := range r.srcs {
		s := &r.srcs[i]
		if s.done() {
			continue
		}
		switch h := s.head(r.from); {
		case h <= head:
			first, head, next = i, h, head
		case h < next:
			next = h
		}
	}
	return first, head, next
}

// Next loads the next batch.
func (r *Rows) Next() bool {
	r.peeked = 0
	r.out.times = nil
	r.buf.times = r.buf.times[:0]
	for r.err == nil && len(r.buf.times) < batchRows {
		i, head, next := r.heads()
		if i < 0 {
			break
		}
		s := &r.srcs[i]
		if !s.loaded {
			r.load(s)
			continue
		}
		if head == next {
			r.mergeRow(head)
			continue
		}
		hi := len(s.times)
		if s.times[hi-1] >= next {
			hi, _ = slices.BinarySearch(s.times[s.pos:], next)
			hi += s.pos
		}
		if hi-s.pos >= viewRows {
			if len(r.buf.times) > 0 {
				break // the copied rows go first; this view is the next batch
			}
			r.view(s, hi)
			s.advance(hi)
			return true
		}
		r.copyRows(s, hi)
		s.advance(hi)
	}
	if len(r.buf.times) == 0 {
		return false
	}
	r.out.times = r.buf.times
	for c := range r.kinds {
		r.out.cols[c] = r.buf.cols[c]
		r.out.nulls[c] = nil
		if r.buf.nulls[c].Any(len(r.buf.times)) {
			r.out.nulls[c] = r.buf.nulls[c]
		}
	}
	return true
}

func (s *source) advance(pos int) {
	if s.pos = pos; s.pos >= len(s.times) {
		s.skip()
	}
}

func (r *Rows) load(s *source) {
	b := &s.blocks[s.i]
	err := s.load(r)
	if err == nil {
		return
	}
	if r.SkipDamaged != nil && (errors.Is(err, errs.Damaged) || errors.Is(err, errs.Corrupt)) {
		r.SkipDamaged(b, err)
		s.skip()
		return
	}
	r.err = err
	r.buf.times = r.buf.times[:0] // what comes before the damage is not shown as if it were all
}

// mergeRow adds the row at time t, which several sources have, to the copied
// batch.
func (r *Rows) mergeRow(t int64) {
	r.tied = r.tied[:0]
	for i := range r.srcs {
		s := &r.srcs[i]
		if s.done() || s.head(r.from) != t {
			continue
		}
		if !s.loaded {
			r.load(s) // its head may turn out later: look again
			return
		}
		r.tied = append(r.tied, i)
	}
	r.begin()
	row := len(r.buf.times)
	r.buf.times = append(r.buf.times, t)
	for c := range r.kinds {
		v := &r.buf.cols[c]
		found := false
		for j := len(r.tied) - 1; j >= 0 && !found; j-- {
			s := &r.srcs[r.tied[j]]
			if s.blocks[s.i].Cols[c] >= 0 && !s.nulls[c].Get(s.pos) {
				v.AppendRange(&s.cols[c], s.pos, s.pos+1)
				found = true
			}
		}
		if !found {
			v.AppendZero(1)
			r.buf.nulls[c].Set(row)
		}
	}
	for _, i := range r.tied {
		s := &r.srcs[i]
		s.advance(s.pos + 1)
	}
}

// begin makes the copied batch ready for its first row.
func (r *Rows) begin() {
	if len(r.buf.times) > 0 {
		return
	}
	r.buf.sized(len(r.kinds))
	r.buf.poison()
	for c := range r.buf.cols {
		r.buf.cols[c].Reset(r.kinds[c])
		clear(r.buf.nulls[c])
		r.buf.nulls[c] = r.buf.nulls[c][:0]
	}
}

// copyRows adds the rows up to hi of s to the copied batch.
func (r *Rows) copyRows(s *source, hi int) {
	r.begin()
	row, n := len(r.buf.times), hi-s.pos
	r.buf.times = append(r.buf.times, s.times[s.pos:hi]...)
	for c := range r.kinds {
		if s.blocks[s.i].Cols[c] < 0 {
			r.buf.cols[c].AppendZero(n)
			for j := range n {
				r.buf.nulls[c].Set(row + j)
			}
			continue
		}
		r.buf.cols[c].AppendRange(&s.cols[c], s.pos, hi)
		if s.nulls[c] == nil {
			continue
		}
		for j := range n {
			if s.nulls[c].Get(s.pos + j) {
				r.buf.nulls[c].Set(row + j)
			}
		}
	}
}

// view shows the rows up to hi of s without copying them.
func (r *Rows) view(s *source, hi int) {
	n := hi - s.pos
	r.out.times = s.times[s.pos:hi:hi]
	for c := range r.kinds {
		if s.blocks[s.i].Cols[c] < 0 {
			r.out.cols[c], r.out.nulls[c] = r.nothing(c, n)
			continue
		}
		r.out.cols[c] = s.cols[c].Slice(s.pos, hi)
		if r.out.nulls[c] = s.nulls[c]; s.nulls[c] != nil && s.pos > 0 {
			if r.shift == nil {
				r.shift = make([]column.Bitmap, len(r.kinds))
			}
			r.shift[c] = shiftBits(r.shift[c][:0], s.nulls[c], s.pos, n)
			r.out.nulls[c] = r.shift[c]
		}
	}
}

// nothing returns n null cells for column c.
func (r *Rows) nothing(c, n int) (column.Vector, column.Bitmap) {
	if r.zeros == nil {
		r.zeros = make([]column.Vector, len(r.kinds))
	}
	z := &r.zeros[c]
	if z.Kind = r.kinds[c]; z.Len() < n {
		z.AppendZero(n - z.Len())
	}
	for len(r.ones)<<6 < n {
		r.ones = append(r.ones, math.MaxUint64)
	}
	return z.Slice(0, n), r.ones
}

// shiftBits appends the bits [from, from+n) of src to dst as bits from 0 on.
func shiftBits(dst, src column.Bitmap, from, n int) column.Bitmap {
	w, sh := from>>6, uint(from)&63
	for i := 0; i<<6 < n; i++ {
		var x uint64
		if w+i < len(src) {
			x = src[w+i] >> sh
		}
		if sh > 0 && w+i+1 < len(src) {
			x |= src[w+i+1] << (64 - sh)
		}
		dst = append(dst, x)
	}
	return dst
}

// Times returns the times of the batch, valid until Next.
func (r *Rows) Times() []int64 { return r.out.times }

// Col returns column c of the batch and its null bitmap, valid until Next.
func (r *Rows) Col(c int) (*column.Vector, column.Bitmap) { return &r.out.cols[c], r.out.nulls[c] }

// Err returns what ended the cursor early.
func (r *Rows) Err() error { return r.err }

// Peek returns the block that Next would show, if it shows exactly that block
// whole and unchanged: inside the range, overlapped by no other and touched by
// no mask.
func (r *Rows) Peek() (*Block, bool) {
	if r.err != nil {
		return nil, false
	}
	i, _, next := r.heads()
	if i < 0 || r.srcs[i].loaded {
		return nil, false
	}
	b := &r.srcs[i].blocks[r.srcs[i].i]
	if !b.Whole || b.Min < r.from || r.to != toEnd && b.Max >= r.to || b.Max >= next && next != toEnd {
		return nil, false
	}
	for c := range r.masks {
		for j := range r.masks[c] {
			if b.Cols[c] >= 0 && r.masks[c][j].hides(b) {
				return nil, false
			}
		}
	}
	r.peeked = i + 1
	return b, true
}

// PeekStats returns the statistics of the only column for the block of Peek.
func (r *Rows) PeekStats() (*block.Stats, bool) {
	b, ok := r.Peek()
	if !ok || len(b.Cols) != 1 {
		return nil, false
	}
	st := b.Chunk.Stats(b.Cols[0])
	return st, st != nil
}

// Skip passes over the block of Peek; without one it does nothing.
func (r *Rows) Skip() {
	if r.peeked == 0 {
		r.Peek()
	}
	if r.peeked > 0 {
		r.srcs[r.peeked-1].skip()
		r.peeked = 0
	}
}

// Decoded returns how many blocks, one column each, have been decoded so far.
func (r *Rows) Decoded() int64 { return r.decoded }
