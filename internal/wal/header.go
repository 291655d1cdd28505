package wal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
)

// A segment begins with two copies of its 64-byte header, so that one bad byte
// does not cost the whole segment:
//
//	0 magic | 8 version u16 | 10 flags u16 | 12 zero u32 | 16 store id |
//	24 segment | 32 salt | 40 first LSN | 48 zero | 60 crc32c
const (
	headerCopy  = 64
	headerBytes = 2 * headerCopy

	magic   = "tickwal\x00"
	version = 1

	// The file may hold bytes behind its end: those of a former life, or zeros.
	flagRecycled = 1
)

type header struct {
	version  uint16
	flags    uint16
	storeID  uint64
	segment  uint64
	salt     uint64
	firstLSN uint64
}

func (h *header) append(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, magic...)
	dst = binary.LittleEndian.AppendUint16(dst, h.version)
	dst = binary.LittleEndian.AppendUint16(dst, h.flags)
	dst = binary.LittleEndian.AppendUint32(dst, 0)
	dst = binary.LittleEndian.AppendUint64(dst, h.storeID)
	dst = binary.LittleEndian.AppendUint64(dst, h.segment)
	dst = binary.LittleEndian.AppendUint64(dst, h.salt)
	dst = binary.LittleEndian.AppendUint64(dst, h.firstLSN)
	dst = append(dst, make([]byte, 12)...)
	dst = binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
	return append(dst, dst[start:]...)
}

var errHeader = errors.New("no valid segment header")

// parseCopy reads one copy of a header.
func parseCopy(b []byte) (header, error) {
	if len(b) < headerCopy || string(b[:8]) != magic ||
		crc32.Checksum(b[:60], castagnoli) != binary.LittleEndian.Uint32(b[60:]) {
		return header{}, errHeader
	}
	h := header{
		version:  binary.LittleEndian.Uint16(b[8:]),
		flags:    binary.LittleEndian.Uint16(b[10:]),
		storeID:  binary.LittleEndian.Uint64(b[16:]),
		segment:  binary.LittleEndian.Uint64(b[24:]),
		salt:     binary.LittleEndian.Uint64(b[32:]),
		firstLSN: binary.LittleEndian.Uint64(b[40:]),
	}
	if h.firstLSN == 0 || h.firstLSN > maxLSN {
		return header{}, errHeader
	}
	return h, nil
}

// parseHeaders reads the two copies at the start of a segment. whole says that
// both are valid and equal.
func parseHeaders(b []byte) (h header, whole bool, err error) {
	first, err := parseCopy(b)
	var second header
	err2 := errHeader
	if len(b) >= headerBytes {
		second, err2 = parseCopy(b[headerCopy:])
	}
	switch {
	case err == nil:
		return first, err2 == nil && first == second, nil
	case err2 == nil:
		return second, false, nil
	}
	return header{}, false, err
}

const (
	segmentSuffix = ".wal"
	freeSuffix    = ".free" // retired, to be overwritten by a new segment
	tmpSuffix     = ".tmp"  // being created

	// maxSegment bounds the numbers believed, so that the next one exists.
	maxSegment = 1 << 62
)

func segmentName(num uint64) string { return fmt.Sprintf("%016x%s", num, segmentSuffix) }

// parseSegmentName accepts exactly the names that segmentName makes.
func parseSegmentName(name string) (num uint64, ok bool) {
	hex, found := strings.CutSuffix(name, segmentSuffix)
	if !found || len(hex) != 16 {
		return 0, false
	}
	num, err := strconv.ParseUint(hex, 16, 64)
	return num, err == nil && num <= maxSegment && segmentName(num) == name
}
