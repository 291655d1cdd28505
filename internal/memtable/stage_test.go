package memtable

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/merge"
)

// mixedKinds has a column of every kind; the last is often absent.
var mixedKinds = []column.Kind{column.Bool, column.Int32, column.Int64, column.Float32, column.Float64, column.Text, column.Float64}

// mixedRows draws rows with nulls from time at on.
func mixedRows(rng *rand.Rand, at int64, n int) Rows {
	r := Rows{Cols: make([]column.Vector, len(mixedKinds)), Nulls: make([]column.Bitmap, len(mixedKinds))}
	for range n {
		r.Times = append(r.Times, at)
		at += 1 + rng.Int64N(3)
	}
	for c, k := range mixedKinds {
		r.Cols[c].Reset(k)
		absent := c == len(mixedKinds)-1 && rng.IntN(50) > 0
		for row := range n {
			if absent || c%2 == 0 && rng.IntN(5) == 0 {
				r.Nulls[c].Set(row)
				r.Cols[c].AppendZero(1)
				continue
			}
			v := rng.Int64N(1000)
			cell := column.Cell{Kind: k, Num: uint64(v)}
			switch k {
			case column.Bool:
				cell.Num = uint64(v % 2)
			case column.Float32:
				cell.Num = uint64(math.Float32bits(float32(v) / 8))
			case column.Float64:
				cell.Num = math.Float64bits([]float64{float64(v) / 100, math.Copysign(0, -1), math.NaN(), math.Inf(1)}[max(0, v-996)])
			case column.Text:
				cell.Text = fmt.Sprint("t", v)
			}
			r.Cols[c].AppendCell(&cell)
		}
	}
	return r
}

// cellsOf returns what a snapshot of the epoch sees, as text by series and time.
func cellsOf(t *testing.T, d *Device, l *Layout, epoch uint64) map[string]string {
	t.Helper()
	out := map[string]string{}
	var masks [][]merge.Mask
	for _, id := range l.IDs {
		masks = append(masks, d.Masks(nil, id, Newest))
	}
	r := merge.New(l.Kinds, masks, math.MinInt64, math.MaxInt64, d.Sources(nil, l.IDs, epoch, math.MinInt64, math.MaxInt64))
	for r.Next() {
		for c := range l.IDs {
			v, nulls := r.Col(c)
			for i, at := range r.Times() {
				if !nulls.Get(i) {
					cell := v.Cell(i)
					out[fmt.Sprint(l.IDs[c], "@", at)] = fmt.Sprintf("%d %x %s", cell.Kind, cell.Num, cell.Text)
				}
			}
		}
	}
	require.NoError(t, r.Err())
	return out
}

// TestStagedHoldsTheSame writes the same rows, deletes and snapshots to a table
// that encodes early and to one that does not.
func TestStagedHoldsTheSame(t *testing.T) {
	for seed := range uint64(4) {
		rng := rand.New(rand.NewPCG(seed, 9))
		staged, plain := NewStaged(32, 8), New(32)
		devices := []*Device{staged.Device(1, true), plain.Device(1, true)}
		l := &Layout{IDs: []uint32{1, 2, 3, 4, 5, 6, 7}, Kinds: mixedKinds}
		cut, at := Cut{Epoch: 1, Oldest: NoSnapshot}, int64(0)
		var epochs []uint64
		for i := range 300 {
			lsn := uint64(i + 1)
			switch k := rng.IntN(40); {
			case k == 0:
				id, from := uint32(1+rng.IntN(7)), rng.Int64N(at+1)
				for _, d := range devices {
					d.Lock()
					d.Mask(id, from, from+50, lsn, cut)
					d.Unlock()
				}
				continue
			case k == 1:
				epochs = append(epochs, cut.Epoch)
				cut.Oldest = min(cut.Oldest, cut.Epoch)
				cut.Epoch++
				continue
			case k == 2: // all snapshots are released
				epochs, cut.Oldest = nil, NoSnapshot
				continue
			}
			from := at
			if rng.IntN(6) == 0 {
				from = rng.Int64N(at + 1)
			}
			rows := mixedRows(rng, from, []int{1, 1, 1, 3, 10, 40, 100}[rng.IntN(7)])
			at = max(at, rows.Times[len(rows.Times)-1]+1)
			for _, d := range devices {
				d.Lock()
				d.Add(&Write{Layout: l, Rows: rows, LSN: lsn, Cut: cut})
				d.Unlock()
			}
		}
		epochs = append(epochs, Newest)
		want := map[string]string{}
		for _, epoch := range epochs {
			want = cellsOf(t, devices[1], l, epoch)
			require.Equal(t, want, cellsOf(t, devices[0], l, epoch), "seed %d, epoch %d", seed, epoch)
		}
		require.Equal(t, plain.Accepted(), staged.Accepted())
		d := devices[0]
		require.InDelta(t, d.size(), staged.Bytes(), float64(d.size())/10, "seed %d: bytes counted and bytes held", seed)

		staged.Pack()
		require.Equal(t, want, cellsOf(t, d, l, Newest), "seed %d, packed", seed)
		if len(epochs) > 1 {
			require.Equal(t, cellsOf(t, devices[1], l, epochs[0]), cellsOf(t, d, l, epochs[0]), "seed %d, epoch %d, packed", seed, epochs[0])
		}
		require.InDelta(t, d.size(), staged.Bytes(), float64(d.size())/10, "seed %d: bytes counted and bytes held when packed", seed)
	}
}

