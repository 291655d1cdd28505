package tickwell

import (
	"math"
	"time"

	"github.com/tidwall/btree"

	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/incremental"
)

// Windows by session, variation, condition and count have no grid: where one
// ends depends on its rows. What such a query has stored is the list of its
// windows, as a result has the time of the first row of its window. Windows only
// depend on rows before their end; so
//
//   - rows before a change leave all windows as they were that end before it: the
//     query is run from the last window on that begins before the change;
//   - once a window begins, after the change, where one began before, the windows
//     from there on are what they were.
//
// Marks are ranges of times of rows here. A row that is newer than the beginning
// of the last window of its device, or of the query, marks all that follows.
type cqGroups struct {
	session bool
	gap     int64 // of a session

	// By device; guarded by the view's lock.
	tails  map[string]groupTail
	holds  *deviceTimes // from where on rows are needed
	passed *deviceTimes // rows before may have expired
}

// deviceTimes is copied for each query, which must not cost more with more devices. It
// holds pointers, as the other trees do, so that programs have its code once.
type deviceTimes = btree.Map[string, *int64]

// groupTail is the last window of a device.
type groupTail struct {
	start int64
	last  int64 // time of its last row
	open  bool  // not over: rows of it must not expire
}

// groupsOf returns nil for windows of time.
func groupsOf(q *Query) *cqGroups {
	switch g := q.GroupBy.(type) {
	case GroupBySession:
		return newGroups(true, int64(g.Gap))
	case GroupByVariation, GroupByCondition, GroupByCount:
		return newGroups(false, 0)
	}
	return nil
}

func newGroups(session bool, gap int64) *cqGroups {
	return &cqGroups{session: session, gap: gap, tails: make(map[string]groupTail), holds: new(deviceTimes), passed: new(deviceTimes)}
}

// afterGap is the first watermark at which a session is over.
func (g *cqGroups) afterGap(last int64) int64 { return addSaturated(addSaturated(last, g.gap), 1) }

//go:noinline
func tailKey(name, device string) string { return cqKey(name, "w/") + device }

func passedKey(name, device string) string { return cqKey(name, "x/") + device }

func (t groupTail) put(name, device string) engine.Put {
	b := append([]byte(orderedTime(t.start)+orderedTime(t.last)), '0')
	if t.open {
		b[32] = '1'
	}
	return engine.Put{Kind: engine.PutProgress, Key: tailKey(name, device), Value: b}
}

func (g *cqGroups) load(e *engine.Engine, name string) {
	clear(g.tails)
	for key, value := range e.Scan(tailKey(name, "")) {
		if len(value) != 33 {
			continue
		}
		start, ok1 := parseOrderedTime(string(value[:16]))
		if last, ok2 := parseOrderedTime(string(value[16:32])); ok1 && ok2 {
			g.tails[key[len(tailKey(name, "")):]] = groupTail{start, last, value[32] == '1'}
		}
	}
	for key, value := range e.Scan(passedKey(name, "")) {
		if at, ok := parseOrderedTime(string(value)); ok {
			g.passed.Set(key[len(passedKey(name, "")):], &at)
		}
	}
}

// forget drops what is known of the last windows.
func (g *cqGroups) forget(v *cqView, b *engine.Batch) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for device := range g.tails {
		b.Puts = append(b.Puts, engine.Put{Kind: engine.PutProgress, Key: tailKey(v.name, device), Delete: true})
	}
	clear(g.tails)
	v.recount()
}

// rows marks rows of a device: late ones by the range they lie in, others with
// all that follows.
func (g *cqGroups) rows(m *cqMarks, k cqMark, device string, times []int64) {
	v := k.view
	begin := int64(math.MinInt64)
	if t, ok := g.tails[device]; ok {
		begin = t.start
	}
	late, rest := incremental.Range{From: math.MaxInt64, To: math.MinInt64}, int64(math.MaxInt64)
	for _, at := range times {
		if at <= begin {
			late.From, late.To = min(late.From, at), max(late.To, at+1)
		} else {
			rest = min(rest, at)
		}
	}
	n := len(m.list)
	for _, r := range [2]incremental.Range{late, {From: rest, To: incremental.Latest}} {
		if r = v.touchedBy(r); r.Empty() || v.marked.Contains(r) {
			continue
		}
		if by := v.markedBy[device]; by != nil && by.Contains(r) {
			continue
		}
		k.cqDirty = cqDirty{Range: r, device: device}
		m.list = append(m.list, k)
	}
	if len(m.list) == n {
		k.cqDirty = cqDirty{}
		m.list = append(m.list, k)
	}
}

// holdOf returns the time from which on rows are needed to compute what d marks.
func (g *cqGroups) holdOf(d cqDirty) int64 {
	if t, ok := g.tails[d.device]; ok && t.start < d.From {
		return t.start
	}
	return math.MinInt64 // from some window before
}

func (g *cqGroups) holdFor(d cqDirty) {
	hold := g.holdOf(d)
	if was, ok := g.holds.Get(d.device); !ok || hold < *was {
		g.holds.Set(d.device, &hold)
	}
}

// cut gives h what is held back now.
func (g *cqGroups) cut(v *cqView, h *heldView) {
	v.mu.Lock()
	defer v.mu.Unlock()
	h.holds, h.gone = g.holds.Copy(), g.passed.Copy()
}

// held returns from where on rows of a device are held back, and what has passed.
func (v *cqView) held(holds, passed *deviceTimes, device string) (first, gone int64) {
	if !v.byDevice {
		device = ""
	}
	first = math.MaxInt64
	for _, d := range [2]string{device, ""} { // marks without a device are for all
		if at, ok := holds.Get(d); ok {
			first = min(first, *at)
		}
	}
	gone = math.MinInt64
	if at, ok := passed.Get(device); ok {
		gone = *at
	}
	return first, gone
}

// recount finds what is to be held back after marks have gone.
func (g *cqGroups) recount(marks map[string]cqDirty) {
	g.holds.Clear()
	for device, t := range g.tails {
		if t.open {
			start := t.start
			g.holds.Set(device, &start)
		}
	}
	for _, d := range marks {
		g.holdFor(d)
	}
}

// holdBack is [cqView.holdBack] for each device by itself: the last window of one
// that is silent may never end.
func (g *cqGroups) holdBack(v *cqView, device, name string, before int64) int64 {
	if !v.reads(device, name) {
		return before
	}
	if !v.byDevice {
		device = ""
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	first, passed := v.held(g.holds, g.passed, device)
	if passed >= before {
		return before
	}
	hold := max(min(before, first), passed)
	if hold > passed {
		at := hold
		g.passed.Set(device, &at)
	}
	return hold
}

// storePassed adds how far rows may have expired, if what d marks is older.
func (g *cqGroups) storePassed(v *cqView, d cqDirty, puts []engine.Put) []engine.Put {
	g.passed.Scan(func(device string, passed *int64) bool {
		if (d.device == "" || d.device == device) && g.holdOf(d) < *passed {
			puts = append(puts, engine.Put{Kind: engine.PutProgress, Key: passedKey(v.name, device), Value: []byte(orderedTime(*passed))})
		}
		return true
	})
	return puts
}

// isOver reports whether a window is over at a watermark.
func (g *cqGroups) isOver(last, ended, mark int64) bool {
	return ended <= mark || g.session && g.afterGap(last) <= mark
}

// idleNow reports whether no row has come for so long that all windows are over.
// The lock is held.
func (v *cqView) idleNow(mono time.Duration) bool { return v.idle > 0 && mono-v.touched >= v.idle }
