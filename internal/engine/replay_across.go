package engine

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/codec"
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
	apart   bool // no device is there twice
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
	if len(r.blocked) > 0 {
		r.drain()
		return r.acrossSlowly(lsn, body)
	}
	p := r.second.portion()
	p.lsn = lsn
	ok, err := r.readPortion(p, body)
	if err != nil || !ok {
		r.second.free(p)
		if err != nil {
			return err
		}
		r.drain()
		return r.acrossSlowly(lsn, body)
	}
	r.e.points.Add(p.cells())
	r.second.put(r.e, p)
	return nil
}

// readPortion decodes a section. ok is false if it is not one row of each of some
// devices that are all known and take it.
func (r *replay) readPortion(p *portion, body []byte) (ok bool, err error) {
	w := wire{codec.Reader{Src: body}}
	i := slices.IndexFunc(r.known, func(k *roster) bool { return bytes.HasPrefix(body, k.head) })
	if i >= 0 {
		p.of = r.known[i]
		copy(r.known[1:i+1], r.known[:i])
		r.known[0] = p.of
		w.Bytes(len(p.of.head))
		p.reset()
		p.kinds = append(p.kinds, p.of.shapes[0].layout.Kinds...)
	} else {
		if err := p.readDevices(&w, &r.dec); err != nil {
			return false, err
		}
		if p.of, err = r.roster(&p.across, body[:len(body)-len(w.Src)]); p.of == nil {
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
	k := &roster{head: bytes.Clone(head), sides: make([]side, a.n), apart: true}
	seen := make(map[*memtable.Device]struct{}, a.n)
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
		if seen[k.devices[i]] = struct{}{}; len(seen) <= i {
			k.apart = false
		}
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
			e.addView(d, s, p, i, of, w.Cut)
		}
		d.Unlock()
	}
}

// applySheaf puts the rows of the portions of f into memory, of the devices of a side.
func (e *Engine) applySheaf(f *sheaf, of side) {
	for list := f.list; len(list) > 0; {
		n, k := 1, list[0].of
		for n < len(list) && n < memtable.MaxMoments && list[n].of == k {
			n++
		}
		if n > 1 && k.apart {
			e.applyMoments(&f.moments[of&secondSide], list[:n], of)
		} else {
			for _, p := range list[:n] {
				e.applyPortion(p, of)
			}
		}
		list = list[n:]
	}
}

// applyMoments is applyPortion for several of one roster, whose devices are each there
// once: the rows of a device go to its columns at once.
func (e *Engine) applyMoments(m *memtable.Moments, list []*portion, of side) {
	k := list[0].of
	width := len(list[0].kinds)
	m.Reset(list[0].kinds)
	for _, p := range list {
		m.Add(p.lsn, &memtable.Rows{Times: p.times.Int64s, Cols: p.cols[:width], Nulls: p.nulls[:width]})
	}
	cut := memtable.Cut{Epoch: e.epoch.Load(), Oldest: memtable.NoSnapshot}
	for i, s := range k.shapes {
		if of != bothSides && of != k.sides[i] {
			continue
		}
		d := k.devices[i]
		d.Lock()
		for at := 0; at < len(list); {
			n := d.AddMoments(&s.layout, m, at, i, cut)
			if at += n; n == 0 { // the first one, or a late one
				e.addView(d, s, list[at], i, of, cut)
				at++
			}
		}
		d.Unlock()
	}
	m.Forget()
}

// addView puts row i of p into memory.
func (e *Engine) addView(d *memtable.Device, s *Shape, p *portion, i int, of side, cut memtable.Cut) {
	view := &p.row[of&secondSide]
	p.view(view, i, i+1)
	d.Add(&memtable.Write{Layout: &s.layout, LSN: p.lsn, Cut: cut, Rows: *view})
}

// acrossSlowly applies a section tablet by tablet. Those whose series are not
// defined so far wait as tablets of their own.
func (r *replay) acrossSlowly(lsn uint64, body []byte) error {
	if err := r.across.read(&wire{codec.Reader{Src: body}}, &r.dec); err != nil {
		return err
	}
	return r.across.each(func(ids []uint32, rows *memtable.Rows) error {
		s, err := r.shape(ids)
		if errors.Is(err, errUnresolved) || r.waits(ids) {
			var enc block.Encoder
			var scratch []byte
			l := memtable.Layout{IDs: ids}
			r.wait(lsn, sectionTablet, appendTablet(nil, &enc, &scratch, &l, rows, 0, len(rows.Times)), ids)
			return nil
		}
		if err != nil {
			return err
		}
		if !slices.Equal(s.layout.Kinds, r.across.kinds) {
			return fmt.Errorf("rows of %d devices: kinds differ from those of %s: %w", len(r.across.counts.Int64s), s.Device(), errs.Corrupt)
		}
		r.tablet(lsn, s, rows)
		return nil
	})
}
