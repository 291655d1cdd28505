package engine

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/codec"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/memtable"
	"github.com/tickwell/tickwell/internal/pattern"
	"github.com/tickwell/tickwell/vfs"
)

// acrossBatch is rows of some devices, most with the same kinds.
func acrossBatch(t testing.TB, e *Engine, r *rand.Rand, at *int64, devices int) *Batch {
	b := &Batch{}
	for range devices {
		kinds := []column.Kind{column.Float64, column.Int32, column.Text, column.Bool, column.Int64, column.Float32}
		names := []string{"f", "i", "t", "b", "n", "r"}
		if r.IntN(15) == 0 {
			kinds, names = kinds[:2], names[:2]
		}
		s, err := e.Shape(fmt.Sprint("root.d", r.IntN(60)), names, kinds)
		require.NoError(t, err)
		tb := Tablet{Shape: s, Cols: make([]column.Vector, len(kinds)), Nulls: make([]column.Bitmap, len(kinds))}
		rows := 1 + r.IntN(3)
		if r.IntN(20) == 0 {
			rows = r.IntN(20)
		}
		for row := range rows {
			*at += int64(r.IntN(3)) - 1
			tb.Times = append(tb.Times, *at)
			for c, k := range kinds {
				tb.Cols[c].Kind = k
				cell := cellOf(r, k)
				tb.Cols[c].AppendCell(&cell)
				if r.IntN(7) == 0 {
					tb.Nulls[c].Set(row)
				}
			}
		}
		for c, k := range kinds {
			tb.Cols[c].Kind = k
		}
		b.Tablets = append(b.Tablets, tb)
	}
	return b
}

// cellOf makes a value of a kind, of which there are few, so that some come again.
func cellOf(r *rand.Rand, k column.Kind) column.Cell {
	cell := column.Cell{Num: uint64(r.IntN(1000)), Text: fmt.Sprint(r.IntN(10))}
	switch k {
	case column.Float64:
		cell.Num = math.Float64bits(float64(cell.Num) / 100)
	case column.Bool:
		cell.Num %= 2
	}
	return cell
}

func dumpAll(t testing.TB, e *Engine) map[string]column.Cell {
	out := map[string]column.Cell{}
	all, err := pattern.Parse("root.**")
	require.NoError(t, err)
	snap := e.Snapshot()
	defer snap.Release()
	for _, ser := range e.Match(all) {
		c := snap.Cursor(ser, math.MinInt64, math.MaxInt64)
		for c.Next() {
			for i, at := range c.Times() {
				out[fmt.Sprint(ser.Path(), " ", at)] = c.Values().Cell(i)
			}
		}
		require.NoError(t, c.Err())
	}
	return out
}

// TestAcrossDevices: groups of rows of many devices come back from the log as
// they went in, rows of the same device and time in their order.
func TestAcrossDevices(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 3))
		cfg := diskConfig(vfs.NewMem())
		cfg.ManualFlush = true
		disk, mem := open(t, cfg), open(t, memConfig())
		at := int64(1000)
		for range 30 {
			start := at
			n := 1 + r.IntN(40)
			sub := r.Uint64()
			first := start
			b := acrossBatch(t, disk, rand.New(rand.NewPCG(sub, 0)), &first, n)
			at = start
			m := acrossBatch(t, mem, rand.New(rand.NewPCG(sub, 0)), &at, n)
			_, err := disk.Commit(bg, b, false)
			require.NoError(t, err)
			_, err = mem.Commit(bg, m, false)
			require.NoError(t, err)
		}
		want := dumpAll(t, mem)
		require.Equal(t, want, dumpAll(t, disk))
		require.NoError(t, disk.Close())
		disk = open(t, cfg)
		require.Empty(t, disk.Report().LostLog)
		require.Equal(t, want, dumpAll(t, disk), "seed %d, from the log", seed)
		require.NoError(t, disk.Close())
	}
}

