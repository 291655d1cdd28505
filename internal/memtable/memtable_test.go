package memtable

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/merge"
)

func intLayout(ids ...uint32) *Layout {
	l := &Layout{IDs: ids}
	for range ids {
		l.Kinds = append(l.Kinds, column.Int64)
	}
	return l
}

// add writes rows in which every cell is the value.
func add(d *Device, l *Layout, lsn uint64, cut Cut, value int64, times ...int64) int {
	w := Write{Layout: l, LSN: lsn, Cut: cut, Rows: Rows{Times: times}}
	for range l.IDs {
		v := column.Vector{Kind: column.Int64}
		for range times {
			v.Int64s = append(v.Int64s, value)
		}
		w.Rows.Cols = append(w.Rows.Cols, v)
	}
	d.Lock()
	defer d.Unlock()
	return d.Add(&w)
}

func read(t *testing.T, d *Device, id uint32, epoch uint64) map[int64]int64 {
	t.Helper()
	masks := [][]merge.Mask{d.Masks(nil, id, Newest)}
	src := d.Sources(nil, []uint32{id}, epoch, math.MinInt64, math.MaxInt64)
	r := merge.New([]column.Kind{column.Int64}, masks, math.MinInt64, math.MaxInt64, src)
	out := map[int64]int64{}
	last := int64(math.MinInt64)
	for r.Next() {
		v, nulls := r.Col(0)
		require.Nil(t, nulls)
		for i, at := range r.Times() {
			require.Greater(t, at, last)
			last = at
			out[at] = v.Int64s[i]
		}
	}
	require.NoError(t, r.Err())
	return out
}

var now = Cut{Epoch: 1, Oldest: NoSnapshot}

func TestLateRunsStayFew(t *testing.T) {
	tb := New(64)
	d := tb.Device(1, true)
	l := intLayout(1)
	want := map[int64]int64{}
	rng := rand.New(rand.NewPCG(1, 2))
	add(d, l, 1, now, -1, 1<<40)
	want[1<<40] = -1
	for i := range int64(30000) {
		at := rng.Int64N(1 << 16)
		require.Equal(t, 1, add(d, l, uint64(i+2), now, i, at))
		want[at] = i
	}
	require.True(t, maps.Equal(want, read(t, d, 1, Newest)))
	require.Less(t, len(d.groups[0].lanes), 16, "runs of 30000 late rows")
	require.InDelta(t, d.size(), tb.Bytes(), float64(d.size())/10, "bytes counted and bytes held")
}

func TestMasksBetweenLateRuns(t *testing.T) {
	d := New(16).Device(1, true)
	l := intLayout(1)
	want := map[int64]int64{}
	rng := rand.New(rand.NewPCG(3, 4))
	lsn := uint64(1)
	for i := range int64(4000) {
		lsn++
		if i%300 == 299 {
			from := rng.Int64N(1000)
			d.Lock()
			d.Mask(1, from, from+100, lsn, now)
			d.Unlock()
			maps.DeleteFunc(want, func(at, _ int64) bool { return from <= at && at < from+100 })
			continue
		}
		at := rng.Int64N(1000)
		add(d, l, lsn, now, i, at)
		want[at] = i
	}
	require.True(t, maps.Equal(want, read(t, d, 1, Newest)))
}

// TestEpochsAreCuts takes a snapshot after every few writes, keeps them all, and
// reads them at the end.
func TestEpochsAreCuts(t *testing.T) {
	for _, layouts := range [][]*Layout{
		{intLayout(1)},
		{intLayout(1, 2), intLayout(2, 1)},
		{intLayout(1, 2), intLayout(1), intLayout(2)},
		{intLayout(1, 2, 3), intLayout(1), intLayout(3, 4)},
	} {
		d := New(16).Device(1, true)
		rng := rand.New(rand.NewPCG(5, 6))
		now := map[uint32]map[int64]int64{1: {}, 2: {}, 3: {}, 4: {}}
		saved := map[uint64]map[uint32]map[int64]int64{}
		cut := Cut{Epoch: 1, Oldest: NoSnapshot}
		for i := range int64(1500) {
			l := layouts[rng.IntN(len(layouts))]
			at := i
			if rng.IntN(3) == 0 {
				at = rng.Int64N(i + 1)
			}
			add(d, l, uint64(i+1), cut, i, at)
			for _, id := range l.IDs {
				now[id][at] = i
			}
			if rng.IntN(20) == 0 {
				copied := map[uint32]map[int64]int64{}
				for id, m := range now {
					copied[id] = maps.Clone(m)
				}
				saved[cut.Epoch] = copied
				cut.Oldest = min(cut.Oldest, cut.Epoch)
				cut.Epoch++
			}
		}
		for epoch, series := range saved {
			for id, want := range series {
				require.True(t, maps.Equal(want, read(t, d, id, epoch)), "%d layouts, epoch %d, series %d", len(layouts), epoch, id)
			}
		}
	}
}

