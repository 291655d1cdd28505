package engine

import (
	"sync/atomic"

	"github.com/tickwell/tickwell/vfs"
)

// counted counts the bytes given to the files of a store.
type counted struct {
	vfs.FS
	bytes *atomic.Int64
}

func (c counted) Create(name string) (vfs.File, error) {
	return c.file(c.FS.Create(name))
}

func (c counted) OpenReadWrite(name string) (vfs.File, error) {
	return c.file(c.FS.OpenReadWrite(name))
}

func (c counted) file(f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return &countedFile{f, c.bytes}, nil
}

type countedFile struct {
	vfs.File
	bytes *atomic.Int64
}

func (f *countedFile) Write(b []byte) (int, error) {
	n, err := f.File.Write(b)
	f.bytes.Add(int64(n))
	return n, err
}

func (f *countedFile) WriteAt(b []byte, at int64) (int, error) {
	n, err := f.File.WriteAt(b, at)
	f.bytes.Add(int64(n))
	return n, err
}
