package engine

import (
	"context"
	"encoding/binary"
	"math"
	"math/bits"
	"slices"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/memtable"
)

// Rows is a group of single rows of numbers, such as a gateway reads of its
// devices at one moment, row after row in one piece of memory. Row i is of
// Shapes[i] and has, in the next len(Shapes[i].Series()) elements of Nums, cells
// as in column.Cell, and in Nulls[i] a bit for each that is null, of which 64 are
// enough. Not all cells of a row are null.
type Rows struct {
	Shapes []*Shape
	Times  []int64
	Nums   []uint64
	Nulls  []uint64
}

// Reset empties r and keeps its memory.
func (r *Rows) Reset() {
	clear(r.Shapes)
	r.Shapes, r.Times, r.Nums, r.Nulls = r.Shapes[:0], r.Times[:0], r.Nums[:0], r.Nulls[:0]
}

// MaxRowColumns is the largest number of columns of a row of Rows.
const MaxRowColumns = 64

// AppendRows is AppendRow for a group of rows, with one log record that is
// acknowledged as Commit does it. late counts rows that were late.
func (e *Engine) AppendRows(ctx context.Context, r *Rows, terms uint64, durable bool) (lsn uint64, late int, stored bool, err error) {
	if e.cfg.ReadOnly || len(r.Times) == 0 || ctx.Err() != nil || e.admit(ctx) != nil {
		return 0, 0, false, nil
	}
	c := e.commits.Get()
	defer func() {
		c.large = c.large || len(r.Times) > largeTablets || len(r.Nums) > largePoints
		c.reset()
		e.commits.Put(c, c.large)
	}()
	if e.log != nil {
		c.encodeRows(r)
	}
	if lsn, late, stored = e.storeRows(r, c, terms); !stored || e.log == nil {
		e.evictIfDue()
		return lsn, late, stored, nil
	}
	return lsn, late, true, e.acknowledge(ctx, lsn, durable)
}

// storeRows takes the log position and makes the rows visible.
func (e *Engine) storeRows(r *Rows, c *commit, terms uint64) (lsn uint64, late int, ok bool) {
	e.gate.RLock()
	defer e.gate.RUnlock()
	if e.closed || terms != 0 && terms != e.terms {
		return 0, 0, false
	}
	retained := e.retention.on.Load()
	if retained && !e.retention.keeps(slices.Min(r.Times)) {
		return 0, 0, false
	}
	for _, s := range r.Shapes {
		if s.Stale() {
			return 0, 0, false
		}
		d := s.into(e.mem)
		c.into = append(c.into, d)
		c.touches(d)
	}
	c.lockTouched()
	defer c.unlockDevices()
	lsn, err := e.append(c.payload)
	if err != nil {
		return 0, 0, false // Commit meets it again, and knows what to do
	}
	cut := memtable.Cut{Epoch: e.epoch.Load(), Oldest: e.snaps.oldest.Load()}
	nums, cells := r.Nums, len(r.Nums)
	for i, s := range r.Shapes {
		n := len(s.series)
		if c.into[i].AddNumbers(&s.layout, r.Times[i], nums[:n:n], r.Nulls[i], lsn, &cut) {
			late++
		}
		nums = nums[n:]
		cells -= bits.OnesCount64(r.Nulls[i])
	}
	if late > 0 {
		e.lateRows.Add(int64(late))
	}
	e.points.Add(int64(cells))
	if retained {
		e.retention.saw(slices.Max(r.Times))
	}
	return lsn, late, true
}

// encodeRows is encode for rows.
func (c *commit) encodeRows(r *Rows) {
	c.enc.Quick = true // as in encode
	p, nums := c.payload[:0], r.Nums
	for i := 0; i < len(r.Shapes); {
		kinds := r.Shapes[i].layout.Kinds
		if len(kinds) == 1 {
			n := r.singles(i)
			p = c.appendSingles(p, r, i, i+n, nums)
			i, nums = i+n, nums[n:]
			continue
		}
		n := 1
		for i+n < len(r.Shapes) && n < block.MaxRows/len(kinds) && sameKinds(r.Shapes[i+n].layout.Kinds, kinds) {
			n++
		}
		p = c.appendAlike(p, r, i, i+n, nums)
		i, nums = i+n, nums[n*len(kinds):]
	}
	c.payload = p
}

// sameKinds reports whether a and b are equal; those that shapes share are not
// looked at.
func sameKinds(a, b []column.Kind) bool {
	return len(a) == len(b) && (&a[0] == &b[0] || slices.Equal(a, b))
}

