// Package memtable keeps the newest rows in memory: per device, columns that
// share their times, sealed into encoded chunks as they fill, and runs of late
// rows beside them. It knows series by number only.
package memtable

import (
	"cmp"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/merge"
)

// Cut places a write among the snapshots. Every snapshot has an epoch; a write
// made after it has a greater one.
type Cut struct {
	Epoch  uint64
	Oldest uint64 // epoch of the oldest snapshot in use, or NoSnapshot
}

// NoSnapshot is the Oldest of a Cut when no snapshot is in use.
const NoSnapshot = math.MaxUint64

// Newest is the epoch that sees everything.
const Newest = math.MaxUint64

// Layout is the series of a tablet of one device in the order of its columns.
// Tables know layouts by their address: use one Layout for one order, and write
// with it to one table at a time.
type Layout struct {
	at int // where its device had its target last; the device's lock guards it

	IDs   []uint32
	Kinds []column.Kind
}

// Write is one tablet on its way into a table.
type Write struct {
	Layout *Layout
	Rows   Rows // times strictly increasing
	LSN    uint64
	Cut    Cut
}

// Table is one memtable. Safe for concurrent use; what Device methods say about
// locks holds.
type Table struct {
	blockRows int
	stageRows int  // of a chunk that is not encoded: blockRows or less
	whole     bool // see NewWhole
	bytes     atomic.Int64
	room      slabs
	sealing   atomic.Int32 // chunks that are encoded in turns
	mu        sync.RWMutex
	devices   map[uint32]*Device
	accepted  int64 // of devices that were removed
}

// New returns an empty table whose chunks are sealed at blockRows rows.
func New(blockRows int) *Table {
	return &Table{blockRows: blockRows, stageRows: blockRows, devices: map[uint32]*Device{}}
}

// NewWhole is New for a table that is only ever freed as a whole, as one that is
// flushed: memory that its chunks share does not keep any longer than they would.
func NewWhole(blockRows int) *Table {
	t := New(blockRows)
	t.whole = true
	return t
}

// Bytes returns the memory in use, as an estimate.
func (t *Table) Bytes() int64 { return t.bytes.Load() }

// Device returns the part of the table that belongs to a device; with create it
// is made if it is missing, else nil is returned.
func (t *Table) Device(id uint32, create bool) *Device {
	t.mu.RLock()
	d := t.devices[id]
	t.mu.RUnlock()
	if d != nil || !create {
		return d
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if d = t.devices[id]; d == nil {
		d = one(t, &t.room.devices)
		d.ID, d.table = id, t
		t.devices[id] = d
		t.bytes.Add(deviceBytes)
	}
	return d
}

// Accepted returns the sum of what Device.Count was given: cells are counted where
// a lock is held anyway.
func (t *Table) Accepted() int64 {
	list, n := t.list()
	for _, d := range list {
		d.mu.Lock()
		n += d.accepted
		d.mu.Unlock()
	}
	return n
}

// list returns the devices in no order, and what those that were removed have
// accepted. Who locks a device must not hold the table's lock, which writers that
// have locked theirs ask for.
func (t *Table) list() (out []*Device, accepted int64) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	out = make([]*Device, 0, len(t.devices))
	for _, d := range t.devices {
		out = append(out, d)
	}
	return out, t.accepted
}

