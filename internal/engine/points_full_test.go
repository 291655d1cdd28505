package engine

import (
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/vfs"
)

// Points that share records of a log that the disk has no room for: what was
// acknowledged stays, and is in files, or in the log, when there is room again.
func TestJoinedPointsOfAFullDisk(t *testing.T) {
	devices := []string{"a", "b", "c"}
	refused := 0
	for seed := range uint64(12) {
		rng := rand.New(rand.NewPCG(seed, 6))
		fs := crashfs.New()
		cfg := bufferedConfig(fs)
		cfg.BlockRows, cfg.SegmentBytes = 64, 4<<10
		e, shapes := pointStore(t, cfg, devices...)
		want := map[string]map[int64]int64{}
		for _, dev := range devices {
			want[dev] = map[int64]int64{}
			for i := range int64(40) {
				want[dev][i] = i
			}
		}
		require.NoError(t, e.Sync(bg))
		used := func() (n int64) {
			for _, dir := range []string{"", "wal", "data"} {
				names, _ := fs.List(e.disk.path(dir))
				for _, name := range names {
					if info, err := fs.Stat(e.disk.path(dir) + "/" + name); err == nil && !info.IsDir {
						n += info.Size
					}
				}
			}
			return n
		}
		full := func(err error) {
			if err != nil {
				require.True(t, errors.Is(err, errs.NoSpace) || errors.Is(err, vfs.ErrNoSpace), "%v", err)
				refused++
			}
		}
		for next := int64(40); next < 2000; next++ {
			switch n := rng.IntN(200); {
			case n < 3:
				fs.Budget(used() + rng.Int64N(3000))
			case n < 8:
				fs.Budget(-1)
			case n < 12:
				full(e.Sync(bg))
			case n < 14:
				full(e.Flush(bg))
			}
			i := rng.IntN(len(devices))
			stored, err := e.AppendPoint(bg, shapes[i], next, uint64(next), 0)
			require.NoError(t, err)
			for !stored {
				tb := Tablet{Shape: shapes[i], Times: []int64{next}, Cols: []column.Vector{{Kind: column.Int64, Int64s: []int64{next}}}}
				_, err := e.Commit(bg, &Batch{Tablets: []Tablet{tb}}, false)
				if full(err); err != nil {
					fs.Budget(-1)
				}
				stored = err == nil
			}
			want[devices[i]][next] = next
		}
		fs.Budget(-1)
		if seed%2 == 0 {
			require.NoError(t, e.Flush(bg))
		}
		for again := range 2 {
			s := e.Snapshot()
			for _, dev := range devices {
				ser, ok := e.Lookup(dev, "s")
				require.True(t, ok)
				var got []int64
				c := s.Cursor(ser, 0, 1<<40)
				for c.Next() {
					require.Equal(t, c.Times(), c.Values().Int64s)
					got = append(got, c.Times()...)
				}
				require.NoError(t, c.Err())
				c.Close()
				require.Equal(t, slices.Sorted(maps.Keys(want[dev])), got, "seed %d, reopened %d times", seed, again)
			}
			s.Release()
			require.NoError(t, e.Close())
			if again == 0 {
				e = open(t, cfg)
				require.Empty(t, e.Report().LostLog)
			}
		}
	}
	require.Greater(t, refused, 20)
}
