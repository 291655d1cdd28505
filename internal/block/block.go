// Package block encodes column chunks: one times block and, for each series, a
// value block over the same rows, together with the statistics that let a query
// skip or answer a block without decoding it. docs/format/block.md has the
// bytes.
//
// Decoders take any bytes: what this package did not write gives an error that
// wraps errs.Corrupt, never a panic, and memory in proportion to the number of
// rows asked for and the length of the input.
package block

import (
	"fmt"

	"github.com/tickwell/tickwell/internal/codec"
	"github.com/tickwell/tickwell/internal/errs"
)

// MaxRows is the largest number of rows of a chunk.
const MaxRows = codec.MaxValues

// A block begins with one byte: the kind of its values in the low three bits,
// and flags.
const (
	kindMask       = 0x07
	kindTimes      = 7    // beside the kinds of package column
	flagNulls      = 0x40 // a null bit set follows
	flagCompressed = 0x80 // reserved for blocks compressed as a whole
)

func corrupt(what, format string, args ...any) error {
	return fmt.Errorf("decode %s: %s: %w", what, fmt.Sprintf(format, args...), errs.Corrupt)
}
