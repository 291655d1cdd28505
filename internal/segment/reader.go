package segment

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/codec"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/vfs"
)

// Reader reads one block file. It is safe for concurrent use; Close only when
// no call is under way.
type Reader struct {
	name  string
	file  source
	size  int64
	head  Header
	foot  footer
	dir   *directory
	sum   checksum // to be copied before use
	cache *Cache
	coder Coder // of compressed blocks, may be nil
}

// source is the file of a reader.
type source interface {
	io.ReaderAt
	io.Closer
	Size() (int64, error)
}

var entryCoders = sync.Pool{New: func() any { return new(entryCoder) }}

// Open opens the file, which must be the one numbered fileNo of the store, and
// reads its directory. Index pages go through cache, which may be nil.
//
// A file that is damaged, cut off or foreign gives a *DamageError, one of a newer
// format an error that wraps ErrVersion.
func Open(fsys vfs.FS, name string, storeID, fileNo uint64, cache *Cache) (*Reader, error) {
	file, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open segment: %w", err)
	}
	return open(file, name, storeID, fileNo, cache)
}

func open(file source, name string, storeID, fileNo uint64, cache *Cache) (*Reader, error) {
	r := &Reader{name: name, file: file, cache: cache}
	r.sum.init(storeID, fileNo)
	if err := r.load(storeID, fileNo); err != nil {
		return nil, errs.Join(err, file.Close())
	}
	return r, nil
}

// load reads header, footer and directory.
func (r *Reader) load(storeID, fileNo uint64) (err error) {
	if r.size, err = r.file.Size(); err != nil {
		return fmt.Errorf("open segment %s: %w", r.name, err)
	}
	if r.size < minimumLen {
		return r.damage(0, r.size, "file is too short")
	}
	sum := r.sum
	b := make([]byte, max(headSize, footSize))
	if err := r.readFull(b[:headSize], 0); err != nil {
		return err
	}
	head, reason, err := parseHeader(b[:headSize], storeID, fileNo)
	if err != nil {
		return fmt.Errorf("open segment %s: %w", r.name, err)
	}
	if reason != "" {
		return r.damage(0, headSize, reason)
	}
	r.head = head
	at := r.size - footSize
	if err := r.readFull(b[:footSize], at); err != nil {
		return err
	}
	if reason := r.foot.parse(b[:footSize], &sum, at); reason != "" {
		return r.damage(at, footSize, reason)
	}
	return r.loadDirectory(&sum)
}

func (r *Reader) loadDirectory(sum *checksum) error {
	f := &r.foot
	b := make([]byte, f.dirLen+crcSize)
	if err := r.readFull(b, f.directory); err != nil {
		return err
	}
	if !sum.holds(pieceDirectory, f.directory, b) {
		return r.damage(f.directory, int64(len(b)), "directory checksum is wrong")
	}
	dir, err := parseDirectory(b[:f.dirLen], f.index, f.directory)
	if err != nil {
		return r.damage(f.directory, int64(len(b)), err.Error())
	}
	if uint64(dir.series()) != uint64(f.series) {
		return r.damage(f.directory, int64(len(b)), "directory and footer differ in the number of series")
	}
	r.cache.share(dir)
	r.dir = dir
	return nil
}

// readFull fills b from offset off.
func (r *Reader) readFull(b []byte, off int64) error {
	n, err := r.file.ReadAt(b, off)
	switch {
	case n == len(b):
		return nil
	case err == nil || errors.Is(err, io.EOF):
		return r.damage(off, int64(len(b)), "file ends before it")
	}
	return fmt.Errorf("read segment %s at %d: %w", r.name, off, err)
}

//go:noinline
func (r *Reader) damage(off, n int64, reason string) error {
	return &DamageError{File: r.name, Offset: off, Length: n, Reason: reason}
}

// Name returns the name that the file was opened by.
func (r *Reader) Name() string { return r.name }

// Meta describes the file.
func (r *Reader) Meta() Meta { return r.foot.meta(r.head, r.size) }

// Series yields the ids and kinds of the file's series, ascending.
func (r *Reader) Series() iter.Seq2[uint32, column.Kind] {
	return func(yield func(uint32, column.Kind) bool) {
		d := r.dir
		for i, id := range d.ids {
			if i > 0 && d.ids[i-1] == id {
				continue
			}
			if !yield(id, d.kinds[i]) {
				return
			}
		}
	}
}

// Has reports whether the file holds blocks of the series, without reading.
func (r *Reader) Has(series uint32) bool {
	lo, hi := r.dir.find(series)
	return lo < hi
}

// Blocks returns the blocks of a series in time order, nil if there are none.
func (r *Reader) Blocks(series uint32) ([]BlockInfo, error) {
	return r.BlocksIn(nil, series, r.foot.minTime, r.foot.maxTime)
}

