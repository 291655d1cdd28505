package tickwell

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"math"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/pattern"
	"github.com/tickwell/tickwell/vfs"
)

var (
	lives     = flag.Int("lives", 0, "lives of stores; 0: a few")
	firstLife = flag.Uint64("lives.first", 0, "seed of the first")
)

// liveOp is a step of a life. Each draws from a seed of its own, so that a life can be
// made shorter without changing what is left.
type liveOp struct {
	kind liveKind
	seed uint64
}

type liveKind uint8

const (
	liveRow liveKind = iota
	liveTablet
	liveGroup
	liveHandle
	liveWriter
	liveDelete
	liveDrop
	liveCreate
	liveFlush
	liveCompact
	liveSync
	liveTTL
	livePass
	liveLeap
	liveReopen
	liveCrash
	liveBackup
	liveBeside
	liveVerify
	liveHold
	liveRead
	liveFull
	liveKinds
)

var liveNames = [...]string{"row", "tablet", "group", "handle", "writer", "delete", "drop", "create", "flush", "compact", "sync",
	"ttl", "pass", "leap", "reopen", "crash", "backup", "beside", "verify", "hold", "read", "full"}

// liveWeights is how often each is drawn.
var liveWeights = [liveKinds]int{liveRow: 12, liveTablet: 14, liveGroup: 8, liveHandle: 8, liveWriter: 4, liveDelete: 5, liveDrop: 2, liveCreate: 1,
	liveFlush: 8, liveCompact: 3, liveSync: 2, liveTTL: 6, livePass: 8, liveLeap: 3, liveReopen: 3, liveCrash: 3, liveBackup: 1, liveBeside: 2, liveVerify: 1,
	liveHold: 3, liveRead: 8, liveFull: 1}

// liveConfig is what a life has from its beginning.
type liveConfig struct {
	seed   uint64
	memory bool
	sync   SyncPolicy
	every  time.Duration // of the policy
	ttl    time.Duration
	quota  int64
	far    bool // rows of far-off times
	full   bool // the disk is full at times
	keeps  bool // nothing ever expires
	prof   Profile
}

func liveOf(seed uint64) (cfg liveConfig, ops []liveOp) {
	r := rand.New(rand.NewPCG(seed, 0x11fe))
	cfg = liveConfig{seed: seed, memory: r.IntN(5) == 0, far: r.IntN(4) == 0, full: r.IntN(3) == 0}
	cfg.every = time.Duration(1+r.IntN(5)) * time.Second
	cfg.sync = []SyncPolicy{SyncAlways(), SyncInterval(cfg.every), AckBuffered(cfg.every), SyncNever()}[r.IntN(4)]
	if r.IntN(3) == 0 {
		cfg.ttl = liveTTLs[r.IntN(len(liveTTLs))]
	}
	if r.IntN(4) == 0 {
		cfg.quota = []int64{4 << 10, 16 << 10, 60 << 10}[r.IntN(3)]
	}
	if cfg.keeps = r.IntN(3) == 0; cfg.keeps {
		cfg.ttl, cfg.quota = 0, 0
	}
	cfg.prof = Profile{
		BlockRows: []int{8, 16, 64, 256}[r.IntN(4)], MemtableBytes: []int64{16 << 10, 64 << 10, 8 << 20, 32 << 20}[r.IntN(4)],
		SegmentBytes: []int64{4 << 10, 64 << 10}[r.IntN(2)], LogBytes: []int64{16 << 10, 16 << 20}[r.IntN(2)],
		RecycleLog: r.IntN(2) == 0, OpenFiles: []int{2, 32}[r.IntN(2)],
	}
	var all []liveKind
	for k, n := range liveWeights {
		for range n {
			all = append(all, liveKind(k))
		}
	}
	for range 20 + r.IntN(100) {
		ops = append(ops, liveOp{all[r.IntN(len(all))], r.Uint64()})
	}
	return cfg, ops
}

var liveTTLs = []time.Duration{30 * time.Second, 5 * time.Minute, time.Hour, 24 * time.Hour}

var livePrefixes = []string{"root", "root.a", "root.a.d0", "root.b.d1", "root.b", "root.a.d0.s1", "root.b.d1.s4"}

var liveDevices = []string{"root.a.d0", "root.a.d1", "root.b.d0", "root.b.d1", "root.c"}

const liveColumns = 8

func liveKindOf(i int) Kind { return Kind(1 + (i+4)%6) }

// aLife is a store, what it should hold, and what is known of the disk.
type aLife struct {
	cfg   liveConfig
	r     *rand.Rand
	ctx   context.Context
	db    *DB
	fs    *crashfs.FS // nil in memory
	clock *liveClock
	now   int64 // the true time; the clock may be wrong
	head  map[string]int64
	n     uint64 // values so far

	state   *liveState // as is
	base    *liveState // durable, when fs began
	oldest  int64      // the greatest time of a row then
	entries []liveEntry
	sure    []liveSure // what is known to be durable
	h       liveHorizons
	ttl     time.Duration // of the options
	quota   int64
	tight   bool // the disk is full

	handles map[string]*liveHandleOf
	held    []*liveHeld
	steps   []string
}

