package segment

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/codec"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
)

// maxEntryBlocks is the largest number of blocks in one index entry. A series
// with more has several.
const maxEntryBlocks = 64

// entryCoder turns up to maxEntryBlocks blocks of one series into an index entry
// and back. Each field of the blocks is a column, encoded like data: offsets
// grow by a typical step, sensor readings have few decimals.
type entryCoder struct {
	enc  codec.Encoder
	dec  codec.Decoder
	out  []byte
	ints []int64
	f64  []float64
	f32  []float32
}

// appendColumn appends the column's length in bytes and its encoding.
func (c *entryCoder) appendColumn(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(c.out)))
	return append(dst, c.out...)
}

func (c *entryCoder) appendInts(dst []byte, blocks []BlockInfo, field func(b *BlockInfo) int64) []byte {
	c.ints = c.ints[:0]
	for i := range blocks {
		c.ints = append(c.ints, field(&blocks[i]))
	}
	c.out = c.enc.AppendInt64s(c.out[:0], c.ints)
	return c.appendColumn(dst)
}

// appendCells appends statistics that are cells of the series' kind.
func (c *entryCoder) appendCells(dst []byte, kind column.Kind, blocks []BlockInfo, field func(b *BlockInfo) uint64) []byte {
	switch kind {
	case column.Float64:
		c.f64 = c.f64[:0]
		for i := range blocks {
			c.f64 = append(c.f64, math.Float64frombits(field(&blocks[i])))
		}
		c.out = c.enc.AppendFloat64s(c.out[:0], c.f64)
		return c.appendColumn(dst)
	case column.Float32:
		c.f32 = c.f32[:0]
		for i := range blocks {
			c.f32 = append(c.f32, math.Float32frombits(uint32(field(&blocks[i]))))
		}
		c.out = c.enc.AppendFloat32s(c.out[:0], c.f32)
		return c.appendColumn(dst)
	}
	return c.appendInts(dst, blocks, func(b *BlockInfo) int64 { return int64(field(b)) })
}

// append appends the entry of blocks, which are of one series and kind.
func (c *entryCoder) append(dst []byte, blocks []BlockInfo) []byte {
	kind := blocks[0].Kind
	dst = binary.AppendUvarint(dst, uint64(blocks[0].Series))
	dst = append(dst, byte(kind), byte(len(blocks)))
	for _, field := range intFields {
		dst = c.appendInts(dst, blocks, field.get)
	}
	if kind == column.Text {
		return dst
	}
	for _, field := range cellFields {
		dst = c.appendCells(dst, kind, blocks, func(b *BlockInfo) uint64 { return *field(b) })
	}
	if kind.Numeric() {
		dst = c.appendCells(dst, column.Float64, blocks, func(b *BlockInfo) uint64 { return math.Float64bits(b.Stats.SumF) })
	}
	if kind != column.Float32 && kind != column.Float64 {
		dst = c.appendInts(dst, blocks, func(b *BlockInfo) int64 { return b.Stats.SumI })
	}
	return dst
}

// intFields are the integer columns of every entry, in order of the file. set
// returns false for a value that the writer never writes.
var intFields = [...]struct {
	get func(b *BlockInfo) int64
	set func(b *BlockInfo, x int64) bool
}{
	{func(b *BlockInfo) int64 { return int64(b.N) },
		func(b *BlockInfo, x int64) bool { b.N = int(x); return x >= 1 && x <= block.MaxRows }},
	{func(b *BlockInfo) int64 { return int64(b.Stats.Count) },
		func(b *BlockInfo, x int64) bool { b.Stats.Count = uint32(x); return x >= 1 && x <= int64(b.N) }},
	{func(b *BlockInfo) int64 { return int64(b.Stats.Flags) },
		func(b *BlockInfo, x int64) bool { b.Stats.Flags = uint8(x); return x >= 0 && x <= math.MaxUint8 }},
	{func(b *BlockInfo) int64 { return b.MinTime },
		func(b *BlockInfo, x int64) bool { b.MinTime = x; return true }},
	{func(b *BlockInfo) int64 { return b.MaxTime - b.MinTime },
		func(b *BlockInfo, x int64) bool { b.MaxTime = b.MinTime + x; return b.MaxTime >= b.MinTime }},
	{func(b *BlockInfo) int64 { return b.Times.Offset },
		func(b *BlockInfo, x int64) bool { b.Times.Offset = x; return x >= headSize }},
	{func(b *BlockInfo) int64 { return int64(b.Times.Length) },
		func(b *BlockInfo, x int64) bool { b.Times.Length = uint32(x); return x >= 1 && x <= MaxPayload }},
	{func(b *BlockInfo) int64 { return b.Values.Offset },
		func(b *BlockInfo, x int64) bool { b.Values.Offset = x; return x >= headSize }},
	{func(b *BlockInfo) int64 { return int64(b.Values.Length) },
		func(b *BlockInfo, x int64) bool { b.Values.Length = uint32(x); return x >= 1 && x <= MaxPayload }},
}

