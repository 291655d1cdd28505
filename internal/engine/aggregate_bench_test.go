package engine

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/vfs"
)

// walkInto commits rows of ten Float64 columns to devices, 100 rows a tablet, one
// a second: walks with two decimals. It returns the shapes.
func walkInto(b *testing.B, e *Engine, devices, rows int) []*Shape {
	names, kinds := make([]string, 10), make([]column.Kind, 10)
	for i := range names {
		names[i], kinds[i] = fmt.Sprint("s", i), column.Float64
	}
	shapes, walks := make([]*Shape, devices), make([]int64, devices*10)
	for d := range shapes {
		s, err := e.Shape(fmt.Sprint("root.d", d), names, kinds)
		require.NoError(b, err)
		shapes[d] = s
	}
	seed := uint64(1)
	tb := Tablet{Times: make([]int64, 100), Cols: make([]column.Vector, 10)}
	for i := range tb.Cols {
		tb.Cols[i] = column.Vector{Kind: column.Float64, Float64s: make([]float64, 100)}
	}
	for at := 0; at < rows; at += 100 {
		for r := range tb.Times {
			tb.Times[r] = int64(at+r) * 1e9
		}
		for d, s := range shapes {
			for c := range tb.Cols {
				w := &walks[d*10+c]
				for r := range tb.Cols[c].Float64s {
					seed = seed*6364136223846793005 + 1442695040888963407
					*w += int64(seed>>60) - 7
					tb.Cols[c].Float64s[r] = float64(*w) / 100
				}
			}
			tb.Shape = s
			_, err := e.Commit(bg, &Batch{Tablets: []Tablet{tb}}, false)
			require.NoError(b, err)
		}
	}
	return shapes
}

// BenchmarkHeapPerPoint prints the heap that a point takes in memory mode, of 20
// devices with ten series that are written once a second for five hours and a
// half: the newest rows of a device, at most a block's, are not encoded yet.
// Asked are 1.5 bytes; the floor is what the same rows take in files.
func BenchmarkHeapPerPoint(b *testing.B) {
	const devices, rows = 20, 20_000
	for b.Loop() {
		base := heapInUse()
		e := open(b, memConfig())
		walkInto(b, e, devices, rows)
		n := float64(devices * rows * 10)
		b.ReportMetric(float64(heapInUse()-base)/n, "B/point")
		require.NoError(b, e.Close())

		disk := open(b, diskConfig(vfs.NewMem()))
		walkInto(b, disk, devices, rows)
		require.NoError(b, disk.Flush(bg))
		size := int64(0)
		for _, f := range disk.currentFiles() {
			size += f.meta.Size
		}
		b.ReportMetric(float64(size)/n, "floor-B/point")
		require.NoError(b, disk.Close())
	}
}

// addTo adds values to sum, in a register: a variable that a closure holds would
// be stored and loaded at each, which takes longer than decoding.
func addTo(sum float64, values []float64) float64 {
	for _, v := range values {
		sum += v
	}
	return sum
}

// BenchmarkAggregate sums four million points of files: decoded, and by the
// statistics of blocks, from the index as it is kept decoded, and decoded anew.
// Asked are 300 M and 10 G points/s. The floor is the sum of as many numbers of a
// slice.
func BenchmarkAggregate(b *testing.B) {
	const devices, rows = 10, 40_000
	cfg := diskConfig(vfs.OS())
	cfg.Dir = filepath.Join(b.TempDir(), "db")
	cfg.SegmentBytes = 0
	e := open(b, cfg)
	defer func() { e.Close() }()
	shapes := walkInto(b, e, devices, rows)
	require.NoError(b, e.Flush(bg))
	perSecond := func(b *testing.B) {
		b.ReportMetric(devices*rows*10*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mpoints/s")
	}
	sum := 0.0
	scan := func(b *testing.B, stats bool) {
		for b.Loop() {
			s, n := e.Snapshot(), 0
			for _, shape := range shapes {
				for _, ser := range shape.Series() {
					c := s.Cursor(ser, math.MinInt64, math.MaxInt64)
					for {
						if st, ok := c.PeekStats(); ok && stats {
							sum += st.SumF
							n += int(st.Count)
							c.Skip()
							continue
						}
						if !c.Next() {
							break
						}
						sum = addTo(sum, c.Values().Float64s)
						n += len(c.Times())
					}
					require.NoError(b, c.Err())
					c.Close()
				}
			}
			s.Release()
			require.Equal(b, devices*rows*10, n)
		}
		perSecond(b)
	}
	b.Run("decode", func(b *testing.B) { scan(b, false) })
	b.Run("statistics", func(b *testing.B) { scan(b, true) })
	b.Run("statistics,index", func(b *testing.B) {
		require.NoError(b, e.Close())
		cfg := cfg
		cfg.IndexCache = 512 << 10 // room for the pages; the decoded entries take four times as much
		e = open(b, cfg)
		for _, shape := range shapes {
			for i, ser := range shape.Series() {
				shape.Series()[i], _ = e.Lookup(ser.Device, ser.Name)
			}
		}
		scan(b, true)
	})
	b.Run("floor", func(b *testing.B) {
		values := make([]float64, rows)
		for b.Loop() {
			for range devices * 10 {
				sum = addTo(sum, values)
			}
		}
		perSecond(b)
	})
}
