package wal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/vfs"
)

const cursorWindow = 64 << 10

// Cursor reads the written records in order of position, from the files and
// with memory for one window. Retire does not take the segment it reads away.
// Use it from one goroutine at a time.
//
// Positions that the log no longer has, that were refused for want of space or
// that Open reported as damaged are passed over: LSN tells.
type Cursor struct {
	l    *Log
	next uint64 // the position wanted
	seg  *segment
	file vfs.File
	sc   scanner
	off  int64
	end  int64 // of what was there to be read when that was last asked
	rec  record
	err  error
}

// Cursor returns a reader of the records from position lsn on. It must be
// closed, before the log is or after.
func (l *Log) Cursor(lsn uint64) *Cursor {
	return &Cursor{l: l, next: max(lsn, 1), sc: scanner{window: cursorWindow}}
}

// Next moves to the next record. It returns false when there is none written
// yet, and may then be called again later, or after an error, see Err.
func (c *Cursor) Next() bool {
	for c.err == nil {
		if c.seg == nil && !c.enter() {
			break
		}
		c.off = c.seg.readable(c.off)
		if c.off >= c.end {
			more := c.extent()
			if c.off >= c.end {
				if more {
					break
				}
				c.next = max(c.next, c.seg.last+1)
				c.leave()
				continue
			}
		}
		rec, err := c.sc.record(c.off)
		if err != nil {
			c.err = c.bad(err)
			break
		}
		c.off = rec.end
		if rec.flags == 0 && rec.lsn >= c.next {
			c.rec, c.next = rec, rec.lsn+1
			return true
		}
	}
	c.rec = record{}
	return false
}

// LSN returns the position of the current record, 0 if there is none.
func (c *Cursor) LSN() uint64 { return c.rec.lsn }

// Kind returns the kind of the current record.
func (c *Cursor) Kind() uint8 { return c.rec.kind }

// Payload returns the payload of the current record, valid until Next.
func (c *Cursor) Payload() []byte { return c.rec.payload }

// Err returns the error that made Next return false, if one did: errs.Damaged
// for a record that went bad since Open, errs.Closed, or the file system's.
func (c *Cursor) Err() error { return c.err }

// Close gives the current segment back.
func (c *Cursor) Close() error {
	c.leave()
	if c.err == nil {
		c.err = fmt.Errorf("read log: cursor: %w", errs.Closed)
	}
	c.rec, c.sc.buf = record{}, nil
	return nil
}

// extent finds out how far the current segment can be read, and whether more
// may come. It is asked only at the end of what is known, because it takes the
// lock that writers take.
func (c *Cursor) extent() (more bool) {
	c.l.mu.Lock()
	defer c.l.mu.Unlock()
	c.end, c.sc.size = c.seg.end, c.seg.end
	return c.seg == c.l.active
}

// enter opens the segment that has c.next or, if there is none, a later one.
func (c *Cursor) enter() bool {
	l := c.l
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		c.err = fmt.Errorf("read log: %w", errs.Closed)
		return false
	}
	var s *segment
	for _, x := range l.segs {
		if !x.opaque && x.last >= c.next {
			s = x
			break
		}
	}
	if s == nil {
		l.mu.Unlock()
		return false
	}
	s.refs++
	c.off = s.seek(c.next)
	l.mu.Unlock()
	c.seg = s
	file, err := l.cfg.FS.Open(l.path(s.name))
	if err != nil {
		c.leave()
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w: %w", errs.Damaged, err)
		}
		c.err = fmt.Errorf("read log: record %d: %w", c.next, err)
		return false
	}
	c.file, c.end = file, 0
	c.sc.reset(file, s.base, 0)
	return true
}

// bad reports a record that was good when the log was opened.
func (c *Cursor) bad(cause error) error {
	if errors.Is(cause, errRead) {
		cause = c.sc.readErr
	}
	return fmt.Errorf("read log: record %d: %s at %d: %w: %w", c.next, c.seg.name, c.off, errs.Damaged, cause)
}

// leave gives the current segment back, and its file to Retire if that waits.
func (c *Cursor) leave() {
	s, l := c.seg, c.l
	if s == nil {
		return
	}
	if c.file != nil {
		_ = c.file.Close() // read only
	}
	c.seg, c.file = nil, nil
	l.mu.Lock()
	s.refs--
	last := s.gone && s.refs == 0 && !l.closed
	l.mu.Unlock()
	if last {
		if err := l.dispose(s); err != nil {
			l.cfg.logger.Warn("retire log segment", "file", s.name, "error", err)
		}
	}
}

// ReadAt returns the record at a position, writing it first if it is still in
// the buffer. A position that holds no record gives errs.NotFound, one that is
// damaged errs.Damaged. For more than a few records use a Cursor.
func (l *Log) ReadAt(lsn uint64) (kind uint8, payload []byte, err error) {
	l.mu.Lock()
	if lsn <= l.last {
		err = l.await(context.Background(), lsn, wantWritten)
	}
	l.mu.Unlock()
	if err != nil && !errors.Is(err, errs.StorageFailed) && !errors.Is(err, errs.Closed) {
		return 0, nil, fmt.Errorf("read log: record %d: %w: %w", lsn, errs.NotFound, err)
	}
	c := l.Cursor(lsn)
	defer c.Close()
	if lsn > 0 && c.Next() && c.LSN() == lsn {
		return c.Kind(), bytes.Clone(c.Payload()), nil
	}
	if err := c.Err(); err != nil {
		return 0, nil, err
	}
	if l.isDamaged(lsn) {
		return 0, nil, fmt.Errorf("read log: record %d: %w", lsn, errs.Damaged)
	}
	return 0, nil, fmt.Errorf("read log: record %d: %w", lsn, errs.NotFound)
}

// isDamaged reports whether Open lost the record.
func (l *Log) isDamaged(lsn uint64) bool {
	for _, d := range l.damage {
		if d.FirstLSN <= lsn && lsn <= d.LastLSN {
			return true
		}
	}
	return false
}
