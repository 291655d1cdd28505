package engine

import (
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/tickwell/tickwell/internal/catalog"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/memtable"
	"github.com/tickwell/tickwell/internal/merge"
)

// Last returns the newest point of a series without reading what is older.
// A newest block that is damaged is an error wrapping errs.Damaged, unless
// SkipDamaged is set.
func (s *Snapshot) Last(ser *Series) (Point, bool, error) {
	at, cell, ok, err := s.LastCell(ser)
	if !ok || err != nil {
		return Point{}, false, err
	}
	p := Point{Time: at, Value: column.Vector{Kind: ser.Kind}}
	p.Value.AppendCell(&cell)
	return p, true, nil
}

// LastCell is Last with the value as a cell.
func (s *Snapshot) LastCell(ser *Series) (at int64, cell column.Cell, ok bool, err error) {
	if p := s.lastKnown(ser); p.known {
		return p.At, p.Cell, p.OK, nil
	}
	return s.lastSought(ser)
}

// lastSought finds the newest point by reading.
func (s *Snapshot) lastSought(ser *Series) (at int64, cell column.Cell, ok bool, err error) {
	sources, err := s.sources([]*Series{ser}, math.MinInt64, math.MaxInt64)
	if err != nil {
		return 0, cell, false, err
	}
	t, v, ok, err := merge.Last(ser.Kind, s.masks(ser), sources)
	if s.SkipDamaged != nil && (errors.Is(err, errs.Damaged) || errors.Is(err, errs.Corrupt)) {
		return s.lastReadable(ser)
	}
	if err != nil {
		return 0, cell, false, fmt.Errorf("last of %s: %w", ser.Path(), err)
	}
	if !ok {
		return 0, cell, false, nil
	}
	return t, v.Cell(0), true, nil
}

// lastReadable finds the newest point that is not damaged by reading all.
func (s *Snapshot) lastReadable(ser *Series) (at int64, cell column.Cell, ok bool, err error) {
	c := s.Cursor(ser, math.MinInt64, math.MaxInt64)
	defer c.Close()
	for c.Next() {
		n := len(c.Times()) - 1
		at, cell, ok = c.Times()[n], c.Values().Cell(n), true
	}
	if err := c.Err(); err != nil {
		return 0, cell, false, fmt.Errorf("last of %s: %w", ser.Path(), err)
	}
	return at, cell, ok, nil
}

// Newest is the newest point of a series.
type Newest struct {
	At    int64
	Cell  column.Cell
	OK    bool // there is one
	known bool // it was quickly found that it is, or that there is none
}

// Lasts sets found to the newest point of each of some series. It is cheaper than
// LastCell for each where series of a device follow each other. The series that
// err is of is returned with it.
func (s *Snapshot) Lasts(series []*Series, found []Newest) (failed *Series, err error) {
	s.lastsKnown(series, found)
	for i, ser := range series {
		if p := &found[i]; !p.known {
			if p.At, p.Cell, p.OK, err = s.lastSought(ser); err != nil {
				return ser, err
			}
		}
	}
	return nil, nil
}

// lastKnown is lastsKnown of one series.
func (s *Snapshot) lastKnown(ser *Series) Newest {
	var found [1]Newest
	s.lastsKnown([]*Series{ser}, found[:])
	return found[0]
}

// lastsKnown finds the newest points where they are quickly found: in memory,
// and among those remembered of files. known is false of one that has to be
// looked for, for an error too.
func (s *Snapshot) lastsKnown(series []*Series, found []Newest) {
	if s.closed || s.released.Load() {
		clear(found[:len(series)])
		return
	}
	s.lastsInMemory(series, found)
	if v := s.version; len(v.files) > 0 {
		s.e.lasts.merge(v, series, found)
	}
	if !s.reach.on {
		return
	}
	for i, ser := range series {
		if p := &found[i]; p.known && p.At < s.reach.horizon(ser.Device, ser.Name) {
			p.OK = false
		}
	}
}

// lastsInMemory sets found to what memory has of some series.
func (s *Snapshot) lastsInMemory(series []*Series, found []Newest) {
	for i := range series {
		p := &found[i]
		p.At, p.OK, p.known = math.MinInt64, false, true
	}
	for lo := 0; lo < len(series); {
		hi := lo + 1
		for hi < len(series) && series[hi].Dev == series[lo].Dev {
			hi++
		}
		for _, t := range s.tables {
			if d := t.Device(series[lo].Dev.ID, false); d != nil {
				s.lastsOf(d, series[lo:hi], found[lo:hi])
			}
		}
		lo = hi
	}
}

