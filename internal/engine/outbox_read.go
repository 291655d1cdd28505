package engine

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tickwell/tickwell/internal/codec"
	"github.com/tickwell/tickwell/internal/errs"
)

// nextBytes bounds what one Next returns, except for a single larger event.
const nextBytes = 1 << 20

// giveUp is how often an event that is damaged on disk is tried.
const giveUp = 5

// Next returns up to limit durable events of sink that come after the position,
// in order: fewer when they are large. None means: wait for Notify. An event
// that turns out to be damaged is returned as Lost, after some attempts. Next is
// called by one goroutine at a time for each sink.
func (o *Outbox) Next(sink string, after Pos, limit int) ([]Entry, error) {
	out, err := o.Peek(sink, after, limit)
	o.handed(sink, out)
	return out, err
}

// Peek is Next for a look at what waits: events it returns do not count as
// handed out.
func (o *Outbox) Peek(sink string, after Pos, limit int) ([]Entry, error) {
	for range 10 {
		out, stale, err := o.next(sink, after, limit)
		if err != nil {
			return nil, o.failed(sink, after, err)
		}
		if !stale {
			return out, nil
		}
	}
	return nil, fmt.Errorf("outbox: sink %s: events after %v move: %w", sink, after, errs.Overloaded)
}

// next is Next once. stale says that files went while they were looked up.
func (o *Outbox) next(sink string, after Pos, limit int) (out []Entry, stale bool, err error) {
	flushed := o.e.flushed.Load()
	durable := max(o.e.durableLSN(), flushed) // the log passes over what it has refused
	o.mu.Lock()
	if o.e.stopped.Load() {
		o.mu.Unlock()
		return nil, false, errs.Closed
	}
	q := o.sinks[sink]
	if q == nil {
		o.mu.Unlock()
		return nil, false, fmt.Errorf("outbox: sink %s: %w", sink, errs.NotFound)
	}
	bytes := int64(0)
	from := after
	if from.Less(q.cursor) {
		from = q.cursor
	}
	q.waiting.after(from, func(p Pos, size int64) bool {
		bytes += size
		if p.LSN > durable || len(out) == limit || len(out) > 0 && bytes > nextBytes {
			return false
		}
		out = append(out, Entry{Pos: p})
		return true
	})
	newest := len(out)
	if start, ok := o.tail.first(); ok {
		newest, _ = slices.BinarySearchFunc(out, start, func(e Entry, p Pos) int { return e.Pos.compare(p) })
		for i := newest; i < len(out); i++ {
			ev := o.tail.find(out[i].Pos)
			if ev == nil || ev.refs == 0 {
				out = out[:i]
				break
			}
			out[i] = ev.Entry
		}
	}
	segs, again := o.segs, q.vain >= giveUp && q.vainAt == after
	o.mu.Unlock()
	for i := newest; i < len(out); i++ {
		if o.e.refused(out[i].Pos.LSN) { // its point is not safe yet
			out = out[:i]
		}
	}
	if newest = min(newest, len(out)); newest == 0 {
		return out, false, nil
	}
	moved, _ := slices.BinarySearchFunc(out[:newest], flushed, func(e Entry, lsn uint64) int {
		if e.Pos.LSN <= lsn {
			return -1
		}
		return 1
	})
	n, err := o.fromSegments(segs, out[:moved])
	if err == nil && n == moved {
		var m int
		m, err = o.fromLog(out[moved:newest])
		n += m
	}
	switch {
	case n == newest:
		return out, false, nil
	case n > 0:
		return out[:n], false, nil // the rest next time
	case err == nil, notThere(err):
		if o.e.flushed.Load() != flushed || !o.waits(sink, out[0].Pos) {
			return nil, true, nil
		}
		err = fmt.Errorf("event %v is in no file: %w", out[0].Pos, errs.Damaged)
	}
	if again {
		out[0].Lost = err
		return out[:1], false, nil
	}
	return nil, false, err
}

// failed counts an attempt to read that failed because of damage.
func (o *Outbox) failed(sink string, after Pos, err error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if q := o.sinks[sink]; q != nil && (errors.Is(err, errs.Damaged) || errors.Is(err, errs.Corrupt)) {
		if q.vainAt != after && q.vain < giveUp {
			q.vain = 0
		}
		q.vainAt = after
		q.vain++
	}
	return err
}

