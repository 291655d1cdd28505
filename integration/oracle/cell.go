// Package oracle knows what a store must hold after a list of calls. It shares
// no code with the store: it imports the standard library only, so a mistake in
// the store cannot hide itself in the oracle.
package oracle

import (
	"fmt"
	"math"
)

// Kind is the type of a cell, by the numbers of the documents' six types.
type Kind uint8

// The kinds. Null is a cell that was not measured.
const (
	Null Kind = iota
	Bool
	Int32
	Int64
	Float32
	Float64
	Text
)

// String returns the lower-case name of the kind.
func (k Kind) String() string {
	names := [...]string{"null", "bool", "int32", "int64", "float32", "float64", "text"}
	if int(k) < len(names) {
		return names[k]
	}
	return "invalid"
}

// Cell is one value, by its bits: two cells are the same if == says so, which is
// true of a NaN and itself and false of 0 and -0.
type Cell struct {
	Kind Kind
	Bits uint64 // of a Bool 0 or 1; of an Int32 or Float32 the lower half
	Text string
}

// IntCell returns a cell of kind Int64.
func IntCell(v int64) Cell { return Cell{Kind: Int64, Bits: uint64(v)} }

// TextCell returns a cell of kind Text.
func TextCell(s string) Cell { return Cell{Kind: Text, Text: s} }

// String returns the value for messages; floats with their bits.
func (c Cell) String() string {
	switch c.Kind {
	case Null:
		return "null"
	case Bool:
		return fmt.Sprint(c.Bits == 1)
	case Int32:
		return fmt.Sprint(int32(c.Bits))
	case Int64:
		return fmt.Sprint(int64(c.Bits))
	case Float32:
		return fmt.Sprintf("%v(%08x)", math.Float32frombits(uint32(c.Bits)), c.Bits)
	case Float64:
		return fmt.Sprintf("%v(%016x)", math.Float64frombits(c.Bits), c.Bits)
	}
	if len(c.Text) > 24 {
		return fmt.Sprintf("%q…(%d bytes)", c.Text[:20], len(c.Text))
	}
	return fmt.Sprintf("%q", c.Text)
}

// mix is the finalizer of splitmix64.
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func hashText(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return mix(h)
}

// hashPoint is what a point adds to the hash of its series.
func hashPoint(at int64, c Cell) uint64 {
	h := mix(uint64(at)) ^ mix(c.Bits+uint64(c.Kind)<<56)
	if c.Kind == Text {
		h ^= hashText(c.Text)
	}
	return mix(h)
}
