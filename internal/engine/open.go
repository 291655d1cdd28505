package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/tickwell/tickwell/internal/catalog"
	"github.com/tickwell/tickwell/internal/codec"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/merge"
	"github.com/tickwell/tickwell/internal/wal"
	"github.com/tickwell/tickwell/vfs"
)

// openDir brings the store in the directory back: LOCK, CURRENT, manifest,
// catalogue and state, block files, log; then it removes what nothing names.
func (e *Engine) openDir(ctx context.Context) error {
	d := &e.disk
	d.fs, d.dir = e.fs, e.cfg.Dir
	if e.cfg.ReadOnly {
		return e.loadDir(ctx)
	}
	if err := makeParents(d.fs, filepath.Dir(d.dir)); err != nil {
		return err
	}
	for _, sub := range []string{"", "data", "outbox", "wal"} {
		if err := d.fs.MkdirAll(d.path(sub)); err != nil {
			return err
		}
	}
	// Someone may take LOCK for what a killed process left behind and remove it; the
	// folder that has everything in it stays. Not every file system can lock that.
	for _, name := range []string{"LOCK", "data"} {
		lock, err := d.fs.Lock(d.path(name))
		switch {
		case errors.Is(err, vfs.ErrLocked):
			return fmt.Errorf("%w: %w", errs.Locked, err)
		case err == nil:
			e.locks = append(e.locks, lock)
		case name == "LOCK":
			return err
		}
	}
	if err := e.loadDir(ctx); err != nil {
		return err
	}
	e.removeOrphans()
	e.tidyLog(ctx)
	e.log.Prepare()
	if e.log.Last() > d.now.Flushed && e.mem.Bytes() > e.cfg.MemtableBytes {
		e.wantFlush()
	}
	return nil
}

// loadDir reads everything.
func (e *Engine) loadDir(ctx context.Context) error {
	d := &e.disk
	if err := e.openManifest(); err != nil {
		return err
	}
	if !e.cfg.ReadOnly {
		if err := e.readLostMark(); err != nil {
			return err
		}
		if err := e.takeInUnnamed(); err != nil {
			return err
		}
	}
	if err := e.loadFiles(); err != nil {
		return err
	}
	r := replay{e: e}
	defer r.second.stop()
	log, report, err := wal.Open(wal.Config{
		FS: d.fs, Dir: d.path("wal"), StoreID: d.store,
		SegmentBytes: e.cfg.SegmentBytes, Recycle: e.cfg.Recycle,
		Clock: e.clock, Policy: e.cfg.Sync, Logger: e.cfg.Logger, Hold: true,
		OnDurable: func(uint64) { e.poke(wantWake) },
		OnFailed:  e.lostPositions,
		ReadOnly:  e.cfg.ReadOnly,
	}, d.now.Flushed, func(lsn uint64, kind uint8, payload []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return r.record(lsn, kind, payload)
	})
	if err != nil {
		return err
	}
	e.log = log
	if err := r.finish(); err != nil {
		return err
	}
	for _, lsn := range r.unused {
		log.Keep(lsn)
	}
	for _, dm := range report.Damage {
		e.report.LostLog = append(e.report.LostLog, dm.String())
	}
	e.loadTTLs(true)
	return nil
}

// makeParents makes a directory with its parents, and each durable in its own.
func makeParents(fsys vfs.FS, dir string) error {
	if _, err := fsys.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return nil // there, or MkdirAll says what is wrong
	}
	up := filepath.Dir(dir)
	if up == dir {
		return nil
	}
	if err := makeParents(fsys, up); err != nil {
		return err
	}
	if err := fsys.MkdirAll(dir); err != nil {
		return err
	}
	return fsys.SyncDir(up)
}

// maxSegments is the number of log segments from which on Open flushes when
// they are mostly empty: a store that is opened and closed often has one more
// each time.
const maxSegments = 8

