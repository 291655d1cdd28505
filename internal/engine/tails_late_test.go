package engine

import (
	"fmt"
	"math"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/vfs"
)

// lateStore is a store with series of a device, flushed, that was closed and
// opened again.
func lateStore(t *testing.T, cfg Config, series, rows int) (*Engine, []*Series) {
	e := open(t, cfg)
	names, kinds := make([]string, series), make([]column.Kind, series)
	for i := range names {
		names[i], kinds[i] = fmt.Sprintf("s%03d", i), column.Int64
	}
	shape, err := e.Shape("root.d", names, kinds)
	require.NoError(t, err)
	tb := Tablet{Shape: shape, Cols: make([]column.Vector, series), Nulls: make([]column.Bitmap, series)}
	for i := range int64(rows) {
		tb.Times = append(tb.Times, i*i) // no line
		for c := range tb.Cols {
			tb.Cols[c].Kind = column.Int64
			tb.Cols[c].Int64s = append(tb.Cols[c].Int64s, i*int64(c+1))
		}
	}
	_, err = e.Commit(bg, &Batch{Tablets: []Tablet{tb}}, false)
	require.NoError(t, err)
	require.NoError(t, e.Flush(bg))
	require.NoError(t, e.Close())
	e = open(t, cfg)
	all := make([]*Series, series)
	for i, name := range names {
		ser, ok := e.Lookup("root.d", name)
		require.True(t, ok)
		all[i] = ser
	}
	return e, all
}

// lateSum adds up what is read of a series from a time on, and the blocks that were
// decoded for it.
func lateSum(t testing.TB, s *Snapshot, ser *Series, from int64) (sum, decoded int64) {
	c := s.Cursor(ser, from, math.MaxInt64)
	defer c.Close()
	for c.Next() {
		for i, at := range c.Times() {
			sum += at*31 + c.Values().Int64s[i]
		}
	}
	if err := c.Err(); err != nil {
		t.Error(err)
	}
	return sum, c.Decoded()
}

// TestLateTails: in a store that was opened, the first read of the newest block of
// a series leaves its end for the next, which decode nothing; a read of what is
// before it does not, and a flush of newer rows ends it.
func TestLateTails(t *testing.T) {
	const rows = 1000
	e, all := lateStore(t, diskConfig(vfs.NewMem()), 20, rows)
	defer e.Close()
	late := e.currentFiles()[0].tails.Load().late
	require.NotNil(t, late)
	s := e.Snapshot()
	defer s.Release()
	from := int64((rows - 30) * (rows - 30))
	for i, ser := range all {
		first, decoded := lateSum(t, s, ser, from)
		require.Equal(t, int64(1), decoded, "the first read of %d", i)
		again, decoded := lateSum(t, s, ser, from)
		require.Equal(t, first, again)
		require.Zero(t, decoded, "the second read of %d", i)
		_, decoded = lateSum(t, s, ser, (rows-65)*(rows-65))
		require.Equal(t, int64(1), decoded, "more than the tail has")
		_, decoded = lateSum(t, s, ser, (rows-64)*(rows-64))
		require.Zero(t, decoded, "all that the tail has")
	}
	require.Equal(t, e.tailRoom-int64(len(all))*tailBytes-8*tailRows, late.room.Load(), "times are shared")
	require.Zero(t, testing.AllocsPerRun(100, func() { late.since(all[3].ID, from) }))

	shape, err := e.Shape("root.d", []string{"s000"}, []column.Kind{column.Int64})
	require.NoError(t, err)
	_, err = e.Commit(bg, &Batch{Tablets: []Tablet{{Shape: shape, Times: []int64{rows * rows}, Nulls: []column.Bitmap{nil},
		Cols: []column.Vector{{Kind: column.Int64, Int64s: []int64{1}}}}}}, false)
	require.NoError(t, err)
	require.NoError(t, e.Flush(bg))
	require.Nil(t, e.currentFiles()[0].tails.Load(), "of the file that is not the newest any more")
	now := e.Snapshot()
	defer now.Release()
	before, _ := lateSum(t, s, all[0], from)
	after, _ := lateSum(t, now, all[0], from)
	require.Equal(t, before+rows*rows*31+1, after)
}

// TestLateTailRoom: no more series than there is room for, none in a small store,
// and none of texts or of blocks that are soon decoded.
func TestLateTailRoom(t *testing.T) {
	read := func(e *Engine, all []*Series) (n int) {
		s := e.Snapshot()
		defer s.Release()
		for _, ser := range all {
			lateSum(t, s, ser, 0)
		}
		if t := e.currentFiles()[0].tails.Load(); t != nil {
			for i := range t.late.slots {
				if t.late.slots[i].Load() != nil {
					n++
				}
			}
		}
		return n
	}
	cfg := diskConfig(vfs.NewMem())
	e, all := lateStore(t, cfg, 100, 200)
	e.tailRoom = 40*tailBytes + 2*8*tailRows // times once, and as much left
	e.learnTails()
	require.Equal(t, 40, read(e, all))
	require.NoError(t, e.Close())

	e, all = lateStore(t, diskConfig(vfs.NewMem()), 3, tailRows)
	require.Zero(t, read(e, all), "blocks as long as tails")
	require.NoError(t, e.Close())

	cfg = diskConfig(vfs.NewMem())
	cfg.IndexCache = 1 << 20 // of the Edge profile
	e, all = lateStore(t, cfg, 3, 200)
	require.Nil(t, e.currentFiles()[0].tails.Load())
	require.Zero(t, read(e, all))
	require.NoError(t, e.Close())
}

// TestLateTailsTogether: goroutines that learn and use tails at the same time see
// the same.
func TestLateTailsTogether(t *testing.T) {
	const rows = 500
	e, all := lateStore(t, diskConfig(vfs.NewMem()), 60, rows)
	defer e.Close()
	from := int64((rows - 40) * (rows - 40))
	want := make([]int64, len(all))
	for c := range all {
		for i := int64(rows - 40); i < rows; i++ {
			want[c] += i*i*31 + i*int64(c+1)
		}
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			s := e.Snapshot()
			defer s.Release()
			for range 3 {
				for i, ser := range all {
					if got, _ := lateSum(t, s, ser, from); got != want[i] {
						t.Errorf("series %d: %d, want %d", i, got, want[i])
					}
				}
			}
		})
	}
	wg.Wait()
	s := e.Snapshot()
	defer s.Release()
	for i, ser := range all { // two may have wanted one place
		lateSum(t, s, ser, from)
		got, decoded := lateSum(t, s, ser, from)
		require.Equal(t, want[i], got)
		require.Zero(t, decoded, "series %d", i)
	}
}
