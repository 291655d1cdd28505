package merge

import (
	"sync"

	"github.com/tickwell/tickwell/internal/column"
)

// A query of few rows costs little more than the memory that it decodes into,
// so closed cursors leave theirs to the next ones. What is large is not kept.
const (
	keepSources = 16
	keepColumns = 32
	keepRows    = 16 << 10
)

var spare = sync.Pool{New: func() any { return new(Rows) }}

// Close leaves the cursor's memory, batches included, to later cursors. Nothing
// of r may be used afterwards.
func (r *Rows) Close() {
	if r.recycle() {
		spare.Put(r)
	}
}

// Again is Close and New for somebody who reads one cursor after another, and
// keeps the memory where a collection of garbage would take it from the others.
// The zero value of Rows is a cursor to begin with.
func (r *Rows) Again(kinds []column.Kind, masks [][]Mask, from, to int64, sources []Source) {
	if !r.recycle() {
		*r = Rows{}
	}
	r.start(kinds, masks, from, to, sources)
}

// recycle lets go of everything but r's own memory. It reports whether that is
// worth keeping.
func (r *Rows) recycle() bool {
	if cap(r.srcs) > keepSources || len(r.kinds) > keepColumns {
		return false
	}
	srcs := r.srcs[:cap(r.srcs)]
	for i := range srcs {
		if !srcs[i].recycle() {
			return false
		}
	}
	if cap(r.buf.times) > keepRows {
		return false
	}
	clear(r.out.cols)
	clear(r.out.nulls)
	r.buf.poison()
	r.buf.forgetTexts()
	if l, ok := r.scratch.Local.(interface{ Forget() }); ok {
		l.Forget()
	}
	*r = Rows{srcs: srcs[:0], scratch: r.scratch, buf: r.buf, tied: r.tied[:0],
		out: columns{cols: r.out.cols, nulls: r.out.nulls}}
	return true
}

// recycle lets go of everything but the source's own memory. It reports whether
// that is worth keeping.
func (s *source) recycle() bool {
	if cap(s.buf.times) > keepRows || cap(s.packed.times) > keepRows {
		return false
	}
	for i := range s.blocks {
		if l := s.blocks[i].Lent; l != nil {
			l.Add(-1)
		}
	}
	clear(s.cols)
	clear(s.nulls)
	s.buf.poison()
	s.packed.poison()
	s.buf.forgetTexts()
	s.packed.forgetTexts()
	*s = source{cols: s.cols, nulls: s.nulls, buf: s.buf, packed: s.packed, keep: s.keep[:0]}
	return true
}

// forgetTexts drops text, which would pin memory elsewhere.
func (c *columns) forgetTexts() {
	for i := range c.cols {
		if v := &c.cols[i]; v.Texts != nil {
			clear(v.Texts[:cap(v.Texts)])
		}
	}
}

// sized returns c with room for k columns.
func (c *columns) sized(k int) {
	if len(c.cols) != k {
		c.cols, c.nulls = make([]column.Vector, k), make([]column.Bitmap, k)
	}
}
