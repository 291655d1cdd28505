// Case windows: averages over windows of a stream, by what Go offers for it.
// One variant runs in a process; every result is added up and compared with
// the same sum over windows cut from the whole stream by brute force.
package main

import (
	"flag"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/gammazero/deque"
	"github.com/samber/ro"
	"github.com/tickwell/tickwell/bench/harness"
	"github.com/tickwell/tickwell/window"
	"github.com/zeromicro/go-zero/core/collection"
)

// A thousand rows a second of event time.
const rowStep = int64(time.Millisecond)

var values = func() []float64 {
	v := make([]float64, 1<<16)
	x := uint64(0x9E3779B97F4A7C15)
	for i := range v {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		v[i] = float64(x%20011) / 100
	}
	return v
}()

func value(i int64) float64 { return values[i&(1<<16-1)] }

// result adds up what the windows gave.
type result struct {
	windows int64
	sum     float64
}

func (r *result) add(avg float64) { r.windows++; r.sum += avg }

// way is one implementation of one case over n rows.
type way struct {
	cas, store, module string
	run                func(n int64, r *result) error
	want               func(n int64) result
}

func main() {
	variant := flag.String("variant", "tickwell", "tickwell, deque, ro, gozero or loop")
	n := flag.Int64("events", 2_000_000, "rows")
	flag.Parse()
	found := false
	for _, w := range ways {
		if w.store != *variant {
			continue
		}
		found = true
		var r result
		start, cpu := time.Now(), harness.CPU()
		err := w.run(*n, &r)
		wall, used := time.Since(start), harness.CPU()-cpu
		c := harness.CaseResult{Case: w.cas, Store: w.store, Version: harness.Version(w.module), Check: "ok"}
		if err != nil {
			c.Err = err.Error()
		} else if w.want != nil {
			if want := w.want(*n); r.windows != want.windows || math.Abs(r.sum-want.sum) > 1e-9*math.Abs(want.sum) {
				c.Check = fmt.Sprintf("%d windows adding up to %g, want %d and %g", r.windows, r.sum, want.windows, want.sum)
			}
		}
		c.Metric, c.Value = "wall per row", float64(wall)/float64(*n)
		harness.Report(c)
		c.Metric, c.Value = "cpu per row", float64(used)/float64(*n)
		harness.Report(c)
	}
	if !found {
		fmt.Fprintf(os.Stderr, "windows: no variant %q\n", *variant)
		os.Exit(2)
	}
}

const (
	tickwellModule = "github.com/tickwell/tickwell"
	sliding        = "window of 10 rows every 5"
	tumbling       = "window of 10 rows"
	hopping        = "window of 60 s every 1 s"
)

var ways = []way{
	{sliding, "tickwell", tickwellModule, tickwellCount(window.Count(10).Every(5)), slices(10, 5)},
	{sliding, "deque", "github.com/gammazero/deque", dequeSliding, slices(10, 5)},
	{sliding, "loop", "", loopSliding, slices(10, 5)},
	{tumbling, "tickwell", tickwellModule, tickwellCount(window.Count(10)), slices(10, 10)},
	{tumbling, "ro", "github.com/samber/ro", roTumbling, slices(10, 10)},
	{hopping, "tickwell", tickwellModule, tickwellHopping, hops},
	{hopping, "loop", "", loopHopping, hops},
	// A rolling window of go-zero follows the wall clock: what it averages
	// depends on when it is asked, so it has no answer to compare.
	{hopping, "gozero", "github.com/zeromicro/go-zero", rolling, nil},
}

func tickwellCount(s window.Spec) func(int64, *result) error {
	return func(n int64, r *result) error {
		h, err := window.New(s, func(w window.Window[float64]) error {
			sum := 0.0
			for _, v := range w.Values() {
				sum += v
			}
			r.add(sum / float64(w.Len()))
			return nil
		}, nil)
		if err != nil {
			return err
		}
		for i := range n {
			if _, err := h.Collect(i*rowStep, value(i)); err != nil {
				return err
			}
		}
		return nil
	}
}

