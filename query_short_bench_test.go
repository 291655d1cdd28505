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
	db, start := fillShort(b, vfs.NewMem(), dir, 3000)
	b.Cleanup(func() {
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	return db, start.Add(3000 * 10 * time.Second)
}

func openStore(b *testing.B, fs vfs.FS, dir string) *tickwell.DB {
	b.Helper()
	db, err := tickwell.Open(context.Background(), dir, &tickwell.Options{FS: fs, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	return db
}

var shortDevices = func() (all [100]string) {
	for d := range all {
		all[d] = fmt.Sprintf("gw%03d", d)
	}
	return all
}()

// fillShort gives a store of 100 devices with 10 series of so many points each,
// flushed, and when they begin.
func fillShort(b *testing.B, fs vfs.FS, dir string, rows int) (*tickwell.DB, time.Time) {
	b.Helper()
	db := openStore(b, fs, dir)
	start := time.Unix(1_700_000_000, 0)
	for d, device := range shortDevices {
		t := &tickwell.Tablet{Device: device}
		for i := range rows {
			t.Times = append(t.Times, start.Add(time.Duration(i)*10*time.Second).UnixNano())
		}
		for m := range 10 {
			v := make(tickwell.Float64s, rows)
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
	return db, start
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

// BenchmarkQueryFirst asks a hundred series of a hundred devices for count, sum and
// maximum, each once, in a store that was just opened or, in memory, whose plans were
// forgotten: what a query costs whose like was asked of another device.
func BenchmarkQueryFirst(b *testing.B) {
	for _, rows := range []int{300, 10_000} {
		for _, dir := range []string{"store", ""} {
			b.Run(fmt.Sprintf("points=%d/dir=%s", rows, dir), func(b *testing.B) {
				fs := vfs.NewMem()
				db, start := fillShort(b, fs, dir, rows)
				defer func() {
					if err := db.Close(); err != nil {
						b.Error(err)
					}
				}()
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					b.StopTimer()
					if dir != "" {
						if err := db.Close(); err != nil {
							b.Fatal(err)
						}
						db = openStore(b, fs, dir)
					} else if err := db.CreateSeries(context.Background(), fmt.Sprintf("other.x%d", i), tickwell.KindBool); err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
					for d := range 100 {
						askFirst(b, db, d, start, rows)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(100*b.N), "ns/query")
			})
		}
	}
}

// askFirst asks for count, sum and maximum of a series of device d.
func askFirst(b *testing.B, db *tickwell.DB, d int, start time.Time, rows int) {
	col := expr.Col("m0")
	r, err := db.Query(context.Background(), tickwell.Query{Select: []expr.Expr{expr.Count(col), expr.Sum(col), expr.Max(col)},
		From: []string{shortDevices[d]}, Start: start, End: start.Add(time.Duration(rows) * 10 * time.Second)})
	if err != nil {
		b.Fatal(err)
	}
	for row, err := range r.Rows() {
		if err != nil || row.Value(0).Int64() != int64(rows) {
			b.Fatal(row, err)
		}
	}
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
