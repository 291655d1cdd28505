package wal

import (
	"errors"
	"fmt"
	"io"

	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/vfs"
)

// write takes the buffer and writes it. It is called with the lock held and
// writing free, and returns so; in between it works without the lock.
func (l *Log) write() {
	l.writing = true
	l.writeTaken()
	l.release()
}

// writeTaken writes the buffer; the caller owns the write role.
func (l *Log) writeTaken() {
	batch, first, synced := l.buf, l.bufFirst, l.vouched
	l.buf, l.spare = l.spare, nil
	l.mu.Unlock()
	whole, err := l.writeBatch(batch, first, synced)
	l.mu.Lock()
	l.advance(whole)
	if cap(batch) <= 2*l.cfg.BufferBytes { // an oversized record does not keep its memory
		l.spare = batch[:0]
	}
	if err != nil {
		l.refuse(err)
	}
}

// release gives the write role back.
func (l *Log) release() {
	l.writing = false
	if !l.armed && l.written > l.durable && l.cfg.Policy.Mode != Always && l.cfg.Policy.Mode != Never {
		l.arm(l.cfg.Policy.Interval)
	}
	l.publish()
	l.signal()
	if len(l.unsaid) > 0 || l.notified < l.durable {
		l.notify()
	}
}

// refuse deals with records that could not be written. A full disk concerns
// those taken so far, which no file holds; anything else ends the log.
func (l *Log) refuse(err error) {
	if !errors.Is(err, errs.NoSpace) {
		l.fail(err)
		return
	}
	f := failure{first: l.stored + 1, last: l.last, err: err}
	if n := len(l.failed); n > 0 && l.failed[n-1].last >= f.first { // still full
		f.first = l.failed[n-1].last + 1
		l.failed[n-1].last, l.failed[n-1].err = f.last, err
	} else if f.first <= f.last {
		if n == maxFailures {
			l.failed = append(l.failed[:0], l.failed[1:]...)
		}
		l.failed = append(l.failed, f)
	}
	if f.first <= f.last && l.cfg.OnFailed != nil {
		l.unsaid = append(l.unsaid, f)
	}
	if l.cfg.Hold && f.first <= f.last {
		if l.held = err; l.gap == 0 {
			l.gap = f.first
		}
	}
	l.refusedAny.Store(true)
	l.buf = l.buf[:0]
	l.written = l.last
	l.wakeAll()
}

// fail ends the log: no record is taken any more.
//
//go:noinline
func (l *Log) fail(err error) {
	if l.err == nil {
		l.err = err
	}
	l.buf = l.buf[:0]
	l.wakeAll()
}

// broken wraps the error of an operation on the file system that the log cannot
// go on after.
func broken(op, name string, err error) error {
	return fmt.Errorf("%s %s: %w: %w", op, name, errs.StorageFailed, err)
}

// caught turns a panic of the file system into an error.
func caught(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("panic in the file system: %v: %w", p, errs.StorageFailed)
	}
}

// writeBatch writes whole records, the first of which has the position first,
// changing segments as they fill up. It returns the last of them, which are written
// and not accounted for. Only the owner of writing calls it.
func (l *Log) writeBatch(batch []byte, first, synced uint64) (whole []byte, err error) {
	defer caught(&err)
	for len(batch) > 0 {
		if l.active != nil && !l.fits(recordSize(batch)) {
			if err := l.endSegment(); err != nil {
				return nil, err
			}
		}
		if l.active == nil {
			if err := l.beginSegment(l.stored + 1); err != nil {
				return nil, err
			}
		}
		if first > l.stored+1 { // the positions in between failed
			l.mark = appendRecord(l.mark[:0], 0, flagGap, first-1, nil)
			if err := l.put(l.mark, synced); err != nil {
				return nil, err
			}
		}
		n, count := l.fill(batch)
		if n == len(batch) {
			return l.store(batch, synced)
		}
		if err := l.put(batch[:n], synced); err != nil {
			return nil, err
		}
		batch, first = batch[n:], first+count
	}
	return nil, nil
}

