package deliver

import (
	"context"
	"fmt"
)

// Pos is the place of an event in the log: the record's number and the
// event's ordinal inside the record.
type Pos struct {
	LSN uint64
	Ord uint32
}

// Less reports whether p comes before q.
func (p Pos) Less(q Pos) bool {
	return p.LSN < q.LSN || p.LSN == q.LSN && p.Ord < q.Ord
}

// String returns "lsn.ord".
func (p Pos) String() string { return fmt.Sprintf("%d.%d", p.LSN, p.Ord) }

// Item is one event with its place in the queue.
type Item[E any] struct {
	Pos   Pos
	Time  int64 // when the event was queued, Unix nanoseconds of the wall clock; 0 = unknown
	Size  int   // bytes it takes, about; counts where Config.Size is nil
	Event E
	Lost  error // the queue had it and cannot read it any more: there is no Event
}

// FullQueue is the reason of items that a full queue has dropped, Damaged of
// those that it could not read any more.
const (
	FullQueue = "outbox full"
	Damaged   = "damaged"
)

// Source is the durable queue of one sink. A pipeline calls Next and Ack from
// one goroutine; Notify's channel may be signalled from any.
type Source[E any] interface {
	// Next returns at most max durable items after the position, in order.
	// None means: wait for Notify.
	Next(ctx context.Context, after Pos, max int) ([]Item[E], error)
	// Notify returns a channel that receives (or is closed) after items were
	// added; a buffer of one is enough, spurious signals are harmless.
	Notify() <-chan struct{}
	// Ack says that everything up to and including the position is settled:
	// delivered, set aside or dropped. It may be called again with the same
	// position, never with a smaller one.
	Ack(ctx context.Context, upTo Pos) error
	// Backlog returns how many items are not acknowledged.
	Backlog() int64
	// Floor returns the position up to which the queue has dropped items because
	// it was full, or the zero position. Those that Next had returned before are
	// dropped by the pipeline, and counted there under FullQueue.
	Floor() Pos
	// Dropped returns, by reason, how many items the queue itself gave up
	// (its bytes or age limit); nil when none.
	Dropped() map[string]int64
}