func TestSorter(t *testing.T) {
	null := func(rows ...int) column.Bitmap {
		var b column.Bitmap
		for _, i := range rows {
			b.Set(i)
		}
		return b
	}
	for _, c := range []struct {
		times []int64
		nulls column.Bitmap
		want  string
	}{
		{[]int64{3, 1, 2}, nil, "1=1 2=2 3=0"},
		{[]int64{1, 1, 1}, nil, "1=2"},
		{[]int64{1, 1, 1}, null(2), "1=1"},
		{[]int64{1, 1, 1}, null(0, 1, 2), "1=null"},
		{[]int64{2, 1, 2, 1}, null(2), "1=3 2=0"},
	} {
		r := &Rows{Times: c.times, Cols: []column.Vector{{Kind: column.Int64}}, Nulls: []column.Bitmap{c.nulls}}
		for i := range c.times {
			r.Cols[0].Int64s = append(r.Cols[0].Int64s, int64(i))
		}
		var s Sorter
		got := ""
		for k := range 2 { // the second use sees no rests of the first
			out := s.Sort(r)
			got = ""
			for i, at := range out.Times {
				if got != "" {
					got += " "
				}
				if out.Nulls[0].Get(i) {
					got += fmt.Sprintf("%d=null", at)
				} else {
					got += fmt.Sprintf("%d=%d", at, out.Cols[0].Int64s[i])
				}
			}
			require.Equal(t, c.want, got, "%v, use %d", c.times, k)
		}
	}
}

func TestComponents(t *testing.T) {
	d := New(16).Device(1, true)
	add(d, intLayout(1, 2), 1, now, 1, 1)
	add(d, intLayout(5), 2, now, 1, 1)
	add(d, intLayout(4, 2), 3, now, 1, 2)
	add(d, intLayout(7, 6), 4, now, 1, 2)
	var got [][]uint32
	for _, c := range d.Components() {
		got = append(got, c.IDs)
	}
	require.Equal(t, [][]uint32{{1, 2, 4}, {5}, {6, 7}}, got)
}

// TestSourcesOfRanges reads ranges of rows in order and late ones as snapshots of
// several epochs see them, and no chunk that ends before the range.
func TestSourcesOfRanges(t *testing.T) {
	d := New(16).Device(1, true)
	l := intLayout(1, 2, 3)
	rng := rand.New(rand.NewPCG(5, 6))
	want := map[int64]int64{}
	cuts := map[uint64]map[int64]int64{}
	const epochs, perEpoch = 20, 25
	for e := range uint64(epochs) {
		cut := Cut{Epoch: e + 1, Oldest: 1}
		for i := range int64(perEpoch) {
			at := (int64(e)*perEpoch + i) * 10
			if rng.IntN(6) == 0 {
				at = rng.Int64N(at + 1)
			}
			value := int64(e)*perEpoch + i
			add(d, l, uint64(value+1), cut, value, at)
			want[at] = value
		}
		cuts[e+1] = maps.Clone(want)
	}
	const end = epochs * perEpoch * 10
	for epoch, rows := range cuts {
		for range 40 {
			from, to := rng.Int64N(end)-50, rng.Int64N(end)+50
			if rng.IntN(4) == 0 {
				to = math.MaxInt64
			}
			got := map[int64]int64{}
			src := d.Sources(nil, []uint32{2}, epoch, from, to)
			for _, blocks := range src {
				for i := range blocks {
					require.GreaterOrEqual(t, blocks[i].Max, from)
				}
			}
			r := merge.New([]column.Kind{column.Int64}, nil, from, max(from, to), src)
			for r.Next() {
				v, _ := r.Col(0)
				for i, at := range r.Times() {
					got[at] = v.Int64s[i]
				}
			}
			require.NoError(t, r.Err())
			inside := maps.Clone(rows)
			maps.DeleteFunc(inside, func(at, _ int64) bool { return at < from || at >= to })
			require.Equal(t, inside, got, "epoch %d, times [%d, %d)", epoch, from, to)
		}
	}
}

// Counting what was accepted waits for the devices, of which a writer has locked
// some while it asks for others and another makes one.
func TestAcceptedHoldsUpNobody(t *testing.T) {
	table := New(64)
	d := table.Device(1, true)
	d.Lock()
	begun, counted := make(chan struct{}), make(chan int64)
	go func() {
		close(begun)
		counted <- table.Accepted()
	}()
	<-begun
	for range 1000 {
		runtime.Gosched()
	}
	require.NotNil(t, table.Device(2, true)) // with the table locked it would never return
	d.Count(3)
	d.Unlock()
	require.Equal(t, int64(3), <-counted)
}

// Who may add a point need not do it, as when the log has no room for it: whatever
// comes next is as if nobody had asked.
func TestPointNotAdded(t *testing.T) {
	for _, then := range []string{"", "a late row", "a delete", "rows", "a read"} {
		for n := int64(1); n < 70; n++ {
			d, l := New(32).Device(1, true), intLayout(7)
			want := map[int64]int64{}
			put := func(value int64, times ...int64) {
				add(d, l, 100, now, value, times...)
				for _, at := range times {
					want[at] = value
				}
			}
			for i := range n {
				put(0, 10*i)
			}
			d.Lock()
			d.TakesPoint(l, 10*n, 100, now)
			if then == "a delete" {
				d.Mask(7, 0, 1, 101, now)
				delete(want, 0)
			}
			d.Unlock()
			switch then {
			case "a late row":
				put(1, 5)
			case "rows":
				put(1, 10*n, 10*n+1, 10*n+2)
			case "a read":
				require.Equal(t, want, read(t, d, 7, Newest))
			}
			for i := n - 1; i < n+40; i++ {
				add(d, l, 200, now, 2, 10*i+3)
				want[10*i+3] = 2
			}
			require.Equal(t, want, read(t, d, 7, Newest), "%d rows, a point that was not added, %s", n, then)
		}
	}
}