// fits reports whether n more bytes and the end mark fit the active segment. An
// empty one takes a record of any size.
func (l *Log) fits(n int) bool {
	return l.active.end == headerBytes || l.active.end+int64(n)+recordHeader <= l.cfg.SegmentBytes
}

// fill returns how many bytes and records of batch go into the active segment.
func (l *Log) fill(batch []byte) (n int, count uint64) {
	for n < len(batch) {
		size := recordSize(batch[n:])
		if count > 0 && l.active.end+int64(n+size)+recordHeader > l.cfg.SegmentBytes {
			break
		}
		n += size
		count++
	}
	return n, count
}

// put seals whole records, writes them at the end of the active segment and
// accounts for them.
func (l *Log) put(b []byte, synced uint64) error {
	whole, err := l.store(b, synced)
	l.mu.Lock()
	l.advance(whole)
	l.mu.Unlock()
	return err
}

// store is put for records that the caller accounts for: those returned, which are
// fewer than b after an error.
func (l *Log) store(b []byte, synced uint64) (whole []byte, err error) {
	s := l.active
	for n := 0; n < len(b); {
		size := recordSize(b[n:])
		off := s.end + int64(n)
		seal(b[n:n+size:n+size], s.base, off, synced)
		n += size
	}
	var n int
	if err = l.makeRoom(s, len(b)); err == nil {
		n, err = l.writeAt(l.file, b, s.end)
	}
	if err != nil {
		return l.torn(b, n, err)
	}
	return b, nil
}

// torn takes off the file what a failed write of b, of which n bytes were written,
// has left of records that are not whole, and returns the others.
func (l *Log) torn(b []byte, n int, err error) (whole []byte, _ error) {
	s := l.active
	upTo := 0 // of an end mark nothing stays: the segment goes on in its place
	_, flags := recordLSN(b)
	for flags != flagEnd && upTo < n && upTo+recordHeader <= n && upTo+recordSize(b[upTo:]) <= n {
		upTo += recordSize(b[upTo:])
	}
	err = l.cut(s.end+int64(upTo), err)
	if !errors.Is(err, errs.NoSpace) {
		upTo = 0
	}
	return b[:upTo], err
}

// writeAt writes all of p or says how much.
func (l *Log) writeAt(f vfs.File, p []byte, off int64) (n int, err error) {
	for n < len(p) {
		m, err := f.WriteAt(p[n:], off+int64(n))
		n += max(m, 0)
		if err == nil && m <= 0 {
			err = io.ErrShortWrite
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// cut takes what a failed write left behind off the file, so that no record
// that was reported as failed is found later, and returns the error for the
// writers.
func (l *Log) cut(end int64, cause error) error {
	if terr := l.file.Truncate(end); terr != nil {
		return broken("write", l.active.name, errs.Join(cause, terr))
	}
	l.mu.Lock()
	l.bytes += end - l.active.size
	l.active.size = end
	l.mu.Unlock()
	if errors.Is(cause, vfs.ErrNoSpace) {
		return fmt.Errorf("write %s: %w: %w", l.active.name, errs.NoSpace, cause)
	}
	return broken("write", l.active.name, cause)
}

// advance accounts for whole records of ours written at the end of the active
// segment. It is called with the lock held.
func (l *Log) advance(b []byte) {
	if len(b) == 0 {
		return
	}
	s := l.active
	for n := 0; n < len(b); {
		off := s.end + int64(n)
		lsn, flags := recordLSN(b[n:])
		if flags != flagEnd {
			l.stored = lsn
		}
		if flags == 0 {
			s.noteRecord(lsn, off)
		}
		n += recordSize(b[n:])
	}
	l.extend(len(b))
}

// extend accounts for n bytes of records up to l.stored at the end of the active segment.
func (l *Log) extend(n int) {
	s := l.active
	s.end += int64(n)
	l.used.Add(int64(n))
	s.last = l.stored
	if grown := s.end - s.size; grown > 0 {
		s.size = s.end
		l.bytes += grown
	}
	l.written = max(l.written, l.stored)
}
