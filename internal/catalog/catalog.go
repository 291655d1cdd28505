// Package catalog knows every series of a store: which device it belongs to,
// its kind, its id and the order in which the series were made. It holds no
// data and does no I/O.
package catalog

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/pattern"
	"github.com/tidwall/btree"
)

// Series is one measurement of one device. Its exported fields but Filed never change
// while it exists, so they are read without a lock, and its address is its identity: a
// series that is dropped and made again is another Series with another ID.
type Series struct {
	ID     uint32 // never used again, not even after a drop; grows in creation order
	Kind   column.Kind
	Device string
	Name   string
	Dev    *Device

	Filed atomic.Pointer[Filed] // what the engine remembers of it; nil: nothing
	gone  atomic.Bool
}

// Gone reports whether the series was dropped.
func (s *Series) Gone() bool { return s.gone.Load() }

// Filed is the newest point of a series among the block files of a generation up to
// a log position. It is not changed once a series has it.
type Filed struct {
	Gen, UpTo uint64
	At        int64
	Cell      column.Cell
	OK        bool // there is one
}

// Path returns device and name joined by a dot.
func (s *Series) Path() string { return s.Device + "." + s.Name }

// Compare orders series by path, node by node as the joined text would sort.
func Compare(a, b *Series) int {
	if a.Dev == b.Dev || a.Device == b.Device {
		return cmp.Compare(a.Name, b.Name)
	}
	if !strings.HasPrefix(a.Device, b.Device) && !strings.HasPrefix(b.Device, a.Device) {
		return cmp.Compare(a.Device, b.Device)
	}
	return cmp.Compare(a.Path(), b.Path())
}

// Device is the set of series that share every path node but the last.
type Device struct {
	ID     uint32 // of this process only: not stored, and new after every open
	Path   string
	series []*Series // sorted by name, with gone dropped ones among them
	gone   int
}

// find returns where the series name is in the list or would be. One that is dropped is
// not there, but may be in its place.
func (d *Device) find(name string) (at int, ok bool) {
	at, ok = slices.BinarySearchFunc(d.series, name, func(s *Series, n string) int { return cmp.Compare(s.Name, n) })
	return at, ok && !d.series[at].Gone()
}

// tidy leaves dropped series out of the list. Others may read the old one.
func (d *Device) tidy() {
	if d.gone == 0 {
		return
	}
	list := make([]*Series, 0, len(d.series)-d.gone)
	for _, s := range d.series {
		if !s.Gone() {
			list = append(list, s)
		}
	}
	d.series, d.gone = list, 0
}

// Definition is what is stored of a series.
type Definition struct {
	ID     uint32
	Kind   column.Kind
	Device string
	Name   string
}

// Catalog is safe for concurrent use. A change holds its lock only for the
// change itself.
type Catalog struct {
	mu      sync.RWMutex
	devices btree.Map[string, *Device]
	byPath  map[string]*Device
	byID    []*Series // index = id; nil = dropped or never made
	room    []Series  // memory of the next series
	live    int
	nextDev uint32
	version atomic.Uint64 // what Version returns, as of the last change that is whole
}

// New returns an empty catalog. Ids start at 1.
func New() *Catalog {
	c := &Catalog{byPath: map[string]*Device{}, byID: make([]*Series, 1)}
	c.mark()
	return c
}

// unlock ends a change.
func (c *Catalog) unlock() {
	c.mark()
	c.mu.Unlock()
}

func (c *Catalog) mark() { c.version.Store(uint64(len(c.byID))<<32 | uint64(uint32(c.live))) }

// Lookup returns the series name of device.
func (c *Catalog) Lookup(device, name string) (*Series, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	d := c.byPath[device]
	if d == nil {
		return nil, false
	}
	i, ok := d.find(name)
	if !ok {
		return nil, false
	}
	return d.series[i], true
}

// ByID returns the series that has the id.
func (c *Catalog) ByID(id uint32) (*Series, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if uint64(id) >= uint64(len(c.byID)) || c.byID[id] == nil {
		return nil, false
	}
	return c.byID[id], true
}

// Len returns the number of series.
func (c *Catalog) Len() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.live
}

// Version returns the id that the next new series gets and the number of series:
// together never the same again once a series was made or dropped. It waits for
// nobody.
func (c *Catalog) Version() (next uint32, n int) {
	v := c.version.Load()
	return uint32(v >> 32), int(uint32(v))
}

// NextID returns the id that the next new series gets.
func (c *Catalog) NextID() uint32 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return uint32(len(c.byID))
}

// SetNextID makes later ids at least id, so that an id of a dropped series is
// not given again after a reopen.
func (c *Catalog) SetNextID(id uint32) {
	c.mu.Lock()
	defer c.unlock()
	c.growTo(id)
}

