package segment

import (
	"context"
	"errors"
	"math"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/column"
)

// Verify reads the whole file, checks and decodes everything, compares the
// statistics with the data, and reports each damaged piece, in no particular
// order. Bytes that cannot be read count as damaged. It returns an error only if
// ctx is done.
func (r *Reader) Verify(ctx context.Context, report func(Damage)) error {
	plain := *r // past the cache: the bytes on the medium count
	plain.cache = nil
	v := verifier{r: &plain, report: report, seen: make(map[int64]struct{})}
	v.envelope()
	for i := range r.dir.pages {
		if err := v.page(ctx, i); err != nil {
			return err
		}
	}
	if v.indexIntact && v.covered != r.foot.index-headSize {
		v.whole(headSize, r.foot.index-headSize, "the index does not name all blocks")
	}
	return nil
}

type verifier struct {
	r       *Reader
	report  func(Damage)
	scratch Scratch
	coder   entryCoder
	blocks  []BlockInfo
	times   []int64
	timesAt Ref
	vector  column.Vector
	nulls   column.Bitmap
	seen    map[int64]struct{} // offsets of times blocks

	covered     int64 // bytes of all blocks
	indexIntact bool
}

// whole reports damage that may affect any point.
func (v *verifier) whole(off, n int64, reason string) {
	v.report(Damage{
		DamageError: DamageError{File: v.r.name, Offset: off, Length: n, Reason: reason},
		AllSeries:   true, MinTime: math.MinInt64, MaxTime: math.MaxInt64,
	})
}

// finding makes a DamageError of any error of reading the piece.
func (v *verifier) finding(err error, off, n int64) DamageError {
	var d *DamageError
	if errors.As(err, &d) {
		return *d
	}
	return DamageError{File: v.r.name, Offset: off, Length: n, Reason: err.Error()}
}

// envelope reads again what Open read, which the medium may have lost since.
func (v *verifier) envelope() {
	again := Reader{name: v.r.name, file: v.r.file, sum: v.r.sum}
	v.indexIntact = true
	if err := again.load(v.r.head.StoreID, v.r.head.FileNo); err != nil {
		d := v.finding(err, 0, v.r.size)
		v.whole(d.Offset, d.Length, d.Reason)
	}
}

// page checks one index page and all blocks that it names.
func (v *verifier) page(ctx context.Context, i int) error {
	p := &v.r.dir.pages[i]
	first, end := v.r.dir.entries(i)
	content, err := v.r.page(i)
	if err != nil {
		v.lostEntries(i, first, end, v.finding(err, p.offset, int64(p.length)+crcSize))
		return nil
	}
	for e := first; e < end; e++ {
		v.blocks, err = v.r.entry(v.blocks[:0], &v.coder, content, e, i)
		if err != nil {
			v.lostEntries(i, e, e+1, v.finding(err, p.offset, int64(p.length)+crcSize))
			continue
		}
		for j := range v.blocks {
			if err := ctx.Err(); err != nil {
				return err
			}
			v.block(&v.blocks[j])
		}
	}
	return nil
}

// lostEntries reports the series of index entries that cannot be read.
func (v *verifier) lostEntries(i, first, end int, d DamageError) {
	v.indexIntact = false
	p := &v.r.dir.pages[i]
	for e := first; e < end; e++ {
		if e > first && v.r.dir.ids[e] == v.r.dir.ids[e-1] {
			continue
		}
		v.report(Damage{DamageError: d, Series: v.r.dir.ids[e], MinTime: p.minTime, MaxTime: p.maxTime})
	}
}

// block checks one block with its times. Damage of times is reported for each
// series that uses them.
func (v *verifier) block(b *BlockInfo) {
	if _, ok := v.seen[b.Times.Offset]; !ok {
		v.seen[b.Times.Offset] = struct{}{}
		v.covered += int64(b.Times.Length) + crcSize
	}
	v.covered += int64(b.Values.Length) + crcSize
	affected := func(err error, ref Ref) {
		v.report(Damage{
			DamageError: v.finding(err, ref.Offset, int64(ref.Length)+crcSize),
			Series:      b.Series, MinTime: b.MinTime, MaxTime: b.MaxTime,
		})
	}
	var err error
	timesGood := true
	if b.Times != v.timesAt || len(v.times) != b.N {
		v.timesAt = b.Times
		if v.times, _, err = v.r.readTimes(v.times, &v.scratch, b, 0); err != nil {
			affected(err, b.Times)
			v.timesAt = Ref{}
			timesGood = false
		}
	}
	if v.nulls, err = v.r.ReadValues(&v.vector, v.nulls, &v.scratch, b); err != nil {
		affected(err, b.Values)
		return
	}
	if !timesGood {
		return
	}
	var s block.Stats
	s.Compute(v.times, &v.vector, v.nulls)
	// Float sums are left to the checksum: another release may add in another
	// order, and NaN is not equal to itself.
	stored := b.Stats
	s.SumF, stored.SumF = 0, 0
	if s != stored {
		affected(v.r.damage(b.Values.Offset, int64(b.Values.Length)+crcSize, "statistics and data differ"), b.Values)
	}
}