// liveSure says that the first n entries are on the disk after so many operations.
type liveSure struct{ ops, n int }

type liveFailure struct{ text string }

func (l *aLife) fail(format string, args ...any) {
	panic(liveFailure{fmt.Sprintf(format, args...)})
}

func (l *aLife) must(err error) {
	if err != nil {
		l.fail("%v", err)
	}
}

func (l *aLife) log(format string, args ...any) {
	l.steps = append(l.steps, fmt.Sprintf(format, args...))
}

func (l *aLife) ops() int {
	if l.fs == nil {
		return 0
	}
	return l.fs.Ops()
}

// runLife lives and returns what was wrong, "" if nothing was.
func runLife(cfg liveConfig, ops []liveOp) (wrong string, steps []string) {
	l := &aLife{cfg: cfg, ctx: context.Background(), now: 1_700_000_000e9, head: map[string]int64{}, state: newLiveState(),
		ttl: cfg.ttl, quota: cfg.quota}
	l.h.greatest, l.h.floor = math.MinInt64, math.MinInt64
	l.clock = newLiveClock(l.now)
	l.base, l.oldest = l.state.clone(), math.MinInt64
	if !cfg.memory {
		l.fs = crashfs.New()
	}
	defer func() {
		if f, ok := recover().(liveFailure); ok {
			wrong, steps = f.text, l.steps
		} else if wrong == "" {
			return
		}
		if l.fs != nil {
			l.fs.Heal()
		}
		for _, h := range l.held {
			h.stop()
		}
		_ = l.db.Close()
	}()
	defer func() { // anything else is a finding too
		if e := recover(); e != nil {
			if _, ok := e.(liveFailure); !ok {
				e = liveFailure{fmt.Sprintf("panic: %v", e)}
			}
			panic(e)
		}
	}()
	l.open()
	l.begin()
	l.settle() // who sees the clock first believes it
	for _, op := range ops {
		l.r = rand.New(rand.NewPCG(op.seed, 1))
		l.log("%s", liveNames[op.kind])
		l.step(op.kind)
		l.settle()
	}
	l.r = rand.New(rand.NewPCG(cfg.seed, 2))
	l.roomAgain()
	l.readAll()
	l.reopen()
	l.readAll()
	l.must(l.db.Close())
	return "", nil
}

func (l *aLife) options() *Options {
	o := &Options{Logger: slog.New(slog.DiscardHandler), Clock: l.clock, Seed: 1, Sync: l.cfg.sync, Profile: l.cfg.prof, TTL: l.ttl, QuotaBytes: l.quota}
	if l.fs != nil {
		o.FS = l.fs
	}
	return o
}

func (l *aLife) dir() string {
	if l.fs == nil {
		return ""
	}
	return "db"
}

func (l *aLife) open() {
	db, err := Open(l.ctx, l.dir(), l.options())
	l.must(err)
	l.db, l.handles = db, map[string]*liveHandleOf{}
	if d := db.Recovery().Damage; len(d) > 0 {
		l.fail("damage is reported: %+v", d)
	}
}

// begin is called when the store was opened and its state is known.
func (l *aLife) begin() {
	l.h.begin(l.state, l.ttl, l.quota > 0, floorOf(l.db), l.clock)
}

// settle compares all that the store shows with what it should.
func (l *aLife) settle() {
	for _, path := range slices.Sorted(maps.Keys(l.state.series)) {
		l.must(l.h.check(l.db, l.state, path, l.clock))
	}
	l.must(l.h.check(l.db, l.state, "root.none.s", l.clock))
	sh, err := show(l.db)
	l.must(err)
	s, err := sh.against(l.state, nil)
	l.must(err)
	l.state = s
	l.mark(sh)
	if n := l.db.Stats().Series; n != len(l.state.series) {
		l.fail("Stats tells of %d series, there are %d", n, len(l.state.series))
	}
}

// mark notes what has expired.
func (l *aLife) mark(sh *liveShown) {
	e := liveEntry{marks: map[string]int64{}, before: l.ops(), after: l.ops()}
	for path, h := range sh.horizons {
		if h > math.MinInt64 {
			e.marks[path] = h
		}
	}
	if len(e.marks) > 0 {
		l.add(e)
	}
}

func (l *aLife) add(e liveEntry) {
	e.apply(l.state)
	if l.fs != nil {
		l.entries = append(l.entries, e)
	}
}

// durable notes that all there is so far survives a loss of power.
func (l *aLife) durable() {
	if l.fs != nil {
		l.sure = append(l.sure, liveSure{l.fs.Ops(), len(l.entries)})
	}
}

