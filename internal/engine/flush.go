package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tidwall/btree"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/memtable"
	"github.com/tickwell/tickwell/internal/merge"
	"github.com/tickwell/tickwell/internal/segment"
)

// frozen is a memtable on its way to the disk, with the state of everything
// else at the same log position.
type frozen struct {
	table      *memtable.Table
	lsn        uint64 // last commit in it
	after      uint64 // last commit before it
	state      *btree.Map[string, *stateValue]
	series     []*Series
	nextSeries uint32
}

// Flush writes the memtable to a block file and returns when it is done. In
// memory mode there is nothing to do.
func (e *Engine) Flush(ctx context.Context) error {
	if e.stopped.Load() {
		return errs.Closed
	}
	if e.log == nil {
		return ctx.Err()
	}
	if e.cfg.ReadOnly {
		return fmt.Errorf("flush: %w", errs.ReadOnly)
	}
	return full(e.flush(ctx, true))
}

// flush writes what an earlier attempt froze, if that failed, and, if all is
// set or nothing was left over, what is in memory now.
func (e *Engine) flush(ctx context.Context, all bool) error {
	e.flushing.Lock()
	defer e.flushing.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	leftover := e.frozen != nil
	for {
		if e.frozen == nil {
			// Rotating is for Retire only: what the log could not store is in memory.
			if err := e.log.Rotate(); err != nil && !errors.Is(err, errs.NoSpace) {
				e.room.tell(err)
				return fmt.Errorf("flush: %w", err)
			}
		}
		f := e.freeze()
		if f == nil {
			e.room.tell(nil)
			if e.disk.manifest != nil { // else it is in doubt, see readManifest
				e.retireLog() // what an earlier run left
			}
			return nil
		}
		e.shapes.release(f.table)
		f.table.Pack()
		e.frozenBytes.Store(f.table.Bytes())
		before := e.written.Load()
		err := e.writeFrozen(f)
		e.rest(err, e.written.Load()-before)
		e.outbox.release()
		if err != nil {
			e.room.tell(err)
			return fmt.Errorf("flush: %w", err)
		}
		e.flushes.Add(1)
		e.room.tell(nil)
		if !leftover || !all {
			return nil
		}
		leftover = false
	}
}

// freeze puts a new memtable in the place of the present one, which takes no
// writes from then on. It returns nil if nothing was committed since the last
// flush.
func (e *Engine) freeze() *frozen {
	e.alone()
	defer e.together()
	if e.frozen != nil {
		return e.frozen
	}
	lsn := e.cutLSN()
	if e.closed || lsn == e.disk.now.Flushed {
		return nil
	}
	f := &frozen{
		table: e.mem, lsn: lsn, after: e.disk.now.Flushed,
		state: e.kv.copy(), series: e.cat.Definitions(), nextSeries: e.cat.NextID(),
	}
	e.outbox.cursorsInto(f.state)
	e.frozen = f
	e.frozenBytes.Store(e.mem.Bytes())
	e.points.Add(e.mem.Accepted())
	e.mem = e.newTable()
	e.active.Store(e.mem)
	clear(e.recent)
	e.recent, e.defs = e.recent[:0], nil
	return f
}

