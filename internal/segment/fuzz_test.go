package segment

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/vfs"
)

// piece is a checksummed stretch of a file.
type piece struct {
	kind   byte
	offset int64
	length int // without checksum
}

// piecesOf lists all pieces of a good file in order. They must cover it.
func piecesOf(t testing.TB, fsys vfs.FS, name string) []piece {
	t.Helper()
	r, err := Open(fsys, name, testStore, testFile, nil)
	require.NoError(t, err)
	defer r.Close()
	f := &r.foot
	list := []piece{
		{pieceHeader, 0, headSize - crcSize},
		{pieceDirectory, f.directory, int(f.dirLen)},
		{pieceFooter, r.size - footSize, footSize - crcSize},
	}
	for _, p := range r.dir.pages {
		list = append(list, piece{pieceIndex, p.offset, int(p.length)})
	}
	for id := range r.Series() {
		blocks, err := r.Blocks(id)
		require.NoError(t, err)
		for _, b := range blocks {
			list = append(list, piece{pieceTimes, b.Times.Offset, int(b.Times.Length)},
				piece{pieceValues, b.Values.Offset, int(b.Values.Length)})
		}
	}
	slices.SortFunc(list, func(a, b piece) int { return int(a.offset - b.offset) })
	list = slices.Compact(list)
	at := int64(0)
	for _, p := range list {
		require.Equal(t, at, p.offset, "pieces have a gap before %+v", p)
		at += int64(p.length) + crcSize
	}
	require.Equal(t, r.size, at)
	return list
}

// FuzzReader changes bytes of a file and then makes the checksums right again,
// so that the code behind them is reached: it may return other data, for the
// checksum is what tells, but must not panic or return another error.
func FuzzReader(f *testing.F) {
	fsys := vfs.NewMem()
	makeData(31, 2, 3, 9).write(f, fsys, "f.blk")
	good := readFile(f, fsys, "f.blk")
	pieces := piecesOf(f, fsys, "f.blk")
	for _, p := range pieces {
		f.Add(binary.LittleEndian.AppendUint32(nil, uint32(p.offset)), true)
		f.Add(append(binary.LittleEndian.AppendUint32(nil, uint32(p.offset)+1), 0xff, 0xff), true)
		f.Add(append(binary.LittleEndian.AppendUint32(nil, uint32(p.offset)+2), 0x80, 1, 0, 0x40), false)
	}
	f.Fuzz(func(t *testing.T, change []byte, reseal bool) {
		b := bytes.Clone(good)
		for len(change) > 4 { // position, then the byte to XOR; position, …
			at := binary.LittleEndian.Uint32(change) % uint32(len(b))
			b[at] ^= change[4]
			change = change[5:]
		}
		if reseal {
			sealAll(b, pieces)
		}
		fsys := vfs.NewMem()
		overwrite(t, fsys, "f.blk", b)
		r, err := Open(fsys, "f.blk", testStore, testFile, nil)
		if err != nil {
			if !errors.Is(err, ErrVersion) {
				require.ErrorIs(t, err, errs.Corrupt)
			}
			return
		}
		defer r.Close()
		readAll(t, r)
		require.NoError(t, r.Verify(context.Background(), func(Damage) {}))
	})
}

// sealAll makes the checksums of the pieces right, with the ids in the header.
func sealAll(b []byte, pieces []piece) {
	var sum checksum
	sum.init(binary.LittleEndian.Uint64(b[12:]), binary.LittleEndian.Uint64(b[20:]))
	for _, p := range pieces {
		end := p.offset + int64(p.length)
		binary.LittleEndian.PutUint32(b[end:], sum.of(p.kind, p.offset, b[p.offset:end]))
	}
}

// readAll reads every block and requires that errors are refusals: of damage, or of
// blocks that say they are compressed, for which the reader has no coder.
func readAll(t *testing.T, r *Reader) {
	t.Helper()
	var scratch Scratch
	var v column.Vector
	for id := range r.Series() {
		blocks, err := r.Blocks(id)
		if err != nil {
			require.ErrorIs(t, err, errs.Corrupt)
			continue
		}
		for i := range blocks {
			if _, err := r.ReadTimes(nil, &scratch, &blocks[i]); err != nil && !errors.Is(err, ErrCoder) {
				require.ErrorIs(t, err, errs.Corrupt)
			}
			if _, err := r.ReadValues(&v, nil, &scratch, &blocks[i]); err != nil && !errors.Is(err, ErrCoder) {
				require.ErrorIs(t, err, errs.Corrupt)
			}
		}
	}
}

