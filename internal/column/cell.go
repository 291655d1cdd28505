package column

import "math"

// Cell is one value: Num holds the bits of a number or a bool, Text a text. The
// kind Null is no value.
type Cell struct {
	Num  uint64
	Text string
	Kind Kind
}

// Cell returns value i.
func (v *Vector) Cell(i int) Cell {
	c := Cell{Kind: v.Kind}
	switch v.Kind {
	case Bool:
		if v.Bools[i] {
			c.Num = 1
		}
	case Int32:
		c.Num = uint64(uint32(v.Int32s[i]))
	case Int64:
		c.Num = uint64(v.Int64s[i])
	case Float32:
		c.Num = uint64(math.Float32bits(v.Float32s[i]))
	case Float64:
		c.Num = math.Float64bits(v.Float64s[i])
	case Text:
		c.Text = v.Texts[i]
	}
	return c
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

// SetCell replaces value i by a cell of v's kind.
func (v *Vector) SetCell(i int, c Cell) {
	switch v.Kind {
	case Float64:
		v.Float64s[i] = math.Float64frombits(c.Num)
	case Int64:
		v.Int64s[i] = int64(c.Num)
	case Int32:
		v.Int32s[i] = int32(uint32(c.Num))
	case Float32:
		v.Float32s[i] = math.Float32frombits(uint32(c.Num))
	case Bool:
		v.Bools[i] = c.Num != 0
	case Text:
		v.Texts[i] = c.Text
	}
}
