package engine

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/vfs"
)

// TestLastRemembers: Last gives what the end of a cursor gives, on snapshots
// old and new, while rows, late rows, deletes, flushes, compactions and drops go
// on between them.
func TestLastRemembers(t *testing.T) {
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 7))
		cfg := diskConfig(vfs.NewMem())
		cfg.BlockRows, cfg.ManualFlush = 8, true
		e := open(t, cfg)
		names := []string{"f", "i", "t", "b"}
		kinds := []column.Kind{column.Float64, column.Int32, column.Text, column.Bool}
		for i := range 20 { // a device with many columns
			names, kinds = append(names, fmt.Sprint("x", 20-i)), append(kinds, column.Int64)
		}
		at, steps := int64(0), 0
		var held []*Snapshot
		check := func(s *Snapshot) {
			var all []*Series
			together := map[string]Point{}
			for _, name := range names {
				if ser, ok := e.Lookup("root.d", name); ok {
					for range 1 + r.IntN(4) { // one after the other
						all = append(all, ser)
					}
				}
			}
			found := make([]Newest, len(all))
			_, err := s.Lasts(all, found)
			require.NoError(t, err)
			for i, ser := range all {
				if found[i].OK {
					p := Point{Time: found[i].At, Value: column.Vector{Kind: ser.Kind}}
					p.Value.AppendCell(&found[i].Cell)
					together[ser.Name] = p
				}
			}
			for _, name := range names {
				ser, ok := e.Lookup("root.d", name)
				if !ok {
					continue
				}
				c := s.Cursor(ser, math.MinInt64, math.MaxInt64)
				var want *Point
				for c.Next() {
					n := len(c.Times()) - 1
					want = &Point{Time: c.Times()[n], Value: c.Values().Slice(n, n+1)}
				}
				require.NoError(t, c.Err())
				at, cell, ok, err := s.LastCell(ser)
				require.NoError(t, err)
				require.Equal(t, want != nil, ok, "seed %d step %d %s", seed, steps, name)
				p, has := together[name]
				require.Equal(t, want != nil, has, "seed %d step %d %s, together", seed, steps, name)
				if has {
					require.Equal(t, want.Time, p.Time, "seed %d step %d %s, together", seed, steps, name)
					require.Equal(t, want.Value.Cell(0), p.Value.Cell(0), "seed %d step %d %s, together", seed, steps, name)
				}
				if ok {
					require.Equal(t, want.Time, at, "seed %d step %d %s", seed, steps, name)
					require.Equal(t, want.Value.Cell(0), cell, "seed %d step %d %s at %d", seed, steps, name, at)
				}
			}
		}
		for steps = range 300 {
			lo := r.IntN(len(names))
			hi := lo + 1 + r.IntN(len(names)-lo)
			if r.IntN(3) > 0 {
				lo, hi = 0, len(names)
			}
			tb := emptyTablet(t, e, "root.d", names[lo:hi], kinds[lo:hi])
			for range 1 + r.IntN(6) {
				at += int64(r.IntN(3))
				when := at
				if r.IntN(5) == 0 {
					when -= int64(r.IntN(20))
				}
				addRandomRow(&tb, r, when, true)
			}
			_, err := e.Commit(bg, &Batch{Tablets: []Tablet{tb}}, false)
			require.NoError(t, err)
			switch r.IntN(14) {
			case 0:
				require.NoError(t, e.Flush(bg))
			case 1:
				require.NoError(t, e.Compact(bg))
			case 2:
				var del []*Series
				for _, name := range names {
					if ser, ok := e.Lookup("root.d", name); ok && r.IntN(2) == 0 {
						del = append(del, ser)
					}
				}
				from := at - int64(r.IntN(30))
				_, err := e.Commit(bg, &Batch{Deletes: []Delete{{Series: del, From: from, To: from + int64(r.IntN(40))}}}, false)
				require.NoError(t, err)
			case 3:
				if ser, ok := e.Lookup("root.d", names[r.IntN(len(names))]); ok && len(held) == 0 {
					_, err := e.Commit(bg, &Batch{Drops: []*Series{ser}}, false)
					require.NoError(t, err)
				}
			case 4:
				if len(held) < 3 {
					held = append(held, e.Snapshot())
				}
			case 5:
				if len(held) > 0 {
					check(held[0])
					held[0].Release()
					held = held[1:]
				}
			}
			if r.IntN(3) == 0 {
				now := e.Snapshot()
				check(now)
				now.Release()
			}
		}
		for _, s := range held {
			check(s)
			s.Release()
		}
		require.NoError(t, e.Close())
	}
}

