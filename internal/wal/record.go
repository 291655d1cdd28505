package wal

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
)

// A record is 24 bytes of header and the payload, padded with zeros to a
// multiple of 8:
//
//	0 crc32c | 4 length | 8 lsn | 16 behind | 20 kind | 21 flags | 22 zero | 24 payload
//
// length counts header and payload, so that zeros are never a record. behind is
// lsn minus the last synced LSN at the time of writing, the promise on which
// recovery tells damage from a torn end.
const (
	recordHeader = 24
	noPromise    = 1<<32 - 1 // behind: nothing is said about what is synced

	// flagEnd ends a segment; lsn is that of the last record before it.
	flagEnd = 1
	// flagGap says that the positions up to lsn were never stored.
	flagGap = 2
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func align8(n int) int { return (n + 7) &^ 7 }

// recordSize returns the padded size of the record at the start of b.
func recordSize(b []byte) int { return align8(int(binary.LittleEndian.Uint32(b[4:]))) }

// recordLSN returns position and flags of the record at the start of b, which is
// known to be one.
func recordLSN(b []byte) (lsn uint64, flags uint8) {
	return binary.LittleEndian.Uint64(b[8:]), b[21]
}

// appendRecord appends a record without promise and checksum, see [seal].
func appendRecord(dst []byte, kind, flags uint8, lsn uint64, payload []byte) []byte {
	n := recordHeader + len(payload)
	at, size := len(dst), align8(n)
	dst = slices.Grow(dst, size)[:at+size]
	r := dst[at:]
	binary.LittleEndian.PutUint64(r[size-8:], 0) // padding; what else is there is written next
	binary.LittleEndian.PutUint64(r, uint64(n)<<32)
	binary.LittleEndian.PutUint64(r[8:], lsn)
	binary.LittleEndian.PutUint64(r[16:], noPromise|uint64(kind)<<32|uint64(flags)<<40)
	copy(r[recordHeader:], payload)
	return dst
}

// seal writes promise and checksum into the record that fills b. base is the
// segment's [checksumBase], off the record's place in the file.
func seal(b []byte, base uint32, off int64, synced uint64) {
	binary.LittleEndian.PutUint32(b[16:], promise(binary.LittleEndian.Uint64(b[8:]), synced))
	binary.LittleEndian.PutUint32(b, checksum(b, base, off))
}

// promise returns what a record says in the field behind.
func promise(lsn, synced uint64) uint32 {
	if synced != 0 && lsn-synced < noPromise {
		return uint32(lsn - synced)
	}
	return noPromise
}

// checksum is the crc32c of (store id, segment, salt), which base is already,
// and the record with off/8 in the place of the checksum. It overwrites the
// checksum field.
func checksum(b []byte, base uint32, off int64) uint32 {
	binary.LittleEndian.PutUint32(b, uint32(off/8))
	return crc32.Update(base, castagnoli, b)
}

func checksumBase(storeID, segment, salt uint64) uint32 {
	var b [24]byte
	binary.LittleEndian.PutUint64(b[:], storeID)
	binary.LittleEndian.PutUint64(b[8:], segment)
	binary.LittleEndian.PutUint64(b[16:], salt)
	return crc32.Checksum(b[:], castagnoli)
}

// record is a record read from a file; payload points into the reader's buffer.
type record struct {
	off, end    int64
	lsn, synced uint64
	kind, flags uint8
	payload     []byte
}

// parseHeader reads a record's header and reports whether it can be one; end
// is not yet known to be inside the file.
func parseHeader(b []byte, off int64) (r record, ok bool) {
	length := binary.LittleEndian.Uint32(b[4:])
	if length < recordHeader || length > recordHeader+MaxPayload {
		return record{}, false
	}
	behind := binary.LittleEndian.Uint32(b[16:])
	r = record{
		off: off, end: off + int64(align8(int(length))),
		lsn:  binary.LittleEndian.Uint64(b[8:]),
		kind: b[20], flags: b[21],
	}
	if b[22] != 0 || b[23] != 0 || r.flags > flagGap || r.lsn == 0 || r.lsn > maxLSN {
		return record{}, false
	}
	if r.flags != 0 && length != recordHeader {
		return record{}, false
	}
	if behind != noPromise {
		if uint64(behind) > r.lsn {
			return record{}, false
		}
		r.synced = r.lsn - uint64(behind)
	}
	return r, true
}

// maxLSN keeps sums of positions from overflowing whatever a file says.
const maxLSN = 1 << 62
