package tickwell

import (
	"math"
	"time"
)

// Rows do not expire by their time to live before the windows they are in are
// computed, however long a query was paused, failed or the store was closed.
// Only a quota, or nothing left to compute, makes them go. What has expired once
// stays so: a window of which rows have gone before it became dirty again is
// sealed, and holds nothing back.

// cqHoldStep spares views from being asked for each move of the clock.
const cqHoldStep = int64(time.Second)

// holdBack returns the time before which rows of a series may expire: before, or
// earlier.
func (s *cqSet) holdBack(device, name string, before int64) int64 {
	if !s.loaded.Load() {
		return math.MinInt64
	}
	t := s.table.Load()
	if t == nil {
		return before
	}
	for _, v := range t.views {
		before = v.holdBack(device, name, before)
	}
	return before
}

func (v *cqView) holdBack(device, name string, before int64) int64 {
	if v.grouped() {
		return v.groups.holdBack(v, device, name, before)
	}
	for {
		first, passed := v.first.Load(), v.passed.Load()
		if passed >= before || !v.reads(device, name) {
			return before
		}
		may := min(before, max(first, passed))
		// A little further than asked for, but not past what is dirty.
		next := min(addSaturated(may, cqHoldStep), max(first, may))
		if next <= passed || v.passed.CompareAndSwap(passed, next) {
			return may
		}
	}
}
