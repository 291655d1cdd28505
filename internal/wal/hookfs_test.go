package wal

import (
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"

	"github.com/tickwell/tickwell/vfs"
)

var errInjected = errors.New("injected fault")

// hookFS lets a test see, delay and fail every call of a file system, and
// records the writing ones so that the state after a crash can be made.
type hookFS struct {
	vfs.FS
	mu    sync.Mutex
	hook  func(op, name string) error // before the call
	space int64                       // bytes that may be written; -1: no end
	ops   []fsOp
	inode map[string]int // by name, of files
	next  int
	calls map[string]int
	base  int // operations that made the file system what it was at first
}

// fsOp is one recorded change. File operations name an inode, so that renames
// do not matter to them.
type fsOp struct {
	op       string
	inode    int
	dir      string
	name, to string
	off      int64
	data     []byte
}

func newHookFS() *hookFS {
	return &hookFS{FS: vfs.NewMem(), space: -1, inode: map[string]int{}, calls: map[string]int{}}
}

func (h *hookFS) before(op, name string) error {
	h.mu.Lock()
	hook := h.hook
	h.calls[op]++
	h.mu.Unlock()
	if hook != nil {
		return hook(op, name)
	}
	return nil
}

func (h *hookFS) setHook(f func(op, name string) error) {
	h.mu.Lock()
	h.hook = f
	h.mu.Unlock()
}

func (h *hookFS) setSpace(n int64) {
	h.mu.Lock()
	h.space = n
	h.mu.Unlock()
}

func (h *hookFS) record(o fsOp) {
	h.mu.Lock()
	h.ops = append(h.ops, o)
	h.mu.Unlock()
}

func (h *hookFS) opCount() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.ops)
}

func (h *hookFS) Open(name string) (vfs.File, error) {
	if err := h.before("open", name); err != nil {
		return nil, err
	}
	f, err := h.FS.Open(name)
	return h.wrap(f, name, err)
}

func (h *hookFS) OpenReadWrite(name string) (vfs.File, error) {
	if err := h.before("openrw", name); err != nil {
		return nil, err
	}
	f, err := h.FS.OpenReadWrite(name)
	return h.wrap(f, name, err)
}

func (h *hookFS) Create(name string) (vfs.File, error) {
	if err := h.before("create", name); err != nil {
		return nil, err
	}
	f, err := h.FS.Create(name)
	if err == nil {
		h.mu.Lock()
		h.next++
		h.inode[name] = h.next
		h.ops = append(h.ops, fsOp{op: "create", inode: h.next, name: name, dir: filepath.Dir(name)})
		h.mu.Unlock()
	}
	return h.wrap(f, name, err)
}

func (h *hookFS) wrap(f vfs.File, name string, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return &hookFile{File: f, h: h, name: name, inode: h.inode[name]}, nil
}

func (h *hookFS) Rename(a, b string) error {
	if err := h.before("rename", a); err != nil {
		return err
	}
	if err := h.FS.Rename(a, b); err != nil {
		return err
	}
	h.mu.Lock()
	h.inode[b] = h.inode[a]
	delete(h.inode, a)
	h.ops = append(h.ops, fsOp{op: "rename", inode: h.inode[b], name: a, to: b, dir: filepath.Dir(a)})
	h.mu.Unlock()
	return nil
}

func (h *hookFS) Remove(name string) error {
	if err := h.before("remove", name); err != nil {
		return err
	}
	if err := h.FS.Remove(name); err != nil {
		return err
	}
	h.record(fsOp{op: "remove", name: name, dir: filepath.Dir(name)})
	return nil
}

func (h *hookFS) MkdirAll(name string) error {
	if err := h.before("mkdir", name); err != nil {
		return err
	}
	if err := h.FS.MkdirAll(name); err != nil {
		return err
	}
	h.record(fsOp{op: "mkdir", name: name})
	return nil
}

func (h *hookFS) SyncDir(dir string) error {
	if err := h.before("syncdir", dir); err != nil {
		return err
	}
	h.record(fsOp{op: "syncdir", dir: dir})
	return h.FS.SyncDir(dir)
}

type hookFile struct {
	vfs.File
	h     *hookFS
	name  string
	inode int
}

func (f *hookFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.h.before("read", f.name); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, off)
}

func (f *hookFile) WriteAt(p []byte, off int64) (int, error) {
	if err := f.h.before("write", f.name); err != nil {
		return 0, err
	}
	f.h.mu.Lock()
	allowed := len(p)
	if f.h.space >= 0 {
		allowed = int(min(int64(len(p)), f.h.space))
		f.h.space -= int64(allowed)
	}
	f.h.mu.Unlock()
	n, err := f.File.WriteAt(p[:allowed], off)
	f.h.record(fsOp{op: "write", inode: f.inode, off: off, data: append([]byte(nil), p[:n]...)})
	if err == nil && allowed < len(p) {
		err = vfs.ErrNoSpace
	}
	return n, err
}

func (f *hookFile) Truncate(size int64) error {
	if err := f.h.before("truncate", f.name); err != nil {
		return err
	}
	f.h.record(fsOp{op: "truncate", inode: f.inode, off: size})
	return f.File.Truncate(size)
}