// did notes what was stored, with the error that the call gave.
func (l *aLife) did(e liveEntry, err error) {
	if err != nil && !l.refused(err) {
		l.fail("%v", err)
	}
	if err != nil && !wasStored(err) {
		l.log("  refused: %v", err)
		l.adopt(e)
		return
	}
	e.after = l.ops()
	if err != nil {
		l.log("  stored: %v", err)
		e.after = math.MaxInt
	}
	l.add(e)
	if err == nil && l.cfg.sync == SyncAlways() {
		l.durable()
	}
}

// adopt notes series that an insert made that found no room.
func (l *aLife) adopt(e liveEntry) {
	if !l.tight {
		return
	}
	for _, c := range e.cells {
		device, name := pattern.Split(c.path)
		if l.state.series[c.path] == nil && l.db.SeriesKind(device, name) == c.kind {
			l.log("  made all the same: %s", c.path)
			l.add(liveEntry{cells: []liveCell{{path: c.path, kind: c.kind}}, before: l.ops(), after: math.MaxInt})
		}
	}
}

func wasStored(err error) bool {
	var e *Error
	var s *engine.StoredError
	return errors.As(err, &e) && e.Stored || errors.As(err, &s)
}

// refused reports whether the store may say so now.
func (l *aLife) refused(err error) bool {
	return l.tight && errors.Is(err, ErrNoSpace)
}

func (l *aLife) step(k liveKind) {
	switch k {
	case liveRow:
		l.row()
	case liveTablet:
		t := l.tablet(l.device())
		l.insert(func() error { return l.db.InsertTablet(l.ctx, t) }, t)
	case liveGroup:
		l.group()
	case liveHandle:
		l.byHandle()
	case liveWriter:
		l.byWriter()
	case liveDelete:
		l.delete()
	case liveDrop:
		l.drop()
	case liveCreate:
		device, i := l.device(), l.r.IntN(liveColumns)
		path, e := livePath(device, i), liveEntry{before: l.ops()}
		e.cells = []liveCell{{path: path, kind: liveKindOf(i)}}
		l.did(e, l.db.CreateSeries(l.ctx, path, liveKindOf(i)))
	case liveFlush, liveCompact, liveSync:
		f := map[liveKind]func(context.Context) error{liveFlush: l.db.Flush, liveCompact: l.db.Compact, liveSync: l.db.Sync}[k]
		if err := f(l.ctx); err == nil {
			l.durable()
		} else if !l.refused(err) {
			l.fail("%v", err)
		}
	case liveTTL:
		if l.cfg.keeps {
			return
		}
		e := liveEntry{before: l.ops(), prefix: livePrefixes[l.r.IntN(len(livePrefixes))]}
		switch l.r.IntN(4) {
		case 0:
		case 1:
			e.ttl = -1
		default:
			e.ttl = liveTTLs[l.r.IntN(len(liveTTLs))]
		}
		l.log("  %s %v", e.prefix, e.ttl)
		l.did(e, l.db.SetTTL(l.ctx, e.prefix, e.ttl))
	case livePass:
		l.pass(time.Duration(l.r.Int64N(int64([]time.Duration{10 * time.Second, 10 * time.Minute, 3 * time.Hour}[l.r.IntN(3)]))), 0)
	case liveLeap:
		leap := []time.Duration{time.Minute, time.Hour, 30 * 24 * time.Hour, 20 * 365 * 24 * time.Hour}[l.r.IntN(4)]
		if skew := time.Duration(l.clock.wall - l.now); skew != 0 && l.r.IntN(2) == 0 {
			leap = -skew
		} else if l.r.IntN(2) == 0 {
			leap = -leap
		}
		l.pass(0, leap)
	case liveReopen:
		l.reopen()
	case liveCrash:
		if l.fs != nil {
			l.crash()
		}
	case liveBackup:
		if l.fs != nil {
			l.backup()
		}
	case liveBeside:
		if l.fs != nil {
			l.beside()
		}
	case liveVerify:
		bad, err := l.db.Verify(l.ctx)
		if err != nil || len(bad) > 0 {
			l.fail("verify: %v, %+v", err, bad)
		}
	case liveHold:
		l.hold()
	case liveRead:
		for range 6 {
			l.read()
		}
	case liveFull:
		if l.fs == nil || !l.cfg.full {
			return
		}
		if l.tight {
			l.roomAgain()
			return
		}
		l.fs.Budget(l.used() + l.r.Int64N(6<<10))
		l.tight = true
	}
}

// used is how many bytes the disk holds.
func (l *aLife) used() int64 {
	sum := int64(0)
	var walk func(dir string)
	walk = func(dir string) {
		names, err := l.fs.List(dir)
		l.must(err)
		for _, n := range names {
			info, err := l.fs.Stat(filepath.Join(dir, n))
			if errors.Is(err, fs.ErrNotExist) {
				continue // removed meanwhile
			}
			l.must(err)
			if info.IsDir {
				walk(filepath.Join(dir, n))
			} else {
				sum += info.Size
			}
		}
	}
	walk("/")
	return sum
}

