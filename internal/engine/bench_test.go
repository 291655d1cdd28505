package engine

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/wal"
	"github.com/tickwell/tickwell/vfs"
)

// feeder writes rows that go on in time, through cached shapes.
type feeder struct {
	e      *Engine
	shapes []*Shape
	b      Batch
	rows   int
	at     []int64
	walk   float64
	k      int
}

func newFeeder(t testing.TB, e *Engine, devices, series, rows int) *feeder {
	f := &feeder{e: e, rows: rows}
	for d := range devices {
		var names []string
		var kinds []column.Kind
		for i := range series {
			names, kinds = append(names, fmt.Sprintf("s%d", i)), append(kinds, column.Float64)
		}
		s, err := e.Shape(fmt.Sprintf("root.bench.d%d", d), names, kinds)
		require.NoError(t, err)
		f.shapes = append(f.shapes, s)
		f.at = append(f.at, 1)
	}
	tb := Tablet{Times: make([]int64, rows), Cols: make([]column.Vector, series)}
	for i := range tb.Cols {
		tb.Cols[i] = column.Vector{Kind: column.Float64, Float64s: make([]float64, rows)}
	}
	f.b.Tablets = []Tablet{tb}
	return f
}

// next writes a tablet to the next device.
func (f *feeder) next(ctx context.Context) error {
	d := f.k % len(f.shapes)
	f.k++
	tb := &f.b.Tablets[0]
	tb.Shape = f.shapes[d]
	for i := range tb.Times {
		f.at[d] += 1e9 + int64(f.k*31%1000)
		tb.Times[i] = f.at[d]
	}
	for c := range tb.Cols {
		v := tb.Cols[c].Float64s
		for i := range v {
			f.walk += float64((f.k*7+i*13+c)%21-10) / 100
			v[i] = float64(int64(f.walk*100)) / 100
		}
	}
	_, err := f.e.Commit(ctx, &f.b, false)
	return err
}

func benchFeed(b *testing.B, cfg Config, devices, series, rows int) {
	e := open(b, cfg)
	defer e.Close()
	f := newFeeder(b, e, devices, series, rows)
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if err := f.next(ctx); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*series*rows), "ns/point")
}

func BenchmarkCommitMemory(b *testing.B) {
	for _, c := range [][3]int{{200, 10, 100}, {200, 10, 1}, {10, 10, 1}, {200, 1, 1}, {1, 1, 1}, {10, 1, 1024}} {
		b.Run(fmt.Sprintf("devices=%d/series=%d/rows=%d", c[0], c[1], c[2]), func(b *testing.B) {
			benchFeed(b, memConfig(), c[0], c[1], c[2])
		})
	}
}

func BenchmarkCommitLogged(b *testing.B) {
	for _, c := range [][3]int{{200, 10, 100}, {200, 10, 1}, {200, 1, 1}} {
		b.Run(fmt.Sprintf("devices=%d/series=%d/rows=%d", c[0], c[1], c[2]), func(b *testing.B) {
			cfg := diskConfig(vfs.OS())
			cfg.Dir = b.TempDir()
			cfg.Sync = wal.Policy{Mode: wal.Buffered}
			cfg.SegmentBytes = 0
			cfg.ManualFlush = false
			benchFeed(b, cfg, c[0], c[1], c[2])
		})
	}
}

func TestCommitAllocatesNothing(t *testing.T) {
	if detector {
		t.Skip("the race detector allocates")
	}
	for _, c := range [][2]int{{10, 1}, {1, 1}, {10, 100}} {
		t.Run(fmt.Sprintf("series=%d/rows=%d", c[0], c[1]), func(t *testing.T) {
			cfg := memConfig()
			cfg.BlockRows = 1 << 14
			e := open(t, cfg)
			defer e.Close()
			f := newFeeder(t, e, 2, c[0], c[1])
			ctx := context.Background()
			for range 40 {
				require.NoError(t, f.next(ctx))
			}
			got := testing.AllocsPerRun(300, func() {
				if err := f.next(ctx); err != nil {
					t.Fatal(err)
				}
			})
			require.Less(t, got, 1.0, "allocations of a commit")
		})
	}
}