// writeFrozen makes f durable in files. The manifest edit is the commit point:
// before it nothing refers to the new files, after it the log is not needed up
// to f.lsn.
func (e *Engine) writeFrozen(f *frozen) error {
	d := &e.disk
	// With the log on the disk a crash never leaves files that it does not cover,
	// and Open can tell a crash from a lost edit.
	if err := e.log.Sync(context.Background()); err != nil {
		return err
	}
	var ed edit
	var made []string
	var file *blockFile
	fail := func(err error) error {
		if file != nil {
			file.reader.Close()
		}
		for _, name := range made {
			d.fs.Remove(name)
		}
		return err
	}
	file, err := e.writeBlocks(f)
	if err != nil {
		return err
	}
	if file != nil {
		ed.addFile(file.meta)
		made = append(made, d.blockName(file.meta.No))
		if e.tailRoom > 0 && file.meta.MaxTime >= e.newestFiled() {
			file.keepTails(e.tailRoom)
		}
	}
	if e.log.Durable() < f.lsn { // refused for want of space: takeInUnnamed shall not take a crash before the edit for its loss
		d.number()
	}
	state, catalog := d.number(), d.number() // the two after the block file's: takeInUnnamed counts on it
	made = append(made, d.stateName(state), d.catalogName(catalog))
	if err := e.writeState(f, state); err != nil {
		return fail(err)
	}
	if err := e.writeCatalog(f, catalog); err != nil {
		return fail(err)
	}
	seg, err := e.writeOutbox(f)
	if err != nil {
		return fail(err)
	}
	if seg.No != 0 {
		made = append(made, d.outboxName(seg.No))
		ed.tag(editAddOutbox, seg.No, seg.MinLSN, seg.MaxLSN)
	}
	oldest := e.outbox.oldest()
	for _, s := range d.now.Outbox {
		if s.MaxLSN < oldest {
			ed.tag(editDropOutbox, s.No)
		}
	}
	for _, m := range f.masks() {
		if slices.ContainsFunc(e.currentFiles(), func(f *blockFile) bool { return f.needs(m) }) {
			ed.mask(m)
		}
	}
	ed.tag(editFlushed, f.lsn)
	ed.tag(editState, state)
	ed.tag(editCatalog, catalog)
	old := d.now.Catalog
	if d.damaged[d.catalogName(old)] {
		old = 0
	}
	ed.tag(editOldCatalog, old)
	ed.tag(editNextSeries, uint64(f.nextSeries))
	before := d.now.clone()
	if err := d.commit(ed); err != nil {
		// The edit may be on the disk: the new files must stay. The next flush
		// writes them again under other numbers, or Open finds out.
		made = nil
		return fail(err)
	}
	e.outbox.setSegments(d.now.Outbox, seg)
	e.flushed.Store(f.lsn) // after it readers of events look there
	e.publish(file)
	e.outbox.wakeAll()
	e.removeOld(before)
	e.log.Resume(f.lsn)
	e.poke(wantWake) // events that the log refused are in a file now
	e.retireLog()
	e.wantTidy()
	return nil
}

// retireLog gives up the part of the log that is in files.
func (e *Engine) retireLog() {
	if err := e.log.Retire(e.disk.now.Flushed); err != nil {
		e.logger.Warn("tickwell: log segments were not retired", "err", err)
	}
}

// publish shows a flushed file in the place of the frozen memtable.
func (e *Engine) publish(file *blockFile) {
	e.gate.Lock()
	old := e.version
	files := slices.Clone(old.files)
	if file != nil {
		files = append(files, file)
	}
	if file != nil && file.tails.Load() != nil {
		for _, f := range old.files {
			f.tails.Store(nil)
		}
	}
	e.version = versionOf(files, e.disk.now.Masks)
	e.version.gen, e.version.upTo = old.gen, e.disk.now.Flushed // of a flush of deletes alone, too
	e.frozen = nil
	e.frozenBytes.Store(0)
	e.gate.Unlock()
	old.unref()
}

// removeOld removes files that the manifest no longer names. What cannot be
// removed now is an orphan at the next Open.
func (e *Engine) removeOld(before manifest) {
	d := &e.disk
	if before.State != 0 && before.State != d.now.State {
		e.discard(d.stateName(before.State))
	}
	for _, no := range []uint64{before.Catalog, before.OldCatalog} {
		if no != 0 && no != d.now.Catalog && no != d.now.OldCatalog {
			e.discard(d.catalogName(no))
		}
	}
	for _, s := range before.Outbox {
		if !slices.Contains(d.now.Outbox, s) {
			e.discard(d.outboxName(s.No))
		}
	}
}

// masks returns the deletes in the frozen memtable.
func (f *frozen) masks() []seriesMask {
	var out []seriesMask
	for _, dev := range f.table.Devices() {
		dev.AllMasks(func(id uint32, m merge.Mask) { out = append(out, seriesMask{id, m}) })
	}
	return out
}

// writeBlocks writes the rows of f to one block file and opens it. It returns
// nil when there are no rows.
func (e *Engine) writeBlocks(f *frozen) (*blockFile, error) {
	d := &e.disk
	no := d.number()
	name := d.blockName(no)
	w, err := segment.Create(d.fs, name+tmpSuffix, segment.Header{StoreID: d.store, FileNo: no, MinLSN: f.after + 1, MaxLSN: f.lsn})
	if err != nil {
		return nil, err
	}
	live := map[uint32]bool{}
	for _, s := range f.series {
		live[s.ID] = true
	}
	bw := blockWriter{w: w, rows: e.cfg.BlockRows}
	for _, dev := range f.table.Devices() {
		for _, l := range dev.Components() {
			if err := bw.component(dev, &l, live); err != nil {
				w.Abort()
				return nil, err
			}
		}
	}
	if bw.blocks == 0 {
		return nil, w.Abort()
	}
	return e.finishBlocks(w, no)
}