func (l *aLife) roomAgain() {
	if l.tight {
		l.log("  room again")
		l.fs.Heal()
		l.tight = false
		l.must(l.db.Sync(l.ctx))
		l.durable()
	}
}

// pass lets time go by. What the policy promises to be durable after a time is.
func (l *aLife) pass(d, leap time.Duration) {
	l.log("  %v, clock leaps %v", d, leap)
	l.now += int64(d)
	last := l.db.eng.Stats().LastLSN
	l.clock.pass(d, leap)
	if l.fs == nil || d < l.cfg.every || l.cfg.sync == SyncNever() || l.tight {
		return
	}
	end := time.Now().Add(20 * time.Second)
	for l.db.eng.Stats().DurableLSN < last {
		if time.Now().After(end) {
			l.fail("after %v %d is durable, of %d", d, l.db.eng.Stats().DurableLSN, last)
		}
		runtime.Gosched()
	}
	l.durable()
}

func livePath(device string, i int) string { return fmt.Sprintf("%s.s%d", device, i) }

func (l *aLife) device() string { return liveDevices[l.r.IntN(len(liveDevices))] }

// when draws the time of a row.
func (l *aLife) when(device string) int64 {
	const second, hour = int64(time.Second), int64(time.Hour)
	switch l.r.IntN(20) {
	case 0:
		return (l.now/second - l.r.Int64N(7200)) * second
	case 1, 2:
		return l.head[device] - l.r.Int64N(60)*second
	case 3:
		return l.now + l.r.Int64N(600)*second
	case 4:
		if l.cfg.far {
			return []int64{minTime, -1, 0, 1, -hour, maxTime, maxTime - 1, math.MinInt64 + hour, 4_000_000_000e9}[l.r.IntN(9)]
		}
	}
	if l.head[device] < l.now-hour {
		l.head[device] = l.now/second*second - l.r.Int64N(1800)*second
	}
	l.head[device] += second * (1 + l.r.Int64N(2))
	return l.head[device]
}

// yearly is when for calls that take a time.Time.
func (l *aLife) yearly(device string) int64 {
	return min(max(l.when(device), year1678*1e9), (year2262-1)*1e9)
}

// value draws a value, sometimes an odd one.
func (l *aLife) value(k Kind) Value {
	l.n++
	switch k {
	case KindBool:
		return BoolValue(l.r.IntN(2) == 0)
	case KindInt32:
		return Int32Value([]int32{int32(l.n), math.MinInt32, math.MaxInt32, 0}[max(0, l.r.IntN(12)-8)])
	case KindInt64:
		return Int64Value([]int64{int64(l.n), math.MinInt64, math.MaxInt64, 0}[max(0, l.r.IntN(12)-8)])
	case KindFloat32:
		return Float32Value([]float32{float32(l.n) / 8, float32(math.NaN()), float32(math.Inf(1)), float32(math.Copysign(0, -1))}[max(0, l.r.IntN(12)-8)])
	case KindFloat64:
		return Float64Value([]float64{float64(l.n) / 8, math.NaN(), math.Inf(-1), math.Copysign(0, -1), math.Float64frombits(0x7ff8000000000001 + l.n)}[max(0, l.r.IntN(13)-8)])
	}
	return TextValue([]string{fmt.Sprint("t", l.n), "", strings.Repeat("x", int(l.n%90))}[max(0, l.r.IntN(10)-7)])
}

// row inserts one.
func (l *aLife) row() {
	for range 1 + l.r.IntN(12) {
		device := l.device()
		at := l.yearly(device)
		t := &Tablet{Device: device, Times: []int64{at}}
		var fields []Field
		for _, i := range l.columns() {
			f := Field{fmt.Sprint("s", i), l.value(liveKindOf(i))}
			if l.state.series[livePath(device, i)] != nil && l.r.IntN(6) == 0 {
				f.Value = Value{}
			}
			fields = append(fields, f)
			t.Columns = append(t.Columns, liveColumn(i, []Value{f.Value}))
		}
		if !slices.ContainsFunc(fields, func(f Field) bool { return !f.Value.IsNull() }) {
			continue
		}
		l.insert(func() error { return l.db.Insert(l.ctx, device, ns(at), fields...) }, t)
	}
}

func (l *aLife) columns() []int {
	switch l.r.IntN(4) {
	case 0:
		return []int{l.r.IntN(liveColumns)}
	case 1:
		return []int{0, 1, 2}
	case 2:
		return []int{6, 0, 7}
	}
	var cols []int
	for i := range liveColumns {
		if l.r.IntN(2) == 0 {
			cols = append(cols, i)
		}
	}
	if cols == nil {
		return []int{5}
	}
	return cols
}

