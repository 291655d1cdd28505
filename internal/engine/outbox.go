package engine

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tidwall/btree"
)

// Pos orders events: by commit, then by place inside the batch.
type Pos struct {
	LSN uint64
	Ord uint32
}

// Less reports whether p comes before q.
func (p Pos) Less(q Pos) bool { return p.LSN < q.LSN || p.LSN == q.LSN && p.Ord < q.Ord }

func (p Pos) compare(q Pos) int {
	return cmp.Or(cmp.Compare(p.LSN, q.LSN), cmp.Compare(p.Ord, q.Ord))
}

// Entry is an event on its way to one sink. Payload must not be changed.
type Entry struct {
	Pos     Pos
	At      int64 // when it was emitted, Unix nanoseconds of the wall clock; 0 = unknown
	Key     string
	Payload []byte
}

// Outbox is the durable queue between commits and sinks: one queue a sink, in
// log order. Safe for concurrent use.
type Outbox struct {
	e      *Engine
	mu     sync.Mutex
	sinks  map[string]*queue
	bytes  int64 // payloads waiting, counted once for each sink
	urgent bool  // a sync was asked for and has not run
	dirty  bool  // acknowledgements not yet logged
	armed  bool  // a timer will log them
	stop   func() bool
}

// queue is what waits for one sink.
type queue struct {
	attached bool
	cursor   Pos
	entries  []Entry // entries[head:] wait, in order
	head     int
	bytes    int64
	dropped  int64
	dirty    bool
	notify   chan struct{}
}

func newOutbox(e *Engine) *Outbox { return &Outbox{e: e, sinks: map[string]*queue{}} }

// Outbox returns the engine's outbox.
func (e *Engine) Outbox() *Outbox { return e.outbox }

func (o *Outbox) queue(sink string) *queue {
	q := o.sinks[sink]
	if q == nil {
		q = &queue{notify: make(chan struct{}, 1)}
		o.sinks[sink] = q
	}
	return q
}

// add puts an event into the queues of its sinks. The lock is held from before
// the log position was taken, so that queues are in log order.
func (o *Outbox) add(pos Pos, ev *Event) {
	for i, sink := range ev.Sinks {
		if slices.Contains(ev.Sinks[:i], sink) {
			continue
		}
		q := o.queue(sink)
		if !q.cursor.Less(pos) {
			continue // acknowledged before a crash
		}
		q.entries = append(q.entries, Entry{Pos: pos, At: ev.At, Key: ev.Key, Payload: ev.Payload})
		q.bytes += entryBytes(ev.Key, ev.Payload)
		o.bytes += entryBytes(ev.Key, ev.Payload)
		if o.e.log == nil {
			q.wake()
		}
	}
	if ev.Urgent {
		o.urgent = true
	}
	o.shrink()
}

// entryBytes is what an event counts for the bound of the outbox.
func entryBytes(key string, payload []byte) int64 { return int64(len(key)+len(payload)) + 64 }

// shrink drops the oldest events while the outbox is over its bound.
func (o *Outbox) shrink() {
	for o.bytes > o.e.cfg.OutboxBytes {
		var oldest *queue
		for _, q := range o.sinks {
			if q.head < len(q.entries) && (oldest == nil || q.entries[q.head].Pos.Less(oldest.entries[oldest.head].Pos)) {
				oldest = q
			}
		}
		if oldest == nil {
			return
		}
		o.pop(oldest)
		oldest.dropped++
	}
}

// pop removes the oldest event of q.
func (o *Outbox) pop(q *queue) {
	ent := &q.entries[q.head]
	n := entryBytes(ent.Key, ent.Payload)
	q.bytes -= n
	o.bytes -= n
	*ent = Entry{}
	if q.head++; q.head == len(q.entries) || q.head >= 1024 && q.head*2 >= len(q.entries) {
		q.entries = append(q.entries[:0], q.entries[q.head:]...)
		clear(q.entries[len(q.entries):cap(q.entries)])
		q.head = 0
	}
}

func (q *queue) wake() {
	select {
	case q.notify <- struct{}{}:
	default:
	}
}

// wakeAll tells every sink that has waiting events to look again.
func (o *Outbox) wakeAll() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, q := range o.sinks {
		if q.head < len(q.entries) {
			q.wake()
		}
	}
}

