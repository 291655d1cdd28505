package wal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/tickwell/tickwell/internal/errs"
)

// quarantine is the directory that damaged segments are moved to.
const quarantine = "quarantine"

// Rotate writes, syncs and ends the active segment, so that Retire can take it
// when its records are no longer needed. The next record begins a new one.
func (l *Log) Rotate() error {
	l.mu.Lock()
	for l.writing && !l.closing {
		_ = l.park(context.Background(), waiter{want: wantWriting})
	}
	if err := l.refused(); err != nil {
		l.mu.Unlock()
		return fmt.Errorf("rotate log: %w", err)
	}
	l.writing = true
	if len(l.buf) > 0 {
		l.writeTaken()
	}
	err := l.err
	if n := len(l.failed); err == nil && n > 0 && l.failed[n-1].last == l.last && l.stored < l.last {
		err = l.failed[n-1].err
	}
	if err == nil && l.active != nil && l.active.end > headerBytes {
		l.mu.Unlock()
		err = l.endRotated()
		l.mu.Lock()
		if err != nil && !errors.Is(err, errs.NoSpace) {
			l.fail(err)
		}
	}
	l.release()
	l.mu.Unlock()
	if err != nil {
		return fmt.Errorf("rotate log: %w", err)
	}
	return nil
}

func (l *Log) endRotated() (err error) {
	defer caught(&err)
	return l.endSegment()
}

// Retire gives up the records up to lsn: segments that hold no others are
// deleted, kept to be overwritten, or, if damaged, moved to the directory
// quarantine; never the active one. One that a cursor reads is dealt with when
// the cursor leaves it. After an error the files concerned are tried again by
// the next Retire.
func (l *Log) Retire(lsn uint64) error {
	l.mu.Lock()
	if l.cfg.ReadOnly || l.closed {
		err := l.refused()
		l.mu.Unlock()
		return fmt.Errorf("retire log segments: %w", err)
	}
	var drop []*segment
	l.segs = slices.DeleteFunc(l.segs, func(s *segment) bool {
		if s == l.active || s.last > lsn {
			return false
		}
		if s.refs > 0 {
			s.gone = true
		} else {
			drop = append(drop, s)
		}
		return true
	})
	l.mu.Unlock()
	var first error
	for _, s := range drop {
		if err := l.dispose(s); err != nil && first == nil {
			first = err
		}
	}
	if first != nil {
		return fmt.Errorf("retire log segments: %w", first)
	}
	return nil
}

// Keep has the segment of a record that Open passed to its caller, who could not use it,
// put aside like a damaged one when it is retired.
func (l *Log) Keep(lsn uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.segs {
		s.kept = s.kept || s.first <= lsn && lsn <= s.last
	}
}

// dispose removes the file of a segment that is no longer in l.segs, or puts
// the segment back.
func (l *Log) dispose(s *segment) error {
	err := l.disposeFile(s)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		s.gone = false
		l.segs = append(l.segs, s)
		slices.SortFunc(l.segs, func(a, b *segment) int { return cmp.Compare(a.num, b.num) })
		return err
	}
	l.bytes -= s.size
	l.used.Add(-s.end)
	return nil
}

func (l *Log) disposeFile(s *segment) (err error) {
	defer caught(&err)
	fsys, name := l.cfg.FS, l.path(s.name)
	if s.damaged || s.kept {
		return l.quarantine(s)
	}
	l.mu.Lock()
	reuse := l.cfg.Recycle && len(l.free) < maxFree && s.size <= 2*l.cfg.SegmentBytes
	l.mu.Unlock()
	if !reuse {
		if err := fsys.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	if err := fsys.Rename(name, name+freeSuffix); err != nil {
		return err
	}
	// Overwriting must not begin while a crash could bring the old name back.
	if err := fsys.SyncDir(l.cfg.Dir); err != nil {
		_ = fsys.Remove(name + freeSuffix)
		return nil
	}
	l.mu.Lock()
	l.free = append(l.free, s.name+freeSuffix)
	l.mu.Unlock()
	return nil
}

// quarantine moves a damaged segment aside, never over another.
func (l *Log) quarantine(s *segment) error {
	fsys, dir := l.cfg.FS, l.path(quarantine)
	if err := fsys.MkdirAll(dir); err != nil {
		return err
	}
	to := filepath.Join(dir, s.name)
	for i := 1; ; i++ {
		_, err := fsys.Stat(to)
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return err
		}
		to = filepath.Join(dir, s.name+"."+strconv.Itoa(i))
	}
	if err := fsys.Rename(l.path(s.name), to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := errs.Join(fsys.SyncDir(dir), fsys.SyncDir(l.cfg.Dir)); err != nil {
		return nil // it is moved; a crash may bring it back
	}
	l.cfg.logger.Warn("damaged log segment moved aside", "file", to)
	return nil
}
