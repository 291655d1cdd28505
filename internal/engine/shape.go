package engine

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/tickwell/tickwell/internal/catalog"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/memtable"
	"github.com/tickwell/tickwell/internal/pattern"
)

// Series is one measurement of one device; see catalog.Series. Pointer identity
// is stable while the series exists; a series made again after a drop is a new
// one with a new ID.
type Series = catalog.Series

// Shape is a device with some of its measurements in a given order, resolved
// once, so that a commit looks nothing up. Shapes are shared: asking twice for
// the same gives the same pointer. Safe for concurrent use.
type Shape struct {
	mem    atomic.Pointer[memtable.Device] // where its rows went last
	tip    atomic.Pointer[memtable.Tip]    // where there its points do, if it is known
	loose  atomic.Pointer[catalog.Catalog] // set when it is not among the kept ones any more: mem stays nil, and nobody tells it of drops
	stale  atomic.Bool
	dev    uint32
	layout memtable.Layout // what a row needs is before and at the beginning of it
	series []*Series
	own    [1]*Shape // memory for the list of the shapes of the device
}

// Device returns the device path.
func (s *Shape) Device() string { return s.series[0].Device }

// Series returns the series in the order of the shape's columns. It must not be
// changed.
func (s *Shape) Series() []*Series { return s.series }

// Stale reports whether a series of s was dropped: get a new shape.
func (s *Shape) Stale() bool { return s.stale.Load() || s.loose.Load() != nil && s.lost() }

// lost is Stale for a shape that nobody tells of drops.
func (s *Shape) lost() bool {
	cat := s.loose.Load()
	for _, ser := range s.series {
		if now, ok := cat.ByID(ser.ID); !ok || now != ser {
			s.stale.Store(true)
			return true
		}
	}
	return false
}

// into returns the device's place in the table. The commit gate is held.
func (s *Shape) into(t *memtable.Table) *memtable.Device {
	d := s.mem.Load()
	if d == nil || d.Table() != t {
		d = t.Device(s.dev, true)
		s.mem.Store(d)
		s.tip.Store(nil)
		if s.loose.Load() != nil {
			s.mem.Store(nil)
		}
	}
	return d
}

// remember keeps where the points of s are written in the device, whose lock is held.
func (s *Shape) remember(d *memtable.Device) {
	if p := d.TipOf(&s.layout); p != s.tip.Load() {
		s.tip.Store(p)
		if s.loose.Load() != nil {
			s.tip.Store(nil)
		}
	}
}

// leave makes s remember no device, which would keep a whole memtable, and ask cat
// whether its series are there.
func (s *Shape) leave(cat *catalog.Catalog) {
	s.loose.Store(cat)
	s.mem.Store(nil)
	s.tip.Store(nil)
}

// matches reports whether s has these names and kinds.
func (s *Shape) matches(names []string, kinds []column.Kind) bool {
	if len(names) != len(s.series) || !slices.Equal(s.layout.Kinds, kinds) {
		return false
	}
	for i, ser := range s.series {
		if ser.Name != names[i] {
			return false
		}
	}
	return true
}

// singleShape is the shape of one series. Many are made: four are one piece of memory,
// of 512 bytes, in which each begins a line of the cache.
type singleShape struct {
	Shape
	id     [1]uint32
	series [1]*Series
}

// moreShapes is the piece where there are manySingles already. It is 2 KiB with the word
// that Go's memory has before what holds pointers and is larger than 512 bytes, so that
// in it too each begins a line.
type moreShapes struct {
	_  [64 - 8]byte
	of [15]singleShape
}

const manySingles = 64

// make makes the shape of series of these kinds, of which it keeps the kinds.
//
//go:noinline
func (c *shapes) make(series []*Series, kinds []column.Kind) *Shape {
	var s *Shape
	if len(series) == 1 {
		p := c.single()
		s, p.layout.IDs, p.Shape.series = &p.Shape, p.id[:0], p.series[:0]
	} else {
		s = &Shape{layout: memtable.Layout{IDs: make([]uint32, 0, len(series))}, series: make([]*Series, 0, len(series))}
	}
	s.series, s.dev, s.layout.Kinds = append(s.series, series...), series[0].Dev.ID, kinds
	for _, ser := range series {
		s.layout.IDs = append(s.layout.IDs, ser.ID)
	}
	return s
}

// single returns memory for a shape of one series; the first gets what it needs.
func (c *shapes) single() *singleShape {
	c.mu.Lock()
	from := c.room
	if c.singles++; len(from) == 0 {
		switch {
		case from == nil:
			from = make([]singleShape, 1)
		case c.singles < manySingles:
			from = make([]singleShape, 4)
		default:
			from = new(moreShapes).of[:]
		}
	}
	c.room = from[1:]
	c.mu.Unlock()
	return &from[0]
}

// shapes keeps the shapes in use by device path.
type shapes struct {
	cat     *catalog.Catalog
	seed    maphash.Seed
	kinds   []column.Kind // of the shape that was made last; who makes series guards it
	mu      sync.Mutex
	room    []singleShape // memory of the next ones; mu guards it
	singles int           // made; likewise
	shards  [32]struct {
		mu sync.RWMutex
		m  map[string][]*Shape
	}
}

