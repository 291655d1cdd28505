package window_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tickwell/tickwell/window"
)

// readings are temperatures, one a second, in whole seconds for brevity: any
// unit of time will do.
var readings = []float64{20, 21, 23, 22, 29, 30, 28, 21, 20, 20}

func ExampleNew() {
	h, err := window.New(window.Count(4).Every(2), func(w window.Window[float64]) error {
		fmt.Println(w.Start(), "to", w.End(), w.Values())
		return nil
	}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer h.Close()
	for i, v := range readings {
		if _, err := h.Collect(int64(i), v); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// 0 to 3 [20 21 23 22]
	// 2 to 5 [23 22 29 30]
	// 4 to 7 [29 30 28 21]
	// 6 to 9 [28 21 20 20]
}

// show prints the windows of the readings. A row comes each second.
func show(s window.Spec) {
	var times []int64
	for i := range readings {
		times = append(times, int64(i)*int64(time.Second))
	}
	for w, err := range window.Cut(times, readings, s, nil) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(time.Duration(w.Start()), time.Duration(w.End()), w.Values())
	}
}

func ExampleCount() {
	show(window.Count(4)) // the last one is short
	// Output:
	// 0s 3s [20 21 23 22]
	// 4s 7s [29 30 28 21]
	// 8s 9s [20 20]
}

func ExampleTumbling() {
	show(window.Tumbling(4 * time.Second))
	// Output:
	// 0s 4s [20 21 23 22]
	// 4s 8s [29 30 28 21]
	// 8s 12s [20 20]
}

func ExampleSliding() {
	show(window.Sliding(6*time.Second, 3*time.Second).FromFirst())
	// Output:
	// 0s 6s [20 21 23 22 29 30]
	// 3s 9s [22 29 30 28 21 20]
	// 6s 12s [28 21 20 20]
	// 9s 15s [20]
}

func ExampleWithin() {
	show(window.Within("temperature", 3)) // of the first value of the window
	// Output:
	// 0s 3s [20 21 23 22]
	// 4s 6s [29 30 28]
	// 7s 9s [21 20 20]
}

func ExampleSame() {
	times := []int64{1, 2, 3, 4, 5}
	states := []string{"off", "on", "on", "off", "off"}
	for w := range window.Cut(times, states, window.Same("state"), nil) {
		fmt.Println(w.Value(0), w.Start(), "to", w.End())
	}
	// Output:
	// off 1 to 1
	// on 2 to 3
	// off 4 to 5
}

func ExampleWhile() {
	times := []int64{1, 2, 3, 4, 5, 6, 7}
	hot := []bool{false, true, true, false, true, true, true}
	for w := range window.Cut(times, hot, window.While("hot").Keep(3, 0), nil) {
		fmt.Println("hot from", w.Start(), "to", w.End())
	}
	// Output:
	// hot from 5 to 7
}

func ExampleGap() {
	// clicks of one visitor, in minutes
	clicks := []int64{0, 1, 3, 40, 41, 90}
	for w := range window.Cut(clicks, make([]struct{}, len(clicks)), window.Gap(30), nil) {
		fmt.Println(w.Start(), "to", w.End(), w.Len(), "clicks")
	}
	// Output:
	// 0 to 3 3 clicks
	// 40 to 41 2 clicks
	// 90 to 90 1 clicks
}

func ExampleDays() {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		fmt.Println(err)
		return
	}
	from := time.Date(2026, 3, 28, 0, 0, 0, 0, berlin)
	days, err := window.Ranges(window.Days(1, "Europe/Berlin"), from.UnixNano(), from.AddDate(0, 0, 3).UnixNano())
	if err != nil {
		fmt.Println(err)
		return
	}
	for d := range days {
		fmt.Println(time.Unix(0, d.Start).In(berlin).Format("Mon 2 Jan"), time.Duration(d.End-d.Start))
	}
	// Output:
	// Sat 28 Mar 24h0m0s
	// Sun 29 Mar 23h0m0s
	// Mon 30 Mar 24h0m0s
}

func ExampleMonths() {
	from := time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)
	months, err := window.Ranges(window.Months(1, "").FromFirst(), from.UnixNano(), from.AddDate(0, 3, 0).UnixNano())
	if err != nil {
		fmt.Println(err)
		return
	}
	for m := range months {
		fmt.Println(time.Unix(0, m.Start).UTC().Format(time.DateOnly))
	}
	// Output:
	// 2026-01-31
	// 2026-02-28
	// 2026-03-31
	// 2026-04-30
}

func ExampleRanges() {
	// GROUP BY ([5, 21), 10)
	ranges, err := window.Ranges(window.Tumbling(10).FromFirst(), 5, 21)
	if err != nil {
		fmt.Println(err)
		return
	}
	for r := range ranges {
		fmt.Println(r, "clipped", r.Clip(5, 21))
	}
	// Output:
	// {5 15} clipped {5 15}
	// {15 25} clipped {15 21}
}

