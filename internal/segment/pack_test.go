package segment

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/pack"
	"github.com/tickwell/tickwell/vfs"
)

func newCoder(t testing.TB) Coder {
	z, err := pack.NewZstd()
	require.NoError(t, err)
	return z
}

// packedRows are the rows of the compressed file in testdata: text with a null,
// numbers that repeat, and numbers that nothing makes smaller.
func packedRows() (times []int64, cols []column.Vector, nulls []column.Bitmap) {
	rng := rand.New(rand.NewPCG(1, 2))
	cols = []column.Vector{{Kind: column.Text}, {Kind: column.Float64}, {Kind: column.Int64}}
	for i := range 300 {
		times = append(times, int64(i)*1e9)
		cols[0].Texts = append(cols[0].Texts, fmt.Sprintf("line %d: the pump %d was switched off", i, i*i%17))
		cols[1].Float64s = append(cols[1].Float64s, math.Sqrt(float64(i*i%7)))
		cols[2].Int64s = append(cols[2].Int64s, int64(rng.Uint64()))
	}
	cols[0].Texts[7] = ""
	return times, cols, []column.Bitmap{{1 << 7}, nil, nil}
}

func writePacked(t *testing.T, fsys vfs.FS, name string, h Header, coder Coder) Meta {
	times, cols, nulls := packedRows()
	w, err := Create(fsys, name, h)
	require.NoError(t, err)
	if coder != nil {
		w.Compress(coder)
	}
	enc := block.Encoder{Compress: true}
	ref, err := w.BeginChunk(enc.AppendTimes(nil, times), len(times), times[0], times[len(times)-1])
	require.NoError(t, err)
	for i := range cols {
		var st block.Stats
		st.Compute(times, &cols[i], nulls[i])
		require.NoError(t, w.AddBlock(uint32(i+1), cols[i].Kind, ref, enc.AppendValues(nil, &cols[i], nulls[i]), &st))
	}
	meta, err := w.Finish()
	require.NoError(t, err)
	return meta
}

func checkPacked(t *testing.T, r *Reader) {
	t.Helper()
	times, cols, nulls := packedRows()
	var scratch Scratch
	for i := range cols {
		blocks, err := r.Blocks(uint32(i + 1))
		require.NoError(t, err)
		require.Len(t, blocks, 1)
		gotTimes, err := r.ReadTimes(nil, &scratch, &blocks[0])
		require.NoError(t, err)
		require.Equal(t, times, gotTimes)
		var v column.Vector
		got, err := r.ReadValues(&v, nil, &scratch, &blocks[0])
		require.NoError(t, err)
		require.Equal(t, cols[i], v)
		for row := range times {
			require.Equal(t, nulls[i].Get(row), got.Get(row), "row %d", row)
		}
	}
}

var packedHeader = Header{StoreID: testStore, FileNo: testFile, MinLSN: 1, MaxLSN: 9, Coded: true, Cold: true}

func TestPackedRoundTrip(t *testing.T) {
	fsys := vfs.NewMem()
	plain := packedHeader
	plain.Coded, plain.Cold = false, false
	before := writePacked(t, fsys, "plain.blk", plain, nil)
	meta := writePacked(t, fsys, "f.blk", packedHeader, newCoder(t))
	require.True(t, meta.Packed)
	require.False(t, before.Packed)
	require.Less(t, float64(meta.Size), 0.8*float64(before.Size))
	r, err := Open(fsys, "f.blk", testStore, testFile, nil)
	require.NoError(t, err)
	defer r.Close()
	require.Equal(t, meta, r.Meta())
	r.coder = newCoder(t)
	checkPacked(t, r)

	r.coder = nil
	blocks, err := r.Blocks(1)
	require.NoError(t, err)
	var scratch Scratch
	var v column.Vector
	_, err = r.ReadValues(&v, nil, &scratch, &blocks[0])
	require.ErrorIs(t, err, ErrCoder)
	require.NotErrorIs(t, err, errs.Corrupt)
	blocks, err = r.Blocks(3)
	require.NoError(t, err)
	_, err = r.ReadValues(&v, nil, &scratch, &blocks[0])
	require.NoError(t, err, "numbers that do not get smaller stay as they are")
}

// TestPackedFixture: a file as it was written first can be read for ever, whatever
// newer encoders write.
func TestPackedFixture(t *testing.T) {
	name := filepath.Join("testdata", "packed.blk")
	if *update {
		fsys := vfs.NewMem()
		writePacked(t, fsys, "f.blk", packedHeader, newCoder(t))
		b, err := vfs.ReadFile(fsys, "f.blk")
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(name, b, 0o644))
	}
	r, err := Open(vfs.OS(), name, testStore, testFile, nil)
	require.NoError(t, err)
	defer r.Close()
	require.Equal(t, packedHeader, r.Meta().Header)
	require.True(t, r.Meta().Packed)
	r.coder = newCoder(t)
	checkPacked(t, r)
	require.NoError(t, r.Verify(t.Context(), func(d Damage) { t.Errorf("damage: %v", d) }))
}

