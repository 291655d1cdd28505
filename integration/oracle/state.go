package oracle

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Points are the cells of one series by time.
type Points map[int64]Cell

// Dump is what a store shows: the points of each series that has any.
type Dump map[string]Points

// State is everything a store holds at one moment. It is immutable: Steps
// returns new ones that share what did not change.
type State struct {
	series map[string]*series
	kv     map[string]int64 // what triggers keep
	events *event           // the newest; each knows the one before
	count  int              // of events
	last   int64            // instant of the last run of the query, 0: none
	now    int64            // wall time
	hash   uint64           // of the points
}

type series struct {
	cells Points
	hash  uint64 // of the cells, mixed with the path
	path  uint64
}

type event struct {
	id   string
	prev *event
}

// Start returns the state of a new store.
func Start(now int64) *State { return &State{now: now} }

// clone copies what may change; series are copied when they do.
func (s *State) clone() *State {
	c := *s
	c.series, c.kv = maps.Clone(s.series), maps.Clone(s.kv)
	if c.series == nil {
		c.series, c.kv = map[string]*series{}, map[string]int64{}
	}
	return &c
}

// edit returns the series for changing, in a state that clone has made.
func (s *State) edit(path string, owned map[string]bool) *series {
	old := s.series[path]
	if old != nil && owned[path] {
		return old
	}
	n := &series{cells: Points{}, path: hashText(path)}
	if old != nil {
		n.cells, n.hash = maps.Clone(old.cells), old.hash
	}
	s.series[path], owned[path] = n, true
	return n
}

func (s *State) put(owned map[string]bool, path string, at int64, c Cell) {
	ser := s.edit(path, owned)
	if old, ok := ser.cells[at]; ok {
		s.toggle(ser, at, old)
	}
	ser.cells[at] = c
	s.toggle(ser, at, c)
}

func (s *State) remove(owned map[string]bool, path string, at int64) {
	ser := s.edit(path, owned)
	s.toggle(ser, at, ser.cells[at])
	delete(ser.cells, at)
}

// toggle adds a point to the hash or takes it out.
func (s *State) toggle(ser *series, at int64, c Cell) {
	h := mix(ser.path + hashPoint(at, c))
	ser.hash ^= h
	s.hash ^= h
}

func (s *State) emit(id string) {
	s.events, s.count = &event{id, s.events}, s.count+1
}

// Hash is equal for states with equal points, and for dumps of stores that hold
// them.
func (s *State) Hash() uint64 { return s.hash }

// Key tells apart states that differ in anything.
func (s *State) Key() string {
	keys := slices.Sorted(maps.Keys(s.kv))
	var b strings.Builder
	fmt.Fprintf(&b, "%x %d %d", s.hash, s.last, s.now)
	for _, k := range keys {
		fmt.Fprintf(&b, " %s=%d", k, s.kv[k])
	}
	for e := s.events; e != nil; e = e.prev {
		b.WriteString(" " + e.id)
	}
	return b.String()
}

// Hash returns the hash of what a store shows.
func (d Dump) Hash() (h uint64) {
	for path, points := range d {
		p := hashText(path)
		for at, c := range points {
			h ^= mix(p + hashPoint(at, c))
		}
	}
	return h
}

// Events returns the identities of all events ever emitted, in log order.
func (s *State) Events() []string {
	out := make([]string, s.count)
	for e, i := s.events, s.count-1; e != nil; e, i = e.prev, i-1 {
		out[i] = e.id
	}
	return out
}

// Kept returns what a trigger has stored under a key, 0 if nothing.
func (s *State) Kept(key string) int64 { return s.kv[key] }

// LastRun returns the instant of the query's last run, 0 if it has not run.
func (s *State) LastRun() int64 { return s.last }

// Now returns the wall time.
func (s *State) Now() int64 { return s.now }

// Dump returns the points of all series that have any. They must not be
// changed.
func (s *State) Dump() Dump {
	d := Dump{}
	for path, ser := range s.series {
		if len(ser.cells) > 0 {
			d[path] = ser.cells
		}
	}
	return d
}

// Paths returns the series that have points, sorted.
func (s *State) Paths() []string {
	d := s.Dump()
	return slices.Sorted(maps.Keys(d))
}

// Points returns the points of a series. They must not be changed.
func (s *State) Points(path string) Points {
	if ser := s.series[path]; ser != nil {
		return ser.cells
	}
	return nil
}

// Times returns the times of a series' points, sorted.
func (p Points) Times() []int64 { return slices.Sorted(maps.Keys(p)) }

// Diff returns the first difference between what must be and what is, or "".
func Diff(want, got Dump) string {
	paths := map[string]bool{}
	for p := range want {
		paths[p] = true
	}
	for p := range got {
		paths[p] = true
	}
	for _, p := range slices.Sorted(maps.Keys(paths)) {
		w, g := want[p], got[p]
		times := map[int64]bool{}
		for at := range w {
			times[at] = true
		}
		for at := range g {
			times[at] = true
		}
		for _, at := range slices.Sorted(maps.Keys(times)) {
			if w[at] != g[at] {
				return fmt.Sprintf("%s@%d: want %v, got %v (%d points, %d expected)", p, at, w[at], g[at], len(g), len(w))
			}
		}
	}
	return ""
}
