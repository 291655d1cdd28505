package tickwell

import (
	"context"
	"math/rand"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// BenchmarkInsertLate writes rows of ten columns and single points through
// handles, in order and with one in twenty late by up to five minutes, at one a
// second, in memory. Asked are 1.25 times what those in order take, which is the
// floor and what "×" compares with; both are written in turns.
func BenchmarkInsertLate(b *testing.B) {
	for _, c := range []struct {
		name    string
		columns int
	}{{"rows", 10}, {"points", 1}} {
		b.Run(c.name, func(b *testing.B) {
			ctx := context.Background()
			db := openMem(b, nil)
			cols, _ := benchColumns(c.columns)
			ordered, err := db.Writer("root.ordered", cols...)
			must(b, err)
			late, err := db.Writer("root.late", cols...)
			must(b, err)
			values := make([]Value, c.columns)
			walks := make([]walk, c.columns)
			rnd := rand.New(rand.NewSource(1))
			const round = 1024
			times := make([]time.Time, round)
			write := func(w *Writer) time.Duration {
				began := time.Now()
				for _, at := range times {
					for i := range values {
						values[i] = Float64Value(walks[i].next())
					}
					if err := w.Insert(ctx, at, values...); err != nil {
						b.Fatal(err)
					}
				}
				return time.Since(began)
			}
			var inOrder, some time.Duration
			at := time.Unix(0, 0)
			b.ReportAllocs()
			for b.Loop() {
				for i := range times {
					at = at.Add(time.Second)
					times[i] = at
				}
				inOrder += write(ordered)
				for i := range times {
					if rnd.Intn(20) == 0 {
						times[i] = times[i].Add(-time.Duration(1+rnd.Intn(300))*time.Second + time.Millisecond)
					}
				}
				some += write(late)
			}
			points := float64(b.N * round * c.columns)
			b.ReportMetric(float64(inOrder.Nanoseconds())/points, "ns/point-in-order")
			b.ReportMetric(float64(some.Nanoseconds())/points, "ns/point-late")
			b.ReportMetric(float64(some)/float64(inOrder), "×")
		})
	}
}

// BenchmarkInsertPointLogged writes single points through a handle, each given to
// the operating system before the call returns, and in turns with them records
// of the same size to the end of a file, which is the floor. Asked are 1.5 times
// that, in processor time.
func BenchmarkInsertPointLogged(b *testing.B) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	ctx := context.Background()
	db := openDir(b, b.TempDir(), &Options{Sync: SyncInterval(time.Hour)})
	s, err := SeriesOf[float64](db, "root.d.s")
	must(b, err)
	f, err := os.Create(filepath.Join(b.TempDir(), "floor"))
	must(b, err)
	defer f.Close()
	const round = 256
	record := make([]byte, 56)
	var w walk
	var points, floor time.Duration
	at := time.Unix(0, 0)
	b.ReportAllocs()
	for b.Loop() {
		began := cpuTime()
		for range round {
			at = at.Add(time.Second)
			if err := s.Insert(ctx, at, w.next()); err != nil {
				b.Fatal(err)
			}
		}
		between := cpuTime()
		for range round {
			if _, err := f.Write(record); err != nil {
				b.Fatal(err)
			}
		}
		points += between - began
		floor += cpuTime() - between
	}
	b.ReportMetric(float64(points.Nanoseconds())/float64(b.N*round), "ns/point")
	b.ReportMetric(float64(floor.Nanoseconds())/float64(b.N*round), "ns/write")
	b.ReportMetric(float64(points)/float64(floor), "×")
}
