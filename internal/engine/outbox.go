package engine

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tidwall/btree"

	"github.com/tickwell/tickwell/internal/codec"
	"github.com/tickwell/tickwell/internal/sorting"
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
	Lost    error // it was there once and cannot be read any more: Key and Payload are empty
}

// Outbox is the durable queue between commits and sinks: one queue a sink, in
// log order. In memory are the positions of what waits and the newest events;
// the others are read from the log or, when that is retired, from the outbox
// segments. Safe for concurrent use.
type Outbox struct {
	e      *Engine
	memory bool // mode: there is no disk, tail has all
	recent int64
	mu     sync.Mutex
	sinks  map[string]*queue
	tail   tail
	segs   []segmentIndex // in order; replaced, never changed
	bytes  int64          // of what waits, counted once for each sink
	urgent bool           // a sync was asked for and has not run
	dirty  bool           // acknowledgements not yet logged
	armed  bool           // a timer will log them
	held   bool           // what is acknowledged stays in waiting, see pass
	stop   func() bool

	unreadable int // failed flushes because of events; with Engine.flushing held
}

// queue is what waits for one sink.
type queue struct {
	attached bool
	cursor   Pos
	waiting  marks
	late     int   // at its front: acknowledged while held
	bytes    int64 // of the others
	handed   Pos   // up to which Next has returned events
	floor    Pos   // up to which events were dropped
	dropped  int64 // of those after handed
	dirty    bool
	notify   chan struct{}
	acked    int // events since its cursor was logged
	prompt   int // of them after which it is logged at once; 0 = never
	vain     int // failed attempts to read the event after vainAt
	vainAt   Pos
}

// The newest events are kept in memory up to this, a part of the outbox's bound.
const (
	recentPart = 128
	recentMin  = 64 << 10
	recentMax  = 256 << 10
)

func newOutbox(e *Engine) *Outbox {
	return &Outbox{
		e: e, memory: e.cfg.Dir == "", sinks: map[string]*queue{},
		recent: min(max(e.cfg.OutboxBytes/recentPart, recentMin), recentMax),
	}
}

// Outbox returns the engine's outbox.
func (e *Engine) Outbox() *Outbox { return e.outbox }

//go:noinline
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
	if refs := o.mark(pos, ev); refs > 0 {
		o.tail.push(Entry{Pos: pos, At: ev.At, Key: ev.Key, Payload: ev.Payload}, ev.Sinks, refs)
	}
	if ev.Urgent {
		o.urgent = true
	}
	o.shrink()
	o.trim()
}

// mark notes that an event waits for its sinks and returns for how many.
func (o *Outbox) mark(pos Pos, ev *Event) (refs int) {
	size := entryBytes(ev.Key, ev.Payload)
	for i, sink := range ev.Sinks {
		if slices.Contains(ev.Sinks[:i], sink) {
			continue
		}
		q := o.queue(sink)
		if !q.cursor.Less(pos) || !q.waiting.push(pos, size) {
			continue // acknowledged before a crash
		}
		refs++
		q.bytes += size
		o.bytes += size
		if o.memory {
			q.wake()
		}
	}
	return refs
}

// entryBytes is what an event counts for the bound of the outbox.
func entryBytes(key string, payload []byte) int64 { return int64(len(key)+len(payload)) + 64 }

// shrink drops the oldest events while the outbox is over its bound. Those that
// a sink was handed are counted by whoever has them, see Floor.
func (o *Outbox) shrink() {
	for o.bytes > o.e.cfg.OutboxBytes {
		var oldest *queue
		for _, q := range o.sinks {
			if q.waiting.n > 0 && (oldest == nil || q.waiting.front.Less(oldest.waiting.front)) {
				oldest = q
			}
		}
		if oldest == nil {
			return
		}
		oldest.floor = oldest.waiting.front
		if oldest.handed.Less(oldest.floor) {
			oldest.dropped++
		}
		o.pop(oldest)
	}
}

