// Package engine is the store: one log, a memtable, block files, and the
// snapshots that read them. Everything the store keeps — points, series
// definitions, deletes, trigger and query state, events on their way out — goes
// through one Commit and one log record.
//
// Locks are taken in this order: series making, commit gate (shared by commits,
// exclusive for snapshots, freezes, drops), durable state, outbox, devices by
// id, log. None is held over disk reads, user code or a wait for the disk,
// except that the log may make a commit wait for buffer space.
package engine

import (
	"context"
	"errors"
	"io"
	"iter"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/catalog"
	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/logs"
	"github.com/tickwell/tickwell/internal/memtable"
	"github.com/tickwell/tickwell/internal/pattern"
	"github.com/tickwell/tickwell/internal/segment"
	"github.com/tickwell/tickwell/internal/wal"
	"github.com/tickwell/tickwell/vfs"
)

// Engine is one open store. Safe for concurrent use.
type Engine struct {
	cfg    Config
	fs     vfs.FS
	clock  clock.Clock
	logger *logs.Logger
	report Report

	cat    *catalog.Catalog
	shapes *shapes
	making sync.Mutex // one maker or dropper of series at a time
	define []byte     // memory for the record of new series; making guards it
	looked []*Series  // likewise, of those that are looked up
	kv     kv
	outbox *Outbox
	snaps  snapshots
	lasts  lasts

	log     *wal.Log  // nil in memory mode
	counter positions // in memory mode
	commits Spare[commit]

	// The gate: commits hold it shared from before their log position is taken
	// until they are visible; whoever holds it alone sees no half commit.
	gate    sync.RWMutex
	closed  bool
	watched bool   // see Watch
	terms   uint64 // see SetTerms; changed at the gate
	mem     *memtable.Table
	frozen  *frozen
	version *version
	recent  []definedAt          // definitions logged since the last flush; changed with making held too
	defs    []catalog.Definition // memory of theirs and of those to come, guarded likewise
	lostMu  sync.Mutex
	lost    [][2]uint64 // positions that the log refused

	active      atomic.Pointer[memtable.Table] // mem, readable without the gate
	epoch       atomic.Uint64                  // changed at the gate
	passing     atomic.Uint32                  // see alone
	frozenBytes atomic.Int64
	points      atomic.Int64
	lateRows    atomic.Int64
	flushes     atomic.Int64
	written     atomic.Int64  // bytes given to files
	restUntil   atomic.Int64  // by the monotonic clock, see rest
	flushed     atomic.Uint64 // LSN up to which the manifest says that files have everything
	stopped     atomic.Bool

	disk     storage // the directory; zero in memory mode
	flushing sync.Mutex
	// compacting is held by whoever takes block files away; before flushing.
	compacting  sync.Mutex
	tidyNow     chan struct{}
	tidied      roomSignal
	compactions atomic.Int64
	compacted   atomic.Int64 // bytes written by compaction
	pages       *segment.Cache
	tailRoom    int64 // see tails
	files       *segment.Files
	retention   retention
	room        roomSignal
	wants       atomic.Uint32
	wake        chan struct{}
	flushNow    chan struct{}
	done        chan struct{}
	workers     sync.WaitGroup
	locks       []io.Closer
}

// Report tells what Open found.
type Report struct {
	Replayed    int64    // log records applied again
	Quarantined []Damage // files that were moved away or are unreadable in part
	LostLog     []string // what the log lost beyond the torn tail, one line each
	Created     bool     // the directory held no store before
}

// Damage is one damaged file or part of one.
type Damage struct {
	File   string
	Reason string
	// MinTime and MaxTime bound what is lost when known; else both are zero.
	MinTime, MaxTime int64
	Series           string // path of the only series affected, "" = any or unknown
}

