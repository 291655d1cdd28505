package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/segment"
)

// A compaction is some block files to be replaced by new ones. The files of a
// store have one order, by MaxLSN: where two hold a cell of the same time, the
// later one wins. The inputs are neighbours in that order but for files that no
// input overlaps in time, and the outputs take the place of the last input; so
// the order of all that overlaps stays as it was.
type compaction struct {
	version *version     // pinned
	inputs  []*blockFile // by MaxLSN
	applied uint64       // deletes up to this LSN are in version
	reach   reach        // what has expired is left out
	older   []*blockFile // that stay, and hold times that the inputs hold
	outputs []*blockFile // of one MaxLSN, and therefore never overlapping
	written int64
}

// Compact writes the memtable out and merges all block files, at once and
// without regard to what else the store does. Deleted, expired and overwritten
// points, and those of dropped series, are gone from the disk when it returns
// and the snapshots of before are released. In memory mode there is nothing to
// do. Files that are damaged are left as they are.
func (e *Engine) Compact(ctx context.Context) error {
	if err := e.Flush(ctx); err != nil || e.log == nil {
		return err
	}
	e.compacting.Lock()
	defer e.compacting.Unlock()
	if err := e.expireFiles(); err != nil {
		return fmt.Errorf("compact: %w", full(err))
	}
	for _, run := range fitRuns(e.currentFiles()) {
		if err := e.compact(ctx, run, 0); err != nil && !errors.Is(err, errUnfit) {
			return fmt.Errorf("compact: %w", full(err))
		}
	}
	return nil
}

// errUnfit says that files cannot be merged because of a damaged one.
var errUnfit = fmt.Errorf("files cannot be merged: %w", errs.Damaged)

// fileBytes is the size from which on files are left alone: larger in a large
// store, so that the number of open files stays bounded.
func (e *Engine) fileBytes() int64 {
	sum := int64(0)
	for _, f := range e.currentFiles() {
		sum += f.meta.Size
	}
	return max(e.cfg.FileBytes, 2*sum/int64(e.cfg.MaxFiles))
}

// withTies adds to inputs, which are of files, those that have the MaxLSN of the
// last and overlap an input: the outputs get that LSN, and files of one LSN have
// no order. ok is false if one of them cannot be read.
func withTies(files, inputs []*blockFile) (out []*blockFile, ok bool) {
	top := inputs[len(inputs)-1].meta.MaxLSN
	in := func(f *blockFile) bool { return slices.Contains(inputs, f) }
	for again := true; again; {
		again = false
		for _, f := range files {
			if f.meta.MaxLSN != top || in(f) || !slices.ContainsFunc(inputs, f.overlaps) {
				continue
			}
			if !f.fit() {
				return nil, false
			}
			inputs, again = append(slices.Clip(inputs), f), true
		}
	}
	return inputs, true
}

// olderThan returns those of files that stay and may hold what is overwritten in the
// inputs.
func olderThan(files, inputs []*blockFile) (out []*blockFile) {
	top := inputs[len(inputs)-1].meta.MaxLSN
	for _, f := range files {
		if f.meta.MaxLSN <= top && !slices.Contains(inputs, f) && slices.ContainsFunc(inputs, f.overlaps) {
			out = append(out, f)
		}
	}
	return out
}

// compactLoop drops expired files and merges others when it is asked to.
func (e *Engine) compactLoop() {
	defer e.workers.Done()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for {
		select {
		case <-e.done:
			return
		case <-e.tidyNow:
		}
		e.compacting.Lock()
		err := e.expireFiles()
		for err == nil {
			inputs := pickInputs(e.currentFiles(), e.fileBytes(), e.cfg.MaxFiles)
			if inputs == nil {
				inputs = e.mostlyDead(e.currentFiles())
			}
			if inputs == nil {
				inputs = e.cooled(e.currentFiles())
			}
			if inputs == nil {
				break
			}
			if err = e.compact(ctx, inputs, e.cfg.CompactRate); errors.Is(err, errUnfit) {
				err = nil
				break
			}
		}
		e.compacting.Unlock()
		e.tidied.tell(err)
		if err != nil && !errors.Is(err, errs.Closed) {
			e.logger.Warn("tickwell: compaction failed", "err", err)
		}
	}
}

