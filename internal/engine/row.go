package engine

import (
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/memtable"
)

// AppendRow stores one row of a store in memory, cells in the order of the
// shape, each of its series' kind or null. It does what Commit does for rows of a
// shape that was written before; for all others, and whenever there is a log or
// something to be kept within bounds, it stores nothing and returns false, and
// Commit is to be called. terms are as in a Batch.
func (e *Engine) AppendRow(s *Shape, at int64, cells []column.Cell, terms uint64) bool {
	if e.log != nil || e.retention.on.Load() || at < MinTime || at > MaxTime || len(cells) != len(s.series) {
		return false
	}
	e.gate.RLock()
	if e.closed || s.stale.Load() || terms != 0 && terms != e.terms {
		e.gate.RUnlock()
		return false
	}
	d := s.into(e.mem)
	d.Lock()
	late, ok := d.AddRow(&s.layout, at, cells, e.counter.Add(1), memtable.Cut{Epoch: e.epoch, Oldest: e.snaps.oldest.Load()})
	d.Unlock()
	e.gate.RUnlock()
	if late {
		e.lateRows.Add(1)
	}
	return ok
}
