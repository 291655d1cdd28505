package engine

import (
	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/segment"
)

// Total returns the statistics of all points of a series with from <= time < to
// (to = math.MaxInt64: to the end) as if they were one block, as far as they are
// wanted, and of how many blocks they are: nil and 0 if there are none. They are what
// folding the statistics of the blocks that a cursor shows gives, bit by bit. ok is
// false, and a cursor has to tell, where they are not known without reading points:
// where memory has some, blocks lie in the range in part or overlap, something is
// deleted, or a file is damaged.
func (s *Snapshot) Total(ser *Series, from, to int64, want block.Fields) (total *block.Stats, blocks int, ok bool) {
	if s.closed || s.released.Load() || len(s.version.masks[ser.ID]) > 0 {
		return nil, 0, false
	}
	if h := s.reach.horizon(ser.Device, ser.Name); h > from {
		if h >= to {
			return nil, 0, false
		}
		from = h
	}
	for _, t := range s.tables {
		if d := t.Device(ser.Dev.ID, false); d != nil && !d.Without(ser.ID) {
			return nil, 0, false
		}
	}
	last := to
	if to != MaxTime+1 {
		last = to - 1
	}
	t := &segment.Total{Want: want}
	if !s.version.addTotal(t, ser.ID, from, last) {
		return nil, 0, false
	}
	if t.Blocks == 0 {
		return nil, 0, true
	}
	return &t.Stats, t.Blocks, true
}

// addTotal adds to t what the files have of a series in [from, last].
func (v *version) addTotal(t *segment.Total, id uint32, from, last int64) bool {
	var before *blockFile // the last one that has some
	for _, f := range v.files {
		if f.meta.MaxTime < from || f.meta.MinTime > last {
			continue
		}
		if f.lost {
			return false
		}
		if _, ok := f.tails.Load().since(id, from); ok {
			return false
		}
		n := t.Blocks
		if !f.reader.AddTotal(t, id, from, last) {
			return false
		}
		if t.Blocks == n {
			continue
		}
		if before != nil && f.meta.MinTime <= before.meta.MaxTime {
			return false // which blocks come first would have to be looked at
		}
		before = f
	}
	return true
}
