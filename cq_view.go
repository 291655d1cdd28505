package tickwell

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/incremental"
	"github.com/tickwell/tickwell/internal/pattern"
)

// A cqView is the incremental state of a continuous query: which windows are
// dirty. A mark that windows are dirty is in the log record of the rows that
// made them so; the record of their results removes it. So after a crash
// exactly the windows are dirty whose results are not stored.
//
// Marks carry a generation. A run first begins a new one and waits for inserts
// that are under way; then it takes its cut of the store, in which is every row
// that a mark of an older generation stands for. Rows that come later make
// marks of the new generation, which the run's record does not remove.
//
// A mark is for all devices or, where the query is aligned by device and the
// window has been computed before, for the device whose rows changed: rows that
// come in order cost one mark a window, a late one its own device's windows.
type cqView struct {
	name     string
	grid     *incremental.Grid // nil: windows whose bounds depend on rows, see groups
	groups   *cqGroups         // nil: windows of time
	leftOpen bool              // windows are (start, end]
	atEnd    bool              // rows have the end of their window as time
	byDevice bool              // rows of a device depend on that device alone
	patterns []*pattern.Pattern
	from     int64 // windows that begin before are left out
	lateness int64
	idle     time.Duration
	onChange bool

	mu       sync.Mutex
	gen      uint64
	marked   incremental.Ranges             // by the present generation, for all devices
	markedBy map[string]*incremental.Ranges // the same, for one
	covered  incremental.Range              // rows of these times change no mark, see covers
	keys     map[string]cqDirty             // all marks that are stored
	found    incremental.Ranges             // windows with rows that it has not computed, see addFound
	removed  uint64                         // how often some of them were removed
	earliest int64                          // start of the first of them
	frontier int64                          // no window that begins here or later has a result
	oldest   int64                          // time of the oldest row there may be
	newest   int64                          // time of the newest row there was
	head     int64                          // time of the newest row that counts, see watermark
	ahead    int                            // rows too far ahead of it, since one that was not
	touched  time.Duration                  // monotonic time of the last row
	seenKeys []string                       // see seen; those that may be stored
	hold     time.Duration                  // no run before, after a failure
	poked    time.Duration                  // when the next run is due; 0: none is
	pace     time.Duration                  // from a change to the run it causes, at least

	first  atomic.Int64 // earliest, for [cqSet.holdBack]
	passed atomic.Int64 // what is before may have expired
	sealed atomic.Int64 // windows left as they are since Open, because rows of them have expired

	// apart says that windows depend on rows, which programs with the tag
	// tickwell_small do not compute: what changes is marked from there on, for a
	// program without it. Rows from the first mark on do not expire; where the window
	// of that begins is not known, so that rows before it may.
	apart    bool
	ready    atomic.Bool // all marks are there
	torn     atomic.Bool // results were deleted by others
	claiming atomic.Bool // what there is in series that become its own is being found

	// What follows is touched by runs only.
	emitted emissions
	chunk   int // windows of one step
}

// cqDirty is windows that are to be computed, for a device or, without one,
// for all.
type cqDirty struct {
	incremental.Range
	device string
}

const (
	// A change is computed after a delay, which may grow by half where runs take
	// long. Three levels of queries follow a change within a second.
	cqDelay   = 400 * time.Millisecond
	cqCascade = 100 * time.Millisecond // where the change is the result of another query
	cqShare   = 4                      // pauses are that much longer than runs, as far as they may
	cqChunk   = 1024                   // windows that are stored in one record
	cqPeriod  = time.Minute            // at least so often a view is looked at
	cqMaxHold = time.Minute            // longest pause after failures
	cqSteps   = 64                     // records of one run
)

// grouped reports whether windows depend on rows. It is constant with the tag
// tickwell_small, so that nothing in cq_groups*.go is linked.
func (v *cqView) grouped() bool { return !small && v.groups != nil }

func newCQView(spec *CQSpec, q *Query, patterns []*pattern.Pattern) (*cqView, error) {
	var groups *cqGroups
	if !small {
		groups = groupsOf(q)
	}
	var grid *incremental.Grid
	var err error
	g, timed := q.GroupBy.(GroupByTime)
	apart := small && !timed
	if apart {
		grid = &incremental.Grid{Interval: 1, Step: 1, Zone: time.UTC}
	} else if groups == nil {
		if grid, err = q.grid(spec.Origin); err != nil {
			return nil, err
		}
	}
	v := &cqView{name: spec.Name, grid: grid, groups: groups, patterns: patterns, from: incremental.Earliest, lateness: int64(spec.Lateness), idle: spec.IdleTimeout,
		onChange: spec.OnChange, byDevice: q.AlignByDevice, keys: make(map[string]cqDirty), markedBy: make(map[string]*incremental.Ranges),
		earliest: math.MaxInt64, frontier: math.MaxInt64, oldest: math.MaxInt64, newest: math.MinInt64, head: math.MinInt64, chunk: cqChunk}
	v.apart, v.leftOpen = apart, g.LeftOpen
	v.first.Store(math.MaxInt64)
	v.passed.Store(math.MinInt64)
	v.atEnd = v.leftOpen || spec.AtEnd
	if !spec.From.IsZero() {
		if v.from, err = unixNano(spec.From); err != nil {
			return nil, err
		}
	}
	if grid != nil {
		if k := grid.Last(v.from); grid.Start(k) < v.from { // the first window that begins there or later
			v.from = grid.Start(k + 1)
		}
	}
	return v, nil
}

