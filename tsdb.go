package tickwell

import (
	"context"
	"fmt"
	"hash/maphash"
	"math"
	"math/bits"
	"sync/atomic"
	"time"

	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/internal/dispatch"
	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/logs"
	"github.com/tickwell/tickwell/internal/segment"
	"github.com/tickwell/tickwell/internal/wal"
	"github.com/tickwell/tickwell/vfs"
)

// DB is a store, which [Open] makes; methods of the zero DB return ErrClosed, or
// nothing. Its methods are safe for concurrent use.
type DB struct {
	dir   string
	opts  Options
	log   *logs.Logger
	clock Clock
	eng   *engine.Engine

	bound   bindings
	scratch engine.Spare[insertion]

	// reg serialises registration. It is a channel, because hooks run inside.
	reg      chan struct{}
	triggers atomic.Pointer[triggerTable]
	tabling  tabling
	classes  classes
	created  atomic.Uint64 // triggers made so far
	promised atomic.Uint64 // durable firings promised so far
	failures atomic.Int64  // firings that failed, of dropped triggers too
	locks    locks
	budget   *dispatch.Budgeted
	work     *dispatch.Group // what triggers have to do in the background
	busy     gate            // of that, what is under way
	record   func(Event)     // in a backtest: takes what triggers emit
	funcs    functions
	plans    planCache
	asked    asked
	rollups  rollups
	sinks    sinkSet
	cqs      cqSet

	phase atomic.Int32 // one of the phases below
	stop  context.CancelFunc
	life  context.Context // ends when the DB closes
	done  chan struct{}   // closed when Close is over
	err   error           // what Close returned
}

const (
	phaseNone int32 = iota // of the zero DB
	phaseOpening
	phaseOpen
	phaseDraining
	phaseClosed
)

// Open opens the store in dir, making it if there is none. An empty dir keeps
// everything in memory. Nil opts means the defaults.
//
// What opts names — functions, sinks, triggers, continuous queries — is
// installed before Open returns. If that fails, the store is closed again.
// After a crash Open always succeeds on the data: what is damaged is set aside
// and reported by [DB.Recovery]. Errors: ErrLocked if the folder is open
// elsewhere, ErrNoSpace, ErrBadInput, ErrNotFound if there is nothing to open with
// Options.ReadOnly, or what the file system said.
func Open(ctx context.Context, dir string, opts *Options) (*DB, error) {
	if ctx == nil {
		return nil, &Error{Op: "open", Subject: dir, Err: errNilContext}
	}
	if err := ctx.Err(); err != nil {
		return nil, &Error{Op: "open", Subject: dir, Err: err}
	}
	db := &DB{dir: dir, reg: make(chan struct{}, 1), done: make(chan struct{})}
	db.phase.Store(phaseOpening)
	if opts != nil {
		db.opts = *opts
	}
	if err := db.opts.check(dir); err != nil {
		return nil, &Error{Op: "open", Subject: dir, Err: err}
	}
	db.withDefaults()
	db.bound.seed = maphash.MakeSeed()
	db.life, db.stop = context.WithCancel(context.WithoutCancel(ctx))
	db.budget = dispatch.NewBudgeted(db.clock, maxBudgeted)
	db.work = dispatch.NewGroup(db.clock, func(name string, err error) {
		db.log.Warn("background work of a trigger failed", "trigger", name, "err", err)
	})
	var eng *engine.Engine
	cfg, err := db.engineConfig()
	if err == nil {
		eng, err = engine.Open(ctx, cfg)
	}
	if err != nil {
		db.stop()
		return nil, &Error{Op: "open", Subject: dir, Err: err}
	}
	db.eng, db.cqs.eng = eng, eng
	eng.SetTerms(1, func(uint64) { db.triggers.Store(&triggerTable{terms: 1}) })
	if err := db.install(ctx); err != nil {
		_ = db.Close() // err says why
		return nil, err
	}
	db.reportLeftovers()
	db.phase.Store(phaseOpen)
	db.startCQs()
	return db, nil
}

func (db *DB) withDefaults() {
	o := &db.opts
	if o.FS == nil {
		o.FS = vfs.OS()
	}
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	if o.Seed == 0 {
		// The runtime's own randomness: crypto/rand would weigh more than codecs do.
		o.Seed = new(maphash.Hash).Sum64()
	}
	o.Profile = o.Profile.withDefaults()
	if o.CQWorkers <= 0 {
		o.CQWorkers = 2
	}
	if o.MaxTriggerDepth <= 0 {
		o.MaxTriggerDepth = 8
	}
	db.log, db.clock = logs.Of(o.Logger), o.Clock
}

