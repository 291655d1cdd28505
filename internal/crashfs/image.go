package crashfs

import (
	"fmt"
	"iter"
	"maps"
	"path"
	"slices"
	"sync"

	"github.com/tickwell/tickwell/vfs"
)

// Mode says what of the unsynced changes an image holds.
type Mode uint8

// The modes. All of them hold everything that was synced.
const (
	None     Mode = iota // nothing unsynced
	All                  // everything; also what a killed process leaves behind
	Random               // any part of the writes, by operation or by 512-byte sector, and of the changes of names
	SizeOnly             // all names and sizes, but zeros in place of unsynced bytes
	Torn                 // everything, but the last unsynced write only up to some byte
	DirLost              // all bytes but no names: unsynced files are gone, removed ones are back
	DataLost             // all names but no bytes: new files are empty
)

// Modes lists all modes.
var Modes = [...]Mode{None, All, Random, SizeOnly, Torn, DirLost, DataLost}

var modeNames = [...]string{"none", "all", "random", "size-only", "torn", "dir-lost", "data-lost"}

// String returns the mode's name, such as "dir-lost".
func (m Mode) String() string {
	if int(m) < len(modeNames) {
		return modeNames[m]
	}
	return "invalid"
}

// replay is a disk as of one operation, kept because images are mostly made in
// the order of operations.
type replay struct {
	mu   sync.Mutex
	at   int
	disk *disk
}

// Image returns what the disk could hold if the power failed right after
// operation number op, from 0 to [FS.Ops]. The same arguments give the same
// image. The seed matters to Random; to Torn it is the number of bytes of the
// torn write that survive, modulo its length. An image is the caller's own.
func (c *FS) Image(op int, mode Mode, seed uint64) *vfs.Mem {
	m := vfs.NewMem()
	c.at(op, func(d *disk) { d.image(m, newChoice(d, mode, seed)) })
	return m
}

// TornLen returns the length of the write that the Torn image of op cuts, 0 if
// every write was synced; a Torn image is then the All image.
func (c *FS) TornLen(op int) (n int) {
	c.at(op, func(d *disk) {
		if e := d.lastWrite(); e != nil {
			n = len(e.data)
		}
	})
	return n
}

// at calls f with the disk as of operation number op.
func (c *FS) at(op int, f func(d *disk)) {
	c.mu.Lock()
	if op < 0 || op > len(c.log) {
		c.mu.Unlock()
		panic(fmt.Sprintf("crashfs: image of operation %d of %d", op, len(c.log)))
	}
	log := c.log[:op]
	c.mu.Unlock()

	r := &c.replay
	r.mu.Lock()
	defer r.mu.Unlock()
	if op < r.at {
		r.at, r.disk = 0, c.start.clone()
	}
	for ; r.at < op; r.at++ {
		r.disk.apply(r.at+1, &log[r.at])
	}
	f(r.disk)
}

// Cut is one place and manner of losing power.
type Cut struct {
	Op   int
	Mode Mode
	Seed uint64
}

// String returns the arguments that make the image again.
func (c Cut) String() string { return fmt.Sprintf("image(op %d, %s, seed %d)", c.Op, c.Mode, c.Seed) }

// Sweep yields the images of operations from to Ops in every mode, Random and
// Torn with so many seeds. A Torn write is cut at spread places, at every byte
// if it is not longer than seeds.
func (c *FS) Sweep(from, seeds int) iter.Seq2[Cut, *vfs.Mem] {
	return func(yield func(Cut, *vfs.Mem) bool) {
		for op := from; op <= c.Ops(); op++ {
			for _, mode := range Modes {
				for _, seed := range c.seeds(op, mode, seeds) {
					if !yield(Cut{op, mode, seed}, c.Image(op, mode, seed)) {
						return
					}
				}
			}
		}
	}
}

func (c *FS) seeds(op int, mode Mode, n int) []uint64 {
	var list []uint64
	switch mode {
	case Random:
		for i := range n {
			list = append(list, uint64(op)<<20+uint64(i))
		}
	case Torn:
		length := c.TornLen(op)
		n = min(n, length)
		for i := range n {
			list = append(list, uint64(i*length/n))
		}
	default:
		list = []uint64{0}
	}
	return list
}

// image writes the disk, as chosen, to m.
func (d *disk) image(m *vfs.Mem, ch *choice) {
	names := maps.Clone(d.dirs)
	copied := map[int]bool{}
	for i, p := range d.pending {
		if !ch.keepNames(i) {
			continue
		}
		for _, c := range p.changes {
			if !copied[c.dir] {
				names[c.dir], copied[c.dir] = maps.Clone(names[c.dir]), true
			}
			if c.inode == 0 {
				delete(names[c.dir], c.name)
			} else {
				names[c.dir][c.name] = c.inode
			}
		}
	}
	seen := map[int]bool{} // a directory renamed in part could hold itself
	var write func(dir string, id int)
	write = func(dir string, id int) {
		if seen[id] {
			return
		}
		seen[id] = true
		for _, base := range slices.Sorted(maps.Keys(names[id])) {
			child, name := names[id][base], path.Join(dir, base)
			if d.isDir[child] {
				check(m.MkdirAll(name))
				write(name, child)
				continue
			}
			writeFile(m, name, d.files[child].content(ch))
		}
	}
	write("/", rootInode)
}

// content returns the file's bytes as chosen. They may be shared with base.
func (f *file) content(ch *choice) []byte {
	if len(f.edits) == 0 {
		return f.base
	}
	data := slices.Clone(f.base)
	for i := range f.edits {
		e := &f.edits[i]
		if e.durable {
			data = e.apply(data)
		} else {
			data = ch.edit(data, e)
		}
	}
	return data
}

// lastWrite returns the newest write that is not durable, or nil.
func (d *disk) lastWrite() *edit {
	var last *edit
	for _, f := range d.files {
		for i := range f.edits {
			if e := &f.edits[i]; e.data != nil && !e.durable && (last == nil || e.op > last.op) {
				last = e
			}
		}
	}
	return last
}
