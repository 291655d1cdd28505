package crashfs

import (
	"maps"
	"slices"
)

// disk is what a disk holds for sure, and what it may hold besides.
type disk struct {
	dirs    map[int]map[string]int // durable names of every directory
	isDir   map[int]bool
	files   map[int]*file
	pending []renaming // changes of names since, in order
}

// renaming is one operation on names: its changes become durable together,
// unless they are in two directories of which one was synced.
type renaming struct {
	op      int
	changes []change
}

// file is a file's durable bytes and what was done to it since, in order.
type file struct {
	base  []byte
	owned bool // base is not shared with another disk
	edits []edit
}

// edit is a write, or a truncation if data is nil.
type edit struct {
	op      int
	off     int64 // of a truncation: the new size
	data    []byte
	durable bool // stays in the list only because an edit before it is in doubt
	doubt   bool // a Sync failed on it: no later Sync makes it durable
}

func newDisk() *disk {
	return &disk{
		dirs:  map[int]map[string]int{rootInode: {}},
		isDir: map[int]bool{rootInode: true},
		files: map[int]*file{},
	}
}

// clone copies a disk on which nothing is pending.
func (d *disk) clone() *disk {
	c := newDisk()
	maps.Copy(c.isDir, d.isDir)
	for id, names := range d.dirs {
		c.dirs[id] = maps.Clone(names)
	}
	for id, f := range d.files {
		c.files[id] = &file{base: f.base}
	}
	return c
}

// link makes a change of names durable.
func (d *disk) link(c change) {
	if c.inode == 0 {
		delete(d.dirs[c.dir], c.name)
		return
	}
	d.known(c)
	d.dirs[c.dir][c.name] = c.inode
}

// known prepares the inode of a change.
func (d *disk) known(c change) {
	switch {
	case c.inode == 0:
	case c.isDir && d.dirs[c.inode] == nil:
		d.dirs[c.inode] = map[string]int{}
		d.isDir[c.inode] = true
	case !c.isDir && d.files[c.inode] == nil:
		d.files[c.inode] = &file{}
	}
}

// apply takes in record number op.
func (d *disk) apply(op int, r *record) {
	switch r.op.Kind {
	case Create, Mkdir, Lock, Rename, Remove:
		if len(r.changes) == 0 { // Create of a file that exists empties it
			f := d.files[r.inode]
			f.edits = append(f.edits, edit{op: op})
			return
		}
		for _, c := range r.changes {
			d.known(c)
		}
		d.pending = append(d.pending, renaming{op, slices.Clone(r.changes)})
	case Write:
		f := d.files[r.inode]
		f.edits = append(f.edits, edit{op: op, off: r.op.Off, data: r.data})
	case Truncate:
		f := d.files[r.inode]
		f.edits = append(f.edits, edit{op: op, off: r.op.Len})
	case Sync:
		d.files[r.inode].sync(r.failed)
	case SyncDir:
		d.syncDir(func(dir int) bool { return dir == r.inode })
	case Settle:
		d.syncDir(func(int) bool { return true })
		for _, f := range d.files {
			f.settle()
		}
	}
}

// syncDir makes the pending changes of some directories durable.
func (d *disk) syncDir(in func(dir int) bool) {
	left := d.pending[:0]
	for _, p := range d.pending {
		p.changes = slices.DeleteFunc(p.changes, func(c change) bool {
			if !in(c.dir) {
				return false
			}
			d.link(c)
			return true
		})
		if len(p.changes) > 0 {
			left = append(left, p)
		}
	}
	d.pending = left
}

func (f *file) sync(failed bool) {
	for i := range f.edits {
		e := &f.edits[i]
		if failed && !e.durable {
			e.doubt = true
		} else if !e.doubt {
			e.durable = true
		}
	}
	f.fold()
}

func (f *file) settle() {
	for i := range f.edits {
		f.edits[i].durable = true
	}
	f.fold()
}

// fold works the leading durable edits into base.
func (f *file) fold() {
	n := 0
	for n < len(f.edits) && f.edits[n].durable {
		if !f.owned {
			f.base, f.owned = slices.Clone(f.base), true
		}
		f.base = f.edits[n].apply(f.base)
		n++
	}
	f.edits = slices.Delete(f.edits, 0, n)
}

// apply returns data after the edit, reusing its array.
func (e *edit) apply(data []byte) []byte {
	if e.data == nil {
		return resize(data, int(e.off))
	}
	return put(data, e.off, e.data)
}

func put(data []byte, off int64, p []byte) []byte {
	if len(p) == 0 {
		return data
	}
	if end := int(off) + len(p); end > len(data) {
		data = resize(data, end)
	}
	copy(data[off:], p)
	return data
}

func resize(data []byte, size int) []byte {
	if size <= len(data) {
		return data[:size]
	}
	old := len(data)
	data = slices.Grow(data, size-old)[:size]
	clear(data[old:])
	return data
}
