package tickwell_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/vfs"
)

// openShort gives a store on a disk of 100 devices with 10 series of 3,000
// points each, flushed.
func openShort(b *testing.B) (*tickwell.DB, time.Time) { return openShortIn(b, "store") }

// openShortIn is openShort in a folder, or in memory if dir is empty.
func openShortIn(b *testing.B, dir string) (*tickwell.DB, time.Time) {
	b.Helper()
	db, err := tickwell.Open(context.Background(), dir, &tickwell.Options{FS: vfs.NewMem(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	start := time.Unix(1_700_000_000, 0)
	for d := range 100 {
		t := &tickwell.Tablet{Device: fmt.Sprintf("gw%03d", d)}
		for i := range 3000 {
			t.Times = append(t.Times, start.Add(time.Duration(i)*10*time.Second).UnixNano())
		}
		for m := range 10 {
			v := make(tickwell.Float64s, 3000)
			for i := range v {
				v[i] = float64((i*7919+d*31+m*17)%20011) / 100
			}
			t.Columns = append(t.Columns, tickwell.Column{Name: fmt.Sprintf("m%d", m), Data: v})
		}
		if err := db.InsertTablet(context.Background(), t); err != nil {
			b.Fatal(err)
		}
	}
	if err := db.Flush(context.Background()); err != nil {
		b.Fatal(err)
	}
	return db, start.Add(3000 * 10 * time.Second)
}

// BenchmarkQueryShort is what a dashboard asks: little data, so that what a
// query costs before its first row counts.
func BenchmarkQueryShort(b *testing.B) {
	db, end := openShort(b)
	col := []expr.Expr{expr.Col("m3")}
	from := []string{"gw042"}
	for _, c := range []struct {
		name string
		q    tickwell.Query
		rows int
	}{
		{"last5m", tickwell.Query{Select: col, From: from, Start: end.Add(-5 * time.Minute), End: end}, 30},
		{"aggregate", tickwell.Query{Select: []expr.Expr{expr.Count(col[0]), expr.Sum(col[0]), expr.Max(col[0])}, From: from}, 1},
		{"scan", tickwell.Query{Select: col, From: from}, 3000},
		{"scan100", tickwell.Query{Select: col, From: []string{"*"}}, 3000},
		{"minutes100", tickwell.Query{Select: []expr.Expr{expr.Avg(col[0])}, From: []string{"*"}, Start: end.Add(-30000 * time.Second), End: end,
			GroupBy: tickwell.GroupByTime{Interval: time.Minute}}, 500},
		{"minutes100of300", tickwell.Query{Select: []expr.Expr{expr.Avg(col[0])}, From: []string{"*"}, Start: end.Add(-3000 * time.Second), End: end,
			GroupBy: tickwell.GroupByTime{Interval: time.Minute}}, 50},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r, err := db.Query(context.Background(), c.q)
				if err != nil {
					b.Fatal(err)
				}
				rows := 0
				for t, err := range r.Tablets() {
					if err != nil {
						b.Fatal(err)
					}
					rows += t.Len()
				}
				if rows != c.rows {
					b.Fatalf("%d rows, want %d", rows, c.rows)
				}
			}
		})
	}
	b.Run("last1000/append", func(b *testing.B) {
		b.ReportAllocs()
		var points []tickwell.LastPoint
		for b.Loop() {
			var err error
			if points, err = db.AppendLast(context.Background(), points[:0], "**"); err != nil || len(points) != 1000 {
				b.Fatalf("%d points, %v", len(points), err)
			}
		}
	})
	b.Run("last1000", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			points, err := db.Last(context.Background(), "**")
			if err != nil || len(points) != 1000 {
				b.Fatalf("%d points, %v", len(points), err)
			}
		}
	})
}

// BenchmarkRangeShort reads the newest thirty points of one series after the
// other by their handles, which are made before or for the read, from files and
// from memory.
func BenchmarkRangeShort(b *testing.B) {
	for _, c := range []struct{ name, dir string }{{"files", "store"}, {"memory", ""}} {
		db, end := openShortIn(b, c.dir)
		var paths []string
		var series []*tickwell.Series[float64]
		for i := range 1000 {
			paths = append(paths, fmt.Sprintf("gw%03d.m%d", i*7%100, i/100))
			s, err := tickwell.SeriesOf[float64](db, paths[i])
			if err != nil {
				b.Fatal(err)
			}
			series = append(series, s)
		}
		read := func(b *testing.B, s *tickwell.Series[float64]) {
			n := 0
			for p, err := range s.Range(context.Background(), end.Add(-5*time.Minute), end) {
				if err != nil || p.Value < 0 {
					b.Fatal(p, err)
				}
				n++
			}
			if n != 30 {
				b.Fatalf("%d points, want 30", n)
			}
		}
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				read(b, series[i%1000])
			}
		})
		b.Run(c.name+"/new", func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				s, err := tickwell.SeriesOf[float64](db, paths[i%1000])
				if err != nil {
					b.Fatal(err)
				}
				read(b, s)
			}
		})
	}
}
