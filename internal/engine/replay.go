package engine

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/catalog"
	"github.com/tickwell/tickwell/internal/codec"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/memtable"
	"github.com/tickwell/tickwell/internal/merge"
)

// replay applies log records to an engine that nobody uses yet.
type replay struct {
	e       *Engine
	dec     block.Decoder
	read    memtable.Rows // what a tablet is decoded into
	ids     []uint32
	shapes  map[uint32]*Shape // the last one that began with a series
	across  across
	known   []*roster // the last used first
	second  second
	waiting []unresolved    // sections that name series not defined so far, and what came after them of the same series
	blocked map[uint32]bool // the series of these that are defined
	missing map[uint32]bool // those that are not
	named   bool            // some got names in the place of lost ones
	fitting fitting         // of their columns
	unused  []uint64        // positions of records that could not be applied
}

// unresolved is a section whose series' definition was refused for want of space
// and logged again later.
type unresolved struct {
	lsn  uint64
	kind uint8
	body []byte
}

// record applies one log record.
func (r *replay) record(lsn uint64, kind uint8, payload []byte) error {
	r.e.report.Replayed++
	if kind != recordGroup {
		return fmt.Errorf("record %d of kind %d: %w", lsn, kind, errNewer)
	}
	ord := uint32(0)
	err := eachSection(payload, func(kind uint8, body []byte) error { return r.section(lsn, &ord, kind, body) })
	if errors.Is(err, errNewer) {
		return err
	}
	if err != nil {
		// Its checksum is right, so this is no damage of the disk; what can be
		// applied has been, the rest is reported.
		r.lost(lsn, err)
	}
	return nil
}

func (r *replay) section(lsn uint64, ord *uint32, kind uint8, body []byte) error {
	e := r.e
	w := wire{codec.Reader{Src: body}}
	switch kind {
	case sectionSeries:
		_, _, err := e.addDefinitions(body)
		if err != nil && r.madeAgain(lsn, body) {
			_, _, err = e.addDefinitions(body)
		}
		if err != nil {
			return err
		}
		r.retry(body)
	case sectionTablet, sectionDelete:
		r.drain()
		err := r.rows(lsn, kind, body)
		if errors.Is(err, errUnresolved) {
			r.wait(lsn, kind, slices.Clone(body), r.ids)
			return nil
		}
		return err
	case sectionAcross:
		return r.acrossDevices(lsn, body)
	case sectionDrop:
		r.drain()
		r.known = nil
		for _, id := range w.ids() {
			if ser, ok := e.cat.ByID(id); ok {
				e.dropSeries(ser)
			}
			if l := &e.disk.lostIDs; len(l.gaps) > 0 {
				if l.dropped == nil {
					l.dropped = map[uint32]bool{}
				}
				l.dropped[id] = true
			}
		}
	case sectionPut:
		p := w.put()
		if !w.Bad {
			e.kv.put(&p)
			e.outbox.restore(p.Key, p.Value)
		}
	case sectionEvent:
		ev := w.event()
		if !w.Bad {
			e.outbox.mu.Lock()
			e.outbox.add(Pos{LSN: lsn, Ord: *ord}, &ev)
			e.outbox.mu.Unlock()
		}
		*ord++
	default:
		return fmt.Errorf("record %d: section of kind %d: %w", lsn, kind, errNewer)
	}
	if w.Bad {
		return fmt.Errorf("section of kind %d: %w", kind, errs.Corrupt)
	}
	return nil
}

var errUnresolved = errors.New("series is not defined")

// wait keeps a section until its series are defined.
func (r *replay) wait(lsn uint64, kind uint8, body []byte, ids []uint32) {
	r.waiting = append(r.waiting, unresolved{lsn, kind, body})
	if r.blocked == nil {
		r.blocked, r.missing = map[uint32]bool{}, map[uint32]bool{}
	}
	for _, id := range ids {
		if _, ok := r.e.cat.ByID(id); ok {
			r.blocked[id] = true
		} else {
			r.missing[id] = true
		}
	}
}

// waits reports whether an earlier section waits that has rows of one of the series:
// the later one counts where both have a row of one time.
func (r *replay) waits(ids []uint32) bool {
	return len(r.blocked) > 0 && slices.ContainsFunc(ids, func(id uint32) bool { return r.blocked[id] })
}

