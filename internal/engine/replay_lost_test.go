package engine

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/vfs"
)

// lose writes to a store that was never flushed, more after it, closes the store and
// damages what write had logged.
func lose(t *testing.T, fs vfs.FS, e *Engine, write, more func()) {
	t.Helper()
	require.NoError(t, e.log.Sync(bg))
	from := e.log.Used()
	write()
	require.NoError(t, e.log.Sync(bg))
	at := (from + e.log.Used()) / 2
	more()
	require.Equal(t, 1, e.log.Segments())
	require.NoError(t, e.Close())
	names, err := fs.List("db/wal")
	require.NoError(t, err)
	f, err := fs.OpenReadWrite("db/wal/" + names[0])
	require.NoError(t, err)
	_, err = f.WriteAt([]byte("damaged"), at)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

// TestLostDrop: where the record that dropped a series is damaged, the series that
// was made after it under the same name is there all the same, and alone.
func TestLostDrop(t *testing.T) {
	fs := vfs.NewMem()
	e := open(t, diskConfig(fs))
	write := func(times []int64, v ...float64) {
		_, err := e.Commit(bg, put(t, e, floatShape(t, e, "root.d", "x"), times, v...), false)
		require.NoError(t, err)
	}
	write([]int64{1, 2, 3}, 1, 2, 3)
	lose(t, fs, e, func() {
		ser, ok := e.Lookup("root.d", "x")
		require.True(t, ok)
		_, err := e.Commit(bg, &Batch{Drops: []*Series{ser}}, false)
		require.NoError(t, err)
	}, func() { write([]int64{2, 5}, 20, 50) })
	for range 2 {
		e = open(t, diskConfig(fs))
		require.Contains(t, strings.Join(e.Report().LostLog, "\n"), "root.d.x is made again")
		ser, ok := e.Lookup("root.d", "x")
		require.True(t, ok)
		require.Equal(t, map[int64]float64{2: 20, 5: 50}, points(t, e, ser))
		require.NoError(t, e.Close())
	}
}

// TestLostDefinition: rows of a series whose definition is damaged never become those
// of a series that is made later.
func TestLostDefinition(t *testing.T) {
	fs := vfs.NewMem()
	e := open(t, diskConfig(fs))
	floatShape(t, e, "root.d", "x")
	lose(t, fs, e, func() {
		floatShape(t, e, "root.d", "lost")
	}, func() {
		_, err := e.Commit(bg, put(t, e, floatShape(t, e, "root.d", "lost"), []int64{1, 2, 3}, 1, 2, 3), false)
		require.NoError(t, err)
	})
	e = open(t, diskConfig(fs))
	require.Contains(t, strings.Join(e.Report().LostLog, "\n"), "rows of a series whose definition is lost")
	_, err := e.Commit(bg, put(t, e, floatShape(t, e, "root.e", "new"), []int64{7}, 7), false)
	require.NoError(t, err)
	for range 2 {
		ser, ok := e.Lookup("root.e", "new")
		require.True(t, ok)
		require.Equal(t, map[int64]float64{7: 7}, points(t, e, ser))
		require.NoError(t, e.Close())
		e = open(t, diskConfig(fs))
	}
	require.NoError(t, e.Close())
}
