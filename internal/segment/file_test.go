package segment

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/vfs"
)

const (
	testStore = 0x0123456789abcdef
	testFile  = 42
)

// seriesData is what a series of a test file must read back as: one element a
// block.
type seriesData struct {
	kind   column.Kind
	times  [][]int64
	values []column.Vector
	nulls  []column.Bitmap
	stats  []block.Stats
}

// testData is a small file as a value: chunks of shared times and the blocks in
// them, in the order of writing.
type testData struct {
	head   Header
	chunks [][]int64
	blocks []testBlock
}

type testBlock struct {
	series uint32
	chunk  int
	values column.Vector
	nulls  column.Bitmap
}

// makeData builds devices with a series of every kind, perChunk rows a chunk.
func makeData(seed uint64, devices, chunks, rows int) testData {
	r := rand.New(rand.NewPCG(seed, 1))
	d := testData{head: Header{StoreID: testStore, FileNo: testFile, MinLSN: 7, MaxLSN: 99}}
	for dev := range devices {
		start := len(d.chunks)
		now := int64(1_700_000_000_000_000_000)
		for range chunks {
			n := 1 + r.IntN(rows)
			times := make([]int64, n)
			for i := range times {
				now += 1e9 + 1e6*int64(r.IntN(3))
				times[i] = now
			}
			d.chunks = append(d.chunks, times)
		}
		for kind := column.Bool; kind <= column.Text; kind++ {
			id := uint32(dev*100 + int(kind)*3)
			for c := start; c < len(d.chunks); c++ {
				v := randomVector(r, kind, len(d.chunks[c]))
				var nulls column.Bitmap
				if r.IntN(3) == 0 {
					for i := range v.Len() {
						if r.IntN(4) == 0 {
							nulls.Set(i)
							v.Set(i, zeroOf(kind), 0)
						}
					}
				}
				d.blocks = append(d.blocks, testBlock{id, c, v, nulls})
			}
		}
	}
	return d
}

func zeroOf(kind column.Kind) *column.Vector {
	v := column.Vector{Kind: kind}
	v.AppendZero(1)
	return &v
}

func randomVector(r *rand.Rand, kind column.Kind, n int) column.Vector {
	v := column.Vector{Kind: kind}
	for range n {
		switch kind {
		case column.Bool:
			v.Bools = append(v.Bools, r.IntN(2) == 0)
		case column.Int32:
			v.Int32s = append(v.Int32s, int32(r.IntN(1000))-500)
		case column.Int64:
			v.Int64s = append(v.Int64s, int64(r.Uint64()>>r.UintN(64)))
		case column.Float32:
			v.Float32s = append(v.Float32s, float32(r.NormFloat64()))
		case column.Float64:
			v.Float64s = append(v.Float64s, math.Round(r.NormFloat64()*1000)/100)
		case column.Text:
			v.Texts = append(v.Texts, fmt.Sprintf("state %d", r.IntN(5)))
		}
	}
	return v
}

// write writes the file and returns what must be read back.
func (d testData) write(t testing.TB, fsys vfs.FS, name string) (Meta, map[uint32]*seriesData) {
	t.Helper()
	w, err := Create(fsys, name, d.head)
	require.NoError(t, err)
	refs := make([]ChunkRef, len(d.chunks))
	for i, times := range d.chunks {
		refs[i], err = w.BeginChunk(block.AppendTimes(nil, times), len(times), times[0], times[len(times)-1])
		require.NoError(t, err)
	}
	want := make(map[uint32]*seriesData)
	var e block.Encoder
	for i := range d.blocks {
		b := &d.blocks[i]
		var s block.Stats
		s.Compute(d.chunks[b.chunk], &b.values, b.nulls)
		payload := e.AppendValues(nil, &b.values, b.nulls)
		require.NoError(t, w.AddBlock(b.series, b.values.Kind, refs[b.chunk], payload, &s))
		if s.Count == 0 {
			continue
		}
		if want[b.series] == nil {
			want[b.series] = &seriesData{kind: b.values.Kind}
		}
		sd := want[b.series]
		sd.times = append(sd.times, d.chunks[b.chunk])
		sd.values = append(sd.values, b.values)
		if !b.nulls.Any(b.values.Len()) {
			b.nulls = nil
		}
		sd.nulls = append(sd.nulls, b.nulls)
		sd.stats = append(sd.stats, s)
	}
	m, err := w.Finish()
	require.NoError(t, err)
	return m, want
}

// compare reads every block of the file. It returns the first error of the
// reader, and fails the test if something was read that differs.
func compare(t testing.TB, r *Reader, want map[uint32]*seriesData) error {
	t.Helper()
	var scratch Scratch
	var times []int64
	var v column.Vector
	var nulls column.Bitmap
	found := 0
	for id, kind := range r.Series() {
		found++
		sd := want[id]
		require.NotNil(t, sd, "series %d is not in the file", id)
		require.Equal(t, sd.kind, kind)
		blocks, err := r.Blocks(id)
		if err != nil {
			return err
		}
		require.Len(t, blocks, len(sd.times), "blocks of series %d", id)
		for i := range blocks {
			b := &blocks[i]
			require.Equal(t, sd.stats[i], b.Stats, "statistics of block %d of series %d", i, id)
			require.Equal(t, id, b.Series)
			require.Equal(t, [2]int64{b.Stats.MinTime, b.Stats.MaxTime}, [2]int64{b.MinTime, b.MaxTime})
			if times, err = r.ReadTimes(times, &scratch, b); err != nil {
				return err
			}
			require.Equal(t, sd.times[i], times, "times of block %d of series %d", i, id)
			if nulls, err = r.ReadValues(&v, nulls, &scratch, b); err != nil {
				return err
			}
			requireEqualVector(t, &sd.values[i], &v)
			for row := range b.N {
				require.Equal(t, sd.nulls[i].Get(row), nulls.Get(row), "null of row %d", row)
			}
		}
	}
	require.Equal(t, len(want), found, "number of series")
	return nil
}

// requireEqualVector compares values; NaN does not occur in these tests.
func requireEqualVector(t testing.TB, want, got *column.Vector) {
	t.Helper()
	require.Equal(t, want.Kind, got.Kind)
	require.Equal(t, want.Len(), got.Len())
	switch want.Kind {
	case column.Bool:
		require.Equal(t, want.Bools, got.Bools)
	case column.Int32:
		require.Equal(t, want.Int32s, got.Int32s)
	case column.Int64:
		require.Equal(t, want.Int64s, got.Int64s)
	case column.Float32:
		require.Equal(t, want.Float32s, got.Float32s)
	case column.Float64:
		require.Equal(t, want.Float64s, got.Float64s)
	case column.Text:
		require.Equal(t, want.Texts, got.Texts)
	}
}

// overwrite replaces the bytes of a file.
func overwrite(t testing.TB, fsys vfs.FS, name string, b []byte) {
	t.Helper()
	f, err := fsys.Create(name)
	require.NoError(t, err)
	_, err = f.Write(b)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

func readFile(t testing.TB, fsys vfs.FS, name string) []byte {
	t.Helper()
	b, err := vfs.ReadFile(fsys, name)
	require.NoError(t, err)
	return b
}
