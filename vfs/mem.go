package vfs

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"time"
)

// Mem is a file system in memory with the semantics of Unix: a removed file
// lives on in its open handles, a rename replaces. It never fills up, and Sync
// has nothing to do. Modification times come from a counter, not from a clock:
// the n-th change is dated n nanoseconds after 1970, so that runs are equal.
// Use [NewMem]; safe for concurrent use.
type Mem struct {
	mu    sync.RWMutex // guards the tree, not the files' bytes
	root  *memNode
	locks map[*memNode]bool

	tickMu sync.Mutex
	ticks  int64
}

// memNode is a file or a directory.
type memNode struct {
	children map[string]*memNode // nil: a file

	mu      sync.RWMutex // guards data and modTime
	data    []byte
	modTime time.Time
}

func (n *memNode) isDir() bool { return n.children != nil }

var (
	errNotDir   = errors.New("not a directory")
	errReadOnly = errors.New("file opened read-only")
	errNegative = errors.New("negative offset or size")
	errTooLarge = errors.New("file too large for memory")
)

// NewMem returns an empty file system in memory that holds only the root
// directory. "a/b" and "/a/b" name the same file.
func NewMem() *Mem {
	m := &Mem{locks: map[*memNode]bool{}}
	m.root = m.newDir()
	return m
}

func (m *Mem) newDir() *memNode {
	return &memNode{children: map[string]*memNode{}, modTime: m.tick()}
}

func (m *Mem) tick() time.Time {
	m.tickMu.Lock()
	defer m.tickMu.Unlock()
	m.ticks++
	return time.Unix(0, m.ticks).UTC()
}

// clean returns name rooted, with slashes: "/" or "/a/b".
func clean(name string) string { return path.Clean("/" + filepath.ToSlash(name)) }

// find returns the node called name. It needs m.mu.
func (m *Mem) find(name string) (*memNode, error) {
	n := m.root
	rest := clean(name)[1:]
	for rest != "" {
		var part string
		part, rest, _ = strings.Cut(rest, "/")
		if !n.isDir() {
			return nil, errNotDir
		}
		child, ok := n.children[part]
		if !ok {
			return nil, fs.ErrNotExist
		}
		n = child
	}
	return n, nil
}

// parent returns the directory that holds name, and name's last element, which
// is empty for the root. It needs m.mu.
func (m *Mem) parent(name string) (dir *memNode, base string, err error) {
	d, b := path.Split(clean(name))
	dir, err = m.find(d)
	if err == nil && !dir.isDir() {
		err = errNotDir
	}
	return dir, b, err
}

// Open is [FS.Open].
func (m *Mem) Open(name string) (File, error) { return m.open("open", name, false) }

// OpenReadWrite is [FS.OpenReadWrite].
func (m *Mem) OpenReadWrite(name string) (File, error) { return m.open("open", name, true) }

func (m *Mem) open(op, name string, writable bool) (File, error) {
	m.mu.RLock()
	n, err := m.find(name)
	m.mu.RUnlock()
	if err == nil && n.isDir() {
		err = errIsDir
	}
	if err != nil {
		return nil, pathError(op, name, err)
	}
	f := &memFile{m: m, n: n, name: name, writable: writable}
	if writable {
		f.pos, _ = f.Size()
	}
	return f, nil
}

// Create is [FS.Create].
func (m *Mem) Create(name string) (File, error) {
	n, err := m.createNode(name)
	if err != nil {
		return nil, pathError("create", name, err)
	}
	f := &memFile{m: m, n: n, name: name, writable: true}
	if err := f.Truncate(0); err != nil {
		return nil, err
	}
	return f, nil
}

// createNode returns the file called name, new or as it is.
func (m *Mem) createNode(name string) (*memNode, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, base, err := m.parent(name)
	if err != nil {
		return nil, err
	}
	n, ok := dir.children[base]
	if base == "" || ok && n.isDir() {
		return nil, errIsDir
	}
	if !ok {
		n = &memNode{modTime: m.tick()}
		dir.children[base] = n
		dir.modTime = m.tick()
	}
	return n, nil
}