// wantTidy asks for a look at the block files.
func (e *Engine) wantTidy() {
	select {
	case e.tidyNow <- struct{}{}:
	default:
	}
}

// currentFiles returns the block files of now. They stay open while compacting
// is held, for only its holder takes files away.
func (e *Engine) currentFiles() []*blockFile {
	e.gate.RLock()
	defer e.gate.RUnlock()
	return e.version.files
}

// compact replaces the inputs. The compacting lock is held; flushes go on
// meanwhile.
func (e *Engine) compact(ctx context.Context, inputs []*blockFile, rate int64) error {
	for {
		all, ok := withTies(e.currentFiles(), inputs)
		if ok {
			inputs = all
			break
		}
		top := inputs[len(inputs)-1].meta.MaxLSN
		inputs = slices.DeleteFunc(slices.Clone(inputs), func(f *blockFile) bool { return f.meta.MaxLSN == top })
		if len(inputs) == 0 {
			return errUnfit
		}
	}
	e.flushing.Lock()
	e.gate.RLock()
	c := &compaction{version: e.version, inputs: inputs, applied: e.disk.now.Flushed}
	closed := e.closed
	if !closed {
		c.version.ref()
	}
	e.gate.RUnlock()
	e.flushing.Unlock()
	if closed {
		return errs.Closed
	}
	defer c.version.unref()
	c.reach, c.older = e.reach(), olderThan(c.version.files, inputs)
	err := e.writeCompacted(ctx, c, rate)
	if err == nil {
		// What is left out because of a drop or a setting must not come back.
		err = e.settle(ctx)
	}
	if err != nil {
		for _, f := range c.outputs {
			f.reader.Close()
			e.fs.Remove(e.disk.blockName(f.meta.No))
		}
		return err
	}
	e.carryTails(c.inputs, c.outputs)
	if err := e.replaceFiles(c.inputs, c.outputs); err != nil {
		for _, f := range c.outputs {
			f.reader.Close() // the edit may be on the disk: the files must stay
		}
		return err
	}
	e.compactions.Add(1)
	e.compacted.Add(c.written)
	return nil
}

// largestTails is the size of a compacted file up to which it gets the tails of
// the files that it replaces: an index has to be read for them.
const largestTails = 64 << 20

// carryTails gives the newest of the outputs tails if one of the inputs had them.
func (e *Engine) carryTails(inputs, outputs []*blockFile) {
	if len(outputs) == 0 || !slices.ContainsFunc(inputs, func(f *blockFile) bool { return f.tails.Load() != nil }) {
		return
	}
	newest := slices.MaxFunc(outputs, func(a, b *blockFile) int { return cmp.Compare(a.meta.MaxTime, b.meta.MaxTime) })
	if newest.meta.Size <= largestTails {
		newest.keepTails(e.tailRoom)
	}
}

// handOverTails leaves tails to one file: those of files that a snapshot still
// reads take no room any more, and a flush during the compaction, which gave them
// to its own file, has the newer ones.
func handOverTails(files, gone, added []*blockFile) {
	newer := slices.ContainsFunc(files, func(f *blockFile) bool { return f.tails.Load() != nil && !slices.Contains(gone, f) })
	for _, f := range gone {
		f.tails.Store(nil)
	}
	if newer {
		for _, f := range added {
			f.tails.Store(nil)
		}
	}
}

// replaceFiles makes an edit of the manifest that takes files away and adds
// others, and shows the outcome. The compacting lock is held.
func (e *Engine) replaceFiles(gone, added []*blockFile) error {
	e.flushing.Lock()
	defer e.flushing.Unlock()
	var ed edit
	files := slices.DeleteFunc(slices.Clone(e.currentFiles()), func(f *blockFile) bool { return slices.Contains(gone, f) })
	files = append(files, added...)
	sortFiles(files)
	for _, f := range gone {
		ed.tag(editRemoveFile, f.meta.No)
	}
	for _, f := range added {
		ed.addFile(f.meta)
		ed.tag(editApplied, f.meta.No, f.meta.Applied)
	}
	ed.tag(editFloor, zigzag(e.retention.floor.Load()))
	for _, m := range e.disk.now.Masks {
		if !slices.ContainsFunc(files, func(f *blockFile) bool { return f.needs(m) }) {
			ed.dropMask(m)
		}
	}
	if err := e.disk.commit(ed); err != nil {
		return err
	}
	for _, f := range gone {
		f.gone.Store(true)
	}
	v := versionOf(files, e.disk.now.Masks)
	e.gate.Lock()
	old := e.version
	handOverTails(old.files, gone, added)
	v.gen = old.gen + 1
	e.version = v
	e.lasts.begin(v.gen)
	e.gate.Unlock()
	old.unref()
	return nil
}