// Open opens the store in cfg.Dir, or makes it. After a crash it always
// succeeds: what is damaged is moved to quarantine/ and reported. Errors wrap
// errs.Locked, errs.NoSpace, or what the file system said; of a read-only open
// also errs.NotFound.
func Open(ctx context.Context, cfg Config) (*Engine, error) {
	cfg.setDefaults()
	if cfg.ReadOnly && cfg.Dir != "" {
		return openReadOnly(ctx, cfg)
	}
	e := newEngine(cfg)
	if cfg.Dir == "" {
		e.loadTTLs(true)
		return e, nil
	}
	if err := e.openDir(ctx); err != nil {
		_ = e.releaseFiles()
		return nil, err // the caller says what it opens
	}
	e.workers.Add(1)
	go e.serve()
	if !cfg.ManualFlush {
		e.workers.Add(2)
		go e.flushLoop()
		go e.compactLoop()
		e.wantTidy()
	}
	return e, nil
}

func newEngine(cfg Config) *Engine {
	e := &Engine{
		cfg: cfg, clock: cfg.Clock, logger: logs.Of(cfg.Logger),
		cat:     catalog.New(),
		version: newVersion(),
		wake:    make(chan struct{}, 1), flushNow: make(chan struct{}, 1), done: make(chan struct{}),
		tidyNow: make(chan struct{}, 1), pages: segment.NewCache(cfg.IndexCache - tailRoom(cfg.IndexCache)), tailRoom: tailRoom(cfg.IndexCache),
		files: segment.NewFiles(cfg.FS, cfg.OpenFiles),
	}
	e.shapes = newShapes(e.cat)
	e.fs = counted{cfg.FS, &e.written}
	e.files.Coder = cfg.Coder
	e.mem = e.newTable()
	e.active.Store(e.mem)
	e.epoch.Store(1)
	if cfg.ReadOnly {
		e.passing.Store(shut)
	}
	e.outbox = newOutbox(e)
	e.snaps.oldest.Store(memtable.NoSnapshot)
	e.retention.floor.Store(math.MinInt64)
	e.retention.evicted.Store(math.MinInt64)
	e.retention.shortest.Store(math.MaxInt64)
	return e
}

// newTable returns an empty memtable. One that is small encodes early: its blocks
// would be most of it before they are full.
func (e *Engine) newTable() *memtable.Table {
	switch {
	case e.cfg.MemtableBytes > smallMemtable && e.cfg.Dir != "":
		return memtable.NewWhole(e.cfg.BlockRows)
	case e.cfg.MemtableBytes > smallMemtable:
		return memtable.New(e.cfg.BlockRows)
	}
	return memtable.NewStaged(e.cfg.BlockRows, e.cfg.BlockRows/stages)
}

func (c *Config) setDefaults() {
	if c.FS == nil {
		c.FS = vfs.OS()
	}
	if c.Clock == nil {
		c.Clock = clock.System()
	}
	if c.Seed == nil {
		c.Seed = func() uint64 { return uint64(c.Clock.Now().UnixNano()) * 0x9e3779b97f4a7c15 }
	}
	positive(&c.SegmentBytes, defaultSegmentBytes)
	positive(&c.MemtableBytes, defaultMemtableBytes)
	positive(&c.MemtableHard, 2*c.MemtableBytes)
	positive(&c.WALBytes, defaultWALBytes)
	positive(&c.OutboxBytes, defaultOutboxBytes)
	positive(&c.FileBytes, defaultFileBytes)
	positive(&c.IndexCache, defaultIndexCache)
	if c.OpenFiles <= 0 {
		c.OpenFiles = defaultOpenFiles
	}
	if c.ReadOnly { // beside a writer a name may go, an open file stays
		c.OpenFiles = 0
	}
	if c.Partition <= 0 {
		c.Partition = defaultPartition
	}
	if c.ColdAfter <= 0 {
		c.ColdAfter = defaultColdAfter
	}
	if c.QuotaBytes > 0 { // what is dropped is a small part of it
		c.FileBytes = min(c.FileBytes, max(c.QuotaBytes/8, 1))
	}
	if c.MaxFiles <= 0 {
		c.MaxFiles = defaultMaxFiles
	}
	if c.BlockRows <= 0 {
		c.BlockRows = defaultBlockRows
	}
	c.BlockRows = min(c.BlockRows, block.MaxRows)
}

