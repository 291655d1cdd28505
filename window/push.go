package window

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"
)

// Handler cuts rows into windows as they come and gives each to an evaluator.
// It holds the rows of open windows. Its methods are for one goroutine at a time
// unless Options say otherwise.
type Handler[T any] struct {
	// Rows at min or later and before edge need nothing but to be kept, as long
	// as there is room; all others take the slow path. Shared handlers never set
	// them.
	min, edge int64
	room      int
	inc       int64 // what min grows by beyond the newest time
	gap1      int64 // session: smallest distance that splits

	rows column[T]

	kind  Kind
	flags uint8
	busy  bool // user code runs in the caller's goroutine
	raw   bool // the evaluator is an iterator's consumer: its panics pass
	lean  bool // nothing but plain size windows: see fill
	done  bool

	late    int64
	seen    int64 // newest time of all
	mark    int64 // watermark
	settled int64 // number of the first row that may still move

	next     int64 // window to close next; size: number of the row after it
	end      int64 // session, state: first row of the open window, -1 for none; time: end of next
	begin    int64 // time of that first row; time: start of next
	first    T     // its value
	emptyRun int   // empty windows given in a row

	windows uint64
	failed  atomic.Uint64
	cold    *Stats
	grid    *Grid
	eval    func(Window[T]) error
	opts    *Options[T]
	lane    *lane[view[T]]
	gate    *gate[view[T]]
	revs    *revisions
	shown   view[T] // what the evaluator is given
	spec    compact
}

// Flags of what a core has seen and given.
const (
	begun     = 1 << iota // a row was seen
	marked                // the watermark is known
	given                 // a window was given: empty ones after it count
	everySlow             // an option needs a look at every row
	anchored              // the grid is where it belongs
)

// New makes a handler that gives the windows of s to eval. A nil opts means the
// defaults. Options that do not fit s or each other are refused with a
// [*ParamError].
func New[T any](s Spec, eval func(Window[T]) error, opts *Options[T]) (*Handler[T], error) {
	if eval == nil {
		return nil, noFunction()
	}
	h := &Handler[T]{spec: compacted(s), eval: eval}
	if opts != nil {
		o := *opts
		h.opts = &o
	}
	if err := h.init(s); err != nil {
		return nil, err
	}
	return h, nil
}

func (h *Handler[T]) init(s Spec) error {
	if err := s.Validate(); err != nil {
		return err
	}
	h.kind, h.end = s.Kind, -1
	h.seen, h.mark = math.MinInt64, math.MinInt64
	if o := h.opts; o != nil {
		if err := o.validate(s); err != nil {
			return err
		}
		h.late = int64(o.Lateness)
		if o.Strict {
			h.inc = 1
		}
		if o.MaxFuture > 0 || o.MaxRows > 0 || o.Emit != OnClose || o.timed() || o.Shared {
			h.flags |= everySlow
		}
		h.initEvaluation()
	}
	return h.initKind(s)
}

func (h *Handler[T]) initKind(s Spec) error {
	switch h.kind {
	case Size:
		h.next = h.spec.rows()
	case Time, Calendar:
		g := h.grid // of the keyed face, made once for all keys
		if g == nil {
			var err error
			if g, err = NewGrid(s, 0); err != nil {
				return err
			}
		}
		if n := g.overlap(); n > maxOverlap {
			return bad("slidingStep", s.Step, fmt.Sprintf("puts a row into %d windows; %d are possible", n, maxOverlap))
		}
		h.grid = g
		if h.spec.Anchor != FirstPoint || h.spec.HasBegin {
			h.flags |= anchored
		}
	case Session:
		h.gap1 = satAdd(h.spec.gap(), 1)
	case State:
		if o := h.option(); o.Same == nil {
			if o.Same = sameFunc[T](s.Delta); o.Same == nil {
				return bad("value type", fmt.Sprintf("%T", *new(T)), "needs Options.Same")
			}
			h.opts = &o
		}
	case Condition:
		if o := h.option(); o.Holds == nil {
			if o.Holds = holdsFunc[T](); o.Holds == nil {
				return bad("value type", fmt.Sprintf("%T", *new(T)), "needs Options.Holds")
			}
			h.opts = &o
		}
	}
	return nil
}

func (h *Handler[T]) option() Options[T] {
	if h.opts == nil {
		return Options[T]{}
	}
	return *h.opts
}

