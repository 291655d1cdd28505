package engine

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/sorting"
	"github.com/tickwell/tickwell/internal/wal"
)

// takeInUnnamed deals with complete block files of the time after the manifest.
// Either a crash came before their manifest edit: then the log still has their
// rows and they are orphans. Or the edit was damaged after the log was retired:
// then they, with the STATE and CATALOG written next to them, are all there is,
// and the edit is made again. Deletes that it named are lost; the report says so.
func (e *Engine) takeInUnnamed() error {
	d := &e.disk
	found, err := e.findUnnamed()
	if err != nil || len(found) == 0 {
		return err
	}
	first, err := e.firstLogged()
	if err != nil {
		return err
	}
	for _, m := range found {
		if first != 0 && first <= m.MinLSN || m.MinLSN != d.now.Flushed+1 {
			continue
		}
		state, catalog, seg := m.No+1, m.No+2, m.No+3
		if !e.readable(d.stateName(state), magicState, state) || !e.readable(d.catalogName(catalog), magicCatalog, catalog) {
			continue
		}
		var ed edit
		ed.addFile(m)
		ed.tag(editFlushed, m.MaxLSN)
		ed.tag(editState, state)
		ed.tag(editCatalog, catalog)
		ed.tag(editOldCatalog, d.now.Catalog)
		if e.readable(d.outboxName(seg), magicOutbox, seg) {
			ed.tag(editAddOutbox, seg, m.MinLSN, m.MaxLSN)
		}
		if err := d.commit(ed); err != nil {
			return err
		}
		lost := fmt.Sprintf("manifest edit of records %d to %d: made again from the files it named, without deletes of older points", m.MinLSN, m.MaxLSN)
		e.report.LostLog = append(e.report.LostLog, lost)
		e.logger.Error("tickwell: " + lost)
	}
	return nil
}

// findUnnamed lists the block files that the manifest should not know yet, in
// order.
func (e *Engine) findUnnamed() ([]fileMeta, error) {
	d := &e.disk
	names, err := d.fs.List(d.path("data"))
	if err != nil {
		return nil, err
	}
	var out []fileMeta
	for _, name := range names {
		no, ok := parseNumbered(name, "", ".blk")
		if !ok {
			continue
		}
		d.now.NextNo = max(d.now.NextNo, no+4)
		if slices.ContainsFunc(d.now.Files, func(f fileMeta) bool { return f.No == no }) {
			continue
		}
		r, err := e.files.Open(d.blockName(no), d.store, no, nil)
		if err != nil {
			continue
		}
		m := r.Meta()
		next := uint32(0)
		for id := range r.Series() {
			next = max(next, id+1)
		}
		r.Close()
		// An id that occurs in any file is never given again.
		d.now.NextSeries = max(d.now.NextSeries, next)
		if m.MinLSN > d.now.Flushed {
			out = append(out, fileMeta{
				No: no, MinLSN: m.MinLSN, MaxLSN: m.MaxLSN, Size: m.Size,
				MinTime: m.MinTime, MaxTime: m.MaxTime, Points: m.Points,
			})
		}
	}
	sorting.By(out, func(a, b fileMeta) int {
		if a.MinLSN < b.MinLSN {
			return -1
		}
		return 1
	})
	return out, nil
}

// firstLogged returns the first position after the manifest's that the log has,
// 0 if there is none. It writes nothing.
func (e *Engine) firstLogged() (uint64, error) {
	d := &e.disk
	first := uint64(0)
	stop := errors.New("seen enough")
	log, _, err := wal.Open(wal.Config{
		FS: d.fs, Dir: d.path("wal"), StoreID: d.store, Clock: e.clock, Logger: e.cfg.Logger, ReadOnly: true,
	}, d.now.Flushed, func(lsn uint64, _ uint8, _ []byte) error {
		first = lsn
		return stop
	})
	if err != nil && !errors.Is(err, stop) {
		return 0, err
	}
	if log != nil {
		_ = log.Close() // it was only read
	}
	return first, nil
}

// readable reports whether a framed file is whole, or can be made up for.
func (e *Engine) readable(name, magic string, no uint64) bool {
	err := readFramed(e.fs, name, magic, e.disk.store, no, func([]byte, bool) error { return nil })
	if errors.Is(err, errRepaired) {
		return true
	}
	if err != nil && !errors.Is(err, errs.Corrupt) {
		e.logger.Debug("tickwell: unnamed file", "file", name, "err", err)
	}
	return err == nil
}
