package crashfs

import (
	"io"
	"maps"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"github.com/tickwell/tickwell/vfs"
)

// FS is a [vfs.FS] that remembers. Use [New] or [From]. It is safe for
// concurrent use; calls that change something take effect one after the other,
// in the order of their numbers.
type FS struct {
	mu     sync.Mutex
	live   *vfs.Mem       // what the running program sees
	names  map[string]int // inode of every name, as the running program sees it
	sizes  map[int]int64  // of every file that ever was
	next   int            // the inode to come
	log    []record
	faults faults
	sites  sites
	watch  func(Op)

	start  *disk // what was on disk at the beginning; not changed
	replay replay
}

// record is an entry of the log: a change, or a call that makes changes durable.
type record struct {
	op      Op
	inode   int // of a file; of the directory for SyncDir
	data    []byte
	failed  bool     // a Sync that returned an error
	changes []change // of names
}

// change gives a name in a directory to an inode; 0 removes the name.
type change struct {
	dir   int
	name  string
	inode int
	isDir bool
}

const rootInode = 1

// New returns an empty file system, whose root directory is durable.
func New() *FS { return From(vfs.NewMem()) }

// From returns a file system that holds, durably, what m holds. It copies: m is
// neither changed nor followed. With it a store can be crashed again while it
// recovers from a crash.
func From(m *vfs.Mem) *FS {
	c := &FS{
		live:  vfs.NewMem(),
		names: map[string]int{"/": rootInode},
		sizes: map[int]int64{},
		next:  rootInode + 1,
		start: newDisk(),
	}
	c.copyDir(m, "/")
	c.replay = replay{disk: c.start.clone()}
	return c
}

func (c *FS) copyDir(m *vfs.Mem, dir string) {
	list, err := m.List(dir)
	check(err)
	for _, base := range list {
		name := path.Join(dir, base)
		st, err := m.Stat(name)
		check(err)
		id := c.next
		c.next++
		c.names[name] = id
		c.start.link(change{dir: c.names[dir], name: base, inode: id, isDir: st.IsDir})
		if st.IsDir {
			check(c.live.MkdirAll(name))
			c.copyDir(m, name)
			continue
		}
		data, err := vfs.ReadFile(m, name)
		check(err)
		c.start.files[id] = &file{base: data}
		c.sizes[id] = int64(len(data))
		writeFile(c.live, name, data)
	}
}

// check stops the test on an error of the memory file system that cannot be.
func check(err error) {
	if err != nil {
		panic("crashfs: " + err.Error())
	}
}

func writeFile(m *vfs.Mem, name string, data []byte) {
	f, err := m.Create(name)
	check(err)
	_, err = f.Write(data)
	check(err)
	check(f.Close())
}

func clean(name string) string { return path.Clean("/" + filepath.ToSlash(name)) }

// Ops returns the number of changes and syncs so far: the newest argument that
// [FS.Image] takes. Calls that change nothing are not numbered, and neither are
// elided syncs and calls that failed without effect.
func (c *FS) Ops() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.log)
}

// Op returns operation number n, 1 being the first.
func (c *FS) Op(n int) Op {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.log[n-1].op
}

// Watch has f called before every call takes effect, without locks held: f may
// block, to stall a disk, or note [FS.Ops]. It must be set before the file
// system is used.
func (c *FS) Watch(f func(Op)) { c.watch = f }

// Settle makes all that was done so far durable, as a long idle time would.
func (c *FS) Settle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log = append(c.log, record{op: Op{Kind: Settle}})
}

// begin runs the hook and then says whether a fault was planted for the call.
// On return c.mu is held.
func (c *FS) begin(op Op) (*Fault, error) {
	if c.watch != nil {
		c.watch(op)
	}
	c.mu.Lock()
	return c.faults.hit(op)
}

// Open is [vfs.FS.Open].
func (c *FS) Open(name string) (vfs.File, error) {
	h, err := c.open(name, c.live.Open)
	if err != nil {
		return nil, err
	}
	return h, nil
}

// OpenReadWrite is [vfs.FS.OpenReadWrite].
func (c *FS) OpenReadWrite(name string) (vfs.File, error) {
	h, err := c.open(name, c.live.OpenReadWrite)
	if err != nil {
		return nil, err
	}
	if h.pos, err = h.inner.Size(); err != nil {
		return nil, err
	}
	return h, nil
}

func (c *FS) open(name string, open func(string) (vfs.File, error)) (*handle, error) {
	_, err := c.begin(Op{Kind: Open, Name: clean(name)})
	defer c.mu.Unlock()
	if err != nil {
		return nil, err
	}
	inner, err := open(name)
	if err != nil {
		return nil, err
	}
	return &handle{c: c, inner: inner, name: clean(name), inode: c.names[clean(name)]}, nil
}