// cellFields are the statistics that are cells.
var cellFields = [...]func(b *BlockInfo) *uint64{
	func(b *BlockInfo) *uint64 { return &b.Stats.First },
	func(b *BlockInfo) *uint64 { return &b.Stats.Last },
	func(b *BlockInfo) *uint64 { return &b.Stats.Min },
	func(b *BlockInfo) *uint64 { return &b.Stats.Max },
}

func badEntry(what string) error { return fmt.Errorf("index entry: %s: %w", what, errs.Corrupt) }

// column cuts the next column off src.
func nextColumn(src []byte) (col, rest []byte, err error) {
	n, k := binary.Uvarint(src)
	if k <= 0 || n > uint64(len(src)-k) {
		return nil, nil, badEntry("column is cut off")
	}
	return src[k : k+int(n)], src[k+int(n):], nil
}

// parse appends to dst the blocks of the entry src, which must belong to the
// series and kind and lie before end.
func (c *entryCoder) parse(dst []BlockInfo, src []byte, series uint32, kind column.Kind, end int64) ([]BlockInfo, error) {
	id, k := binary.Uvarint(src)
	if k <= 0 || id != uint64(series) || len(src) < k+2 || src[k] != byte(kind) || !kind.Valid() {
		return dst, badEntry("it is not the one that the directory names")
	}
	m := int(src[k+1])
	if m < 1 || m > maxEntryBlocks {
		return dst, badEntry("number of blocks")
	}
	src = src[k+2:]
	start := len(dst)
	for range m {
		dst = append(dst, BlockInfo{Series: series, Kind: kind})
	}
	blocks := dst[start:]
	var err error
	for _, field := range intFields {
		if src, err = c.readInts(src, blocks, field.set); err != nil {
			return dst[:start], err
		}
	}
	if src, err = c.parseStats(src, blocks, kind); err != nil {
		return dst[:start], err
	}
	if len(src) > 0 {
		return dst[:start], badEntry("bytes left over")
	}
	for i := range blocks {
		b := &blocks[i]
		b.Stats.MinTime, b.Stats.MaxTime = b.MinTime, b.MaxTime
		if !b.Times.within(end) || !b.Values.within(end) || i > 0 && b.MinTime <= blocks[i-1].MaxTime {
			return dst[:start], badEntry("blocks overlap or lie outside")
		}
	}
	return dst, nil
}

// within reports whether the block and its checksum lie before end.
func (r Ref) within(end int64) bool {
	return r.Offset <= end && int64(r.Length)+crcSize <= end-r.Offset
}

func (c *entryCoder) parseStats(src []byte, blocks []BlockInfo, kind column.Kind) ([]byte, error) {
	if kind == column.Text {
		return src, nil
	}
	var err error
	for _, field := range cellFields {
		src, err = c.readCells(src, blocks, kind, func(b *BlockInfo, x uint64) { *field(b) = x })
		if err != nil {
			return nil, err
		}
	}
	if kind.Numeric() {
		src, err = c.readCells(src, blocks, column.Float64, func(b *BlockInfo, x uint64) { b.Stats.SumF = math.Float64frombits(x) })
		if err != nil {
			return nil, err
		}
	}
	if kind != column.Float32 && kind != column.Float64 {
		return c.readInts(src, blocks, func(b *BlockInfo, x int64) bool { b.Stats.SumI = x; return true })
	}
	return src, nil
}

func (c *entryCoder) readInts(src []byte, blocks []BlockInfo, set func(b *BlockInfo, x int64) bool) (rest []byte, err error) {
	col, rest, err := nextColumn(src)
	if err != nil {
		return nil, err
	}
	if c.ints, err = c.dec.Int64s(c.ints, col, len(blocks)); err != nil {
		return nil, err
	}
	for i, x := range c.ints {
		if !set(&blocks[i], x) {
			return nil, badEntry("field out of range")
		}
	}
	return rest, nil
}

func (c *entryCoder) readCells(src []byte, blocks []BlockInfo, kind column.Kind, set func(b *BlockInfo, x uint64)) (rest []byte, err error) {
	switch kind {
	case column.Float64:
		col, rest, err := nextColumn(src)
		if err != nil {
			return nil, err
		}
		if c.f64, err = c.dec.Float64s(c.f64, col, len(blocks)); err != nil {
			return nil, err
		}
		for i, x := range c.f64 {
			set(&blocks[i], math.Float64bits(x))
		}
		return rest, nil
	case column.Float32:
		col, rest, err := nextColumn(src)
		if err != nil {
			return nil, err
		}
		if c.f32, err = c.dec.Float32s(c.f32, col, len(blocks)); err != nil {
			return nil, err
		}
		for i, x := range c.f32 {
			set(&blocks[i], uint64(math.Float32bits(x)))
		}
		return rest, nil
	}
	return c.readInts(src, blocks, func(b *BlockInfo, x int64) bool { set(b, uint64(x)); return true })
}