// Devices returns the devices sorted by id.
func (t *Table) Devices() []*Device {
	out, _ := t.list()
	slices.SortFunc(out, func(a, b *Device) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// Pass returns when everybody has let go of the lock of their device who held it
// when it was called. No device may be made or removed meanwhile.
func (t *Table) Pass() {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, d := range t.devices {
		d.mu.Lock()
		d.mu.Unlock() //nolint:staticcheck // it is the wait that counts
	}
}

// Remove forgets a device with all its rows.
func (t *Table) Remove(id uint32) {
	t.mu.Lock()
	d := t.devices[id]
	if d != nil {
		delete(t.devices, id)
		t.accepted += d.accepted
	}
	t.mu.Unlock()
	if d != nil {
		d.leave()
	}
}

// leave drops all rows of a device that was removed.
func (d *Device) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.table.bytes.Add(-d.size())
	for _, g := range d.groups {
		if g.fresh != nil && g.fresh.sealing != nil {
			d.table.sealing.Add(-1)
		}
		g.leave()
	}
	clear(d.groups) // the memory may stay
	clear(d.targets)
	clear(d.series)
	d.groups, d.firstGroup, d.targets, d.firstTarget, d.series, d.masks = nil, [1]*group{}, nil, [1]target{}, nil, nil
}

// Estimates of what a device, a series and a group cost before their rows.
const (
	deviceBytes = 220
	seriesBytes = 64
	groupBytes  = 320
)

// Device is the rows of one device. Its lock is taken by writers, which lock
// several devices in the order of their ids, and by readers one at a time.
type Device struct {
	ID    uint32
	table *Table

	mu       sync.Mutex
	accepted int64 // see Count

	groups  []*group // in the order they were made
	series  []member // sorted by id
	targets []target
	masks   []mask
	flips   int

	// Memory of what most devices have one of.
	firstGroup  [1]*group
	firstTarget [1]target
}

type member struct {
	id     uint32
	open   *group // the group that takes its rows
	last   int64  // as group.last, of the groups it has left
	groups []*group
}

type mask struct {
	id uint32
	merge.Mask
}

// target says where the rows of a layout go.
type target struct {
	layout *Layout
	tip    *Tip   // where the next point goes, if it is known; see Device.tip
	fresh  *fresh // where the next row goes, likewise; see Device.next
	parts  []part
	narrow bool // one part with more than twice the layout's series
}

type part struct {
	g    *group
	from []int // the layout's column for each of the group's, nil = the same
	only int   // with from, of a layout of one series: its column in the group
}

func (d *Device) member(id uint32) *member {
	if len(d.series) == 0 {
		return nil
	}
	if i := uint(id - d.series[0].id); i < uint(len(d.series)) && d.series[i].id == id {
		return &d.series[i]
	}
	i, ok := slices.BinarySearchFunc(d.series, id, func(m member, id uint32) int { return cmp.Compare(m.id, id) })
	if !ok {
		return nil
	}
	return &d.series[i]
}

func (d *Device) addMember(id uint32) *member {
	i, ok := slices.BinarySearchFunc(d.series, id, func(m member, id uint32) int { return cmp.Compare(m.id, id) })
	if !ok {
		d.series = slices.Insert(withRoom(d.table, &d.table.room.members, d.series), i, member{id: id, last: math.MinInt64})
		d.table.bytes.Add(seriesBytes)
	}
	return &d.series[i]
}

// withRoom returns list with room for one more at least. A device whose series are
// written one by one has a few of everything: one, four, sixteen.
func withRoom[T any](t *Table, s *slab[T], list []T) []T {
	n := len(list)
	if n == 0 || n < cap(list) {
		return list
	}
	more := min(3*n, max(n, 12))
	if !t.whole {
		return slices.Grow(list, more)
	}
	all := s.take(n+more, wholeCuts)[:n]
	copy(all, list)
	clear(list) // its memory stays, and shall keep nothing
	return all
}

// Lock locks the device for writing or reading headers.
func (d *Device) Lock() { d.mu.Lock() }

// Unlock ends Lock.
func (d *Device) Unlock() { d.mu.Unlock() }

// Table returns the table the device is part of.
func (d *Device) Table() *Table { return d.table }

// Add writes rows and returns how many were late: at or before a time that
// their group has seen. The caller holds the lock.
func (d *Device) Add(w *Write) (late int) {
	if len(w.Rows.Times) == 0 {
		return 0
	}
	if len(w.Rows.Times) == 1 {
		if d.addOne(w) {
			return 0
		}
		if d.amendNth(w, 0) {
			return 1
		}
	}
	tg := d.target(w)
	if tg.narrow {
		tg.parts[0].g.narrow += len(w.Rows.Times) * len(w.Layout.IDs)
	}
	for i := range tg.parts {
		late = max(late, tg.parts[i].g.add(w, d.table, tg.parts[i].from))
	}
	return late
}

// Mask hides the rows of a series written so far with from <= time < to. The
// caller holds the lock.
func (d *Device) Mask(id uint32, from, to int64, lsn uint64, cut Cut) {
	d.masks = append(d.masks, mask{id, merge.Mask{LSN: lsn, From: from, To: to}})
	d.table.bytes.Add(32)
	if m := d.member(id); m != nil {
		w := Write{LSN: lsn, Cut: cut}
		for _, g := range m.groups {
			g.barrier(&w, d.table)
		}
	}
}

// Masks appends the masks of a series made up to the LSN.
func (d *Device) Masks(dst []merge.Mask, id uint32, upTo uint64) []merge.Mask {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.masks {
		if d.masks[i].id == id && d.masks[i].LSN <= upTo {
			dst = append(dst, d.masks[i].Mask)
		}
	}
	return dst
}

// Without reports whether the device has neither rows nor masks of a series, whoever
// looks.
func (d *Device) Without(id uint32) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.masks {
		if d.masks[i].id == id {
			return false
		}
	}
	return d.member(id) == nil
}

