package segment

import (
	"bytes"
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/vfs"
)

// openAndCompare opens the file and reads everything; it returns the first
// error.
func openAndCompare(t testing.TB, fsys vfs.FS, name string, want map[uint32]*seriesData) error {
	t.Helper()
	r, err := Open(fsys, name, testStore, testFile, nil)
	if err != nil {
		return err
	}
	defer r.Close()
	return compare(t, r, want)
}

// TestFlipEveryByte damages each byte in turn: reading must fail with a
// DamageError, and Verify must find it.
func TestFlipEveryByte(t *testing.T) {
	fsys := vfs.NewMem()
	_, want := makeData(20, 1, 2, 12).write(t, fsys, "f.blk")
	good := readFile(t, fsys, "f.blk")
	for i := range good {
		for _, flip := range []byte{1 << (i % 8), 0xff} {
			b := bytes.Clone(good)
			b[i] ^= flip
			overwrite(t, fsys, "bad.blk", b)
			err := openAndCompare(t, fsys, "bad.blk", want)
			var d *DamageError
			require.ErrorAs(t, err, &d, "byte %d of %d changed", i, len(good))
			require.ErrorIs(t, err, errs.Corrupt)
			require.Equal(t, "bad.blk", d.File)
			if i < len(good)-footSize-crcSize { // a broken end is found at the end
				require.LessOrEqual(t, d.Offset, int64(i), "%v", err)
				require.Greater(t, d.Offset+d.Length, int64(i), "%v", err)
			}
		}
	}
	require.NoError(t, openAndCompare(t, fsys, "f.blk", want), "the undamaged file")
}

// TestVerifyFindsEveryByte opens a good file whose bytes then change under it.
func TestVerifyFindsEveryByte(t *testing.T) {
	fsys := vfs.NewMem()
	_, want := makeData(21, 1, 2, 12).write(t, fsys, "f.blk")
	good := readFile(t, fsys, "f.blk")
	r, err := Open(fsys, "f.blk", testStore, testFile, NewCache(1<<20))
	require.NoError(t, err)
	defer r.Close()
	require.NoError(t, compare(t, r, want)) // fills the cache
	f, err := fsys.OpenReadWrite("f.blk")
	require.NoError(t, err)
	defer f.Close()
	for i := range good {
		_, err := f.WriteAt([]byte{good[i] ^ 0x10}, int64(i))
		require.NoError(t, err)
		var found []Damage
		require.NoError(t, r.Verify(context.Background(), func(d Damage) { found = append(found, d) }))
		require.NotEmpty(t, found, "byte %d of %d changed", i, len(good))
		for _, d := range found {
			require.True(t, d.Offset <= int64(i) && int64(i) < d.Offset+d.Length, "byte %d changed, finding %+v", i, d)
			require.LessOrEqual(t, d.MinTime, d.MaxTime)
			require.True(t, d.AllSeries || want[d.Series] != nil, "%+v", d)
		}
		_, err = f.WriteAt(good[i:i+1], int64(i))
		require.NoError(t, err)
	}
}

func TestVerifyNamesSeriesAndTimes(t *testing.T) {
	fsys := vfs.NewMem()
	_, want := makeData(22, 2, 3, 20).write(t, fsys, "f.blk")
	r, err := Open(fsys, "f.blk", testStore, testFile, nil)
	require.NoError(t, err)
	defer r.Close()
	for id := range want {
		blocks, err := r.Blocks(id)
		require.NoError(t, err)
		for i := range blocks {
			b := readFile(t, fsys, "f.blk")
			b[blocks[i].Values.Offset] ^= 1
			overwrite(t, fsys, "bad.blk", b)
			bad, err := Open(fsys, "bad.blk", testStore, testFile, nil)
			require.NoError(t, err)
			var found []Damage
			require.NoError(t, bad.Verify(context.Background(), func(d Damage) { found = append(found, d) }))
			require.NoError(t, bad.Close())
			require.Len(t, found, 1)
			require.Equal(t, Damage{
				DamageError: DamageError{"bad.blk", blocks[i].Values.Offset, int64(blocks[i].Values.Length) + crcSize, "block checksum is wrong"},
				Series:      id, MinTime: blocks[i].MinTime, MaxTime: blocks[i].MaxTime,
			}, found[0])
		}
	}
}

func TestVerifyStops(t *testing.T) {
	fsys := vfs.NewMem()
	makeData(23, 1, 1, 4).write(t, fsys, "f.blk")
	r, err := Open(fsys, "f.blk", testStore, testFile, nil)
	require.NoError(t, err)
	defer r.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, r.Verify(ctx, func(Damage) {}), context.Canceled)
}

func TestTruncateEverywhere(t *testing.T) {
	fsys := vfs.NewMem()
	makeData(24, 1, 2, 12).write(t, fsys, "f.blk")
	good := readFile(t, fsys, "f.blk")
	for n := range good {
		overwrite(t, fsys, "bad.blk", good[:n])
		_, err := Open(fsys, "bad.blk", testStore, testFile, nil)
		var d *DamageError
		require.ErrorAs(t, err, &d, "%d of %d bytes", n, len(good))
		require.ErrorIs(t, err, errs.Corrupt)
	}
	for _, tail := range []int{1, 4, 88, 4096} {
		overwrite(t, fsys, "bad.blk", append(bytes.Clone(good), make([]byte, tail)...))
		_, err := Open(fsys, "bad.blk", testStore, testFile, nil)
		require.ErrorIs(t, err, errs.Corrupt, "%d bytes added", tail)
	}
}

