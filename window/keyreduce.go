package window

import (
	"context"
	"math"
	"time"
)

// KeyedReducing folds the rows of many keys, each key by itself. A key without
// open windows costs little more than its entry in a map. Its methods are for
// one goroutine at a time unless Options say otherwise.
type KeyedReducing[K comparable, T, A, R any] struct {
	p      *reduction[T, A, R]
	b      *book[K, cell[T, A]]
	out    *outlet[KeyResult[K, R]]
	free   []*cell[T, A]
	simple bool // a row of an open window concerns no other key
}

// KeyResult is the result of one window of one key.
type KeyResult[K comparable, R any] struct {
	Key K // whose rows these are
	Result[R]
}

// ReduceKeyed makes a KeyedReducing that gives each result with its key.
func ReduceKeyed[K comparable, T, A, R any](s Spec, red Reducer[T, A, R], eval func(KeyResult[K, R]) error, opts *Options[T], ko KeyOptions) (*KeyedReducing[K, T, A, R], error) {
	if err := ko.validate(); err != nil {
		return nil, err
	}
	if eval == nil {
		return nil, noFunction()
	}
	p, err := newReduction(s, red, opts)
	if err != nil {
		return nil, err
	}
	h := &KeyedReducing[K, T, A, R]{p: p}
	h.b = newBook(ko, p.late, states[K, cell[T, A]](cellStates[K, T, A, R]{h}))
	h.simple = !h.b.keys.lru && !ko.SharedTime
	if ko.SharedTime && p.grid == nil {
		p.slow = true // rows in order for their key may still be late for all
	}
	h.out = newOutlet(&p.opts, &p.busy, eval)
	p.send = func(c *cell[T, A], r Result[R]) error {
		return h.out.send(KeyResult[K, R]{h.b.keys.at(c.key).key, r})
	}
	return h, nil
}

// Collect takes one row of a key.
func (h *KeyedReducing[K, T, A, R]) Collect(key K, ts int64, v T) (Outcome, error) {
	if h.out.gate == nil {
		if e := h.b.keys.find(key); e != nil {
			return h.collect(e, ts, v)
		}
	}
	return h.collectKey(key, ts, v)
}

// collect takes a row of a known key.
func (h *KeyedReducing[K, T, A, R]) collect(e *entry[K, cell[T, A]], ts int64, v T) (Outcome, error) {
	if c := e.state; c != nil && ts >= c.min && ts < c.edge && c.room > 0 && !h.p.busy && (h.p.grid != nil || ts >= h.b.mark) {
		if h.p.same == nil || h.p.stays(c, v) {
			out, err := h.p.quick(c, ts, v)
			if !h.simple {
				err = join(err, h.noteRow(e, ts))
			}
			return out, err
		}
	}
	return h.collectSlow(e, ts, v)
}

// noteRow is book.after for a row that changed no memory.
func (h *KeyedReducing[K, T, A, R]) noteRow(e *entry[K, cell[T, A]], ts int64) error {
	e.newest = max(e.newest, ts)
	h.b.keys.touch(e)
	if ts <= h.b.keys.newest {
		return nil
	}
	h.b.keys.newest = ts
	if h.b.keys.opts.SharedTime {
		if mark := satSub(ts, h.b.late); len(h.b.due) > 0 && h.b.due[0].at <= mark {
			return join(h.b.advance(mark), h.b.sweep())
		} else if mark > h.b.mark {
			h.b.mark = mark
		}
	}
	return h.b.sweep()
}

func (h *KeyedReducing[K, T, A, R]) collectKey(key K, ts int64, v T) (out Outcome, err error) {
	if !h.out.room() {
		return Refused, wrap("collect", ErrRejected)
	}
	h.out.enter()
	out, err = Refused, h.p.usable("collect")
	if err == nil {
		var e *entry[K, cell[T, A]]
		if e, err = h.b.find(key); e != nil {
			var err2 error
			out, err2 = h.take(e, ts, v)
			err = join(err, err2)
		}
	}
	err = h.out.leave(err)
	if out == Late {
		err = join(err, h.p.tellLate(ts, v, h.out.gate == nil))
	}
	return out, err
}

func (h *KeyedReducing[K, T, A, R]) collectSlow(e *entry[K, cell[T, A]], ts int64, v T) (Outcome, error) {
	if err := h.p.usable("collect"); err != nil {
		return Refused, err
	}
	out, err := h.take(e, ts, v)
	if out == Late {
		err = join(err, h.p.tellLate(ts, v, true))
	}
	return out, err
}

