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

// holdCut is what [cqSet.holdBack] says at one moment: a query that reads series one
// after another shows one cut, whatever is computed meanwhile.
type holdCut []heldView

type heldView struct {
	v             *cqView
	first, passed int64
	holds, gone   *deviceTimes // of a grouped one: holds and passed
}

// holdCut returns nil if nothing is held back.
func (s *cqSet) holdCut() func(device, name string, before int64) int64 {
	if !s.loaded.Load() {
		return s.holdBack
	}
	t := s.table.Load() // after loaded, which is set once the first is there
	if t == nil || len(t.views) == 0 {
		return nil
	}
	cut := make(holdCut, len(t.views))
	for i, v := range t.views {
		cut[i] = heldView{v: v, first: v.first.Load(), passed: v.passed.Load()}
		if v.grouped() {
			v.groups.cut(v, &cut[i])
		}
	}
	return cut.holdBack
}

func (c holdCut) holdBack(device, name string, before int64) int64 {
	for i := range c {
		h := &c[i]
		now := before
		before = h.holdBack(device, name, before)
		h.v.holdBack(device, name, now) // what has expired once stays so
	}
	return before
}

func (h *heldView) holdBack(device, name string, before int64) int64 {
	first, passed := h.first, h.passed
	grouped := h.v.grouped()
	if !grouped && max(first, passed) >= before { // spares most series the patterns
		return before
	}
	if !h.v.reads(device, name) {
		return before
	}
	if grouped {
		first, passed = h.v.held(h.holds, h.gone, device)
	}
	return min(before, max(first, passed))
}