func (db *DB) engineConfig() (engine.Config, error) {
	o, p := &db.opts, &db.opts.Profile
	var coder segment.Coder
	if o.Compress != nil {
		c, err := o.Compress()
		if err != nil {
			return engine.Config{}, fmt.Errorf("compress: %w", err)
		}
		coder = c
	}
	coldAfter := time.Duration(0)
	if _, ok := coder.(interface{ OnlyReads() }); ok {
		coldAfter = math.MaxInt64
	}
	cfg := engine.Config{
		FS: o.FS, Dir: db.dir, Clock: o.Clock, Logger: o.Logger, Seed: splitMix(o.Seed), Sync: o.Sync.policy(),
		SegmentBytes: p.SegmentBytes, Recycle: p.RecycleLog, BlockRows: p.BlockRows, MaxSeries: o.MaxSeries,
		MemtableBytes: p.MemtableBytes, WALBytes: p.LogBytes, OutboxBytes: p.OutboxBytes,
		OpenFiles: p.OpenFiles, Coder: coder, ColdAfter: coldAfter,
		TTL: o.TTL, QuotaBytes: o.QuotaBytes, ReadOnly: o.ReadOnly, HoldBack: db.cqs.holdBack, HoldCut: db.cqs.holdCut,
		FileBytes: max(p.MemtableBytes/4, 8<<20), CompactRate: max(p.MemtableBytes/4, 4<<20),
		IndexCache: min(max(p.MemtableBytes/8, 1<<20), mostIndexCache),
	}
	if b := o.MemoryBudget; b > 0 {
		cfg.MemtableBytes, cfg.MemtableHard = min(cfg.MemtableBytes, b/4), b/2
		cfg.IndexCache = min(cfg.IndexCache, b/16)
		if file := max(b/2, 1<<20); file < cfg.FileBytes {
			// A file's index is in memory while it is written: files that are to be
			// small end at any full hour.
			cfg.FileBytes, cfg.Partition = file, time.Hour
		}
		if db.dir == "" {
			cfg.OutboxBytes = min(cfg.OutboxBytes, b/8)
		} else { // on disk; a few bytes of an event and the newest of them are in memory
			cfg.OutboxBytes = min(cfg.OutboxBytes, 2*b)
		}
		if db.dir == "" && (cfg.QuotaBytes == 0 || cfg.QuotaBytes > b/2) {
			cfg.QuotaBytes = b / 2
		}
	}
	return cfg, nil
}

// splitMix returns a generator of 64-bit numbers. It may be called from
// several goroutines.
func splitMix(seed uint64) func() uint64 {
	var state atomic.Uint64
	state.Store(seed)
	return func() uint64 {
		z := state.Add(0x9e3779b97f4a7c15)
		hi, lo := bits.Mul64(z^z>>32, 0xd6e8feb86659fd93)
		return hi ^ lo
	}
}

const defaultSyncEvery = time.Second

func (p SyncPolicy) policy() wal.Policy {
	switch p.mode {
	case syncAlways:
		return wal.Policy{Mode: wal.Always}
	case syncInterval:
		return wal.Policy{Mode: wal.Interval, Interval: p.every}
	case syncBuffered:
		return wal.Policy{Mode: wal.Buffered, Interval: p.every}
	case syncNever:
		return wal.Policy{Mode: wal.Never}
	}
	return wal.Policy{Mode: wal.Interval, Interval: defaultSyncEvery}
}

