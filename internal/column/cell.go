package column

import "math"

// Cell is one value: Num holds the bits of a number or a bool, Text a text. The
// kind Null is no value.
type Cell struct {
	Num  uint64
	Text string
	Kind Kind
}

// AppendCell appends a cell of v's kind.
func (v *Vector) AppendCell(c *Cell) {
	switch v.Kind {
	case Float64:
		v.Float64s = append(v.Float64s, math.Float64frombits(c.Num))
	case Int64:
		v.Int64s = append(v.Int64s, int64(c.Num))
	case Int32:
		v.Int32s = append(v.Int32s, int32(uint32(c.Num)))
	case Float32:
		v.Float32s = append(v.Float32s, math.Float32frombits(uint32(c.Num)))
	case Bool:
		v.Bools = append(v.Bools, c.Num != 0)
	case Text:
		v.Texts = append(v.Texts, c.Text)
	}
}
