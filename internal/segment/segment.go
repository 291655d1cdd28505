// Package segment writes and reads immutable block files (.blk): encoded times
// and values of many series, with an index of statistics. docs/format/segment.md
// has the bytes.
//
// Every byte of a file is under a CRC-32C that also covers the store, the file's
// number, the position, the kind and the length of the piece, so a block that
// strayed from elsewhere is damage and never data. Damage is a *DamageError,
// which wraps errs.Corrupt.
package segment

import (
	"fmt"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
)

// Versions of the format: Version is what Writer writes, versionCoded if blocks
// may be compressed as a whole.
const (
	Version      = 1
	versionCoded = 2
)

// MaxPayload is the largest encoded block in bytes.
const MaxPayload = 64 << 20

// Header says which file this is.
type Header struct {
	StoreID uint64 // the store that the file belongs to
	FileNo  uint64 // unique in the store
	MinLSN  uint64 // log range that the file's rows came from
	MaxLSN  uint64

	Coded bool // blocks may be compressed: the writer may be given a Coder
	Cold  bool // it was tried for all blocks
}

// Meta describes a whole file.
type Meta struct {
	Header
	Size    int64 // bytes
	Points  uint64
	Blocks  int
	Series  int
	MinTime int64 // of all points; both 0 if there are none
	MaxTime int64
	Packed  bool // some blocks are compressed
}

// Ref is the place of an encoded block: byte offset in the file and length
// without its checksum. Series of one chunk have equal times refs.
type Ref struct {
	Offset int64
	Length uint32
}

// end returns where the checksum of the block ends.
func (r Ref) end() int64 { return r.Offset + int64(r.Length) + crcSize }

// ChunkRef is a chunk that BeginChunk began, to which AddBlock adds value
// blocks.
type ChunkRef struct {
	N                int // rows
	MinTime, MaxTime int64

	id int // 1 and up
}

// BlockInfo is what the index knows of a block of one series.
type BlockInfo struct {
	Series           uint32
	Kind             column.Kind
	N                int   // rows, nulls included
	MinTime, MaxTime int64 // first and last non-null row
	Stats            block.Stats
	Times, Values    Ref
}

// DamageError tells which bytes of which file cannot be trusted. It wraps
// errs.Corrupt.
type DamageError struct {
	File   string
	Offset int64
	Length int64
	Reason string
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("read segment %s: bytes [%d, %d): %s", e.File, e.Offset, e.Offset+e.Length, e.Reason)
}

// Unwrap makes errors.Is(err, errs.Corrupt) hold.
func (e *DamageError) Unwrap() error { return errs.Corrupt }

// Damage is one finding of Reader.Verify: the bytes, and which points they
// held as far as the index tells.
type Damage struct {
	DamageError
	AllSeries        bool   // Series means nothing: any series may be affected
	Series           uint32 // the series whose block it is
	MinTime, MaxTime int64  // of the points affected, both inclusive
}
