package window

import (
	"context"
	"math"
)

// KeyedHandler cuts the rows of many keys, each key by itself, and gives every
// window with its key. Its methods are for one goroutine at a time.
type KeyedHandler[K comparable, T any] struct {
	spec Spec
	opts *Options[T]
	eval func(K, Window[T]) error
	grid *Grid
	b    *book[K, rowState[T]]
	gone Stats // of keys that were forgotten
	busy bool
	done bool
}

// Keyed makes a handler for many keys. Options apply to each key; what Flush,
// Advance and Close do, they do to all.
func Keyed[K comparable, T any](s Spec, eval func(K, Window[T]) error, opts *Options[T], ko KeyOptions) (*KeyedHandler[K, T], error) {
	if err := ko.validate(); err != nil {
		return nil, err
	}
	if eval == nil {
		return nil, noFunction()
	}
	if opts != nil && opts.Shared {
		return nil, bad("shared", true, "is not possible with keys")
	}
	proto, err := New(s, func(Window[T]) error { return nil }, opts)
	if err != nil {
		return nil, err
	}
	h := &KeyedHandler[K, T]{spec: s, opts: proto.opts, eval: eval, grid: proto.grid}
	h.b = newBook(ko, proto.late, states[K, rowState[T]](rowStates[K, T]{h}))
	return h, nil
}

// Collect takes one row of a key.
func (h *KeyedHandler[K, T]) Collect(key K, ts int64, v T) (Outcome, error) {
	if err := h.usable("collect"); err != nil {
		return Refused, err
	}
	e, err := h.b.find(key)
	if e == nil {
		return Refused, err
	}
	out, err2 := h.collect(e, ts, v)
	return out, join(err, err2)
}

func (h *KeyedHandler[K, T]) usable(op string) error {
	switch {
	case h.busy:
		return wrap(op, ErrReentrant)
	case h.done:
		return wrap(op, ErrClosed)
	}
	return nil
}

func (h *KeyedHandler[K, T]) collect(e *entry[K, rowState[T]], ts int64, v T) (Outcome, error) {
	s, err := h.b.state(e)
	if s == nil {
		return Refused, err
	}
	before := h.b.do.bytes(s)
	err = join(err, s.raiseTo(h.b.mark))
	out, err2 := s.Collect(ts, v)
	err = join(err, err2)
	if out == Accepted {
		err = join(err, h.b.after(e, ts, before))
	}
	return out, err
}

// raiseTo is Advance where the watermark may be known already.
func (h *Handler[T]) raiseTo(mark int64) error {
	if h.gate == nil && h.mark >= mark {
		return nil
	}
	return h.Advance(mark)
}

// Slot finds a key once for many rows.
func (h *KeyedHandler[K, T]) Slot(key K) *RowSlot[K, T] { return &RowSlot[K, T]{h: h, key: key} }

// RowSlot is a key of a KeyedHandler. It stays valid when the key is forgotten:
// the next row makes it known again.
type RowSlot[K comparable, T any] struct {
	h    *KeyedHandler[K, T]
	e    *entry[K, rowState[T]]
	turn uint32
	key  K
}

// Collect takes one row of the slot's key.
func (s *RowSlot[K, T]) Collect(ts int64, v T) (Outcome, error) {
	if err := s.h.usable("collect"); err != nil {
		return Refused, err
	}
	var err error
	if s.e == nil || s.e.turn != s.turn {
		if s.e, err = s.h.b.find(s.key); s.e == nil {
			return Refused, err
		}
		s.turn = s.e.turn
	}
	out, err2 := s.h.collect(s.e, ts, v)
	return out, join(err, err2)
}

// Advance raises the watermark of all keys, also of those still to come.
func (h *KeyedHandler[K, T]) Advance(watermark int64) error {
	if err := h.usable("advance"); err != nil {
		return err
	}
	return h.b.advance(watermark)
}

// Flush gives every open window of every key, in the order the keys came, and
// waits for the evaluations.
func (h *KeyedHandler[K, T]) Flush(ctx context.Context) error {
	if err := h.usable("flush"); err != nil {
		return err
	}
	return join(h.b.closeAll(Flushed), h.Wait(ctx))
}

// Wait returns when no window waits for evaluation, or when ctx is done.
func (h *KeyedHandler[K, T]) Wait(ctx context.Context) (err error) {
	h.b.keys.all(func(e *entry[K, rowState[T]]) bool {
		if e.state != nil {
			err = join(err, e.state.Wait(ctx))
		}
		return true
	})
	return err
}