// finishBlocks ends a block file, gives it its name and opens it. Every byte of
// it is on the disk then.
func (e *Engine) finishBlocks(w *segment.Writer, no uint64) (*blockFile, error) {
	d := &e.disk
	name := d.blockName(no)
	meta, err := w.Finish()
	if err != nil {
		w.Abort()
		return nil, err
	}
	if err := d.fs.Rename(name+tmpSuffix, name); err != nil {
		d.fs.Remove(name + tmpSuffix)
		return nil, err
	}
	if err := d.fs.SyncDir(d.path("data")); err != nil {
		return nil, err
	}
	return e.openBlocks(fileMeta{
		No: no, MinLSN: meta.MinLSN, MaxLSN: meta.MaxLSN, Size: meta.Size,
		MinTime: meta.MinTime, MaxTime: meta.MaxTime, Points: meta.Points,
	})
}

// openBlocks opens a block file of the store.
func (e *Engine) openBlocks(m fileMeta) (*blockFile, error) {
	s := &e.disk
	name := s.blockName(m.No)
	r, err := e.files.Open(name, s.store, m.No, e.pages)
	if err != nil {
		return nil, err
	}
	if r.Meta().Packed && e.cfg.Coder == nil {
		r.Close()
		return nil, fmt.Errorf("%s: %w", s.relative(name), segment.ErrCoder)
	}
	return &blockFile{meta: m, name: numbered("data/", m.No, ".blk"), reader: r, remove: func() { s.fs.Remove(name) }}, nil
}

// blockWriter writes memtable rows to a block file.
type blockWriter struct {
	w      *segment.Writer
	rows   int // of a block
	blocks int
	pace   func(*segment.Writer) error // called now and then, may wait; nil = no

	scratch segment.Scratch
	paidFor int64 // bytes written when pace was last called

	ids     []uint32
	kinds   []column.Kind
	pending memtable.Rows
	group   chunkGroup
	merged  merge.Rows
	sources []merge.Source
	found   lookup
}

// component writes series that share groups: chunks that nothing overlaps are
// copied as they are encoded, the rest is merged and encoded again.
func (bw *blockWriter) component(dev *memtable.Device, l *memtable.Layout, live map[uint32]bool) error {
	bw.ids, bw.kinds = bw.ids[:0:0], bw.kinds[:0:0]
	for i, id := range l.IDs {
		if live[id] {
			bw.ids, bw.kinds = append(bw.ids, id), append(bw.kinds, l.Kinds[i])
		}
	}
	if len(bw.ids) == 0 {
		return nil
	}
	masks := make([][]merge.Mask, len(bw.ids))
	for i, id := range bw.ids {
		masks[i] = dev.Masks(nil, id, memtable.Newest)
	}
	sources := dev.Sources(nil, bw.ids, memtable.Newest, MinTime, MaxTime+1)
	return bw.merge(masks, MinTime, MaxTime+1, sources)
}

// merge writes rows with from <= time < to of the series in bw.
func (bw *blockWriter) merge(masks [][]merge.Mask, from, to int64, sources []merge.Source) error {
	bw.reset()
	bw.group.forget()
	r := &bw.merged
	r.Again(bw.kinds, masks, from, to, sources)
	for {
		if b, ok := r.Peek(); ok && b.N >= bw.rows/2 && b.N <= bw.rows {
			if err := bw.flush(); err != nil {
				return err
			}
			if err := bw.copyBlock(b); err != nil {
				return err
			}
			r.Skip()
			continue
		}
		if !r.Next() {
			break
		}
		if err := bw.add(r); err != nil {
			return err
		}
	}
	if err := r.Err(); err != nil {
		return err
	}
	if err := bw.flush(); err != nil {
		return err
	}
	if err := bw.writeGroup(); err != nil {
		return err
	}
	bw.w.EndSeries(bw.ids)
	return nil
}

// copyBlock writes a chunk as it is encoded.
func (bw *blockWriter) copyBlock(b *merge.Block) error {
	if c, ok := b.Chunk.(*fileChunk); ok {
		return bw.copyFileChunk(b, c)
	}
	s, ok := memtable.SealedOf(b.Chunk)
	if !ok { // only encoded chunks are whole
		return errs.BadInput
	}
	return bw.copyChunk(s, b.Cols)
}

// paceBytes is how much is written between two calls of pace.
const paceBytes = 256 << 10