// checkIncremental says why q cannot be computed incrementally.
func checkIncremental(spec *CQSpec, q *Query) error {
	no := func(why string) error {
		return fmt.Errorf("CQ: without an every interval it is incremental, and %s: %w", why, errs.BadInput)
	}
	if q.GroupBy == nil {
		return fmt.Errorf("CQ: at least one of the every interval and the group by interval must be given: %w", errs.BadInput)
	}
	_, grid := q.GroupBy.(GroupByTime)
	switch {
	case small && !grid:
		return no("windows that depend on rows are left out of programs that are built with the tag tickwell_small; use Every")
	case !grid && !spec.Origin.IsZero():
		return no("Origin is of windows of time: others begin with a row")
	case len(q.OrderBy) > 0 || q.Limit > 0 || q.Offset > 0:
		return no("ORDER BY, LIMIT and OFFSET depend on all rows of the result")
	case q.Fill.Previous || q.Fill.Linear:
		return no("FILL looks across windows")
	case !q.Fill.Value.IsNull():
		return no("FILL would fill every window there ever was")
	case q.DisableAlign || q.Last:
		return no("DISABLE ALIGN and LAST have no windows")
	case spec.Lateness < 0 || spec.IdleTimeout < 0:
		return no("lateness and idle timeout cannot be negative")
	}
	return nil
}

func (v *cqView) reads(device, node string) bool {
	return slices.ContainsFunc(v.patterns, func(p *pattern.Pattern) bool { return p.MatchParts(device, node) })
}

// touchedBy returns the windows that rows of r are in, as the range of their
// starts.
func (v *cqView) touchedBy(r incremental.Range) incremental.Range {
	if small && v.apart && !r.Empty() {
		r.To = incremental.Latest
	}
	if v.grouped() { // times of rows themselves
		return r.Intersect(incremental.Range{From: v.from, To: incremental.Latest})
	}
	if v.leftOpen {
		r.From, r.To = r.From-1, r.To-1
	}
	return v.grid.Touched(r).Intersect(incremental.Range{From: v.from, To: incremental.Latest})
}

// over returns the start of the first window that is not over; for windows that
// depend on rows, the first instant that the watermark has not reached.
func (v *cqView) over(mono time.Duration) int64 {
	if v.onChange || v.idleNow(mono) {
		return math.MaxInt64
	}
	if v.head == math.MinInt64 {
		return math.MinInt64
	}
	mark := max(v.head, math.MinInt64+v.lateness) - v.lateness // or the least time there is
	if v.grouped() {
		return addSaturated(mark, 1)
	}
	if v.leftOpen {
		mark--
	}
	return v.grid.Start(v.grid.First(mark))
}

// due returns the windows that are dirty and over.
func (v *cqView) due(mono time.Duration) incremental.Ranges {
	end := v.over(mono)
	var due incremental.Ranges
	if v.earliest >= end {
		return due
	}
	for _, r := range v.keys {
		due.Add(r.Intersect(incremental.Range{From: math.MinInt64, To: end}))
	}
	return due
}

// wait returns how long until the view should be looked at again; ok is false
// if only a new row can change anything. The lock is held.
func (v *cqView) wait(mono, least time.Duration) (d time.Duration, ok bool) {
	switch {
	case len(v.keys) == 0:
	case v.earliest < v.over(mono):
		return max(least, min(v.pace, least*3/2), v.hold-mono), true
	case v.idle > 0:
		return max(v.idle-(mono-v.touched), least), true
	}
	return 0, false
}

// set notes a mark that is stored. The lock is held.
func (v *cqView) set(key string, d cqDirty) {
	v.keys[key] = d
	v.earliest = min(v.earliest, d.From)
	if v.grouped() {
		v.groups.holdFor(d)
	} else if d.From < v.first.Load() {
		v.first.Store(d.From)
	}
}

// recount finds the earliest mark, after some are gone. The lock is held.
func (v *cqView) recount() {
	v.earliest = math.MaxInt64
	for _, d := range v.keys {
		v.earliest = min(v.earliest, d.From)
	}
	v.first.Store(v.earliest)
	if v.grouped() {
		v.groups.recount(v.keys)
	}
}

