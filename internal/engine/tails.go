package engine

import (
	"math"
	"slices"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/merge"
	"github.com/tickwell/tickwell/internal/segment"
)

// tails are the newest points of the series of a block file, decoded. Who asks
// for the last minutes of a series finds them without the index, the disk and a
// block of a thousand rows to decode. A file is never changed, so they hold for as
// long as it is read; only the file that was written last has them.
type tails struct {
	ids    []uint32 // ascending
	blocks []merge.Block
	late   *lateTails // instead, of a file that was there when the store was opened
}

// tailRows is how many points of a series are kept.
const tailRows = 64

// tailBytes is about what the points of one series take that are of the same
// times as those of others.
const tailBytes = 8*tailRows + 320

// leastTails is the least room for which tails are kept at all.
const leastTails = 256 << 10

// tailRoom returns how many of the bytes for the index of files tails take.
func tailRoom(index int64) int64 {
	if index/16 < leastTails {
		return 0
	}
	return index / 16
}

// newestFiled returns the greatest time in files, of those that have no time ahead of
// the clock: one point far in the future would keep all later files from having tails.
func (e *Engine) newestFiled() int64 {
	limit, newest := e.clock.Now().UnixNano()+clockTolerance, int64(math.MinInt64)
	for _, f := range e.currentFiles() {
		if at := f.meta.MaxTime; at <= limit {
			newest = max(newest, at)
		}
	}
	return newest
}

// tailChunk is a chunk of the newest points of a series.
type tailChunk struct {
	times  []int64
	values column.Vector
}

func (t *tailChunk) Raw() bool { return true }

func (t *tailChunk) Times([]int64, *merge.Scratch) ([]int64, error) { return t.times, nil }

func (t *tailChunk) Values(_ int, dst *column.Vector, _ column.Bitmap, _ *merge.Scratch) (column.Bitmap, error) {
	*dst = t.values
	return nil, nil
}

func (t *tailChunk) Stats(int) *block.Stats { return nil }

// since returns the points of a series from a time on, if all of them in the
// file are kept.
func (t *tails) since(id uint32, from int64) (merge.Source, bool) {
	if t == nil {
		return nil, false
	}
	if t.late != nil {
		return t.late.since(id, from)
	}
	i, found := slices.BinarySearch(t.ids, id)
	if !found || from < t.blocks[i].Min {
		return nil, false
	}
	return t.blocks[i : i+1 : i+1], true
}

// keepTails decodes the ends of the last blocks of the file's series, in at most
// room bytes, those of the lowest ids. What cannot be read is left out.
func (f *blockFile) keepTails(room int64) {
	t := new(tails)
	var scratch segment.Scratch
	var infos []segment.BlockInfo
	var all []int64 // of the times block at
	var at segment.Ref
	var shared []int64 // the last of all
	var v column.Vector
	var nulls column.Bitmap
	for id, kind := range f.reader.Series() {
		if kind == column.Text {
			continue // would keep the texts of the whole block
		}
		if room -= tailBytes; room < 0 {
			break
		}
		var err error
		infos, err = f.reader.BlocksIn(infos[:0], id, math.MinInt64, math.MaxInt64)
		if err != nil || len(infos) == 0 {
			continue
		}
		b := &infos[len(infos)-1]
		if b.N <= tailRows {
			continue // is soon decoded, and has statistics as a whole
		}
		if all == nil || b.Times != at {
			if all, err = f.reader.ReadTimes(all, &scratch, b); err != nil {
				all = nil
				continue
			}
			at = b.Times
			shared = slices.Clone(all[len(all)-tailRows:])
			room -= 8 * tailRows
		}
		v.Reset(kind)
		got, err := f.reader.ReadValues(&v, nulls[:0], &scratch, b)
		if err != nil {
			continue
		}
		if got != nil {
			nulls = got
		}
		c := &tailChunk{values: column.Vector{Kind: kind}}
		if first := b.N - tailRows; !got.Any(b.N) {
			c.times = shared
			c.values.AppendRange(&v, first, b.N)
		} else if c.sparse(all, &v, got, b.N); len(c.times) == 0 {
			continue
		} else {
			room -= 8 * tailRows
		}
		t.ids = append(t.ids, id)
		t.blocks = append(t.blocks, merge.Block{Min: c.times[0], Max: c.times[len(c.times)-1], N: len(c.times),
			LSN: f.meta.MaxLSN, Cols: zeroCol, Chunk: c})
	}
	f.tails.Store(t)
}

// sparse keeps the last points of rows of which some are null.
func (c *tailChunk) sparse(times []int64, v *column.Vector, nulls column.Bitmap, n int) {
	first := n
	for kept := 0; first > 0 && kept < tailRows; {
		if first--; !nulls.Get(first) {
			kept++
		}
	}
	for i := first; i < n; i++ {
		if !nulls.Get(i) {
			c.times = append(c.times, times[i])
			c.values.AppendRange(v, i, i+1)
		}
	}
}
