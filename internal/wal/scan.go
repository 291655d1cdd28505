package wal

import (
	"encoding/binary"
	"errors"
	"io"
	"io/fs"

	"github.com/tickwell/tickwell/vfs"
)

var (
	errBadRecord = errors.New("bad record")
	errRead      = errors.New("read error")
)

// scanner reads the records of one segment through a window, so that memory is
// bounded by the window and the largest record.
type scanner struct {
	file   vfs.File
	base   uint32
	size   int64 // bytes behind this are not looked at
	window int   // bytes read at a time

	buf []byte
	off int64 // of buf in the file

	readErr error // the last cause of errRead
	passing error // one that says nothing about the bytes, see [passes]
	summed  int64 // bytes that went through the checksum
	limit   int64 // of summed, so that a hostile file cannot make resync quadratic
}

// reset points the scanner at another file.
func (s *scanner) reset(f vfs.File, base uint32, size int64) {
	s.file, s.base, s.size = f, base, size
	s.buf, s.off, s.readErr, s.passing = s.buf[:0], 0, nil, nil
	s.summed, s.limit = 0, 16*size
}

// bytes returns n bytes at off, which must lie inside the file. They are valid
// until the next call.
func (s *scanner) bytes(off int64, n int) ([]byte, error) {
	if off >= s.off && off+int64(n) <= s.off+int64(len(s.buf)) {
		at := int(off - s.off)
		return s.buf[at : at+n : at+n], nil
	}
	want := int(min(int64(max(n, s.window)), s.size-off))
	if cap(s.buf) < want {
		s.buf = make([]byte, want)
	}
	s.buf, s.off = s.buf[:want], off
	got, err := readFull(s.file, s.buf, off)
	s.buf = s.buf[:got]
	if got >= n {
		return s.buf[:n:n], nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	s.readErr = err
	if passes(err) {
		s.passing = err
	}
	return nil, errRead
}

// passes reports whether a read failed for a reason that may be gone the next
// time: then the bytes are as good as ever, and nothing may be built on their
// absence. What is left, an error of the device above all, is damage, for a log
// with a bad sector must not keep a store from opening for ever.
func passes(err error) bool {
	var temporary interface{ Temporary() bool }
	return errors.Is(err, vfs.ErrNoSpace) || errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrClosed) ||
		errors.As(err, &temporary) && temporary.Temporary()
}

// readFull reads with one repetition, for errors that pass.
func readFull(f io.ReaderAt, p []byte, off int64) (int, error) {
	n, err := f.ReadAt(p, off)
	if err == nil || errors.Is(err, io.EOF) {
		return n, err
	}
	return f.ReadAt(p, off)
}

// record reads and checks the record at off. The error is errBadRecord or
// errRead.
func (s *scanner) record(off int64) (record, error) {
	if s.size-off < recordHeader {
		return record{}, errBadRecord
	}
	b, err := s.bytes(off, recordHeader)
	if err != nil {
		return record{}, err
	}
	r, ok := parseHeader(b, off)
	if !ok || r.end > s.size {
		return record{}, errBadRecord
	}
	length := int(binary.LittleEndian.Uint32(b[4:]))
	if b, err = s.bytes(off, int(r.end-off)); err != nil {
		return record{}, err
	}
	s.summed += int64(len(b))
	stored := binary.LittleEndian.Uint32(b)
	sum := checksum(b, s.base, off)
	binary.LittleEndian.PutUint32(b, stored)
	if sum != stored {
		return record{}, errBadRecord
	}
	r.payload = b[recordHeader:length:length]
	return r, nil
}

// plausible returns the header at off without looking at the checksum.
func (s *scanner) plausible(off int64) (record, bool) {
	if s.size-off < recordHeader {
		return record{}, false
	}
	b, err := s.bytes(off, recordHeader)
	if err != nil {
		return record{}, false
	}
	return parseHeader(b, off)
}

const pageSize = 4096

// resync looks behind the bad place off for the next valid record that can
// follow the position before expected. spent reports that it gave up.
func (s *scanner) resync(off int64, expected uint64) (r record, found, spent bool) {
	for off += 8; s.size-off >= recordHeader; off += 8 {
		if s.summed > s.limit || s.passing != nil {
			return record{}, false, true
		}
		r, err := s.record(off)
		if err == nil && follows(r, expected) {
			return r, true, false
		}
		if errors.Is(err, errRead) {
			off += pageSize - off%pageSize - 8 // go on with the next page
		}
	}
	return record{}, false, false
}

// follows reports whether r can come when expected is the next position.
func follows(r record, expected uint64) bool {
	if r.flags == flagEnd {
		return r.lsn+1 >= expected
	}
	return r.lsn >= expected
}