// install registers what the options name, in the order in which the parts
// need each other.
func (db *DB) install(ctx context.Context) error {
	for _, f := range db.opts.Functions {
		if err := db.registerFunction(f); err != nil {
			return err
		}
	}
	db.restoreFunctions()
	for _, s := range db.opts.Sinks {
		if err := db.installSink(ctx, s); err != nil {
			return err
		}
	}
	if err := db.restoreCQs(ctx); err != nil {
		return err
	}
	if err := db.installTriggers(ctx); err != nil {
		return err
	}
	for _, q := range db.opts.ContinuousQueries {
		if err := db.CreateContinuousQuery(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

var (
	errNilContext = fmt.Errorf("nil context: %w", errs.BadInput)
	errNotOpened  = fmt.Errorf("the DB was not made by Open: %w", errs.Closed)
)

// made reports whether Open has made the DB. What cannot return an error asks.
func (db *DB) made() bool { return db.phase.Load() != phaseNone }

// usable checks what every call checks first.
func (db *DB) usable(ctx context.Context) error {
	if ctx == nil {
		return errNilContext
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	switch db.phase.Load() {
	case phaseNone:
		return errNotOpened
	case phaseClosed:
		return errs.Closed
	case phaseDraining:
		if frameOf(ctx) == nil && ctx.Value(handingKey{}) != db {
			return errs.Closed
		}
	}
	return nil
}

// writable is usable for calls that change something.
//
//go:noinline
func (db *DB) writable(ctx context.Context) error {
	err := db.usable(ctx)
	if err == nil && db.opts.ReadOnly {
		err = errs.ReadOnly
	}
	return err
}

// maxBudgeted bounds how many calls of triggers with a budget run at once, over
// all triggers, stuck ones included.
const maxBudgeted = 1024

func (db *DB) authorize(ctx context.Context, a Action, path string) error {
	if db.opts.Authorize == nil {
		return nil
	}
	err := call("Authorize", func() error { return db.opts.Authorize(ctx, a, path) })
	if err != nil {
		return &Error{Op: string(a), Subject: path, Err: err}
	}
	return nil
}

// Now returns the time of Options.Clock.
func (db *DB) Now() time.Time {
	if !db.made() {
		return time.Time{}
	}
	return db.clock.Now()
}

// Sync returns when everything stored before the call is on disk.
func (db *DB) Sync(ctx context.Context) error {
	if err := db.usable(ctx); err != nil {
		return &Error{Op: "sync", Subject: db.dir, Err: err}
	}
	if err := db.eng.Sync(ctx); err != nil {
		return &Error{Op: "sync", Subject: db.dir, Err: err}
	}
	return nil
}

// Flush writes what is held in memory to block files and returns when that is
// done. Nobody needs to call it: it happens by size. It costs a file each time.
// In memory there is nothing to do.
func (db *DB) Flush(ctx context.Context) error {
	if err := db.usable(ctx); err != nil {
		return &Error{Op: "flush", Subject: db.dir, Err: err}
	}
	if err := db.eng.Flush(ctx); err != nil {
		return &Error{Op: "flush", Subject: db.dir, Err: err}
	}
	return nil
}

// Quiesce returns when nothing is under way any more that follows from what was
// done before: no continuous query runs or is due, and the sinks have every
// event. It is meant for tests and tools; under steady load it may wait for ever.
func (db *DB) Quiesce(ctx context.Context) error {
	err := db.usable(ctx)
	if err == nil {
		err = db.drain(ctx, db.idleCQs)
	}
	if err != nil {
		return &Error{Op: "quiesce", Subject: db.dir, Err: err}
	}
	return nil
}

// Close stops continuous queries and sinks where they are, waits for running
// inserts and triggers, at most five seconds, after which its error names the
// triggers that do not return, makes what was acknowledged durable and releases the folder. Events
// not yet delivered stay in the outbox of a store on disk. To let queued work
// finish first, use [DB.Shutdown]. Close may be called more than once.
func (db *DB) Close() error {
	if !db.made() {
		return &Error{Op: "close", Err: errNotOpened}
	}
	if db.phase.Swap(phaseClosed) == phaseClosed {
		<-db.done
		return db.err
	}
	defer close(db.done)
	db.stop()
	if err := db.cqs.wait(); err != nil {
		db.log.Warn("a continuous query does not stop", "err", err)
	}
	terr := db.closeTriggers()
	db.closeSinks()
	if err := errs.Join(terr, db.eng.Close()); err != nil {
		db.err = &Error{Op: "close", Subject: db.dir, Err: err}
	}
	return db.err
}

// Shutdown refuses new work, lets continuous queries that run finish and sinks
// deliver what is queued until ctx ends, and then closes. It is to [DB.Close]
// what http.Server.Shutdown is to http.Server.Close.
func (db *DB) Shutdown(ctx context.Context) error {
	if ctx == nil {
		return &Error{Op: "shutdown", Subject: db.dir, Err: errNilContext}
	}
	if !db.phase.CompareAndSwap(phaseOpen, phaseDraining) {
		if db.phase.Load() == phaseDraining { // another Shutdown drains and then closes: not cut short
			select {
			case <-db.done:
			case <-ctx.Done():
			}
		}
		return db.Close()
	}
	derr := db.drain(ctx, db.stopCQs)
	if derr != nil {
		derr = &Error{Op: "shutdown", Subject: db.dir, Err: derr}
	}
	return errs.Join(derr, db.Close())
}

// drain returns when nothing is under way. Sinks may write into the store, which
// fires triggers again, so it begins anew until they have had nothing to do.
func (db *DB) drain(ctx context.Context, cqs func(context.Context) error) error {
	for {
		before := db.sinks.delivered()
		err := cqs(ctx)
		if err == nil {
			err = db.drainTriggers(ctx)
		}
		if err == nil {
			err = db.drainSinks(ctx)
		}
		if err != nil || db.sinks.delivered() == before {
			return err
		}
	}
}