// BlocksIn appends to dst the blocks of a series that may hold a time in
// [from, to], both inclusive, in time order.
func (r *Reader) BlocksIn(dst []BlockInfo, series uint32, from, to int64) ([]BlockInfo, error) {
	lo, hi := r.dir.find(series)
	if lo == hi {
		return dst, nil
	}
	coder := entryCoders.Get().(*entryCoder)
	defer entryCoders.Put(coder)
	for i, first, end := r.dir.pageIn(r.dir.pageOf(lo), hi, from, to); i < len(r.dir.pages); i, first, end = r.dir.pageIn(i+1, hi, from, to) {
		content, err := r.page(i)
		if err != nil {
			return dst, err
		}
		for e := max(lo, first); e < min(hi, end); e++ {
			start := len(dst)
			if dst, err = r.entry(dst, coder, content, e, i); err != nil {
				return dst, err
			}
			dst = keepOverlapping(dst, start, from, to)
		}
	}
	return dst, nil
}

// EntriesIn appends to dst what make made of the index entries of a series of
// which a block may hold a time in [from, to], both inclusive, in time order: of
// the blocks of each, at least one, some of which may lie outside. What it made
// is kept in the cache for later calls, so it must always be of one make for a
// reader, and nobody may change it or the blocks.
func (r *Reader) EntriesIn(dst []any, series uint32, from, to int64, make func(blocks []BlockInfo) any) ([]any, error) {
	lo, hi := r.dir.find(series)
	if lo == hi {
		return dst, nil
	}
	for i, first, end := r.dir.pageIn(r.dir.pageOf(lo), hi, from, to); i < len(r.dir.pages); i, first, end = r.dir.pageIn(i+1, hi, from, to) {
		for e := max(lo, first); e < min(hi, end); e++ {
			made, content := r.cache.entry(r, e, i)
			if made == nil {
				blocks, err := r.decodeEntry(content, e, i)
				if err != nil {
					return dst, err
				}
				made = make(blocks)
				r.cache.putEntry(r, e, made, len(blocks))
			}
			dst = append(dst, made)
		}
	}
	return dst, nil
}

// decodeEntry returns the blocks of entry e, which is in page i. content is that of
// the page, or nil.
func (r *Reader) decodeEntry(content []byte, e, i int) (blocks []BlockInfo, err error) {
	if content == nil {
		if content, err = r.readPage(i); err != nil {
			return nil, err
		}
	}
	coder := entryCoders.Get().(*entryCoder)
	defer entryCoders.Put(coder)
	return r.entry(nil, coder, content, e, i)
}

// keepOverlapping drops the blocks from start on that lie outside [from, to].
func keepOverlapping(blocks []BlockInfo, start int, from, to int64) []BlockInfo {
	kept := start
	for i := start; i < len(blocks); i++ {
		if b := &blocks[i]; b.MaxTime >= from && b.MinTime <= to {
			blocks[kept] = *b
			kept++
		}
	}
	return blocks[:kept]
}

// page returns the checked bytes of index page i, without the checksum.
func (r *Reader) page(i int) ([]byte, error) {
	if b := r.cache.page(r, i); b != nil {
		return b, nil
	}
	return r.readPage(i)
}

// readPage is page from the file.
func (r *Reader) readPage(i int) ([]byte, error) {
	p := &r.dir.pages[i]
	b := make([]byte, int(p.length)+crcSize)
	if err := r.readFull(b, p.offset); err != nil {
		return nil, err
	}
	sum := r.sum
	if !sum.holds(pieceIndex, p.offset, b) {
		return nil, r.damage(p.offset, int64(len(b)), "index checksum is wrong")
	}
	b = b[:p.length:p.length]
	r.cache.putPage(r, i, b)
	return b, nil
}

// entry appends the blocks of entry e, which is in page i.
func (r *Reader) entry(dst []BlockInfo, coder *entryCoder, content []byte, e, i int) ([]BlockInfo, error) {
	first, end := r.dir.entries(i)
	src, err := entryOf(content, e-first, end-first)
	if err == nil {
		dst, err = coder.parse(dst, src, r.dir.ids[e], r.dir.kinds[e], r.foot.index)
	}
	if err != nil {
		p := &r.dir.pages[i]
		return dst, r.damage(p.offset, int64(p.length)+crcSize, err.Error())
	}
	return dst, nil
}

// ReadTimes decodes the b.N times of the block's chunk into dst[:0]. Blocks of
// one chunk have equal b.Times and need decoding only once.
func (r *Reader) ReadTimes(dst []int64, scratch *Scratch, b *BlockInfo) ([]int64, error) {
	return r.timesOf(dst, scratch, b, nil, 0)
}

