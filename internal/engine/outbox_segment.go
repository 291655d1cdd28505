package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sort"

	"github.com/tickwell/tickwell/internal/codec"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/vfs"
)

// segmentIndex is an outbox segment with what is kept of it in memory: where
// each frame of about frameTarget bytes begins.
type segmentIndex struct {
	outboxSegment
	frames []frameRef
}

// frameRef is a frame and the position of its first event.
type frameRef struct {
	pos Pos
	off int64
}

const frameRefBytes = 24

// setSegments makes the index hold the segments that the manifest names, the one
// just written included.
func (o *Outbox) setSegments(named []outboxSegment, written segmentIndex) {
	o.mu.Lock()
	defer o.mu.Unlock()
	segs := make([]segmentIndex, 0, len(named))
	for _, s := range append(slices.Clip(o.segs), written) {
		if slices.ContainsFunc(named, func(n outboxSegment) bool { return n.No == s.No }) {
			segs = append(segs, s)
		}
	}
	o.segs = segs
}

// frames returns the offsets of the frames of s that may hold the position and
// those after it.
func (s *segmentIndex) from(p Pos) []frameRef {
	i := sort.Search(len(s.frames), func(i int) bool { return p.Less(s.frames[i].pos) })
	return s.frames[max(i-1, 0):]
}

// writeOutbox writes the waiting events of f's part of the log to a segment. No
// is 0 when there are none. The log has not been retired yet, so that they can
// be read again, and only some of them are in memory at a time.
func (e *Engine) writeOutbox(f *frozen) (segmentIndex, error) {
	var s segmentIndex
	var w *framedWriter
	var frame []byte
	var first Pos
	var body []byte
	flush := func() error {
		if len(frame) == 0 {
			return nil
		}
		if w == nil {
			s.outboxSegment = outboxSegment{No: e.disk.number(), MinLSN: f.after + 1, MaxLSN: f.lsn}
			var err error
			if w, err = createFramed(e.fs, e.disk.outboxName(s.No), magicOutbox, e.disk.store, s.No); err != nil {
				return err
			}
		}
		s.frames = append(s.frames, frameRef{first, w.offset})
		err := w.frame(frame)
		frame = frame[:0]
		return err
	}
	err := e.outbox.collect(f.after, f.lsn, func(ent Entry, sinks []string) error {
		ev := Event{Sinks: sinks, At: ent.At, Key: ent.Key, Payload: ent.Payload}
		body = appendEvent(appendPos(body[:0], ent.Pos), &ev)
		if len(frame)+len(body) > maxFrame-16 {
			if err := flush(); err != nil {
				return err
			}
		}
		if len(frame) == 0 {
			first = ent.Pos
		}
		if frame = appendSection(frame, sectionEvent, body); len(frame) >= frameTarget {
			return flush()
		}
		return nil
	})
	if err == nil {
		err = flush()
	}
	if w == nil {
		return segmentIndex{}, err
	}
	if err != nil {
		w.abort()
		return segmentIndex{}, err
	}
	return s, w.finish()
}

// collect calls f for the events with after < LSN <= upTo that wait for some
// sink, in order, with the sinks they wait for. What is no longer in memory is
// read from the log. f keeps neither the payload nor the sinks.
func (o *Outbox) collect(after, upTo uint64, f func(ent Entry, sinks []string) error) error {
	next := Pos{LSN: after, Ord: ^uint32(0)} // behind which to go on
	for {
		first, newest, sinks := o.waitingAfter(next, upTo)
		if first == (Pos{}) {
			o.unreadable = 0
			return nil
		}
		if newest == nil {
			if err := o.collectLogged(&next, first.LSN, upTo, f); err != nil {
				return err
			}
			continue
		}
		for i := range newest {
			if err := f(newest[i], sinks[i]); err != nil {
				return err
			}
		}
		next = newest[len(newest)-1].Pos
	}
}

// collectChunk is how many events collect takes out of memory at a time.
const collectChunk = 256

