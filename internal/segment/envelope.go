package segment

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The fixed pieces at both ends of a file. docs/format/segment.md has the table.
const (
	headMagic  = "TWblk\r\n\x1a"
	footMagic  = "TWblkEND"
	headSize   = 48
	footSize   = 88
	minimumLen = headSize + footSize
)

// ErrVersion is wrapped by the error of Open for an intact file that a newer
// release wrote.
var ErrVersion = errors.New("unknown format version")

func appendHeader(dst []byte, h *Header, sum *checksum) []byte {
	start := len(dst)
	dst = append(dst, headMagic...)
	dst = append(dst, h.version(), h.flags(), 0, 0)
	dst = binary.LittleEndian.AppendUint64(dst, h.StoreID)
	dst = binary.LittleEndian.AppendUint64(dst, h.FileNo)
	dst = binary.LittleEndian.AppendUint64(dst, h.MinLSN)
	dst = binary.LittleEndian.AppendUint64(dst, h.MaxLSN)
	return sum.append(dst, start, pieceHeader, 0)
}

// flagCold in the second byte of the version says that compressing was tried for
// all blocks.
const flagCold = 1

func (h *Header) version() byte {
	if h.Coded {
		return versionCoded
	}
	return Version
}

func (h *Header) flags() byte {
	if h.Coded && h.Cold {
		return flagCold
	}
	return 0
}

// parseHeader returns the reason for refusing b, which has headSize bytes. A
// checksum that holds for the ids in the header, but not for the expected ones,
// tells a foreign file from a damaged one.
func parseHeader(b []byte, storeID, fileNo uint64) (h Header, reason string, err error) {
	if string(b[:8]) != headMagic {
		return h, "header magic is wrong", nil
	}
	h = Header{
		StoreID: binary.LittleEndian.Uint64(b[12:]),
		FileNo:  binary.LittleEndian.Uint64(b[20:]),
		MinLSN:  binary.LittleEndian.Uint64(b[28:]),
		MaxLSN:  binary.LittleEndian.Uint64(b[36:]),
	}
	h.Coded = b[8] == versionCoded
	h.Cold = h.Coded && b[9]&flagCold != 0
	var own checksum
	own.init(h.StoreID, h.FileNo)
	switch {
	case !own.holds(pieceHeader, 0, b):
		return h, "header checksum is wrong", nil
	case b[8] != Version && (b[8] != versionCoded || b[9]&^flagCold != 0):
		return h, "", fmt.Errorf("format version %d: %w", b[8], ErrVersion)
	case h.StoreID != storeID:
		return h, fmt.Sprintf("file of another store: id %#x, expected %#x", h.StoreID, storeID), nil
	case h.FileNo != fileNo:
		return h, fmt.Sprintf("file number %d, expected %d", h.FileNo, fileNo), nil
	}
	return h, "", nil
}

// footer is the last piece: where the index is, and totals.
type footer struct {
	index     int64  // offset of the first index page, end of the blocks
	directory int64  // offset
	dirLen    uint32 // without checksum
	series    uint32
	blocks    uint32
	points    uint64
	minTime   int64
	maxTime   int64
	minLSN    uint64
	maxLSN    uint64
	version   byte
	coder     byte // of compressed blocks, 0 if there are none
}

func (f *footer) append(dst []byte, sum *checksum, offset int64) []byte {
	start := len(dst)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(f.index))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(f.directory))
	dst = binary.LittleEndian.AppendUint32(dst, f.dirLen)
	dst = binary.LittleEndian.AppendUint32(dst, f.series)
	dst = binary.LittleEndian.AppendUint32(dst, f.blocks)
	dst = append(dst, max(f.version, Version), f.coder, 0, 0)
	dst = binary.LittleEndian.AppendUint64(dst, f.points)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(f.minTime))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(f.maxTime))
	dst = binary.LittleEndian.AppendUint64(dst, f.minLSN)
	dst = binary.LittleEndian.AppendUint64(dst, f.maxLSN)
	dst = append(dst, footMagic...)
	dst = append(dst, 0, 0, 0, 0)
	return sum.append(dst, start, pieceFooter, offset)
}

// maxDirectory bounds the directory, which is read as a whole, in 32 bits too.
const maxDirectory = 1 << 30

// parse reads b, the footSize bytes at offset, and returns the reason for
// refusing them.
func (f *footer) parse(b []byte, sum *checksum, offset int64) (reason string) {
	if string(b[72:80]) != footMagic {
		return "footer magic is wrong"
	}
	if !sum.holds(pieceFooter, offset, b) {
		return "footer checksum is wrong"
	}
	*f = footer{
		index:     int64(binary.LittleEndian.Uint64(b)),
		directory: int64(binary.LittleEndian.Uint64(b[8:])),
		dirLen:    binary.LittleEndian.Uint32(b[16:]),
		series:    binary.LittleEndian.Uint32(b[20:]),
		blocks:    binary.LittleEndian.Uint32(b[24:]),
		version:   b[28],
		coder:     b[29],
		points:    binary.LittleEndian.Uint64(b[32:]),
		minTime:   int64(binary.LittleEndian.Uint64(b[40:])),
		maxTime:   int64(binary.LittleEndian.Uint64(b[48:])),
		minLSN:    binary.LittleEndian.Uint64(b[56:]),
		maxLSN:    binary.LittleEndian.Uint64(b[64:]),
	}
	switch {
	case f.index < headSize || f.directory < f.index || f.directory > offset ||
		f.dirLen > maxDirectory || f.directory+int64(f.dirLen)+crcSize != offset:
		return "footer points outside the file"
	case f.minTime > f.maxTime:
		return "footer times are reversed"
	}
	return ""
}
