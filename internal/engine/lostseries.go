package engine

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/tickwell/tickwell/internal/catalog"
	"github.com/tickwell/tickwell/internal/codec"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/memtable"
	"github.com/tickwell/tickwell/internal/merge"
	"github.com/tickwell/tickwell/internal/pattern"
	"github.com/tickwell/tickwell/internal/sorting"
)

// Block files know series by their ids. Where damage took the definitions of some,
// and the older catalogue does not have them either, their rows would be taken for
// those of dropped series: they would expire and be left out of what is compacted.
// Such series get names of their own, as files without one do in lost+found, and are
// series like others from then on, but that no time to live holds for them unless it
// is set for them. Until a flush has stored the names, each Open finds them again.

// LostDevice is the device of the series whose names are lost: s and the id.
const LostDevice = pattern.Lost

// lostIDs are the ids whose definitions may be lost.
type lostIDs struct {
	catalog string // the damaged one
	gaps    []idRange
	dropped map[uint32]bool // by the log
}

// idRange is the ids from from to to-1.
type idRange struct{ from, to uint32 }

func among(ranges []idRange, id uint32) bool {
	return slices.ContainsFunc(ranges, func(r idRange) bool { return r.from <= id && id < r.to })
}

// after leaves out ids before at: of those all that there were are known.
func (l *lostIDs) after(at uint32) {
	for i := range l.gaps {
		l.gaps[i].from = max(l.gaps[i].from, at)
	}
}

// nameLost makes the series that have rows in block files and whose definitions are
// lost.
func (r *replay) nameLost() {
	e := r.e
	l := &e.disk.lostIDs
	found := map[uint32]bool{}
	var defs []catalog.Definition
	first, last, n := uint32(catalog.MaxID), uint32(0), 0
	for _, f := range e.version.files {
		if f.lost || len(l.gaps) == 0 {
			continue
		}
		for id, kind := range f.reader.Series() {
			if _, ok := e.cat.ByID(id); ok || found[id] || !among(l.gaps, id) {
				continue
			}
			found[id] = true
			defs = append(defs, e.lostDefinition(id, kind))
			if !l.dropped[id] { // else it goes when its rows in the log are put in, beside those of others
				first, last, n = min(first, id), max(last, id), n+1
			}
		}
	}
	r.named = len(defs) > 0
	sorting.By(defs, func(a, b catalog.Definition) int { return cmp.Compare(a.ID, b.ID) })
	if _, err := e.cat.AddAll(defs); err != nil { // at once: each would copy the list of the others
		e.reportDamage(l.catalog, err)
	}
	if n == 0 {
		return
	}
	reason := fmt.Sprintf("definitions of %d series are lost, which may have been dropped: their points are kept as %s.s%d to s%d", n, LostDevice, first, last)
	e.report.Quarantined = append(e.report.Quarantined, Damage{File: e.disk.relative(l.catalog), Reason: reason})
	e.logger.Error("tickwell: " + reason)
}

func (e *Engine) lostDefinition(id uint32, kind column.Kind) catalog.Definition {
	name := fmt.Sprint("s", id)
	for { // a store of before may have used it
		if _, used := e.cat.Lookup(LostDevice, name); !used {
			return catalog.Definition{ID: id, Kind: kind, Device: LostDevice, Name: name}
		}
		name += "_lost"
	}
}

// madeAgain gives series the names of lost ones that are defined again, with later ids,
// and reports whether there were such: a record that dropped them is lost, or they were
// lost themselves, until somebody put the catalogue back. Neither what they have nor
// what came after is to be lost.
func (r *replay) madeAgain(lsn uint64, body []byte) bool {
	w := wire{codec.Reader{Src: body}}
	was := r.named
	r.named = false
	for _, def := range w.definitions() {
		old, ok := r.e.cat.Lookup(def.Device, def.Name)
		if !ok || old.ID >= def.ID {
			continue
		}
		r.drain()
		r.known, r.named = nil, true
		lost := r.e.lostDefinition(old.ID, old.Kind)
		err := r.rename(lsn, old, lost)
		if err == nil {
			err = fmt.Errorf("%s is made again, and no record drops it: what it had is kept as %s.%s", old.Path(), lost.Device, lost.Name)
		}
		r.lost(lsn, err)
	}
	some := r.named
	r.named = some || was
	return some
}

// rename makes a series another with the same id, which has the same rows.
func (r *replay) rename(lsn uint64, old *Series, as catalog.Definition) error {
	e := r.e
	points, ids := e.points.Load(), []uint32{old.ID}
	var masks []merge.Mask
	var all memtable.Rows
	if d := e.mem.Device(old.Dev.ID, false); d != nil {
		masks = d.Masks(nil, old.ID, math.MaxUint64)
		rows := merge.New([]column.Kind{old.Kind}, [][]merge.Mask{masks}, MinTime, MaxTime+1, d.Sources(nil, ids, e.epoch.Load(), MinTime, MaxTime+1))
		all.Cols, all.Nulls = []column.Vector{{Kind: old.Kind}}, make([]column.Bitmap, 1)
		for rows.Next() {
			v, nulls := rows.Col(0)
			for i, at := range rows.Times() {
				if !nulls.Get(i) {
					all.Times = append(all.Times, at)
					all.Cols[0].AppendRange(v, i, i+1)
				}
			}
		}
		err := rows.Err()
		if rows.Close(); err != nil {
			return err
		}
	}
	e.dropSeries(old)
	if _, err := e.cat.Add(as); err != nil {
		return err
	}
	for _, m := range masks {
		r.mask(m.LSN, ids, m.From, m.To)
	}
	s, err := r.shape(ids)
	if err == nil && len(all.Times) > 0 {
		r.tablet(lsn, s, &all)
	}
	e.points.Store(points)
	return err
}

// dropLost drops those of the series of nameLost that the log had dropped.
func (r *replay) dropLost() {
	var list []*Series
	for id := range r.e.disk.lostIDs.dropped {
		if ser, ok := r.e.cat.ByID(id); ok {
			list = append(list, ser)
		}
	}
	r.e.dropSeries(list...)
	r.e.disk.lostIDs = lostIDs{}
}

// split applies a tablet of which some series got other names: each device takes what
// is its own. It returns false if there is no such series.
func (r *replay) split(lsn uint64, ids []uint32, w *wire) (bool, error) {
	if !r.named {
		return false, nil
	}
	series, kinds, err := r.resolve(ids)
	if err != nil || !slices.ContainsFunc(series, func(s *Series) bool { return s.Device == LostDevice }) || ofOneDevice(series) {
		return false, nil
	}
	var rows memtable.Rows
	if err := w.tabletRowsInto(&rows, &r.dec, kinds); err != nil {
		return true, err
	}
	for len(series) > 0 {
		dev := series[0].Dev
		var own []uint32
		part := memtable.Rows{Times: rows.Times}
		rest := memtable.Rows{Times: rows.Times}
		var others []*Series
		for i, ser := range series {
			to := &rest
			if ser.Dev == dev {
				to, own = &part, append(own, ser.ID)
			} else {
				others = append(others, ser)
			}
			to.Cols, to.Nulls = append(to.Cols, rows.Cols[i]), append(to.Nulls, rows.Nulls[i])
		}
		s, err := r.shape(own)
		if err != nil {
			return true, err
		}
		r.tablet(lsn, s, &part)
		series, rows = others, rest
	}
	return true, nil
}