func FuzzDirectory(f *testing.F) {
	fsys := vfs.NewMem()
	makeData(32, 3, 80, 2).write(f, fsys, "f.blk")
	good := readFile(f, fsys, "f.blk")
	r, err := Open(fsys, "f.blk", testStore, testFile, nil)
	require.NoError(f, err)
	f.Add(good[r.foot.directory:][:r.foot.dirLen], r.foot.index, r.foot.directory)
	f.Fuzz(func(t *testing.T, src []byte, start, end int64) {
		if start < 0 || end < start {
			return
		}
		d, err := parseDirectory(src, start, end)
		if err != nil {
			require.ErrorIs(t, err, errs.Corrupt)
			return
		}
		again, err := parseDirectory(d.append(nil), start, end)
		require.NoError(t, err)
		require.Equal(t, d, again)
		for i, id := range d.ids {
			lo, hi := d.find(id)
			require.True(t, lo <= i && i < hi)
			first, end := d.entries(d.pageOf(i))
			require.True(t, first <= i && i < end)
		}
	})
}

func FuzzEntry(f *testing.F) {
	var c entryCoder
	for kind := column.Bool; kind <= column.Text; kind++ {
		for _, n := range []int{1, 2, maxEntryBlocks} {
			f.Add(c.append(nil, entryBlocks(kind, n)), uint32(7), uint8(kind), int64(1<<40))
		}
	}
	f.Fuzz(func(t *testing.T, src []byte, series uint32, kind uint8, end int64) {
		var c entryCoder
		blocks, err := c.parse(nil, src, series, column.Kind(kind), end)
		if err != nil {
			require.ErrorIs(t, err, errs.Corrupt)
			return
		}
		again, err := c.parse(nil, c.append(nil, blocks), series, column.Kind(kind), end)
		require.NoError(t, err)
		require.Len(t, again, len(blocks))
		for i := range blocks {
			require.Equal(t, math.Float64bits(blocks[i].Stats.SumF), math.Float64bits(again[i].Stats.SumF))
			blocks[i].Stats.SumF, again[i].Stats.SumF = 0, 0
			require.Equal(t, blocks[i], again[i])
		}
		content := appendPage(nil, [][]byte{{1}, src, {2, 3}})
		entry, err := entryOf(content, 1, 3)
		require.NoError(t, err)
		require.Equal(t, src, entry)
		_, _ = entryOf(src, 1, 3)
	})
}

// entryBlocks makes n blocks with different values in every field.
func entryBlocks(kind column.Kind, n int) []BlockInfo {
	var blocks []BlockInfo
	for i := range int64(n) {
		b := BlockInfo{
			Series: 7, Kind: kind, N: int(1000 + i%3), MinTime: 1e18 + i*1e12, MaxTime: 1e18 + i*1e12 + 9e11 + i,
			Times: Ref{headSize + i*7000, uint32(20 + i%5)}, Values: Ref{headSize + i*7000 + 3000, uint32(700 + i%50)},
		}
		b.Stats.Count = uint32(900 + i%3)
		b.Stats.MinTime, b.Stats.MaxTime = b.MinTime, b.MaxTime
		switch kind {
		case column.Float64:
			b.Stats.First, b.Stats.Last = math.Float64bits(20.25), math.Float64bits(float64(i)/10)
			b.Stats.Min, b.Stats.Max, b.Stats.SumF = math.Float64bits(-0.5), math.Float64bits(99), float64(i)*1000.7
		case column.Float32:
			b.Stats.First, b.Stats.Last = 0x3fc00000, 0xc0000000
			b.Stats.Min, b.Stats.Max, b.Stats.SumF = 0xc0000000, 0x3fc00000, float64(i)*1000.7
		case column.Int32, column.Int64:
			b.Stats.First, b.Stats.Last, b.Stats.Min, b.Stats.Max, b.Stats.SumI = uint64(i), 5, uint64(-1-i), 9, -i*77
		case column.Bool:
			b.Stats.First, b.Stats.Max, b.Stats.SumI = 1, 1, i
		case column.Text:
			b.Stats.Flags = 2
		}
		blocks = append(blocks, b)
	}
	return blocks
}

func TestEntry(t *testing.T) {
	var c entryCoder
	for kind := column.Bool; kind <= column.Text; kind++ {
		for _, n := range []int{1, 2, 3, maxEntryBlocks} {
			want := entryBlocks(kind, n)
			src := c.append(nil, want)
			got, err := c.parse(nil, src, 7, kind, 1<<40)
			require.NoError(t, err)
			require.Equal(t, want, got)
			t.Logf("%s: %d blocks in %d bytes", kind, n, len(src))
			for k := range src {
				_, err := c.parse(nil, src[:k], 7, kind, 1<<40)
				require.ErrorIs(t, err, errs.Corrupt)
			}
			_, err = c.parse(nil, src, 8, kind, 1<<40)
			require.ErrorIs(t, err, errs.Corrupt, "other series")
			_, err = c.parse(nil, src, 7, kind, want[n-1].Values.Offset)
			require.ErrorIs(t, err, errs.Corrupt, "block beyond the end")
		}
	}
}
