package segment

import (
	"fmt"
	"io/fs"
	"sync"

	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/vfs"
)

// Files opens block files and holds a bounded number of them open: beyond it the
// one that was read longest ago is closed, and opened again by its name when it
// is read again. Files must keep their names as long as their readers are in
// use. Safe for concurrent use.
type Files struct {
	fs    vfs.FS
	limit int // 0 = none
	// Coder reads compressed blocks. It is set before the first file is opened.
	Coder Coder

	mu    sync.Mutex
	freed sync.Cond // a file was closed or is not read any more
	held  []*lazyFile
	slots int // of the limit in use: open, being opened or being closed
	clock uint64
}

// lazyFile is a file that is open now and then.
type lazyFile struct {
	files *Files
	name  string
	size  int64

	// Guarded by files.mu.
	file   vfs.File // nil while it is not open
	users  int      // reads under way, and one while it is opened
	used   uint64
	closed bool
}

// NewFiles returns Files that hold at most limit files of fsys open, 0 = any
// number.
func NewFiles(fsys vfs.FS, limit int) *Files {
	f := &Files{fs: fsys, limit: limit}
	f.freed.L = &f.mu
	return f
}

// Open is the function Open for a file that need not stay open.
func (f *Files) Open(name string, storeID, fileNo uint64, cache *Cache) (*Reader, error) {
	r, err := f.open(name, storeID, fileNo, cache)
	if err == nil {
		r.coder = f.Coder
	}
	return r, err
}

func (f *Files) open(name string, storeID, fileNo uint64, cache *Cache) (*Reader, error) {
	if f.limit <= 0 {
		return Open(f.fs, name, storeID, fileNo, cache)
	}
	l := &lazyFile{files: f, name: name, size: -1}
	file, err := l.acquire()
	if err != nil {
		return nil, fmt.Errorf("open segment: %w", err)
	}
	l.size, err = file.Size()
	l.release()
	if err != nil {
		return nil, errs.Join(fmt.Errorf("open segment %s: %w", name, err), l.Close())
	}
	return open(l, name, storeID, fileNo, cache)
}

// Held returns how many files are open.
func (f *Files) Held() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.held)
}

// ReadAt opens the file if it is not open, and reads.
func (l *lazyFile) ReadAt(b []byte, off int64) (int, error) {
	file, err := l.acquire()
	if err != nil {
		return 0, err
	}
	defer l.release()
	return file.ReadAt(b, off)
}

// Size returns what the file had when it was opened first: it never changes.
func (l *lazyFile) Size() (int64, error) { return l.size, nil }

// acquire returns the open file, which stays open until release.
func (l *lazyFile) acquire() (vfs.File, error) {
	f := l.files
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		if l.closed {
			return nil, &fs.PathError{Op: "read", Path: l.name, Err: fs.ErrClosed}
		}
		if l.file != nil {
			l.users++
			f.clock++
			l.used = f.clock
			return l.file, nil
		}
		if l.users > 0 { // somebody opens it
			f.freed.Wait()
			continue
		}
		if f.slots < f.limit {
			f.slots++
			return l.open()
		}
		if victim := f.idlest(); victim != nil {
			_ = f.close(victim) // it was only read
			continue
		}
		f.freed.Wait()
	}
}

// open opens the file in a slot that is counted already. The lock is not held
// meanwhile.
func (l *lazyFile) open() (vfs.File, error) {
	f := l.files
	l.users = 1
	defer func() { // also if the file system panics
		if l.file == nil {
			l.users = 0
			f.slots--
		}
		f.freed.Broadcast()
	}()
	var file vfs.File
	err := f.unlocked(func() (err error) { file, err = f.fs.Open(l.name); return err })
	if err != nil {
		return nil, err
	}
	l.file = file
	f.held = append(f.held, l)
	f.clock++
	l.used = f.clock
	return file, nil
}

// unlocked calls do without the lock.
func (f *Files) unlocked(do func() error) error {
	f.mu.Unlock()
	defer f.mu.Lock()
	return do()
}

// idlest returns the open file that nobody reads and that was read longest ago,
// nil if all are read.
func (f *Files) idlest() (idlest *lazyFile) {
	for _, l := range f.held {
		if l.users == 0 && (idlest == nil || l.used < idlest.used) {
			idlest = l
		}
	}
	return idlest
}

// close closes a file that nobody reads and frees its slot. The lock is not held
// meanwhile. An error of it means nothing: the file was only read.
func (f *Files) close(l *lazyFile) error {
	file := l.file
	l.file = nil
	for i := range f.held {
		if f.held[i] == l {
			last := len(f.held) - 1
			f.held[i], f.held[last] = f.held[last], nil
			f.held = f.held[:last]
			break
		}
	}
	defer func() {
		f.slots--
		f.freed.Broadcast()
	}()
	return f.unlocked(file.Close)
}

func (l *lazyFile) release() {
	f := l.files
	f.mu.Lock()
	defer f.mu.Unlock()
	l.users--
	if f.slots >= f.limit {
		f.freed.Broadcast()
	}
}

// Close closes the file for good. No read may be under way.
func (l *lazyFile) Close() error {
	f := l.files
	f.mu.Lock()
	defer f.mu.Unlock()
	if l.closed {
		return &fs.PathError{Op: "close", Path: l.name, Err: fs.ErrClosed}
	}
	l.closed = true
	if l.file == nil {
		return nil
	}
	return f.close(l)
}
