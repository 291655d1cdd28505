package engine

import (
	"math"
	"sync"
	"sync/atomic"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/memtable"
	"github.com/tickwell/tickwell/internal/merge"
)

// Snapshot is one cut through all devices: it shows every commit up to its LSN
// whole and none after, but for single points that were on their way when it was
// taken, which all of its cursors show or none: see addPoint. Taking one is O(1); it
// pins files and memory until Release. Safe for concurrent use; cursors of one
// snapshot may run in parallel.
type Snapshot struct {
	e       *Engine
	epoch   uint64
	lsn     uint64
	tables  []*memtable.Table  // oldest first
	few     [2]*memtable.Table // their memory
	version *version
	closed  bool
	reach   reach

	released   atomic.Bool
	prev, next *Snapshot

	// SkipDamaged, if set before the first cursor, is told of every range that
	// cannot be read; cursors then leave it out instead of failing. It is called by
	// whoever reads, for one range once for each cursor.
	SkipDamaged func(Damage)
}

// discarded is what memory holds of dropped series: of some of a device's, or,
// if ids is nil, of all.
type discarded struct {
	device uint32
	ids    []uint32
}

// snapshots is the list of those in use, oldest first.
type snapshots struct {
	mu          sync.Mutex
	first, last *Snapshot
	n           int
	oldest      atomic.Uint64 // epoch of first, or memtable.NoSnapshot
	discarded   []discarded   // to be freed when no snapshot is in use
}

func (l *snapshots) add(s *Snapshot) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.prev = l.last; l.last == nil {
		l.first = s
		l.oldest.Store(s.epoch)
	} else {
		l.last.next = s
	}
	l.last = s
	l.n++
}

// remove reports whether something waits to be freed now.
func (l *snapshots) remove(s *Snapshot) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.prev == nil {
		l.first = s.next
	} else {
		s.prev.next = s.next
	}
	if s.next == nil {
		l.last = s.prev
	} else {
		s.next.prev = s.prev
	}
	s.prev, s.next = nil, nil
	if l.n--; l.first == nil {
		l.oldest.Store(memtable.NoSnapshot)
		return len(l.discarded) > 0
	}
	l.oldest.Store(l.first.epoch)
	return false
}

// discard frees what memory holds of dropped series, at once or when no
// snapshot can see it any more. The gate is held exclusively.
func (l *snapshots) discard(e *Engine, list ...discarded) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.discarded = append(l.discarded, list...)
	if l.n > 0 {
		return
	}
	for _, d := range l.discarded {
		if d.ids == nil {
			e.mem.Remove(d.device)
		} else if dev := e.mem.Device(d.device, false); dev != nil {
			dev.Forget(d.ids)
		}
	}
	l.discarded = nil
}

// Snapshot takes a cut of everything committed so far. On a closed engine its
// cursors fail with errs.Closed.
func (e *Engine) Snapshot() *Snapshot {
	e.gate.Lock()
	defer e.gate.Unlock()
	s := &Snapshot{e: e, epoch: e.epoch.Load(), lsn: e.cutLSN(), closed: e.closed}
	if s.closed {
		return s
	}
	s.reach = e.reach()
	s.tables = s.few[:0]
	if e.frozen != nil {
		s.tables = append(s.tables, e.frozen.table)
	}
	s.tables = append(s.tables, e.mem)
	s.version = e.version
	s.version.ref()
	// In this order: who writes in the new epoch finds the snapshot. See addPoint.
	e.snaps.add(s)
	e.epoch.Store(s.epoch + 1)
	return s
}

// Steady makes s show, of rows that are held back from expiry, what is now: else each
// of its cursors goes by what is when it is made. It is called before the first.
func (s *Snapshot) Steady() {
	if s.reach.hold != nil && s.e.cfg.HoldCut != nil {
		s.reach.hold = s.e.cfg.HoldCut()
	}
}

// lastLSN returns the last position taken.
func (e *Engine) lastLSN() uint64 {
	if e.log == nil {
		return e.counter.last()
	}
	return e.log.Last()
}

// cutLSN returns the last position taken, which no commit takes from then on: points
// may share the last one until then, see join.
func (e *Engine) cutLSN() uint64 {
	switch {
	case e.log == nil:
		return e.counter.cut()
	case !e.log.AtOnce():
		return e.log.Last()
	}
	return e.log.Cut()
}

