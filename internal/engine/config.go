package engine

import (
	"log/slog"
	"time"

	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/internal/segment"
	"github.com/tickwell/tickwell/internal/wal"
	"github.com/tickwell/tickwell/vfs"
)

// Config says how an engine stores. The zero value of every number means the
// server default.
type Config struct {
	FS  vfs.FS // nil = vfs.OS()
	Dir string // "" = memory only: the same engine without a log and without files

	// ReadOnly opens a store for reading, also beside a process that writes to
	// it: as it is at that moment, without a lock and without writing anything.
	ReadOnly bool

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
	WALBytes      int64 // a flush starts when the records of the log take more; default 256 MiB
	OutboxBytes   int64 // bound of undelivered events in memory, the oldest are dropped above it; default 64 MiB
	ManualFlush   bool  // no background work: only Flush and Compact write block files

	// TTL is how long points are kept, 0 = for ever; SetTTL sets it for parts of
	// the tree. A point expires when it is older than TTL against the clock or
	// the newest point, whichever is earlier; a clock that leaps ahead is
	// believed after an hour.
	TTL time.Duration
	// HoldBack is asked before points of a series before a time expire by their
	// time to live, and returns that time or an earlier one. It is called often,
	// from several goroutines and with locks held: it must not wait, nor call the
	// engine. Nil: they expire.
	HoldBack func(device, name string, before int64) int64
	// HoldCut returns a function for Snapshot.Steady that says what HoldBack does now,
	// whatever happens later. Nil, or if it returns nil: nothing is held back.
	HoldCut func() func(device, name string, before int64) int64
	// QuotaBytes bounds block files and log, in memory mode the memtable: the
	// oldest points are dropped above it. 0 = no bound.
	QuotaBytes int64

	FileBytes   int64         // compaction cuts files by time from here on; default 64 MiB
	Partition   time.Duration // and only at multiples of it; default 24 h
	MaxFiles    int           // compaction works harder above it; default 256
	CompactRate int64         // bytes a second that background compaction writes; 0 = unlimited
	IndexCache  int64         // bytes kept in memory of the index of block files, and of blocks read often; default 16 MiB
	// Coder compresses the blocks of files whose points are all older than the
	// newest by ColdAfter, when they are compacted; what is that old is compacted
	// for it once. It is needed to read them. Nil: none are compressed.
	Coder     segment.Coder
	ColdAfter time.Duration // default 24 h
	OpenFiles int           // block files open at once, all of them if ReadOnly is set; default 512
}

const (
	smallMemtable = 16 << 20 // memtables up to it encode rows before blocks are full
	stages        = 4        // namely when a block is filled to this part

	defaultSegmentBytes  = 16 << 20
	defaultBlockRows     = 1024
	defaultMemtableBytes = 64 << 20
	defaultWALBytes      = 256 << 20
	defaultOutboxBytes   = 64 << 20
	defaultFileBytes     = 64 << 20
	defaultPartition     = 24 * time.Hour
	defaultColdAfter     = 24 * time.Hour
	defaultMaxFiles      = 256
	defaultIndexCache    = 16 << 20
	defaultOpenFiles     = 512
)
