package engine

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/vfs"
)

// TestShapesLetGoOfMemtables: a shape that is not written with any more keeps no
// memtable of before a flush, which it would hold in memory as a whole.
func TestShapesLetGoOfMemtables(t *testing.T) {
	e := open(t, Config{FS: vfs.NewMem(), Dir: "db", ManualFlush: true})
	idle, busy, gone := floatShape(t, e, "root.idle", "s"), floatShape(t, e, "root.busy", "s"), floatShape(t, e, "root.gone", "s")
	for _, s := range []*Shape{idle, busy, gone} {
		put(t, e, s, []int64{1}, 1)
		require.Same(t, e.mem, s.mem.Load().Table())
	}
	require.NoError(t, e.Flush(bg))
	require.Nil(t, idle.mem.Load())
	put(t, e, busy, []int64{2}, 2)
	put(t, e, gone, []int64{2}, 2)
	require.Same(t, e.mem, busy.mem.Load().Table())
	_, err := e.Commit(bg, &Batch{Drops: gone.Series()}, false)
	require.NoError(t, err)
	require.Nil(t, gone.mem.Load(), "dropped")
	require.Equal(t, map[int64]float64{1: 1, 2: 2}, points(t, e, busy.Series()[0]))

	// A tip is part of a memtable, too.
	b := open(t, bufferedConfig(vfs.NewMem()))
	still := floatShape(t, b, "root.still", "s")
	put(t, b, still, []int64{1}, 1)
	for at := range int64(3) {
		ok, err := b.AppendPoint(bg, still, 2+at, math.Float64bits(float64(2+at)), 0)
		require.NoError(t, err)
		require.True(t, ok)
	}
	require.NotNil(t, still.tip.Load())
	require.NoError(t, b.Flush(bg))
	require.Nil(t, still.tip.Load(), "keeps the memtable of before the flush")
	require.Equal(t, map[int64]float64{1: 1, 2: 2, 3: 3, 4: 4}, points(t, b, still.Series()[0]))

	// More shapes of a device than are kept.
	names := make([]string, maxShapes+1)
	shapes := make([]*Shape, len(names))
	for i := range names {
		names[i] = fmt.Sprint("s", i)
		shapes[i] = floatShape(t, e, "root.many", names[i])
		put(t, e, shapes[i], []int64{1}, 1)
	}
	put(t, e, shapes[0], []int64{2}, 2)
	require.Nil(t, shapes[0].mem.Load(), "not kept")
	require.NotNil(t, shapes[1].mem.Load())
	require.NoError(t, e.Flush(bg))
	for _, s := range shapes {
		require.Nil(t, s.mem.Load())
		put(t, e, s, []int64{3}, 3)
	}
	require.Equal(t, map[int64]float64{1: 1, 2: 2, 3: 3}, points(t, e, shapes[0].Series()[0]))
}

// TestShapeAfterFailure: what a call that failed had found is not taken for what the
// next one, of another device, looks for.
func TestShapeAfterFailure(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		kinds := []column.Kind{column.Float64, column.Float64}
		floatShape(t, e, "root.d", "a")
		e.cfg.MaxSeries = 2
		_, err := e.Shape("root.d", []string{"a", "b"}, kinds)
		require.NoError(t, err)
		for n, bad := range [][]string{{"a", "c"}, {"a", "a"}, {"b", "a", "*"}} {
			e.cfg.MaxSeries = 2
			_, err = e.Shape("root.d", bad, append(kinds, column.Float64)[:len(bad)])
			require.Error(t, err)
			e.cfg.MaxSeries = 0
			device := fmt.Sprint("root.f", n)
			s, err := e.Shape(device, []string{"x", "y"}, kinds)
			require.NoError(t, err)
			for i, ser := range s.Series() {
				require.Equal(t, device+"."+[]string{"x", "y"}[i], ser.Path())
			}
		}
	})
}