// Rename is [FS.Rename].
func (m *Mem) Rename(oldName, newName string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.rename(oldName, newName); err != nil {
		return pathError("rename", oldName+" to "+newName, err)
	}
	return nil
}

func (m *Mem) rename(oldName, newName string) error {
	oldDir, oldBase, err := m.parent(oldName)
	if err != nil {
		return err
	}
	n, ok := oldDir.children[oldBase]
	if !ok {
		return fs.ErrNotExist
	}
	newDir, newBase, err := m.parent(newName)
	if err != nil {
		return err
	}
	if n.isDir() && strings.HasPrefix(clean(newName)+"/", clean(oldName)+"/") {
		return errors.New("directory moved into itself")
	}
	target, ok := newDir.children[newBase]
	switch {
	case newBase == "" || ok && target.isDir():
		return fs.ErrExist
	case ok && n.isDir():
		return errNotDir
	case target == n:
		return nil
	}
	delete(oldDir.children, oldBase)
	newDir.children[newBase] = n
	oldDir.modTime, newDir.modTime = m.tick(), m.tick()
	return nil
}

// Remove is [FS.Remove].
func (m *Mem) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, base, err := m.parent(name)
	if err != nil {
		return pathError("remove", name, err)
	}
	n, ok := dir.children[base]
	switch {
	case base == "":
		err = fs.ErrInvalid
	case !ok:
		err = fs.ErrNotExist
	case len(n.children) > 0:
		err = fs.ErrExist // what Unix reports as ENOTEMPTY
	}
	if err != nil {
		return pathError("remove", name, err)
	}
	delete(dir.children, base)
	dir.modTime = m.tick()
	return nil
}

// MkdirAll is [FS.MkdirAll].
func (m *Mem) MkdirAll(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.root
	for rest := clean(name)[1:]; rest != ""; {
		var part string
		part, rest, _ = strings.Cut(rest, "/")
		child, ok := n.children[part]
		if !ok {
			child = m.newDir()
			n.children[part] = child
			n.modTime = m.tick()
		}
		if !child.isDir() {
			return pathError("mkdir", name, errNotDir)
		}
		n = child
	}
	return nil
}

// List is [FS.List].
func (m *Mem) List(dir string) ([]string, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	n, err := m.find(dir)
	if err == nil && !n.isDir() {
		err = errNotDir
	}
	if err != nil {
		return nil, pathError("list", dir, err)
	}
	names := make([]string, 0, len(n.children))
	for name := range n.children {
		names = append(names, name)
	}
	sort.Strings(names)
	return names, nil
}

// Stat is [FS.Stat].
func (m *Mem) Stat(name string) (Info, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	n, err := m.find(name)
	if err != nil {
		return Info{}, pathError("stat", name, err)
	}
	n.mu.RLock()
	defer n.mu.RUnlock()
	return Info{Size: int64(len(n.data)), ModTime: n.modTime, IsDir: n.isDir()}, nil
}

// SyncDir is [FS.SyncDir]; it only checks that the directory exists.
func (m *Mem) SyncDir(dir string) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	n, err := m.find(dir)
	if err == nil && !n.isDir() {
		err = errNotDir
	}
	if err != nil {
		return pathError("syncdir", dir, err)
	}
	return nil
}

// Lock is [FS.Lock], among the users of this Mem.
func (m *Mem) Lock(name string) (io.Closer, error) {
	n, err := m.createNode(name)
	if err != nil {
		return nil, pathError("lock", name, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.locks[n] {
		return nil, pathError("lock", name, ErrLocked)
	}
	m.locks[n] = true
	return &memLock{m: m, n: n}, nil
}

type memLock struct {
	m    *Mem
	n    *memNode
	once sync.Once
}

func (l *memLock) Close() error {
	l.once.Do(func() {
		l.m.mu.Lock()
		defer l.m.mu.Unlock()
		delete(l.m.locks, l.n)
	})
	return nil
}