func (bw *blockWriter) paced() error {
	if bw.pace == nil || bw.w.Size()-bw.paidFor < paceBytes {
		return nil
	}
	bw.paidFor = bw.w.Size()
	return bw.pace(bw.w)
}

// copyChunk puts an encoded chunk, which does not change, into the group; cols are
// its columns of the component's series.
func (bw *blockWriter) copyChunk(s *memtable.Sealed, cols []int) error {
	n := 0
	for _, c := range cols {
		if c >= 0 {
			n += len(s.Col(c))
		}
	}
	if err := bw.roomFor(len(s.Times), n); err != nil {
		return err
	}
	ref, err := bw.w.BeginChunk(s.Times, s.N, s.Min, s.Max)
	if err != nil {
		return err
	}
	bw.group.begin(ref, len(cols), len(s.Times))
	for i, c := range cols {
		if c >= 0 && s.Col(c) != nil {
			bw.group.add(i, len(cols), s.Col(c), s.Stats(c))
		}
	}
	return nil
}

func (bw *blockWriter) reset() {
	p := &bw.pending
	p.Times = p.Times[:0]
	for len(p.Cols) < len(bw.kinds) {
		p.Cols, p.Nulls = append(p.Cols, column.Vector{}), append(p.Nulls, nil)
	}
	p.Cols, p.Nulls = p.Cols[:len(bw.kinds)], p.Nulls[:len(bw.kinds)]
	for i := range p.Cols {
		p.Cols[i].Reset(bw.kinds[i])
		clear(p.Nulls[i])
		p.Nulls[i] = p.Nulls[i][:0]
	}
}

// add takes the rows of r's batch, a block at a time.
func (bw *blockWriter) add(r *merge.Rows) error {
	times := r.Times()
	for lo := 0; lo < len(times); {
		at := len(bw.pending.Times)
		hi := min(len(times), lo+bw.rows-at)
		bw.pending.Times = append(bw.pending.Times, times[lo:hi]...)
		for c := range bw.kinds {
			v, nulls := r.Col(c)
			bw.pending.Cols[c].AppendRange(v, lo, hi)
			for i := lo; i < hi && nulls != nil; i++ {
				if nulls.Get(i) {
					bw.pending.Nulls[c].Set(at + i - lo)
				}
			}
		}
		lo = hi
		if len(bw.pending.Times) == bw.rows {
			if err := bw.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// flush encodes and writes the pending rows.
func (bw *blockWriter) flush() error {
	if len(bw.pending.Times) == 0 {
		return nil
	}
	s := memtable.Seal(bw.kinds, &bw.pending, 0, len(bw.pending.Times))
	cols := make([]int, len(bw.kinds))
	for i := range cols {
		cols[i] = i
	}
	bw.reset()
	return bw.copyChunk(s, cols)
}

// writeState writes the durable state to STATE-no.
func (e *Engine) writeState(f *frozen, no uint64) error {
	w, err := createFramed(e.fs, e.disk.stateName(no), magicState, e.disk.store, no)
	if err != nil {
		return err
	}
	w.parity = new(parity)
	var frame []byte
	f.state.Scan(func(key string, v *stateValue) bool {
		body := appendPut(nil, &Put{Kind: v.kind, Key: key, Value: v.value})
		frame = appendSection(frame, sectionPut, body)
		if len(frame) >= stateFrame {
			err = w.frame(frame)
			frame = frame[:0]
		}
		return err == nil
	})
	if err == nil && len(frame) > 0 {
		err = w.frame(frame)
	}
	if err != nil {
		w.abort()
		return err
	}
	return w.finish()
}

// stateFrame is the size of a frame of STATE, unless a value is larger. What makes up
// for a frame is as large as the longest.
const stateFrame = 4 << 10

// frameTarget is the size at which a frame of sections is written.
const frameTarget = 64 << 10

// writeCatalog writes the definitions of all series to CATALOG-no.
func (e *Engine) writeCatalog(f *frozen, no uint64) error {
	w, err := createFramed(e.fs, e.disk.catalogName(no), magicCatalog, e.disk.store, no)
	if err != nil {
		return err
	}
	w.parity = new(parity)
	var defs []byte
	for i := 0; i < len(f.series) && err == nil; i += catalogFrame {
		part := f.series[i:min(i+catalogFrame, len(f.series))]
		defs = appendSection(defs[:0], sectionSeries, appendSeries(nil, part))
		err = w.frame(defs)
	}
	if err != nil {
		w.abort()
		return err
	}
	return w.finish()
}

// catalogFrame is the number of definitions of one frame.
const catalogFrame = 256
