package engine

import (
	"errors"
	"fmt"
	"math"
	"sync"

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
		return p.at, p.cell, p.ok, nil
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

// lastsAtOnce is how many newest points are looked up together.
const lastsAtOnce = 64

// lastPoint is a newest point that is quickly found, if it is known.
type lastPoint struct {
	at        int64
	cell      column.Cell
	ok, known bool
}

// Lasts calls f with the newest point of each of some series that has one, in
// their order. It is cheaper than LastCell for each where series of a device
// follow each other. The series that err is of is returned with it.
func (s *Snapshot) Lasts(series []*Series, f func(ser *Series, at int64, cell column.Cell)) (failed *Series, err error) {
	var found [lastsAtOnce]lastPoint
	for len(series) > 0 {
		now := series[:min(len(series), lastsAtOnce)]
		series = series[len(now):]
		s.lastsKnown(now, found[:])
		for i, ser := range now {
			p := &found[i]
			if !p.known {
				if p.at, p.cell, p.ok, err = s.lastSought(ser); err != nil {
					return ser, err
				}
			}
			if p.ok {
				f(ser, p.at, p.cell)
			}
		}
	}
	return nil, nil
}

// lastKnown is lastsKnown of one series.
func (s *Snapshot) lastKnown(ser *Series) lastPoint {
	var found [1]lastPoint
	s.lastsKnown([]*Series{ser}, found[:])
	return found[0]
}

// lastsKnown finds the newest points where they are quickly found: in memory,
// and among those remembered of files. known is false of one that has to be
// looked for, for an error too.
func (s *Snapshot) lastsKnown(series []*Series, found []lastPoint) {
	if s.closed || s.released.Load() {
		clear(found[:len(series)])
		return
	}
	s.lastsInMemory(series, found)
	if v := s.version; len(v.files) > 0 {
		s.e.lasts.merge(v, series, found)
	}
	for i, ser := range series {
		if p := &found[i]; p.known && p.at < s.reach.horizon(ser.Device, ser.Name) {
			p.ok = false
		}
	}
}

// lastsInMemory sets found to what memory has of some series.
func (s *Snapshot) lastsInMemory(series []*Series, found []lastPoint) {
	var in [2]*memtable.Device // of the tables, those of the series before
	for i, ser := range series {
		if i == 0 || ser.Dev != series[i-1].Dev {
			for k, t := range s.tables {
				in[k] = t.Device(ser.Dev.ID, false)
			}
		}
		p := &found[i]
		p.at, p.ok, p.known = math.MinInt64, false, true
		for _, d := range in {
			if d == nil || !p.known {
				continue
			}
			t, c, ok, known := d.Last(ser.ID, s.epoch, s.lsn)
			if p.known = known; ok && t >= p.at {
				p.at, p.cell, p.ok = t, c, true
			}
		}
	}
}

// lasts remembers the newest points of series in block files.
//
// While files are only added, by flushes, an older answer and the files since
// make the new one. A compaction, which may also take deletes back that it has
// carried out, begins a new generation.
type lasts struct {
	mu  sync.RWMutex
	gen uint64
	m   map[uint32]filedPoint
}

// begin forgets what was remembered of versions before a generation.
func (l *lasts) begin(gen uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gen, l.m = gen, nil
}

// filedPoint is the newest point of a series among the files up to a log
// position and the deletes in the manifest.
type filedPoint struct {
	upTo uint64
	at   int64
	cell column.Cell
	ok   bool
}

// maxLasts bounds the points remembered; when there are more, all are forgotten.
const maxLasts = 1 << 16

// merge puts the newest points in the files of a version over those of memory
// that are older.
func (l *lasts) merge(v *version, series []*Series, found []lastPoint) {
	l.mu.RLock()
	for i, ser := range series {
		p := &found[i]
		if !p.known || p.ok && p.at >= v.newest {
			continue
		}
		f, ok := l.m[ser.ID]
		if ok && l.gen == v.gen && f.upTo == v.upTo && len(v.masks) == 0 {
			p.under(&f)
			continue
		}
		l.mu.RUnlock()
		if f, p.known = l.of(v, ser); p.known {
			p.under(&f)
		}
		l.mu.RLock()
	}
	l.mu.RUnlock()
}

// under makes p the point of a file if that is newer.
func (p *lastPoint) under(f *filedPoint) {
	if f.ok && f.at > p.at {
		p.at, p.cell, p.ok = f.at, f.cell, true
	}
}

// of returns the newest point of a series in the files of a version. known is
// false if they cannot all be read.
func (l *lasts) of(v *version, ser *Series) (p filedPoint, known bool) {
	l.mu.RLock()
	gen := l.gen
	p, found := l.m[ser.ID]
	l.mu.RUnlock()
	if gen != v.gen {
		return p, false
	}
	masks := v.masks[ser.ID]
	if found {
		if p.upTo > v.upTo {
			return p, false // of a time after the snapshot
		}
		for i := range masks {
			if m := &masks[i]; m.LSN > p.upTo && p.ok && m.From <= p.at && (p.at < m.To || m.To == math.MaxInt64) {
				found, p = false, filedPoint{}
				break
			}
		}
	}
	if found && p.upTo == v.upTo {
		return p, true
	}
	since := uint64(0)
	if found {
		since = p.upTo
	}
	sources, err := v.sourcesAfter(since, ser.ID)
	if err != nil {
		return p, false
	}
	at, cells, ok, err := merge.Last(ser.Kind, masks, sources)
	if err != nil {
		return p, false
	}
	if ok && (!p.ok || at >= p.at) {
		p.at, p.cell, p.ok = at, cells.Cell(0), true
	}
	p.upTo = v.upTo
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gen != gen {
		return p, true
	}
	if len(l.m) >= maxLasts {
		clear(l.m)
	}
	if l.m == nil {
		l.m = map[uint32]filedPoint{}
	}
	if old, ok := l.m[ser.ID]; !ok || old.upTo <= p.upTo {
		l.m[ser.ID] = p
	}
	return p, true
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