// Attach declares that sink takes its events from now on and returns its
// cursor: the position up to which it acknowledged.
func (o *Outbox) Attach(sink string) Pos {
	o.mu.Lock()
	defer o.mu.Unlock()
	q := o.queue(sink)
	q.attached = true
	if q.head < len(q.entries) {
		q.wake()
	}
	return q.cursor
}

// Detach forgets a sink with its cursor and its waiting events. It returns the
// number of events that were discarded.
func (o *Outbox) Detach(sink string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	q := o.sinks[sink]
	if q == nil {
		return 0
	}
	n := len(q.entries) - q.head
	o.bytes -= q.bytes
	// The cursor stays, moved behind all: after a crash the log must not bring
	// the events back.
	end := Pos{LSN: o.e.lastLSN(), Ord: ^uint32(0)}
	notify := q.notify
	*q = queue{cursor: end, notify: notify, dirty: true}
	o.arm()
	return n
}

// Next returns up to max durable events of sink that come after the position,
// in order. None means: wait for Notify.
func (o *Outbox) Next(sink string, after Pos, max int) ([]Entry, error) {
	durable := o.e.durableLSN()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.e.stopped.Load() {
		return nil, errs.Closed
	}
	q := o.sinks[sink]
	if q == nil {
		return nil, fmt.Errorf("outbox: sink %s: %w", sink, errs.NotFound)
	}
	waiting := q.entries[q.head:]
	i, found := slices.BinarySearchFunc(waiting, after, func(ent Entry, p Pos) int { return ent.Pos.compare(p) })
	if found {
		i++
	}
	var out []Entry
	for ; i < len(waiting) && len(out) < max && waiting[i].Pos.LSN <= durable; i++ {
		out = append(out, waiting[i])
	}
	return out, nil
}

// Notify returns a channel that holds a token when events of sink may have
// become ready since the last receive. The same channel is returned each time.
func (o *Outbox) Notify(sink string) <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.queue(sink).notify
}

// Ack records that sink is done with all events up to and including the
// position. It is logged within a second; after a crash events may be handed
// out again, never lost.
func (o *Outbox) Ack(sink string, upTo Pos) {
	o.mu.Lock()
	defer o.mu.Unlock()
	q := o.queue(sink)
	if !q.cursor.Less(upTo) {
		return
	}
	q.cursor, q.dirty = upTo, true
	for q.head < len(q.entries) && !upTo.Less(q.entries[q.head].Pos) {
		o.pop(q)
	}
	o.arm()
}

// CursorPut returns the state key that says that sink is done with all events up
// to and including the position, for a batch that moves events on. Ack is called
// when the batch is stored.
func (o *Outbox) CursorPut(sink string, upTo Pos) Put {
	return Put{Kind: PutSink, Key: ackPrefix + sink, Value: appendPos(nil, upTo)}
}

// End returns a position that no event so far comes after.
func (o *Outbox) End() Pos { return Pos{LSN: o.e.lastLSN(), Ord: ^uint32(0)} }

// Cursor returns the position up to which sink acknowledged.
func (o *Outbox) Cursor(sink string) Pos {
	o.mu.Lock()
	defer o.mu.Unlock()
	if q := o.sinks[sink]; q != nil {
		return q.cursor
	}
	return Pos{}
}

// Backlog returns how many events, and how many bytes, wait for sink.
func (o *Outbox) Backlog(sink string) (events, bytes int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if q := o.sinks[sink]; q != nil {
		return int64(len(q.entries) - q.head), q.bytes
	}
	return 0, 0
}

// SinkInfo describes one queue.
type SinkInfo struct {
	Name     string
	Attached bool
	Cursor   Pos
	Events   int64 // waiting
	Bytes    int64 // that they take
	Dropped  int64 // dropped by the byte bound since Open
}

