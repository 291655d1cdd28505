package tickwell

import (
	"context"
	"encoding/hex"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/incremental"
)

// cqMaxMarks is how many marks a view has at most for single devices.
const cqMaxMarks = 1 << 14

// markKey is where a mark is stored: generation, first and end of the windows,
// device.
func (v *cqView) markKey(gen uint64, d cqDirty) string {
	return v.markPrefix(gen) + orderedTime(d.From) + orderedTime(d.To) + d.device
}

func (v *cqView) markPrefix(gen uint64) string {
	return cqKey(v.name, "d/") + strconv.FormatUint(gen, 36) + "/"
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

// cqMark is a mark on its way into the log.
type cqMark struct {
	view    *cqView
	gen     uint64
	cqDirty       // empty: the rows change no mark, but what follows
	oldest  int64 // of the rows
	newest  int64
	head    int64 // newest of those that are not too far ahead
	ahead   int   // how many are
}

// forMark is a mark without rows.
func forMark(v *cqView, d cqDirty) cqMark {
	return cqMark{view: v, gen: v.gen, cqDirty: d, oldest: math.MaxInt64, newest: math.MinInt64, head: math.MinInt64}
}

// cqMarks are the marks of one record.
type cqMarks struct {
	epoch   *epoch
	list    []cqMark
	derived bool // the rows are results
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

// mark adds to a group the marks of the windows that it makes dirty. It refuses one
// whose columns have become a query's meanwhile: who waits for the records under way
// after a claim knows that none is of others.
func (db *DB) mark(in *insertion) (cqMarks, error) {
	s := &db.cqs
	t, m := s.begin()
	if err := t.checkOwner(in); err != nil {
		m.epoch.leave()
		return m, err
	}
	if t == nil || len(t.views) == 0 {
		return m, nil
	}
	m.list, m.derived = in.marked[:0], in.query != ""
	if !m.derived {
		t.noteTorn(&in.batch)
	}
	for i := range in.n {
		p := &in.parts[i]
		for _, v := range p.bound.feedsOf(t).views {
			m.rows(db, v, p.bound.path, p.times)
		}
	}
	m.deletes(db, t, &in.batch)
	m.store(&in.batch)
	return m, nil
}

// markDeletes is mark for a batch of deletes and drops.
func (db *DB) markDeletes(b *engine.Batch) cqMarks {
	s := &db.cqs
	t, m := s.begin()
	if t == nil || len(t.views) == 0 {
		return m
	}
	t.noteTorn(b)
	m.deletes(db, t, b)
	m.store(b)
	return m
}

// rows marks the windows of rows of a device. What is marked in this generation
// is not marked again.
func (m *cqMarks) rows(db *DB, v *cqView, device string, times []int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	k := cqMark{view: v, gen: v.gen, oldest: math.MaxInt64, newest: math.MinInt64, head: math.MinInt64}
	if !v.byDevice || len(v.keys) > cqMaxMarks {
		device = ""
	}
	var all, own incremental.Ranges
	var cell, last incremental.Range // rows in cell are in the windows of last
	for _, at := range times {
		k.oldest, k.newest = min(k.oldest, at), max(k.newest, at)
	}
	k.count(v, db, times)
	switch {
	case v.grouped():
		v.groups.rows(m, k, device, times)
		return
	case v.covers(k.oldest, k.newest):
		m.list = append(m.list, k)
		return
	}
	for _, at := range times {
		if at >= cell.From && at < cell.To {
			continue
		}
		r := v.touchedBy(incremental.Range{From: at, To: at + 1})
		if cell = v.grid.Cell(r); v.leftOpen {
			cell.From, cell.To = cell.From+1, cell.To+1
		}
		if r == last {
			continue
		}
		last = r
		late := r.Intersect(incremental.Range{From: math.MinInt64, To: v.frontier})
		if device == "" {
			late = incremental.Range{}
		}
		if !late.Empty() {
			if by := v.markedBy[device]; !v.marked.Contains(late) && (by == nil || !by.Contains(late)) {
				own.Add(late)
			}
			r.From = late.To
		}
		if !v.marked.Contains(r) {
			all.Add(r)
		}
	}
	for _, r := range all.All() {
		k.cqDirty = cqDirty{Range: r}
		m.list = append(m.list, k)
	}
	for _, r := range own.All() {
		k.cqDirty = cqDirty{Range: r, device: device}
		m.list = append(m.list, k)
	}
	if all.Empty() && own.Empty() {
		k.cqDirty = cqDirty{}
		m.list = append(m.list, k)
	}
}

// covers reports that rows from oldest to newest change no mark: the present
// generation has marked all their windows, and none has been computed. Mostly it
// is so, and mostly where it was so for the rows before. The lock is held.
func (v *cqView) covers(oldest, newest int64) bool {
	if c := &v.covered; c.From <= oldest && newest < c.To && c.From >= v.frontier {
		return true
	}
	r := v.touchedBy(incremental.Range{From: oldest, To: newest + 1})
	if r.Empty() || r.From < v.frontier || !v.marked.Contains(r) {
		return false
	}
	if v.grid.Interval == v.grid.Step && !v.leftOpen { // the windows are the instants from the first start to the last end
		v.covered = r
	}
	return true
}

// count tells which of the rows count for the watermark.
func (k *cqMark) count(v *cqView, db *DB, times []int64) {
	limit := v.limit()
	if k.newest > limit {
		limit = max(limit, v.clockLimit(db))
	}
	if k.newest <= limit {
		k.head = k.newest
		return
	}
	for _, at := range times {
		if at <= limit {
			k.head = max(k.head, at)
		} else {
			k.ahead++
		}
	}
}

// deletes marks the windows of what is deleted. What has expired is gone as it is.
// Where the newest row may be gone, the record tells of the watermark: it must not
// go back if the process dies before the next run.
func (m *cqMarks) deletes(db *DB, t *cqTable, b *engine.Batch) {
	if len(b.Deletes) == 0 && len(b.Drops) == 0 {
		return
	}
	var heads []*cqView
	touch := func(ser *engine.Series, from, to int64, device string) {
		for _, v := range t.views {
			if !v.reads(ser.Device, ser.Name) {
				continue
			}
			if at, ok := db.eng.Horizon(ser.Device, ser.Name); ok {
				from = max(from, at)
			}
			v.mu.Lock()
			r := v.touchedBy(incremental.Range{From: max(from, v.oldest), To: min(to-1, v.newest) + 1})
			d := cqDirty{Range: r}
			if v.byDevice && (r.To <= v.frontier || v.grouped()) && len(v.keys) <= cqMaxMarks {
				d.device = device
			}
			if !v.marked.Contains(r) {
				m.list = append(m.list, forMark(v, d))
			}
			if v.head > math.MinInt64 && from <= v.head && v.head < to && !slices.Contains(heads, v) {
				heads = append(heads, v)
				b.Puts = v.seen(b.Puts)
			}
			v.mu.Unlock()
		}
	}
	for _, d := range b.Deletes {
		for _, ser := range d.Series {
			touch(ser, d.From, d.To, ser.Device)
		}
	}
	for _, ser := range b.Drops {
		touch(ser, math.MinInt64, math.MaxInt64, "")
	}
}

func (m *cqMarks) store(b *engine.Batch) {
	var late *cqView
	for i := range m.list {
		k := &m.list[i]
		if k.Empty() {
			continue
		}
		b.Puts = append(b.Puts, engine.Put{Kind: engine.PutProgress, Key: k.view.markKey(k.gen, k.cqDirty), Value: []byte{1}})
		if k.view == late || !k.view.grouped() && k.From >= k.view.passed.Load() {
			continue
		}
		v := k.view // after a reopen it must not hold back what has expired
		v.mu.Lock()
		if v.grouped() {
			b.Puts = v.groups.storePassed(v, k.cqDirty, b.Puts)
		} else {
			late = v
			b.Puts = v.seen(b.Puts)
		}
		v.mu.Unlock()
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
	var mono time.Duration
	if stored {
		mono = db.clock.Mono()
		for i := range m.list {
			m.list[i].view.add(&m.list[i], mono)
		}
	}
	m.epoch.leave()
	if stored {
		delay := cqDelay
		if m.derived {
			delay = cqCascade
		}
		for i := range m.list {
			if k := &m.list[i]; i == 0 || m.list[i-1].view != k.view {
				db.pokeView(k.view, mono, delay)
			}
		}
	}
}

func (v *cqView) add(k *cqMark, mono time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if k.newest > math.MinInt64 {
		v.oldest, v.newest, v.touched = min(v.oldest, k.oldest), max(v.newest, k.newest), mono
		v.advance(k.head, k.newest, k.ahead)
	}
	if k.Empty() {
		return
	}
	v.set(v.markKey(k.gen, k.cqDirty), k.cqDirty)
	switch {
	case k.gen != v.gen:
	case k.device == "":
		v.marked.Add(k.Range)
	default:
		by := v.markedBy[k.device]
		if by == nil {
			by = &incremental.Ranges{}
			v.markedBy[k.device] = by
		}
		by.Add(k.Range)
	}
}

// pokeView lets a view run when it should, after a delay at least.
func (db *DB) pokeView(v *cqView, mono, delay time.Duration) {
	v.mu.Lock()
	d, ok := v.wait(mono, delay)
	if at := mono + d; ok && (v.poked == 0 || at < v.poked || v.poked < mono) {
		v.poked = at
	} else {
		ok = false
	}
	v.mu.Unlock()
	if ok && !db.cqs.poke(v.name, d) {
		v.mu.Lock()
		v.poked = 0
		v.mu.Unlock()
	}
}

// poke reports whether there is a scheduler yet.
func (s *cqSet) poke(name string, d time.Duration) bool {
	s.mu.Lock()
	sched := s.sched
	s.mu.Unlock()
	if sched != nil {
		sched.Poke(name, d)
	}
	return sched != nil
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
	v.begin(v.gen + 1)
	gen := v.gen
	v.mu.Unlock()
	if err := s.barrier(ctx); err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.markPrefix(gen)
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