// AllMasks calls f for every mask.
func (d *Device) AllMasks(f func(id uint32, m merge.Mask)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.masks {
		f(d.masks[i].id, d.masks[i].Mask)
	}
}

// Sources appends what a snapshot of the epoch sees of some series, from the
// oldest run to the newest; only the device's headers are copied under its lock.
func (d *Device) Sources(dst []merge.Source, ids []uint32, epoch uint64, from, to int64) []merge.Source {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(ids) == 1 {
		if m := d.member(ids[0]); m != nil {
			for _, g := range m.groups {
				dst = g.sources(dst, d.table, []int{g.col(ids[0])}, epoch, from, to)
			}
		}
		return dst
	}
	for _, g := range d.groups {
		var cols []int
		for i, id := range ids {
			k := g.col(id)
			if k < 0 {
				continue
			}
			if cols == nil {
				cols = make([]int, len(ids))
				for j := range cols {
					cols[j] = -1
				}
			}
			cols[i] = k
		}
		if cols != nil {
			dst = g.sources(dst, d.table, cols, epoch, from, to)
		}
	}
	return dst
}

// Components returns the series of the device, those that ever shared a group
// together, each list sorted by id.
func (d *Device) Components() []Layout {
	d.mu.Lock()
	defer d.mu.Unlock()
	root := map[uint32]uint32{}
	var find func(uint32) uint32
	find = func(id uint32) uint32 {
		if root[id] != id {
			root[id] = find(root[id])
		}
		return root[id]
	}
	kinds := map[uint32]column.Kind{}
	for _, g := range d.groups {
		for i, id := range g.ids {
			if _, ok := root[id]; !ok {
				root[id] = id
			}
			kinds[id] = g.kinds[i]
			if a, b := find(id), find(g.ids[0]); a != b {
				root[a] = b
			}
		}
	}
	at := map[uint32]int{}
	var out []Layout
	for i := range d.series {
		id := d.series[i].id
		if _, ok := root[id]; !ok {
			continue
		}
		r := find(id)
		k, ok := at[r]
		if !ok {
			k = len(out)
			at[r] = k
			out = append(out, Layout{})
		}
		out[k].IDs = append(out[k].IDs, id)
		out[k].Kinds = append(out[k].Kinds, kinds[id])
	}
	return out
}

func (d *Device) size() int64 {
	n := deviceBytes + d.ownBytes()
	for _, g := range d.groups {
		n += g.bytes()
	}
	return n
}

// ownBytes is what d takes without its groups.
func (d *Device) ownBytes() int64 { return int64(len(d.series)*seriesBytes + len(d.masks)*32) }

func (g *group) bytes() int64 {
	n := groupBytes + g.side.bytes() + int64(cap(g.spare.times)*rowWidth(g.kinds))
	if g.fresh != nil {
		n += g.fresh.bytes()
	}
	if g.tip != nil {
		n += tipBytes
	}
	for _, l := range g.lanes {
		n += l.bytes(g.kinds)
	}
	return n
}