func (h *KeyedReducing[K, T, A, R]) take(e *entry[K, cell[T, A]], ts int64, v T) (Outcome, error) {
	if e.state == nil && h.p.inc == 1 && ts <= e.newest && e.newest > math.MinInt64 {
		h.p.stats.NotNewer++
		return NotNewer, nil
	}
	c, err := h.b.state(e)
	if c == nil {
		return Refused, err
	}
	c.key = e.id
	if h.b.mark > c.mark {
		c.raise(h.b.mark)
	}
	before := h.p.bytes(c)
	out, err2 := h.p.take(c, ts, v)
	err = join(err, err2)
	if out == Accepted {
		if g := h.out.gate; g != nil {
			c.arrived = g.clk.Mono()
		}
		err = join(err, h.b.after(e, ts, before))
		if g := h.out.gate; g != nil && e.state == c {
			if due, ok := h.p.nextTick(c, c.arrived); ok {
				g.arm(due, h.tick)
			}
		}
	} else if e.state == c && !c.is(begun) {
		h.b.forget(e) // the row opened nothing; what was kept of the key stays
	}
	return out, err
}

// Slot finds a key once for many rows.
func (h *KeyedReducing[K, T, A, R]) Slot(key K) *Slot[K, T, A, R] {
	return &Slot[K, T, A, R]{h: h, key: key, e: &entry[K, cell[T, A]]{}, turn: 1}
}

// Slot is a key of a KeyedReducing. It stays valid when the key is forgotten:
// the next row makes it known again.
type Slot[K comparable, T, A, R any] struct {
	h    *KeyedReducing[K, T, A, R]
	e    *entry[K, cell[T, A]]
	turn uint32
	key  K
}

// Collect takes one row of the slot's key.
func (s *Slot[K, T, A, R]) Collect(ts int64, v T) (Outcome, error) {
	h := s.h
	if h.out.gate == nil && s.e.turn == s.turn {
		return h.collect(s.e, ts, v)
	}
	out, err := h.collectKey(s.key, ts, v)
	if h.out.gate == nil {
		if e := h.b.keys.find(s.key); e != nil {
			s.e, s.turn = e, e.turn
		}
	}
	return out, err
}

func (h *KeyedReducing[K, T, A, R]) change(op string, f func() error) error {
	h.out.enter()
	err := h.p.usable(op)
	if err == nil {
		err = f()
		h.arm()
	}
	return h.out.leave(err)
}

// Advance raises the watermark of all keys, also of those still to come.
func (h *KeyedReducing[K, T, A, R]) Advance(watermark int64) error {
	return h.change("advance", func() error { return h.b.advance(watermark) })
}

// Flush gives every open window of every key, in the order the keys came, and
// waits for the evaluations.
func (h *KeyedReducing[K, T, A, R]) Flush(ctx context.Context) error {
	err := h.change("flush", func() error { return h.b.closeAll(Flushed) })
	return join(err, h.out.wait(ctx))
}

// Wait returns when no result waits for evaluation, or when ctx is done.
func (h *KeyedReducing[K, T, A, R]) Wait(ctx context.Context) error { return h.out.wait(ctx) }

// Close ends the reduction; see [Handler.Close].
func (h *KeyedReducing[K, T, A, R]) Close() error {
	return h.p.close(h.shut, h.out.gate == nil, h.out.enter, h.out.stopTimer, h.out.leave, h.out.wait)
}

// shut closes the fast path of all keys.
func (h *KeyedReducing[K, T, A, R]) shut() {
	h.b.keys.all(func(e *entry[K, cell[T, A]]) bool {
		if e.state != nil {
			h.p.shut(e.state)
		}
		return true
	})
}

// Stats returns the counts so far.
func (h *KeyedReducing[K, T, A, R]) Stats() KeyStats {
	h.out.enter()
	s := KeyStats{Stats: *h.p.stats, Keys: h.b.keys.index.n, Open: h.b.open, Evicted: h.b.keys.evicted}
	s.Refused += h.b.keys.refused
	s.Bytes = int(h.b.keys.bytes)
	h.b.keys.all(func(e *entry[K, cell[T, A]]) bool {
		if e.state != nil {
			h.p.catchUp(e.state)
			s.Accepted += uint64(e.state.total())
		}
		return true
	})
	if h.out.gate != nil {
		h.out.gate.mu.Unlock()
	}
	s.Failed += h.out.failed.Load()
	s.Dropped = h.out.dropped()
	return s
}

