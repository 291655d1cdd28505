package crashfs

import (
	"sync/atomic"

	"github.com/tickwell/tickwell/vfs"
)

// Reads is a file system that counts the reads of files that are opened through its
// Open, by any number of goroutines. It has no faults.
type Reads struct {
	vfs.FS
	n atomic.Int64
}

// Open is [vfs.FS.Open].
func (r *Reads) Open(name string) (vfs.File, error) {
	file, err := r.FS.Open(name)
	if err != nil {
		return nil, err
	}
	return &countedFile{file, r}, nil
}

// Count returns how many reads there were.
func (r *Reads) Count() int { return int(r.n.Load()) }

type countedFile struct {
	vfs.File
	fs *Reads
}

func (f *countedFile) ReadAt(b []byte, off int64) (int, error) {
	f.fs.n.Add(1)
	return f.File.ReadAt(b, off)
}
