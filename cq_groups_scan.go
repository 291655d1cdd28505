package tickwell

import (
	"context"
	"math"
	"slices"

	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/exec"
	"github.com/tickwell/tickwell/internal/incremental"
)

// groupScan computes the windows of one device around what is dirty, oldest
// first: each scan goes from the last window that begins before a change to where
// windows are what they were, or to the end.
type groupScan struct {
	*groupRun
	device string
	tail   groupTail // as it was
	known  bool      // whether it is
	expiry int64     // rows before have expired

	from   int64 // where the scan begins; [math.MaxInt64]: there is nothing to scan
	change int64 // windows that end before are what they were
	least  int64 // not earlier than this can it agree again
	lo     int64 // what is stored from here on has not been replaced yet
	met    bool  // a window was met that the change is in
	agreed int64 // windows from here on are what they were
	ended  bool  // the scan went to the end
	full   bool  // that is enough for one run

	bounds []exec.Bounds
	at     int // in bounds, of the row to come
	rows   []*Tablet
	n      int
	stored storedTimes
	last   *groupTail // as it is now, if the scan ended
	next   int64      // the watermark at which something is over that was not
}

// begin finds where the first scan of what is due begins. No window before low
// has changed.
func (s *groupScan) begin(due *incremental.Ranges, low int64) error {
	s.from = math.MaxInt64
	due.Remove(incremental.Range{From: math.MinInt64, To: s.v.from})
	if due.Empty() {
		return nil
	}
	first := due.All()[0]
	s.change, s.least = first.From, first.To
	at, ok := s.tail.start, s.known && s.tail.start < s.change && s.tail.start >= low
	if !ok {
		var err error
		if at, ok, err = s.lastWindow(s.device, s.change, low); err != nil {
			return err
		}
	}
	switch {
	case ok && at >= s.expiry:
		s.from = at
		return nil
	case ok: // some of its rows have expired: it stays as it is
		return s.beginSealed(due, max(low, s.expiry))
	}
	if s.from = max(low, s.expiry); s.from > s.change {
		s.v.sealed.Add(1)
		due.Remove(incremental.Range{From: math.MinInt64, To: s.from})
		return s.begin(due, s.from)
	}
	return nil
}

// beginSealed begins with the first window after one that is sealed. Without one
// it begins with the rows that are left.
func (s *groupScan) beginSealed(due *incremental.Ranges, from int64) error {
	at, ok, err := s.firstWindow(s.device, from)
	if err != nil {
		return err
	}
	if s.known && s.tail.start >= from && (!ok || s.tail.start < at) {
		at, ok = s.tail.start, true
	}
	if !ok {
		if at = from; s.known && !s.tail.open {
			at = max(at, s.tail.last+1)
		}
	}
	if s.change < at {
		s.v.sealed.Add(1)
		due.Remove(incremental.Range{From: math.MinInt64, To: at})
	}
	if s.from = math.MaxInt64; due.Empty() {
		return nil
	}
	first := due.All()[0]
	s.from, s.change, s.least = at, first.From, first.To
	if first.From > at && ok {
		return s.begin(due, at)
	}
	return nil
}

// run is one scan. It takes out of due what it has computed.
func (s *groupScan) run(ctx context.Context, due *incremental.Ranges) error {
	s.lo, s.met, s.ended, s.last, s.next = s.change, false, false, nil, math.MaxInt64
	s.bounds, s.at, s.rows, s.n = s.bounds[:0], 0, nil, 0
	s.stored.begin(s.snap, s.targets[s.device], s.sent[s.device], s.from)
	defer s.stored.close()
	part, ok := s.parts[s.device]
	if ok && s.from < s.end {
		plan, err := s.plan.plan.At(s.from, s.end)
		if err != nil {
			return err
		}
		res := &Result{ctx: ctx, db: s.db, plan: plan.Part(part, s.watch), used: s.plan.used}
		res.open = func() (exec.Source, func(), error) { return source{s.snap}, func() {}, nil }
		for t, err := range res.Tablets() {
			if err != nil {
				return err
			}
			if stop, err := s.take(ctx, t, due); stop || err != nil {
				return err
			}
		}
	}
	s.ended, s.agreed = true, math.MaxInt64
	due.Remove(incremental.Range{From: math.MinInt64, To: math.MaxInt64})
	return s.flush(math.MaxInt64)
}

// watch is told of every window that the scan comes to.
func (s *groupScan) watch(b exec.Bounds) {
	s.bounds = append(s.bounds, b)
	if !s.met && !s.before(b) {
		s.met, s.lo = true, min(s.lo, b.First)
	}
	over := s.over(b)
	s.last = &groupTail{b.First, b.Last, b.Ended == math.MaxInt64 && (s.all || !over)}
	switch {
	case over:
	case b.Ended < math.MaxInt64:
		s.next = min(s.next, b.Ended)
	case s.groups.session:
		s.next = min(s.next, s.groups.afterGap(b.Last))
	case s.v.idle > 0:
		s.next = min(s.next, incremental.Latest-1)
	}
}