func newShapes(cat *catalog.Catalog) *shapes { return &shapes{cat: cat, seed: maphash.MakeSeed()} }

func (c *shapes) find(device string, names []string, kinds []column.Kind) *Shape {
	sh := &c.shards[maphash.String(c.seed, device)%32]
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	for _, s := range sh.m[device] {
		if s.matches(names, kinds) {
			return s
		}
	}
	return nil
}

// maxShapes bounds the shapes kept of one device; further ones are made anew
// for each caller.
const maxShapes = 64

// sameKinds returns a copy of kinds, which shapes that are made one after another
// share: the devices of a fleet have the same.
func (c *shapes) sameKinds(kinds []column.Kind) []column.Kind {
	if len(kinds) == 1 {
		k := kinds[0]
		return eachKind[k:][:1:1]
	}
	if !slices.Equal(c.kinds, kinds) {
		c.kinds = slices.Clone(kinds)
	}
	return c.kinds
}

// eachKind has the lists of one kind.
var eachKind = [...]column.Kind{column.Null, column.Bool, column.Int32, column.Int64, column.Float32, column.Float64, column.Text}

// keep adds s, or returns the equal shape that is there already.
func (c *shapes) keep(s *Shape) *Shape {
	sh := &c.shards[maphash.String(c.seed, s.Device())%32]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	list := sh.m[s.Device()]
	for _, old := range list {
		if slices.Equal(old.series, s.series) {
			return old
		}
	}
	if sh.m == nil {
		sh.m = map[string][]*Shape{}
	}
	if len(list) >= maxShapes {
		list[0].leave(c.cat)
		list = slices.Delete(list, 0, 1)
	}
	switch n := len(list); {
	case n == 0:
		list = s.own[:0]
	case n == cap(list):
		list = slices.Grow(list, max(n, 11)) // one, or some
	}
	sh.m[s.Device()] = append(list, s)
	return s
}

// release makes the shapes forget a memtable that takes no more writes: else it
// would stay in memory until each of them is written with again.
func (c *shapes) release(t *memtable.Table) {
	for i := range c.shards {
		sh := &c.shards[i]
		sh.mu.RLock()
		for _, list := range sh.m {
			for _, s := range list {
				if d := s.mem.Load(); d != nil && d.Table() == t {
					s.mem.CompareAndSwap(d, nil)
				}
				if p := s.tip.Load(); p.In(t) {
					s.tip.CompareAndSwap(p, nil)
				}
			}
		}
		sh.mu.RUnlock()
	}
}

// drop marks the shapes that have the series as stale and forgets them.
func (c *shapes) drop(ser *Series) {
	sh := &c.shards[maphash.String(c.seed, ser.Device)%32]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	list := slices.DeleteFunc(sh.m[ser.Device], func(s *Shape) bool {
		if !slices.Contains(s.series, ser) {
			return false
		}
		s.stale.Store(true)
		s.leave(c.cat)
		return true
	})
	if len(list) == 0 {
		delete(sh.m, ser.Device)
		return
	}
	sh.m[ser.Device] = list
}

// Check reports whether Shape would accept these measurements, without making
// anything: errs.KindMismatch names the series, its kind and the given one;
// errs.Limit says that MaxSeries would be exceeded; errs.BadInput is a wrong
// path, kind, or a name given twice.
func (e *Engine) Check(device string, names []string, kinds []column.Kind) error {
	if e.shapes.find(device, names, kinds) != nil {
		return nil
	}
	var some [16]*Series
	_, _, err := e.resolve(some[:0], device, names, kinds)
	return err
}

// resolve looks the measurements up, into the memory of found; missing ones are nil
// in the result.
func (e *Engine) resolve(found []*Series, device string, names []string, kinds []column.Kind) (_ []*Series, missing int, err error) {
	if len(names) == 0 || len(names) != len(kinds) {
		return nil, 0, fmt.Errorf("device %s: %d measurements with %d kinds: %w", device, len(names), len(kinds), errs.BadInput)
	}
	found = slices.Grow(found, len(names))[:len(names)]
	clear(found) // of a call that failed
	for i, name := range names {
		if !kinds[i].Valid() {
			return nil, 0, fmt.Errorf("series %s.%s: kind %d: %w", device, name, kinds[i], errs.BadInput)
		}
		if dup := slices.Index(names[:i], name); dup >= 0 {
			return nil, 0, fmt.Errorf("device %s: measurement %s twice: %w", device, name, errs.BadInput)
		}
		ser, ok := e.cat.Lookup(device, name)
		switch {
		case !ok:
			if err := pattern.CheckSeries(device, name); err != nil {
				return nil, 0, fmt.Errorf("series %s.%s: %w: %w", device, name, errs.BadInput, err)
			}
			missing++
		case ser.Kind != kinds[i]:
			return nil, 0, fmt.Errorf("series %s.%s is %s, not %s: %w", device, name, ser.Kind, kinds[i], errs.KindMismatch)
		default:
			found[i] = ser
		}
	}
	if missing > 0 && device == LostDevice { // no bound holds for its series
		return nil, 0, fmt.Errorf("make series of %s: it is kept for those whose names are lost: %w", device, errs.BadInput)
	}
	return found, missing, e.roomFor(device, missing)
}

