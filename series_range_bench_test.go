package tickwell_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
)

// BenchmarkScan reads one series of 3,000 points after the other whole, by
// column and point by point.
func BenchmarkScan(b *testing.B) {
	for _, c := range []struct{ name, dir string }{{"files", "store"}, {"memory", ""}} {
		db, _ := openShortIn(b, c.dir)
		var series []*tickwell.Series[float64]
		for i := range 100 {
			s, err := tickwell.SeriesOf[float64](db, fmt.Sprintf("gw%03d.m3", i))
			if err != nil {
				b.Fatal(err)
			}
			series = append(series, s)
		}
		run := func(name string, read func(s *tickwell.Series[float64]) (n int, sum float64, err error)) {
			b.Run(name+"/"+c.name, func(b *testing.B) {
				b.ReportAllocs()
				points := 0
				for i := 0; b.Loop(); i++ {
					n, sum, err := read(series[i%100])
					if err != nil || n != 3000 || sum <= 0 {
						b.Fatal(n, sum, err)
					}
					points += n
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(points), "ns/point")
			})
		}
		run("Blocks", func(s *tickwell.Series[float64]) (n int, sum float64, err error) {
			for bl, err := range s.Blocks(context.Background(), time.Time{}, time.Time{}) {
				if err != nil {
					return 0, 0, err
				}
				part := 0.0 // in a register
				for _, v := range bl.Values {
					part += v
				}
				sum += part
				n += len(bl.Times)
			}
			return n, sum, nil
		})
		run("Range", func(s *tickwell.Series[float64]) (n int, sum float64, err error) {
			for p, err := range s.Range(context.Background(), time.Time{}, time.Time{}) {
				if err != nil {
					return 0, 0, err
				}
				sum += p.Value
				n++
			}
			return n, sum, nil
		})
	}
}
