package tickwell

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/pattern"
)

// The reference of a store over its life: maps, loops, and what the documents say of
// times to live, quotas and crashes.

// livePoint is a value; doubt says that it has been expired once, so that it may be gone
// for good although it would show now, or that a crash may have taken it before that. It
// may then have another value instead.
type livePoint struct {
	v     Value
	doubt bool
	other []Value
}

type liveSeries struct {
	kind   Kind
	points map[int64]livePoint
}

// liveState is what a store holds.
type liveState struct {
	series map[string]*liveSeries
	ttls   map[string]time.Duration
}

func newLiveState() *liveState {
	return &liveState{series: map[string]*liveSeries{}, ttls: map[string]time.Duration{}}
}

func (s *liveState) clone() *liveState {
	c := &liveState{series: map[string]*liveSeries{}, ttls: maps.Clone(s.ttls)}
	for path, ser := range s.series {
		c.series[path] = &liveSeries{ser.kind, maps.Clone(ser.points)}
	}
	return c
}

func (s *liveState) make(path string, k Kind) *liveSeries {
	ser := s.series[path]
	if ser == nil {
		ser = &liveSeries{k, map[int64]livePoint{}}
		s.series[path] = ser
	}
	return ser
}

// newest is the time of the newest point that is surely there.
func (s *liveState) newest() int64 {
	at := int64(math.MinInt64)
	for _, ser := range s.series {
		for t, p := range ser.points {
			if !p.doubt {
				at = max(at, t)
			}
		}
	}
	return at
}

// ttl is that of the longest prefix.
func (s *liveState) ttl(path string, base time.Duration) time.Duration {
	longest := -1
	for prefix, d := range s.ttls {
		if (path == prefix || strings.HasPrefix(path, prefix+".")) && len(prefix) > longest {
			longest, base = len(prefix), d
		}
	}
	return base
}

type liveCell struct {
	path string
	kind Kind
	at   int64
	v    Value // null: the series is made, nothing is written
}

// liveEntry is one thing that was done to the store, in this order: cells, a delete, a
// drop, a time to live; or, if marks is set, what was found to be expired.
type liveEntry struct {
	cells    []liveCell
	deleted  []string
	from, to int64
	dropped  []string
	prefix   string
	ttl      time.Duration
	marks    map[string]int64

	greatest int64 // time of the rows, those without cells too; 0: there are none

	before int // operations of the file system when it was begun
	after  int // and when it had ended
}

func (e *liveEntry) apply(s *liveState) {
	for _, c := range e.cells {
		ser := s.make(c.path, c.kind)
		if !c.v.IsNull() {
			ser.points[c.at] = livePoint{v: c.v}
		}
	}
	for _, path := range e.deleted {
		if ser := s.series[path]; ser != nil {
			maps.DeleteFunc(ser.points, func(at int64, _ livePoint) bool { return e.from <= at && at < e.to })
		}
	}
	for _, path := range e.dropped {
		delete(s.series, path)
	}
	if e.prefix != "" {
		if s.ttls[e.prefix] = e.ttl; e.ttl == 0 {
			delete(s.ttls, e.prefix)
		}
	}
	for path, h := range e.marks {
		ser := s.series[path]
		if ser == nil {
			continue
		}
		for at, p := range ser.points {
			if at < h && !p.doubt {
				p.doubt = true
				ser.points[at] = p
			}
		}
	}
}

// liveShown is what a store shows at one moment.
type liveShown struct {
	kinds    map[string]Kind
	points   map[string]map[int64]Value
	horizons map[string]int64
	ttls     map[string]time.Duration
}

