package window

import (
	"fmt"
	"math/rand"
	"runtime"
	"testing"
	"time"
)

// The figures of the issue. Each benchmark reports the mean and, as ns/event,
// the best of many short slices: on a shared machine only the best tells what
// the code costs, and only ratios to BenchmarkFloorSum travel.

var (
	sinkF float64
	sinkN int64
)

const slice = 1 << 12

// events runs f for slices of events and reports.
func events(b *testing.B, unit string, per int, f func(n int)) {
	f(4 * slice) // settle the memory
	best := time.Duration(1 << 62)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		start := time.Now()
		f(slice)
		best = min(best, time.Since(start))
		n += slice
	}
	count := float64(slice) / float64(per)
	b.ReportMetric(float64(best.Nanoseconds())/count, unit)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n)*float64(per), "mean-"+unit)
	b.ReportMetric(0, "ns/op")
}

var benchVals = func() []float64 {
	r := rand.New(rand.NewSource(1))
	v := make([]float64, 1<<16)
	for i := range v {
		v[i] = float64(r.Intn(1000))
	}
	return v
}()

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

//go:noinline
func floorSum(v []float64) (s float64) {
	for _, x := range v {
		s += x
	}
	return s
}

// BenchmarkFloorSum is the floor: a plain loop that sums 10,000 float64.
func BenchmarkFloorSum(b *testing.B) {
	v := benchVals[:10000]
	best := time.Duration(1 << 62)
	for b.Loop() {
		start := time.Now()
		sinkF = floorSum(v)
		best = min(best, time.Since(start))
	}
	b.ReportMetric(float64(best.Nanoseconds())/10000, "ns/event")
	b.ReportMetric(0, "ns/op")
}

func average(w Window[float64]) error {
	s := 0.0
	for _, v := range w.Values() {
		s += v
	}
	sinkF = s / float64(w.Len())
	return nil
}

func keepFloat(r Result[float64]) error { sinkF = r.Value; return nil }

func BenchmarkCount10Step5(b *testing.B) {
	h := must(New(Count(10).Every(5), average, nil))
	ts := int64(0)
	events(b, "ns/event", 1, func(n int) {
		for i := range n {
			ts++
			h.Collect(ts, benchVals[i])
		}
	})
}

const benchKeys = 1000

func thousandKeys() (names []string, order []int32) {
	for i := range benchKeys {
		names = append(names, fmt.Sprintf("root.sg.d%03d.temperature", i))
	}
	r := rand.New(rand.NewSource(2))
	for range 1 << 16 {
		order = append(order, int32(r.Intn(benchKeys)))
	}
	return names, order
}

func keyedTumbling() *KeyedReducing[string, float64, MeanAcc, float64] {
	return must(ReduceKeyed(Tumbling(time.Second), Avg[float64]{}, func(r KeyResult[string, float64]) error {
		sinkF = r.Value
		return nil
	}, nil, KeyOptions{}))
}

// Ten rows a second of each of a thousand keys.
func BenchmarkTumbling1000KeysSlot(b *testing.B) {
	h := keyedTumbling()
	names, order := thousandKeys()
	slots := make([]*Slot[string, float64, MeanAcc, float64], benchKeys)
	for i, n := range names {
		slots[i] = h.Slot(n)
	}
	ts := int64(0)
	events(b, "ns/event", 1, func(n int) {
		for i := range n {
			ts += 100_000
			slots[order[i&0xffff]].Collect(ts, benchVals[i&0xffff])
		}
	})
}

func BenchmarkTumbling1000KeysString(b *testing.B) {
	h := keyedTumbling()
	names, order := thousandKeys()
	ts := int64(0)
	events(b, "ns/event", 1, func(n int) {
		for i := range n {
			ts += 100_000
			h.Collect(names[order[i&0xffff]], ts, benchVals[i&0xffff])
		}
	})
}

func reduceBench[A any](b *testing.B, s Spec, red Reducer[float64, A, float64], step int64) {
	h := must(Reduce(s, red, keepFloat, nil))
	ts := int64(0)
	events(b, "ns/event", 1, func(n int) {
		for i := range n {
			ts += step
			h.Collect(ts, benchVals[i&0xffff])
		}
	})
}

const ms = int64(time.Millisecond)

// A thousand rows a second.
func BenchmarkHopping60sStep1sAvg(b *testing.B) {
	reduceBench(b, Sliding(time.Minute, time.Second), Reducer[float64, MeanAcc, float64](Avg[float64]{}), ms)
}

func BenchmarkHopping60sStep1sMax(b *testing.B) {
	reduceBench(b, Sliding(time.Minute, time.Second), Reducer[float64, Extent[float64], float64](Max[float64]{}), ms)
}

