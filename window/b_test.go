package window

import "testing"

var sinkF float64

func BenchmarkFloorSum(b *testing.B) {
	v := make([]float64, 10000)
	for i := range v {
		v[i] = float64(i % 1000)
	}
	for b.Loop() {
		s := 0.0
		for _, x := range v {
			s += x
		}
		sinkF = s
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10000, "ns/event")
}
func BenchmarkCount10Step5(b *testing.B) {
	h, err := New(Count(10).Every(5), func(w Window[float64]) error {
		s := 0.0
		for _, x := range w.Values() {
			s += x
		}
		sinkF = s / float64(w.Len())
		return nil
	}, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	ts := int64(0)
	for b.Loop() {
		for range 1000 {
			ts++
			h.Collect(ts, float64(ts))
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/event")
}