// roomFor is errs.Limit where MaxSeries has no room for so many new series.
func (e *Engine) roomFor(device string, missing int) error {
	if missing == 0 || e.cfg.MaxSeries <= 0 {
		return nil
	}
	if n := e.counted(); n+missing > e.cfg.MaxSeries {
		return fmt.Errorf("device %s: %d new series, %d of %d exist: %w", device, missing, n, e.cfg.MaxSeries, errs.Limit)
	}
	return nil
}

// counted is how many series count for MaxSeries: not those whose names are lost, for
// they will be made again.
func (e *Engine) counted() int {
	n := e.cat.Len()
	if d, ok := e.cat.Device(LostDevice); ok {
		n -= e.cat.CountOf(d)
	}
	return n
}

// Shape resolves the measurements of a device and makes the series that are
// missing, which is logged before their first use. It fails like Check, and with
// errs.Closed, errs.NoSpace or errs.StorageFailed. Names are path nodes as
// stored: quoted where the path quotes them.
func (e *Engine) Shape(device string, names []string, kinds []column.Kind) (*Shape, error) {
	if s := e.shapes.find(device, names, kinds); s != nil {
		return s, nil
	}
	s, err := e.makeShape(device, names, kinds)
	if err != nil && e.makeRoom(context.Background(), err) {
		s, err = e.makeShape(device, names, kinds)
	}
	return s, err
}

// Define is Shape for one series that is wanted without a row, and returns when it is
// acknowledged, as Commit does; else it would be written with the next row, whenever
// that comes.
func (e *Engine) Define(ctx context.Context, device, name string, kind column.Kind) error {
	if _, err := e.Shape(device, []string{name}, []column.Kind{kind}); err != nil || e.cfg.ReadOnly {
		return err
	}
	return e.Acknowledge(ctx, e.lastLSN(), false)
}

func (e *Engine) makeShape(device string, names []string, kinds []column.Kind) (*Shape, error) {
	e.making.Lock()
	defer e.making.Unlock()
	series, missing, err := e.resolve(e.looked[:0], device, names, kinds)
	if err != nil {
		return nil, err
	}
	if missing > 0 {
		if err := e.makeSeries(device, names, kinds, series); err != nil {
			return nil, err
		}
	}
	s := e.shapes.keep(e.shapes.make(series, e.shapes.sameKinds(kinds)))
	clear(series)
	if e.looked = series[:0]; len(series) > maxLooked {
		e.looked = nil
	}
	return s, nil
}

// maxLooked bounds the memory that is kept for looking series up.
const maxLooked = 1 << 10

// maxDefine bounds the memory that is kept for records of new series.
const maxDefine = 16 << 10

// definitions returns an empty list with room for n. Those that are kept until the
// next flush, see defined, share memory. The gate is held.
func (e *Engine) definitions(n int) []catalog.Definition {
	if e.log == nil {
		e.defs = e.defs[:0] // nobody keeps them
	}
	from := len(e.defs)
	if cap(e.defs)-from < n {
		e.defs, from = make([]catalog.Definition, 0, max(n, min(len(e.recent)/4, 64))), 0
	}
	e.defs = e.defs[:from+n]
	return e.defs[from : from : from+n]
}

// makeSeries logs and makes the series that are nil in series.
func (e *Engine) makeSeries(device string, names []string, kinds []column.Kind, series []*Series) error {
	e.gate.RLock()
	defer e.gate.RUnlock()
	if e.closed {
		return errs.Closed
	}
	defs := e.definitions(len(series))
	next := e.cat.NextID()
	for i, ser := range series {
		if ser == nil {
			defs = append(defs, catalog.Definition{ID: next, Kind: kinds[i], Device: device, Name: names[i]})
			next++
		}
	}
	if next > catalog.MaxID {
		return fmt.Errorf("device %s: series number %d: %w", device, next, errs.Limit)
	}
	size := 16 // at least; one piece of memory has the body and the section around it
	for i := range defs {
		size += 16 + len(device) + len(defs[i].Name)
	}
	room := slices.Grow(e.define[:0], 2*size)[:2*size]
	if e.define = nil; len(room) <= maxDefine {
		e.define = room
	}
	body := appendDefinitions(room[:0:size], defs)
	lsn, err := e.append(appendSection(room[size:size], sectionSeries, body))
	if err != nil {
		return fmt.Errorf("make series of %s: %w", device, err)
	}
	if len(series) == 1 {
		if series[0], err = e.cat.Add(defs[0]); err != nil {
			return err
		}
		e.defined(lsn, defs)
		return nil
	}
	added, err := e.cat.AddAll(defs)
	if err != nil {
		return err
	}
	for i := range series {
		if series[i] == nil {
			series[i], added = added[0], added[1:]
		}
	}
	e.defined(lsn, defs)
	return nil
}
