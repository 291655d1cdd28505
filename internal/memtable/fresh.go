package memtable

import (
	"math"
	"math/bits"
	"slices"

	"github.com/tickwell/tickwell/internal/column"
)

const (
	freshRows = 16 // that wait at most
	maxFresh  = 64 // columns of rows that wait
)

// fresh is the newest rows of a group, row after row: a row of ten columns is
// written to two lines of the cache, in columns it would be thirty. They move to
// the columns when there are enough of them, and before anything but the next row
// is done with the group. The device's lock guards it.
type fresh struct {
	nums  []uint64 // as in column.Cell
	n     int16    // rows that wait
	room  int16    // how many may; 0 if none do
	width int16
	holes bool   // some of nulls is not 0
	last  int64  // time of the newest
	epoch uint64 // of the group
	g     *group
	c     *chunk // where they go; here a line of the cache ends
	times [freshRows]int64
	nulls [freshRows]uint64 // a bit for each column
	stats []sealedColumn    // memory for the next chunks of the group; see nextStats

	sealing *sealing // of the last chunk, which is full; c is nil then
	lsn     uint64   // where a chunk after it begins
}

func newFresh(width int) *fresh {
	if width == 1 { // many series of one row each: in one piece
		f := new(struct {
			fresh
			room [freshRows]uint64
		})
		f.width, f.nums = 1, f.room[:]
		return &f.fresh
	}
	return &fresh{width: int16(width), nums: make([]uint64, freshRows*width)}
}

func (f *fresh) bytes() int64 {
	return 120 + 8*freshRows*(2+int64(f.width)) + int64(len(f.stats))*sealedColumnBytes
}

// newest returns the latest time of a row that was ever written to a series of g.
func (g *group) newest() int64 {
	if f := g.fresh; f != nil && f.n > 0 {
		return f.last
	}
	if p := g.tip; p != nil && p.n > 0 {
		return p.last
	}
	return g.last
}

// next returns what takes a row of the layout, nil if such rows do not wait: if
// they are late or go to several groups, have texts, or are the first ones.
func (d *Device) next(l *Layout, at int64, lsn uint64, cut Cut) *fresh {
	i := d.targetOf(l)
	if i < 0 {
		return nil
	}
	tg := &d.targets[i]
	if f := tg.fresh; f != nil && f.n < f.room && at > f.last && f.epoch >= cut.Epoch {
		return f
	}
	if len(tg.parts) != 1 || tg.parts[0].from != nil {
		return nil
	}
	g := tg.parts[0].g
	if g.hasTip() || !g.open || len(g.lanes) == 0 || at <= g.newest() {
		return nil
	}
	g.touch(cut, d.table)
	tg.fresh = g.begin(d.table, lsn)
	return tg.fresh
}

// begin makes room for at least one row, if rows of g wait. The row need not follow.
func (g *group) begin(t *Table, lsn uint64) *fresh {
	f := g.fresh
	if f != nil && f.n > 0 {
		return f
	}
	if f != nil && f.sealing != nil {
		f.epoch, f.last, f.room, f.lsn = g.epoch, g.last, 1, lsn
		return f
	}
	l := &g.lanes[0]
	c := l.open()
	if f == nil {
		if len(l.chunks) < 2 && (c == nil || len(c.rows.times) < firstRows) || !g.mayWait(t) {
			return nil // a million series of few rows each would pay for it
		}
		f = newFresh(len(g.kinds))
		f.g = g
		g.fresh = f
		t.bytes.Add(f.bytes())
	}
	if c == nil {
		c = g.newChunk(l, t, lsn)
	}
	// Groups that are written together move their rows at different times.
	n := len(c.rows.times)
	f.c, f.epoch, f.last = c, g.epoch, g.last
	f.room = int16(min(freshRows-(n+g.apart(freshRows))%freshRows, c.limit-n))
	return f
}

// mayWait reports whether the columns of g are few and numbers. Where memory is
// scarce, a single column is not worth the room of those that wait.
func (g *group) mayWait(t *Table) bool {
	if t.stageRows < t.blockRows && len(g.kinds) < 4 {
		return false
	}
	return len(g.kinds) <= maxFresh && !slices.Contains(g.kinds, column.Text)
}

// row returns the memory of the next row's cells.
func (f *fresh) row() []uint64 { return f.nums[int(f.n)*int(f.width):][:f.width] }

// put ends a row: its cells are in what row returned.
func (f *fresh) put(at int64, nulls uint64, t *Table, cut Cut) {
	if f.end(at, nulls) {
		f.g.filled(t, cut)
	}
}

// end is put without what follows a row for which there was the last room.
func (f *fresh) end(at int64, nulls uint64) (full bool) {
	f.times[f.n], f.last = at, at
	if nulls != 0 {
		f.nulls[f.n], f.holes = nulls, true
	}
	f.n++
	return f.n == f.room
}

// settle moves the rows that wait to the columns. Where it is not a writer that
// asks, the zero Cut does.
func (g *group) settle(t *Table, cut Cut) {
	if g.tip != nil {
		g.settleTip(t, cut)
		return
	}
	f := g.fresh
	if f == nil {
		return
	}
	if f.sealing != nil {
		g.endTurns(t, cut)
	}
	if f.n == 0 { // maybe the row that there was to be room for has not come
		f.room = 0
		return
	}
	if f.c == nil { // they have waited for the chunk before to be encoded
		if f.c = g.lanes[0].open(); f.c == nil {
			f.c = g.newChunk(&g.lanes[0], t, f.lsn)
		}
	}
	if c := g.move(t); len(c.rows.times) == c.limit {
		g.full(0, c, t, cut)
	}
}

// move moves the rows that wait to the columns of their chunk.
func (g *group) move(t *Table) *chunk {
	f := g.fresh
	c := f.c
	g.reserve(c, t, int(f.n))
	c.rows.appendFresh(f)
	g.lanes[0].last, g.last = f.last, f.last
	g.inOrder += int(f.n) * int(f.width)
	if f.holes {
		clear(f.nulls[:f.n])
	}
	f.c, f.n, f.room, f.holes = nil, 0, 0, false
	return c
}

// dropFresh gives the memory back; no row waits.
func (g *group) dropFresh(t *Table) {
	if g.fresh != nil {
		t.bytes.Add(-g.fresh.bytes())
		g.fresh.g, g.fresh.room, g.fresh = nil, 0, nil
	}
	if g.tip != nil {
		t.bytes.Add(-tipBytes)
		g.tip = nil // settled, it takes no point
	}
}

// appendFresh adds the rows of f, for which there is room.
func (c *columns) appendFresh(f *fresh) {
	row, n, w := len(c.times), int(f.n), int(f.width)
	c.times = append(c.times, f.times[:n]...)
	for i := range c.cols {
		nums := f.nums[i:]
		switch v := &c.cols[i]; v.Kind {
		case column.Float64:
			v.Float64s = v.Float64s[:row+n]
			to, at := v.Float64s[row:], 0
			for k := range to {
				to[k] = math.Float64frombits(nums[at])
				at += w
			}
		case column.Int64:
			v.Int64s = v.Int64s[:row+n]
			to, at := v.Int64s[row:], 0
			for k := range to {
				to[k] = int64(nums[at])
				at += w
			}
		default:
			for k := range n {
				v.AppendCell(&column.Cell{Kind: v.Kind, Num: nums[k*w]})
			}
		}
	}
	if !f.holes {
		return
	}
	for k, nulls := range f.nulls[:n] {
		for ; nulls != 0; nulls &= nulls - 1 {
			c.nulls[bits.TrailingZeros64(nulls)].Set(row + k)
		}
	}
}
