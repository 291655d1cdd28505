package memtable

import (
	"sync"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/column"
)

// To encode a full chunk of ten columns takes twice as long as to write a batch of a
// hundred rows. Where rows wait, its columns are encoded in turn, some with each of the
// rows that follow, which wait until that is done. Whatever else is done with the group
// ends it first, see settle: only rows that wait ever find it begun.
const (
	turnRows   = 5  // that follow until all columns are encoded
	turnWidth  = 4  // columns of a chunk that is worth it
	turnChunks = 32 // of a table at a time; a device that falls silent keeps its own
)

// encoders has what encoding needs; a pool keeps it because blocks are sealed on the
// goroutines of writers.
var encoders = sync.Pool{New: func() any { return &block.Encoder{Compress: true} }}

// sealing is a chunk of which some columns are encoded.
type sealing struct {
	s     *Sealed
	buf   []byte // its times, and the columns before next
	times int    // bytes of the times
	next  int
}

var sealings = sync.Pool{New: func() any { return new(sealing) }}

// beginSealing encodes the times of what is to be s; cols are zero.
func beginSealing(s *Sealed, cols []sealedColumn, kinds []column.Kind, times []int64) *sealing {
	p, e := sealings.Get().(*sealing), encoders.Get().(*block.Encoder)
	*s = Sealed{N: len(times), Min: times[0], Max: times[len(times)-1], Kinds: kinds, cols: cols}
	p.buf = e.AppendTimes(p.buf[:0], times)
	p.s, p.times, p.next = s, len(p.buf), 0
	encoders.Put(e)
	return p
}

// columns encodes the next columns, at most n, of the rows of r from lo on; from is as
// for columns.append.
func (p *sealing) columns(r *Rows, from []int, lo, n int) {
	e, s := encoders.Get().(*block.Encoder), p.s
	hi := lo + s.N
	for ; n > 0 && p.next < len(s.cols); n-- {
		i := p.next
		p.next++
		j := i
		if from != nil {
			j = from[i]
		}
		if j < 0 {
			continue
		}
		v, nulls := r.Cols[j].Slice(lo, hi), r.nullsOf(j)
		if nulls != nil {
			nulls = cutBits(nulls, lo, hi)
		}
		c := &s.cols[i]
		if c.stats.Compute(r.Times[lo:hi], &v, nulls); c.stats.Count > 0 {
			c.from = len(p.buf) - p.times
			p.buf = e.AppendValues(p.buf, &v, nulls)
			c.to = len(p.buf) - p.times
		}
	}
	encoders.Put(e)
}

// end returns what was encoded. t may have room for its bytes.
func (p *sealing) end(t *Table) *Sealed {
	s, data := p.s, t.copyOf(p.buf)
	s.Times, s.data = data[:p.times:p.times], data[p.times:]
	p.s = nil
	if cap(p.buf) > 1<<20 { // of long texts
		p.buf = nil
	}
	sealings.Put(p)
	return s
}

// encode encodes the first n rows of c, which takes no more.
func (g *group) encode(c *chunk, t *Table, n int) {
	g.encoded(g.beginChunk(c, t, n), c, t)
}

// beginChunk begins to encode the first n rows of c.
func (g *group) beginChunk(c *chunk, t *Table, n int) *sealing {
	switch {
	case c.room != nil:
	case len(g.kinds) == 1:
		c.room = one(t, &t.room.chunks).empty()
	default:
		c.room = new(Sealed)
	}
	stats := c.room.cols
	if stats == nil {
		stats = g.nextStats(t)
	}
	return beginSealing(c.room, stats, g.kinds, c.rows.times[:n])
}

// encoded encodes the rest of c.
func (g *group) encoded(p *sealing, c *chunk, t *Table) {
	c.encode(p, len(g.kinds))
	c.sealed, c.closed = p.end(t), true
	t.bytes.Add(c.sealed.bytes())
}

// encode encodes the next columns of c, at most n.
func (c *chunk) encode(p *sealing, n int) {
	p.columns(&Rows{Times: c.rows.times, Cols: c.rows.cols, Nulls: c.rows.nulls}, nil, 0, n)
}

// filled is called after a row for which there was the last room.
func (g *group) filled(t *Table, cut Cut) {
	f := g.fresh
	if p := f.sealing; p != nil {
		if p.next < len(g.kinds) {
			g.lanes[0].open().encode(p, (len(g.kinds)+turnRows-1)/turnRows)
			f.room = f.n + 1
			return
		}
	} else if g.takesTurns(t) {
		t.sealing.Add(1)
		c := g.move(t)
		f.sealing = g.beginChunk(c, t, c.limit-g.keeps(c, t, cut))
		return
	}
	g.settle(t, cut)
}

// takesTurns reports whether the rows that wait fill their chunk, and it is to be
// encoded in turns.
func (g *group) takesTurns(t *Table) bool {
	f := g.fresh
	return len(f.c.rows.times)+int(f.n) == f.c.limit && len(g.kinds) >= turnWidth &&
		t.stageRows == t.blockRows && t.blockRows >= 2*freshRows && // not of few rows, or to be joined at once
		t.sealing.Load() < turnChunks
}

// endTurns encodes the rest of the chunk. The rows that wait need a chunk then.
func (g *group) endTurns(t *Table, cut Cut) {
	f, l := g.fresh, &g.lanes[0]
	c := l.open()
	g.encoded(f.sealing, c, t)
	f.sealing = nil
	t.sealing.Add(-1)
	g.goOn(l, c, t, cut, len(c.rows.times)-c.sealed.N)
}
