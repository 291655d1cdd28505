package wal

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/tickwell/tickwell/internal/errs"
)

// joinBytes is the largest record, without its header, that others join: what is
// torn or damaged is a whole record, so that they shall not grow for ever.
const joinBytes = 1 << 10

// Join is Append for small records whose payloads are such that two of a kind, one
// after the other, are a payload too. While the last record came by Join and is
// still in the buffer, the payload is added to it and shares its position, for which
// header, checksum and padding are paid once. Cut ends that. WriteDue is to follow, when
// the caller's locks are open: that is less work than a goroutine of its own.
func (l *Log) Join(kind uint8, payload []byte) (lsn uint64, err error) {
	if len(payload) > joinBytes {
		return 0, fmt.Errorf("join record of %d bytes to log: %w", len(payload), errs.Limit)
	}
	l.mu.Lock()
	if lsn = l.last; len(l.buf) > 0 && l.open.Load() == lsn && l.openKind == kind && l.err == nil && !l.closing && l.held == nil {
		n := int(binary.LittleEndian.Uint32(l.buf[l.openAt+4:]))
		end := l.openAt + align8(n+len(payload))
		if n+len(payload) <= recordHeader+joinBytes && end <= l.cfg.BufferBytes {
			at := l.openAt + n
			b := slices.Grow(l.buf[:at], len(payload)+8)[:at+len(payload)+8]
			copy(b[at:], payload)
			binary.LittleEndian.PutUint64(b[at+len(payload):], 0) // padding, and more
			l.buf = b[:end]
			binary.LittleEndian.PutUint32(l.buf[l.openAt+4:], uint32(n+len(payload)))
			l.mu.Unlock()
			return lsn, nil
		}
	}
	if err := l.spaceFor(align8(recordHeader + len(payload))); err != nil {
		l.mu.Unlock()
		return 0, err
	}
	l.openAt, l.openKind = len(l.buf), kind
	l.open.Store(l.last + 1) // before it can be seen as the last: see Least
	lsn = l.take(kind, payload)
	if l.due() {
		l.overdue.Store(true)
	}
	l.mu.Unlock()
	return lsn, nil
}

// JoinRoom begins a Join whose payload, of at most so many bytes, is made where it
// stays. It returns room for it and eight bytes more, and Joined is to follow at once:
// the log's lock is held until then. Without a record that takes it, it returns nil,
// and Join does it.
func (l *Log) JoinRoom(kind uint8, most int) []byte {
	l.mu.Lock()
	if len(l.buf) > 0 && l.open.Load() == l.last && l.openKind == kind && l.err == nil && !l.closing && l.held == nil {
		n := int(binary.LittleEndian.Uint32(l.buf[l.openAt+4:]))
		at := l.openAt + n
		if n+most <= recordHeader+joinBytes && align8(at+most) <= l.cfg.BufferBytes && at+most+8 <= cap(l.buf) {
			return l.buf[at : at+most+8]
		}
	}
	l.mu.Unlock()
	return nil
}

// Joined ends a Join for which there was room: the first bytes of it are the payload.
func (l *Log) Joined(bytes int) {
	size := l.buf[l.openAt+4:][:4]
	n := int(binary.LittleEndian.Uint32(size)) + bytes
	binary.LittleEndian.PutUint32(size, uint32(n))
	at := l.openAt + n
	binary.LittleEndian.PutUint64(l.buf[:cap(l.buf)][at:], 0) // padding, and more
	l.buf = l.buf[:align8(at)]
	l.mu.Unlock()
}

// Cut returns the last position taken, and sees to it that whatever is appended
// from now on has a later one.
func (l *Log) Cut() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open.Store(0)
	return l.last
}

// Least returns a position that no later call of Append or Join falls short of. It
// is beyond those of all that was appended before, but for what came by Join.
func (l *Log) Least() uint64 {
	last := l.lastSeen.Load()
	if last != 0 && l.open.Load() == last { // in this order: see Join
		return last
	}
	return last + 1
}
