package tickwell

import (
	"context"
	"fmt"
	"math/rand"
	"runtime"
	"slices"
	"testing"
	"time"
)

// gateway makes the groups that a gateway writes: one row of ten columns of each
// of its devices a tick, and late points, which come as tablets of one cell.
type gateway struct {
	now   int64 // of the tick
	late  float64
	rows  []*Tablet
	walks [][]walk
	lates []*Tablet // tablets of one cell; the first used are taken
	used  int
	names []string
	rnd   *rand.Rand
	group []*Tablet
}

func newGateway(devices int, late float64) *gateway {
	g := &gateway{late: late, rnd: rand.New(rand.NewSource(1))}
	_, g.names = benchColumns(10)
	for d := range devices {
		t, walks := benchTablet(g.names, 1)
		t.Device = fmt.Sprint("root.gateway.d", d)
		g.rows, g.walks = append(g.rows, t), append(g.walks, walks)
	}
	return g
}

// tick returns the group of the next tick and how many points it has. Late cells
// are of the last five minutes of ticks of ten seconds.
func (g *gateway) tick() ([]*Tablet, int) {
	g.group, g.used = append(g.group[:0], g.rows...), 0
	for d, t := range g.rows {
		fill(t, g.walks[d], &g.now)
		t.Times[0] = g.now
		g.now -= int64(time.Second) // of all rows
	}
	g.now += 10 * int64(time.Second)
	points := len(g.rows) * len(g.names)
	for range points {
		if g.rnd.Float64() >= g.late {
			continue
		}
		if g.used == len(g.lates) {
			g.lates = append(g.lates, &Tablet{Times: make([]int64, 1), Columns: []Column{{Data: make(Float64s, 1)}}})
		}
		l := g.lates[g.used]
		g.used++
		l.Device = g.rows[g.rnd.Intn(len(g.rows))].Device
		l.Times[0] = g.now - int64(1+g.rnd.Intn(30))*10*int64(time.Second) + 5
		l.Columns[0].Name = g.names[g.rnd.Intn(len(g.names))]
		l.Columns[0].Data.(Float64s)[0] = float64(g.rnd.Intn(10000)) / 100
		g.group = append(g.group, l)
		points++
	}
	return g.group, points
}

// BenchmarkInsertTablets writes groups of 100 rows of ten columns, each of a
// device of its own, in order, with one point in twenty late by up to five minutes,
// and in order where rows expire. The floor appends the rows to growing slices. Times
// are processor times of the writing thread, and so are those of the 99th percentile
// and the longest call, which a busy machine would make meaningless.
func BenchmarkInsertTablets(b *testing.B) {
	ctx := context.Background()
	for _, c := range []struct {
		name string
		late float64
		ttl  time.Duration
	}{{"inorder", 0, 0}, {"late", 0.05, 0}, {"expiring", 0, 720 * time.Hour}} {
		for _, dir := range []string{"memory", "disk"} {
			b.Run(dir+"/"+c.name, func(b *testing.B) {
				path := ""
				if dir == "disk" {
					path = b.TempDir()
				}
				db := openDir(b, path, &Options{TTL: c.ttl})
				g := newGateway(100, c.late)
				if c.ttl > 0 {
					g.now = time.Now().UnixNano() // none of the rows has expired
				}
				points := 0
				b.ReportAllocs()
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				var spent time.Duration
				var calls []time.Duration
				for b.Loop() {
					group, n := g.tick()
					points += n
					start := cpuTime()
					if err := db.InsertTablets(ctx, group...); err != nil {
						b.Fatal(err)
					}
					took := cpuTime() - start
					spent, calls = spent+took, append(calls, took)
				}
				b.ReportMetric(float64(spent.Nanoseconds())/float64(points), "ns/point")
				slices.Sort(calls)
				b.ReportMetric(float64(calls[len(calls)*99/100].Microseconds()), "us/p99")
				b.ReportMetric(float64(calls[len(calls)-1].Microseconds()), "us/max")
			})
		}
	}
	b.Run("floor", func(b *testing.B) {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		g := newGateway(100, 0)
		var times [100][]int64
		var cols [100][10][]float64
		points := 0
		var spent time.Duration
		for b.Loop() {
			group, n := g.tick()
			points += n
			start := cpuTime()
			for d, t := range group {
				times[d] = append(times[d], t.Times...)
				for c := range t.Columns {
					cols[d][c] = append(cols[d][c], t.Columns[c].Data.(Float64s)...)
				}
			}
			spent += cpuTime() - start
		}
		b.ReportMetric(float64(spent.Nanoseconds())/float64(points), "ns/point")
	})
}