// trim forgets what the newest events carry, the oldest first, as far as it can
// be read again.
func (o *Outbox) trim() {
	log := o.e.log
	for !o.memory && o.tail.bytes > o.recent {
		first, ok := o.tail.first()
		if !ok || log != nil && (log.Written() < first.LSN || o.e.refused(first.LSN)) {
			return
		}
		o.tail.drop()
	}
}

// refused reports whether a record is in memory only, because the log could not
// store it.
func (e *Engine) refused(lsn uint64) bool {
	return e.log != nil && lsn > e.flushed.Load() && e.log.Refused(lsn)
}

// pop removes the oldest event of q.
func (o *Outbox) pop(q *queue) {
	if q.late > 0 {
		q.late--
	} else {
		q.bytes -= q.waiting.frontSize
		o.bytes -= q.waiting.frontSize
	}
	o.tail.release(q.waiting.front)
	q.waiting.pop()
}

// popTo removes the events of q up to and including the position.
func (o *Outbox) popTo(q *queue, upTo Pos) {
	for q.waiting.n > 0 && !upTo.Less(q.waiting.front) {
		o.pop(q)
	}
}

// pass takes away what the sink of q is done with and returns how many events that
// is. While a flush is to write what waited when it began, that stays: it may have
// become something newer since, a dead letter, which the flush does not write and
// nothing else keeps if the power goes.
func (o *Outbox) pass(q *queue, upTo Pos) int {
	before := q.waiting.n - q.late
	if o.held {
		q.waiting.after(q.cursor, func(p Pos, size int64) bool {
			if upTo.Less(p) {
				return false
			}
			q.late++
			q.bytes -= size
			o.bytes -= size
			return true
		})
	} else {
		o.popTo(q, upTo)
	}
	q.cursor = upTo
	return before - (q.waiting.n - q.late)
}

