package tickwell

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
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
type cqView struct {
	name     string
	grid     *incremental.Grid
	patterns []*pattern.Pattern
	from     int64 // windows that begin before are left out
	lateness int64
	idle     time.Duration
	onChange bool

	mu      sync.Mutex
	gen     uint64
	marked  incremental.Ranges           // by the present generation
	keys    map[string]incremental.Range // all marks that are stored
	oldest  int64                        // time of the oldest row there may be
	newest  int64                        // time of the newest row there was
	touched time.Duration                // monotonic time of the last row
	hold    time.Duration                // no run before, after a failure

	emitted emissions // touched by runs only
	chunk   int       // windows of one step
}

const (
	cqDelay   = 200 * time.Millisecond // from a change to the run it causes
	cqChunk   = 1024                   // windows that are stored in one record
	cqPeriod  = time.Minute            // at least so often a view is looked at
	cqMaxHold = time.Minute            // longest pause after failures
	cqSteps   = 64                     // records of one run
)

func newCQView(spec *CQSpec, q *Query, patterns []*pattern.Pattern) (*cqView, error) {
	grid, err := q.grid(spec.Origin)
	if err != nil {
		return nil, err
	}
	v := &cqView{name: spec.Name, grid: grid, patterns: patterns, from: incremental.Earliest, lateness: int64(spec.Lateness), idle: spec.IdleTimeout,
		onChange: spec.OnChange, keys: make(map[string]incremental.Range), oldest: math.MaxInt64, newest: math.MinInt64, chunk: cqChunk}
	if !spec.From.IsZero() {
		if v.from, err = unixNano(spec.From); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// checkIncremental says why q cannot be computed incrementally.
func checkIncremental(spec *CQSpec, q *Query) error {
	no := func(why string) error {
		return fmt.Errorf("CQ: without an every interval it is incremental, and %s: %w", why, errs.BadInput)
	}
	switch g := q.GroupBy.(type) {
	case nil:
		return fmt.Errorf("CQ: at least one of the every interval and the group by interval must be given: %w", errs.BadInput)
	case GroupByTime:
		if g.LeftOpen {
			return no("windows that are open on the left are computed by scheduled queries only")
		}
	default:
		return no("session, variation, condition and count windows are computed by scheduled queries only: give Every")
	}
	switch {
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
	return v.grid.Touched(r).Intersect(incremental.Range{From: v.from, To: incremental.Latest})
}

// over returns the start of the first window that is not over.
func (v *cqView) over(mono time.Duration) int64 {
	if v.onChange || v.idle > 0 && mono-v.touched >= v.idle {
		return math.MaxInt64
	}
	if v.newest == math.MinInt64 {
		return math.MinInt64
	}
	return v.grid.Start(v.grid.First(v.newest - v.lateness))
}

// due returns the windows that are dirty and over.
func (v *cqView) due(mono time.Duration) incremental.Ranges {
	end := v.over(mono)
	var due incremental.Ranges
	for _, r := range v.keys {
		due.Add(r.Intersect(incremental.Range{From: math.MinInt64, To: end}))
	}
	return due
}

// wait returns how long until the view should be looked at again; ok is false
// if only a new row can change anything. The lock is held.
func (v *cqView) wait(mono time.Duration) (d time.Duration, ok bool) {
	if len(v.keys) == 0 {
		return 0, false
	}
	end := v.over(mono)
	for _, r := range v.keys {
		if r.From < end {
			return max(cqDelay, v.hold-mono), true
		}
	}
	if v.idle > 0 {
		return max(v.idle-(mono-v.touched), cqDelay), true
	}
	return 0, false
}

// markKey is where a mark is stored: generation, first and end of the windows.
func (v *cqView) markKey(gen uint64, r incremental.Range) string {
	return cqKey(v.name, "d/") + strconv.FormatUint(gen, 36) + "/" + orderedTime(r.From) + orderedTime(r.To)
}

// orderedTime writes t so that texts sort as times do.
func orderedTime(t int64) string {
	var b [8]byte
	u := uint64(t) ^ 1<<63
	for i := range b {
		b[i] = byte(u >> (56 - 8*i))
	}
	return hex.EncodeToString(b[:])
}

func parseOrderedTime(s string) (int64, bool) {
	u, err := strconv.ParseUint(s, 16, 64)
	return int64(u ^ 1<<63), err == nil && len(s) == 16
}

// load reads what is stored of the view.
func (v *cqView) load(e *engine.Engine) {
	v.readMarks(e)
	if b, ok := e.Get(cqKey(v.name, "newest")); ok && len(b) == 8 {
		v.newest = int64(binary.LittleEndian.Uint64(b))
	}
	v.emitted.load(e, v.name)
}

func (v *cqView) readMarks(e *engine.Engine) {
	prefix := cqKey(v.name, "d/")
	for key := range e.Scan(prefix) {
		gen, times, ok := strings.Cut(key[len(prefix):], "/")
		n, err := strconv.ParseUint(gen, 36, 64)
		if !ok || err != nil || len(times) != 32 {
			continue
		}
		from, ok1 := parseOrderedTime(times[:16])
		to, ok2 := parseOrderedTime(times[16:])
		if ok1 && ok2 {
			v.keys[key] = incremental.Range{From: from, To: to}
			v.gen = max(v.gen, n+1)
		}
	}
}

// succeed takes over from a view of the same query that inserts do not see any
// more. Records that were under way when the views changed had their marks from
// before: they are in the log, but v has not read them.
func (v *cqView) succeed(e *engine.Engine, before *cqView) {
	before.mu.Lock()
	gen, oldest, newest, touched := before.gen, before.oldest, before.newest, before.touched
	before.mu.Unlock()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.readMarks(e)
	v.gen, v.marked = max(v.gen, gen)+1, incremental.Ranges{}
	v.oldest, v.newest, v.touched = min(v.oldest, oldest), max(v.newest, newest), max(v.touched, touched)
}

// cqMark is a mark on its way into the log.
type cqMark struct {
	view   *cqView
	gen    uint64
	r      incremental.Range // empty: the rows change no mark, but what follows
	oldest int64
	newest int64
}

// cqMarks are the marks of one record.
type cqMarks struct {
	epoch *epoch
	list  []cqMark
}

// begin enters the present epoch, so that no run takes its cut before the record
// is stored.
func (s *cqSet) begin() (*cqTable, cqMarks) {
	for {
		e := s.epoch.Load()
		if e == nil {
			s.epoch.CompareAndSwap(nil, newEpoch())
			continue
		}
		if e.enter() {
			return s.table.Load(), cqMarks{epoch: e}
		}
	}
}

// mark adds to a group the marks of the windows that it makes dirty.
func (s *cqSet) mark(in *insertion) cqMarks {
	t, m := s.begin()
	if t == nil || len(t.views) == 0 {
		return m
	}
	for i := range in.n {
		p := &in.parts[i]
		for _, v := range p.bound.feedsOf(t).views {
			m.rows(v, p.times)
		}
	}
	m.deletes(t, &in.batch)
	m.store(&in.batch)
	return m
}

// markDeletes is mark for a batch of deletes and drops.
func (s *cqSet) markDeletes(b *engine.Batch) cqMarks {
	t, m := s.begin()
	if t == nil || len(t.views) == 0 {
		return m
	}
	m.deletes(t, b)
	m.store(b)
	return m
}

func (m *cqMarks) rows(v *cqView, times []int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	oldest, newest := int64(math.MaxInt64), int64(math.MinInt64)
	var last incremental.Range // windows of the row before
	var fresh incremental.Ranges
	for _, at := range times {
		oldest, newest = min(oldest, at), max(newest, at)
		r := v.touchedBy(incremental.Range{From: at, To: at + 1})
		if r == last {
			continue
		}
		last = r
		if !v.marked.Contains(r) {
			fresh.Add(r)
		}
	}
	for _, r := range fresh.All() {
		m.list = append(m.list, cqMark{v, v.gen, r, oldest, newest})
	}
	if fresh.Empty() {
		m.list = append(m.list, cqMark{v, v.gen, incremental.Range{}, oldest, newest})
	}
}

func (m *cqMarks) deletes(t *cqTable, b *engine.Batch) {
	touch := func(ser *engine.Series, from, to int64) {
		for _, v := range t.views {
			if !v.reads(ser.Device, ser.Name) {
				continue
			}
			v.mu.Lock()
			r := v.touchedBy(incremental.Range{From: max(from, v.oldest), To: min(to-1, v.newest) + 1})
			if !v.marked.Contains(r) {
				m.list = append(m.list, cqMark{v, v.gen, r, math.MaxInt64, math.MinInt64})
			}
			v.mu.Unlock()
		}
	}
	for _, d := range b.Deletes {
		for _, ser := range d.Series {
			touch(ser, d.From, d.To)
		}
	}
	for _, ser := range b.Drops {
		touch(ser, math.MinInt64, math.MaxInt64)
	}
}

func (m *cqMarks) store(b *engine.Batch) {
	for _, k := range m.list {
		if !k.r.Empty() {
			b.Puts = append(b.Puts, engine.Put{Kind: engine.PutProgress, Key: k.view.markKey(k.gen, k.r), Value: []byte{1}})
		}
	}
}

// settle is told how the record fared.
func (m *cqMarks) settle(db *DB, err error) {
	if len(m.list) == 0 {
		m.epoch.leave()
		return
	}
	stored := err == nil
	if _, ok := err.(*engine.StoredError); ok {
		stored = true
	}
	if stored {
		mono := db.clock.Mono()
		for _, k := range m.list {
			k.view.add(k, mono)
		}
	}
	m.epoch.leave()
	if stored {
		for i, k := range m.list {
			if i == 0 || m.list[i-1].view != k.view {
				db.pokeView(k.view)
			}
		}
	}
}

func (v *cqView) add(k cqMark, mono time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if k.newest > math.MinInt64 {
		v.oldest, v.newest, v.touched = min(v.oldest, k.oldest), max(v.newest, k.newest), mono
	}
	if k.r.Empty() {
		return
	}
	v.keys[v.markKey(k.gen, k.r)] = k.r
	if k.gen == v.gen {
		v.marked.Add(k.r)
	}
}

// pokeView lets a view run when it should.
func (db *DB) pokeView(v *cqView) {
	v.mu.Lock()
	d, ok := v.wait(db.clock.Mono())
	v.mu.Unlock()
	if ok {
		db.cqs.poke(v.name, d)
	}
}

func (s *cqSet) poke(name string, d time.Duration) {
	s.mu.Lock()
	sched := s.sched
	s.mu.Unlock()
	if sched != nil {
		sched.Poke(name, d)
	}
}

// barrier returns when every record is stored, or refused, that was under way
// when it was called.
func (s *cqSet) barrier(ctx context.Context) error {
	s.drain.Lock()
	if old := s.epoch.Swap(newEpoch()); old != nil {
		s.draining = append(s.draining, old)
	}
	wait := slices.Clone(s.draining)
	s.drain.Unlock()
	for _, e := range wait {
		if err := e.wait(ctx); err != nil {
			return err
		}
	}
	s.drain.Lock()
	s.draining = slices.DeleteFunc(s.draining, func(e *epoch) bool { return slices.Contains(wait, e) })
	s.drain.Unlock()
	return nil
}

// newGeneration begins a generation of marks and returns those before it, oldest
// windows first, when no record that makes one is under way any more.
func (s *cqSet) newGeneration(ctx context.Context, v *cqView) ([]string, error) {
	v.mu.Lock()
	v.gen++
	v.marked = incremental.Ranges{}
	gen := v.gen
	v.mu.Unlock()
	if err := s.barrier(ctx); err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	now := cqKey(v.name, "d/") + strconv.FormatUint(gen, 36) + "/"
	var keys []string
	for key := range v.keys {
		if !strings.HasPrefix(key, now) {
			keys = append(keys, key)
		}
	}
	sort.Slice(keys, func(i, j int) bool {
		a, b := v.keys[keys[i]], v.keys[keys[j]]
		return a.From < b.From || a.From == b.From && keys[i] < keys[j]
	})
	return keys, nil
}
