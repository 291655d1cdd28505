// Package engine is the store: one log, a memtable, block files, and the
// snapshots that read them. Everything the store keeps — points, series
// definitions, deletes, trigger and query state, events on their way out — goes
// through one Commit and one log record.
package engine

import (
	"context"
	"iter"

	"github.com/tickwell/tickwell/internal/pattern"
)

// Engine is one open store. Safe for concurrent use.
type Engine struct{ report Report }

// Report tells what Open found.
type Report struct {
	Replayed    int64    // log records applied again
	Quarantined []Damage // files that were moved away or are unreadable in part
	LostLog     string   // "" or what the log lost beyond the torn tail
	Created     bool     // the directory held no store before
}

// Damage is one damaged file or part of one.
type Damage struct {
	File   string
	Reason string
	// MinTime and MaxTime bound what is lost when known; else both are zero.
	MinTime, MaxTime int64
}

// Open opens the store in cfg.Dir, or makes it. After a crash it always
// succeeds: what is damaged is moved to quarantine/ and reported. Errors wrap
// errs.Locked, errs.NoSpace, or what the file system said.
func Open(ctx context.Context, cfg Config) (*Engine, error) { return nil, nil }

// Report returns what Open found.
func (e *Engine) Report() Report { return e.report }

// Close flushes nothing that the log holds already: it waits for running
// commits, syncs the log, and releases files, memory and goroutines. Later calls
// fail with errs.Closed.
func (e *Engine) Close() error { return nil }

// Commit stores b as one atomic log record and makes it visible. It returns when
// the record is acknowledged as the sync policy says, or when it is on the disk
// if durable is set. An error other than *StoredError means that nothing was
// stored; ctx done before the log position is taken is such a case. An empty
// batch is no commit and returns LSN 0. Errors wrap errs.BadInput, errs.Limit,
// errs.KindMismatch, ErrStale, errs.Overloaded, errs.NoSpace, errs.StorageFailed,
// errs.Closed.
func (e *Engine) Commit(ctx context.Context, b *Batch, durable bool) (lsn uint64, err error) {
	return 0, nil
}

// Sync returns when every commit before it is on the disk.
func (e *Engine) Sync(ctx context.Context) error { return nil }

// Flush writes the memtable to a block file and returns when it is done. In
// memory mode it seals and merges what is in memory.
func (e *Engine) Flush(ctx context.Context) error { return nil }

// Match returns the series whose path p matches, sorted by path.
func (e *Engine) Match(p *pattern.Pattern) []*Series { return nil }

// MatchCreated is Match in creation order.
func (e *Engine) MatchCreated(p *pattern.Pattern) []*Series { return nil }

// Lookup returns one series.
func (e *Engine) Lookup(device, name string) (*Series, bool) { return nil, false }

// Get returns the value of a state key. The value must not be changed.
func (e *Engine) Get(key string) ([]byte, bool) { return nil, false }

// Scan yields the state keys that begin with prefix, sorted, as of the call.
func (e *Engine) Scan(prefix string) iter.Seq2[string, []byte] { return nil }