// rows applies a tablet or delete.
func (r *replay) rows(lsn uint64, kind uint8, body []byte) error {
	w := wire{codec.Reader{Src: body}}
	r.ids = w.idsInto(r.ids)
	ids := r.ids
	if w.Bad || len(ids) == 0 && kind == sectionTablet {
		return fmt.Errorf("section of kind %d: %w", kind, errs.Corrupt)
	}
	if kind == sectionTablet {
		if r.waits(ids) {
			return errUnresolved
		}
		if some, err := r.split(lsn, ids, &w); some {
			return err
		}
		s, err := r.shape(ids)
		if err != nil {
			return err
		}
		if err := w.tabletRowsInto(&r.read, &r.dec, s.layout.Kinds); err != nil {
			return err
		}
		r.tablet(lsn, s, &r.read)
		return nil
	}
	from, to := w.Varint(), w.Varint()
	if w.Bad {
		return fmt.Errorf("delete: %w", errs.Corrupt)
	}
	r.mask(lsn, ids, from, to)
	return nil
}

// mask applies a delete. Of series that are not known the rest of it waits: they may
// have been dropped when it came, which says nothing of the others.
func (r *replay) mask(lsn uint64, ids []uint32, from, to int64) {
	e := r.e
	cut := memtable.Cut{Epoch: e.epoch.Load(), Oldest: memtable.NoSnapshot}
	var unknown []uint32
	for _, id := range ids {
		ser, ok := e.cat.ByID(id)
		if !ok || r.blocked[id] {
			unknown = append(unknown, id)
			continue
		}
		d := e.mem.Device(ser.Dev.ID, true)
		d.Lock()
		d.Mask(id, from, to, lsn, cut)
		d.Unlock()
	}
	if len(unknown) > 0 {
		body := binary.AppendVarint(appendIDs(nil, unknown), from)
		r.wait(lsn, sectionDelete, binary.AppendVarint(body, to), unknown)
	}
}

// resolve looks series up.
func (r *replay) resolve(ids []uint32) (series []*Series, kinds []column.Kind, err error) {
	series = make([]*Series, len(ids))
	kinds = make([]column.Kind, len(ids))
	for i, id := range ids {
		ser, ok := r.e.cat.ByID(id)
		if !ok {
			return nil, nil, fmt.Errorf("series %d: %w", id, errUnresolved)
		}
		series[i], kinds[i] = ser, ser.Kind
	}
	return series, kinds, nil
}

// shape returns the shape of series, most often the one that was asked for last
// with the same first series.
func (r *replay) shape(ids []uint32) (*Shape, error) {
	if s := r.shapes[ids[0]]; s != nil && !s.Stale() && slices.Equal(s.layout.IDs, ids) {
		return s, nil
	}
	series, kinds, err := r.resolve(ids)
	if err != nil {
		return nil, err
	}
	if !ofOneDevice(series) {
		return nil, fmt.Errorf("a row of several devices, or of a series twice, from %s: %w", series[0].Path(), errs.Corrupt)
	}
	s := r.e.shapes.find(series[0].Device, namesOf(series), kinds)
	if s == nil || !slices.Equal(s.series, series) {
		s = r.e.shapes.keep(r.e.shapes.make(series, kinds))
	}
	if r.shapes == nil {
		r.shapes = map[uint32]*Shape{}
	}
	r.shapes[ids[0]] = s
	return s, nil
}

// ofOneDevice reports whether series are different ones of one device: what else a
// record says was not written by a store, and no block file could take it.
func ofOneDevice(series []*Series) bool {
	sorted := slices.Clone(series)
	slices.SortFunc(sorted, func(a, b *Series) int { return cmp.Compare(a.ID, b.ID) })
	for i, ser := range sorted {
		if ser.Dev != series[0].Dev || i > 0 && ser == sorted[i-1] {
			return false
		}
	}
	return true
}

// tablet applies rows of a shape's series.
func (r *replay) tablet(lsn uint64, s *Shape, rows *memtable.Rows) {
	e := r.e
	write := memtable.Write{Layout: &s.layout, Rows: *rows, LSN: lsn, Cut: memtable.Cut{Epoch: e.epoch.Load(), Oldest: memtable.NoSnapshot}}
	d := s.into(e.mem)
	d.Lock()
	d.Add(&write)
	d.Unlock()
	n := 0
	for i := range s.layout.Kinds {
		n += len(rows.Times) - rows.Nulls[i].Count(len(rows.Times))
	}
	e.points.Add(int64(n))
}

func namesOf(series []*Series) []string {
	names := make([]string, len(series))
	for i, ser := range series {
		names[i] = ser.Name
	}
	return names
}

// drain puts all rows of sections into memory that were read.
func (r *replay) drain() {
	r.second.push(r.e)
	r.second.wait()
}

