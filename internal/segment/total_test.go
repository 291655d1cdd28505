package segment

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/vfs"
)

// slowTotal folds blocks one by one; ok is false if their integer sum is not known.
func slowTotal(blocks []BlockInfo) (s block.Stats, ok bool) {
	s.Flags, ok = block.FlagNoRange, true
	for i := range blocks {
		b := &blocks[i].Stats
		if i == 0 {
			s.MinTime, s.First = b.MinTime, b.First
		}
		s.MaxTime, s.Last = b.MaxTime, b.Last
		s.Count += b.Count
		if b.Flags&block.FlagNoRange == 0 {
			kind := blocks[i].Kind
			if first := s.Flags&block.FlagNoRange != 0; first || less(kind, b.Min, s.Min) {
				s.Min = b.Min
			}
			if first := s.Flags&block.FlagNoRange != 0; first || less(kind, s.Max, b.Max) {
				s.Max = b.Max
			}
			s.Flags &^= block.FlagNoRange
		}
		s.Flags |= b.Flags &^ block.FlagNoRange
		s.SumF += b.SumF
		sum := s.SumI + b.SumI
		ok = ok && b.Flags&block.FlagOverflow == 0 && (sum >= s.SumI) == (b.SumI >= 0)
		s.SumI = sum
	}
	return s, ok
}

// less orders -0 before 0.
func less(kind column.Kind, a, b uint64) bool {
	switch kind {
	case column.Float64:
		x, y := math.Float64frombits(a), math.Float64frombits(b)
		return x < y || x == y && math.Signbit(x) && !math.Signbit(y)
	case column.Float32:
		x, y := math.Float32frombits(uint32(a)), math.Float32frombits(uint32(b))
		return x < y || x == y && math.Signbit(float64(x)) && !math.Signbit(float64(y))
	}
	return int64(a) < int64(b)
}

// TestAddTotal: of all kinds, and of blocks of all sorts, what is told of many
// together is what they say one by one.
func TestAddTotal(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	known, unknown := 0, 0
	for name, d := range map[string]testData{
		"one row":       makeData(1, 1, 1, 1),
		"many devices":  makeData(3, 120, 1, 20),
		"many chunks":   makeData(4, 1, 200, 5),
		"several pages": makeData(5, 30, 70, 3),
		"large blocks":  makeData(6, 3, 12, 1024),
		"regular":       regular(80, 5),
	} {
		t.Run(name, func(t *testing.T) {
			fsys := vfs.NewMem()
			d.write(t, fsys, "f.blk")
			r, err := Open(fsys, "f.blk", testStore, testFile, NewCache(1<<20))
			require.NoError(t, err)
			defer r.Close()
			none := Total{}
			require.True(t, r.AddTotal(&none, 1<<31, math.MinInt64, math.MaxInt64))
			require.Zero(t, none)
			for id, kind := range r.Series() {
				all, err := r.Blocks(id)
				require.NoError(t, err)
				for round := range 12 {
					blocks, from, to := all, int64(math.MinInt64), int64(math.MaxInt64)
					if round > 3 { // whole entries, or parts of them
						lo, hi := rnd.IntN(len(all)), rnd.IntN(len(all))
						blocks = all[min(lo, hi) : max(lo, hi)+1]
						from, to = blocks[0].MinTime, blocks[len(blocks)-1].MaxTime
					}
					want := block.Fields(rnd.IntN(16))
					what := fmt.Sprintf("series %d, %v, %d blocks of %d, fields %b", id, kind, len(blocks), len(all), want)
					sums, ok := slowTotal(blocks)
					floats := kind == column.Float32 || kind == column.Float64
					got := Total{Want: want}
					if !r.AddTotal(&got, id, from, to) {
						require.True(t, len(blocks) < len(all) || kind == column.Text && want&^block.FieldTimes != 0 || !ok && want&block.FieldSum != 0, what)
						unknown++
						continue
					}
					known++
					s := &got.Stats
					require.Equal(t, len(blocks), got.Blocks, what)
					require.Equal(t, sums.Count, s.Count, what)
					require.Equal(t, sums.Flags, s.Flags, what)
					if want&block.FieldTimes != 0 {
						require.Equal(t, [2]int64{sums.MinTime, sums.MaxTime}, [2]int64{s.MinTime, s.MaxTime}, what)
					}
					if want&block.FieldEdges != 0 {
						require.Equal(t, [2]uint64{sums.First, sums.Last}, [2]uint64{s.First, s.Last}, what)
					}
					if want&block.FieldRange != 0 && sums.Flags&block.FlagNoRange == 0 {
						require.Equal(t, [2]uint64{sums.Min, sums.Max}, [2]uint64{s.Min, s.Max}, what)
					}
					if want&block.FieldSum != 0 {
						if floats {
							require.Equal(t, math.Float64bits(sums.SumF), math.Float64bits(s.SumF), what)
						} else {
							require.True(t, ok, what)
							require.Equal(t, sums.SumI, s.SumI, what)
						}
					}
				}
			}
		})
	}
	require.Greater(t, known, 1000)
	require.Greater(t, unknown, 100)
}

// TestAddTotalOfDamage: an entry that is cut off or changed is never a panic.
func TestAddTotalOfDamage(t *testing.T) {
	d := makeData(7, 1, 70, 3)
	fsys := vfs.NewMem()
	d.write(t, fsys, "f.blk")
	r, err := Open(fsys, "f.blk", testStore, testFile, nil)
	require.NoError(t, err)
	defer r.Close()
	content, err := r.page(0)
	require.NoError(t, err)
	_, n := r.dir.entries(0)
	rnd := rand.New(rand.NewPCG(7, 8))
	var c entryCoder
	for e := range n {
		src, err := entryOf(content, e, n)
		require.NoError(t, err)
		for range 2000 {
			bad := append([]byte(nil), src...)
			if rnd.IntN(2) == 0 {
				bad = bad[:rnd.IntN(len(bad))]
			}
			for range rnd.IntN(3) {
				if len(bad) > 0 {
					bad[rnd.IntN(len(bad))] = byte(rnd.Uint32())
				}
			}
			got := Total{Want: block.Fields(rnd.IntN(16))}
			if c.addTotal(&got, bad, r.dir.ids[e], r.dir.kinds[e], math.MinInt64, math.MaxInt64, rnd.IntN(2) == 0) {
				require.Positive(t, got.Blocks)
			}
		}
	}
}