// waitingAfter returns the first position after next that waits, none if that is
// after upTo. If it is among the newest events, these are returned too, some at
// a time.
func (o *Outbox) waitingAfter(next Pos, upTo uint64) (first Pos, newest []Entry, sinks [][]string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, q := range o.sinks {
		q.waiting.after(next, func(p Pos, _ int64) bool {
			if p.LSN <= upTo && (first == (Pos{}) || p.Less(first)) {
				first = p
			}
			return false
		})
	}
	start, ok := o.tail.first()
	if first == (Pos{}) || !ok || first.Less(start) {
		return first, nil, nil
	}
	for i := o.tail.from(first); i < len(o.tail.events) && len(newest) < collectChunk; i++ {
		ev := &o.tail.events[i]
		if ev.Pos.LSN > upTo {
			break
		}
		if ev.refs == 0 {
			continue
		}
		if to := o.waitsFor(nil, ev.sinks, ev.Pos); len(to) > 0 {
			newest, sinks = append(newest, ev.Entry), append(sinks, to)
		}
	}
	return first, newest, sinks
}

// waitsFor returns the sinks among names that the event waits for, in the memory
// of out.
func (o *Outbox) waitsFor(out, names []string, p Pos) []string {
	out = out[:0]
	for i, name := range names {
		if q := o.sinks[name]; q != nil && q.waiting.has(p) && !slices.Contains(names[:i], name) {
			out = append(out, name)
		}
	}
	return out
}

// collectLogged is collect for events from the log, up to the newest ones in
// memory.
func (o *Outbox) collectLogged(next *Pos, from, upTo uint64, f func(ent Entry, sinks []string) error) error {
	c := o.e.log.Cursor(from)
	defer c.Close()
	var ev Event
	var to []string
	for c.Next() && c.LSN() <= upTo {
		for ent, sinks := range eventsOf(&ev, c.LSN(), c.Payload()) {
			if !next.Less(ent.Pos) {
				continue
			}
			o.mu.Lock()
			start, ok := o.tail.first()
			to = o.waitsFor(to, sinks, ent.Pos)
			o.mu.Unlock()
			if ok && !ent.Pos.Less(start) {
				return nil // memory has it, and what comes then
			}
			if *next = ent.Pos; len(to) > 0 {
				if err := f(ent, to); err != nil {
					return err
				}
			}
		}
	}
	if err := c.Err(); err != nil {
		if o.unreadable++; o.unreadable <= giveUp || !errors.Is(err, errs.Damaged) {
			return fmt.Errorf("events that wait for sinks: %w", err)
		}
		// A record has gone bad since Open. It must not stop flushes for ever.
		o.e.logger.Error("tickwell: waiting events are lost", "from record", next.LSN+1, "err", err)
	}
	*next = Pos{LSN: upTo, Ord: ^uint32(0)}
	o.mu.Lock()
	if start, ok := o.tail.first(); ok && start.LSN <= upTo {
		next.LSN, next.Ord = start.LSN, start.Ord-1 // what the log has refused
		if start.Ord == 0 {
			*next = Pos{LSN: start.LSN - 1, Ord: ^uint32(0)}
		}
	}
	o.mu.Unlock()
	return nil
}

// eventsOf yields the events of a log record, in the memory of ev: each is good
// until the next.
func eventsOf(ev *Event, lsn uint64, payload []byte) func(yield func(Entry, []string) bool) {
	return func(yield func(Entry, []string) bool) {
		ord, stop := uint32(0), errors.New("enough")
		_ = eachSection(payload, func(kind uint8, body []byte) error {
			if kind != sectionEvent {
				return nil
			}
			w := wire{codec.Reader{Src: body}}
			w.eventInto(ev)
			ent := Entry{Pos: Pos{lsn, ord}, At: ev.At, Key: ev.Key, Payload: ev.Payload}
			if ord++; !w.Bad && !yield(ent, ev.Sinks) {
				return stop
			}
			return nil
		})
	}
}

// eventsIn yields the events of a frame of an outbox segment.
func eventsIn(frame []byte, f func(ent Entry, sinks []string)) error {
	return eachSection(frame, func(kind uint8, body []byte) error {
		if kind != sectionEvent {
			return nil
		}
		w := wire{codec.Reader{Src: body}}
		pos := Pos{LSN: w.Uvarint(), Ord: uint32(w.Uvarint())}
		ev := w.event()
		if w.Bad {
			return fmt.Errorf("outbox: %w", errs.Corrupt)
		}
		f(Entry{Pos: pos, At: ev.At, Key: ev.Key, Payload: ev.Payload}, ev.Sinks)
		return nil
	})
}

