package engine

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/vfs"
)

// TestTotal: a snapshot tells the statistics of all points of a series together where
// files have all of them, one file after the other, and nothing hides any; else it
// leaves them to a cursor.
func TestTotal(t *testing.T) {
	cfg := diskConfig(vfs.NewMem())
	cfg.BlockRows, cfg.ManualFlush = 64, true
	e := open(t, cfg)
	defer e.Close()
	const all = block.FieldTimes | block.FieldRange | block.FieldSum | block.FieldEdges
	sh, other := floatShape(t, e, "root.d", "s"), floatShape(t, e, "root.other", "s")
	write := func(sh *Shape, from, n int64) {
		tb := Tablet{Shape: sh, Cols: make([]column.Vector, 1), Nulls: make([]column.Bitmap, 1)}
		tb.Cols[0].Kind = column.Float64
		for i := range n {
			tb.Times = append(tb.Times, from+i)
			tb.Cols[0].Float64s = append(tb.Cols[0].Float64s, float64((from+i)*7919%1000)/100)
		}
		_, err := e.Commit(bg, &Batch{Tablets: []Tablet{tb}}, false)
		require.NoError(t, err)
	}
	ser := sh.Series()[0]
	// check compares what is told with the blocks of a cursor.
	check := func(what string, from, to int64, known bool) {
		t.Helper()
		s := e.Snapshot()
		defer s.Release()
		got, blocks, ok := s.Total(ser, from, to, all)
		require.Equal(t, known, ok, what)
		if !ok {
			return
		}
		var want block.Stats
		n := 0
		c := s.Cursor(ser, from, to)
		defer c.Close()
		for {
			st, ok := c.PeekStats()
			if !ok {
				break
			}
			if n++; n == 1 {
				want = *st
				c.Skip()
				continue
			}
			want.Count, want.Flags, want.MaxTime, want.Last, want.SumF = want.Count+st.Count, want.Flags|st.Flags, st.MaxTime, st.Last, want.SumF+st.SumF
			want.Min = math.Float64bits(min(math.Float64frombits(want.Min), math.Float64frombits(st.Min)))
			want.Max = math.Float64bits(max(math.Float64frombits(want.Max), math.Float64frombits(st.Max)))
			c.Skip()
		}
		require.False(t, c.Next(), what)
		require.NoError(t, c.Err())
		require.Equal(t, n, blocks, what)
		if n == 0 {
			require.Nil(t, got)
			return
		}
		require.Equal(t, fmt.Sprintf("%+v", want), fmt.Sprintf("%+v", *got), what)
	}
	const least, most = math.MinInt64, math.MaxInt64
	check("nothing", least, most, true)
	write(sh, 0, 1000)
	check("in memory", least, most, false)
	require.NoError(t, e.Flush(bg))
	check("in a file", least, most, true)
	check("bounds", 0, 1000, true)
	check("before", least, 0, true)
	check("behind", 1000, most, true)
	check("a block in part", 1, most, false)
	check("the last in part", least, 999, false)
	write(other, 1000, 10)
	check("another device in memory", least, most, true)
	write(sh, 2000, 100)
	check("a file and memory", least, most, false)
	require.NoError(t, e.Flush(bg))
	check("two files", least, most, true)
	check("the first", least, 2000, true)
	check("the second", 1000, most, true)
	write(other, 0, 10)
	require.NoError(t, e.Flush(bg))
	check("a file without it between", least, most, true)
	write(sh, 1500, 10)
	require.NoError(t, e.Flush(bg))
	check("late points", least, most, false)
	check("beside late points", least, 1000, true)
	_, err := e.Commit(bg, &Batch{Deletes: []Delete{{Series: []*Series{ser}, From: 5000, To: 6000}}}, false)
	require.NoError(t, err)
	check("a delete", least, most, false)

	s := e.Snapshot()
	s.Release()
	_, _, ok := s.Total(ser, least, most, all)
	require.False(t, ok, "released")
}