// liveColumn makes a column of values, null ones marked.
func liveColumn(i int, values []Value) Column {
	c := Column{Name: fmt.Sprint("s", i)}
	var nulls Bitmap
	for k, v := range values {
		if v.IsNull() {
			nulls.Set(k)
		}
	}
	c.Nulls = nulls
	switch liveKindOf(i) {
	case KindBool:
		d := make(Bools, len(values))
		for k, v := range values {
			d[k] = v.Bool()
		}
		c.Data = d
	case KindInt32:
		d := make(Int32s, len(values))
		for k, v := range values {
			d[k] = int32(v.num)
		}
		c.Data = d
	case KindInt64:
		d := make(Int64s, len(values))
		for k, v := range values {
			d[k] = int64(v.num)
		}
		c.Data = d
	case KindFloat32:
		d := make(Float32s, len(values))
		for k, v := range values {
			d[k] = math.Float32frombits(uint32(v.num))
		}
		c.Data = d
	case KindFloat64:
		d := make(Float64s, len(values))
		for k, v := range values {
			d[k] = math.Float64frombits(v.num)
		}
		c.Data = d
	default:
		d := make(Texts, len(values))
		for k, v := range values {
			d[k] = v.str
		}
		c.Data = d
	}
	return c
}

// tablet draws rows of a device.
func (l *aLife) tablet(device string) *Tablet {
	t := &Tablet{Device: device}
	n := []int{1, 1, 3, 20, 70, 200}[l.r.IntN(6)]
	late := l.r.IntN(5) == 0
	for range n {
		at := l.when(device)
		if late {
			at = (l.now/1e9 - l.r.Int64N(4000)) * 1e9
		}
		t.Times = append(t.Times, at)
	}
	nulls := l.r.IntN(3)
	for _, i := range l.columns() {
		values := make([]Value, n)
		for k := range values {
			if nulls == 0 || nulls == 1 && l.r.IntN(5) > 0 {
				values[k] = l.value(liveKindOf(i))
			} else if nulls == 2 && (k+i)%3 == 0 {
				values[k] = l.value(liveKindOf(i))
			}
		}
		t.Columns = append(t.Columns, liveColumn(i, values))
	}
	return t
}

// group inserts several tablets, often one row of each device as a gateway does.
func (l *aLife) group() {
	var all []*Tablet
	if l.r.IntN(2) == 0 {
		at := l.when(liveDevices[0])
		for _, device := range liveDevices[:1+l.r.IntN(len(liveDevices))] {
			t := &Tablet{Device: device, Times: []int64{at}}
			for _, i := range [][]int{{0, 1}, {6}, {0, 6, 7}, l.columns()}[l.r.IntN(4)] {
				t.Columns = append(t.Columns, liveColumn(i, []Value{l.value(liveKindOf(i))}))
			}
			all = append(all, t)
		}
	} else {
		for range 1 + l.r.IntN(4) {
			all = append(all, l.tablet(l.device()))
		}
	}
	durable := l.r.IntN(4) == 0
	var err error
	l.insert(func() error {
		_, err = l.db.Write(l.ctx, WriteOptions{Durable: durable}, all...)
		return err
	}, all...)
	if durable && err == nil {
		l.durable()
	}
}

// insert calls f, which stores tablets, and notes what came of it.
func (l *aLife) insert(f func() error, all ...*Tablet) {
	e := liveEntry{before: l.ops(), greatest: math.MinInt64}
	points := int64(0)
	for _, t := range all {
		e.greatest = max(e.greatest, slices.Max(t.Times))
		for _, c := range t.Columns {
			path := t.Device + "." + c.Name
			e.cells = append(e.cells, liveCell{path: path, kind: c.Data.Kind()})
			for k, at := range t.Times {
				if !c.Nulls.Get(k) {
					e.cells = append(e.cells, liveCell{path, c.Data.Kind(), at, c.Data.Value(k)})
					points++
				}
			}
		}
	}
	surely, _ := l.late(all)
	had := l.db.Stats().Points
	err := f()
	if _, maybe := l.late(all); errors.Is(err, ErrTooLate) && maybe { // the quota may have moved since
		if got := l.db.Stats().Points; got != had {
			l.fail("%d points were counted of an insert that was refused", got-had)
		}
		l.log("  too late")
		return
	}
	if err == nil && surely {
		l.fail("rows that have expired were stored")
	}
	if err == nil || wasStored(err) {
		l.h.greatest = max(l.h.greatest, e.greatest)
		if got := l.db.Stats().Points - had; got != points {
			l.fail("%d points were counted, of %d", got, points)
		}
	}
	l.log("  %d tablets, %d points", len(all), points)
	l.did(e, err)
}

// late reports whether rows are surely or maybe refused as too late now.
func (l *aLife) late(all []*Tablet) (surely, maybe bool) {
	for _, t := range all {
		for _, c := range t.Columns {
			h, ok := l.db.eng.Horizon(t.Device, c.Name)
			for k, at := range t.Times {
				if ok && at < h {
					maybe = true
					surely = surely || !c.Nulls.Get(k)
				}
			}
		}
	}
	return surely, maybe
}

