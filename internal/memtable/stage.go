package memtable

import (
	"sync"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/column"
)

// NewStaged returns an empty table whose rows are encoded first when there are
// stageRows of them, and again when there are blockRows: a thousand series that
// wait for blocks to fill take a fraction of the memory, for encoding twice. It
// is New unless blockRows is a multiple of stageRows.
func NewStaged(blockRows, stageRows int) *Table {
	t := New(blockRows)
	if stageRows > 0 && blockRows%stageRows == 0 {
		t.stageRows = stageRows
	}
	return t
}

// full encodes the chunk that has filled up at the end of lane k. Rows for which
// late cells are to be expected begin the next one.
func (g *group) full(k int, c *chunk, t *Table, cut Cut) {
	keep := 0
	if k == 0 {
		keep = g.keeps(c, t, cut)
	}
	g.encode(c, t, len(c.rows.times)-keep)
	g.goOn(&g.lanes[k], c, t, cut, keep)
}

// goOn ends a chunk of lane l that is encoded but for its last rows.
func (g *group) goOn(l *lane, c *chunk, t *Table, cut Cut, keep int) {
	if keep == 0 {
		g.freeRows(c, t, cut)
		g.joinParts(l, c, t, cut)
		return
	}
	kept := c.rows
	c.rows = columns{}
	text := kept.text
	kept.dropFirst(c.sealed.N)
	t.bytes.Add(int64(kept.text - text))
	g.joinParts(l, c, t, cut)
	spare := g.spare
	g.spare = kept
	g.newChunk(l, t, c.lsn)
	g.spare = spare
}

// joinParts joins c, the last of a lane, with those before it once they make a
// block.
func (g *group) joinParts(l *lane, c *chunk, t *Table, cut Cut) {
	if t.stageRows == t.blockRows || c.limit < t.stageRows {
		return
	}
	if l.parts++; l.parts*t.stageRows < t.blockRows {
		return
	}
	if cut.Oldest == NoSnapshot { // else they may be in use, and flushing joins them
		g.join(l, t)
	}
	l.parts = 0
}

// joiner is the memory of join.
type joiner struct {
	dec   block.Decoder
	rows  Rows
	times []int64
	part  column.Vector
	nulls column.Bitmap
}

var joiners = sync.Pool{New: func() any { return new(joiner) }}

// join makes one chunk of the last l.parts of a lane.
func (g *group) join(l *lane, t *Table) {
	first := len(l.chunks) - l.parts
	parts := l.chunks[first:]
	j := joiners.Get().(*joiner)
	defer joiners.Put(j)
	j.reset(g.kinds)
	defer j.forget()
	for _, c := range parts {
		if err := j.add(c.sealed); err != nil {
			return // they are as good
		}
	}
	c := &chunk{lsn: parts[0].lsn, sealed: seal(g.kinds, &j.rows, nil, 0, len(j.rows.Times)), closed: true}
	t.bytes.Add(c.sealed.bytes())
	for i := range parts {
		t.bytes.Add(-parts[i].sealed.bytes())
		parts[i] = nil
	}
	l.chunks = append(l.chunks[:first], c)
}

func (j *joiner) reset(kinds []column.Kind) {
	r := &j.rows
	r.Times = r.Times[:0]
	for len(r.Cols) < len(kinds) {
		r.Cols, r.Nulls = append(r.Cols, column.Vector{}), append(r.Nulls, nil)
	}
	r.Cols, r.Nulls = r.Cols[:len(kinds)], r.Nulls[:len(kinds)]
	for i, k := range kinds {
		r.Cols[i].Reset(k)
		clear(r.Nulls[i])
		r.Nulls[i] = r.Nulls[i][:0]
	}
}

// add decodes the rows of s behind those that are there.
func (j *joiner) add(s *Sealed) (err error) {
	r := &j.rows
	at := len(r.Times)
	if j.times, err = s.times(j.times); err != nil {
		return err
	}
	r.Times = append(r.Times, j.times...)
	for i, kind := range s.Kinds {
		if s.cols[i].stats.Count == 0 {
			r.Cols[i].AppendZero(s.N)
			for row := range s.N {
				r.Nulls[i].Set(at + row)
			}
			continue
		}
		nulls, err := j.dec.Values(&j.part, j.nulls, s.Col(i), kind, s.N)
		if err != nil {
			return err
		}
		r.Cols[i].AppendRange(&j.part, 0, s.N)
		if nulls == nil {
			continue
		}
		j.nulls = nulls
		for row := range s.N {
			if nulls.Get(row) {
				r.Nulls[i].Set(at + row)
			}
		}
	}
	return nil
}

// forget drops references to texts.
func (j *joiner) forget() {
	clear(j.part.Texts)
	for i := range j.rows.Cols {
		clear(j.rows.Cols[i].Texts)
	}
}
