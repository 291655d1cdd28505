package wal

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
)

// Begin is Append for a record that its writer gives to the operating system next,
// with End, which has to follow if mine is true: until then others wait who want to
// write. That is where nobody writes and no record waits for it, so that this one
// needs no place in the buffer, and one look at the log instead of two. Where mine is
// false, the record is appended, and acknowledged by Commit.
func (l *Log) Begin(kind uint8, payload []byte) (lsn uint64, mine bool, err error) {
	size := align8(recordHeader + len(payload))
	l.mu.Lock()
	s := l.active
	if s == nil || l.writing || len(l.buf) > 0 || l.stored != l.last || l.closing || l.err != nil || l.held != nil ||
		len(payload) > joinBytes || s.end+int64(size+recordHeader) > l.cfg.SegmentBytes || !l.cfg.writesAlone() {
		l.mu.Unlock()
		lsn, err = l.Append(kind, payload)
		return lsn, false, err
	}
	l.writing = true
	lsn = l.last + 1
	l.last = lsn
	l.lastSeen.Store(lsn)
	synced := l.vouched
	l.mu.Unlock()
	b := slices.Grow(l.mine[:0], size)[:size]
	sealed(b, kind, lsn, payload, s.end, synced)
	l.mine = b
	return lsn, true, nil
}

// writesAlone reports whether the policy acknowledges a record when it is written.
func (c *Config) writesAlone() bool { return c.Policy.Mode == Interval || c.Policy.Mode == Never }

// sealed lays the record at off out as it is to be written, but for the checksum,
// in whole words: they are read again at once.
func sealed(b []byte, kind uint8, lsn uint64, payload []byte, off int64, synced uint64) {
	binary.LittleEndian.PutUint64(b[len(b)-8:], 0) // padding; what else is there is written next
	binary.LittleEndian.PutUint64(b, uint64(uint32(off/8))|uint64(recordHeader+len(payload))<<32)
	binary.LittleEndian.PutUint64(b[8:], lsn)
	binary.LittleEndian.PutUint64(b[16:], uint64(promise(lsn, synced))|uint64(kind)<<32)
	copy(b[recordHeader:], payload)
}

// End writes the record of Begin, and is Commit for it.
func (l *Log) End(lsn uint64) error {
	whole, err := l.writeMine()
	l.mu.Lock()
	if err == nil {
		l.stored = lsn
		l.active.noteRecord(lsn, l.active.end)
		l.extend(len(whole))
	} else {
		l.advance(whole)
		l.refuse(err)
	}
	l.release()
	if err != nil || l.err != nil {
		err = l.await(context.Background(), lsn, wantWritten)
	}
	l.mu.Unlock()
	if err != nil {
		return fmt.Errorf("commit to log: %w", err)
	}
	return nil
}

// writeMine is store for the record of Begin.
func (l *Log) writeMine() (whole []byte, err error) {
	defer caught(&err)
	s, b := l.active, l.mine
	binary.LittleEndian.PutUint32(b, crc32.Update(s.base, castagnoli, b))
	n, err := l.writeAt(l.file, b, s.end)
	if err != nil {
		return l.torn(b, n, err)
	}
	return b, nil
}
