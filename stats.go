package tickwell

import (
	"time"

	"github.com/tickwell/tickwell/internal/engine"
)

// Stats are the counters and gauges of a store. Each is exact; together they
// are not one instant. Fields may be added.
type Stats struct {
	Series            int   // series that exist
	Points            int64 // cells stored since Open, and those it found
	LateRows          int64 // rows not newer than all rows of their device in memory
	MemtableBytes     int64 // memory for points that are not in files yet
	OutboxBytes       int64 // memory for events that wait
	DiskBytes         int64 // block files
	LogBytes          int64 // segments of the log
	WrittenBytes      int64 // given to the store's files since Open: log, block files, what compaction writes again, state; a backup's are not among them
	Files             int   // block files
	Flushes           int64 // memtables written to files since Open
	Triggers          int   // triggers registered, INACTIVE ones too
	TriggerFailures   int64 // firings that failed since Open, see [TriggerInfo] for each trigger's
	ContinuousQueries int   // continuous queries, INACTIVE ones too
	// Sinks are the sinks, and, with the Health "absent", those for which events
	// wait that were not added since Open; sorted by name.
	Sinks []SinkStats
}

// SinkStats are the counters of one sink since Open.
type SinkStats struct {
	Name        string // of the sink
	Type        string // Go type of the Sink, such as *webhook.Sink
	Backlog     int64  // events waiting
	Bytes       int64  // that they take of Profile.OutboxBytes
	Delivered   int64  // acknowledged by the target
	Retries     int64  // attempts that failed and were or will be repeated
	Dead        int64  // given up: to DeadLetter, or kept as dead letters
	Dropped     int64  // lost to the limits of the outbox while they waited
	DeadLetters int64  // kept now, see [DB.Redrive]
	DeadDropped int64  // dead letters, counted in Dead before, lost to those limits
	InFlight    int    // attempts under way
	LastError   string // without secrets; "" if there was none
	// Health is "starting", "ok", "degraded" (retrying), "failing" (the breaker
	// is open), "disabled" (by the target, see [DB.EnableSink]), "stopped" or
	// "absent" (events wait, and nobody takes them).
	Health  string
	Since   time.Time // of Health
	Breaker string    // "closed", "open" or "half-open"
	// OldestAge is how long the oldest event has been waiting, by the wall clock;
	// 0 if none does. Drain is about how long the backlog takes at the pace of the
	// last minute if nothing is added: -1 if nothing got through in it.
	OldestAge   time.Duration
	Drain       time.Duration
	LastSuccess time.Time // when it was last opened or its target answered; zero: never
}

// Stats returns the counters.
func (db *DB) Stats() Stats {
	if !db.made() {
		return Stats{}
	}
	e := db.eng.Stats()
	return Stats{
		Series: e.Series, Points: e.Points, LateRows: e.LateRows, MemtableBytes: e.MemtableBytes, OutboxBytes: e.OutboxBytes,
		DiskBytes: e.DiskBytes, LogBytes: e.LogBytes, WrittenBytes: e.Written, Files: e.Files, Flushes: e.Flushes,
		Triggers: len(db.triggers.Load().all), TriggerFailures: db.failures.Load(), ContinuousQueries: db.cqs.len(), Sinks: db.sinkStats(),
	}
}

// Recovery tells what Open found in the folder.
type Recovery struct {
	Created  bool     // there was no store
	Replayed int64    // log records applied again
	Damage   []Damage // what could not be read, in the order it was found
}

// Damage is a file, or a part of one, that could not be read and was set aside.
type Damage struct {
	File   string // name in the folder; "wal" for the log
	Reason string // why it was set aside
	// Start and End are the first and the last time of the points that may be
	// affected, those of Series or, if it is empty, of any. Zero: not known.
	Start, End time.Time
	Series     string
}

func damageOf(d *engine.Damage) Damage {
	out := Damage{File: d.File, Reason: d.Reason, Series: d.Series}
	if d.MinTime <= d.MaxTime && (d.MinTime != 0 || d.MaxTime != 0) {
		out.Start, out.End = instant(d.MinTime), instant(d.MaxTime)
	}
	return out
}

// Recovery tells what Open found. Damage is empty unless bytes were lost.
func (db *DB) Recovery() Recovery {
	if !db.made() {
		return Recovery{}
	}
	r := db.eng.Report()
	out := Recovery{Created: r.Created, Replayed: r.Replayed}
	for _, d := range r.Quarantined {
		out.Damage = append(out.Damage, damageOf(&d))
	}
	for _, l := range r.LostLog {
		out.Damage = append(out.Damage, Damage{File: "wal", Reason: l})
	}
	return out
}
