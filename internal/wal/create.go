package wal

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/vfs"
)

// maxFree is how many retired files wait to be overwritten.
const maxFree = 2

//go:noinline
func (l *Log) path(name string) string { return filepath.Join(l.cfg.Dir, name) }

// beginSegment makes the file of the next segment, which begins with the
// position first. The file gets its name when its header is synced, and its
// directory entry is synced before the first record: a segment without a valid
// header is damage. Only the owner of writing calls it, without the lock.
func (l *Log) beginSegment(first uint64) error {
	num := l.nextSeg
	if num > maxSegment {
		return broken("create", segmentName(num), errors.New("segment numbers are used up"))
	}
	h := header{version: version, storeID: l.cfg.StoreID, segment: num, salt: l.cfg.Salt(num), firstLSN: first}
	s := &segment{
		num: num, name: segmentName(num), salt: h.salt,
		base:  checksumBase(h.storeID, h.segment, h.salt),
		first: first, last: first - 1, end: headerBytes,
		index: make([]indexEntry, 0, 1+int(min(l.cfg.SegmentBytes, 1<<30)/indexStep)),
	}
	file, err := l.newFile(s, h)
	if err != nil {
		return err
	}
	l.nextSeg++
	l.mu.Lock()
	l.active, l.file = s, file
	l.segs = append(l.segs, s)
	l.bytes += s.size
	l.used.Add(s.end)
	l.mu.Unlock()
	return nil
}

// Prepare makes the file of the first segment of a log that has none, which takes longer
// than writing most records: the first one need not wait for it then. If that fails, the
// first record tries again, or is told where the file has its name already.
func (l *Log) Prepare() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.writing || len(l.segs) > 0 || l.refused() != nil {
		return
	}
	l.writing = true
	l.mu.Unlock()
	err := l.beginFirst()
	l.mu.Lock()
	if err != nil && !errors.As(err, new(unnamed)) {
		l.fail(err)
	}
	l.release()
}

func (l *Log) beginFirst() (err error) {
	defer caught(&err)
	return l.beginSegment(l.stored + 1)
}

// newFile makes the file of a segment: a retired one overwritten, or a new one.
func (l *Log) newFile(s *segment, h header) (vfs.File, error) {
	l.mu.Lock()
	var tmp string
	if n := len(l.free); n > 0 {
		tmp, l.free = l.free[n-1], l.free[:n-1]
	}
	l.mu.Unlock()
	var file vfs.File
	var err error
	if tmp != "" {
		h.flags |= flagRecycled
		s.recycled = true
		file, err = l.cfg.FS.OpenReadWrite(l.path(tmp))
	} else {
		if l.cfg.roomAhead() {
			h.flags |= flagRecycled
			s.recycled = true
		}
		tmp = s.name + tmpSuffix
		file, err = l.cfg.FS.Create(l.path(tmp))
	}
	if err == nil {
		err = l.writeHeader(file, h, s)
	}
	if err != nil {
		_ = l.cfg.FS.Remove(l.path(tmp)) // or the next Open does
		return nil, createError(s.name, err)
	}
	// Windows does not rename open files.
	if err := l.cfg.FS.Rename(l.path(tmp), l.path(s.name)); err != nil {
		return nil, createError(s.name, err)
	}
	if err := l.cfg.FS.SyncDir(l.cfg.Dir); err != nil {
		return nil, broken("sync directory of", s.name, err)
	}
	file, err = l.cfg.FS.OpenReadWrite(l.path(s.name))
	if err != nil {
		return nil, broken("open", s.name, err)
	}
	return file, nil
}

// writeHeader writes and syncs the header and closes the file.
func (l *Log) writeHeader(file vfs.File, h header, s *segment) error {
	_, err := l.writeAt(file, h.append(nil), 0)
	if err == nil {
		err = file.Sync()
	}
	if err == nil {
		s.size, err = file.Size()
	}
	if cerr := file.Close(); err == nil {
		err = cerr
	}
	return err
}

// unnamed is an error that came before the new segment had its name: it has done no
// harm yet.
type unnamed struct{ error }

func (e unnamed) Unwrap() error { return e.error }

func createError(name string, err error) error {
	if errors.Is(err, vfs.ErrNoSpace) {
		return unnamed{fmt.Errorf("create %s: %w: %w", name, errs.NoSpace, err)}
	}
	return unnamed{broken("create", name, err)}
}

// endSegment marks the end of the active segment, syncs and closes it, so that
// a bad record in any but the last segment is damage. Only the owner of writing
// calls it, without the lock.
func (l *Log) endSegment() error {
	l.mark = appendRecord(l.mark[:0], 0, flagEnd, l.stored, nil)
	l.mu.Lock()
	synced := l.vouched
	l.mu.Unlock()
	if err := l.put(l.mark, synced); err != nil {
		return err
	}
	l.mu.Lock()
	for l.syncing {
		// The context never ends, so there is no error.
		_ = l.park(context.Background(), waiter{want: wantSyncing})
	}
	if err := l.err; err != nil { // a sync failed meanwhile: never sync this file again
		l.mu.Unlock()
		return err
	}
	l.syncing = true
	l.syncTaken()
	file, err := l.file, l.err
	l.active, l.file = nil, nil
	l.syncing = false
	l.signal()
	l.mu.Unlock()
	_ = file.Close() // synced, or failed already
	return err
}