func tickwellHopping(n int64, r *result) error {
	h, err := window.Reduce(window.Sliding(time.Minute, time.Second), window.Avg[float64]{}, func(x window.Result[float64]) error {
		if x.Start >= 0 { // windows that began before the stream are the loop's to leave out
			r.add(x.Value)
		}
		return nil
	}, nil)
	if err != nil {
		return err
	}
	for i := range n {
		if _, err := h.Collect(i*rowStep, value(i)); err != nil {
			return err
		}
	}
	return nil
}

func dequeSliding(n int64, r *result) error {
	var q deque.Deque[float64]
	for i := range n {
		q.PushBack(value(i))
		if q.Len() > 10 {
			q.PopFront()
		}
		if (i+1)%5 == 0 && i >= 9 {
			sum := 0.0
			for j := range q.Len() {
				sum += q.At(j)
			}
			r.add(sum / 10)
		}
	}
	return nil
}

// loopSliding is what is written by hand for exactly this window.
func loopSliding(n int64, r *result) error {
	var ring [10]float64
	for i := range n {
		ring[i%10] = value(i)
		if (i+1)%5 == 0 && i >= 9 {
			sum := 0.0
			for _, v := range ring {
				sum += v
			}
			r.add(sum / 10)
		}
	}
	return nil
}

func roTumbling(n int64, r *result) error {
	src := ro.NewUnsafeObservable(func(d ro.Observer[float64]) ro.Teardown {
		for i := range n - n%10 {
			d.Next(value(i))
		}
		d.Complete()
		return nil
	})
	var failed error
	ro.BufferWithCount[float64](10)(src).Subscribe(ro.NewObserver(
		func(w []float64) {
			sum := 0.0
			for _, v := range w {
				sum += v
			}
			r.add(sum / float64(len(w)))
		}, func(err error) { failed = err }, func() {}))
	return failed
}

func loopHopping(n int64, r *result) error {
	var panes [60]float64
	perSecond := int64(time.Second) / rowStep
	for i := range n {
		s := i / perSecond
		if i%perSecond == 0 {
			if s >= 60 {
				total := 0.0
				for _, p := range panes {
					total += p
				}
				r.add(total / float64(60*perSecond))
			}
			panes[s%60] = 0
		}
		panes[s%60] += value(i)
	}
	return nil
}

func rolling(n int64, r *result) error {
	w := collection.NewRollingWindow[float64, *collection.Bucket[float64]](
		func() *collection.Bucket[float64] { return new(collection.Bucket[float64]) }, 60, time.Second)
	perSecond := int64(time.Second) / rowStep
	for i := range n {
		w.Add(value(i))
		if (i+1)%perSecond == 0 {
			sum, count := 0.0, int64(0)
			w.Reduce(func(b *collection.Bucket[float64]) { sum += b.Sum; count += b.Count })
			r.add(sum / float64(max(1, count)))
		}
	}
	return nil
}

// slices is every window of size rows that begins at a multiple of step and is
// complete.
func slices(size, step int64) func(int64) result {
	return func(n int64) (r result) {
		for lo := int64(0); lo+size <= n; lo += step {
			sum := 0.0
			for i := lo; i < lo+size; i++ {
				sum += value(i)
			}
			r.add(sum / float64(size))
		}
		return r
	}
}

// hops is every window of 60 s that begins at a full second of the stream and
// has been passed by it.
func hops(n int64) (r result) {
	perSecond := int64(time.Second) / rowStep
	for lo := int64(0); lo+60*perSecond < n; lo += perSecond {
		sum := 0.0
		for i := lo; i < lo+60*perSecond; i++ {
			sum += value(i)
		}
		r.add(sum / float64(60*perSecond))
	}
	return r
}