// loadOutbox notes what waits in a segment. One that is damaged in part stays
// where it is, as what is left of it is read from there.
func (e *Engine) loadOutbox(s outboxSegment) error {
	name := e.disk.outboxName(s.No)
	x := segmentIndex{outboxSegment: s}
	err := e.scanFramed(name, magicOutbox, s.No, func(off int64, frame []byte) error {
		var first Pos
		err := eventsIn(frame, func(ent Entry, sinks []string) {
			e.outbox.mu.Lock()
			defer e.outbox.mu.Unlock()
			if first == (Pos{}) {
				first = ent.Pos
			}
			e.outbox.mark(ent.Pos, &Event{Sinks: sinks, Key: ent.Key, Payload: ent.Payload})
			e.outbox.shrink()
		})
		if first != (Pos{}) {
			x.frames = append(x.frames, frameRef{first, off})
		}
		return err
	})
	if err = e.damaged(name, err); err == nil {
		e.outbox.segs = append(e.outbox.segs, x)
	}
	return err
}

// scanFramed calls f for the frames of a file that was written at once, with
// their offsets. It reads one at a time; only a damaged file is read whole, to
// find what is good behind the damage.
func (e *Engine) scanFramed(name, magic string, no uint64, f func(off int64, frame []byte) error) error {
	file, err := e.fs.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	salvaged := func(from int64) error {
		return readFramedFrom(e.fs, name, magic, e.disk.store, no, from, func(off int64, frame []byte, _ bool) error { return f(off, frame) })
	}
	head := make([]byte, headerSize)
	if _, err := readFullAt(file, head, 0); err != nil {
		return err
	}
	store, n, err := readHeader(head, magic)
	if err != nil || store != e.disk.store || n != no {
		return salvaged(0)
	}
	var buf []byte
	for off := int64(headerSize); ; {
		frame, end, err := readFrame(file, &buf, e.disk.store, no, off)
		if errors.Is(err, errs.Corrupt) {
			return salvaged(off)
		}
		if err != nil {
			return err
		}
		if len(frame) == 0 {
			if size, err := file.Size(); err != nil || size != end {
				return fmt.Errorf("file %d has bytes behind its end: %w", no, errs.Join(err, errs.Corrupt))
			}
			return nil
		}
		if err := f(off, frame); err != nil {
			return err
		}
		off = end
	}
}

// readFrame reads and checks the frame at off into buf. A bad one gives
// errs.Corrupt.
func readFrame(file vfs.File, buf *[]byte, store, no uint64, off int64) (frame []byte, end int64, err error) {
	var head [frameHeader]byte
	if _, err := readFullAt(file, head[:], off); err != nil {
		return nil, 0, err
	}
	n := binary.LittleEndian.Uint32(head[:])
	if n > maxFrame {
		return nil, 0, fmt.Errorf("frame of %d bytes: %w", n, errs.Corrupt)
	}
	if cap(*buf) < int(n) {
		size, err := file.Size()
		if err != nil {
			return nil, 0, err
		}
		if int64(n) > size-off-frameHeader {
			return nil, 0, fmt.Errorf("frame of %d bytes: %w", n, errs.Corrupt)
		}
		*buf = make([]byte, max(int(n), frameTarget+frameTarget/4))
	}
	frame = (*buf)[:n]
	if _, err := readFullAt(file, frame, off+frameHeader); err != nil {
		return nil, 0, err
	}
	if frameSum(store, no, off, frame) != binary.LittleEndian.Uint32(head[4:]) {
		return nil, 0, fmt.Errorf("frame at %d: wrong checksum: %w", off, errs.Corrupt)
	}
	return frame, off + frameHeader + int64(n), nil
}

// readFullAt fills p. A file that ends before is corrupt.
func readFullAt(file vfs.File, p []byte, off int64) (int, error) {
	n, err := file.ReadAt(p, off)
	if n == len(p) {
		return n, nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = fmt.Errorf("ends at %d: %w", off+int64(n), errs.Corrupt)
	}
	return n, err
}

// notThere reports whether a file has been removed since its name was looked up.
func notThere(err error) bool { return errors.Is(err, fs.ErrNotExist) }
