package tickwell

import (
	"context"
	"log/slog"
	"time"

	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/vfs"
)

// Options configures a [DB]. The zero value is usable; each zero field means
// the default named in its comment.
type Options struct {
	// FS is the file system below dir. Default vfs.OS(). It is not used by a
	// store in memory.
	FS vfs.FS
	// Clock is the source of processing time. Default: package time, which a
	// testing/synctest bubble can drive.
	Clock Clock
	// Seed makes random choices (store id, back-off jitter) repeatable.
	// Default: drawn at random.
	Seed uint64
	// Logger receives life-cycle events and background failures. Nil means
	// slog.Default(). Use slog.New(slog.DiscardHandler) for silence. With the
	// build tag tickwell_small it only says which levels are enabled: the lines
	// go to package log.
	Logger *slog.Logger
	// Observer is told of work as it happens.
	Observer *Observer
	// Authorize, if set, is asked before each action on a path or name; an
	// error refuses it. It is called by the goroutine of the caller, with the
	// caller's context, so by several at once. An insert that makes its series
	// is asked about as ActionWrite of the device, not as ActionCreateSeries.
	Authorize func(ctx context.Context, action Action, path string) error
	// OnTriggerError is told of each failed firing, whatever its strategy. It is
	// called by the goroutine that ran the trigger, mostly the inserting one, so by
	// several at once, and must be quick.
	OnTriggerError func(*TriggerError)

	// Sync says when an acknowledged insert is safe against power loss.
	// Default SyncInterval(time.Second).
	Sync SyncPolicy
	// Profile sizes buffers, blocks and log segments. Default Server.
	Profile Profile
	// MaxSeries bounds the number of series. Default 0: no bound.
	MaxSeries int

	// QueryMemory bounds the bytes that the functions of one query may hold, and
	// sorting eight times that (the documents' udf_memory_budget_in_mb). More is
	// ErrLimit. Default 30 MiB.
	QueryMemory int64

	// Classes are the trigger classes there are, by name: each makes a new
	// instance. A stored trigger whose class is missing is listed INACTIVE, and
	// each insert it listens to counts as a failed firing.
	Classes map[string]func() Trigger

	// FunctionClasses are the functions that a definition can name, by class: see
	// FunctionSpec.Class. Their Name is not used.
	FunctionClasses map[string]FunctionSpec

	// TTL is how long points are kept; [DB.SetTTL] sets it for parts of the tree.
	// A point expires when it is older than TTL against the clock or against the
	// newest point, whichever is earlier; a clock that leaps ahead is believed
	// after an hour. Expired points are not shown, and inserts of them fail with
	// ErrTooLate. Default 0: for ever.
	TTL time.Duration
	// QuotaBytes bounds the files of the store, or a store in memory: above it
	// the oldest points are dropped. Default 0: no bound.
	QuotaBytes int64
	// Compress makes the coder that compresses old points: compaction compresses
	// blocks of files whose points are all a day older than the newest one, where
	// that saves at least 8 percent, and writes files that grew that old once more
	// for it. It is zstd.New of the package zstd, which links the coder; a store
	// that holds compressed blocks opens only with it. Default nil: nothing is
	// compressed.
	Compress func() (Compressor, error)
	// MemoryBudget bounds the memory for points, undelivered events and file
	// index, in place of the profile's sizes where those are larger. Writers wait
	// when points come faster than the disk takes them; a store in memory drops
	// the oldest. Default 0: the profile's sizes.
	MemoryBudget int64
	// ReadOnly opens an existing store as it is at that moment, also while
	// another process writes to it; nothing is written. Sinks and triggers are
	// checked, but sinks are not opened and get nothing, of triggers no other
	// method than Validate and FailureStrategy is called, and no continuous query
	// runs: that is for the process that writes.
	ReadOnly bool

	// Functions, Sinks, Triggers and ContinuousQueries are installed, in this
	// order, before Open returns, so nothing is missed after a restart. With the
	// build tag tickwell_small Sinks needs package sink or an adapter to be
	// imported.
	Functions         []FunctionSpec
	Sinks             []SinkSpec
	Triggers          []TriggerSpec
	ContinuousQueries []CQSpec

	// CQWorkers bounds how many continuous queries run at once (the documents'
	// continuous_query_submit_thread). Default 2.
	CQWorkers int
	// CQMinEvery is the shortest accepted period of a continuous query
	// (continuous_query_min_every_interval_in_ms). Default 1 s.
	CQMinEvery time.Duration
	// MaxTriggerDepth bounds chains of triggers that write rows that fire
	// triggers. Default 8.
	MaxTriggerDepth int
	// CheckTriggers is for tests: each firing gets rows of its own, which are
	// compared when it is over (a change is a failure) and then spoiled, so that
	// a trigger that keeps them against the rules shows.
	CheckTriggers bool
}

