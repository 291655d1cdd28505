package engine

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/catalog"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/vfs"
)

// TestLostSeriesReserved: nobody makes series of the device of lost ones, for which
// neither MaxSeries nor a time to live holds.
func TestLostSeriesReserved(t *testing.T) {
	e := open(t, memConfig())
	defer e.Close()
	names, kinds := []string{"a"}, []column.Kind{column.Float64}
	_, err := e.Shape(LostDevice, names, kinds)
	require.ErrorIs(t, err, errs.BadInput)
	require.ErrorIs(t, e.Check(LostDevice, names, kinds), errs.BadInput)
	_, err = e.Shape(LostDevice+".a", names, kinds)
	require.NoError(t, err)
}

// TestLostSeriesNamesInUse: a store of before may have series of these names.
func TestLostSeriesNamesInUse(t *testing.T) {
	fs := vfs.NewMem()
	e := open(t, diskConfig(fs))
	insertRows(t, e, "root.a", 0, 5, "s1", "s2")
	require.NoError(t, e.Flush(bg))
	name := e.disk.catalogName(e.disk.now.Catalog)
	id := e.cat.NextID() - 1
	var defs []catalog.Definition
	for i := range uint32(2) {
		n := fmt.Sprint("s", id) + strings.Repeat("_lost", int(i))
		defs = append(defs, catalog.Definition{ID: id + 1 + i, Kind: column.Text, Device: LostDevice, Name: n})
	}
	_, err := e.append(appendSection(nil, sectionSeries, appendDefinitions(nil, defs)))
	require.NoError(t, err)
	require.NoError(t, e.Close())
	require.NoError(t, fs.Remove(name))
	e = open(t, diskConfig(fs))
	defer e.Close()
	require.Len(t, readable(t, e)[fmt.Sprint(LostDevice, ".s", id, "_lost_lost")], 5)
	require.Contains(t, fmt.Sprint(e.Report().Quarantined), "definitions of 2 series")
}

// TestLostSeriesNotBeyond: ids that the manifest does not know of are no series: a
// forged one would make the table of ids large.
func TestLostSeriesNotBeyond(t *testing.T) {
	fs := vfs.NewMem()
	e := open(t, diskConfig(fs))
	insertRows(t, e, "root.a", 0, 5, "s1", "s2")
	require.NoError(t, e.Flush(bg))
	name := e.disk.catalogName(e.disk.now.Catalog)
	next := e.cat.NextID()
	m := e.disk.now.clone()
	m.NextSeries = next - 1
	require.NoError(t, e.disk.rewrite(m))
	require.NoError(t, e.Close())
	require.NoError(t, fs.Remove(name))
	e = open(t, diskConfig(fs))
	defer e.Close()
	require.Equal(t, next-1, e.cat.NextID())
	require.Equal(t, 1, e.cat.Len())
}

// TestManyLostSeries: their names do not sort as their ids do; they are made at once.
func TestManyLostSeries(t *testing.T) {
	const n = 40_000
	fs := vfs.NewMem()
	e := open(t, diskConfig(fs))
	names, kinds, cols := make([]string, n), make([]column.Kind, n), make([]column.Vector, n)
	for i := range n {
		names[i], kinds[i], cols[i] = fmt.Sprintf("s%05d", i), column.Bool, column.Vector{Kind: column.Bool, Bools: []bool{true}}
	}
	for lo := 0; lo < n; lo += 1000 {
		s, err := e.Shape(fmt.Sprint("root.d", lo), names[lo:lo+1000], kinds[lo:lo+1000])
		require.NoError(t, err)
		_, err = e.Commit(bg, &Batch{Tablets: []Tablet{{Shape: s, Times: []int64{1}, Cols: cols[lo : lo+1000]}}}, false)
		require.NoError(t, err)
	}
	require.NoError(t, e.Flush(bg))
	name := e.disk.catalogName(e.disk.now.Catalog)
	require.NoError(t, e.Close())
	require.NoError(t, fs.Remove(name))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	e = open(t, diskConfig(fs))
	defer e.Close()
	runtime.ReadMemStats(&after)
	require.Len(t, dumpSeries(e), n)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<30))
}

// TestBackupWithoutOldCatalogue: a backup takes the older catalogue with it only if
// it can be read.
func TestBackupWithoutOldCatalogue(t *testing.T) {
	mem, _, _ := manySeries(t)
	fs := crashfs.From(mem)
	e := open(t, diskConfig(fs))
	_, err := e.Commit(bg, &Batch{Puts: []Put{{Key: "new", Value: []byte("v")}}}, true)
	require.NoError(t, err)
	require.NoError(t, e.Flush(bg))
	name := e.disk.catalogName(e.disk.now.Catalog)
	old := e.disk.catalogName(e.disk.now.OldCatalog)
	require.NoError(t, e.Close())
	flipAt(t, fs, name, 0.1, 0.5)
	e = open(t, diskConfig(fs))
	defer e.Close()
	fs.Fail(1, errors.New("input/output error"), true, func(op crashfs.Op) bool { return strings.HasSuffix(op.Name, old) && op.Kind == crashfs.Read })
	require.NoError(t, e.Backup(bg, vfs.NewMem(), "copy"))
}