func (c *Catalog) growTo(n uint32) {
	if d := int(n) - len(c.byID); d > 0 {
		c.byID = append(c.byID, make([]*Series, d)...)
	}
}

// Add makes the series of a definition. It returns the series that exists
// when the same definition was added before, so that replaying a log twice
// does no harm, and an error wrapping errs.Corrupt when id or path belong to
// another series.
func (c *Catalog) Add(def Definition) (*Series, error) {
	c.mu.Lock()
	defer c.unlock()
	return c.add(def)
}

// AddAll is Add for each of defs. If one cannot be added, those before it may have
// been. The result is not to be changed.
func (c *Catalog) AddAll(defs []Definition) ([]*Series, error) {
	c.mu.Lock()
	defer c.unlock()
	if added := c.addNew(defs); added != nil {
		return added, nil
	}
	all := make([]*Series, len(defs))
	for i, def := range defs {
		var err error
		if all[i], err = c.add(def); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// addNew adds series of one device that are all new, in one piece of memory. It
// returns nil with nothing added where they are not.
func (c *Catalog) addNew(defs []Definition) []*Series {
	if len(defs) < 2 {
		return nil
	}
	next := uint32(0)
	for i := range defs {
		def := &defs[i]
		if !def.valid() || def.Device != defs[0].Device || def.ID < next || uint64(def.ID) < uint64(len(c.byID)) && c.byID[def.ID] != nil {
			return nil
		}
		next = def.ID + 1
	}
	all, mem := make([]*Series, 0, len(defs)), make([]Series, len(defs))
	for i := range defs {
		mem[i] = Series{ID: defs[i].ID, Name: defs[i].Name, Kind: defs[i].Kind}
		all = append(all, &mem[i])
	}
	var old []*Series
	if d := c.byPath[defs[0].Device]; d != nil {
		d.tidy()
		old = d.series
	}
	list, ok := withSeries(old, all)
	if !ok {
		return nil
	}
	d := c.device(defs[0].Device)
	d.series = list
	c.growTo(next)
	for _, s := range all {
		s.Device, s.Dev = d.Path, d
		c.byID[s.ID] = s
	}
	c.live += len(all)
	return all
}

// withSeries returns old, which is sorted by name and stays as it is for those who
// read it, and more with it, which may be more itself. It fails where two have one
// name.
func withSeries(old, more []*Series) (all []*Series, ok bool) {
	if len(old) == 0 && inOrder(more) {
		return more, true
	}
	all = slices.Concat(old, more)
	more = all[len(old):]
	slices.SortFunc(more, func(a, b *Series) int { return cmp.Compare(a.Name, b.Name) })
	for i := range all { // a merge: a device may have many times more than come
		if len(old) > 0 && (len(more) == 0 || old[0].Name < more[0].Name) {
			all[i], old = old[0], old[1:]
		} else {
			all[i], more = more[0], more[1:]
		}
		if i > 0 && all[i-1].Name == all[i].Name {
			return nil, false
		}
	}
	return all, true
}

// inOrder reports whether the names of list increase.
func inOrder(list []*Series) bool {
	for i := 1; i < len(list); i++ {
		if list[i-1].Name >= list[i].Name {
			return false
		}
	}
	return true
}

// device returns the device of that path, which it makes if it is missing.
func (c *Catalog) device(path string) *Device {
	d := c.byPath[path]
	if d == nil {
		c.nextDev++
		d = &Device{ID: c.nextDev, Path: path}
		c.byPath[d.Path] = d
		c.devices.Set(d.Path, d)
	}
	return d
}

// valid reports whether a series can have that definition.
func (def *Definition) valid() bool {
	return def.Kind.Valid() && def.ID != 0 && def.ID <= MaxID && def.Name != ""
}

func (c *Catalog) add(def Definition) (*Series, error) {
	if !def.valid() {
		return nil, fmt.Errorf("catalog: series %d %s.%s of kind %d: %w", def.ID, def.Device, def.Name, def.Kind, errs.Corrupt)
	}
	if uint64(def.ID) < uint64(len(c.byID)) {
		if s := c.byID[def.ID]; s != nil {
			if s.Device == def.Device && s.Name == def.Name && s.Kind == def.Kind {
				return s, nil
			}
			return nil, fmt.Errorf("catalog: id %d is both %s and %s.%s: %w", def.ID, s.Path(), def.Device, def.Name, errs.Corrupt)
		}
	}
	d := c.device(def.Device)
	d.tidy()
	i, found := d.find(def.Name)
	if found {
		return nil, fmt.Errorf("catalog: %s.%s has ids %d and %d: %w", def.Device, def.Name, d.series[i].ID, def.ID, errs.Corrupt)
	}
	s := c.newSeries()
	s.ID, s.Device, s.Name, s.Kind, s.Dev = def.ID, d.Path, def.Name, def.Kind, d
	if n := len(d.series); i < n || n == cap(d.series) {
		all := make([]*Series, n+1, max(4, n+1, min(4*n, n+16))) // others may read the old ones
		copy(all, d.series[:i])
		copy(all[i+1:], d.series[i:])
		d.series = all
	} else { // nobody reads what is behind them
		d.series = d.series[:n+1]
	}
	d.series[i] = s
	c.growTo(def.ID + 1)
	c.byID[def.ID] = s
	c.live++
	return s, nil
}

// newSeries returns memory for a series. Where there are many already, those that are
// made one after another share a piece.
func (c *Catalog) newSeries() *Series {
	if len(c.room) == 0 {
		c.room = make([]Series, max(1, min(c.live/4, 16)))
	}
	s := &c.room[0]
	c.room = c.room[1:]
	return s
}

// MaxID bounds series ids: what a store can number in its lifetime, and what
// a damaged file can make the id table grow to.
const MaxID = 1 << 28

// Drop removes a series; its id is not used again. It reports whether the
// series was there.
func (c *Catalog) Drop(id uint32) (*Series, bool) {
	c.mu.Lock()
	defer c.unlock()
	if uint64(id) >= uint64(len(c.byID)) || c.byID[id] == nil {
		return nil, false
	}
	s := c.byID[id]
	s.gone.Store(true)
	c.byID[id] = nil
	c.live--
	d := s.Dev
	if d.gone++; d.gone > len(d.series)/2 { // else each of many would copy the list
		d.tidy()
	}
	if len(d.series) == 0 {
		delete(c.byPath, d.Path)
		c.devices.Delete(d.Path)
	}
	return s, true
}

// Device returns the device of that path.
func (c *Catalog) Device(path string) (*Device, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	d, ok := c.byPath[path]
	return d, ok
}

// SeriesOf returns the series of d sorted by name. The slice is shared and must
// not be changed.
func (c *Catalog) SeriesOf(d *Device) []*Series {
	c.mu.RLock()
	list, gone := d.series, d.gone
	c.mu.RUnlock()
	if gone > 0 {
		c.mu.Lock()
		d.tidy()
		list = d.series
		c.mu.Unlock()
	}
	return list
}

// CountOf returns how many series d has.
func (c *Catalog) CountOf(d *Device) int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(d.series) - d.gone
}

// Match returns the series whose path p matches, sorted by path.
func (c *Catalog) Match(p *pattern.Pattern) []*Series {
	out := c.match(p)
	slices.SortFunc(out, Compare)
	return out
}

// MatchCreated is Match in the order in which the series were made.
func (c *Catalog) MatchCreated(p *pattern.Pattern) []*Series {
	out := c.match(p)
	slices.SortFunc(out, func(a, b *Series) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

func (c *Catalog) match(p *pattern.Pattern) []*Series {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var out []*Series
	visit := func(d *Device) {
		for _, s := range d.series {
			if !s.Gone() && p.MatchParts(s.Device, s.Name) {
				out = append(out, s)
			}
		}
	}
	prefix := p.Prefix()
	if p.Literal() {
		device, name := pattern.Split(prefix)
		if d := c.byPath[device]; d != nil {
			if i, ok := d.find(name); ok {
				out = append(out, d.series[i])
			}
		}
		return out
	}
	if prefix == "" {
		c.devices.Scan(func(_ string, d *Device) bool { visit(d); return true })
		return out
	}
	// The prefix is the device, an ancestor of it, or names the series itself.
	if device, _ := pattern.Split(prefix); device != "" {
		if d := c.byPath[device]; d != nil {
			visit(d)
		}
	}
	if d := c.byPath[prefix]; d != nil {
		visit(d)
	}
	under := prefix + "."
	c.devices.Ascend(under, func(path string, d *Device) bool {
		if !strings.HasPrefix(path, under) {
			return false
		}
		visit(d)
		return true
	})
	return out
}

// Devices returns the device paths below prefix, sorted; "" means all.
func (c *Catalog) Devices(prefix string) []string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var out []string
	c.devices.Scan(func(path string, _ *Device) bool {
		if prefix == "" || path == prefix || strings.HasPrefix(path, prefix) && path[len(prefix)] == '.' {
			out = append(out, path)
		}
		return true
	})
	return out
}

// Definitions returns what is stored of every series, in creation order. It
// copies under the lock, which is a pointer a series.
func (c *Catalog) Definitions() []*Series {
	c.mu.RLock()
	defer c.mu.RUnlock()
	out := make([]*Series, 0, c.live)
	for _, s := range c.byID {
		if s != nil {
			out = append(out, s)
		}
	}
	return out
}