// against returns what s is if the store that shows this holds it, or says why that
// cannot be. Series of maybe may be there besides, without points.
func (sh *liveShown) against(s *liveState, maybe map[string]Kind) (*liveState, error) {
	if !maps.Equal(sh.ttls, s.ttls) {
		return nil, fmt.Errorf("times to live are %v, want %v", sh.ttls, s.ttls)
	}
	out := &liveState{series: map[string]*liveSeries{}, ttls: maps.Clone(s.ttls)}
	for path, k := range sh.kinds {
		if s.series[path] == nil && (maybe[path] != k || len(sh.points[path]) > 0) {
			return nil, fmt.Errorf("series %s of %v is there, with %d points", path, k, len(sh.points[path]))
		}
		out.make(path, k)
	}
	for _, path := range slices.Sorted(maps.Keys(s.series)) {
		ser, got := s.series[path], sh.points[path]
		if k, ok := sh.kinds[path]; !ok || k != ser.kind {
			return nil, fmt.Errorf("series %s of %v is %v", path, ser.kind, k)
		}
		h, to := sh.horizons[path], out.series[path].points
		for at, p := range ser.points {
			v, ok := got[at]
			switch {
			case ok && at >= h && p.doubt && slices.ContainsFunc(p.other, v.Equal):
				p = livePoint{v: v, doubt: true}
			case ok && !v.Equal(p.v):
				return nil, fmt.Errorf("%s at %d is %v (%x), want %v (%x), doubt %v, horizon %d", path, at, v, v.num, p.v, p.v.num, p.doubt, h)
			case ok && at < h:
				return nil, fmt.Errorf("%s at %d shows, before the horizon %d", path, at, h)
			case !ok && at >= h && !p.doubt:
				return nil, fmt.Errorf("%s at %d is not there, want %v, horizon %d", path, at, p.v, h)
			case !ok && at >= h: // gone for good
				continue
			}
			to[at] = p
		}
		for at, v := range got {
			if _, ok := ser.points[at]; !ok {
				return nil, fmt.Errorf("%s at %d is %v, want nothing, horizon %d", path, at, v, h)
			}
		}
	}
	return out, nil
}

// either is what a store holds that may hold any of some states, which show the same.
func either(all []*liveState) *liveState {
	out := all[len(all)-1].clone()
	for _, s := range all[:len(all)-1] {
		for path, ser := range out.series {
			for at, p := range ser.points {
				if q, ok := s.series[path].points[at]; !ok || q.doubt {
					p.doubt = true
				} else if !q.v.Equal(p.v) {
					p.doubt, p.other = true, append(slices.Clip(p.other), q.v)
				}
				ser.points[at] = p
			}
			for at, q := range s.series[path].points {
				if _, ok := ser.points[at]; !ok {
					ser.points[at] = livePoint{v: q.v, doubt: true}
				}
			}
		}
	}
	return out
}

// show reads all that a store shows, by cursors of one cut.
func show(db *DB) (*liveShown, error) {
	all, err := pattern.Parse("root.**")
	if err != nil {
		return nil, err
	}
	for range 100 {
		sh := &liveShown{kinds: map[string]Kind{}, points: map[string]map[int64]Value{}, horizons: map[string]int64{}, ttls: map[string]time.Duration{}}
		list := db.eng.MatchCreated(all)
		for _, ser := range list {
			sh.kinds[ser.Path()] = Kind(ser.Kind)
			sh.horizons[ser.Path()], _ = db.eng.Horizon(ser.Device, ser.Name)
		}
		for prefix, d := range db.TTLs() {
			sh.ttls[prefix] = d
		}
		snap := db.eng.Snapshot()
		for _, ser := range list {
			points := map[int64]Value{}
			c := snap.Cursor(ser, math.MinInt64, math.MaxInt64)
			for c.Next() {
				v := vectorOf(c.Values())
				for i, at := range c.Times() {
					if _, twice := points[at]; twice {
						return nil, fmt.Errorf("%s: two points at %d", ser.Path(), at)
					}
					points[at] = v.Value(i)
				}
			}
			err := c.Err()
			c.Close()
			if err != nil {
				snap.Release()
				return nil, err
			}
			sh.points[ser.Path()] = points
		}
		snap.Release()
		steady := true // else the quota moved meanwhile
		for _, ser := range list {
			h, _ := db.eng.Horizon(ser.Device, ser.Name)
			steady = steady && h == sh.horizons[ser.Path()]
		}
		if steady {
			return sh, nil
		}
	}
	return nil, fmt.Errorf("the horizon never stands still")
}

// liveClock moves by hand, wall and monotonic time each for itself. Timers that are due
// run to their end before it moves on.
type liveClock struct {
	mu     sync.Mutex
	wall   int64
	mono   time.Duration
	timers map[int]liveTimer
	next   int
}

type liveTimer struct {
	due time.Duration
	f   func()
}

func newLiveClock(wall int64) *liveClock { return &liveClock{wall: wall, timers: map[int]liveTimer{}} }

func (c *liveClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Unix(0, c.wall)
}

func (c *liveClock) Mono() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mono
}

func (c *liveClock) AfterFunc(d time.Duration, f func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := c.next
	c.next++
	c.timers[id] = liveTimer{c.mono + d, f}
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		_, ok := c.timers[id]
		delete(c.timers, id)
		return ok
	}
}