// Create is [vfs.FS.Create].
func (c *FS) Create(name string) (vfs.File, error) {
	op := Op{Kind: Create, Name: clean(name)}
	_, err := c.begin(op)
	defer c.mu.Unlock()
	if err != nil {
		return nil, err
	}
	inner, err := c.live.Create(name)
	if err != nil {
		return nil, err
	}
	return &handle{c: c, inner: inner, name: op.Name, inode: c.created(op)}, nil
}

// created logs that a file was made, or emptied if it existed, and returns its
// inode. A file that was empty already did not change.
func (c *FS) created(op Op) int {
	id, ok := c.names[op.Name]
	switch {
	case !ok:
		id = c.newInode(op, false)
	case c.sizes[id] > 0:
		c.log = append(c.log, record{op: op, inode: id})
	}
	c.sizes[id] = 0
	return id
}

func (c *FS) newInode(op Op, isDir bool) int {
	id := c.next
	c.next++
	c.names[op.Name] = id
	dir, base := c.split(op.Name)
	c.log = append(c.log, record{op: op, inode: id, changes: []change{{dir, base, id, isDir}}})
	return id
}

// split returns the inode of the directory that holds name, and its last part.
func (c *FS) split(name string) (dir int, base string) {
	return c.names[path.Dir(name)], path.Base(name)
}

// Rename is [vfs.FS.Rename].
func (c *FS) Rename(oldName, newName string) error {
	op := Op{Kind: Rename, Name: clean(oldName), To: clean(newName)}
	_, err := c.begin(op)
	defer c.mu.Unlock()
	if err != nil {
		return err
	}
	if err := c.live.Rename(oldName, newName); err != nil || op.Name == op.To {
		return err
	}
	id := c.names[op.Name]
	_, isFile := c.sizes[id]
	oldDir, oldBase := c.split(op.Name)
	newDir, newBase := c.split(op.To)
	c.log = append(c.log, record{op: op, changes: []change{
		{newDir, newBase, id, !isFile}, {dir: oldDir, name: oldBase},
	}})
	moved := map[string]int{}
	for name, id := range c.names {
		if rest, ok := strings.CutPrefix(name, op.Name); ok && (rest == "" || rest[0] == '/') {
			moved[op.To+rest] = id
			delete(c.names, name)
		}
	}
	maps.Copy(c.names, moved)
	return nil
}

// Remove is [vfs.FS.Remove].
func (c *FS) Remove(name string) error {
	op := Op{Kind: Remove, Name: clean(name)}
	_, err := c.begin(op)
	defer c.mu.Unlock()
	if err != nil {
		return err
	}
	if err := c.live.Remove(name); err != nil {
		return err
	}
	dir, base := c.split(op.Name)
	delete(c.names, op.Name)
	c.log = append(c.log, record{op: op, changes: []change{{dir: dir, name: base}}})
	return nil
}

// MkdirAll is [vfs.FS.MkdirAll]. Each directory it makes is an operation.
func (c *FS) MkdirAll(name string) error {
	op := Op{Kind: Mkdir, Name: clean(name)}
	_, err := c.begin(op)
	defer c.mu.Unlock()
	if err != nil {
		return err
	}
	if err := c.live.MkdirAll(name); err != nil {
		return err
	}
	var missing []string
	for dir := op.Name; c.names[dir] == 0; dir = path.Dir(dir) {
		missing = append(missing, dir)
	}
	for i := len(missing) - 1; i >= 0; i-- {
		c.newInode(Op{Kind: Mkdir, Name: missing[i]}, true)
	}
	return nil
}

// List is [vfs.FS.List].
func (c *FS) List(dir string) ([]string, error) {
	_, err := c.begin(Op{Kind: List, Name: clean(dir)})
	defer c.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return c.live.List(dir)
}

// Stat is [vfs.FS.Stat].
func (c *FS) Stat(name string) (vfs.Info, error) {
	_, err := c.begin(Op{Kind: Stat, Name: clean(name)})
	defer c.mu.Unlock()
	if err != nil {
		return vfs.Info{}, err
	}
	return c.live.Stat(name)
}

// SyncDir is [vfs.FS.SyncDir].
func (c *FS) SyncDir(dir string) error {
	op := Op{Kind: SyncDir, Name: clean(dir), Site: callSite()}
	if c.sites.elided(op.Site) {
		return nil
	}
	_, err := c.begin(op)
	defer c.mu.Unlock()
	if err != nil {
		return err
	}
	if err := c.live.SyncDir(dir); err != nil {
		return err
	}
	c.log = append(c.log, record{op: op, inode: c.names[op.Name]})
	return nil
}

// Lock is [vfs.FS.Lock]. No image holds a lock.
func (c *FS) Lock(name string) (io.Closer, error) {
	op := Op{Kind: Lock, Name: clean(name)}
	_, err := c.begin(op)
	defer c.mu.Unlock()
	if err != nil {
		return nil, err
	}
	l, err := c.live.Lock(name)
	if err != nil {
		return nil, err
	}
	if c.names[op.Name] == 0 {
		c.sizes[c.newInode(op, false)] = 0
	}
	return l, nil
}
