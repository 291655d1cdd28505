package main

import (
	"strings"
	"sync"
	"time"

	"github.com/tickwell/tickwell/vfs"
)

const pageSize = 4096

// pages is a file system that counts the 4-KiB pages that flash has to take: of
// each file those written between two of its syncs, each once, and one for each
// sync of a directory.
type pages struct {
	vfs.FS

	mu      sync.Mutex
	touched int64 // pages
	bytes   int64 // handed over
	syncs   int64

	writing int           // files of the store that are being written, the log aside
	written chan struct{} // closed when there are none any more
}

// file is a file of pages with the ones written since its last sync.
type file struct {
	vfs.File
	fs   *pages
	made bool // counts as one that is being written

	mu    sync.Mutex
	at    int64
	dirty map[int64]bool
}

func (p *pages) wrap(f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	return &file{File: f, fs: p, at: size, dirty: map[int64]bool{}}, nil
}

// Create is vfs.FS.Create with counting.
func (p *pages) Create(name string) (vfs.File, error) {
	f, err := p.wrap(p.FS.Create(name))
	if err == nil && strings.HasSuffix(name, ".tmp") {
		f.(*file).made = true
		p.mu.Lock()
		if p.writing++; p.writing == 1 {
			p.written = make(chan struct{})
		}
		p.mu.Unlock()
	}
	return f, err
}

// settle waits until no file is being written, at most so long, and returns how
// long it took.
func (p *pages) settle(most time.Duration) time.Duration {
	p.mu.Lock()
	busy, written := p.writing > 0, p.written
	p.mu.Unlock()
	if !busy {
		return 0
	}
	start := time.Now()
	enough := time.NewTimer(most)
	defer enough.Stop()
	select {
	case <-written:
	case <-enough.C:
	}
	return max(time.Since(start), 1)
}

// OpenReadWrite is vfs.FS.OpenReadWrite with counting.
func (p *pages) OpenReadWrite(name string) (vfs.File, error) { return p.wrap(p.FS.OpenReadWrite(name)) }

// SyncDir counts as one page.
func (p *pages) SyncDir(dir string) error {
	p.mu.Lock()
	p.touched++
	p.mu.Unlock()
	return p.FS.SyncDir(dir)
}

func (f *file) wrote(off int64, n int) {
	f.mu.Lock()
	for page := off / pageSize; n > 0 && page <= (off+int64(n)-1)/pageSize; page++ {
		f.dirty[page] = true
	}
	f.mu.Unlock()
	f.fs.mu.Lock()
	f.fs.bytes += int64(n)
	f.fs.mu.Unlock()
}

// Write appends.
func (f *file) Write(b []byte) (int, error) {
	n, err := f.File.Write(b)
	f.wrote(f.at, n)
	f.at += int64(n)
	return n, err
}

// WriteAt writes in place.
func (f *file) WriteAt(b []byte, off int64) (int, error) {
	n, err := f.File.WriteAt(b, off)
	f.wrote(off, n)
	return n, err
}

// Sync adds the pages written, and one for the file's size and times.
func (f *file) Sync() error {
	f.count(1)
	return f.File.Sync()
}

// Close adds what was written and never synced.
func (f *file) Close() error {
	f.count(0)
	if p := f.fs; f.made {
		p.mu.Lock()
		if p.writing--; p.writing == 0 {
			close(p.written)
		}
		p.mu.Unlock()
	}
	return f.File.Close()
}

func (f *file) count(more int64) {
	f.mu.Lock()
	n := int64(len(f.dirty))
	clear(f.dirty)
	f.mu.Unlock()
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	f.fs.syncs += more
	if n > 0 {
		f.fs.touched += n + more
	}
}