// check refuses what can only be a slip and would be taken for a default.
func (o *Options) check(dir string) error {
	for _, n := range [...]struct {
		name  string
		value int64
	}{
		{"MaxSeries", int64(o.MaxSeries)}, {"QueryMemory", o.QueryMemory}, {"TTL", int64(o.TTL)},
		{"QuotaBytes", o.QuotaBytes}, {"MemoryBudget", o.MemoryBudget}, {"CQMinEvery", int64(o.CQMinEvery)},
		{"Sync", int64(o.Sync.every)},
	} {
		if n.value < 0 {
			return errs.Badf("Options.%s is negative", n.name)
		}
	}
	if o.ReadOnly && dir == "" {
		return errs.Badf("Options.ReadOnly needs a folder to read")
	}
	return nil
}

// SyncPolicy says when the log is forced to disk. Rows are visible at once
// under every policy. Make one with [SyncAlways], [SyncInterval], [AckBuffered]
// or [SyncNever]; the zero value is SyncInterval(time.Second).
type SyncPolicy struct {
	mode  syncMode
	every time.Duration
}

type syncMode uint8

const (
	syncDefault syncMode = iota
	syncAlways
	syncInterval
	syncBuffered
	syncNever
)

// SyncAlways acknowledges an insert when it is on disk. Concurrent inserts
// share one sync.
func SyncAlways() SyncPolicy { return SyncPolicy{mode: syncAlways} }

// SyncInterval acknowledges an insert when the operating system has it, and
// forces it to disk within d: a killed process loses nothing, a power cut at
// most the last d.
func SyncInterval(d time.Duration) SyncPolicy { return SyncPolicy{syncInterval, d} }

// AckBuffered acknowledges from memory; a killed process or a power cut may
// lose the last d.
func AckBuffered(d time.Duration) SyncPolicy { return SyncPolicy{syncBuffered, d} }

// SyncNever acknowledges when the operating system has the insert and leaves
// the rest to it.
func SyncNever() SyncPolicy { return SyncPolicy{mode: syncNever} }

// Profile is a set of sizes. A zero field takes the value of [Server].
type Profile struct {
	BlockRows     int   // rows of one encoded block
	MemtableBytes int64 // memory at which the memtable is flushed to a file
	LogBytes      int64 // log size at which it is flushed, which bounds recovery
	SegmentBytes  int64 // size of one log segment
	OutboxBytes   int64 // undelivered events kept, on disk if there is one; beyond it the oldest are dropped and counted
	RecycleLog    bool  // overwrite old log segments instead of making new ones
	OpenFiles     int   // block files that are open at once; the others are opened when they are read. Not of read-only stores
}

// Server and Edge are the documented profiles. They are functions so that
// nobody can change them for the rest of the program.

// Server suits a process with memory to spare: blocks of 1024 rows, a memtable
// of 256 MiB.
func Server() Profile {
	return Profile{
		BlockRows: 1024, MemtableBytes: 256 << 20, LogBytes: 512 << 20,
		SegmentBytes: 64 << 20, OutboxBytes: 1 << 30, RecycleLog: true, OpenFiles: 512,
	}
}

// Edge suits a gateway with 64 MiB of memory and flash: blocks of 256 rows, a
// memtable of 8 MiB, plain appends.
//
// Where memory is scarcer, a MemoryBudget of 4 MiB with GOGC=20 and
// GOMEMLIMIT=9MiB is what integration/cmd/edge measures: a thousand series with a
// point a second, five triggers and five continuous queries. On amd64 they are
// resident with 10 to 12 MiB, 6 of which are the program's file, and over a
// simulated week with GOMAXPROCS=1 with up to 15.9 in the moments of a flush or
// compaction; between syncs every ten seconds they write 9.7 bytes a point,
// counted in pages of 4 KiB.
func Edge() Profile {
	return Profile{
		BlockRows: 256, MemtableBytes: 8 << 20, LogBytes: 16 << 20,
		SegmentBytes: 4 << 20, OutboxBytes: 32 << 20, OpenFiles: 32,
	}
}