func ExampleReduce() {
	h, err := window.Reduce(window.Sliding(6*time.Second, 2*time.Second), window.Avg[float64]{}, func(r window.Result[float64]) error {
		fmt.Printf("%v: %.1f of %d rows\n", time.Duration(r.End), r.Value, r.Count)
		return nil
	}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, v := range readings {
		h.Collect(int64(i)*int64(time.Second), v)
	}
	// Output:
	// 2s: 20.5 of 2 rows
	// 4s: 21.5 of 4 rows
	// 6s: 24.2 of 6 rows
	// 8s: 25.5 of 6 rows
}

// rising finds the longest rise within a window: a reducer of one's own needs
// four methods.
type rise struct{ low, best float64 }
type rising struct{}

func (rising) Init(a *rise) { *a = rise{low: 1e308} }
func (rising) Add(a *rise, _ int64, v float64) {
	a.low = min(a.low, v)
	a.best = max(a.best, v-a.low)
}
func (rising) Merge(dst, newer *rise) {
	if newer.low < 1e308 {
		dst.best = max(dst.best, newer.best, newer.low+newer.best-dst.low)
	}
	dst.low = min(dst.low, newer.low)
}
func (rising) Result(a *rise) float64 { return a.best }

func ExampleReducer() {
	h, err := window.Reduce(window.Count(5), rising{}, func(r window.Result[float64]) error {
		fmt.Println(r.Start, "to", r.End, "rose by", r.Value)
		return nil
	}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, v := range readings {
		h.Collect(int64(i), v)
	}
	// Output:
	// 0 to 4 rose by 9
	// 5 to 9 rose by 0
}

func ExampleReduceKeyed() {
	h, err := window.ReduceKeyed(window.Tumbling(time.Minute), window.Max[float64]{}, func(r window.KeyResult[string, float64]) error {
		fmt.Println(r.Key, r.Value)
		return nil
	}, nil, window.KeyOptions{MaxKeys: 10_000, OnMaxKeys: window.EvictGive})
	if err != nil {
		fmt.Println(err)
		return
	}
	press1 := h.Slot("press1") // found once
	for i, v := range readings {
		press1.Collect(int64(i), v)
		h.Collect("press2", int64(i), v+50)
	}
	if err := h.Flush(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// press1 30
	// press2 80
}

// Late rows are told apart from wrong ones, and none is lost unseen.
func ExampleOptions_lateness() {
	h, err := window.Reduce(window.Tumbling(10), window.Tally[string]{}, func(r window.Result[int64]) error {
		fmt.Println(r.Start, "to", r.End, "has", r.Value)
		return nil
	}, &window.Options[string]{
		Lateness: 5,
		OnLate:   func(ts int64, v string) { fmt.Println("late:", ts, v) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, ts := range []int64{1, 11, 9, 15, 8} {
		out, _ := h.Collect(ts, "row")
		fmt.Println(ts, out)
	}
	// Output:
	// 1 accepted
	// 11 accepted
	// 9 accepted
	// 0 to 10 has 2
	// 15 accepted
	// late: 8 row
	// 8 late
}

func ExampleOptions_updates() {
	h, err := window.Reduce(window.Tumbling(10), window.Sum[float64]{}, func(r window.Result[float64]) error {
		fmt.Println(r.Start, r.Value, "revision", r.Revision, "final", r.Final)
		return nil
	}, &window.Options[float64]{Emit: window.OnUpdate})
	if err != nil {
		fmt.Println(err)
		return
	}
	h.Collect(1, 1)
	h.Collect(2, 2)
	h.Collect(10, 4)
	// Output:
	// 0 1 revision 0 final false
	// 0 3 revision 1 final false
	// 0 3 revision 2 final true
	// 10 4 revision 0 final false
}

// The documents' helper, asynchronous: a full queue does not disturb what comes
// after.
func ExampleNewSlidingSize() {
	pool := window.NewPool(window.PoolOptions{Workers: 1, MaxPending: 64})
	defer pool.Close()
	h, err := window.NewSlidingSize(5, 5, func(w window.Window[float64]) error {
		if top := slices.Max(w.Values()); top > 25 {
			fmt.Println("alert at", w.Time(0), top)
		}
		return nil
	}, &window.Options[float64]{
		Pool: pool,
		OnRejection: func(w window.Window[float64]) error {
			return fmt.Errorf("window from %d: %w", w.Start(), window.ErrRejected)
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, v := range readings {
		if _, err := h.Collect(int64(i), v); errors.Is(err, window.ErrRejected) {
			fmt.Println(err)
		}
	}
	h.Close() // waits
	// Output:
	// alert at 0 29
	// alert at 5 30
}

func ExampleNewSlidingTime() {
	h, err := window.NewSlidingTime(3, 3, func(w window.Window[float64]) error {
		fmt.Printf("[%d, %d) %d rows\n", w.Start(), w.End(), w.Len())
		return nil
	}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	h.Collect(10, 1)
	h.Collect(20, 2) // closes what ends at 20 or before, empty or not
	// Output:
	// [10, 13) 1 rows
	// [13, 16) 0 rows
	// [16, 19) 0 rows
}

func ExampleHandler_AppendState() {
	spec := window.Count(3)
	eval := func(w window.Window[float64]) error { fmt.Println(w.Values()); return nil }
	h, _ := window.New(spec, eval, nil)
	h.Collect(1, 20)
	h.Collect(2, 21)
	state, err := h.AppendState(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	// after a restart
	again, _ := window.New(spec, eval, nil)
	if err := again.LoadState(state); err != nil {
		fmt.Println(err)
		return
	}
	again.Collect(3, 22)
	// Output:
	// [20 21 22]
}

func ExampleParseSpec() {
	s, err := window.ParseSpec(`time(1h0m0s, step 15m0s)`)
	fmt.Println(s == window.Sliding(time.Hour, 15*time.Minute), err)
	fmt.Println(window.Months(1, "Europe/Berlin"))
	_, err = window.ParseSpec(`size(0)`)
	fmt.Println(err)
	// Output:
	// true <nil>
	// calendar(1 month, zone "Europe/Berlin")
	// window: parameter windowSize(0) should be positive
}