// load reads what is stored of the view.
func (v *cqView) load(e *engine.Engine) {
	if v.grouped() {
		v.groups.load(e, v.name)
	}
	v.readMarks(e)
	if b, ok := e.Get(cqKey(v.name, "progress")); ok && len(b) == 24 {
		v.head = int64(binary.LittleEndian.Uint64(b))
		v.frontier = int64(binary.LittleEndian.Uint64(b[8:]))
		v.passed.Store(int64(binary.LittleEndian.Uint64(b[16:])))
	}
	prefix := cqKey(v.name, "seen/")
	for key := range e.Scan(prefix) {
		times := key[len(prefix):]
		if len(times) != 32 {
			continue
		}
		head, ok1 := parseOrderedTime(times[:16])
		passed, ok2 := parseOrderedTime(times[16:])
		if ok1 && ok2 {
			v.head, v.seenKeys = max(v.head, head), append(v.seenKeys, key)
			v.passed.Store(max(v.passed.Load(), passed))
		}
	}
	v.newest = v.head
	v.loadFound(e)
	_, torn := e.Get(cqKey(v.name, "torn"))
	v.torn.Store(torn)
	v.emitted.load(e, v.name)
	v.recount()
}

// seen appends how far the rows have come, for records that are not of runs. Those
// must not store how far results go: the record of a run that is under way may be
// before theirs, and after a reopen nobody would look for results beyond. What is
// known is in the key, and load takes the latest: of two such records the one that
// was made first may be logged last. The lock is held.
func (v *cqView) seen(puts []engine.Put) []engine.Put {
	key := cqKey(v.name, "seen/") + orderedTime(v.head) + orderedTime(v.passed.Load())
	for _, old := range v.seenKeys {
		if old != key {
			puts = append(puts, engine.Put{Kind: engine.PutProgress, Key: old, Delete: true})
		}
	}
	v.seenKeys = append(v.seenKeys[:0], key)
	return append(puts, engine.Put{Kind: engine.PutProgress, Key: key, Value: []byte{1}})
}

// progress is how far results go, and rows as its run has seen them. Only runs
// store it.
func (v *cqView) progress(head, frontier int64) engine.Put {
	b := appendWord(nil, uint64(head))
	b = appendWord(b, uint64(frontier))
	b = appendWord(b, uint64(v.passed.Load()))
	return engine.Put{Kind: engine.PutProgress, Key: cqKey(v.name, "progress"), Value: b}
}

// readMarks reads the marks that are stored. Those of a definition before may be of
// other windows, or lie before From.
func (v *cqView) readMarks(e *engine.Engine) {
	prefix := cqKey(v.name, "d/")
	for key := range e.Scan(prefix) {
		gen, times, ok := strings.Cut(key[len(prefix):], "/")
		n, err := strconv.ParseUint(gen, 36, 64)
		if !ok || err != nil || len(times) < 32 {
			continue
		}
		from, ok1 := parseOrderedTime(times[:16])
		to, ok2 := parseOrderedTime(times[16:32])
		if !ok1 || !ok2 {
			continue
		}
		v.gen = max(v.gen, n+1)
		if v.grid != nil {
			from, to = v.grid.Start(v.grid.Last(from)), min(v.grid.Start(v.grid.Last(to-1)+1), incremental.Latest)
		}
		if r := (incremental.Range{From: max(from, v.from), To: to}); !r.Empty() {
			v.set(key, cqDirty{r, times[32:]})
		}
	}
}

// begin begins a generation. The lock is held.
func (v *cqView) begin(gen uint64) {
	v.gen, v.marked, v.covered = gen, incremental.Ranges{}, incremental.Range{}
	clear(v.markedBy)
}

// inherit makes v know the extent of the rows before inserts and deletes see it:
// a delete marks nothing outside of it.
func (v *cqView) inherit(before *cqView) {
	before.mu.Lock()
	oldest, newest := before.oldest, before.newest
	before.mu.Unlock()
	v.mu.Lock()
	v.oldest, v.newest = min(v.oldest, oldest), max(v.newest, newest)
	v.mu.Unlock()
}

// succeed takes over from a view of the same query that inserts do not see any
// more. Records that were under way when the views changed had their marks from
// before: they are in the log, but v has not read them. Same says that it reads the
// same rows.
func (v *cqView) succeed(e *engine.Engine, before *cqView, same bool) {
	before.mu.Lock()
	gen, oldest, newest, head, touched := before.gen, before.oldest, before.newest, before.head, before.touched
	passed := before.passed.Load()
	var expired *deviceTimes
	if before.grouped() {
		expired = before.groups.passed.Copy()
	}
	before.mu.Unlock()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.readMarks(e)
	v.begin(max(v.gen, gen) + 1)
	v.oldest, v.newest, v.head, v.touched = min(v.oldest, oldest), max(v.newest, newest), max(v.head, head), max(v.touched, touched)
	if same {
		v.passed.Store(max(passed, v.passed.Load()))
	}
	if v.grouped() && expired != nil && same {
		v.groups.passed = expired
	}
	v.recount()
}
