package segment

import (
	"math"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/column"
)

// Total is the statistics of blocks of one series as if they were one block: what
// folding them one by one gives, with the bits of adding their sums in the order of
// time. The zero value with Want is that of none.
type Total struct {
	Want   block.Fields
	Blocks int
	Stats  block.Stats // Count and Flags, and what is wanted

	kind   column.Kind
	lo, hi int64 // ranks of Stats.Min and Stats.Max
}

// AddTotal adds the blocks of a series in [from, to], both inclusive, to t, which has
// only earlier ones, without decoding what is not wanted of them, nor keeping what is.
// If it returns false, t holds anything: some blocks lie in the range in part, the
// statistics cannot be put together, or the index cannot be read, as EntriesIn tells.
func (r *Reader) AddTotal(t *Total, series uint32, from, to int64) bool {
	lo, hi := r.dir.find(series)
	if lo == hi {
		return true
	}
	coder := entryCoders.Get().(*entryCoder)
	ok := true
	for i, first, end := r.dir.pageIn(r.dir.pageOf(lo), hi, from, to); ok && i < len(r.dir.pages); i, first, end = r.dir.pageIn(i+1, hi, from, to) {
		p := &r.dir.pages[i]
		content, err := r.page(i)
		ok = err == nil
		for e := max(lo, first); ok && e < min(hi, end); e++ {
			src, err := entryOf(content, e-first, end-first)
			ok = err == nil && coder.addTotal(t, src, series, r.dir.kinds[e], from, to, p.minTime >= from && p.maxTime <= to)
		}
	}
	entryCoders.Put(coder)
	return ok
}

// addTotal adds the blocks of the entry src, of a series and kind, to t. within says
// that they are known to lie in [from, to].
func (c *entryCoder) addTotal(t *Total, src []byte, series uint32, kind column.Kind, from, to int64, within bool) bool {
	n, src, err := entryHead(src, series, kind)
	if err != nil {
		return false
	}
	s := &t.Stats
	cells := int64(s.Count)
	if src = c.skipInts(src, 1, n); src == nil { // the rows
		return false
	}
	for _, x := range c.ints {
		if cells += x; x < 1 || x > block.MaxRows {
			return false
		}
	}
	if src = c.skipInts(src, 0, n); src == nil || cells > math.MaxUint32 {
		return false
	}
	var flags uint8
	var empty uint64 // the blocks without a range
	for i, x := range c.ints {
		if flags |= uint8(x); uint8(x)&block.FlagNoRange != 0 {
			empty |= 1 << i
		}
	}
	begin, end := s.MinTime, s.MaxTime
	if within && t.Want&block.FieldTimes == 0 {
		src = skipColumns(src, 2)
	} else {
		if src = c.skipInts(src, 0, n); src == nil {
			return false
		}
		first, last := c.ints[0], c.ints[n-1]
		if src = c.skipInts(src, 0, n); src == nil {
			return false
		}
		last += c.ints[n-1]
		switch {
		case last < from || first > to:
			return true
		case first < from || last > to || t.Blocks > 0 && first <= end:
			return false
		case t.Blocks == 0:
			begin = first
		}
		end = last
	}
	if t.Blocks == 0 {
		t.kind, t.lo, t.hi, s.Flags = kind, math.MaxInt64, math.MinInt64, block.FlagNoRange
	}
	t.Blocks += n
	s.Count, s.MinTime, s.MaxTime = uint32(cells), begin, end
	if s.Flags |= flags &^ block.FlagNoRange; empty != 1<<n-1 {
		s.Flags &^= block.FlagNoRange
	}
	if t.Want&^block.FieldTimes == 0 {
		return true
	}
	return kind != column.Text && c.addCells(t, skipColumns(src, 4), n, empty) // behind places
}

// addCells adds edges, ranges and sums of n blocks, of which those in the bits of empty
// have no range.
func (c *entryCoder) addCells(t *Total, src []byte, n int, empty uint64) bool {
	var err error
	s := &t.Stats
	if t.Want&block.FieldEdges == 0 {
		src = skipColumns(src, 2)
	} else {
		if src, err = c.readCells(src, n, t.kind); err != nil {
			return false
		}
		if t.Blocks == n {
			s.First = c.cells[0]
		}
		if src, err = c.readCells(src, n, t.kind); err != nil {
			return false
		}
		s.Last = c.cells[n-1]
	}
	if t.Want&block.FieldRange == 0 {
		src = skipColumns(src, 2)
	} else {
		for range 2 { // least and greatest values
			if src, err = c.readCells(src, n, t.kind); err != nil {
				return false
			}
			for i, x := range c.cells {
				if empty>>i&1 != 0 {
					continue
				}
				at := rank(t.kind, x)
				if at <= t.lo { // equal ones are the same, and the first may be the greatest number
					t.lo, s.Min = at, x
				}
				if at >= t.hi {
					t.hi, s.Max = at, x
				}
			}
		}
	}
	switch {
	case t.Want&block.FieldSum == 0:
		return true
	case t.kind == column.Float32 || t.kind == column.Float64:
		_, err = c.readCells(src, n, column.Float64)
		for _, x := range c.cells {
			s.SumF += math.Float64frombits(x)
		}
		return err == nil
	case s.Flags&block.FlagOverflow != 0:
		return false
	}
	floats := 0 // columns of sums
	if t.kind.Numeric() {
		floats = 1
	}
	if c.skipInts(src, floats, n) == nil {
		return false
	}
	for _, x := range c.ints {
		sum := s.SumI + x
		if (sum < s.SumI) != (x < 0) {
			return false
		}
		s.SumI = sum
	}
	return true
}

// rank orders cells of a kind, which are not NaN: -0 before 0, as aggregates do.
func rank(kind column.Kind, cell uint64) int64 {
	x := int64(cell)
	switch kind {
	case column.Float32:
		x = int64(int32(cell))
		return x ^ x>>63&math.MaxInt32
	case column.Float64:
		return x ^ x>>63&math.MaxInt64
	}
	return x
}

// skipInts reads the column of n integers behind some columns into c.ints and returns
// what follows it, nil if it is none.
func (c *entryCoder) skipInts(src []byte, columns, n int) []byte {
	src, err := c.readInts(skipColumns(src, columns), n)
	if err != nil {
		return nil
	}
	return src
}

// skipColumns returns what follows n columns; nothing, which is no column, if one is
// cut off.
func skipColumns(src []byte, n int) []byte {
	for ; n > 0; n-- {
		_, src, _ = nextColumn(src)
	}
	return src
}
