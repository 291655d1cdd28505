package udflib

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/tickwell/tickwell"
)

// timestampRepair puts points on a grid of even times.
type timestampRepair struct {
	original
	kind     tickwell.Kind
	interval int64
	method   string
}

// millis reads a whole number of milliseconds, or a duration with a unit.
func (a *args) millis(key string, def int64) int64 {
	text, ok := a.text(key)
	if !ok {
		return def
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n > 0 && n <= math.MaxInt64/int64(time.Millisecond) {
		return n * int64(time.Millisecond)
	}
	d, err := parseDuration(text)
	if err != nil {
		a.fail(key, text, "a positive number of milliseconds, or "+wantDuration)
	}
	return int64(d)
}

func (f *timestampRepair) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	a := read(in, 1)
	f.nans = true
	f.interval = a.millis("interval", 0)
	f.method = a.oneOf("method", "median", "mode", "cluster")
	sameKind(a, cfg)
	if a.err == nil {
		f.kind = in.Inputs[0].Kind
	}
	return a.done()
}

// spacing is the interval that the times suggest.
func (f *timestampRepair) spacing() int64 {
	switch f.method {
	case "mode":
		return usual(f.times)
	case "cluster":
		return int64(math.Round(median(largestCluster(gaps(f.times)))))
	}
	return int64(math.Round(median(gaps(f.times))))
}

// largestCluster divides values into three groups by their distance to the
// means of the groups (k-means, from the least, the median and the greatest)
// and returns the largest.
func largestCluster(xs []float64) []float64 {
	s := slices.Clone(xs)
	slices.Sort(s)
	centers := [3]float64{s[0], sortedMedian(s), s[len(s)-1]}
	var cut [4]int // group g is s[cut[g]:cut[g+1]]
	for range 100 {
		was := cut
		cut = [4]int{3: len(s)}
		for g := 1; g < 3; g++ {
			cut[g], _ = slices.BinarySearch(s, (centers[g-1]+centers[g])/2)
		}
		for g := range centers {
			if cut[g] < cut[g+1] {
				centers[g] = mean(s[cut[g]:cut[g+1]])
			}
		}
		if cut == was {
			break
		}
	}
	best := s[cut[0]:cut[1]]
	for g := 1; g < 3; g++ {
		if group := s[cut[g]:cut[g+1]]; len(group) > len(best) {
			best = group
		}
	}
	return best
}

// origin is the begin of the grid: the place near the first point at which most
// points are on it; the first point if no two agree.
func (f *timestampRepair) origin(interval int64) int64 {
	first := f.times[0]
	counts, best := map[int64]int{}, int64(0)
	for _, at := range f.times {
		counts[(at-first)%interval]++
	}
	for _, at := range f.times {
		if p := (at - first) % interval; counts[p] > counts[best] {
			best = p
		}
	}
	if best > interval/2 {
		best -= interval
	}
	return first + best
}

const (
	// edge is what adding or leaving out a point costs, in intervals; a point
	// that is moved costs the way.
	edge = 1
	// band is how far a point may be moved, in intervals: further, it is cheaper
	// to leave it out and add another.
	band = 2 * edge
	// mostSlots is how many places a grid may have.
	mostSlots = 1 << 24
)

func (f *timestampRepair) Terminate(out *tickwell.Collector) error {
	n := len(f.times)
	if n <= 2 && f.interval == 0 {
		return f.emit(out, f.times, nil)
	}
	if n == 0 {
		return nil
	}
	interval := f.interval
	if interval == 0 {
		interval = max(1, f.spacing())
	}
	start := f.origin(interval)
	slots := (f.times[n-1]-start+interval/2)/interval + 1
	if slots > mostSlots || int64(n) > mostSlots {
		return fmt.Errorf("the times hold more than %d intervals of %v: %w", mostSlots, time.Duration(interval), tickwell.ErrBadInput)
	}
	from := align(f.times, start, interval, int(max(1, slots)))
	times := make([]int64, len(from))
	for s := range times {
		times[s] = start + int64(s)*interval
	}
	return f.emit(out, times, from)
}

// emit gives point from[i] at times[i], or nothing for -1; nil: each its own.
func (f *timestampRepair) emit(out *tickwell.Collector, times []int64, from []int) error {
	for s, at := range times {
		i := s
		if from != nil {
			i = from[s]
		}
		var err error
		switch {
		case i >= 0:
			err = out.Put(at, f.cells[i])
		case f.kind == tickwell.KindFloat32 || f.kind == tickwell.KindFloat64:
			err = put(out, f.kind, at, math.NaN())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// align finds the cheapest way to put points on the grid and returns, for each
// place, the point that it gets, or -1. Costs are computed for the places near
// each point only, row by row.
func align(times []int64, start, interval int64, slots int) []int {
	n := len(times)
	at := func(s int) int64 { return start + int64(s)*interval }
	near := func(i int) int { return int((times[i] - start + interval/2) / interval) }
	const (
		match = iota
		leave // the point out
		add   // a place without a point
	)
	// Row i has the costs of the first i points on the first lo(i) … hi(i) places.
	lo := make([]int, n+1)
	steps := make([][]uint8, n+1)
	var was []float64
	wasLo := 0
	cost := func(row []float64, lo, s int) float64 {
		if s < lo || s-lo >= len(row) {
			return math.Inf(1)
		}
		return row[s-lo]
	}
	for i := 0; i <= n; i++ {
		low, high := 0, slots
		if i > 0 {
			low = max(0, near(i-1)-band)
		}
		if i > 1 {
			low = min(low, max(0, near(i-2)+band)) // rows overlap, so that a gap can be crossed
		}
		if i < n {
			high = min(slots, near(i)+band+1)
		}
		low = min(low, high)
		lo[i] = low
		row := make([]float64, high-low+1)
		step := make([]uint8, len(row))
		for k := range row {
			s := low + k
			best, how := math.Inf(1), uint8(add)
			if i == 0 && s == 0 {
				best = 0
			}
			if k > 0 && row[k-1]+edge < best {
				best, how = row[k-1]+edge, add
			}
			if i > 0 {
				if c := cost(was, wasLo, s) + edge; c < best {
					best, how = c, leave
				}
				if s > 0 {
					way := math.Abs(float64(times[i-1]-at(s-1))) / float64(interval)
					if c := cost(was, wasLo, s-1) + way; c < best {
						best, how = c, match
					}
				}
			}
			row[k], step[k] = best, how
		}
		was, wasLo, steps[i] = row, low, step
	}
	from := make([]int, slots)
	for s := range from {
		from[s] = -1
	}
	for i, s := n, slots; i > 0 || s > 0; {
		switch steps[i][s-lo[i]] {
		case match:
			i, s = i-1, s-1
			from[s] = i
		case leave:
			i--
		default:
			s--
		}
	}
	return from
}
