package engine

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/vfs"
)

// eachFlip opens copies of a closed store, each with one byte of a file changed.
func eachFlip(t *testing.T, fs vfs.FS, name string, check func(e *Engine, at int)) {
	t.Helper()
	b, err := vfs.ReadFile(fs, name)
	require.NoError(t, err)
	for at := range b {
		img := vfs.NewMem()
		copyTree(t, fs, img, "db")
		f, err := img.OpenReadWrite(name)
		require.NoError(t, err)
		_, err = f.WriteAt([]byte{b[at] ^ byte(1<<(at%8))}, int64(at))
		require.NoError(t, err)
		require.NoError(t, f.Close())
		e, err := Open(bg, diskConfig(img))
		require.NoError(t, err, "byte %d", at)
		check(e, at)
		require.NoError(t, e.Close())
	}
}

func copyTree(t *testing.T, from, to vfs.FS, dir string) {
	t.Helper()
	require.NoError(t, to.MkdirAll(dir))
	names, err := from.List(dir)
	require.NoError(t, err)
	for _, n := range names {
		name := filepath.Join(dir, n)
		info, err := from.Stat(name)
		require.NoError(t, err)
		if info.IsDir {
			copyTree(t, from, to, name)
			continue
		}
		b, err := vfs.ReadFile(from, name)
		require.NoError(t, err)
		f, err := to.Create(name)
		require.NoError(t, err)
		_, err = f.Write(b)
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
}

// flippable makes a store with several manifest edits, deletes, a compaction
// and nothing in the log that is not in files.
func flippable(t *testing.T) (fs *vfs.Mem, manifest, catalog string, want map[string]content) {
	t.Helper()
	fs = vfs.NewMem()
	e := open(t, diskConfig(fs))
	for i := range int64(5) {
		insertRows(t, e, fmt.Sprintf("root.d%d", i), 0, 30, "s1", "s2")
		if i > 0 {
			ser, ok := e.Lookup("root.d0", "s1")
			require.True(t, ok)
			_, err := e.Commit(bg, &Batch{Deletes: []Delete{{Series: []*Series{ser}, From: i, To: i + 1}}}, false)
			require.NoError(t, err)
		}
		require.NoError(t, e.Flush(bg))
		if i == 3 {
			require.NoError(t, e.Compact(bg))
		}
	}
	want = dump(t, e)
	require.Len(t, want, 10)
	manifest, catalog = e.disk.manifestName(e.disk.no), e.disk.catalogName(e.disk.now.Catalog)
	require.NoError(t, e.Close())
	return fs, manifest, catalog, want
}

// TestManifestFlips: no changed byte of CURRENT or of the manifest loses
// anything.
func TestManifestFlips(t *testing.T) {
	fs, manifest, _, want := flippable(t)
	for _, name := range []string{manifest, "db/CURRENT"} {
		eachFlip(t, fs, name, func(e *Engine, at int) {
			require.Empty(t, sameDump(want, dump(t, e)), "%s: byte %d", name, at)
			require.Empty(t, e.Report().LostLog, "%s: byte %d", name, at)
			require.Len(t, e.currentFiles(), 2, "%s: byte %d", name, at)
		})
	}
}

// TestCatalogFlips: a changed byte of the catalogue is reported and loses no series,
// nor does one of the file of the state lose a key.
func TestCatalogFlips(t *testing.T) {
	fs, _, catalog, want := flippable(t)
	eachFlip(t, fs, catalog, func(e *Engine, at int) {
		require.Empty(t, sameDump(want, dump(t, e)), "byte %d", at)
		require.NotEmpty(t, e.Report().Quarantined, "byte %d", at)
	})
	fs = vfs.NewMem()
	e := open(t, diskConfig(fs))
	for i := range 50 {
		_, err := e.Commit(bg, &Batch{Puts: []Put{{Key: fmt.Sprint("key", i), Value: slices.Repeat([]byte{byte(i)}, 37*i%500)}}}, true)
		require.NoError(t, err)
	}
	require.NoError(t, e.Flush(bg))
	state, holds := e.disk.stateName(e.disk.now.State), readable(t, e)
	require.NoError(t, e.Close())
	eachFlip(t, fs, state, func(e *Engine, at int) {
		sameStore(t, holds, readable(t, e), fmt.Sprint("byte ", at))
		require.NotEmpty(t, e.Report().Quarantined, "byte %d", at)
	})
}

// TestOneFrameIsMadeUpFor: a frame of many that is damaged from end to end is made up
// for; of two that are, the rest is read.
func TestOneFrameIsMadeUpFor(t *testing.T) {
	fs, catalog, state := manySeries(t)
	e := open(t, diskConfig(fs))
	want := readable(t, e)
	require.NoError(t, e.Close())
	for _, name := range []string{catalog, state} {
		b, err := vfs.ReadFile(fs, name)
		require.NoError(t, err)
		for at := headerSize; ; {
			payload, end, ok := frameAt(b, 42, numberOf(t, name), at, maxFrame)
			require.True(t, ok)
			if len(payload) == 0 {
				break
			}
			bad := copyOf(t, fs)
			overwrite(t, bad, name, at, end)
			e := open(t, diskConfig(bad))
			require.Len(t, e.Report().Quarantined, 1)
			sameStore(t, want, readable(t, e), fmt.Sprint(name, at))
			require.NoError(t, e.Close())
			if _, next, ok := frameAt(b, 42, numberOf(t, name), end, maxFrame); ok && next < len(b)-10000 {
				overwrite(t, bad, name, end+20, next)
				e := open(t, diskConfig(bad))
				require.Len(t, e.Report().Quarantined, 1)
				got := readable(t, e)
				require.Less(t, len(got), len(want))
				require.Greater(t, len(got), len(want)*3/4)
				require.NoError(t, e.Close())
			}
			at = end
		}
	}
}

func numberOf(t *testing.T, name string) uint64 {
	t.Helper()
	base := filepath.Base(name)
	no, err := strconv.ParseUint(base[strings.IndexByte(base, '-')+1:], 16, 64)
	require.NoError(t, err)
	return no
}

func overwrite(t *testing.T, fs vfs.FS, name string, from, to int) {
	t.Helper()
	f, err := fs.OpenReadWrite(name)
	require.NoError(t, err)
	_, err = f.WriteAt(slices.Repeat([]byte{0xa5}, to-from), int64(from))
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

// TestFlipInWhatMakesUp: damage of the frame that makes up for the others brings no
// series back that was dropped, and no key: all that is there is whole.
func TestFlipInWhatMakesUp(t *testing.T) {
	for _, series := range []int{3, catalogFrame + 3} { // one frame, and two
		flipInWhatMakesUp(t, series)
	}
}

func flipInWhatMakesUp(t *testing.T, series int) {
	fs := vfs.NewMem()
	e := open(t, diskConfig(fs))
	var last *Shape
	for i := range series {
		last = floatShape(t, e, "root.d", fmt.Sprintf("s%04d", i))
		put(t, e, last, []int64{1, 2}, 1, 2)
	}
	for i := range 3 {
		_, err := e.Commit(bg, &Batch{Puts: []Put{{Key: fmt.Sprint("key", i), Value: slices.Repeat([]byte{byte(i)}, 3000)}}}, true)
		require.NoError(t, err)
	}
	require.NoError(t, e.Flush(bg))
	_, err := e.Commit(bg, &Batch{Drops: last.Series()}, true)
	require.NoError(t, err)
	require.NoError(t, e.Flush(bg))
	want := readable(t, e)
	names := []string{e.disk.catalogName(e.disk.now.Catalog), e.disk.stateName(e.disk.now.State)}
	require.NoError(t, e.Close())
	for _, name := range names {
		b, err := vfs.ReadFile(fs, name)
		require.NoError(t, err)
		frames, damaged, ended := framesOf(b, 42, numberOf(t, name))
		require.True(t, ended && !damaged)
		at := frames[len(frames)-1].off
		n := len(b) - frameHeader - at
		check := func(from, to int) {
			bad := copyOf(t, fs)
			overwrite(t, bad, name, from, to)
			e := open(t, diskConfig(bad))
			got := readable(t, e)
			require.NotContains(t, slices.Collect(maps.Keys(got)), last.Series()[0].Path(), "%s %d to %d", name, from-at, to-at)
			sameStore(t, want, got, fmt.Sprint(name, " ", from-at, " to ", to-at))
			require.Len(t, e.Report().Quarantined, 1)
			require.Equal(t, errRepaired.Error(), e.Report().Quarantined[0].Reason)
			require.NoError(t, e.Close())
		}
		for off := 0; off < n; off += 1 + off/16 { // the length, the checksum, the kind, the lengths, the rest
			if b[at+off] != 0xa5 {
				check(at+off, at+off+1)
			}
		}
		check(at+frameHeader, at+n) // all but length and checksum
		check(at, at+n/3)
	}
	// Where a frame before it is damaged as well it is not taken for right.
	b, err := vfs.ReadFile(fs, names[0])
	require.NoError(t, err)
	frames, _, _ := framesOf(b, 42, numberOf(t, names[0]))
	for _, fr := range frames[:len(frames)-1] {
		bad := slices.Clone(b)
		bad[fr.off+frameHeader] ^= 1
		bad[frames[len(frames)-1].off+frameHeader+9] ^= 1
		was := slices.Clone(bad)
		good, _, _ := framesOf(bad, 42, numberOf(t, names[0]))
		require.False(t, repair(bad, 42, numberOf(t, names[0]), good))
		require.Equal(t, was, bad)
	}
}

// TestEmptyCatalogueIsMadeUpFor: the catalogue of a store whose series were all dropped
// stands damage of one place as others do: the older one brings none of them back.
func TestEmptyCatalogueIsMadeUpFor(t *testing.T) {
	fs := vfs.NewMem()
	e := open(t, diskConfig(fs))
	s := floatShape(t, e, "root.d", "a")
	put(t, e, s, []int64{1, 2}, 1, 2)
	require.NoError(t, e.Flush(bg))
	_, err := e.Commit(bg, &Batch{Drops: s.Series()}, true)
	require.NoError(t, err)
	require.NoError(t, e.Flush(bg))
	catalog, state := e.disk.catalogName(e.disk.now.Catalog), e.disk.stateName(e.disk.now.State)
	require.NotZero(t, e.disk.now.OldCatalog)
	require.NoError(t, e.Close())
	for _, name := range []string{catalog, state} {
		eachFlip(t, fs, name, func(e *Engine, at int) {
			require.Empty(t, readable(t, e), "byte %d", at)
			require.Len(t, e.Report().Quarantined, 1, "byte %d", at)
			require.Equal(t, errRepaired.Error(), e.Report().Quarantined[0].Reason)
		})
	}
}
