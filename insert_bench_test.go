package tickwell

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"
)

// The insert benchmarks (which check errors by hand: B.Helper costs more than
// an insert) report ns/point, and the floor of the same run:
// appending the same bytes to growing slices.

func benchColumns(n int) ([]ColumnInfo, []string) {
	cols, names := make([]ColumnInfo, n), make([]string, n)
	for i := range cols {
		names[i] = fmt.Sprintf("s%d", i)
		cols[i] = ColumnInfo{names[i], KindFloat64}
	}
	return cols, names
}

// walk is a random walk in hundredths.
type walk struct {
	v    int64
	seed uint64
}

func (w *walk) next() float64 {
	w.seed = w.seed*6364136223846793005 + 1442695040888963407
	w.v += int64(w.seed>>56) - 127
	return float64(w.v) / 100
}

func benchTablet(names []string, rows int) (*Tablet, []walk) {
	t := &Tablet{Device: "root.d", Times: make([]int64, rows)}
	for _, n := range names {
		t.Columns = append(t.Columns, Column{Name: n, Data: make(Float64s, rows)})
	}
	walks := make([]walk, len(names))
	for i := range walks {
		walks[i].seed = uint64(i)
	}
	return t, walks
}

func fill(t *Tablet, walks []walk, at *int64) {
	for i := range t.Times {
		*at += int64(time.Second)
		t.Times[i] = *at
	}
	for c := range t.Columns {
		d := t.Columns[c].Data.(Float64s)
		for i := range d {
			d[i] = walks[c].next()
		}
	}
}

func BenchmarkInsertTablet10x100(b *testing.B) {
	for _, dir := range []string{"memory", "disk"} {
		b.Run(dir, func(b *testing.B) {
			opts := &Options{}
			path := ""
			if dir == "disk" {
				path = b.TempDir()
			}
			db := openDir(b, path, opts)
			cols, names := benchColumns(10)
			const devices = 20
			var ws []*Writer
			var ts []*Tablet
			t, walks := benchTablet(names, 100)
			for d := range devices {
				dev := fmt.Sprintf("root.d%d", d)
				w, err := db.Writer(dev, cols...)
				must(b, err)
				ws = append(ws, w)
				ts = append(ts, &Tablet{Device: dev, Times: t.Times, Columns: t.Columns})
			}
			at := int64(0)
			ctx := context.Background()
			b.ReportAllocs()
			var spent time.Duration
			for i := 0; b.Loop(); i++ {
				if i%devices == 0 {
					b.StopTimer()
					fill(t, walks, &at)
					b.StartTimer()
				}
				start := time.Now()
				if err := ws[i%devices].InsertTablet(ctx, ts[i%devices]); err != nil {
					b.Fatal(err)
				}
				spent += time.Since(start)
			}
			b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N)/1000, "ns/point")
		})
	}
	b.Run("floor", func(b *testing.B) {
		_, names := benchColumns(10)
		t, walks := benchTablet(names, 100)
		at := int64(0)
		fill(t, walks, &at)
		var times []int64
		cols := make([][]float64, 10)
		for i := 0; b.Loop(); i++ {
			if i%10_000 == 0 {
				times = nil
				clear(cols)
			}
			times = append(times, t.Times...)
			for c := range cols {
				cols[c] = append(cols[c], t.Columns[c].Data.(Float64s)...)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/point")
	})
}

func BenchmarkInsertRow10(b *testing.B) {
	db := openMem(b, nil)
	cols, names := benchColumns(10)
	_, walks := benchTablet(names, 1)
	ctx := context.Background()
	w, err := db.Writer("root.d", cols...)
	must(b, err)
	values := make([]Value, 10)
	b.ReportAllocs()
	at := time.Unix(0, 0)
	for b.Loop() {
		at = at.Add(time.Second)
		for i := range values {
			values[i] = Float64Value(walks[i].next())
		}
		if err := w.Insert(ctx, at, values...); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10, "ns/point")
}

func BenchmarkInsertPoint(b *testing.B) {
	ctx := context.Background()
	b.Run("handle", func(b *testing.B) {
		db := openMem(b, nil)
		s, err := SeriesOf[float64](db, "root.d.s")
		must(b, err)
		var w walk
		at := time.Unix(0, 0)
		b.ReportAllocs()
		for b.Loop() {
			at = at.Add(time.Second)
			if err := s.Insert(ctx, at, w.next()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("path", func(b *testing.B) {
		db := openMem(b, nil)
		var w walk
		at := time.Unix(0, 0)
		b.ReportAllocs()
		for b.Loop() {
			at = at.Add(time.Second)
			if err := db.Insert(ctx, "root.d", at, Float64("s", w.next())); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("floor", func(b *testing.B) {
		var mu sync.Mutex
		var times []int64
		var vals []float64
		var w walk
		for i := int64(0); b.Loop(); i++ {
			mu.Lock()
			times, vals = append(times, i), append(vals, w.next())
			mu.Unlock()
		}
	})
}