// appendAlike appends the sections of the rows [lo, hi) of r, whose cells nums
// begins with and which have the same kinds.
func (c *commit) appendAlike(p []byte, r *Rows, lo, hi int, nums []uint64) []byte {
	if hi-lo >= minAcross {
		c.across.takeRows(r, lo, hi, nums)
		if a := &c.across; !a.same && len(a.kinds) > 1 { // others are late points, of other series each time
			a.keepDevices(r.Shapes[lo:hi], &c.enc, &c.scratch)
		}
		c.body = c.across.encode(c.body[:0], &c.enc, &c.scratch)
		return appendSection(p, sectionAcross, c.body)
	}
	for k := lo; k < hi; k++ {
		l := &r.Shapes[k].layout
		width := len(l.Kinds)
		c.body = appendNumbers(c.body[:0], l, r.Times[k], nums[:width], r.Nulls[k])
		p, nums = appendSection(p, sectionTablet, c.body), nums[width:]
	}
	return p
}

// singles returns how many rows of one column there are from i on.
func (r *Rows) singles(i int) (n int) {
	for i+n < len(r.Shapes) && n < block.MaxRows && len(r.Shapes[i+n].layout.Kinds) == 1 {
		n++
	}
	return n
}

// appendSingles appends the sections of the rows [lo, hi) of r, whose cells nums
// begins with and which have one column each, as late points do. Those of a kind
// go together: others than them cannot be of the same series, so that only the
// order among them matters.
func (c *commit) appendSingles(p []byte, r *Rows, lo, hi int, nums []uint64) []byte {
	of := &c.singles
	for kind := column.Bool; kind <= column.Float64; kind++ {
		of.Reset()
		for i, s := range r.Shapes[lo:hi] {
			if s.layout.Kinds[0] == kind {
				of.Shapes, of.Times = append(of.Shapes, s), append(of.Times, r.Times[lo+i])
				of.Nums, of.Nulls = append(of.Nums, nums[i]), append(of.Nulls, r.Nulls[lo+i])
			}
		}
		p = c.appendAlike(p, of, 0, len(of.Shapes), of.Nums)
	}
	of.Reset()
	return p
}

// takeRows makes the rows [lo, hi) of r, whose cells nums begins with, those of a.
func (a *across) takeRows(r *Rows, lo, hi int, nums []uint64) {
	kinds := r.Shapes[lo].layout.Kinds
	a.columns(kinds)
	if a.same = slices.Equal(a.of, r.Shapes[lo:hi]); !a.same {
		for _, s := range r.Shapes[lo:hi] {
			for _, id := range s.layout.IDs {
				a.ids.Int64s = append(a.ids.Int64s, int64(id))
			}
			a.counts.Int64s = append(a.counts.Int64s, 1)
		}
	}
	a.times.Int64s = append(a.times.Int64s, r.Times[lo:hi]...)
	n, w := hi-lo, len(kinds)
	for c := range kinds {
		v, nums := &a.cols[c], nums[c:]
		switch v.Kind {
		case column.Float64:
			v.Float64s = slices.Grow(v.Float64s, n)[:n]
			for k := range n {
				v.Float64s[k] = math.Float64frombits(nums[k*w])
			}
		case column.Int64:
			v.Int64s = slices.Grow(v.Int64s, n)[:n]
			for k := range n {
				v.Int64s[k] = int64(nums[k*w])
			}
		default:
			for k := range n {
				v.AppendCell(&column.Cell{Kind: v.Kind, Num: nums[k*w]})
			}
		}
	}
	for k, nulls := range r.Nulls[lo:hi] {
		for c := 0; nulls != 0; c, nulls = c+1, nulls>>1 {
			if nulls&1 != 0 {
				a.nulls[c].Set(k)
			}
		}
	}
}

// keepDevices encodes whose rows those of a are, one of each of shapes, and keeps
// that for the next: the devices of a gateway are always the same.
func (a *across) keepDevices(shapes []*Shape, enc *block.Encoder, scratch *[]byte) {
	clear(a.of)
	a.of = append(a.of[:0], shapes...)
	a.head, a.same = a.appendDevices(a.head[:0], enc, scratch), true
}

// appendNumbers appends the body of the section that Commit would make of a row.
func appendNumbers(b []byte, l *memtable.Layout, at int64, nums []uint64, nulls uint64) []byte {
	b = appendIDs(b, l.IDs)
	b = append(b, 1, rowsRaw) // one row
	b = binary.AppendVarint(b, at)
	for i, num := range nums {
		if nulls>>i&1 != 0 {
			b = append(b, rawBitmap, 1)
			continue
		}
		b = append(b, rawNoNulls)
		switch l.Kinds[i] {
		case column.Bool:
			b = append(b, byte(num))
		case column.Int32, column.Float32:
			b = binary.LittleEndian.AppendUint32(b, uint32(num))
		default:
			b = binary.LittleEndian.AppendUint64(b, num)
		}
	}
	return b
}