func (l *aLife) byWriter() {
	device, cols := l.device(), l.columns()
	var infos []ColumnInfo
	for _, i := range cols {
		infos = append(infos, ColumnInfo{fmt.Sprint("s", i), liveKindOf(i)})
	}
	w, err := l.db.Writer(device, infos...)
	l.must(err)
	for range 1 + l.r.IntN(20) {
		at := l.yearly(device)
		t := &Tablet{Device: device, Times: []int64{at}}
		var values []Value
		for _, i := range cols {
			v := l.value(liveKindOf(i))
			values = append(values, v)
			t.Columns = append(t.Columns, liveColumn(i, []Value{v}))
		}
		l.insert(func() error { return w.Insert(l.ctx, ns(at), values...) }, t)
	}
}

// liveHandleOf is a handle of one series.
type liveHandleOf struct {
	insert func(at int64, v Value) error
	read   func(start, end time.Time, blocks bool) ([]point, error)
}

func liveHandleAs[T Type](l *aLife, path string, of func(Value) T) *liveHandleOf {
	s, err := SeriesOf[T](l.db, path)
	l.must(err)
	return &liveHandleOf{
		insert: func(at int64, v Value) error { return s.Insert(l.ctx, ns(at), of(v)) },
		read: func(start, end time.Time, blocks bool) (out []point, err error) {
			if blocks {
				for b, err := range s.Blocks(l.ctx, start, end) {
					if err != nil {
						return nil, err
					}
					for i, at := range b.Times {
						out = append(out, point{at, valueOf(b.Values[i])})
					}
				}
				return out, nil
			}
			for p, err := range s.Range(l.ctx, start, end) {
				if err != nil {
					return nil, err
				}
				out = append(out, point{p.Time.UnixNano(), valueOf(p.Value)})
			}
			return out, nil
		},
	}
}

func (l *aLife) handle(path string, k Kind) *liveHandleOf {
	if h := l.handles[path]; h != nil && l.r.IntN(10) > 0 {
		return h
	}
	var h *liveHandleOf
	switch k {
	case KindBool:
		h = liveHandleAs(l, path, Value.Bool)
	case KindInt32:
		h = liveHandleAs(l, path, func(v Value) int32 { return int32(v.num) })
	case KindInt64:
		h = liveHandleAs(l, path, func(v Value) int64 { return int64(v.num) })
	case KindFloat32:
		h = liveHandleAs(l, path, func(v Value) float32 { return math.Float32frombits(uint32(v.num)) })
	case KindFloat64:
		h = liveHandleAs(l, path, func(v Value) float64 { return math.Float64frombits(v.num) })
	default:
		h = liveHandleAs(l, path, Value.Text)
	}
	l.handles[path] = h
	return h
}

func (l *aLife) byHandle() {
	device, i := l.device(), l.r.IntN(liveColumns)
	h := l.handle(livePath(device, i), liveKindOf(i))
	for range 1 + l.r.IntN(60) {
		at, v := l.yearly(device), l.value(liveKindOf(i))
		l.insert(func() error { return h.insert(at, v) }, &Tablet{Device: device, Times: []int64{at}, Columns: []Column{liveColumn(i, []Value{v})}})
	}
}

// some draws a pattern and the series that match it.
func (l *aLife) some() (pat string, paths []string) {
	pat = []string{"root.**", "root.a.**", "root.*.d0.*", "root.**.s0", "root.b.d1.*", livePath(l.device(), l.r.IntN(liveColumns)), livePath(l.device(), 0)}[l.r.IntN(7)]
	p, err := pattern.Parse(pat)
	l.must(err)
	for _, path := range slices.Sorted(maps.Keys(l.state.series)) {
		if p.Match(path) {
			paths = append(paths, path)
		}
	}
	return pat, paths
}

func (l *aLife) delete() {
	pat, paths := l.some()
	e := liveEntry{before: l.ops(), deleted: paths}
	var start, end time.Time
	start, end, e.from, e.to = l.span(paths)
	l.log("  %s [%d, %d)", pat, e.from, e.to)
	err := l.db.Delete(l.ctx, pat, start, end)
	if len(paths) == 0 { // nothing to be kept
		l.must(err)
		return
	}
	l.did(e, err)
}

