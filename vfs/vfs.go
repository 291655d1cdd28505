// Package vfs is the file system as the store sees it. [OS] is the real one,
// [NewMem] one in memory; a program may give the store another implementation,
// for instance to encrypt or to inject faults.
//
// Every implementation keeps these rules, which the package's conformance test
// states as cases:
//
//   - Names are host paths; both slash and the host's separator are understood.
//   - A file or directory that is absent gives an error that wraps
//     [fs.ErrNotExist]; a closed file gives one that wraps [fs.ErrClosed].
//   - Nothing is durable before Sync (bytes and size of a file) or SyncDir (the
//     names in a directory: created, renamed, removed) returned nil. The entry
//     of a new directory becomes durable by SyncDir of its parent.
//   - A full disk gives an error that wraps [ErrNoSpace].
//   - All methods may be called from several goroutines.
package vfs

import (
	"errors"
	"io"
	"io/fs"
	"time"
)

var (
	// ErrLocked is wrapped by the error of [FS.Lock] when the lock is held, by
	// this process or another.
	ErrLocked = errors.New("locked")
	// ErrNoSpace is wrapped by errors that say that the disk is full or the
	// user's quota is used up.
	ErrNoSpace = errors.New("no space left on device")
)

// FS is what the store asks of a file system.
type FS interface {
	// Open opens an existing file for reading.
	Open(name string) (File, error)
	// Create makes a file, or empties an existing one, and opens it for reading
	// and writing. Its directory must exist.
	Create(name string) (File, error)
	// OpenReadWrite opens an existing file for reading and writing; the
	// position of Write is the file's end.
	OpenReadWrite(name string) (File, error)
	// Rename gives a file or directory another name, atomically. A file that
	// bears the new name is replaced, a directory is not.
	Rename(oldName, newName string) error
	// Remove deletes a file or an empty directory. On Unix and in memory open
	// handles of the file stay usable; Windows refuses.
	Remove(name string) error
	// MkdirAll makes a directory and its missing parents, readable by the
	// owner only. That it exists already is no error.
	MkdirAll(name string) error
	// List returns the sorted base names of a directory's entries.
	List(dir string) ([]string, error)
	// Stat describes a file or directory.
	Stat(name string) (Info, error)
	// SyncDir makes durable which names the directory holds. It does nothing
	// where the operating system has no such call (Windows, js, wasip1, plan9).
	SyncDir(dir string) error
	// Lock takes an exclusive lock on name, creating the file if needed, and
	// does not wait: a lock that is held, by this or another process, gives an
	// error that wraps [ErrLocked]. It ends with Close or with the process. A
	// directory is locked itself where that is possible, and gives another error
	// where it is not.
	Lock(name string) (io.Closer, error)
}

// File is an open file. ReadAt past the end returns [io.EOF] as
// [io.ReaderAt] says.
type File interface {
	io.ReaderAt
	// Write appends at the position after the last Write; WriteAt and Truncate
	// do not move that position.
	io.Writer
	io.WriterAt
	io.Closer
	// Sync makes the file's bytes and size durable. After an error the bytes
	// written since the last success may be lost even if a later Sync succeeds.
	Sync() error
	// Truncate sets the size in bytes; a file that grows is filled with zeros.
	Truncate(size int64) error
	// Size returns the size in bytes.
	Size() (int64, error)
}

// Info describes a file or directory.
type Info struct {
	Size    int64     // in bytes; of a directory: unspecified
	ModTime time.Time // of the last change of the content
	IsDir   bool      // whether it is a directory
}

// ReadFile returns the whole content of a file.
func ReadFile(fsys FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	if int64(int(size)) != size {
		return nil, pathError("read", name, errors.New("file larger than the address space"))
	}
	data := make([]byte, size)
	n, err := f.ReadAt(data, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return data[:n], nil
}

//go:noinline
func pathError(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// bothError makes errors.Is find a sentinel of this package as well as the
// operating system's own error, whose text is kept.
type bothError struct {
	sentinel error
	err      error
}

func (e *bothError) Error() string { return e.err.Error() }

func (e *bothError) Unwrap() []error { return []error{e.sentinel, e.err} }