// tidyLog moves a log of many small segments into a block file.
func (e *Engine) tidyLog(ctx context.Context) {
	n := e.log.Segments()
	if n <= maxSegments || e.log.Bytes() > int64(n)*e.cfg.SegmentBytes/2 || e.cfg.ManualFlush {
		return
	}
	if err := e.flush(ctx, true); err != nil {
		e.logger.Warn("tickwell: flush of a log of many segments failed", "segments", n, "err", err)
	}
}

// openManifest finds the manifest, or makes the first one.
func (e *Engine) openManifest() error {
	d := &e.disk
	b, err := vfs.ReadFile(d.fs, d.path("CURRENT"))
	if err == nil {
		var no uint64
		if d.store, no, err = readHeader(b, magicCurrent); err == nil {
			if err = e.readManifest(no); err == nil {
				return nil
			}
			if !errors.Is(err, errs.Corrupt) && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			e.quarantine(d.manifestName(no), err)
			d.lost = true
		} else if errors.Is(err, errs.Corrupt) {
			e.quarantine(d.path("CURRENT"), err)
		} else {
			return err
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return e.searchManifest()
}

// searchManifest does without CURRENT: the newest readable manifest counts. If
// there is none the store is new, or everything that names its files is lost.
func (e *Engine) searchManifest() error {
	d := &e.disk
	names, err := d.fs.List(d.dir)
	if err != nil {
		return err
	}
	for i := len(names) - 1; i >= 0; i-- {
		no, ok := parseNumbered(names[i], "MANIFEST-", "")
		if !ok {
			continue
		}
		if err := e.readManifest(no); err != nil {
			if !errors.Is(err, errs.Corrupt) {
				return err
			}
			d.lost = true // it may be the one that counted
			continue
		}
		if e.cfg.ReadOnly {
			return nil
		}
		return e.renew()
	}
	if e.cfg.ReadOnly {
		if d.store != 0 || e.guessStore() != 0 {
			return fmt.Errorf("no manifest can be read: %w", errs.Corrupt)
		}
		return fmt.Errorf("no manifest: %w", errs.NotFound)
	}
	if d.store == 0 {
		d.store = e.guessStore()
	}
	if d.store == 0 {
		e.report.Created = true
		for d.store == 0 {
			d.store = e.cfg.Seed()
		}
	}
	d.now, d.lost = manifest{NextNo: 1, NextSeries: 1, Floor: math.MinInt64}, true
	// A parent that may not be opened is taken as it is: whoever made the store's
	// directory there has to sync it.
	if err := d.fs.SyncDir(filepath.Dir(d.dir)); err != nil && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return e.renew()
}

// renew writes a manifest in the place of one that is lost, if it is not the store
// that is new. The mark is there first.
func (e *Engine) renew() error {
	if e.disk.lost {
		if err := e.markLost(); err != nil {
			return err
		}
	}
	return e.disk.rewrite(e.disk.now)
}

// guessStore reads the store id from any block file when nothing else is left.
func (e *Engine) guessStore() uint64 {
	d := &e.disk
	for _, prefix := range []string{"STATE-", "CATALOG-", "MANIFEST-"} {
		names, err := d.fs.List(d.dir)
		if err != nil {
			return 0
		}
		for _, name := range names {
			if _, ok := parseNumbered(name, prefix, ""); !ok {
				continue
			}
			b, err := vfs.ReadFile(d.fs, d.path(name))
			if err != nil || len(b) < headerSize {
				continue
			}
			if store, _, err := readHeader(b, string(b[:8])); err == nil {
				return store
			}
		}
	}
	return 0
}

// readManifest loads a manifest. Files of an edit that is
// lost are orphans, or are taken in again when the log does not reach back far
// enough.
func (e *Engine) readManifest(no uint64) error {
	d := &e.disk
	name := d.manifestName(no)
	b, err := vfs.ReadFile(d.fs, name)
	if err != nil {
		return err
	}
	store, n, err := readHeader(b, magicManifest)
	bad := errors.Is(err, errs.Corrupt) && d.store != 0 // the frames know their store and number, too
	if bad {
		store, n = d.store, no
	} else if err != nil {
		return err
	}
	if n != no || d.store != 0 && store != d.store {
		return fmt.Errorf("manifest %d of store %x: %w", n, store, errs.Corrupt)
	}
	m := manifest{Floor: math.MinInt64}
	seq, lost := uint64(0), false
	damaged, _, err := salvage(b, store, no, func(payload []byte, _ bool) error {
		w := wire{codec.Reader{Src: payload}}
		tag, n := w.Byte(), w.Uvarint()
		if w.Bad || tag != editSeq {
			return fmt.Errorf("manifest edit without a number: %w", errs.Corrupt)
		}
		if n != seq+1 || lost {
			lost = lost || n > seq+1
			return nil // seen already, or both copies of one before it are damaged
		}
		seq = n
		return m.apply(w.Src)
	})
	if err != nil && !errors.Is(err, errs.Corrupt) {
		return err
	}
	if seq == 0 {
		return errs.Join(err, fmt.Errorf("manifest %d has no edit: %w", no, errs.Corrupt))
	}
	d.store, d.now, d.no, d.size, d.seq = store, m, no, int64(len(b)), seq
	if d.now.NextNo <= no {
		d.now.NextNo = no + 1
	}
	if err != nil || bad || damaged {
		e.logger.Warn("tickwell: manifest is torn or damaged", "file", name, "edits lost", lost, "err", err)
	}
	// It is not appended to, for its last bytes may be in the cache of the
	// operating system only: the next edit writes a new one, and nothing that it
	// does not name is removed before.
	return nil
}

// loadFiles reads catalogue, state and outbox segments and opens the block
// files.
func (e *Engine) loadFiles() error {
	d := &e.disk
	if err := e.loadCatalog(d.now.Catalog); err != nil {
		return err
	}
	e.cat.SetNextID(d.now.NextSeries)
	if err := e.loadState(d.now.State); err != nil {
		return err
	}
	for _, s := range d.now.Outbox {
		if err := e.loadOutbox(s); err != nil {
			return err
		}
	}
	for _, m := range d.now.Files {
		if err := e.loadBlocks(m); err != nil {
			return err
		}
	}
	e.version = versionOf(e.version.files, d.now.Masks)
	e.learnTails()
	e.flushed.Store(d.now.Flushed)
	e.retention.floor.Store(d.now.Floor)
	return nil
}

// damaged handles an unreadable file: damage is reported, other errors end Open. The
// file is put aside when the next flush has written another in its place: until then
// what can be read of it is nowhere else.
func (e *Engine) damaged(name string, err error) error {
	if err == nil || !errors.Is(err, errs.Corrupt) && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	e.reportDamage(name, err)
	return nil
}

// loadCatalog reads the definitions. Where the catalogue is damaged the one
// before it tells what it can.
func (e *Engine) loadCatalog(no uint64) error {
	if no == 0 {
		return nil
	}
	name := e.disk.catalogName(no)
	var gaps []idRange
	next := uint32(1)
	err := e.readCatalog(no, func(body []byte, gap bool) error {
		first, last, err := e.addDefinitions(body)
		if gap {
			gaps = append(gaps, idRange{next, first})
		}
		next = last + 1
		return err
	})
	if err == nil {
		return nil
	}
	whole := errors.Is(err, errRepaired)
	if err := e.damaged(name, err); err != nil || whole {
		return err
	}
	lost := &e.disk.lostIDs
	lost.catalog, lost.gaps = name, append(gaps, idRange{next, min(e.disk.now.NextSeries, catalog.MaxID)})
	if e.disk.now.OldCatalog == 0 {
		return nil
	}
	next = 0
	err = e.readCatalog(e.disk.now.OldCatalog, func(body []byte, _ bool) error {
		w := wire{codec.Reader{Src: body}}
		for _, def := range w.definitions() {
			if next = def.ID + 1; among(lost.gaps, def.ID) {
				if _, err := e.cat.Add(def); err != nil {
					e.logger.Warn("tickwell: definition of an older catalogue", "err", err)
				}
			}
		}
		return nil
	})
	if err == nil || errors.Is(err, errRepaired) {
		lost.after(next)
	}
	if err != nil {
		e.logger.Warn("tickwell: the older catalogue does not help", "err", err)
	}
	return nil
}

func (e *Engine) readCatalog(no uint64, f func(body []byte, gap bool) error) error {
	return readFramed(e.fs, e.disk.catalogName(no), magicCatalog, e.disk.store, no, func(b []byte, gap bool) error {
		return eachSection(b, func(kind uint8, body []byte) error {
			if kind != sectionSeries {
				return nil
			}
			return f(body, gap)
		})
	})
}

// addDefinitions makes series and returns the first and the last id.
func (e *Engine) addDefinitions(body []byte) (first, last uint32, err error) {
	w := wire{codec.Reader{Src: body}}
	defs := w.definitions()
	if w.Bad || len(defs) == 0 {
		return 0, 0, fmt.Errorf("series definitions: %w", errs.Corrupt)
	}
	for _, def := range defs {
		if _, err := e.cat.Add(def); err != nil {
			return 0, 0, err
		}
	}
	return defs[0].ID, defs[len(defs)-1].ID, nil
}

func (e *Engine) loadState(no uint64) error {
	if no == 0 {
		return nil
	}
	name := e.disk.stateName(no)
	return e.damaged(name, readFramed(e.fs, name, magicState, e.disk.store, no, func(b []byte, _ bool) error {
		return eachSection(b, func(kind uint8, body []byte) error {
			if kind != sectionPut {
				return nil
			}
			w := wire{codec.Reader{Src: body}}
			p := w.put()
			if w.Bad {
				return fmt.Errorf("state: %w", errs.Corrupt)
			}
			e.kv.put(&p)
			e.outbox.restore(p.Key, p.Value)
			return nil
		})
	}))
}

// loadBlocks opens a block file. One that is damaged in its frame is moved away
// and replaced by a lost range, so that queries over it fail instead of showing
// less.
func (e *Engine) loadBlocks(m fileMeta) error {
	f, err := e.openBlocks(m)
	if err != nil {
		if !errors.Is(err, errs.Corrupt) && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		e.quarantine(e.disk.blockName(m.No), err)
		e.report.Quarantined[len(e.report.Quarantined)-1].MinTime = m.MinTime
		e.report.Quarantined[len(e.report.Quarantined)-1].MaxTime = m.MaxTime
		f = &blockFile{meta: m, name: numbered("data/", m.No, ".blk"), lost: true}
	}
	e.version.files = append(e.version.files, f)
	return nil
}

func parseNumbered(name, prefix, suffix string) (uint64, bool) {
	s, ok := strings.CutPrefix(name, prefix)
	if !ok {
		return 0, false
	}
	if s, ok = strings.CutSuffix(s, suffix); !ok || len(s) != 16 {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 16, 64)
	return n, err == nil
}

// eachSection calls f for the sections of a record or frame.
func eachSection(b []byte, f func(kind uint8, body []byte) error) error {
	w := wire{codec.Reader{Src: b}}
	for len(w.Src) > 0 {
		kind := w.Byte()
		body := w.Bytes(w.Count(1))
		if w.Bad {
			return fmt.Errorf("section of kind %d: %w", kind, errs.Corrupt)
		}
		if err := f(kind, body); err != nil {
			return err
		}
	}
	return nil
}

// lostSource stands for a block file that could not be opened: reading it says
// so.
func (f *blockFile) lostSource(from, last int64, width int) merge.Source {
	cols := make([]int, width)
	lo, hi := max(from, f.meta.MinTime), min(last, f.meta.MaxTime)
	return merge.Source{{Min: lo, Max: hi, N: 1, LSN: f.meta.MaxLSN, Cols: cols, Chunk: lostChunk{f, lo, hi}}}
}
