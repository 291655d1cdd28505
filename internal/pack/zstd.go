// Package pack compresses blocks of bytes with zstd. A store links it only if its
// program asks for it.
package pack

import (
	"fmt"

	"github.com/klauspost/compress/zstd"

	"github.com/tickwell/tickwell/internal/errs"
)

// Zstd is a coder for one store. It may be used by several goroutines at once.
type Zstd struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

// NewZstd returns a coder of its own for a store: what the coder waits on inside
// belongs to the testing/synctest bubble in which it was made.
func NewZstd() (*Zstd, error) {
	enc, err := zstd.NewWriter(nil,
		zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithAllLitEntropyCompression(true),
		zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true),
		zstd.WithSingleSegment(true), zstd.WithEncoderCRC(false)) // blocks have a checksum of their own
	if err != nil {
		return nil, fmt.Errorf("zstd: %w", err)
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderLowmem(true), zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		return nil, fmt.Errorf("zstd: %w", err)
	}
	return &Zstd{enc: enc, dec: dec}, nil
}

// Compress appends src, compressed, to dst.
func (z *Zstd) Compress(dst, src []byte) []byte { return z.enc.EncodeAll(src, dst) }

// Decompress appends the size bytes that src says to dst. Anything else in src is
// an error that wraps errs.Corrupt; no more memory than for size bytes is taken.
func (z *Zstd) Decompress(dst, src []byte, size int) ([]byte, error) {
	start := len(dst)
	if room := start + size; cap(dst) < room {
		dst = append(make([]byte, 0, room), dst...)
	}
	out, err := z.dec.DecodeAll(src, dst[:start:start+size])
	switch {
	case err != nil:
		return dst[:start], fmt.Errorf("zstd: %w: %w", err, errs.Corrupt)
	case len(out) != start+size:
		return dst[:start], fmt.Errorf("zstd: %d bytes instead of %d: %w", len(out)-start, size, errs.Corrupt)
	}
	return out, nil
}
