package engine

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync/atomic"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/merge"
	"github.com/tickwell/tickwell/internal/segment"
	"github.com/tickwell/tickwell/internal/sorting"
)

// version is an immutable set of block files with the deletes that hide parts of
// them. Snapshots pin one; a file is closed when the last version that has it
// goes.
type version struct {
	refs  atomic.Int64
	files []*blockFile // by LSN, oldest first
	masks map[uint32][]merge.Mask

	gen    uint64 // see lasts
	upTo   uint64 // the last commit in its files, or in its masks after them; see lasts
	newest int64  // the greatest time in them
}

// blockFile is an open block file, shared by versions.
type blockFile struct {
	refs   atomic.Int64
	meta   fileMeta
	name   string
	reader *segment.Reader
	lost   bool        // could not be opened: every read of it fails
	unfit  atomic.Bool // has damaged parts: it is not compacted
	gone   atomic.Bool // the manifest does not name it any more: it is removed when nobody reads it
	remove func()
	tails  atomic.Pointer[tails] // nil: none
}

func newVersion() *version {
	v := &version{masks: map[uint32][]merge.Mask{}, newest: math.MinInt64}
	v.refs.Store(1)
	return v
}

// versionOf returns a version of files, which are in order, and masks.
func versionOf(files []*blockFile, masks []seriesMask) *version {
	v := newVersion()
	v.files = files
	for _, m := range masks {
		v.masks[m.id] = append(v.masks[m.id], m.Mask)
	}
	for _, f := range files {
		f.refs.Add(1)
		v.upTo, v.newest = max(v.upTo, f.meta.MaxLSN), max(v.newest, f.meta.MaxTime)
	}
	return v
}

// sortFiles puts files in the order in which later ones win.
func sortFiles(files []*blockFile) {
	slices.SortStableFunc(files, func(a, b *blockFile) int { return cmp.Compare(a.meta.MaxLSN, b.meta.MaxLSN) })
}

func (v *version) ref() { v.refs.Add(1) }

func (v *version) unref() {
	if v.refs.Add(-1) > 0 {
		return
	}
	for _, f := range v.files {
		if f.refs.Add(-1) > 0 {
			continue
		}
		if !f.lost {
			f.reader.Close()
		}
		if f.gone.Load() && f.remove != nil {
			f.remove()
		}
	}
}

// sources appends a source for each file and, where series do not share their
// chunks, several for one file. skip, if not nil, is told of files whose index
// is damaged, which are then left out instead of failing.
func (v *version) sources(dst []merge.Source, ids []uint32, from, to int64, skip func(Damage)) ([]merge.Source, error) {
	last := to
	if to != MaxTime+1 {
		last = to - 1
	}
	for _, f := range v.files {
		if f.meta.MaxTime < from || f.meta.MinTime > last {
			continue
		}
		if f.lost {
			dst = append(dst, f.lostSource(from, last, len(ids)))
			continue
		}
		out, err := f.sources(dst, ids, from, last)
		switch {
		case err == nil:
			dst = out
		case skip != nil && errors.Is(err, errs.Damaged):
			skip(Damage{File: f.name, Reason: err.Error(), MinTime: max(from, f.meta.MinTime), MaxTime: min(last, f.meta.MaxTime)})
		default:
			return nil, err
		}
	}
	return dst, nil
}

func (f *blockFile) sources(dst []merge.Source, ids []uint32, from, last int64) ([]merge.Source, error) {
	return f.look(new(lookup), dst, ids, from, last)
}

// lookup is memory for finding the blocks of several series; what is found does
// not refer to it.
type lookup struct {
	infos []segment.BlockInfo
	cols  []int
}

// look is sources with memory for it.
func (f *blockFile) look(l *lookup, dst []merge.Source, ids []uint32, from, last int64) ([]merge.Source, error) {
	if len(ids) == 1 {
		return f.alone(dst, ids[0], from, last)
	}
	infos, cols := l.infos[:0], l.cols[:0]
	defer func() { l.infos, l.cols = infos, cols }()
	for i, id := range ids {
		var err error
		n := len(infos)
		if infos, err = f.reader.BlocksIn(infos, id, from, last); err != nil {
			return nil, f.damaged(err, from, last)
		}
		for range len(infos) - n {
			cols = append(cols, i)
		}
	}
	if len(infos) == 0 {
		return dst, nil
	}
	return f.aligned(dst, infos, cols, len(ids)), nil
}

// alone appends the source of one series.
func (f *blockFile) alone(dst []merge.Source, id uint32, from, last int64) ([]merge.Source, error) {
	if src, ok := f.tails.Load().since(id, from); ok {
		return append(dst, src), nil
	}
	var few [8]any
	entries, err := f.reader.EntriesIn(few[:0], id, from, last, f.blocksOf)
	if err != nil {
		return nil, f.damaged(err, from, last)
	}
	n := 0
	for i := range entries {
		blocks := *entries[i].(*merge.Source)
		if blocks[0].Min >= from && blocks[len(blocks)-1].Max <= last {
			n += len(blocks)
			continue
		}
		if blocks = blocks.Within(from, last); len(entries) == 1 && len(blocks) > 0 {
			return append(dst, blocks), nil
		}
		entries[i] = &blocks
		n += len(blocks)
	}
	switch {
	case n == 0:
		return dst, nil
	case len(entries) == 1:
		return append(dst, *entries[0].(*merge.Source)), nil
	}
	blocks := make(merge.Source, 0, n)
	for _, e := range entries {
		blocks = append(blocks, *e.(*merge.Source)...)
	}
	return append(dst, blocks), nil
}