func (h *Handler[T]) initEvaluation() {
	o := h.opts
	if o.Pool != nil {
		h.lane = newLane[view[T]](o.Pool, o.Rejection)
		h.lane.fill = func(dst, src *view[T]) { src.copyTo(dst) }
		h.lane.run = func(w *view[T]) error {
			err := h.call(w)
			if err != nil {
				h.failed.Add(1)
			}
			return err
		}
		h.lane.failed = h.asyncFailed
	}
	if o.Emit != OnClose {
		h.revs = &revisions{mode: o.Emit, delay: o.EmitDelay, open: map[int64]*revision{}}
	}
	if o.timed() || o.Shared {
		h.gate = newGate[view[T]](clockOr(o.Clock), min(o.IdleAfter, never))
		h.gate.lane.fill = func(dst, src *view[T]) { src.copyTo(dst) }
		h.gate.lane.run = h.deliver
		h.gate.lane.before(h.lane)
	}
}

// Collect takes one row. The outcome says whether it was accepted; the error is
// that of an evaluation it caused. Whatever the error, the row has been dealt
// with and the next call works. The usual call allocates nothing.
func (h *Handler[T]) Collect(ts int64, v T) (Outcome, error) {
	if ts >= h.min && ts < h.edge && h.room > 0 {
		h.room--
		h.rows.ts = append(h.rows.ts, ts)
		h.rows.vals = append(h.rows.vals, v)
		h.min = ts + h.inc
		if h.gap1 > 0 {
			h.edge = min(satAdd(ts, h.gap1), h.end1())
		}
		return Accepted, nil
	}
	if ts >= h.min && ts < h.edge && h.lean {
		return Accepted, h.fill(ts, v)
	}
	return h.collectSlow(ts, v)
}

// end1 is the first time at which an open session ends whatever comes.
func (h *Handler[T]) end1() int64 {
	e := int64(math.MaxInt64)
	if h.spec.maxSpan() > 0 {
		e = satAdd(satAdd(h.begin, h.spec.maxSpan()), 1)
	}
	if h.spec.HasEnd {
		e = min(e, h.spec.End)
	}
	return e
}

func (h *Handler[T]) collectSlow(ts int64, v T) (out Outcome, err error) {
	if h.gate != nil {
		out, err = h.collectShared(ts, v)
	} else {
		out, err = h.take(ts, v)
	}
	if out == Late && h.opts != nil && h.opts.OnLate != nil {
		err = join(err, h.tellLate(ts, v))
	}
	return out, err
}

func (h *Handler[T]) tellLate(ts int64, v T) error {
	if h.gate == nil {
		h.busy = true
		defer func() { h.busy = false }()
		defer h.blockFast()()
	}
	return protect(func() error { h.opts.OnLate(ts, v); return nil })
}

// blockFast makes re-entrant calls take the slow path, which refuses them.
func (h *Handler[T]) blockFast() (unblock func()) {
	room, lean := h.room, h.lean
	h.room, h.lean = 0, false
	return func() { h.room, h.lean = room, lean }
}

// take is Collect without the fast path and without the late handler.
func (h *Handler[T]) take(ts int64, v T) (Outcome, error) {
	if err := h.enter("collect"); err != nil {
		return Refused, err
	}
	if out := h.admit(ts); out != Accepted {
		err := h.count(out, ts)
		h.rearm()
		return out, err
	}
	h.keep(ts, v)
	err := h.settle(Closed)
	if h.revs != nil {
		err = join(err, h.touch(ts))
	}
	h.rearm()
	return Accepted, err
}

// enter begins a call that changes the state.
func (h *Handler[T]) enter(op string) error {
	switch {
	case h.busy:
		return wrap(op, ErrReentrant)
	case h.done:
		return wrap(op, ErrClosed)
	}
	h.room, h.lean = 0, false
	h.catchUp()
	return nil
}

func wrap(op string, err error) error { return fmt.Errorf("window: %s: %w", op, err) }

// catchUp tells the rest of the state what the fast path has kept.
func (h *Handler[T]) catchUp() {
	n := len(h.rows.ts)
	if h.kind == Size && h.late == 0 {
		h.settled = h.rows.total()
	}
	if n <= h.rows.head {
		return
	}
	newest := h.rows.ts[n-1]
	if newest > h.seen {
		h.seen = newest
		h.raise(satSub(newest, h.late))
	}
	if h.kind == Session && h.late == 0 && h.end >= 0 {
		h.settled = h.rows.base + int64(n)
	}
}

// raise moves the watermark, never backwards. The last instant of int64 stays
// out of reach: windows that end there never end.
func (h *Handler[T]) raise(mark int64) {
	h.mark = max(h.mark, min(mark, math.MaxInt64-1))
	h.flags |= marked
}

func (h *Handler[T]) is(f uint8) bool { return h.flags&f != 0 }

// keep stores an accepted row and moves the watermark.
func (h *Handler[T]) keep(ts int64, v T) {
	if h.kind == Time || h.kind == Calendar {
		h.openGrid(ts)
	}
	h.rows.insert(ts, v, h.capacity(), h.kind == Size && h.late == 0)
	h.seen = max(h.seen, ts)
	h.flags |= begun
	h.raise(satSub(ts, h.late))
}

