package tickwell

import (
	"fmt"

	"github.com/tickwell/tickwell/internal/codec"
	"github.com/tickwell/tickwell/internal/errs"
)

// An event in the outbox is a version byte and then its fields in the order of
// the struct: texts and lists with a uvarint length before them, maps as sorted
// pairs, times as 8 bytes of Unix nanoseconds. docs/format/outbox.md has the
// table. Replayed is not stored.
const eventVersion = 1

// Flags of an event.
const (
	eventUrgent = 1
	eventHops   = 2 // with their number
)

func appendEvent(b []byte, e *Event) ([]byte, error) {
	ns, err := unixNano(e.Time)
	if err != nil {
		return b, err
	}
	var flags byte
	if e.Urgent {
		flags |= eventUrgent
	}
	if e.Hops > 0 {
		flags |= eventHops
	}
	b = append(b, eventVersion, byte(e.Status), flags)
	b = appendText(b, e.ID)
	b = appendText(b, e.Source)
	b = appendText(b, e.Series)
	b = appendWord(b, uint64(ns))
	b = appendUint(b, uint64(max(e.Revision, 0)))
	if e.Hops > 0 {
		b = appendUint(b, uint64(e.Hops))
	}
	b = appendUint(b, uint64(len(e.Fields)))
	for i := range e.Fields {
		f := &e.Fields[i]
		b = append(appendText(b, f.Name), byte(f.Value.kind))
		if f.Value.kind == KindText {
			b = appendText(b, f.Value.str)
		} else if !f.Value.IsNull() {
			b = appendWord(b, f.Value.num)
		}
	}
	return appendPairs(appendPairs(b, e.Labels), e.Notes), nil
}

// roughSize is enough for most events.
func (e *Event) roughSize() int {
	n := 32 + len(e.ID) + len(e.Source) + len(e.Series)
	for i := range e.Fields {
		n += 11 + len(e.Fields[i].Name) + len(e.Fields[i].Value.str)
	}
	for k, v := range e.Labels {
		n += 2 + len(k) + len(v)
	}
	for k, v := range e.Notes {
		n += 2 + len(k) + len(v)
	}
	return n
}

// decodeEvent is the inverse of appendEvent. It never panics and never
// allocates more than the bytes given can hold.
func decodeEvent(src []byte) (Event, error) {
	r := wireReader{codec.Reader{Src: src}}
	if v := r.Byte(); v != eventVersion {
		return Event{}, fmt.Errorf("event of version %d: %w", v, errs.Corrupt)
	}
	var e Event
	e.Status = Status(r.Byte())
	flags := r.Byte()
	e.Urgent = flags&eventUrgent != 0
	e.ID, e.Source, e.Series = r.Text(), r.Text(), r.Text()
	e.Time = instant(int64(r.Uint64()))
	e.Revision = r.int()
	if flags&eventHops != 0 {
		e.Hops = r.int()
	}
	if n := r.Count(2); n > 0 {
		e.Fields = make([]Field, 0, n)
		for range n {
			f := Field{Name: r.Text()}
			f.Value.kind = Kind(r.Byte())
			switch {
			case f.Value.kind == KindText:
				f.Value.str = r.Text()
			case f.Value.kind > KindText:
				r.Bad = true
			case f.Value.kind != KindNull:
				f.Value.num = r.Uint64()
			}
			e.Fields = append(e.Fields, f)
		}
	}
	e.Labels, e.Notes = r.pairs(), r.pairs()
	if r.Bad || len(r.Src) != 0 {
		return Event{}, fmt.Errorf("event of %d bytes makes no sense: %w", len(src), errs.Corrupt)
	}
	return e, nil
}