// needs reports whether the delete hides something in the file.
func (f *blockFile) needs(m seriesMask) bool {
	if f.meta.MaxLSN >= m.LSN || f.meta.Applied >= m.LSN || f.meta.MaxTime < m.From || f.meta.MinTime >= m.To {
		return false
	}
	return f.lost || f.reader.Has(m.id)
}

// overlaps reports whether the files may hold the same time.
func (f *blockFile) overlaps(g *blockFile) bool {
	return f.meta.MinTime <= g.meta.MaxTime && g.meta.MinTime <= f.meta.MaxTime
}

// fit reports whether the file can be read and so be compacted.
func (f *blockFile) fit() bool { return !f.lost && !f.unfit.Load() }

// minInputs is the number of files from which on merging is worth it.
const minInputs = 4

// maxWindow bounds the search for files to merge.
const maxWindow = 64

// pickInputs chooses the files that are merged next, nil if there is nothing to
// gain: size-tiered, so that a point is written again about as often as the
// logarithm of the store's size. Files of at least keep bytes that overlap no
// other are left alone. With more than limit files it takes the cheapest.
func pickInputs(files []*blockFile, keep int64, limit int) []*blockFile {
	var best []*blockFile
	bestCost := 0.0
	crowded := len(files) > limit
	for start := max(0, len(files)-maxWindow); start+minInputs <= len(files); start++ {
		inputs := inputsOf(files[start:], keep)
		if len(inputs) < minInputs {
			continue
		}
		sum, largest := int64(0), int64(0)
		for _, f := range inputs {
			sum += f.meta.Size
			largest = max(largest, f.meta.Size)
		}
		if largest > sum-largest && !crowded {
			continue
		}
		if cost := float64(sum) / float64(len(inputs)); best == nil || cost < bestCost {
			best, bestCost = inputs, cost
		}
	}
	return best
}

// inputsOf returns the files of a window that have to be merged together, nil
// if they cannot be.
func inputsOf(window []*blockFile, keep int64) []*blockFile {
	in := make([]bool, len(window))
	for i, f := range window {
		in[i] = f.fit() && f.meta.Size < keep
	}
	for again := true; again; {
		again = false
		for i, f := range window {
			if in[i] {
				continue
			}
			for j, g := range window {
				if !in[j] || !f.overlaps(g) {
					continue
				}
				if !f.fit() {
					return nil
				}
				in[i], again = true, true
				break
			}
		}
	}
	var out []*blockFile
	for i, f := range window {
		if in[i] {
			out = append(out, f)
		}
	}
	return out
}

// fitRuns splits files at those that cannot be read.
func fitRuns(files []*blockFile) [][]*blockFile {
	var runs [][]*blockFile
	start := 0
	for i := 0; i <= len(files); i++ {
		if i == len(files) || !files[i].fit() {
			if i > start {
				runs = append(runs, files[start:i])
			}
			start = i + 1
		}
	}
	return runs
}

// mostlyDead returns a file at least half of whose series were dropped.
func (e *Engine) mostlyDead(files []*blockFile) []*blockFile {
	for _, f := range files {
		if !f.fit() {
			continue
		}
		all, dead := 0, 0
		for id := range f.reader.Series() {
			all++
			if _, ok := e.cat.ByID(id); !ok {
				dead++
			}
		}
		if dead > 0 && 2*dead >= all {
			return []*blockFile{f}
		}
	}
	return nil
}

// createBlocks starts a block file under its temporary name.
func (e *Engine) createBlocks(h segment.Header) (*segment.Writer, uint64, error) {
	e.flushing.Lock()
	no := e.disk.number()
	e.flushing.Unlock()
	h.StoreID, h.FileNo = e.disk.store, no
	w, err := segment.Create(e.fs, e.disk.blockName(no)+tmpSuffix, h)
	if err == nil && h.Cold {
		w.Compress(e.cfg.Coder)
	}
	return w, no, err
}
