package segment

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

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
	// cells is the last column of readCells.
	cells []uint64
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
		dst = c.appendCells(dst, kind, blocks, field.get)
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
	set func(blocks []BlockInfo, v []int64) bool
}{
	{func(b *BlockInfo) int64 { return int64(b.N) }, func(blocks []BlockInfo, v []int64) bool {
		ok := true
		for i, x := range v {
			blocks[i].N = int(x)
			ok = ok && x >= 1 && x <= block.MaxRows
		}
		return ok
	}},
	{func(b *BlockInfo) int64 { return int64(b.Stats.Count) }, func(blocks []BlockInfo, v []int64) bool {
		ok := true
		for i, x := range v {
			blocks[i].Stats.Count = uint32(x)
			ok = ok && x >= 1 && x <= int64(blocks[i].N)
		}
		return ok
	}},
	{func(b *BlockInfo) int64 { return int64(b.Stats.Flags) }, func(blocks []BlockInfo, v []int64) bool {
		ok := true
		for i, x := range v {
			blocks[i].Stats.Flags = uint8(x)
			ok = ok && x >= 0 && x <= math.MaxUint8
		}
		return ok
	}},
	{func(b *BlockInfo) int64 { return b.MinTime }, func(blocks []BlockInfo, v []int64) bool {
		for i, x := range v {
			blocks[i].MinTime, blocks[i].Stats.MinTime = x, x
		}
		return true
	}},
	{func(b *BlockInfo) int64 { return b.MaxTime - b.MinTime }, func(blocks []BlockInfo, v []int64) bool {
		ok := true
		for i, x := range v {
			end := blocks[i].MinTime + x
			blocks[i].MaxTime, blocks[i].Stats.MaxTime = end, end
			ok = ok && end >= blocks[i].MinTime
		}
		return ok
	}},
	{func(b *BlockInfo) int64 { return b.Times.Offset }, func(blocks []BlockInfo, v []int64) bool {
		ok := true
		for i, x := range v {
			blocks[i].Times.Offset = x
			ok = ok && x >= headSize
		}
		return ok
	}},
	{func(b *BlockInfo) int64 { return int64(b.Times.Length) }, func(blocks []BlockInfo, v []int64) bool {
		ok := true
		for i, x := range v {
			blocks[i].Times.Length = uint32(x)
			ok = ok && x >= 1 && x <= MaxPayload
		}
		return ok
	}},
	{func(b *BlockInfo) int64 { return b.Values.Offset }, func(blocks []BlockInfo, v []int64) bool {
		ok := true
		for i, x := range v {
			blocks[i].Values.Offset = x
			ok = ok && x >= headSize
		}
		return ok
	}},
	{func(b *BlockInfo) int64 { return int64(b.Values.Length) }, func(blocks []BlockInfo, v []int64) bool {
		ok := true
		for i, x := range v {
			blocks[i].Values.Length = uint32(x)
			ok = ok && x >= 1 && x <= MaxPayload
		}
		return ok
	}},
}