func (s *groupScan) over(b exec.Bounds) bool {
	return s.all || s.groups.isOver(b.Last, b.Ended, s.mark)
}

// before reports whether a window ends before the change, which may also be that
// the watermark shows it to be over.
func (s *groupScan) before(b exec.Bounds) bool {
	return b.Ended < s.change || s.groups.session && s.groups.afterGap(b.Last) < s.change
}

// take takes the next rows. Stop is true if the scan need not go on.
func (s *groupScan) take(ctx context.Context, t *Tablet, due *incremental.Ranges) (stop bool, err error) {
	var keep []int
	pick := func() {
		if len(keep) > 0 {
			s.rows = append(s.rows, t.pick(keep))
			keep = nil
		}
	}
	for row, at := range t.Times {
		for s.bounds[s.at].First < at { // windows without a row
			s.at++
		}
		b := s.bounds[s.at]
		s.at++
		if s.before(b) {
			continue
		}
		if at >= s.least && !due.Contains(incremental.Range{From: at, To: at + 1}) {
			same, err := s.began(at)
			if err != nil {
				return true, err
			}
			if same {
				pick()
				s.agreed, s.next, s.last = at, math.MaxInt64, nil
				due.Remove(incremental.Range{From: math.MinInt64, To: at})
				return true, s.flush(at)
			}
		}
		given := s.over(b)
		if !given && s.v.idle > 0 { // once given, it is kept up to date
			if given, err = s.stored.has(at); err != nil {
				return true, err
			}
		}
		if !given {
			continue
		}
		keep = append(keep, row)
		if s.n++; s.n >= cqChunk && b.Ended < math.MaxInt64 && s.read == nil {
			pick()
			if err := s.flush(max(b.Ended, b.First+1)); err != nil {
				return true, err
			}
			if err := s.save(ctx, due); s.full || err != nil {
				return true, err
			}
		}
	}
	pick()
	s.bounds, s.at = slices.Delete(s.bounds, 0, s.at), 0
	return false, nil
}

// began reports whether a window began at a time before the change too.
func (s *groupScan) began(at int64) (bool, error) {
	if s.known && s.tail.start == at {
		return true, nil
	}
	return s.stored.has(at)
}

// flush puts the rows in the place of what is stored from lo to hi.
func (s *groupScan) flush(hi int64) error {
	lo, rows := s.lo, s.rows
	s.lo, s.rows, s.n = hi, nil, 0
	if lo >= hi {
		return nil
	}
	return s.replace(s.device, rows, incremental.Range{From: lo, To: hi})
}

// save stores how far the scan is.
func (s *groupScan) save(ctx context.Context, due *incremental.Ranges) (err error) {
	due.Remove(incremental.Range{From: math.MinInt64, To: s.lo})
	due.Add(incremental.Range{From: s.lo, To: s.lo + 1})
	s.record()
	s.keepDue(s.device)
	s.full, err = s.commit(ctx)
	return err
}

// storedTimes are the times at which windows of a device began, as it is stored
// or was sent. It is asked for later and later ones.
type storedTimes struct {
	snap    *engine.Snapshot
	series  []*engine.Series
	sent    []int64
	from    int64
	cursors []*engine.Cursor
	times   [][]int64 // of each cursor: what is left of its block
}

func (s *storedTimes) begin(snap *engine.Snapshot, series []*engine.Series, sent []int64, from int64) {
	*s = storedTimes{snap: snap, series: series, sent: sent, from: from}
}

func (s *storedTimes) close() {
	for _, c := range s.cursors {
		c.Close()
	}
	s.cursors = nil
}

func (s *storedTimes) has(at int64) (bool, error) {
	if _, ok := slices.BinarySearch(s.sent, at); ok {
		return true, nil
	}
	if s.cursors == nil {
		for _, ser := range s.series {
			s.cursors = append(s.cursors, s.snap.Cursor(ser, s.from, math.MaxInt64))
		}
		s.times = make([][]int64, len(s.cursors))
	}
	for i, c := range s.cursors {
		for len(s.times[i]) == 0 || s.times[i][len(s.times[i])-1] < at {
			if !c.Next() {
				s.times[i] = nil
				break
			}
			s.times[i] = c.Times()
		}
		if err := c.Err(); err != nil {
			return false, err
		}
		n, ok := slices.BinarySearch(s.times[i], at)
		if s.times[i] = s.times[i][n:]; ok {
			return true, nil
		}
	}
	return false, nil
}
