package segment

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/sorting"
	"github.com/tickwell/tickwell/vfs"
)

const (
	writeBuffer = 64 << 10
	// pageSize is the size at which an index page is closed.
	pageSize = 16 << 10
	// arenaBytes is how much memory index entries get at a time: one piece that
	// grew would take twice as much while it moves.
	arenaBytes = 16 << 10
)

// Writer writes one block file, front to back. It is not safe for concurrent
// use. After an error of any method only Abort may be called.
//
// A chunk's times are written in front of the first value block that uses them.
// Callers get series that are read fast by adding several blocks of a series one
// after the other, and files that are read fast by device by beginning a few
// chunks, up to some 64 KiB, and then adding the blocks series by series.
type Writer struct {
	fsys vfs.FS
	name string
	file vfs.File // nil after Finish and Abort
	head Header
	sum  checksum

	buf  []byte // not yet written
	size int64  // written and in buf

	chunks []chunk // by ChunkRef.id - 1
	series map[uint32]*openSeries
	coder  entryCoder
	packer *packer       // compresses blocks; nil = as they are
	spare  [][]BlockInfo // of series that ended
	// Index entries, complete.
	entries []pendingEntry
	entry   []byte // the one being made
	arena   []byte // what is left of the memory for them
	total   footer
}

// chunk is a chunk's times, kept until they are written.
type chunk struct {
	times []byte // nil once written
	ref   Ref
}

// openSeries collects the blocks of a series for its next index entry.
type openSeries struct {
	kind   column.Kind
	blocks []BlockInfo
	last   int64 // time of its last point
}

type pendingEntry struct {
	series           uint32
	kind             column.Kind
	bytes            []byte
	minTime, maxTime int64
}

// Create starts the file called name, replacing one of that name.
func Create(fsys vfs.FS, name string, h Header) (*Writer, error) {
	if h.MinLSN > h.MaxLSN {
		return nil, fmt.Errorf("create segment %s: log range %d to %d: %w", name, h.MinLSN, h.MaxLSN, errs.BadInput)
	}
	file, err := fsys.Create(name)
	if err != nil {
		return nil, fmt.Errorf("create segment: %w", err)
	}
	w := &Writer{fsys: fsys, name: name, file: file, head: h, series: make(map[uint32]*openSeries)}
	w.sum.init(h.StoreID, h.FileNo)
	w.buf = appendHeader(make([]byte, 0, writeBuffer+writeBuffer/4), &h, &w.sum)
	w.size = headSize
	return w, nil
}

// Compress lets c compress the blocks that are added from now on, where that
// saves enough. The header must say Coded.
func (w *Writer) Compress(c Coder) { w.packer = &packer{coder: c} }

// BeginChunk announces an encoded times block of n rows from tmin to tmax and
// returns the reference that the chunk's value blocks name. times is copied.
func (w *Writer) BeginChunk(times []byte, n int, tmin, tmax int64) (ChunkRef, error) {
	if n < 1 || n > block.MaxRows || tmin > tmax || len(times) < 1 || len(times) > MaxPayload {
		return ChunkRef{}, w.badInput("chunk of %d rows and %d bytes from %d to %d", n, len(times), tmin, tmax)
	}
	if times[0]&flagCompressed == 0 && w.packer != nil {
		times = w.packer.pack(times)
	}
	if times[0]&flagCompressed != 0 {
		if !w.head.Coded {
			return ChunkRef{}, w.badInput("compressed times in a file without")
		}
		w.total.coder = coderZstd
	}
	w.chunks = append(w.chunks, chunk{times: slices.Clone(times)})
	return ChunkRef{N: n, MinTime: tmin, MaxTime: tmax, id: len(w.chunks)}, nil
}

// WriteTimes writes the times of chunk c, which are else written before its first
// block. A block of it that has non-null cells must follow.
func (w *Writer) WriteTimes(c ChunkRef) error {
	switch {
	case w.file == nil:
		return fmt.Errorf("write segment %s: %w", w.name, errs.Closed)
	case c.id < 1 || c.id > len(w.chunks):
		return w.badInput("times of an unknown chunk")
	}
	w.putTimes(c)
	return nil
}