func positive(n *int64, def int64) {
	if *n <= 0 {
		*n = def
	}
}

// Report returns what Open found.
func (e *Engine) Report() Report { return e.report }

// Close flushes nothing that the log holds already: it waits for running
// commits, syncs the log, and releases files, memory and goroutines. Later calls
// fail with errs.Closed. Snapshots in use keep what they read until Release. It
// fails with errs.NoSpace when the log refused something that no file has room for
// either.
func (e *Engine) Close() error {
	if e.stopped.Swap(true) {
		return errs.Closed
	}
	e.disarmTidy()
	if e.log != nil {
		e.outbox.disarm()
		if !e.cfg.ReadOnly {
			e.logAcks()
		}
		close(e.done)
		e.workers.Wait()
	}
	e.compacting.Lock()
	defer e.compacting.Unlock()
	var err error
	if e.log != nil && !e.cfg.ReadOnly {
		err = e.settle(context.Background())
	}
	e.flushing.Lock()
	defer e.flushing.Unlock()
	e.alone()
	e.closed = true
	version := e.version
	e.points.Add(e.mem.Accepted())
	e.mem, e.frozen = e.newTable(), nil
	e.active.Store(e.mem)
	e.together()
	e.outbox.wakeForClose()
	version.unref()
	if cerr := e.releaseFiles(); err == nil {
		err = cerr
	}
	return err
}

// releaseFiles ends the log and gives the directory free.
func (e *Engine) releaseFiles() error {
	var err error
	if e.log != nil {
		err = e.log.Close()
	}
	if e.disk.manifest != nil {
		if cerr := e.disk.manifest.Close(); err == nil {
			err = cerr
		}
	}
	for _, lock := range slices.Backward(e.locks) {
		if cerr := lock.Close(); err == nil {
			err = cerr
		}
	}
	return err
}

// Sync returns when every commit before it is on the disk.
func (e *Engine) Sync(ctx context.Context) error {
	if e.stopped.Load() {
		return errs.Closed
	}
	if e.log == nil {
		return ctx.Err()
	}
	return e.settle(ctx)
}

// settle is Sync. What the log refused for want of space is in memory only, and goes
// to files.
func (e *Engine) settle(ctx context.Context) error {
	last := e.log.Last()
	err := e.log.Sync(ctx)
	if e.log.Durable() >= last || err != nil && !errors.Is(err, errs.NoSpace) {
		return err
	}
	return full(e.flush(ctx, true))
}

// durableLSN returns the position up to which everything is on the disk, or in
// memory mode as safe as it gets.
func (e *Engine) durableLSN() uint64 {
	if e.log == nil {
		return e.counter.last()
	}
	return e.log.Durable()
}

// Match returns the series whose path p matches, sorted by path.
func (e *Engine) Match(p *pattern.Pattern) []*Series { return e.cat.Match(p) }

// MatchCreated is Match in creation order.
func (e *Engine) MatchCreated(p *pattern.Pattern) []*Series { return e.cat.MatchCreated(p) }

// SeriesVersion returns two numbers that are never the same again once a series
// was made or dropped.
func (e *Engine) SeriesVersion() (next uint32, n int) { return e.cat.Version() }

// Lookup returns one series.
func (e *Engine) Lookup(device, name string) (*Series, bool) { return e.cat.Lookup(device, name) }

// Devices returns the paths of the devices at or below prefix, sorted; "" means
// all.
func (e *Engine) Devices(prefix string) []string { return e.cat.Devices(prefix) }

// DeviceSeries returns the series of a device, sorted by name.
func (e *Engine) DeviceSeries(device string) iter.Seq[*Series] {
	return func(yield func(*Series) bool) {
		d, ok := e.cat.Device(device)
		if !ok {
			return
		}
		for _, s := range e.cat.SeriesOf(d) {
			if !yield(s) {
				return
			}
		}
	}
}