// release ends what cursorsInto has begun.
func (o *Outbox) release() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.held = false
	for _, q := range o.sinks {
		if q.late > 0 {
			o.popTo(q, q.cursor)
		}
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
	o.trim()
	for _, q := range o.sinks {
		if q.waiting.n > 0 {
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
	if q.waiting.n > 0 {
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
	n := q.waiting.n - q.late
	o.popTo(q, Pos{^uint64(0), ^uint32(0)})
	// The cursor stays, moved behind all: after a crash the log must not bring
	// the events back.
	end := Pos{LSN: o.e.lastLSN(), Ord: ^uint32(0)}
	notify := q.notify
	*q = queue{cursor: end, floor: end, notify: notify, dirty: true}
	o.arm(false)
	return n
}

// Notify returns a channel that holds a token when events of sink may have
// become ready since the last receive. The same channel is returned each time.
func (o *Outbox) Notify(sink string) <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.queue(sink).notify
}

// Ack records that sink is done with all events up to and including the
// position. It is logged within a second, or sooner, see Prompt;
// after a crash events may be handed out again, never lost.
func (o *Outbox) Ack(sink string, upTo Pos) {
	if o.ack(sink, upTo) {
		o.e.logAcks()
	}
}

func (o *Outbox) ack(sink string, upTo Pos) (now bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	q := o.queue(sink)
	if !q.cursor.Less(upTo) {
		return false
	}
	q.acked += o.pass(q, upTo)
	q.dirty, o.dirty = true, true
	if q.prompt > 0 && q.acked >= q.prompt && o.e.log != nil && !o.e.stopped.Load() {
		return true
	}
	o.arm(q.prompt > 0)
	return false
}

// Prompt has the cursor of sink logged as soon as n events were acknowledged, and
// a few milliseconds after the first of fewer, so that a killed process repeats
// less than n of them.
func (o *Outbox) Prompt(sink string, n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.queue(sink).prompt = n
}

// CursorPut returns the state key that says that sink is done with all events up
// to and including the position, for a batch that moves events on. Ack is called
// when the batch is stored.
func (o *Outbox) CursorPut(sink string, upTo Pos) Put {
	return Put{Kind: PutSink, Key: ackPrefix + sink, Value: appendPos(nil, upTo)}
}

// End returns a position that no event so far comes after.
func (o *Outbox) End() Pos { return Pos{LSN: o.e.lastLSN(), Ord: ^uint32(0)} }

// Floor returns the position up to which the outbox has dropped events of sink.
func (o *Outbox) Floor(sink string) Pos {
	o.mu.Lock()
	defer o.mu.Unlock()
	if q := o.sinks[sink]; q != nil {
		return q.floor
	}
	return Pos{}
}

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
		return int64(q.waiting.n - q.late), q.bytes
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
	Dropped  int64 // dropped by the byte bound since Open or Detach, before Next returned them
}

// Sinks lists every sink that is attached, has a cursor or waiting events,
// sorted by name.
func (o *Outbox) Sinks() []SinkInfo {
	o.mu.Lock()
	defer o.mu.Unlock()
	var out []SinkInfo
	for name, q := range o.sinks {
		out = append(out, SinkInfo{name, q.attached, q.cursor, int64(q.waiting.n - q.late), q.bytes, q.dropped})
	}
	sorting.By(out, func(a, b SinkInfo) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// ackPrefix begins the state keys that hold sink cursors.
const ackPrefix = "\x00outbox/"

// ackEvery is how long an acknowledgement may wait to be logged, ackEverySoon if
// Prompt was asked for. The second is about the time of one attempt of a quick
// sink: a killed process repeats little more than what was in flight, and batches
// of few events have cursors logged two hundred times a second at most.
const (
	ackEvery     = time.Second
	ackEverySoon = 5 * time.Millisecond
)

// arm starts the timer that logs cursors; the lock is held.
func (o *Outbox) arm(soon bool) {
	o.dirty = true
	if o.armed || o.e.log == nil || o.e.stopped.Load() {
		return
	}
	o.armed = true
	wait := ackEvery
	if soon {
		wait = ackEverySoon
	}
	o.stop = o.e.clock.AfterFunc(wait, func() {
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
			q.dirty, q.acked = false, 0
			out = append(out, Put{Kind: PutSink, Key: ackPrefix + name, Value: appendPos(nil, q.cursor)})
		}
	}
	sorting.By(out, func(a, b Put) int { return cmp.Compare(a.Key, b.Key) })
	return out
}

func appendPos(dst []byte, p Pos) []byte {
	dst = appendUvarint(dst, p.LSN)
	return appendUvarint(dst, uint64(p.Ord))
}

// restore moves a sink's cursor to what a state key says.
func (o *Outbox) restore(key string, value []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.passed(key, value)
}

// passed is restore with the lock held.
func (o *Outbox) passed(key string, value []byte) {
	sink, ok := strings.CutPrefix(key, ackPrefix)
	if !ok {
		return
	}
	w := wire{codec.Reader{Src: value}}
	p := Pos{LSN: w.Uvarint(), Ord: uint32(w.Uvarint())}
	if w.Bad {
		return
	}
	q := o.queue(sink)
	if q.cursor.Less(p) {
		o.pass(q, p)
	}
}

// unlogged marks cursors as still to be logged.
func (o *Outbox) unlogged(puts []Put) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range puts {
		o.queue(puts[i].Key[len(ackPrefix):]).dirty = true
	}
	o.arm(false)
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

// oldest returns the LSN of the oldest waiting event, or the greatest number.
func (o *Outbox) oldest() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	oldest := ^uint64(0)
	for _, q := range o.sinks {
		if q.waiting.n > 0 {
			oldest = min(oldest, q.waiting.front.LSN)
		}
	}
	return oldest
}

// memoryBytes returns the memory that the outbox takes for what waits.
func (o *Outbox) memoryBytes() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := o.tail.bytes
	for _, q := range o.sinks {
		n += q.waiting.bytes()
	}
	for i := range o.segs {
		n += int64(len(o.segs[i].frames)) * frameRefBytes
	}
	return n
}

// cursorsInto writes the present cursors over those of a copy of the state. What
// waits now is kept until release.
func (o *Outbox) cursorsInto(state *btree.Map[string, *stateValue]) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.held = true
	for name, q := range o.sinks {
		if q.cursor != (Pos{}) {
			state.Set(ackPrefix+name, &stateValue{PutSink, appendPos(nil, q.cursor)})
		}
	}
}