// handed notes that events were returned.
func (o *Outbox) handed(sink string, out []Entry) {
	if len(out) == 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	q := o.sinks[sink]
	if q == nil {
		return
	}
	for i := range out { // dropped since they were read: now they are counted by who has them
		if p := out[i].Pos; q.dropped > 0 && q.handed.Less(p) && !q.floor.Less(p) {
			q.dropped--
		}
	}
	last := &out[len(out)-1]
	if q.handed.Less(last.Pos) {
		q.handed = last.Pos
	}
	if last.Lost == nil {
		q.vain = 0
	}
}

// waits reports whether the event still waits for sink.
func (o *Outbox) waits(sink string, p Pos) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	q := o.sinks[sink]
	return q != nil && q.waiting.has(p)
}

// has reports whether a position that was added once is still there.
func (m *marks) has(p Pos) bool { return m.n > 0 && !p.Less(m.front) && !m.last.Less(p) }

// fromSegments fills in the events at the positions of out from outbox segments,
// and returns how many it has found before the first that it has not.
func (o *Outbox) fromSegments(segs []segmentIndex, out []Entry) (n int, err error) {
	var buf []byte
	for i := range segs {
		s := &segs[i]
		if n == len(out) {
			return n, nil
		}
		if s.MaxLSN < out[n].Pos.LSN {
			continue
		}
		k, err := o.fromSegment(s, out[n:], &buf)
		if n += k; err != nil {
			return n, err
		}
	}
	return n, nil
}

func (o *Outbox) fromSegment(s *segmentIndex, out []Entry, buf *[]byte) (n int, err error) {
	d := &o.e.disk
	refs := s.from(out[0].Pos)
	if len(refs) == 0 {
		return 0, nil
	}
	file, err := d.fs.Open(d.outboxName(s.No))
	if err != nil {
		return 0, err
	}
	defer file.Close()
	for i, ref := range refs {
		if n == len(out) || out[n].Pos.Less(ref.pos) || out[n].Pos.LSN > s.MaxLSN {
			return n, nil
		}
		if i+1 < len(refs) && !out[n].Pos.Less(refs[i+1].pos) {
			continue
		}
		frame, _, err := readFrame(file, buf, d.store, s.No, ref.off)
		if err == nil {
			err = eventsIn(frame, func(ent Entry, _ []string) {
				if n < len(out) && ent.Pos == out[n].Pos {
					out[n] = ent
					n++
				}
			})
		}
		if err != nil {
			return n, fmt.Errorf("outbox segment %d: %w", s.No, err)
		}
	}
	return n, nil
}

// fromLog is fromSegments for what has not been moved out of the log.
func (o *Outbox) fromLog(out []Entry) (n int, err error) {
	if len(out) == 0 {
		return 0, nil
	}
	c := o.e.log.Cursor(out[0].Pos.LSN)
	defer c.Close()
	for n < len(out) && c.Next() && c.LSN() <= out[len(out)-1].Pos.LSN {
		if c.LSN() != out[n].Pos.LSN {
			if c.LSN() > out[n].Pos.LSN {
				return n, nil
			}
			continue
		}
		n += eventsAt(out[n:], c.Payload())
	}
	return n, c.Err()
}

// eventsAt fills in the first of out, as far as they lie in one log record, and
// returns how many.
func eventsAt(out []Entry, payload []byte) (n int) {
	lsn, ord, done := out[0].Pos.LSN, uint32(0), errors.New("done")
	_ = eachSection(payload, func(kind uint8, body []byte) error {
		if kind != sectionEvent {
			return nil
		}
		if ord == out[n].Pos.Ord {
			w := wire{codec.Reader{Src: body}}
			ev := w.event()
			if w.Bad {
				return done
			}
			out[n] = Entry{Pos: out[n].Pos, At: ev.At, Key: ev.Key, Payload: ev.Payload}
			if n++; n == len(out) || out[n].Pos.LSN != lsn {
				return done
			}
		}
		ord++
		return nil
	})
	return n
}
