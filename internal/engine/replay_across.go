package engine

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/memtable"
)

// roster is the devices of a section of one row each, looked up once for all
// sections that begin with the same bytes: a gateway reads its devices again and
// again.
type roster struct {
	head    []byte // says whose rows they are
	shapes  []*Shape
	devices []*memtable.Device
	sides   []side
}

// maxRosters bounds the rosters that are remembered, the last used first.
const maxRosters = 8

// portion is a section on its way into memory.
type portion struct {
	across
	lsn uint64
	of  *roster
	row [2]memtable.Rows // views of one row, for each goroutine
}

// acrossDevices applies a section of rows of many devices.
func (r *replay) acrossDevices(lsn uint64, body []byte) error {
	p := r.second.portion()
	p.lsn = lsn
	ok, err := r.readPortion(p, body)
	if err != nil || !ok {
		r.second.free(p)
		if err != nil {
			return err
		}
		r.second.drain()
		return r.acrossSlowly(lsn, body)
	}
	r.e.points.Add(p.cells())
	if r.second.take(r.e, p) {
		r.e.applyPortion(p, firstSide)
		return nil
	}
	r.e.applyPortion(p, bothSides)
	r.second.free(p)
	return nil
}

// readPortion decodes a section. ok is false if it is not one row of each of some
// devices that are all known and take it.
func (r *replay) readPortion(p *portion, body []byte) (ok bool, err error) {
	w := wire{b: body}
	i := slices.IndexFunc(r.known, func(k *roster) bool { return bytes.HasPrefix(body, k.head) })
	if i >= 0 {
		p.of = r.known[i]
		copy(r.known[1:i+1], r.known[:i])
		r.known[0] = p.of
		w.bytes(len(p.of.head))
		p.reset()
		p.kinds = append(p.kinds, p.of.shapes[0].layout.Kinds...)
	} else {
		if err := p.readDevices(&w, &r.dec); err != nil {
			return false, err
		}
		if p.of, err = r.roster(&p.across, body[:len(body)-len(w.b)]); p.of == nil {
			return false, err
		}
		r.known = slices.Insert(r.known[:min(len(r.known), maxRosters-1)], 0, p.of)
	}
	if err := p.readRows(&w, &r.dec, p.kinds, len(p.of.shapes)); err != nil {
		return false, err
	}
	for _, at := range p.times.Int64s {
		if at < MinTime || at > MaxTime {
			return false, nil
		}
	}
	return true, nil
}

// roster resolves the devices of a section, nil if they have not one row each or
// their series are not known or not of its kinds.
func (r *replay) roster(a *across, head []byte) (*roster, error) {
	if a.n != len(a.counts.Int64s) {
		return nil, nil
	}
	width := len(a.kinds)
	k := &roster{head: bytes.Clone(head), sides: make([]side, a.n)}
	for i := range a.n {
		s, err := r.shape(a.idsAt(i * width))
		if errors.Is(err, errUnresolved) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if !slices.Equal(s.layout.Kinds, a.kinds) {
			return nil, nil
		}
		k.shapes, k.devices = append(k.shapes, s), append(k.devices, s.into(r.e.mem))
		k.sides[i] = sideOf(s.dev)
	}
	return k, nil
}

// cells returns how many cells of p are not null.
func (p *portion) cells() int64 {
	n := len(p.times.Int64s)
	cells := n * len(p.kinds)
	for c := range p.kinds {
		cells -= p.nulls[c].Count(n)
	}
	return int64(cells)
}

// applyPortion puts the rows of p into memory, of the devices of a side.
func (e *Engine) applyPortion(p *portion, of side) {
	width := len(p.kinds)
	w := memtable.Write{LSN: p.lsn, Cut: memtable.Cut{Epoch: e.epoch.Load(), Oldest: memtable.NoSnapshot}}
	w.Rows = memtable.Rows{Times: p.times.Int64s, Cols: p.cols[:width], Nulls: p.nulls[:width]}
	k := p.of
	for i, s := range k.shapes {
		if of != bothSides && of != k.sides[i] {
			continue
		}
		w.Layout = &s.layout
		d := k.devices[i]
		d.Lock()
		if !d.AddNth(&w, i) {
			one := memtable.Write{Layout: w.Layout, LSN: w.LSN, Cut: w.Cut, Rows: p.row[of&secondSide]}
			p.view(&one.Rows, i, i+1)
			d.Add(&one)
			p.row[of&secondSide] = one.Rows
		}
		d.Unlock()
	}
}

// acrossSlowly applies a section tablet by tablet. Those whose series are not
// defined so far wait as tablets of their own.
func (r *replay) acrossSlowly(lsn uint64, body []byte) error {
	if err := r.across.read(&wire{b: body}, &r.dec); err != nil {
		return err
	}
	return r.across.each(func(ids []uint32, rows *memtable.Rows) error {
		s, err := r.shape(ids)
		if errors.Is(err, errUnresolved) {
			var enc block.Encoder
			var scratch []byte
			l := memtable.Layout{IDs: ids}
			r.waiting = append(r.waiting, unresolved{lsn, sectionTablet, appendTablet(nil, &enc, &scratch, &l, rows, 0, len(rows.Times))})
			return nil
		}
		if err != nil {
			return err
		}
		if !slices.Equal(s.layout.Kinds, r.across.kinds) {
			return fmt.Errorf("rows of %d devices: kinds differ from those of %s: %w", len(r.across.counts.Int64s), s.device, errs.Corrupt)
		}
		r.tablet(lsn, s, rows)
		return nil
	})
}
