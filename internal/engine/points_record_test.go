package engine

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/internal/memtable"
	"github.com/tickwell/tickwell/internal/wal"
	"github.com/tickwell/tickwell/vfs"
)

// bufferedConfig is a store whose log is written when it is told to.
func bufferedConfig(fs vfs.FS) Config {
	cfg := diskConfig(fs)
	cfg.Sync = wal.Policy{Mode: wal.Buffered, Interval: time.Hour}
	return cfg
}

// The record of a point is that of a row of one cell, byte for byte.
func TestPointRecord(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 1))
	for range 20_000 {
		kind := column.Kind(1 + rng.IntN(5))
		l := &memtable.Layout{IDs: []uint32{rng.Uint32()>>rng.IntN(32) | 1}, Kinds: []column.Kind{kind}}
		at := int64(rng.Uint64() >> rng.IntN(64)) // of all sizes
		at -= int64(rng.Uint64() >> rng.IntN(64))
		num := rng.Uint64()
		switch kind {
		case column.Bool:
			num &= 1
		case column.Int32, column.Float32:
			num = uint64(uint32(num))
		}
		var row [maxRowRecord]byte
		var point [maxPointRecord]byte
		require.Equal(t, appendRow(&row, l, at, []column.Cell{{Kind: kind, Num: num}}), appendPoint(&point, l, at, num),
			"%v %d of series %d at %d", kind, num, l.IDs[0], at)
	}
}

// pointsShown returns what a snapshot shows of the only series of some devices.
func pointsShown(t *testing.T, e *Engine, s *Snapshot, devices []string) string {
	var out []byte
	for _, dev := range devices {
		ser, ok := e.Lookup(dev, "s")
		if !ok {
			continue
		}
		c := s.Cursor(ser, 0, 1<<40)
		for c.Next() {
			for k, at := range c.Times() {
				out = fmt.Appendf(out, "%s %d=%d\n", dev, at, c.Values().Int64s[k])
			}
		}
		require.NoError(t, c.Err())
		c.Close()
	}
	return string(out)
}

// Points that share records of the log beside snapshots, deletes and flushes: each
// snapshot shows all up to its position and nothing that came later, and after a
// crash at any moment the store has what there was after some number of steps, and
// all that was synced.
func TestPointsShareRecords(t *testing.T) {
	devices := []string{"a", "b", "c"}
	seeds := uint64(3)
	if testing.Short() {
		seeds = 1
	}
	for seed := range seeds {
		rng := rand.New(rand.NewPCG(seed, 5))
		fs := crashfs.New()
		cfg := bufferedConfig(fs)
		cfg.BlockRows = 64
		e, shapes := pointStore(t, cfg, devices...)
		now := map[string]map[int64]int64{}
		for _, dev := range devices {
			now[dev] = map[int64]int64{}
			for i := range int64(40) {
				now[dev][i] = i
			}
		}
		text := func() string {
			var out []byte
			for _, dev := range devices {
				for _, at := range slices.Sorted(maps.Keys(now[dev])) {
					out = fmt.Appendf(out, "%s %d=%d\n", dev, at, now[dev][at])
				}
			}
			return string(out)
		}
		require.NoError(t, e.Sync(bg))
		begin := fs.Ops()
		states := []string{text()}
		type synced struct{ ops, state int }
		safe := []synced{{begin, 0}}
		type kept struct {
			s    *Snapshot
			want string
		}
		var snaps []kept
		next, cut, shared := int64(40), uint64(0), 0
		for range 300 {
			i := rng.IntN(len(devices))
			switch n := rng.IntN(100); {
			case n < 80:
				var buf [maxPointRecord]byte
				before := e.lastLSN()
				var p turn
				var ok bool
				if rng.IntN(2) == 0 {
					p, ok = e.addPoint(shapes[i], next, uint64(next), appendPoint(&buf, &shapes[i].layout, next, uint64(next)), 0)
				} else {
					var err error
					ok, err = e.AppendPoint(bg, shapes[i], next, uint64(next), 0)
					require.NoError(t, err)
					p.lsn = e.lastLSN()
				}
				lsn := p.lsn
				if !ok { // after a flush or a delete
					tb := Tablet{Shape: shapes[i], Times: []int64{next}, Cols: []column.Vector{{Kind: column.Int64, Int64s: []int64{next}}}}
					var err error
					lsn, err = e.Commit(bg, &Batch{Tablets: []Tablet{tb}}, false)
					require.NoError(t, err)
				}
				require.Greater(t, lsn, cut, "position after a snapshot or a flush")
				if lsn == before {
					shared++
				}
				now[devices[i]][next] = next
				next++
			case n < 86:
				from := rng.Int64N(next)
				to := from + rng.Int64N(next-from) + 1
				_, err := e.Commit(bg, &Batch{Deletes: []Delete{{Series: shapes[i].Series(), From: from, To: to}}}, false)
				require.NoError(t, err)
				maps.DeleteFunc(now[devices[i]], func(at, _ int64) bool { return from <= at && at < to })
			case n < 94:
				s := e.Snapshot()
				cut = s.LSN()
				require.Equal(t, e.lastLSN(), cut)
				snaps = append(snaps, kept{s, text()})
				continue
			case n < 95:
				require.NoError(t, e.Flush(bg))
				cut = e.lastLSN()
				safe = append(safe, synced{fs.Ops(), len(states) - 1})
				continue
			default:
				require.NoError(t, e.Sync(bg))
				safe = append(safe, synced{fs.Ops(), len(states) - 1})
				continue
			}
			states = append(states, text())
			if len(snaps) > 4 {
				require.Equal(t, snaps[0].want, pointsShown(t, e, snaps[0].s, devices), "snapshot of seed %d", seed)
				snaps[0].s.Release()
				snaps = snaps[1:]
			}
		}
		require.Greater(t, shared, 9, "points that shared a record")
		for _, k := range snaps {
			require.Equal(t, k.want, pointsShown(t, e, k.s, devices), "snapshot of seed %d", seed)
			k.s.Release()
		}
		require.NoError(t, e.Sync(bg))
		safe = append(safe, synced{fs.Ops(), len(states) - 1})
		for op := begin; op <= fs.Ops(); op++ {
			for len(safe) > 1 && safe[1].ops <= op {
				safe = safe[1:]
			}
			for _, mode := range crashfs.Modes {
				img := bufferedConfig(fs.Image(op, mode, seed))
				again := open(t, img)
				s := again.Snapshot()
				got := pointsShown(t, again, s, devices)
				s.Release()
				require.NoError(t, again.Close())
				if !slices.Contains(states[safe[0].state:], got) {
					t.Fatalf("seed %d, cut at %d (%v): expected one of the last %d states, got\n%s", seed, op, mode, len(states)-safe[0].state, got)
				}
			}
		}
		require.NoError(t, e.Close())
	}
}