// arm sets the timer for the first key for which the clock matters.
func (h *KeyedReducing[K, T, A, R]) arm() {
	g := h.out.gate
	if g == nil || h.p.done || g.cancel != nil {
		return // a timer that fires too early finds out by itself
	}
	due, any := time.Duration(math.MaxInt64), false
	h.b.keys.all(func(e *entry[K, cell[T, A]]) bool {
		if e.state != nil {
			if d, ok := h.p.nextTick(e.state, e.state.arrived); ok && d < due {
				due, any = d, true
			}
		}
		return true
	})
	if any {
		g.arm(max(due, g.clk.Mono()+h.grain()), h.tick)
	}
}

// grain is the shortest time between two looks at all keys.
func (h *KeyedReducing[K, T, A, R]) grain() time.Duration {
	d := h.p.opts.IdleAfter
	if e := h.p.opts.EmitDelay; e > 0 && (d == 0 || e < d) {
		d = e
	}
	return d / 16
}

func (h *KeyedReducing[K, T, A, R]) tick(turn uint64) {
	g := h.out.gate
	g.mu.Lock()
	if turn != g.turn || h.p.done {
		g.mu.Unlock()
		return
	}
	g.cancel = nil
	now := g.clk.Mono()
	var err error
	h.b.keys.all(func(e *entry[K, cell[T, A]]) bool {
		if c := e.state; c != nil {
			err = join(err, h.p.ticked(c, now, c.arrived))
			h.p.rearm(c)
			h.b.settleEntry(e)
		}
		return true
	})
	h.arm()
	g.mu.Unlock()
	if err = join(err, g.lane.drain()); err != nil {
		h.out.tell(err)
	}
}

// cellStates tells the book about cells.
type cellStates[K comparable, T, A, R any] struct {
	h *KeyedReducing[K, T, A, R]
}

func (s cellStates[K, T, A, R]) create(e *entry[K, cell[T, A]]) (*cell[T, A], error) {
	h := s.h
	var c *cell[T, A]
	if n := len(h.free); n > 0 {
		c, h.free = h.free[n-1], h.free[:n-1]
		h.p.reset(c)
	} else {
		c = h.p.newCell()
	}
	c.key = e.id
	if e.newest > math.MinInt64 { // known before: nothing before it is open
		c.raise(e.newest)
	}
	return c, nil
}

func (s cellStates[K, T, A, R]) close(c *cell[T, A], why Reason, drop bool) error {
	if drop {
		return nil
	}
	s.h.p.catchUp(c)
	err := s.h.p.flush(c, why)
	s.h.p.rearm(c)
	return err
}

func (s cellStates[K, T, A, R]) raise(c *cell[T, A], mark int64) error {
	s.h.p.catchUp(c)
	c.raise(mark)
	err := s.h.p.settle(c, Closed)
	s.h.p.rearm(c)
	return err
}

func (s cellStates[K, T, A, R]) due(c *cell[T, A]) int64 {
	p := s.h.p
	if !c.is(begun) {
		return math.MaxInt64
	}
	if c.held != nil && c.held.live() > 0 {
		return c.held.ts[c.held.head]
	}
	switch p.spec.Kind {
	case Time, Calendar:
		if _, ok := p.filled(c); !ok && !p.opts.Empty {
			return math.MaxInt64
		}
		return c.end
	case Session:
		if c.is(isOpen) {
			return min(satAdd(max(c.seen, c.begin), p.gap1), p.spanEnd(c))
		}
	}
	return math.MaxInt64
}

func (s cellStates[K, T, A, R]) noted(c *cell[T, A]) *int64 { return &c.noted }

// idle reports whether nothing of c but its watermark matters any more.
func (s cellStates[K, T, A, R]) idle(c *cell[T, A]) (newest int64, ok bool) {
	p := s.h.p
	p.catchUp(c)
	switch {
	case p.opts.Empty || p.spec.Kind == Size || c.held != nil && c.held.live() > 0 || c.is(isOpen):
		return 0, false
	case p.grid != nil && c.grid != p.grid: // its grid began with its first row
		return 0, false
	case p.grid != nil:
		if _, ok := p.filled(c); ok {
			return 0, false
		}
	}
	if p.inc == 1 {
		if p.opts.IdleAfter > 0 {
			return 0, false // both the newest time and the watermark matter
		}
		return c.seen, c.is(begun)
	}
	return c.mark, true
}

func (s cellStates[K, T, A, R]) release(c *cell[T, A]) {
	h := s.h
	h.p.shut(c)
	h.p.stats.Accepted += uint64(c.total())
	if len(h.free) < 1024 {
		h.free = append(h.free, c)
	}
}

func (s cellStates[K, T, A, R]) bytes(c *cell[T, A]) int64 { return s.h.p.bytes(c) }