// TestAcrossIsSmall: a second of 100 devices with 10 columns each takes less than
// a third of what its rows take one by one.
func TestAcrossIsSmall(t *testing.T) {
	var a across
	var enc block.Encoder
	var scratch []byte
	layout := memtable.Layout{}
	var tablets []Tablet
	var rows []*memtable.Rows
	apart := 0
	for d := range 100 {
		s := &Shape{}
		for i := range 10 {
			s.layout.IDs = append(s.layout.IDs, uint32(1+d*10+i))
			s.layout.Kinds = append(s.layout.Kinds, column.Float64)
		}
		layout = s.layout
		r := &memtable.Rows{Times: []int64{1_700_000_000_000_000_000}}
		for i := range 10 {
			r.Cols = append(r.Cols, column.Vector{Kind: column.Float64, Float64s: []float64{float64(2000+d*i%37) / 100}})
		}
		tablets, rows = append(tablets, Tablet{Shape: s}), append(rows, r)
		apart += len(appendTablet(nil, &enc, &scratch, &layout, r, 0, 1)) + 2
	}
	together := len(a.append(nil, &enc, &scratch, tablets, rows))
	t.Logf("1000 points: %d bytes together, %d apart", together, apart)
	require.Less(t, together, apart/3)
}

// FuzzAcross: no bytes make the reader panic, and what it accepts is in order.
func FuzzAcross(f *testing.F) {
	e := open(f, memConfig())
	r := rand.New(rand.NewPCG(1, 2))
	at := int64(10)
	for range 4 {
		var c commit
		b := acrossBatch(f, e, r, &at, 12)
		if err := c.prepare(b); err != nil {
			f.Fatal(err)
		}
		if n := runAcross(b.Tablets, c.rows); n > 0 {
			f.Add(c.across.append(nil, &c.enc, &c.scratch, b.Tablets[:n], c.rows[:n]))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var a across
		var dec block.Decoder
		if err := a.read(&wire{codec.Reader{Src: body}}, &dec); err != nil {
			return
		}
		_ = a.each(func(ids []uint32, r *memtable.Rows) error {
			for c := range r.Cols {
				if r.Cols[c].Len() != len(r.Times) {
					t.Fatalf("column of %d values for %d times", r.Cols[c].Len(), len(r.Times))
				}
			}
			return nil
		})
	})
}

// TestKeptDevices: what is kept of the devices of the group before changes no
// record.
func TestKeptDevices(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 32))
	e := open(t, memConfig())
	var shapes []*Shape
	for i := range 30 {
		kinds, names := []column.Kind{column.Float64, column.Int64, column.Bool}, []string{"f", "n", "b"}
		w := []int{3, 3, 2, 1}[i%4]
		s, err := e.Shape(fmt.Sprint("root.d", i), names[:w], kinds[:w])
		require.NoError(t, err)
		shapes = append(shapes, s)
	}
	var kept commit
	same := 0
	var group []*Shape
	for range 500 {
		switch r.IntN(5) {
		case 0:
			group = nil
			for range 1 + r.IntN(40) {
				group = append(group, shapes[r.IntN(len(shapes))])
			}
		case 1:
			r.Shuffle(len(group), func(i, j int) { group[i], group[j] = group[j], group[i] })
		case 2:
			group = group[:len(group)-r.IntN(len(group)+1)]
		}
		var rows Rows
		at := r.Int64N(1 << 40)
		for _, s := range group {
			rows.Shapes, rows.Times, rows.Nulls = append(rows.Shapes, s), append(rows.Times, at+r.Int64N(3)), append(rows.Nulls, 0)
			for c := range s.series {
				rows.Nums = append(rows.Nums, cellOf(r, s.layout.Kinds[c]).Num)
			}
		}
		var fresh commit
		fresh.encodeRows(&rows)
		kept.encodeRows(&rows)
		require.Equal(t, string(fresh.payload), string(kept.payload))
		if len(group) >= minAcross && kept.across.same {
			same++
		}
		kept.reset()
	}
	require.NotZero(t, same)
}