// putTimes returns where the times of chunk c are, after it has written them if
// they are not.
func (w *Writer) putTimes(c ChunkRef) Ref {
	ch := &w.chunks[c.id-1]
	if ch.times != nil {
		ch.ref = w.put(pieceTimes, ch.times)
		ch.times = nil
	}
	return ch.ref
}

// AddBlock writes the values of one series over the rows of chunk c. Blocks of
// a series must be added in time order and may not overlap. A block without
// non-null cells is left out.
func (w *Writer) AddBlock(series uint32, kind column.Kind, c ChunkRef, payload []byte, stats *block.Stats) error {
	if stats.Count == 0 {
		return nil
	}
	s := w.series[series]
	switch {
	case w.file == nil:
		return fmt.Errorf("write segment %s: %w", w.name, errs.Closed)
	case c.id < 1 || c.id > len(w.chunks):
		return w.badInput("series %d: unknown chunk", series)
	case !kind.Valid() || len(payload) < 1 || len(payload) > MaxPayload || int64(stats.Count) > int64(c.N):
		return w.badInput("series %d: block of kind %d, %d bytes, %d cells of %d rows", series, kind, len(payload), stats.Count, c.N)
	case stats.MinTime > stats.MaxTime || stats.MinTime < c.MinTime || stats.MaxTime > c.MaxTime:
		return w.badInput("series %d: block from %d to %d in a chunk from %d to %d", series, stats.MinTime, stats.MaxTime, c.MinTime, c.MaxTime)
	case s != nil && (s.kind != kind || stats.MinTime <= s.last):
		return w.badInput("series %d: block of kind %s from %d after one of kind %s to %d", series, kind, stats.MinTime, s.kind, s.last)
	}
	if payload[0]&flagCompressed == 0 && w.packer != nil {
		payload = w.packer.values(payload, kind, c.N)
	}
	if payload[0]&flagCompressed != 0 {
		if !w.head.Coded {
			return w.badInput("series %d: compressed block in a file without", series)
		}
		w.total.coder = coderZstd
	}
	if s == nil {
		s = &openSeries{kind: kind}
		w.series[series] = s
		w.total.series++
	}
	if n := len(w.spare); s.blocks == nil && n > 0 {
		s.blocks, w.spare = w.spare[n-1], w.spare[:n-1]
	}
	times := w.putTimes(c)
	s.last = stats.MaxTime
	s.blocks = append(s.blocks, BlockInfo{
		Series: series, Kind: kind, N: c.N, MinTime: stats.MinTime, MaxTime: stats.MaxTime,
		Stats: *stats, Times: times, Values: w.put(pieceValues, payload),
	})
	w.count(stats)
	if len(s.blocks) == maxEntryBlocks {
		w.closeEntry(s)
	}
	if len(w.buf) >= writeBuffer {
		return w.flush()
	}
	return nil
}

func (w *Writer) badInput(format string, args ...any) error {
	return fmt.Errorf("write segment %s: %s: %w", w.name, fmt.Sprintf(format, args...), errs.BadInput)
}

// count adds a block to the totals of the footer.
func (w *Writer) count(s *block.Stats) {
	t := &w.total
	if t.blocks == 0 {
		t.minTime, t.maxTime = s.MinTime, s.MaxTime
	}
	t.minTime, t.maxTime = min(t.minTime, s.MinTime), max(t.maxTime, s.MaxTime)
	t.blocks++
	t.points += uint64(s.Count)
}

// put appends a piece and its checksum to the buffer.
func (w *Writer) put(kind byte, piece []byte) Ref {
	ref := Ref{Offset: w.size, Length: uint32(len(piece))}
	start := len(w.buf)
	w.buf = append(w.buf, piece...)
	w.buf = w.sum.append(w.buf, start, kind, w.size)
	w.size += int64(len(piece)) + crcSize
	return ref
}

func (w *Writer) flush() error {
	if _, err := w.file.Write(w.buf); err != nil {
		return fmt.Errorf("write segment: %w", err)
	}
	w.buf = w.buf[:0]
	return nil
}