// span draws a range of time, whose ends are often those of points.
func (l *aLife) span(paths []string) (start, end time.Time, from, to int64) {
	from, to = math.MinInt64, math.MaxInt64
	edge := func() int64 {
		if len(paths) > 0 && l.r.IntN(2) == 0 {
			path := paths[l.r.IntN(len(paths))]
			if l.r.IntN(4) == 0 {
				device, name := pattern.Split(path)
				if h, ok := l.db.eng.Horizon(device, name); ok && h > math.MinInt64 {
					return h + l.r.Int64N(3) - 1
				}
			}
			if all := slices.Sorted(maps.Keys(l.state.series[path].points)); len(all) > 0 {
				return all[l.r.IntN(len(all))] + l.r.Int64N(3) - 1
			}
		}
		return l.now - l.r.Int64N(2*int64(time.Hour))
	}
	fits := func(at int64) int64 { return min(max(at, year1678*1e9), (year2262-1)*1e9) }
	a, b := fits(edge()), fits(edge())
	if l.r.IntN(3) > 0 {
		from, start = min(a, b), ns(min(a, b))
	}
	if l.r.IntN(3) > 0 {
		to, end = max(a, b), ns(max(a, b))
	}
	return start, end, from, to
}

func (l *aLife) drop() {
	pat, paths := l.some()
	if len(paths) > 10 && l.r.IntN(4) > 0 {
		return
	}
	l.log("  %s", pat)
	e := liveEntry{before: l.ops(), dropped: paths}
	err := l.db.DropSeries(l.ctx, pat)
	if len(paths) == 0 {
		l.must(err)
		return
	}
	l.did(e, err)
}

// reopen closes the store and opens it again, perhaps with other options, and with a
// clock that was set meanwhile.
func (l *aLife) reopen() {
	if l.fs == nil {
		return
	}
	l.roomAgain()
	l.finish()
	l.must(l.db.Close())
	l.durable()
	away := time.Duration(l.r.Int64N(int64(2 * time.Hour)))
	if l.r.IntN(2) == 0 {
		away = 0
	}
	leap := time.Duration(0)
	if l.r.IntN(4) == 0 {
		leap = []time.Duration{-time.Hour, time.Hour, 1000 * time.Hour}[l.r.IntN(3)]
	}
	l.restart(away, leap)
	l.open()
	floor := l.h.floor
	l.begin()
	if l.h.floor < floor {
		l.fail("points were dropped up to %d, after opening up to %d", floor, l.h.floor)
	}
}

// restart begins a new process.
func (l *aLife) restart(away, leap time.Duration) {
	l.now += int64(away)
	l.clock = newLiveClock(l.clock.wall + int64(away+leap))
	if !l.cfg.keeps && l.r.IntN(4) == 0 {
		l.ttl = append(liveTTLs, 0)[l.r.IntN(5)]
	}
	if !l.cfg.keeps && l.r.IntN(4) == 0 {
		l.quota = []int64{0, 0, 8 << 10, 100 << 10}[l.r.IntN(4)]
	}
	l.log("  away %v, clock leaps %v, ttl %v, quota %d", away, leap, l.ttl, l.quota)
}

// finish reads what is held to its end.
func (l *aLife) finish() {
	for _, h := range l.held {
		l.must(h.more(math.MaxInt))
	}
	l.held = nil
}

// crash cuts the power at an operation of the last steps, and opens what the disk holds.
func (l *aLife) crash() {
	for _, h := range l.held {
		h.stop()
	}
	l.held = nil
	end := l.fs.Ops()
	op, first := end, 0
	if n := len(l.entries); n > 12 {
		first = min(l.entries[n-12].before, end)
	}
	if l.r.IntN(2) == 0 {
		op = first + l.r.IntN(end-first+1)
	}
	mode := crashfs.Modes[l.r.IntN(len(crashfs.Modes))]
	cut := crashfs.Cut{Op: op, Mode: mode, Seed: l.r.Uint64N(1 << 20)}
	least, most := l.survivors(cut)
	l.log("  %v of %d, entries %d to %d of %d", cut, end, least, most, len(l.entries))
	image := l.fs.Image(cut.Op, cut.Mode, cut.Seed)
	l.fs.Heal()
	l.tight = false
	_ = l.db.Close() // of a process that is not there any more
	l.fs = crashfs.From(image)
	l.restart(time.Duration(l.r.Int64N(int64(time.Hour))), 0)
	l.open()
	n := 0
	l.state, n = l.which(l.db, least, most)
	for i := range l.entries[:n] {
		if e := &l.entries[i]; e.cells != nil && e.greatest != 0 {
			l.oldest = max(l.oldest, e.greatest)
		}
	}
	l.h.greatest = l.oldest
	l.base, l.entries, l.sure = l.state.clone(), nil, nil
	l.h.floor = math.MinInt64
	l.begin()
	l.durable()
}

// survivors is how many entries survive a cut at least and at most.
func (l *aLife) survivors(cut crashfs.Cut) (least, most int) {
	for _, s := range l.sure {
		if s.ops <= cut.Op {
			least = max(least, s.n)
		}
	}
	written := cut.Mode == crashfs.All && l.cfg.sync.mode != syncBuffered
	for i := range l.entries {
		if l.entries[i].before <= cut.Op {
			most = i + 1
		}
		if written && l.entries[i].after <= cut.Op && l.entries[i].marks == nil {
			least = max(least, i+1)
		}
	}
	return least, max(least, most)
}