// capacity is what the first rows are given room for.
func (h *Handler[T]) capacity() int {
	if h.kind != Size || h.spec.rows() > 1<<16 {
		return 16
	}
	switch n := int(h.spec.rows()); {
	case h.spec.stride() >= int64(n):
		return n
	case n < 8:
		return n + 1
	default:
		return 4 * n
	}
}

// rearm sets the bounds of the fast path.
func (h *Handler[T]) rearm() {
	h.room, h.lean = 0, false
	if h.is(everySlow) || h.done || !h.is(begun) {
		return
	}
	h.min = satAdd(h.seen, h.inc)
	free := cap(h.rows.ts) - len(h.rows.ts)
	switch h.kind {
	case Size:
		if h.late > 0 {
			return
		}
		h.min, h.edge = max(h.min, h.mark), math.MaxInt64
		if h.spec.HasEnd {
			h.edge = h.spec.End
		}
		h.room = h.sizeRoom(h.rows.total())
		h.lean = h.spec.stride() <= h.spec.rows() // else rows between windows are to be dropped
	case Time, Calendar:
		h.min, h.edge = max(h.min, h.begin), satAdd(h.end, h.late)
		if h.spec.HasEnd {
			h.edge = min(h.edge, h.spec.End)
		}
		h.room = free
	case Session:
		if h.late > 0 || h.end < 0 {
			return
		}
		h.min, h.edge = max(h.min, h.mark), min(satAdd(h.seen, h.gap1), h.end1())
		h.room = free
	}
	if h.seen == math.MaxInt64 {
		h.room, h.lean = 0, false
	}
}

// CollectBatch takes rows in order and returns how many were accepted, with the
// errors of the evaluations. Both slices have the same length.
func (h *Handler[T]) CollectBatch(ts []int64, vals []T) (accepted int, err error) {
	if len(ts) != len(vals) {
		return 0, bad("batch", len(vals), fmt.Sprintf("should have one value for each of %d times", len(ts)))
	}
	for i, t := range ts {
		out, e := h.Collect(t, vals[i])
		if out == Accepted {
			accepted++
		}
		err = join(err, e)
	}
	return accepted, err
}

// Advance raises the watermark: no row before it is expected any more. Windows
// that end at or before it close.
func (h *Handler[T]) Advance(watermark int64) error {
	return h.locked(func() error {
		if err := h.enter("advance"); err != nil {
			return err
		}
		h.raise(watermark)
		err := h.settle(Closed)
		h.rearm()
		return err
	})
}

// Flush gives every open window as it is, and waits until all windows have been
// evaluated or ctx is done. Rows of the windows given are late from then on.
func (h *Handler[T]) Flush(ctx context.Context) error {
	err := h.locked(func() error {
		if err := h.enter("flush"); err != nil {
			return err
		}
		err := h.flush(Flushed)
		h.rearm()
		return err
	})
	return join(err, h.Wait(ctx))
}

// Wait returns when no window waits for evaluation, or when ctx is done.
func (h *Handler[T]) Wait(ctx context.Context) error {
	if h.gate != nil {
		if err := h.gate.lane.wait(ctx); err != nil {
			return err
		}
	}
	if h.lane != nil {
		return h.lane.wait(ctx)
	}
	return nil
}

// Close ends the handler after the windows that wait have been evaluated. Open
// windows are not given: call Flush before for that. Later calls return
// ErrClosed. It must not be called from an evaluator of a pool, a timer or a
// shared handler.
func (h *Handler[T]) Close() error {
	if h.busy {
		return wrap("close", ErrReentrant)
	}
	if g := h.gate; g != nil {
		g.mu.Lock()
		h.done, h.room, h.lean = true, 0, false
		g.stop()
		g.mu.Unlock()
		_ = g.lane.drain() // Wait tells of errors
	} else {
		h.done, h.room, h.lean = true, 0, false
	}
	return h.Wait(context.Background())
}

// Stats returns the counts so far.
func (h *Handler[T]) Stats() Stats {
	if h.gate != nil {
		h.gate.mu.Lock()
		defer h.gate.mu.Unlock()
	}
	var s Stats
	if h.cold != nil {
		s = *h.cold
	}
	s.Accepted += uint64(h.rows.total())
	s.Windows += h.windows
	s.Failed += h.failed.Load()
	if h.lane != nil {
		s.Dropped += h.lane.dropped.Load()
	}
	s.Bytes = h.rows.bytes()
	return s
}

// Spec returns what the handler was made with.
func (h *Handler[T]) Spec() Spec { return h.spec.spec() }