// lastsOf puts what a device has in memory over what is older.
func (s *Snapshot) lastsOf(d *memtable.Device, series []*Series, found []Newest) {
	d.Lock()
	defer d.Unlock()
	for i, ser := range series {
		p := &found[i]
		if !p.known {
			continue
		}
		t, c, ok, known := d.Last(ser.ID, s.epoch, s.lsn)
		if p.known = known; ok && t >= p.At {
			p.At, p.Cell, p.OK = t, c, true
		}
	}
}

// lasts remembers the newest points of series in block files, with the series
// themselves.
//
// While files are only added, by flushes, an older answer and the files since
// make the new one. A compaction, which may also take deletes back that it has
// carried out, begins a new generation. Of one generation, each flush has a version
// with another last commit, also where it added deletes and no file: what snapshots
// from before it see is not what those after it do.
type lasts struct {
	mu   sync.Mutex
	gen  uint64
	kept []*Series // of which something is remembered
}

// begin forgets what was remembered of versions before a generation.
func (l *lasts) begin(gen uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gen = gen
	l.forget()
}

func (l *lasts) forget() {
	for _, ser := range l.kept {
		ser.Filed.Store(nil)
	}
	l.kept = nil
}

// maxLasts bounds the points remembered; when there are more, all are forgotten.
const maxLasts = 1 << 16

// merge puts the newest points in the files of a version over those of memory
// that are older.
func (l *lasts) merge(v *version, series []*Series, found []Newest) {
	masked := len(v.masks) > 0
	for i, ser := range series {
		p := &found[i]
		if !p.known || p.OK && p.At >= v.newest {
			continue
		}
		f := ser.Filed.Load()
		if f == nil || masked || f.Gen != v.gen || f.UpTo != v.upTo {
			if f = l.of(v, ser); f == nil {
				p.known = false
				continue
			}
		}
		if f.OK && f.At > p.At {
			p.At, p.Cell, p.OK = f.At, f.Cell, true
		}
	}
}

// of returns the newest point of a series in the files of a version, nil if they
// cannot all be read.
func (l *lasts) of(v *version, ser *Series) *catalog.Filed {
	l.mu.Lock()
	gen, old := l.gen, ser.Filed.Load()
	l.mu.Unlock()
	if gen != v.gen {
		return nil
	}
	if old != nil && old.Gen != gen {
		old = nil
	}
	masks := v.masks[ser.ID]
	if old != nil {
		if old.UpTo > v.upTo {
			return nil // of a time after the snapshot
		}
		for i := range masks {
			if m := &masks[i]; m.LSN > old.UpTo && old.OK && m.From <= old.At && (old.At < m.To || m.To == math.MaxInt64) {
				old = nil
				break
			}
		}
	}
	if old != nil && old.UpTo == v.upTo {
		return old
	}
	p := &catalog.Filed{Gen: gen}
	if old != nil {
		*p = *old
	}
	sources, err := v.sourcesAfter(p.UpTo, ser.ID)
	if err != nil {
		return nil
	}
	at, cells, ok, err := merge.Last(ser.Kind, masks, sources)
	if err != nil {
		return nil
	}
	if ok && (!p.OK || at >= p.At) {
		p.At, p.Cell, p.OK = at, cells.Cell(0), true
	}
	p.UpTo = v.upTo
	l.keep(ser, p)
	return p
}

// keep remembers p unless something newer is.
func (l *lasts) keep(ser *Series, p *catalog.Filed) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gen != p.Gen {
		return
	}
	old := ser.Filed.Load()
	if old == nil {
		if len(l.kept) >= maxLasts {
			l.forget()
		}
		l.kept = append(l.kept, ser)
	}
	if old == nil || old.UpTo <= p.UpTo {
		ser.Filed.Store(p)
	}
}

// sourcesAfter returns the sources of one series in files that hold commits
// after a log position.
func (v *version) sourcesAfter(lsn uint64, id uint32) ([]merge.Source, error) {
	part := version{}
	for _, f := range v.files {
		if f.meta.MaxLSN > lsn {
			part.files = append(part.files, f)
		}
	}
	return part.sources(nil, []uint32{id}, math.MinInt64, math.MaxInt64, nil)
}