func (f *hookFile) Sync() error {
	if err := f.h.before("sync", f.name); err != nil {
		return err
	}
	if err := f.File.Sync(); err != nil {
		return err
	}
	f.h.record(fsOp{op: "sync", inode: f.inode})
	return nil
}

// crashMode says what of the unsynced changes a crash leaves.
type crashMode int

const (
	keepAll    crashMode = iota // the process died
	keepNone                    // power loss, nothing unsynced survives
	keepSome                    // any subset of the data, a prefix of the names, torn writes
	keepSize                    // files have grown, the data is zero
	crashModes = int(keepSize) + 1
)

// crash returns the file system after a crash behind the first k operations.
func (h *hookFS) crash(k int, mode crashMode, r *rand.Rand) *hookFS {
	files := map[int]*crashFile{}
	dirs := map[string]map[string]int{} // names that survive
	var made []string
	pending := map[string][]fsOp{}
	apply := func(m map[string]int, o fsOp) {
		switch o.op {
		case "create":
			m[o.name] = o.inode
		case "rename":
			delete(m, o.name)
			m[o.to] = o.inode
		case "remove":
			delete(m, o.name)
		}
	}
	dir := func(name string) map[string]int {
		if dirs[name] == nil {
			dirs[name] = map[string]int{}
		}
		return dirs[name]
	}
	for _, o := range h.ops[:k] {
		switch o.op {
		case "mkdir":
			made = append(made, o.name)
		case "create", "rename", "remove":
			if o.op == "create" {
				files[o.inode] = &crashFile{}
			}
			pending[o.dir] = append(pending[o.dir], o)
		case "syncdir":
			for _, p := range pending[o.dir] {
				apply(dir(o.dir), p)
			}
			pending[o.dir] = nil
		case "sync":
			files[o.inode].settle(keepAll, nil)
		default:
			files[o.inode].pending = append(files[o.inode].pending, o)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(pending)) {
		ops := pending[name]
		n := len(ops)
		switch mode {
		case keepNone:
			n = 0
		case keepSome, keepSize:
			n = r.IntN(n + 1)
		}
		for _, o := range ops[:n] {
			apply(dir(name), o)
		}
	}
	out := newHookFS()
	out.next = h.next
	if mode == keepAll { // what was not synced still is not
		out.ops = slices.Clone(h.ops[:k])
	}
	for _, name := range made {
		_ = out.FS.MkdirAll(name)
		out.ops = append(out.ops, fsOp{op: "mkdir", name: name})
	}
	for _, dir := range slices.Sorted(maps.Keys(dirs)) {
		for _, name := range slices.Sorted(maps.Keys(dirs[dir])) {
			ino := dirs[dir][name]
			f := files[ino]
			f.settle(mode, r)
			_ = out.FS.MkdirAll(dir)
			writeAll(out.FS, name, f.data)
			out.inode[name] = ino
			if mode != keepAll {
				out.ops = append(out.ops, fsOp{op: "create", inode: ino, name: name, dir: dir},
					fsOp{op: "write", inode: ino, data: f.data}, fsOp{op: "sync", inode: ino})
			}
		}
		if mode != keepAll {
			out.ops = append(out.ops, fsOp{op: "syncdir", dir: dir})
		}
	}
	out.base = len(out.ops)
	return out
}

type crashFile struct {
	data    []byte
	pending []fsOp
}

// settle applies the pending operations that survive.
func (f *crashFile) settle(mode crashMode, r *rand.Rand) {
	for _, o := range f.pending {
		if mode == keepNone || mode == keepSome && r.IntN(3) == 0 {
			continue
		}
		if o.op == "truncate" {
			f.data = append(f.data[:min(int(o.off), len(f.data))], make([]byte, max(0, int(o.off)-len(f.data)))...)
			continue
		}
		data := o.data
		if mode == keepSome && r.IntN(3) == 0 && len(data) > 0 {
			data = data[:r.IntN(len(data))]
		}
		if end := int(o.off) + len(data); end > len(f.data) {
			f.data = append(f.data, make([]byte, end-len(f.data))...)
		}
		switch {
		case mode == keepSize && r.IntN(2) == 0:
		case mode == keepSome && r.IntN(3) == 0: // only some sectors arrive
			for at := 0; at < len(data); at += 512 {
				if r.IntN(2) == 0 {
					copy(f.data[int(o.off)+at:], data[at:min(at+512, len(data))])
				}
			}
		default:
			copy(f.data[o.off:], data)
		}
	}
	f.pending = nil
}

// readAll returns a file's bytes.
func readAll(fsys vfs.FS, name string) []byte {
	f, err := fsys.Open(name)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	n, err := f.Size()
	if err != nil {
		panic(err)
	}
	b := make([]byte, n)
	if _, err := f.ReadAt(b, 0); err != nil && !errors.Is(err, io.EOF) {
		panic(err)
	}
	return b
}

// writeAll makes a file of these bytes.
func writeAll(fsys vfs.FS, name string, b []byte) {
	f, err := fsys.Create(name)
	if err != nil {
		panic(err)
	}
	if _, err := f.WriteAt(b, 0); err != nil {
		panic(err)
	}
	_ = f.Close()
}