const (
	mostMemtable   = 1 << 40 // more is taken for this: sums of it stay numbers
	mostIndexCache = 4 << 30 // room for it is made at once
)

func (p Profile) withDefaults() Profile {
	d := Server()
	if p == (Profile{}) {
		return d
	}
	if p.BlockRows <= 0 {
		p.BlockRows = d.BlockRows
	}
	if p.MemtableBytes <= 0 {
		p.MemtableBytes = d.MemtableBytes
	}
	p.MemtableBytes = min(p.MemtableBytes, mostMemtable)
	if p.LogBytes <= 0 {
		p.LogBytes = d.LogBytes
	}
	if p.SegmentBytes <= 0 {
		p.SegmentBytes = d.SegmentBytes
	}
	if p.OutboxBytes <= 0 {
		p.OutboxBytes = d.OutboxBytes
	}
	if p.OpenFiles <= 0 {
		p.OpenFiles = d.OpenFiles
	}
	return p
}

// Compressor compresses bytes in the zstd format and gives them back. It must be
// safe for concurrent use, and call nothing of the store. See Options.Compress.
type Compressor interface {
	// Compress appends src, compressed, to dst.
	Compress(dst, src []byte) []byte
	// Decompress appends the size bytes to dst that src was made of. It returns an
	// error if they are not so many, and takes no more memory than for them.
	Decompress(dst, src []byte, size int) ([]byte, error)
}

// Clock is a source of processing time. It must be safe for concurrent use.
type Clock interface {
	// Now returns wall time, which may jump.
	Now() time.Time
	// Mono returns time that only grows, from any fixed origin.
	Mono() time.Duration
	// AfterFunc calls f in its own goroutine after d. stop reports whether it
	// prevented the call.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// Observer holds hooks that are called as things happen; nil hooks are skipped.
// They are called by the goroutine that did the work, must be quick and must
// not call the DB.
type Observer struct {
	Fire func(FireInfo)  // a trigger fired
	Run  func(CQRunInfo) // a continuous query ran
}

// FireInfo tells of one call of a trigger.
type FireInfo struct {
	Trigger string        // its name
	Device  string        // of the tablet that it was fired with
	Rows    int           // rows of that tablet
	Took    time.Duration // from call to return
	Err     error         // what Fire returned; nil: it succeeded
}

// CQRunInfo tells of one run of a continuous query.
type CQRunInfo struct {
	Name       string        // of the continuous query
	At         time.Time     // the time the run was due
	Start, End time.Time     // the range it covered, [Start, End)
	Rows       []*Tablet     // what it wrote; only valid during the call
	Took       time.Duration // from begin to end of the run
	Err        error         // nil: it succeeded
}

// Action is something that Options.Authorize is asked about, under the name of
// the documents' privilege.
type Action string

// The actions.
const (
	ActionWrite         Action = "INSERT_TIMESERIES"
	ActionRead          Action = "READ_TIMESERIES"
	ActionCreateSeries  Action = "CREATE_TIMESERIES"
	ActionDelete        Action = "DELETE_TIMESERIES"
	ActionCreateTrigger Action = "CREATE_TRIGGER"
	ActionDropTrigger   Action = "DROP_TRIGGER"
	ActionStartTrigger  Action = "START_TRIGGER"
	ActionStopTrigger   Action = "STOP_TRIGGER"
	ActionCreateCQ      Action = "CREATE_CONTINUOUS_QUERY"
	ActionDropCQ        Action = "DROP_CONTINUOUS_QUERY"
	ActionShowCQ        Action = "SHOW_CONTINUOUS_QUERIES"
	ActionCreateFunc    Action = "CREATE_FUNCTION"
	ActionDropFunc      Action = "DROP_FUNCTION"

	ActionCreateDatabase Action = "CREATE_DATABASE" // also to set a time to live
	ActionDropDatabase   Action = "DELETE_DATABASE"
)