func TestPackedNeedsVersion(t *testing.T) {
	fsys := vfs.NewMem()
	writePacked(t, fsys, "f.blk", packedHeader, newCoder(t))
	r, err := Open(fsys, "f.blk", testStore, testFile, nil)
	require.NoError(t, err)
	defer r.Close()
	blocks, err := r.Blocks(1)
	require.NoError(t, err)
	b := &blocks[0]
	var scratch Scratch
	raw, err := r.RawValuesOf(&scratch, []BlockInfo{*b}, 0, false)
	require.NoError(t, err)
	require.NotZero(t, raw[0]&flagCompressed)
	for _, coded := range []bool{false, true} {
		w, err := Create(fsys, "g.blk", Header{StoreID: testStore, FileNo: 2, MaxLSN: 1, Coded: coded})
		require.NoError(t, err)
		ref, err := w.BeginChunk(block.AppendTimes(nil, []int64{b.MinTime, b.MaxTime}), b.N, b.MinTime, b.MaxTime)
		require.NoError(t, err)
		err = w.AddBlock(1, column.Text, ref, raw, &b.Stats)
		if coded {
			require.NoError(t, err)
			meta, err := w.Finish()
			require.NoError(t, err)
			require.True(t, meta.Packed, "copied")
			continue
		}
		require.ErrorIs(t, err, errs.BadInput)
		require.NoError(t, w.Abort())
	}
}

// TestUnpackBounds: what claims to be large takes no memory.
func TestUnpackBounds(t *testing.T) {
	r := &Reader{name: "f", coder: newCoder(t)}
	for _, tt := range []struct {
		name string
		kind column.Kind
		n    int
		size uint64
		ok   bool
	}{
		{"numbers", column.Float64, 10, 64 + 240, true},
		{"too many numbers", column.Float64, 10, 64 + 241, false},
		{"times", timesKind, 2, 64 + 49, false},
		{"text", column.Text, 1, maxPlain, true},
		{"too much text", column.Text, 1, maxPlain + 1, false},
		{"wrapped", column.Text, 1, math.MaxUint64, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var scratch Scratch
			src := binary.AppendUvarint([]byte{byte(tt.kind) | flagCompressed, coderZstd}, tt.size)
			if tt.ok {
				src = r.coder.Compress(src, make([]byte, tt.size))
			}
			got, err := r.unpack(&scratch, src, tt.n, tt.kind)
			if !tt.ok {
				require.ErrorIs(t, err, errs.Corrupt)
				require.Zero(t, cap(scratch.plain))
				return
			}
			require.NoError(t, err)
			require.Len(t, got, int(tt.size)+1)
		})
	}
	for _, bad := range [][]byte{{0x86}, {0x86, 2, 1, 0}, {0x86, 1}, {0x86, 1, 0x80}, {0x86, 1, 3, 1, 2, 3}} {
		_, err := r.unpack(new(Scratch), bad, 3, column.Text)
		require.ErrorIs(t, err, errs.Corrupt, "%x", bad)
	}
}

func FuzzUnpack(f *testing.F) {
	r := &Reader{name: "f", coder: newCoder(f)}
	times, cols, nulls := packedRows()
	enc := block.Encoder{Compress: true}
	p := packer{coder: r.coder}
	f.Add(append([]byte(nil), p.pack(enc.AppendTimes(nil, times))...), uint16(len(times)), byte(0))
	for i := range cols {
		b := enc.AppendValues(nil, &cols[i], nulls[i])
		f.Add(append([]byte(nil), p.values(b, cols[i].Kind, len(times))...), uint16(len(times)), byte(cols[i].Kind))
	}
	f.Fuzz(func(t *testing.T, src []byte, n uint16, kind byte) {
		k := column.Kind(kind % 7)
		var scratch Scratch
		got, err := r.unpack(&scratch, src, int(n), k)
		if err != nil {
			return
		}
		if len(src) > 0 && src[0]&flagCompressed != 0 && got[0]&flagCompressed != 0 {
			t.Fatal("compressed twice")
		}
		if k == timesKind {
			_, _ = block.DecodeTimes(nil, got, int(n))
			return
		}
		var v column.Vector
		var dec block.Decoder
		_, _ = dec.Values(&v, nil, got, k, int(n))
	})
}
