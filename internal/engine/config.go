package engine

import (
	"log/slog"

	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/internal/wal"
	"github.com/tickwell/tickwell/vfs"
)

// Config says how an engine stores. The zero value of every number means the
// server default.
type Config struct {
	FS  vfs.FS // nil = vfs.OS()
	Dir string // "" = memory only: the same engine without a log and without files

	Clock  clock.Clock // nil = clock.System()
	Logger *slog.Logger
	Seed   func() uint64 // source of the store id; nil = derived from the clock

	Sync         wal.Policy
	SegmentBytes int64 // size of a log segment; default 16 MiB
	Recycle      bool  // reuse finished log segments by renaming them

	BlockRows     int   // rows of a sealed block: default 1024, edge 256, at most block.MaxRows
	MaxSeries     int   // 0 = unlimited; a new series above it is an error wrapping errs.Limit
	MemtableBytes int64 // a flush starts above it; default 64 MiB
	MemtableHard  int64 // writers wait above it; default 2 × MemtableBytes
	WALBytes      int64 // a flush starts when the log is larger; default 256 MiB
	OutboxBytes   int64 // bound of undelivered events in memory, the oldest are dropped above it; default 64 MiB
	ManualFlush   bool  // no background flush: only Flush and Close write block files
}

const (
	defaultSegmentBytes  = 16 << 20
	defaultBlockRows     = 1024
	defaultMemtableBytes = 64 << 20
	defaultWALBytes      = 256 << 20
	defaultOutboxBytes   = 64 << 20
)