// ReadTimesOf is ReadTimes for the first of blocks of one series whose values
// ReadValuesOf is asked for next: what follows the times closely is read along.
func (r *Reader) ReadTimesOf(dst []int64, scratch *Scratch, blocks []BlockInfo, last int64) ([]int64, error) {
	return r.timesOf(dst, scratch, &blocks[0], blocks, last)
}

// LineOf returns the times of block b, no row of which is null, as the first and
// the step, if it is known without reading that they have a constant step and if
// they are those that the index tells of.
func (r *Reader) LineOf(b *BlockInfo) (first, step int64, ok bool) {
	l := r.cache.line(r, b.Times.Offset)
	if l == nil || l.n != b.N || l.first != b.MinTime || l.first+int64(l.n-1)*l.step != b.MaxTime {
		return 0, 0, false
	}
	return l.first, l.step, true
}

func (r *Reader) timesOf(dst []int64, scratch *Scratch, b *BlockInfo, blocks []BlockInfo, last int64) ([]int64, error) {
	if l := r.cache.line(r, b.Times.Offset); l != nil && l.n == b.N {
		if cap(dst) < b.N {
			dst = make([]int64, b.N)
		}
		dst = dst[:b.N]
		codec.Line(dst, l.first, l.step)
		return r.checkTimes(dst, b)
	}
	ahead := 0
	if gap := b.Values.Offset - b.Times.end(); blocks != nil && gap >= 0 && gap <= nearby {
		if n := b.Values.Offset - b.Times.Offset + int64(along(blocks, last)); n <= maxAlong {
			ahead = int(n)
		}
	}
	dst, line, err := r.readTimes(dst, scratch, b, ahead)
	if err == nil && line {
		r.cache.putLine(r, b.Times.Offset, dst)
	}
	return dst, err
}

// readTimes is ReadTimes from the file. line tells that the times have a constant
// step.
func (r *Reader) readTimes(dst []int64, scratch *Scratch, b *BlockInfo, along int) (times []int64, line bool, err error) {
	src := r.cache.block(r, b.Times)
	if src == nil {
		if src, err = r.read(scratch, b.Times, pieceTimes, along); err != nil {
			return dst[:0], false, err
		}
		// A line is asked for twice only if another has taken its place.
		r.cache.putBlock(r, b.Times.Offset, src)
	}
	src, err = r.unpack(scratch, src, b.N, timesKind)
	if err == nil {
		dst, err = block.DecodeTimes(dst, src, b.N)
	} else if errors.Is(err, ErrCoder) {
		return dst[:0], false, err
	}
	if err != nil {
		return dst, false, r.damage(b.Times.Offset, int64(b.Times.Length)+crcSize, err.Error())
	}
	dst, err = r.checkTimes(dst, b)
	return dst, block.TimesAreLine(src), err
}

// checkTimes returns the times of block b if they agree with the index.
func (r *Reader) checkTimes(times []int64, b *BlockInfo) ([]int64, error) {
	if len(times) == 0 || times[0] > b.MinTime || times[len(times)-1] < b.MaxTime {
		return times[:0], r.damage(b.Times.Offset, int64(b.Times.Length)+crcSize, "times and index differ")
	}
	return times, nil
}

// ReadValues decodes the b.N values of the block into dst, with zero values at
// null rows, and returns the null bitmap in the memory of nulls, nil if no row
// is null.
func (r *Reader) ReadValues(dst *column.Vector, nulls column.Bitmap, scratch *Scratch, b *BlockInfo) (column.Bitmap, error) {
	return r.readValues(dst, nulls, scratch, b, ahead{})
}

// ReadValuesOf is ReadValues for the first of blocks of one series, of which
// those up to the time last will be read next: what of them follows it in the
// file is read along.
func (r *Reader) ReadValuesOf(dst *column.Vector, nulls column.Bitmap, scratch *Scratch, blocks []BlockInfo, last int64) (column.Bitmap, error) {
	return r.readValues(dst, nulls, scratch, &blocks[0], ahead{series: blocks, last: last})
}

// ReadValuesAmong is ReadValues for block i of a chunk, of which the other blocks
// will be read too: if they lie close together they are read along. grouped says
// that the next chunk's blocks lie behind those of this one, as Follows tells.
func (r *Reader) ReadValuesAmong(dst *column.Vector, nulls column.Bitmap, scratch *Scratch, chunk []BlockInfo, i int, grouped bool) (column.Bitmap, error) {
	return r.readValues(dst, nulls, scratch, &chunk[i], ahead{chunk: chunk, at: i, grouped: grouped})
}

// Follows reports whether the values of b lie right behind those of a block of the
// same series.
func (b *BlockInfo) Follows(before *BlockInfo) bool {
	gap := b.Values.Offset - before.Values.end()
	return b.Series == before.Series && gap >= 0 && gap <= betweenBlocks
}