// Close ends the handler after the windows that wait have been evaluated.
func (h *KeyedHandler[K, T]) Close() (err error) {
	if h.busy {
		return wrap("close", ErrReentrant)
	}
	h.done = true
	h.b.keys.all(func(e *entry[K, rowState[T]]) bool {
		if e.state != nil {
			err = join(err, e.state.Close())
		}
		return true
	})
	return err
}

// Stats returns the counts so far.
func (h *KeyedHandler[K, T]) Stats() KeyStats {
	s := KeyStats{Stats: h.gone, Keys: h.b.keys.index.n, Open: h.b.open, Evicted: h.b.keys.evicted}
	s.Refused += h.b.keys.refused
	h.b.keys.all(func(e *entry[K, rowState[T]]) bool {
		if e.state != nil {
			s.Stats.plus(e.state.Stats())
		}
		return true
	})
	return s
}

func (s *Stats) plus(o Stats) {
	s.Accepted += o.Accepted
	s.Late += o.Late
	s.NotNewer += o.NotNewer
	s.Future += o.Future
	s.Refused += o.Refused
	s.Windows += o.Windows
	s.Empty += o.Empty
	s.Skipped += o.Skipped
	s.Dropped += o.Dropped
	s.Failed += o.Failed
	s.Bytes += o.Bytes
}

// rowState is the handler of a key.
type rowState[T any] struct {
	Handler[T]
	noted int64 // the watermark that is known to close something
}

// rowStates tells the book about handlers. They are kept as long as the key: a
// row's order, its grid and its counts outlive the open windows.
type rowStates[K comparable, T any] struct{ h *KeyedHandler[K, T] }

func (r rowStates[K, T]) create(e *entry[K, rowState[T]]) (*rowState[T], error) {
	key, k := e.key, r.h
	s := &rowState[T]{noted: math.MaxInt64}
	s.spec, s.opts, s.grid = compacted(k.spec), k.opts, k.grid
	if err := s.init(k.spec); err != nil {
		return nil, err
	}
	s.eval = func(w Window[T]) error { return k.eval(key, w) }
	if s.gate == nil && s.lane == nil { // in the caller's goroutine
		s.eval = func(w Window[T]) error {
			k.busy = true
			defer func() { k.busy = false }()
			return k.eval(key, w)
		}
	}
	if k.b.mark > math.MinInt64 {
		s.raise(k.b.mark)
	}
	return s, nil
}

func (r rowStates[K, T]) close(s *rowState[T], why Reason, drop bool) (err error) {
	if !drop {
		err = s.locked(func() error {
			if err := s.enter("flush"); err != nil {
				return err
			}
			err := s.flush(why)
			s.rearm()
			return err
		})
	}
	if why == Evicted {
		err = join(err, s.Close())
	}
	return err
}

func (r rowStates[K, T]) raise(s *rowState[T], mark int64) error {
	return s.Advance(mark)
}

func (r rowStates[K, T]) due(s *rowState[T]) int64 {
	if s.gate != nil { // beside a timer
		s.gate.mu.Lock()
		defer s.gate.mu.Unlock()
	}
	if !s.is(begun) || s.rows.live() == 0 && (s.opts == nil || !s.opts.Empty) {
		return math.MaxInt64
	}
	switch s.kind {
	case Time, Calendar:
		return s.end
	case Session:
		row := s.rows.head // the first may end the session before the others are settled
		if s.late == 0 {
			row = len(s.rows.ts) - 1
		}
		return min(satAdd(s.rows.ts[row], s.gap1), s.end1())
	}
	if s.late > 0 {
		return s.rows.ts[s.rows.head]
	}
	return math.MaxInt64
}

func (r rowStates[K, T]) noted(s *rowState[T]) *int64 { return &s.noted }

func (r rowStates[K, T]) idle(*rowState[T]) (int64, bool) { return 0, false }

func (r rowStates[K, T]) release(s *rowState[T]) { r.h.gone.plus(s.Stats()) }

func (r rowStates[K, T]) bytes(s *rowState[T]) int64 {
	if s.gate != nil {
		s.gate.mu.Lock()
		defer s.gate.mu.Unlock()
	}
	return int64(s.rows.bytes())
}
