package engine

// Pos orders events: by commit, then by place inside the batch.
type Pos struct {
	LSN uint64
	Ord uint32
}

// Less reports whether p comes before q.
func (p Pos) Less(q Pos) bool { return p.LSN < q.LSN || p.LSN == q.LSN && p.Ord < q.Ord }

// Entry is an event on its way to one sink. Payload must not be changed.
type Entry struct {
	Pos     Pos
	Key     string
	Payload []byte
}

// Outbox is the durable queue between commits and sinks: one queue a sink, in
// log order. Safe for concurrent use.
type Outbox struct{}

// Outbox returns the engine's outbox.
func (e *Engine) Outbox() *Outbox { return nil }

// Attach declares that sink takes its events from now on and returns its
// cursor: the position up to which it acknowledged.
func (o *Outbox) Attach(sink string) Pos { return Pos{} }

// Detach forgets a sink with its cursor and its waiting events. It returns the
// number of events that were discarded.
func (o *Outbox) Detach(sink string) int { return 0 }

// Next returns up to max durable events of sink that come after the position,
// in order. None means: wait for Notify.
func (o *Outbox) Next(sink string, after Pos, max int) ([]Entry, error) { return nil, nil }

// Notify returns a channel that holds a token when events of sink may have
// become ready since the last receive. The same channel is returned each time.
func (o *Outbox) Notify(sink string) <-chan struct{} { return nil }

// Ack records that sink is done with all events up to and including the
// position. It is logged within a second; after a crash events may be handed
// out again, never lost.
func (o *Outbox) Ack(sink string, upTo Pos) {}

// Cursor returns the position up to which sink acknowledged.
func (o *Outbox) Cursor(sink string) Pos { return Pos{} }

// Backlog returns how many events, and how many payload bytes, wait for sink.
func (o *Outbox) Backlog(sink string) (events, bytes int64) { return 0, 0 }

// SinkInfo describes one queue.
type SinkInfo struct {
	Name     string
	Attached bool
	Cursor   Pos
	Events   int64 // waiting
	Bytes    int64 // of their payloads
	Dropped  int64 // dropped by the byte bound since Open
}

// Sinks lists every sink that has a cursor or waiting events, sorted by name,
// attached or not.
func (o *Outbox) Sinks() []SinkInfo { return nil }
