package vfs

import (
	"io"
	"io/fs"
	"sync"
)

// maxMemFile bounds a file of a Mem, so that a wild offset is an error and not
// the end of the process.
const maxMemFile = 1<<31 - 1

// memFile is an open handle of a file of a [Mem].
type memFile struct {
	m        *Mem
	n        *memNode
	name     string
	writable bool

	mu     sync.Mutex // guards pos and closed
	pos    int64
	closed bool
}

func (f *memFile) fail(op string, err error) error { return pathError(op, f.name, err) }

// check says why the handle cannot be used for op, if it cannot.
func (f *memFile) check(op string, write bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.checkLocked(op, write)
}

func (f *memFile) checkLocked(op string, write bool) error {
	switch {
	case f.closed:
		return f.fail(op, fs.ErrClosed)
	case write && !f.writable:
		return f.fail(op, errReadOnly)
	}
	return nil
}

func (f *memFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.check("read", false); err != nil {
		return 0, err
	}
	if off < 0 {
		return 0, f.fail("read", errNegative)
	}
	f.n.mu.RLock()
	defer f.n.mu.RUnlock()
	if off >= int64(len(f.n.data)) {
		if len(p) == 0 {
			return 0, nil
		}
		return 0, io.EOF
	}
	n := copy(p, f.n.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memFile) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.checkLocked("write", true); err != nil {
		return 0, err
	}
	n, err := f.writeAt(p, f.pos)
	f.pos += int64(n)
	return n, err
}

func (f *memFile) WriteAt(p []byte, off int64) (int, error) {
	if err := f.check("write", true); err != nil {
		return 0, err
	}
	return f.writeAt(p, off)
}

func (f *memFile) writeAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, f.fail("write", errNegative)
	}
	end := off + int64(len(p))
	if end > maxMemFile || end < 0 {
		return 0, f.fail("write", errTooLarge)
	}
	f.n.mu.Lock()
	defer f.n.mu.Unlock()
	if len(p) > 0 && end > int64(len(f.n.data)) {
		f.n.resize(int(end))
	}
	n := 0
	if len(p) > 0 {
		n = copy(f.n.data[off:], p)
	}
	f.n.modTime = f.m.tick()
	return n, nil
}

// resize sets the length of the data, new bytes being zero. It needs n.mu.
func (n *memNode) resize(size int) {
	if size <= cap(n.data) {
		old := len(n.data)
		n.data = n.data[:size]
		if old < size {
			clear(n.data[old:])
		}
		return
	}
	grown := make([]byte, size, size+size/4+512)
	copy(grown, n.data)
	n.data = grown
}

func (f *memFile) Truncate(size int64) error {
	if err := f.check("truncate", true); err != nil {
		return err
	}
	if size < 0 {
		return f.fail("truncate", errNegative)
	}
	if size > maxMemFile {
		return f.fail("truncate", errTooLarge)
	}
	f.n.mu.Lock()
	defer f.n.mu.Unlock()
	f.n.resize(int(size))
	f.n.modTime = f.m.tick()
	return nil
}

func (f *memFile) Size() (int64, error) {
	if err := f.check("stat", false); err != nil {
		return 0, err
	}
	f.n.mu.RLock()
	defer f.n.mu.RUnlock()
	return int64(len(f.n.data)), nil
}

func (f *memFile) Sync() error { return f.check("sync", false) }

func (f *memFile) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return f.fail("close", fs.ErrClosed)
	}
	f.closed = true
	return nil
}