func BenchmarkHopping86400Panes(b *testing.B) {
	reduceBench(b, Sliding(24*time.Hour, time.Second), Reducer[float64, MeanAcc, float64](Avg[float64]{}), ms)
}

func BenchmarkSession(b *testing.B) {
	h := must(Reduce(Gap(time.Second), Avg[float64]{}, keepFloat, nil))
	ts := int64(0)
	events(b, "ns/event", 1, func(n int) {
		for i := range n {
			ts += ms
			if i&127 == 0 {
				ts += 2000 * ms
			}
			h.Collect(ts, benchVals[i&0xffff])
		}
	})
}

func BenchmarkState(b *testing.B) {
	h := must(Reduce(Same("state"), Tally[int64]{}, func(r Result[int64]) error { sinkN = r.Value; return nil }, nil))
	ts, v, left := int64(0), int64(0), 20
	events(b, "ns/event", 1, func(n int) {
		for range n {
			ts++
			if left--; left == 0 {
				v, left = v+1, 20
			}
			h.Collect(ts, v)
		}
	})
}

// span is a reducer as a user writes one: four methods.
type spanAcc struct{ Low, High float64 }
type spanReducer struct{}

func (spanReducer) Init(a *spanAcc) { *a = spanAcc{1e308, -1e308} }
func (spanReducer) Add(a *spanAcc, _ int64, v float64) {
	a.Low, a.High = min(a.Low, v), max(a.High, v)
}
func (spanReducer) Merge(dst, newer *spanAcc) {
	dst.Low, dst.High = min(dst.Low, newer.Low), max(dst.High, newer.High)
}
func (spanReducer) Result(a *spanAcc) float64 { return a.High - a.Low }

type maxReducer struct{}

func (maxReducer) Init(a *float64) { *a = -1e308 }
func (maxReducer) Add(a *float64, _ int64, v float64) {
	if v > *a {
		*a = v
	}
}
func (maxReducer) Merge(dst, newer *float64) {
	if *newer > *dst {
		*dst = *newer
	}
}
func (maxReducer) Result(a *float64) float64 { return *a }

// The window moves with each row: a result for each of the last 1,000 rows.
func BenchmarkUserReducer1000(b *testing.B) {
	reduceBench(b, Count(1000).Every(1), Reducer[float64, float64, float64](maxReducer{}), 1)
}

// A window of ten rows copied to a worker that adds them up.
func BenchmarkOrderedHandOver(b *testing.B) {
	p := NewPool(PoolOptions{Workers: 2})
	defer p.Close()
	sum := 0.0
	h := must(New(Count(10), func(w Window[float64]) error {
		for _, v := range w.Values() {
			sum += v
		}
		return nil
	}, &Options[float64]{Pool: p, Rejection: RejectWait}))
	ts := int64(0)
	events(b, "ns/window", 10, func(n int) {
		for i := range n {
			ts++
			h.Collect(ts, benchVals[i&0xffff])
		}
	})
	if err := h.Close(); err != nil {
		b.Fatal(err)
	}
	sinkF = sum
}

// A thousand keys with sixty panes each.
func BenchmarkSnapshot1000Keys60Panes(b *testing.B) {
	h := must(ReduceKeyed(Sliding(time.Minute, time.Second), Avg[float64]{}, func(KeyResult[string, float64]) error { return nil }, nil, KeyOptions{}))
	names, _ := thousandKeys()
	for s := range int64(60) {
		for _, n := range names {
			h.Collect(n, s*int64(time.Second), 1)
		}
	}
	buf := must(h.AppendState(nil))
	best := time.Duration(1 << 62)
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		buf = must(h.AppendState(buf[:0]))
		best = min(best, time.Since(start))
	}
	b.ReportMetric(float64(best.Microseconds()), "best-us")
	b.ReportMetric(float64(len(buf)), "bytes")
}

// heapOf returns the memory that what f makes takes.
func heapOf(f func() any) float64 {
	var m0, m1 runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m0)
	keep := f()
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m1)
	runtime.KeepAlive(keep)
	return float64(m1.HeapAlloc) - float64(m0.HeapAlloc)
}

// A million keys whose windows have closed.
func BenchmarkIdleKeyBytes(b *testing.B) {
	const n = 1_000_000
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("root.sg.d%06d.s", i)
	}
	for b.Loop() {
		bytes := heapOf(func() any {
			h := keyedTumbling()
			for i, name := range names {
				h.Collect(name, int64(i), 1)
				if i%1000 == 999 {
					h.Advance(int64(time.Second))
				}
				if h.b.mark > 0 && i%1000 == 0 {
					h.b.mark = -1 << 63 // only the benchmark may turn time back
				}
			}
			h.Advance(1 << 60)
			return h
		})
		b.ReportMetric(bytes/n, "B/key")
	}
}