// blocksOf makes a source of the blocks of one series, for the cache of the
// reader.
func (f *blockFile) blocksOf(infos []segment.BlockInfo) any {
	chunks := make([]fileChunk, len(infos))
	blocks := make(merge.Source, len(infos))
	for i := range infos {
		chunks[i] = fileChunk{file: f, infos: infos[i:], series: true}
		blocks[i] = f.block(&chunks[i], &infos[i], zeroCol)
	}
	return &blocks
}

// zeroCol maps the only wanted series to the only column.
var zeroCol = []int{0}

func (f *blockFile) block(c *fileChunk, in *segment.BlockInfo, cols []int) merge.Block {
	return merge.Block{Min: in.MinTime, Max: in.MaxTime, N: in.N, Whole: true, LSN: f.meta.MaxLSN, Cols: cols, Chunk: c}
}

// aligned puts blocks over the same times together and lays the chunks out in
// sources whose blocks do not overlap.
func (f *blockFile) aligned(dst []merge.Source, infos []segment.BlockInfo, cols []int, width int) []merge.Source {
	order := make([]int, len(infos))
	for i := range order {
		order[i] = i
	}
	sorting.Fast(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(infos[a].Times.Offset, infos[b].Times.Offset), cmp.Compare(cols[a], cols[b]))
	})
	var blocks []merge.Block
	var before *fileChunk
	for k := 0; k < len(order); {
		end := k
		for end < len(order) && infos[order[end]].Times == infos[order[k]].Times {
			end++
		}
		c := &fileChunk{file: f, infos: make([]segment.BlockInfo, 0, end-k)}
		at := make([]int, width)
		for i := range at {
			at[i] = -1
		}
		b := f.block(c, &infos[order[k]], at)
		for _, i := range order[k:end] {
			at[cols[i]] = len(c.infos)
			c.infos = append(c.infos, infos[i])
			b.Min, b.Max = min(b.Min, infos[i].MinTime), max(b.Max, infos[i].MaxTime)
		}
		if before != nil && c.infos[0].Follows(&before.infos[0]) {
			before.grouped = true
		}
		before = c
		blocks = append(blocks, b)
		k = end
	}
	sorting.Fast(blocks, func(a, b merge.Block) int { return cmp.Compare(a.Min, b.Min) })
	first := len(dst)
	for _, b := range blocks {
		k := first
		for k < len(dst) && dst[k][len(dst[k])-1].Max >= b.Min {
			k++
		}
		if k == len(dst) {
			dst = append(dst, nil)
		}
		dst[k] = append(dst[k], b)
	}
	return dst
}

// damaged turns what the file's reader found into what a query reports.
func (f *blockFile) damaged(err error, from, to int64) error {
	if !errors.Is(err, errs.Corrupt) {
		return err
	}
	f.unfit.Store(true)
	return fmt.Errorf("%s: times %d to %d: %w: %w", f.name, from, to, errs.Damaged, err)
}

// fileChunk is a chunk of a block file: some of the blocks over one times block,
// or, if series is true, one block of a series and those that come after it.
type fileChunk struct {
	file   *blockFile
	infos  []segment.BlockInfo
	series bool

	grouped bool // the values of the next chunk follow those of this one
}

func (c *fileChunk) Raw() bool { return false }

func scratchOf(sc *merge.Scratch) *segment.Scratch {
	s, ok := sc.Local.(*segment.Scratch)
	if !ok {
		s = new(segment.Scratch)
		sc.Local = s
	}
	return s
}

func (c *fileChunk) Times(dst []int64, sc *merge.Scratch) ([]int64, error) {
	in := &c.infos[0]
	var times []int64
	var err error
	if c.series {
		times, err = c.file.reader.ReadTimesOf(dst, scratchOf(sc), c.infos, sc.Last)
	} else {
		times, err = c.file.reader.ReadTimes(dst, scratchOf(sc), in)
	}
	if err != nil {
		return nil, c.file.damaged(err, in.MinTime, in.MaxTime)
	}
	return times, nil
}

// Line is for package merge, see its lined.
func (c *fileChunk) Line(i int) (first, step int64, ok bool) {
	return c.file.reader.LineOf(&c.infos[i])
}

func (c *fileChunk) Values(i int, dst *column.Vector, nulls column.Bitmap, sc *merge.Scratch) (column.Bitmap, error) {
	in := &c.infos[i]
	var out column.Bitmap
	var err error
	if c.series {
		out, err = c.file.reader.ReadValuesOf(dst, nulls, scratchOf(sc), c.infos, sc.Last)
	} else {
		out, err = c.file.reader.ReadValuesAmong(dst, nulls, scratchOf(sc), c.infos, i, c.grouped)
	}
	if err != nil {
		return nil, c.file.damaged(err, in.MinTime, in.MaxTime)
	}
	if c.series && len(c.infos) == 1 {
		if t := c.file.tails.Load(); t != nil && t.late != nil {
			t.late.learn(c.file, in, dst, out, scratchOf(sc))
		}
	}
	return out, nil
}

func (c *fileChunk) Stats(i int) *block.Stats { return &c.infos[i].Stats }
