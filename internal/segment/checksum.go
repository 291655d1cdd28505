package segment

import (
	"encoding/binary"
	"hash/crc32"
)

// Kinds of pieces of a file. Their numbers are part of checksums and never
// change.
const (
	pieceHeader byte = 1 + iota
	pieceTimes
	pieceValues
	pieceIndex
	pieceDirectory
	pieceFooter
)

const crcSize = 4

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum computes the CRC-32C of pieces of one file: over store id, file
// number, offset, kind and length of the piece, then its bytes.
type checksum struct {
	file uint32 // after store id and file number
	// buf holds the other fields. It is here because what is given to crc32
	// escapes.
	buf [13]byte
}

func (c *checksum) init(storeID, fileNo uint64) {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], storeID)
	binary.LittleEndian.PutUint64(b[8:], fileNo)
	c.file = crc32.Update(0, castagnoli, b[:])
}

func (c *checksum) of(kind byte, offset int64, piece []byte) uint32 {
	binary.LittleEndian.PutUint64(c.buf[:], uint64(offset))
	c.buf[8] = kind
	binary.LittleEndian.PutUint32(c.buf[9:], uint32(len(piece)))
	crc := crc32.Update(c.file, castagnoli, c.buf[:])
	return crc32.Update(crc, castagnoli, piece)
}

// holds reports whether framed, a piece followed by its checksum, is intact.
func (c *checksum) holds(kind byte, offset int64, framed []byte) bool {
	n := len(framed) - crcSize
	return n >= 0 && c.of(kind, offset, framed[:n]) == binary.LittleEndian.Uint32(framed[n:])
}

// appendChecksum appends the checksum of the piece dst[start:], which lies at
// offset in the file.
func (c *checksum) append(dst []byte, start int, kind byte, offset int64) []byte {
	return binary.LittleEndian.AppendUint32(dst, c.of(kind, offset, dst[start:]))
}
