package vfs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"sort"
)

// OS returns the operating system's file system. Files it makes can be read
// and written by their owner only (0600, directories 0700). Locks are flock(2)
// on Linux, macOS and the BSDs and LockFileEx on Windows; elsewhere (js,
// wasip1, plan9, Solaris, AIX) they hold within the process only. Network file
// systems are not supported: their locks and syncs do not keep the promises.
func OS() FS { return osFS{} }

const (
	fileMode fs.FileMode = 0o600
	dirMode  fs.FileMode = 0o700
)

var errIsDir = errors.New("is a directory")

type osFS struct{}

func (osFS) Open(name string) (File, error) {
	return openFile(name, os.O_RDONLY)
}

func (osFS) Create(name string) (File, error) {
	return openFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
}

func (osFS) OpenReadWrite(name string) (File, error) {
	f, err := openFile(name, os.O_RDWR)
	if err != nil {
		return nil, err
	}
	if _, err := f.f.Seek(0, io.SeekEnd); err != nil {
		f.f.Close()
		return nil, err
	}
	return f, nil
}

func (osFS) Rename(oldName, newName string) error { return mark(os.Rename(oldName, newName)) }

func (osFS) Remove(name string) error { return mark(os.Remove(name)) }

func (osFS) MkdirAll(name string) error { return mark(os.MkdirAll(name, dirMode)) }

func (osFS) List(dir string) ([]string, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	sort.Strings(names)
	return names, nil
}

func (osFS) Stat(name string) (Info, error) {
	st, err := os.Stat(name)
	if err != nil {
		return Info{}, err
	}
	return Info{Size: st.Size(), ModTime: st.ModTime(), IsDir: st.IsDir()}, nil
}

func (osFS) SyncDir(dir string) error {
	st, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !st.IsDir() {
		return pathError("syncdir", dir, errors.New("not a directory"))
	}
	return mark(syncDir(dir))
}

func (osFS) Lock(name string) (io.Closer, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, fileMode)
	if st, serr := os.Stat(name); err != nil && serr == nil && st.IsDir() {
		f, err = os.Open(name)
	}
	if err != nil {
		return nil, mark(err)
	}
	unlock, err := lockFile(f)
	if err != nil {
		f.Close()
		return nil, pathError("lock", name, err)
	}
	return &osLock{f: f, unlock: unlock}, nil
}

type osLock struct {
	f      *os.File
	unlock func() error
}

// Close releases the lock. The file stays: removing it would let two openers
// lock two different files of the same name.
func (l *osLock) Close() error {
	err := l.unlock()
	if cerr := l.f.Close(); err == nil {
		err = cerr
	}
	return err
}

func openFile(name string, flag int) (*osFile, error) {
	f, err := os.OpenFile(name, flag, fileMode)
	if err != nil {
		return nil, mark(err)
	}
	if flag == os.O_RDONLY { // the other modes fail on directories by themselves
		st, err := f.Stat()
		if err == nil && st.IsDir() {
			err = pathError("open", name, errIsDir)
		}
		if err != nil {
			f.Close()
			return nil, err
		}
	}
	return &osFile{f: f}, nil
}

type osFile struct{ f *os.File }

func (f *osFile) ReadAt(p []byte, off int64) (int, error) { return f.f.ReadAt(p, off) }

func (f *osFile) Write(p []byte) (int, error) {
	n, err := f.f.Write(p)
	return n, mark(err)
}

func (f *osFile) WriteAt(p []byte, off int64) (int, error) {
	n, err := f.f.WriteAt(p, off)
	if err != nil {
		err = mark(err)
	}
	return n, err
}

func (f *osFile) Close() error { return mark(f.f.Close()) }

func (f *osFile) Sync() error { return mark(syncFile(f.f)) }

func (f *osFile) Truncate(size int64) error { return mark(f.f.Truncate(size)) }

func (f *osFile) Size() (int64, error) {
	st, err := f.f.Stat()
	if err != nil {
		return 0, err
	}
	return st.Size(), nil
}

// mark adds ErrNoSpace to an error that means a full disk.
//
//go:noinline
func mark(err error) error {
	if err == nil {
		return nil
	}
	if isNoSpace(err) {
		return &bothError{sentinel: ErrNoSpace, err: err}
	}
	return err
}