// retry applies waiting sections whose series are known now, in the order of the log, if
// the definitions in body are of some that they wait for.
func (r *replay) retry(body []byte) {
	waiting, some := r.waiting, false
	if len(waiting) == 0 {
		return
	}
	w := wire{codec.Reader{Src: body}}
	for _, def := range w.definitions() {
		some = some || r.missing[def.ID]
	}
	if !some {
		return
	}
	r.drain()
	r.waiting, r.blocked = nil, nil
	for _, u := range waiting {
		err := r.rows(u.lsn, u.kind, u.body)
		if errors.Is(err, errUnresolved) {
			r.wait(u.lsn, u.kind, u.body, r.ids)
		} else if err != nil {
			r.lost(u.lsn, err)
		}
	}
}

// lost reports what could not be applied of a record.
func (r *replay) lost(lsn uint64, err error) {
	r.unused = append(r.unused, lsn)
	r.e.report.LostLog = append(r.e.report.LostLog, fmt.Sprintf("record %d: %v", lsn, err))
	r.e.logger.Error("tickwell: log record not applied", "lsn", lsn, "err", err)
}

// finish ends the second goroutine and reports what could not be applied.
func (r *replay) finish() error {
	r.drain()
	r.second.stop()
	r.nameLost()
	waiting := r.waiting
	r.waiting, r.blocked = nil, nil
	for i := range waiting {
		if waiting[i].kind == sectionTablet {
			r.beside(&waiting[i]) // what one tells of unknown kinds makes others clear
		}
	}
	for _, u := range waiting {
		err := r.rows(u.lsn, u.kind, u.body)
		if errors.Is(err, errUnresolved) {
			err = r.others(&u)
		}
		if err != nil {
			r.lost(u.lsn, err)
		}
		w := wire{codec.Reader{Src: u.body}}
		for _, id := range w.ids() { // not given again: the rows stay in the log until the next flush
			r.e.cat.SetNextID(id + 1)
		}
		r.waiting, r.blocked = nil, nil // of a delete: there is nothing of theirs to hide
	}
	r.dropLost()
	for _, f := range r.e.version.files {
		r.e.points.Add(int64(f.meta.Points))
	}
	return nil
}

// definedAt remembers where definitions were logged, until the next flush.
type definedAt struct {
	lsn  uint64
	defs []catalog.Definition
}

// defined is called with the making lock and the gate shared.
func (e *Engine) defined(lsn uint64, defs []catalog.Definition) {
	if e.log != nil {
		e.recent = append(e.recent, definedAt{lsn, defs})
	}
}

// lostPositions is told by the log that positions were refused for want of
// space. Definitions among them are logged again.
func (e *Engine) lostPositions(first, last uint64, _ error) {
	e.lostMu.Lock()
	e.lost = append(e.lost, [2]uint64{first, last})
	e.lostMu.Unlock()
	e.poke(wantDefine)
	e.wantFlush() // memory holds what the log does not
}

// redefine logs definitions that the log has lost.
func (e *Engine) redefine() {
	e.lostMu.Lock()
	lost := e.lost
	e.lost = nil
	e.lostMu.Unlock()
	e.making.Lock()
	defer e.making.Unlock()
	e.gate.RLock()
	defer e.gate.RUnlock()
	if e.closed {
		return
	}
	for i := range e.recent {
		at := &e.recent[i]
		if !slices.ContainsFunc(lost, func(r [2]uint64) bool { return r[0] <= at.lsn && at.lsn <= r[1] }) {
			continue
		}
		lsn, err := e.append(appendSection(nil, sectionSeries, appendDefinitions(nil, at.defs)))
		if err != nil {
			e.logger.Error("tickwell: series definitions are not in the log", "err", err)
			e.lostMu.Lock()
			e.lost = append(e.lost, [2]uint64{at.lsn, at.lsn})
			e.lostMu.Unlock()
			return
		}
		at.lsn = lsn
	}
}

// lostChunk fails to be read.
type lostChunk struct {
	file     *blockFile
	min, max int64
}

func (c lostChunk) Raw() bool { return false }

func (c lostChunk) Times([]int64, *merge.Scratch) ([]int64, error) {
	return nil, fmt.Errorf("%s: times %d to %d: %w", c.file.name, c.min, c.max, errs.Damaged)
}

func (c lostChunk) Values(int, *column.Vector, column.Bitmap, *merge.Scratch) (column.Bitmap, error) {
	return nil, errs.Damaged
}

func (c lostChunk) Stats(int) *block.Stats { return nil }
