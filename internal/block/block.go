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
	"github.com/tickwell/tickwell/internal/codec"
)

// MaxRows is the largest number of rows of a chunk; positions in a block fit 16
// bits.
const MaxRows = codec.MaxValues
