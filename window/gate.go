package window

import (
	"context"
	"sync"
	"time"
)

// gate makes a handler safe for the goroutine of a timer beside its caller's.
// The lock is held for bookkeeping only: windows are copied into lane and
// evaluated after it is given back, by whoever is first.
type gate[E any] struct {
	mu   sync.Mutex
	lane *lane[E]

	clk     Clock
	idle    time.Duration // 0: no idle timeout
	arrived time.Duration // when the last row came
	due     time.Duration // when the timer fires
	cancel  func() bool   // nil: no timer runs
	turn    uint64        // tells a timer that it has been replaced
}

// never is an idle timeout that can be added to any time since the start.
const never = time.Duration(1 << 61)

func newGate[E any](clk Clock, idle time.Duration) *gate[E] {
	return &gate[E]{clk: clk, idle: idle, lane: newLane[E](nil, RejectWait)}
}

// lockIdle takes the lock when all windows given have been evaluated, by pool
// too if there is one. Waiting and then locking is not enough: another goroutine
// may close a window in between.
func (g *gate[E]) lockIdle(pool *lane[E]) {
	for {
		_ = g.lane.wait(context.Background())
		if pool != nil {
			_ = pool.wait(context.Background())
		}
		g.mu.Lock()
		// Only under the lock does the gate's lane fill, and only from there the pool's.
		if !g.lane.busy() && (pool == nil || !pool.busy()) {
			return
		}
		g.mu.Unlock()
	}
}

// arm makes f run at due unless it runs before anyway.
func (g *gate[E]) arm(due time.Duration, f func(turn uint64)) {
	if g.cancel != nil && g.due <= due {
		return
	}
	g.stop()
	turn := g.turn
	g.due = due
	g.cancel = g.clk.AfterFunc(max(due-g.clk.Mono(), 0), func() { f(turn) })
}

func (g *gate[E]) stop() {
	if g.cancel != nil {
		g.cancel()
		g.cancel = nil
	}
	g.turn++
}

// collectShared is take under the gate.
func (h *Handler[T]) collectShared(ts int64, v T) (Outcome, error) {
	g := h.gate
	if !g.lane.room() {
		return Refused, wrap("collect", ErrRejected)
	}
	g.mu.Lock()
	out, err := h.take(ts, v)
	if out == Accepted {
		g.arrived = g.clk.Mono()
	}
	h.arm()
	g.mu.Unlock()
	return out, join(err, g.lane.drain())
}

// locked runs f under the gate if there is one, and then what it queued.
func (h *Handler[T]) locked(f func() error) error {
	g := h.gate
	if g == nil {
		return f()
	}
	g.mu.Lock()
	err := f()
	h.arm()
	g.mu.Unlock()
	return join(err, g.lane.drain())
}

// arm sets the timer for what comes first: idleness, or an early emission.
func (h *Handler[T]) arm() {
	if h.done {
		return
	}
	if due, ok := h.idleDue(); ok {
		h.gate.arm(due, h.tick)
	}
	if h.revs != nil {
		if due, ok := h.revs.nextDue(); ok {
			h.gate.arm(due, h.tick)
		}
	}
}

// idleDue is when the first open window closes if no more rows come.
func (h *Handler[T]) idleDue() (time.Duration, bool) {
	if h.gate.idle == 0 || !h.is(begun) {
		return 0, false
	}
	end := h.end
	switch {
	case h.kind == Session && h.rows.live() == 0:
		return 0, false
	case h.kind == Session:
		end = satAdd(h.rows.ts[len(h.rows.ts)-1], h.gap1)
		if h.spec.maxSpan() > 0 && h.end >= 0 {
			end = min(end, satAdd(satAdd(h.begin, h.spec.maxSpan()), 1))
		}
	case h.rows.live() == 0 && (!h.opts.Empty || h.emptyRun >= h.opts.emptyCap()):
		return 0, false
	}
	wait := satAdd(satSub(end, h.seen), h.late)
	return h.gate.arrived + max(h.gate.idle, min(time.Duration(wait), never)), true
}

// tick is the timer.
func (h *Handler[T]) tick(turn uint64) {
	g := h.gate
	g.mu.Lock()
	if turn != g.turn || h.done {
		g.mu.Unlock()
		return
	}
	g.cancel = nil
	h.catchUp()
	now := g.clk.Mono()
	var err error
	if silent := now - g.arrived; g.idle > 0 && h.is(begun) && silent >= g.idle {
		h.raise(satSub(satAdd(h.seen, int64(silent)), h.late))
		err = h.settle(Idle)
	}
	if h.revs != nil {
		err = join(err, h.reviseDue(now))
	}
	h.arm()
	g.mu.Unlock()
	if err = join(err, g.lane.drain()); err != nil {
		h.asyncFailed(err)
	}
}