// Sinks lists every sink that is attached, has a cursor or waiting events,
// sorted by name.
func (o *Outbox) Sinks() []SinkInfo {
	o.mu.Lock()
	defer o.mu.Unlock()
	var out []SinkInfo
	for name, q := range o.sinks {
		out = append(out, SinkInfo{name, q.attached, q.cursor, int64(len(q.entries) - q.head), q.bytes, q.dropped})
	}
	slices.SortFunc(out, func(a, b SinkInfo) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// ackPrefix begins the state keys that hold sink cursors.
const ackPrefix = "\x00outbox/"

// ackEvery is how long an acknowledgement may wait to be logged.
const ackEvery = 1e9

// arm starts the timer that logs cursors; the lock is held.
func (o *Outbox) arm() {
	o.dirty = true
	if o.armed || o.e.log == nil || o.e.stopped.Load() {
		return
	}
	o.armed = true
	o.stop = o.e.clock.AfterFunc(ackEvery, func() {
		o.mu.Lock()
		o.armed = false
		o.mu.Unlock()
		o.e.poke(wantAcks)
	})
}

// puts returns the cursors that have moved since they were last logged.
func (o *Outbox) puts() []Put {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.dirty {
		return nil
	}
	o.dirty = false
	var out []Put
	for name, q := range o.sinks {
		if q.dirty {
			q.dirty = false
			out = append(out, Put{Kind: PutSink, Key: ackPrefix + name, Value: appendPos(nil, q.cursor)})
		}
	}
	slices.SortFunc(out, func(a, b Put) int { return cmp.Compare(a.Key, b.Key) })
	return out
}

func appendPos(dst []byte, p Pos) []byte {
	dst = binary.AppendUvarint(dst, p.LSN)
	return binary.AppendUvarint(dst, uint64(p.Ord))
}

// restore moves a sink's cursor to what a state key says.
func (o *Outbox) restore(key string, value []byte) {
	sink, ok := strings.CutPrefix(key, ackPrefix)
	if !ok {
		return
	}
	w := wire{b: value}
	p := Pos{LSN: w.uvarint(), Ord: uint32(w.uvarint())}
	if w.bad {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	q := o.queue(sink)
	if q.cursor.Less(p) {
		q.cursor = p
	}
	for q.head < len(q.entries) && !p.Less(q.entries[q.head].Pos) {
		o.pop(q)
	}
}

// unlogged marks cursors as still to be logged.
func (o *Outbox) unlogged(puts []Put) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range puts {
		o.queue(puts[i].Key[len(ackPrefix):]).dirty = true
	}
	o.arm()
}

// disarm stops the timer.
func (o *Outbox) disarm() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.stop != nil {
		o.stop()
	}
}

// wakeForClose lets every waiting deliverer find out that the store is closed.
func (o *Outbox) wakeForClose() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, q := range o.sinks {
		q.wake()
	}
}

// storedEvent is an event with its position, as it lies in outbox segments.
type storedEvent struct {
	pos Pos
	Event
}

// waiting returns the events with after < LSN <= upTo that wait for some sink,
// in order, each once with the sinks it waits for.
func (o *Outbox) waiting(after, upTo uint64) []storedEvent {
	o.mu.Lock()
	defer o.mu.Unlock()
	var out []storedEvent
	for name, q := range o.sinks {
		for _, ent := range q.entries[q.head:] {
			if ent.Pos.LSN > after && ent.Pos.LSN <= upTo {
				out = append(out, storedEvent{ent.Pos, Event{Sinks: []string{name}, At: ent.At, Key: ent.Key, Payload: ent.Payload}})
			}
		}
	}
	slices.SortFunc(out, func(a, b storedEvent) int {
		return cmp.Or(a.pos.compare(b.pos), cmp.Compare(a.Sinks[0], b.Sinks[0]))
	})
	n := 0
	for i := range out {
		if n > 0 && out[n-1].pos == out[i].pos {
			out[n-1].Sinks = append(out[n-1].Sinks, out[i].Sinks...)
			continue
		}
		out[n] = out[i]
		n++
	}
	return out[:n]
}

// oldest returns the LSN of the oldest waiting event, or the greatest number.
func (o *Outbox) oldest() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	oldest := ^uint64(0)
	for _, q := range o.sinks {
		if q.head < len(q.entries) {
			oldest = min(oldest, q.entries[q.head].Pos.LSN)
		}
	}
	return oldest
}

// cursorsInto writes the present cursors over those of a copy of the state.
func (o *Outbox) cursorsInto(state *btree.Map[string, stateValue]) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for name, q := range o.sinks {
		if q.cursor != (Pos{}) {
			state.Set(ackPrefix+name, stateValue{PutSink, appendPos(nil, q.cursor)})
		}
	}
}