// pass lets time go by, and the wall clock leap besides.
func (c *liveClock) pass(d, leap time.Duration) {
	c.mu.Lock()
	c.mono += d
	c.wall += int64(d + leap)
	var due []liveTimer
	for id, t := range c.timers {
		if t.due <= c.mono {
			due = append(due, t)
			delete(c.timers, id)
		}
	}
	c.mu.Unlock()
	slices.SortFunc(due, func(a, b liveTimer) int { return cmp.Compare(a.due, b.due) })
	for _, t := range due {
		done := make(chan struct{})
		go func() {
			defer close(done)
			t.f()
		}()
		<-done
	}
}

// liveWatch is the rule of leaps: a clock that runs ahead of the monotonic one by more
// than ten minutes is believed after an hour.
type liveWatch struct {
	set         bool
	wall, mono  int64
	ahead       bool
	since, view int64
}

func (w *liveWatch) look(wall, mono int64) int64 {
	const hour, some = int64(time.Hour), int64(10 * time.Minute)
	course := w.wall + mono - w.mono
	switch {
	case !w.set:
		w.set, w.wall, w.mono, w.view = true, wall, mono, wall
	case wall > course+some && !w.ahead:
		w.ahead, w.since, w.view = true, mono, course
	case wall > course+some && mono-w.since < hour:
		w.view = course
	case wall > course+some:
		w.ahead, w.wall, w.mono, w.view = false, wall, mono, wall
	default:
		w.ahead, w.view = false, wall
		if wall >= course-some {
			w.wall, w.mono = wall, mono
		}
	}
	return w.view
}

// open is what a store does that is opened with a newest point.
func (w *liveWatch) open(newest, wall, mono int64) {
	*w = liveWatch{set: true, wall: min(wall, newest), mono: mono}
	if wall > w.wall+int64(10*time.Minute) {
		w.ahead, w.since = true, mono
	}
}

// liveHorizons says within which bounds the horizons of a store are.
type liveHorizons struct {
	on       bool
	base     time.Duration
	watch    [2]liveWatch
	newest   [2]int64 // at least and at most
	vague    bool     // the newest point at the opening is not known
	quota    bool
	floor    int64
	greatest int64 // time of any row that ever was
}

// begin is told that the store was opened.
func (h *liveHorizons) begin(s *liveState, base time.Duration, quota bool, floor int64, c *liveClock) {
	h.base, h.quota, h.floor = base, quota, floor
	h.newest = [2]int64{s.newest(), h.greatest}
	h.watch = [2]liveWatch{}
	h.on = len(s.ttls) > 0 || base > 0 || quota || floor > math.MinInt64
	h.vague = h.newest[0] != h.newest[1]
	if h.on {
		for i, at := range h.newest {
			if at > math.MinInt64 {
				h.watch[i].open(at, c.wall, int64(c.mono))
			}
		}
	}
}

// floorOf is the time before which points were dropped for want of room.
func floorOf(db *DB) int64 {
	if at, ok := db.eng.Horizon(engine.LostDevice, "s"); ok {
		return at
	}
	return math.MinInt64
}

// check compares the horizon of a series.
func (h *liveHorizons) check(db *DB, s *liveState, path string, c *liveClock) error {
	device, name := pattern.Split(path)
	floor := floorOf(db)
	got, ok := db.eng.Horizon(device, name)
	for again := floorOf(db); again != floor; again = floorOf(db) { // the quota moves it
		floor = again
		got, ok = db.eng.Horizon(device, name)
	}
	if floor < h.floor || floor > h.floor && (!h.quota || floor > h.greatest+1) {
		return fmt.Errorf("points are dropped up to %d, before up to %d, quota %v, newest %d", floor, h.floor, h.quota, h.greatest)
	}
	h.floor = floor
	if !h.on { // what was deleted before it is not seen
		h.newest[0] = math.MinInt64
	}
	h.newest = [2]int64{max(h.newest[0], s.newest()), max(h.newest[1], h.greatest)}
	h.on = h.on || len(s.ttls) > 0 || floor > math.MinInt64
	if !h.on {
		if ok {
			return fmt.Errorf("%s expires before %d, though nothing is set", path, got)
		}
		return nil
	}
	var want [2]int64
	ttl := int64(s.ttl(path, h.base))
	for i := range want {
		now := min(h.watch[i].look(c.wall, int64(c.mono)), h.newest[i])
		if want[i] = floor; ttl > 0 && now > math.MinInt64+ttl {
			want[i] = max(floor, now-ttl)
		}
	}
	if got > max(want[0], want[1]) || got < want[0] && !h.vague {
		return fmt.Errorf("the horizon of %s is %d, want %d to %d; ttl %v, clock %d, newest %d to %d, floor %d",
			path, got, want[0], want[1], time.Duration(ttl), c.wall, h.newest[0], h.newest[1], floor)
	}
	return nil
}