// TestZeroedSectors stands for a disk that lost a sector.
func TestZeroedSectors(t *testing.T) {
	fsys := vfs.NewMem()
	_, want := makeData(25, 3, 3, 300).write(t, fsys, "f.blk")
	good := readFile(t, fsys, "f.blk")
	for at := 0; at < len(good); at += 512 {
		b := bytes.Clone(good)
		clear(b[at:min(at+512, len(b))])
		overwrite(t, fsys, "bad.blk", b)
		require.ErrorIs(t, openAndCompare(t, fsys, "bad.blk", want), errs.Corrupt, "sector at %d", at)
	}
}

// TestMisdirectedBlocks copies blocks over others of the same length, from the
// same file and from a twin with other ids: their own checksums are right.
func TestMisdirectedBlocks(t *testing.T) {
	fsys := vfs.NewMem()
	d := makeData(26, 1, 4, 1) // one row a block: many blocks of the same length
	_, want := d.write(t, fsys, "f.blk")
	good := readFile(t, fsys, "f.blk")
	twins := map[string][]byte{"same file": good}
	for name, h := range map[string]Header{
		"other store": {StoreID: testStore + 1, FileNo: testFile, MinLSN: 7, MaxLSN: 99},
		"other file":  {StoreID: testStore, FileNo: testFile + 1, MinLSN: 7, MaxLSN: 99},
	} {
		d.head = h
		d.write(t, fsys, name)
		twins[name] = readFile(t, fsys, name)
		require.Len(t, twins[name], len(good))
	}
	r, err := Open(fsys, "f.blk", testStore, testFile, nil)
	require.NoError(t, err)
	defer r.Close()
	var refs []Ref
	for id := range r.Series() {
		blocks, err := r.Blocks(id)
		require.NoError(t, err)
		for _, b := range blocks {
			refs = append(refs, b.Values)
		}
	}
	tried := 0
	for name, twin := range twins {
		for _, from := range refs {
			for _, to := range refs {
				if from.Length != to.Length || from == to && name == "same file" {
					continue
				}
				b := bytes.Clone(good)
				n := int64(from.Length) + crcSize
				copy(b[to.Offset:to.Offset+n], twin[from.Offset:from.Offset+n])
				overwrite(t, fsys, "bad.blk", b)
				require.ErrorIs(t, openAndCompare(t, fsys, "bad.blk", want), errs.Corrupt, "%s: %v copied to %v", name, from, to)
				tried++
			}
		}
	}
	require.Greater(t, tried, 20)
}

func TestReadRefusesForeignInfo(t *testing.T) {
	fsys := vfs.NewMem()
	m, _ := makeData(27, 1, 1, 9).write(t, fsys, "f.blk")
	r, err := Open(fsys, "f.blk", testStore, testFile, nil)
	require.NoError(t, err)
	defer r.Close()
	var scratch Scratch
	for _, ref := range []Ref{{}, {0, 4}, {-1, 4}, {headSize, 0}, {headSize, math.MaxUint32}, {m.Size, 1}, {m.Size - 1, 100}, {math.MaxInt64, 100}} {
		_, err := r.ReadTimes(nil, &scratch, &BlockInfo{N: 9, Times: ref})
		require.ErrorIs(t, err, errs.Corrupt, "%+v", ref)
	}
}

// vast is a file of gigabytes: a header, nothing, and a footer.
type vast struct {
	head, foot []byte
	size       int64
}

func (v *vast) ReadAt(b []byte, off int64) (int, error) {
	clear(b)
	if off < int64(len(v.head)) {
		copy(b, v.head[off:])
	}
	if at := v.size - int64(len(v.foot)); off >= at {
		copy(b, v.foot[off-at:])
	}
	return len(b), nil
}

func (v *vast) Close() error         { return nil }
func (v *vast) Size() (int64, error) { return v.size, nil }

// A directory that claims more than there may be is damage, and no memory is
// taken for it.
func TestVastDirectory(t *testing.T) {
	for _, length := range []uint32{math.MaxUint32, math.MaxUint32 - crcSize, math.MaxInt32, maxDirectory + 1} {
		h := Header{StoreID: testStore, FileNo: testFile, MinLSN: 1, MaxLSN: 2}
		var sum checksum
		sum.init(h.StoreID, h.FileNo)
		v := &vast{head: appendHeader(nil, &h, &sum), size: headSize + int64(length) + crcSize + footSize}
		f := footer{index: headSize, directory: headSize, dirLen: length}
		v.foot = f.append(nil, &sum, v.size-footSize)
		_, err := open(v, "f.blk", h.StoreID, h.FileNo, nil)
		require.ErrorIs(t, err, errs.Corrupt)
		require.ErrorContains(t, err, "outside", "%d bytes", length)
	}
}
