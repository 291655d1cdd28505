package tickwell

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"
)

// BenchmarkFirstTicks opens a store in memory and writes the first rows of a
// thousand series of a hundred devices: what a short run of a benchmark shows, and
// what a fleet of new devices costs. Allocations are those of the store.
func BenchmarkFirstTicks(b *testing.B) {
	ctx := context.Background()
	run := func(name string, ticks int, write func(db *DB, g *gateway) func()) {
		b.Run(name, func(b *testing.B) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			spent, allocations := time.Duration(0), uint64(0)
			var before, after runtime.MemStats
			for b.Loop() {
				g := newGateway(100, 0)
				runtime.ReadMemStats(&before)
				start := cpuTime()
				db, err := Open(ctx, "", &Options{})
				if err != nil {
					b.Fatal(err)
				}
				tick := write(db, g)
				for range ticks {
					tick()
				}
				if err := db.Close(); err != nil {
					b.Fatal(err)
				}
				spent += cpuTime() - start
				runtime.ReadMemStats(&after)
				allocations += after.Mallocs - before.Mallocs
			}
			b.ReportMetric(float64(allocations)/float64(b.N*ticks*1000), "allocs/point")
			b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N*ticks*1000), "ns/point")
		})
	}
	groups := func(db *DB, g *gateway) func() {
		return func() {
			group, _ := g.tick()
			if err := db.InsertTablets(ctx, group...); err != nil {
				b.Fatal(err)
			}
		}
	}
	run("groups", 300, groups)
	run("ten million in groups", 10_000, groups)
	run("points", 30, func(db *DB, g *gateway) func() {
		var series []*Series[float64]
		for _, t := range g.rows {
			for _, c := range t.Columns {
				s, err := SeriesOf[float64](db, fmt.Sprint(t.Device, ".", c.Name))
				if err != nil {
					b.Fatal(err)
				}
				series = append(series, s)
			}
		}
		return func() {
			g.tick()
			at := time.Unix(0, g.now)
			for i, s := range series {
				if err := s.Insert(ctx, at, g.rows[i/10].Columns[i%10].Data.(Float64s)[0]); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