// TestPack: nothing is raw afterwards, whatever the number of rows, and what is
// there is found in all ways. Packing again changes nothing.
func TestPack(t *testing.T) {
	for rows := int64(0); rows <= 40; rows++ {
		tb := NewStaged(16, 4)
		d, l := tb.Device(1, true), intLayout(1, 2, 3)
		for i := range rows {
			add(d, l, uint64(i+1), now, i*3, i)
		}
		want := read(t, d, 2, Newest)
		tb.Pack()
		size := tb.Bytes()
		tb.Pack()
		require.Equal(t, size, tb.Bytes())
		require.Equal(t, d.size(), size, "%d rows: bytes counted and bytes held", rows)
		for _, g := range d.groups {
			require.Nil(t, g.spare.cols)
			for _, c := range g.lanes[0].chunks {
				require.NotNil(t, c.sealed)
				require.Nil(t, c.rows.cols)
			}
		}
		require.Equal(t, want, read(t, d, 2, Newest))
		d.Lock()
		at, cell, ok, known := d.Last(2, Newest, Newest)
		d.Unlock()
		require.True(t, known)
		if require.Equal(t, rows > 0, ok); ok {
			require.Equal(t, rows-1, at)
			require.Equal(t, uint64(rows-1)*3, cell.Num)
		}
	}
}

// TestStagedRowsBecomeBlocks: what was encoded in parts is as large as what was
// encoded at once, and what waits for a block to fill takes less.
func TestStagedRowsBecomeBlocks(t *testing.T) {
	fill := func(tb *Table, rows int64) *Device {
		d, l := tb.Device(1, true), intLayout(1, 2, 3)
		for i := range rows {
			add(d, l, uint64(i+1), now, i*3, i)
		}
		return d
	}
	a, b := NewStaged(256, 64), New(256)
	chunks := func(d *Device) (n []int) {
		d.groups[0].settle(d.table, Cut{})
		for _, c := range d.groups[0].lanes[0].chunks {
			n = append(n, c.len())
		}
		return n
	}
	require.Equal(t, []int{256, 256, 64, 64, 10}, chunks(fill(a, 512+138)))
	require.Equal(t, []int{256, 256, 138}, chunks(fill(b, 512+138)))
	require.Less(t, a.Bytes(), b.Bytes()*2/3)
	require.Equal(t, New(100).stageRows, NewStaged(100, 64).stageRows, "not a multiple")
}

// TestStagedWhileRead: parts that a snapshot may look at stay as they are.
func TestStagedWhileRead(t *testing.T) {
	tb := NewStaged(16, 4)
	d, l := tb.Device(1, true), intLayout(1)
	for i := range int64(10) {
		add(d, l, uint64(i+1), now, i, i)
	}
	before := read(t, d, 1, 1)
	seen := Cut{Epoch: 2, Oldest: 1}
	for i := range int64(90) {
		add(d, l, uint64(i+11), seen, i+10, i+10)
	}
	require.Equal(t, before, read(t, d, 1, 1))
	require.Len(t, read(t, d, 1, Newest), 100)
	for i := range int64(100) { // and go on as soon as nobody looks
		add(d, l, uint64(i+101), Cut{Epoch: 3, Oldest: NoSnapshot}, i+100, i+100)
	}
	lane := d.groups[0].lanes[0]
	require.Equal(t, 16, lane.chunks[len(lane.chunks)-3].len())
	require.Len(t, read(t, d, 1, Newest), 200)
}
