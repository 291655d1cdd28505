package block

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/tickwell/tickwell/internal/column"
)

// BenchmarkStats measures statistics of 1024 Float64 cells, and one serial sum
// to compare with.
func BenchmarkStats(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	v := column.Vector{Kind: column.Float64}
	times := make([]int64, 1024)
	for i := range times {
		times[i] = int64(i)
		v.Float64s = append(v.Float64s, math.Round(r.NormFloat64()*1000)/100)
	}
	perPoint := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(times)), "ns/point")
	}
	b.Run("compute", func(b *testing.B) {
		var s Stats
		b.ReportAllocs()
		for b.Loop() {
			s.Compute(times, &v, nil)
		}
		perPoint(b)
	})
	b.Run("one serial sum", func(b *testing.B) {
		sum := 0.0
		for b.Loop() {
			for _, x := range v.Float64s {
				sum += x
			}
		}
		perPoint(b)
	})
}