// cellFields are the statistics that are cells.
var cellFields = [...]struct {
	get func(b *BlockInfo) uint64
	set func(blocks []BlockInfo, v []uint64)
}{
	{func(b *BlockInfo) uint64 { return b.Stats.First }, func(blocks []BlockInfo, v []uint64) {
		for i, x := range v {
			blocks[i].Stats.First = x
		}
	}},
	{func(b *BlockInfo) uint64 { return b.Stats.Last }, func(blocks []BlockInfo, v []uint64) {
		for i, x := range v {
			blocks[i].Stats.Last = x
		}
	}},
	{func(b *BlockInfo) uint64 { return b.Stats.Min }, func(blocks []BlockInfo, v []uint64) {
		for i, x := range v {
			blocks[i].Stats.Min = x
		}
	}},
	{func(b *BlockInfo) uint64 { return b.Stats.Max }, func(blocks []BlockInfo, v []uint64) {
		for i, x := range v {
			blocks[i].Stats.Max = x
		}
	}},
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

// entryHead reads the head of the entry src, which must belong to the series and kind,
// and returns the number of blocks and the columns.
func entryHead(src []byte, series uint32, kind column.Kind) (blocks int, columns []byte, err error) {
	id, k := binary.Uvarint(src)
	if k <= 0 || id != uint64(series) || len(src) < k+2 || src[k] != byte(kind) || !kind.Valid() {
		return 0, nil, badEntry("it is not the one that the directory names")
	}
	if blocks = int(src[k+1]); blocks < 1 || blocks > maxEntryBlocks {
		return 0, nil, badEntry("number of blocks")
	}
	return blocks, src[k+2:], nil
}

// parse appends to dst the blocks of the entry src, which must belong to the
// series and kind and lie before end.
func (c *entryCoder) parse(dst []BlockInfo, src []byte, series uint32, kind column.Kind, end int64) ([]BlockInfo, error) {
	m, src, err := entryHead(src, series, kind)
	if err != nil {
		return dst, err
	}
	start := len(dst)
	dst = slices.Grow(dst, m)[:start+m]
	blocks := dst[start:]
	for i := range blocks {
		blocks[i] = BlockInfo{Series: series, Kind: kind}
	}
	for i := range intFields {
		if src, err = c.readInts(src, m); err != nil {
			return dst[:start], err
		}
		if !intFields[i].set(blocks, c.ints) {
			return dst[:start], badEntry("field out of range")
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
	for i := range cellFields {
		if src, err = c.readCells(src, len(blocks), kind); err != nil {
			return nil, err
		}
		cellFields[i].set(blocks, c.cells)
	}
	if kind.Numeric() {
		if src, err = c.readCells(src, len(blocks), column.Float64); err != nil {
			return nil, err
		}
		for i, x := range c.cells {
			blocks[i].Stats.SumF = math.Float64frombits(x)
		}
	}
	if kind != column.Float32 && kind != column.Float64 {
		if src, err = c.readInts(src, len(blocks)); err != nil {
			return nil, err
		}
		for i, x := range c.ints {
			blocks[i].Stats.SumI = x
		}
	}
	return src, nil
}

// readInts reads the next column of n integers into c.ints.
func (c *entryCoder) readInts(src []byte, n int) (rest []byte, err error) {
	col, rest, err := nextColumn(src)
	if err != nil {
		return nil, err
	}
	c.ints = slices.Grow(c.ints[:0], n)[:n]
	if !codec.FewInt64s(c.ints, src[len(src)-len(rest)-len(col):], len(col)) {
		c.ints, err = c.dec.Int64s(c.ints, col, n)
	}
	return rest, err
}

// readCells reads the next column of n cells of a kind into c.cells.
func (c *entryCoder) readCells(src []byte, n int, kind column.Kind) (rest []byte, err error) {
	c.cells = slices.Grow(c.cells[:0], n)[:n]
	if kind != column.Float64 && kind != column.Float32 {
		rest, err = c.readInts(src, n)
		for i, x := range c.ints {
			c.cells[i] = uint64(x)
		}
		return rest, err
	}
	col, rest, err := nextColumn(src)
	if err != nil {
		return nil, err
	}
	if kind == column.Float32 {
		c.f32, err = c.dec.Float32s(c.f32, col, n)
		for i, x := range c.f32 {
			c.cells[i] = uint64(math.Float32bits(x))
		}
		return rest, err
	}
	c.f64, c.ints = slices.Grow(c.f64[:0], n)[:n], slices.Grow(c.ints[:0], n)[:n]
	if !codec.FewFloat64s(c.f64, c.ints, src[len(src)-len(rest)-len(col):], len(col)) {
		c.f64, err = c.dec.Float64s(c.f64, col, n)
	}
	for i, x := range c.f64 {
		c.cells[i] = math.Float64bits(x)
	}
	return rest, err
}