// Release frees what the snapshot pins. Cursors must be closed before. A second
// Release does nothing.
func (s *Snapshot) Release() {
	if s.closed || s.released.Swap(true) {
		return
	}
	free := s.e.snaps.remove(s)
	s.version.unref()
	if !free {
		return
	}
	s.e.alone()
	defer s.e.together()
	s.e.snaps.discard(s.e)
}

// LSN returns the position up to which the snapshot shows all commits.
func (s *Snapshot) LSN() uint64 { return s.lsn }

// Point is one value: Value holds a single cell of the series' kind.
type Point struct {
	Time  int64
	Value column.Vector
}

// sources returns what the snapshot holds of the series, oldest first.
func (s *Snapshot) sources(series []*Series, from, to int64) ([]merge.Source, error) {
	return s.sourcesIn(nil, make([]uint32, len(series)), series, from, to)
}

// sourcesIn is sources with memory for them, and for the ids of the series.
func (s *Snapshot) sourcesIn(dst []merge.Source, ids []uint32, series []*Series, from, to int64) ([]merge.Source, error) {
	if s.closed || s.released.Load() {
		return nil, errs.Closed
	}
	oneDevice := true
	for i, ser := range series {
		ids[i] = ser.ID
		oneDevice = oneDevice && ser.Dev == series[0].Dev
	}
	out, err := s.version.sources(dst, ids, from, to, s.SkipDamaged)
	if err != nil {
		return nil, err
	}
	for _, t := range s.tables {
		if oneDevice {
			if d := t.Device(series[0].Dev.ID, false); d != nil {
				out = d.Sources(out, ids, s.epoch, from, to)
			}
			continue
		}
		seen := map[uint32]bool{}
		for _, ser := range series {
			if seen[ser.Dev.ID] {
				continue
			}
			seen[ser.Dev.ID] = true
			if d := t.Device(ser.Dev.ID, false); d != nil {
				out = d.Sources(out, ids, s.epoch, from, to)
			}
		}
	}
	return out, nil
}

// masks returns the deletes that hide points of the series from the snapshot.
func (s *Snapshot) masks(ser *Series) []merge.Mask {
	if s.closed {
		return nil
	}
	out := append([]merge.Mask(nil), s.version.masks[ser.ID]...)
	for _, t := range s.tables {
		if d := t.Device(ser.Dev.ID, false); d != nil {
			out = d.Masks(out, ser.ID, s.lsn)
		}
	}
	if m, ok := s.reach.mask(ser); ok {
		out = append(out, m)
	}
	return out
}

// rows makes the merge cursor of some series.
func (s *Snapshot) rows(series []*Series, from, to int64) (*merge.Rows, error) {
	return s.rowsIn(series, make([]column.Kind, len(series)), make([][]merge.Mask, len(series)), make([]uint32, len(series)), nil, from, to)
}

// rowsIn is rows with memory, which becomes the cursor's.
func (s *Snapshot) rowsIn(series []*Series, kinds []column.Kind, masks [][]merge.Mask, ids []uint32, found []merge.Source, from, to int64) (*merge.Rows, error) {
	horizon := int64(math.MaxInt64)
	for i, ser := range series {
		kinds[i], masks[i] = ser.Kind, s.masks(ser)
		horizon = min(horizon, s.reach.horizon(ser.Device, ser.Name))
	}
	if horizon > from && horizon < to {
		from = horizon // what is gone need not be read
	}
	sources, err := s.sourcesIn(found, ids, series, from, to)
	if err != nil {
		return nil, err
	}
	r := merge.New(kinds, masks, from, to, sources)
	if s.SkipDamaged != nil {
		r.SkipDamaged = func(b *merge.Block, err error) {
			s.SkipDamaged(Damage{File: fileOf(b), Reason: err.Error(), MinTime: b.Min, MaxTime: b.Max})
		}
	}
	return r, nil
}

// fileOf names the file that a block is in.
func fileOf(b *merge.Block) string {
	switch c := b.Chunk.(type) {
	case *fileChunk:
		return c.file.name
	case lostChunk:
		return c.file.name
	}
	return ""
}