// which returns what a store holds that has at least and at most so many entries, and
// how many it may have.
func (l *aLife) which(db *DB, least, most int) (s *liveState, greatest int) {
	sh, err := show(db)
	l.must(err)
	s = l.base.clone()
	for i := range l.entries[:least] {
		l.entries[i].apply(s)
	}
	var first error
	var all []*liveState
	for n := least; ; n++ {
		c, maybe := s.clone(), map[string]Kind{}
		for i := range l.entries[n:most] { // begun, perhaps no more than their series
			for _, cell := range l.entries[n+i].cells {
				maybe[cell.path] = cell.kind
			}
		}
		for i := range l.entries[n:] {
			if e := &l.entries[n+i]; e.marks != nil {
				e.apply(c)
			}
		}
		got, err := sh.against(c, maybe)
		if err == nil {
			l.log("  it may have %d entries", n)
			all, greatest = append(all, got), n
		}
		if first == nil {
			first = err
		}
		if n == most && all != nil {
			return either(all), greatest
		}
		if n == most {
			l.fail("after %d to %d entries:\n  with all: %v\n  with the least: %v", least, most, err, first)
		}
		l.entries[n].apply(s)
	}
}

// backup makes a copy beside and opens it.
func (l *aLife) backup() {
	if l.tight {
		return
	}
	to := vfs.NewMem()
	l.must(l.db.Backup(l.ctx, to, "copies/copy"))
	l.durable()
	o := l.options()
	o.FS = to
	db, err := Open(l.ctx, "copies/copy", o)
	l.must(err)
	defer db.Close()
	if d := db.Recovery().Damage; len(d) > 0 {
		l.fail("damage of a backup is reported: %+v", d)
	}
	same := func(what string) {
		sh, err := show(db)
		l.must(err)
		if _, err := sh.against(l.state, nil); err != nil {
			l.fail("backup %s: %v", what, err)
		}
	}
	same("opened")
	l.must(db.Compact(l.ctx))
	same("compacted")
	bad, err := db.Verify(l.ctx)
	if err != nil || len(bad) > 0 {
		l.fail("verify of a backup: %v, %+v", err, bad)
	}
}

// beside opens the store for reading while it is open.
func (l *aLife) beside() {
	o := l.options()
	o.ReadOnly = true
	db, err := Open(l.ctx, "db", o)
	if err != nil {
		if l.tight {
			return
		}
		l.fail("for reading: %v", err)
	}
	defer db.Close()
	if d := db.Recovery().Damage; len(d) > 0 {
		l.fail("damage is reported beside: %+v", d)
	}
	least, _ := l.survivors(crashfs.Cut{Op: l.fs.Ops(), Mode: crashfs.All})
	_, _ = l.which(db, least, len(l.entries))
	bad, err := db.Verify(l.ctx)
	if err != nil || len(bad) > 0 {
		l.fail("verify beside: %v, %+v", err, bad)
	}
}

// TestStoreLives lives random lives of a store and compares all that it shows with a
// reference, after each step.
func TestStoreLives(t *testing.T) {
	n := *lives
	if n == 0 {
		if n = 10; testing.Short() {
			n = 4
		}
	}
	for seed := *firstLife; seed < *firstLife+uint64(n); seed++ {
		cfg, ops := liveOf(seed)
		wrong, steps := runLife(cfg, ops)
		if wrong == "" {
			continue
		}
		t.Errorf("life %d of %d steps, %+v: %s", seed, len(ops), cfg, wrong)
		if ops, again, s := shorten(cfg, ops, wrong); again != "" {
			wrong, steps = again, s
			t.Logf("%d steps are enough: %s", len(ops), wrong)
		}
		t.Logf("steps:\n%s", strings.Join(steps, "\n"))
	}
}

// words is what is alike in failures of one kind.
func words(failure string) string {
	return strings.Join(regexp.MustCompile(`\b[a-z]{3,}\b`).FindAllString(strings.ReplaceAll(failure, "root.", ""), 4), " ")
}

// shorten leaves out what is not needed for a life to fail.
func shorten(cfg liveConfig, ops []liveOp, first string) (least []liveOp, wrong string, steps []string) {
	end := time.Now().Add(30 * time.Second)
	for part := (len(ops) + 1) / 2; part > 0; {
		some := false
		for lo := 0; lo < len(ops) && time.Now().Before(end); {
			fewer := slices.Concat(ops[:lo], ops[min(lo+part, len(ops)):])
			if w, s := runLife(cfg, fewer); w != "" && words(w) == words(first) {
				ops, wrong, steps, some = fewer, w, s, true
			} else {
				lo += part
			}
		}
		if !some || part > 1 {
			part /= 2
		}
	}
	return ops, wrong, steps
}
