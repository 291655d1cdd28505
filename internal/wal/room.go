package wal

import (
	"errors"

	"github.com/tickwell/tickwell/vfs"
)

// Room for the records to come: zeros behind the end of a segment that has no
// former life. A sync that finds the size of the file as the last one left it has
// less to write: see BenchmarkSync of package vfs. Segments that are used again have
// that room anyway, and a log that does not use them again is one on flash, where
// each byte counts.

// The first room of a segment and the largest, in bytes; between them it is as large
// as what was written. It is written in calls of leastRoom: a small write into what was
// one call of 256 KiB takes twice as long, see BenchmarkOverwrite of package vfs.
const (
	leastRoom = 16 << 10
	mostRoom  = 256 << 10
)

// roomAhead reports whether new segments get room before they need it.
func (c *Config) roomAhead() bool { return c.Recycle && c.Policy.Mode == Always }

// makeRoom sees to it that n bytes at the end of s leave the file as long as it is, or
// make it longer by far. That the disk has no room but for those bytes is no error.
// Only the owner of writing calls it, without the lock.
func (l *Log) makeRoom(s *segment, n int) error {
	if !l.cfg.roomAhead() {
		return nil
	}
	at := s.end + int64(n)
	to := at + min(max(s.end, leastRoom), mostRoom, l.cfg.SegmentBytes-at)
	if at <= s.size || at >= to || s.cramped || !s.recycled {
		return nil
	}
	if l.zeros == nil {
		l.zeros = make([]byte, leastRoom)
	}
	for at < to {
		wrote, err := l.writeAt(l.file, l.zeros[:min(to-at, leastRoom)], at)
		if errors.Is(err, vfs.ErrNoSpace) {
			s.cramped = true
			return l.file.Truncate(s.size)
		}
		if err != nil {
			return err
		}
		at += int64(wrote)
	}
	l.mu.Lock()
	l.bytes += to - s.size
	s.size = to
	l.mu.Unlock()
	return nil
}
