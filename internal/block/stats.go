package block

import (
	"github.com/tickwell/tickwell/internal/column"
)

// Flags of Stats.
const (
	// FlagNaN tells that some float cell is NaN. NaN takes no part in Min and
	// Max and makes SumF NaN.
	FlagNaN uint8 = 1 << iota
	// FlagNoRange tells that Min and Max mean nothing: Text, no cells, or only
	// NaN.
	FlagNoRange
	// FlagOverflow tells that the integer sum left the range of int64: SumI
	// means nothing, SumF holds the sum rounded to float64.
	FlagOverflow
)

// Stats summarises the non-null cells of a block.
type Stats struct {
	Count   uint32 // non-null cells
	Flags   uint8
	MinTime int64 // time of the first non-null row
	MaxTime int64 // time of the last non-null row
	// First, Last, Min and Max hold the cell's bits: IEEE 754 bits for floats
	// (a Float32's in the low 32), two's complement of the value widened to 64
	// bits for integers, 0 and 1 for Bool. Zero for Text.
	First, Last, Min, Max uint64
	SumF                  float64 // floats, and integers after an overflow
	SumI                  int64   // integers; number of true for Bool
}

// Compute sets s from the rows of a chunk: times strictly increasing, v and
// nulls over the same rows.
func (s *Stats) Compute(times []int64, v *column.Vector, nulls column.Bitmap) {}

// Append appends s to dst; ReadStats reads it.
func (s *Stats) Append(dst []byte) []byte { return dst }

// ReadStats reads what Append wrote and returns what follows it.
func ReadStats(src []byte) (s Stats, rest []byte, err error) { return s, src, nil }
