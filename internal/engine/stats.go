package engine

// Stats is a look at the engine's counters; each is exact, together they are
// not one cut.
type Stats struct {
	Series        int
	Points        int64 // cells accepted since Open plus those found by it
	MemtableBytes int64 // active and frozen
	OutboxBytes   int64
	DiskBytes     int64 // block files
	LogBytes      int64
	Written       int64 // bytes given to the store's files since Open
	Files         int
	LastLSN       uint64 // last commit
	WrittenLSN    uint64 // given to the operating system up to here
	DurableLSN    uint64 // on the disk up to here
	FlushedLSN    uint64 // in block files up to here
	Flushes       int64
	Compactions   int64
	Compacted     int64  // bytes written by compaction
	CompactError  string // why the last one failed, "" if it did not
	FlushError    string // why the last flush failed, "" if it did not
	Expired       int64  // points dropped because of their age
	Dropped       int64  // points dropped for the quota
	TooLate       int64  // rows refused because they would be gone at once
	LateRows      int64  // rows that were not after every row of their group in memory
	Snapshots     int
	Damaged       int // files in quarantine or damaged in part
}

// Stats returns the counters.
func (e *Engine) Stats() Stats {
	s := Stats{
		Series: e.cat.Len(), LateRows: e.lateRows.Load(),
		MemtableBytes: e.active.Load().Bytes() + e.frozenBytes.Load(),
		LastLSN:       e.lastLSN(), Flushes: e.flushes.Load(), Written: e.written.Load(), Damaged: len(e.report.Quarantined),
	}
	s.WrittenLSN, s.DurableLSN = s.LastLSN, s.LastLSN
	if e.log != nil {
		s.WrittenLSN, s.DurableLSN, s.LogBytes = e.log.Written(), e.log.Durable(), e.log.Bytes()
	}
	if err := e.room.last(); err != nil {
		s.FlushError = err.Error()
	}
	if err := e.tidied.last(); err != nil {
		s.CompactError = err.Error()
	}
	r := &e.retention
	s.Expired, s.Dropped, s.TooLate = r.expired.Load(), r.dropped.Load(), r.refused.Load()
	s.Compactions, s.Compacted = e.compactions.Load(), e.compacted.Load()
	e.snaps.mu.Lock()
	s.Snapshots = e.snaps.n
	e.snaps.mu.Unlock()
	e.outbox.mu.Lock()
	s.OutboxBytes = e.outbox.bytes
	e.outbox.mu.Unlock()
	e.gate.RLock()
	defer e.gate.RUnlock()
	s.Points = e.points.Load() + e.mem.Accepted()
	for _, f := range e.version.files {
		s.DiskBytes += f.meta.Size
	}
	s.FlushedLSN = e.flushed.Load()
	s.Files = len(e.version.files)
	return s
}