// TestLastIsRemembered: the newest point of files is read once, and a delete of
// it, its compaction, or a newer file changes the answer.
func TestLastIsRemembered(t *testing.T) {
	e := open(t, diskConfig(vfs.NewMem()))
	defer e.Close()
	s := floatShape(t, e, "root.d", "a")
	ser := s.Series()[0]
	last := func() (int64, bool) {
		snap := e.Snapshot()
		defer snap.Release()
		at, _, ok, err := snap.LastCell(ser)
		require.NoError(t, err)
		return at, ok
	}
	remembered := func() bool {
		snap := e.Snapshot()
		defer snap.Release()
		p := ser.Filed.Load()
		return p != nil && p.UpTo == snap.version.upTo && p.Gen == snap.version.gen
	}
	put(t, e, s, []int64{1, 2, 3}, 1, 2, 3)
	require.NoError(t, e.Flush(bg))
	require.False(t, remembered())
	at, ok := last()
	require.True(t, ok && at == 3 && remembered())
	put(t, e, s, []int64{5}, 5)
	require.NoError(t, e.Flush(bg))
	require.False(t, remembered())
	at, _ = last()
	require.Equal(t, int64(5), at)
	require.True(t, remembered())
	_, err := e.Commit(bg, &Batch{Deletes: []Delete{{Series: s.Series(), From: 3, To: math.MaxInt64}}}, false)
	require.NoError(t, err)
	at, _ = last()
	require.Equal(t, int64(2), at)
	require.NoError(t, e.Flush(bg))
	at, _ = last()
	require.Equal(t, int64(2), at)
	require.NoError(t, e.Compact(bg))
	require.False(t, remembered())
	at, _ = last()
	require.Equal(t, int64(2), at)
}

// TestLastBeforeADelete: a snapshot from before a delete shows the newest point that
// was deleted, also when the delete was flushed with no rows and others have asked
// since.
func TestLastBeforeADelete(t *testing.T) {
	e := open(t, diskConfig(vfs.NewMem()))
	defer e.Close()
	s := floatShape(t, e, "root.d", "a")
	ser := s.Series()[0]
	put(t, e, s, []int64{1, 2, 3, 4, 5}, 1, 2, 3, 4, 5)
	require.NoError(t, e.Flush(bg))
	var held []*Snapshot
	want := int64(5)
	check := func(snap *Snapshot, want int64) {
		t.Helper()
		at, _, ok, err := snap.LastCell(ser)
		require.NoError(t, err)
		require.Equal(t, want > 0, ok)
		if ok {
			require.Equal(t, want, at)
		}
	}
	for ; want > 0; want-- {
		held = append(held, e.Snapshot())
		check(held[len(held)-1], want)
		_, err := e.Commit(bg, &Batch{Deletes: []Delete{{Series: s.Series(), From: want, To: math.MaxInt64}}}, false)
		require.NoError(t, err)
		require.NoError(t, e.Flush(bg))
		now := e.Snapshot()
		check(now, want-1)
		now.Release()
	}
	for range 2 { // in turn, so that each finds what another remembered
		for i, snap := range held {
			check(snap, int64(5-i))
		}
	}
	for _, snap := range held {
		snap.Release()
	}
}