// closeEntry turns the collected blocks into an index entry.
func (w *Writer) closeEntry(s *openSeries) {
	if len(s.blocks) == 0 {
		return
	}
	first, last := &s.blocks[0], &s.blocks[len(s.blocks)-1]
	w.entry = w.coder.append(w.entry[:0], s.blocks)
	w.entries = append(w.entries, pendingEntry{
		series: first.Series, kind: s.kind, bytes: w.inArena(w.entry),
		minTime: first.MinTime, maxTime: last.MaxTime,
	})
	s.blocks = s.blocks[:0]
}

// inArena returns a copy of b.
func (w *Writer) inArena(b []byte) []byte {
	if len(w.arena) < len(b) {
		w.arena = make([]byte, max(arenaBytes, len(b)))
	}
	n := copy(w.arena, b)
	out := w.arena[:n:n]
	w.arena = w.arena[n:]
	return out
}

// EndSeries says that no blocks of some series follow soon, so that what is kept
// of those written takes less memory. More blocks may follow all the same.
func (w *Writer) EndSeries(series []uint32) {
	for _, id := range series {
		s := w.series[id]
		if s == nil || s.blocks == nil {
			continue
		}
		w.closeEntry(s)
		w.spare, s.blocks = append(w.spare, s.blocks), nil
	}
}

// Size returns the bytes written so far, without the index.
func (w *Writer) Size() int64 { return w.size }

// Finish writes the index, syncs and closes the file. The caller renames it and
// syncs its directory.
func (w *Writer) Finish() (Meta, error) {
	if w.file == nil {
		return Meta{}, fmt.Errorf("finish segment %s: %w", w.name, errs.Closed)
	}
	for _, s := range w.series {
		w.closeEntry(s)
	}
	sorting.By(w.entries, func(a, b pendingEntry) int {
		return cmp.Or(cmp.Compare(a.series, b.series), cmp.Compare(a.minTime, b.minTime))
	})
	w.total.index = w.size
	dir, err := w.writePages()
	if err != nil {
		return Meta{}, err
	}
	ref := w.put(pieceDirectory, dir.append(nil))
	w.total.directory, w.total.dirLen = ref.Offset, ref.Length
	w.total.version = w.head.version()
	w.total.minLSN, w.total.maxLSN = w.head.MinLSN, w.head.MaxLSN
	w.buf = w.total.append(w.buf, &w.sum, w.size)
	w.size += footSize
	if err := w.flush(); err != nil {
		return Meta{}, err
	}
	if err := w.file.Sync(); err != nil {
		return Meta{}, fmt.Errorf("sync segment: %w", err)
	}
	err = w.file.Close()
	w.file = nil
	if err != nil {
		return Meta{}, fmt.Errorf("close segment: %w", err)
	}
	return w.total.meta(w.head, w.size), nil
}

// writePages writes the sorted entries as index pages.
func (w *Writer) writePages() (*directory, error) {
	var d directory
	var content [][]byte
	var out []byte
	for i := 0; i < len(w.entries); {
		p := page{offset: w.size, first: i, minTime: w.entries[i].minTime, maxTime: w.entries[i].maxTime}
		content = content[:0]
		for size := 0; i < len(w.entries) && size < pageSize; i++ {
			e := &w.entries[i]
			content = append(content, e.bytes)
			size += len(e.bytes)
			p.minTime, p.maxTime = min(p.minTime, e.minTime), max(p.maxTime, e.maxTime)
			d.ids = append(d.ids, e.series)
			d.kinds = append(d.kinds, e.kind)
		}
		out = appendPage(out[:0], content)
		p.length = w.put(pieceIndex, out).Length
		d.pages = append(d.pages, p)
		if len(w.buf) >= writeBuffer {
			if err := w.flush(); err != nil {
				return nil, err
			}
		}
	}
	return &d, nil
}

//go:noinline
func (f *footer) meta(h Header, size int64) Meta {
	return Meta{
		Header: h, Size: size, Points: f.points, Blocks: int(f.blocks), Series: int(f.series),
		MinTime: f.minTime, MaxTime: f.maxTime, Packed: f.coder != 0,
	}
}

// Abort closes and removes the file. It does nothing after Finish succeeded.
func (w *Writer) Abort() error {
	if w.file == nil {
		return nil
	}
	err := errs.Join(w.file.Close(), w.fsys.Remove(w.name))
	w.file = nil
	if err != nil {
		return fmt.Errorf("abort segment: %w", err)
	}
	return nil
}
