package engine

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/internal/errs"
)

// TestBufferedCrash: with AckBuffered, what a crash leaves of points and groups, of which
// the log writes hundreds of kilobytes though nobody waits, is a prefix of what was
// written, with all that was synced, whatever the disk had no room for in between.
func TestBufferedCrash(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { bufferedCrash(t, seed) })
	}
}

func bufferedCrash(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 13))
	fs := crashfs.New()
	cfg := bufferedConfig(fs)
	cfg.SegmentBytes, cfg.ManualFlush, cfg.BlockRows = 2<<20, true, 256
	e := open(t, cfg)
	const devices = 4
	shapes := make([]*Shape, devices)
	for i := range shapes {
		var err error
		shapes[i], err = e.Shape(fmt.Sprint("root.d", i), []string{"s"}, []column.Kind{column.Int64})
		require.NoError(t, err)
	}
	seq := int64(0) // of the last row; time and value of it
	commit := func(s *Shape, n int) bool {
		tb := Tablet{Shape: s, Cols: []column.Vector{{Kind: column.Int64}}}
		for i := range int64(n) {
			tb.Times = append(tb.Times, seq+1+i)
			tb.Cols[0].Int64s = append(tb.Cols[0].Int64s, seq+1+i)
		}
		_, err := e.Commit(bg, &Batch{Tablets: []Tablet{tb}}, false)
		var stored *StoredError
		if err != nil && !errors.As(err, &stored) {
			require.ErrorIs(t, err, errs.NoSpace)
			return false
		}
		seq += int64(n)
		return true
	}
	type synced struct {
		ops int
		seq int64
	}
	var safe []synced
	full := false
	for range 40 {
		s := shapes[rng.IntN(devices)]
		switch k := rng.IntN(20); {
		case k < 8:
			for range 2000 + rng.IntN(8000) {
				ok, err := e.AppendPoint(bg, s, seq+1, uint64(seq+1), 0)
				if err == nil && ok {
					seq++
				} else if !commit(s, 1) {
					break
				}
			}
		case k < 15:
			for range 1 + rng.IntN(30) {
				if !commit(s, 200+rng.IntN(1500)) {
					break
				}
			}
		case k < 17:
			if err := e.Sync(bg); err == nil {
				safe = append(safe, synced{fs.Ops(), seq})
			} else {
				require.True(t, full)
			}
		case k < 18:
			if err := e.Flush(bg); err == nil {
				safe = append(safe, synced{fs.Ops(), seq})
			} else {
				require.True(t, full)
			}
		default:
			if full = !full && seed%2 == 1; full {
				fs.Budget(int64(rng.IntN(300 << 10)))
			} else {
				fs.Heal()
			}
		}
	}
	fs.Heal()
	last, ops := seq, fs.Ops()
	require.NoError(t, e.Close())
	t.Log(last, "rows in", ops, "operations")
	for range 8 {
		at, mode := rng.IntN(ops+1), crashfs.Modes[rng.IntN(len(crashfs.Modes))]
		least := int64(0)
		for _, s := range safe {
			if s.ops <= at {
				least = max(least, s.seq)
			}
		}
		cfg.FS = fs.Image(at, mode, rng.Uint64())
		e := open(t, cfg)
		seen := make([]bool, last+1)
		n, most := int64(0), int64(0)
		snap := e.Snapshot()
		for _, ser := range dumpSeries(e) {
			c := snap.Cursor(ser, 0, MaxTime)
			for c.Next() {
				for i, when := range c.Times() {
					require.Equal(t, when, c.Values().Int64s[i])
					require.False(t, seen[when], "row %d is there twice", when)
					seen[when] = true
					n, most = n+1, max(most, when)
				}
			}
			require.NoError(t, c.Err())
		}
		snap.Release()
		require.Equal(t, most, n, "%v at %d: a prefix", mode, at)
		require.GreaterOrEqual(t, n, least, "%v at %d: what was synced", mode, at)
		require.NoError(t, e.Close())
	}
}