// ahead is what will be read after a block: those that follow it in a series up to
// a time, or the others of a chunk.
type ahead struct {
	series []BlockInfo
	last   int64
	chunk  []BlockInfo
	at     int // of the block in chunk

	grouped bool // the next chunk follows the blocks of chunk
}

// bytes returns how many bytes to read along with a block, 0 if it is in memory.
func (a *ahead) bytes(r *Reader, scratch *Scratch, block Ref) int {
	switch {
	case scratch.has(r, block):
	case a.series != nil:
		return along(a.series, a.last)
	case a.chunk != nil:
		return across(a.chunk, a.at, a.grouped)
	}
	return 0
}

// across returns how many bytes it is from block i of a chunk to the end of the
// last of the blocks behind it, and of later chunks that lie between them, at most
// maxAhead; 0 where most of that would be for nothing.
func across(chunk []BlockInfo, i int, grouped bool) int {
	first := chunk[i].Values.Offset
	own := chunk[i].Values.end() - first
	wanted, end, next := own, own, int64(maxAhead)
	for j := range chunk {
		at, to := chunk[j].Values.Offset-first, chunk[j].Values.end()-first
		if at > 0 && to <= maxAhead {
			wanted, end, next = wanted+to-at, max(end, to), min(next, at)
		}
	}
	switch {
	case grouped && end > own:
		return int(min(end+next-own, maxAhead))
	case wanted*seldom < end:
		return 0
	}
	return int(end)
}

// along returns how many bytes it is from the values of the first of some blocks
// to the end of the last that begins up to the time last and follows those before
// it in the file, or nearly so, at most maxAlong.
func along(blocks []BlockInfo, last int64) int {
	first := blocks[0].Values.Offset
	end := blocks[0].Values.end()
	for i := 1; i < len(blocks) && blocks[i].MinTime <= last; i++ {
		v := &blocks[i].Values
		if v.Offset < end || v.Offset-end > betweenBlocks || v.end()-first > maxAlong {
			break
		}
		end = v.end()
	}
	return int(end - first)
}

func (r *Reader) readValues(dst *column.Vector, nulls column.Bitmap, scratch *Scratch, b *BlockInfo, next ahead) (column.Bitmap, error) {
	src := r.cache.block(r, b.Values)
	if src == nil {
		var err error
		if src, err = r.read(scratch, b.Values, pieceValues, next.bytes(r, scratch, b.Values)); err != nil {
			return nil, err
		}
		r.cache.putBlock(r, b.Values.Offset, src)
	}
	src, err := r.unpack(scratch, src, b.N, b.Kind)
	if err == nil {
		nulls, err = scratch.dec.Values(dst, nulls, src, b.Kind, b.N)
	} else if errors.Is(err, ErrCoder) {
		return nil, err
	}
	if err != nil {
		return nil, r.damage(b.Values.Offset, int64(b.Values.Length)+crcSize, err.Error())
	}
	return nulls, nil
}

// RawTimes returns the encoded times block of b after checking it, to be copied
// to another file; it may be compressed. It is valid until the next use of scratch.
func (r *Reader) RawTimes(scratch *Scratch, b *BlockInfo) ([]byte, error) {
	return r.read(scratch, b.Times, pieceTimes, 0)
}

// RawValuesOf is RawTimes for the values of block i of a chunk, of which the others
// will be read too, as ReadValuesAmong does.
func (r *Reader) RawValuesOf(scratch *Scratch, chunk []BlockInfo, i int, grouped bool) ([]byte, error) {
	next := ahead{chunk: chunk, at: i, grouped: grouped}
	return r.read(scratch, chunk[i].Values, pieceValues, next.bytes(r, scratch, chunk[i].Values))
}

// read returns the checked bytes of a block. If it has to read, it reads along
// bytes at least.
func (r *Reader) read(scratch *Scratch, ref Ref, kind byte, along int) ([]byte, error) {
	if ref.Offset < headSize || ref.Length > MaxPayload || !ref.within(r.foot.index) {
		return nil, r.damage(ref.Offset, int64(ref.Length), "block outside the file")
	}
	framed, err := scratch.framed(r, kind, ref.Offset, int(ref.Length)+crcSize, along)
	if err != nil {
		return nil, err
	}
	if !scratch.sum.holds(kind, ref.Offset, framed) {
		return nil, r.damage(ref.Offset, int64(len(framed)), "block checksum is wrong")
	}
	return framed[:ref.Length], nil
}

// Close closes the file and drops its pages from the cache.
func (r *Reader) Close() error {
	r.cache.forget(r)
	if err := r.file.Close(); err != nil {
		return fmt.Errorf("close segment: %w", err)
	}
	return nil
}
