package tickwell

import (
	"encoding/binary"
	"fmt"
	"math"
	"sort"
	"time"

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

// appendText is not inlined, nor are the functions like it: what writes
// definitions and events would be three times as large.
//
//go:noinline
func appendText(b []byte, s string) []byte {
	return append(appendUint(b, uint64(len(s))), s...)
}

func appendPairs(b []byte, m map[string]string) []byte {
	if len(m) == 0 {
		return append(b, 0)
	}
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	b = appendUint(b, uint64(len(keys)))
	for _, k := range keys {
		b = appendText(appendText(b, k), m[k])
	}
	return b
}

// decodeEvent is the inverse of appendEvent. It never panics and never
// allocates more than the bytes given can hold.
func decodeEvent(src []byte) (Event, error) {
	r := eventReader{b: src}
	if v := r.byte(); v != eventVersion {
		return Event{}, fmt.Errorf("event of version %d: %w", v, errs.Corrupt)
	}
	var e Event
	e.Status = Status(r.byte())
	flags := r.byte()
	e.Urgent = flags&eventUrgent != 0
	e.ID, e.Source, e.Series = r.text(), r.text(), r.text()
	e.Time = time.Unix(0, int64(r.uint64())).UTC()
	e.Revision = r.int()
	if flags&eventHops != 0 {
		e.Hops = r.int()
	}
	if n := r.count(2); n > 0 {
		e.Fields = make([]Field, 0, n)
		for range n {
			f := Field{Name: r.text()}
			f.Value.kind = Kind(r.byte())
			switch {
			case f.Value.kind == KindText:
				f.Value.str = r.text()
			case f.Value.kind > KindText:
				r.bad = true
			case f.Value.kind != KindNull:
				f.Value.num = r.uint64()
			}
			e.Fields = append(e.Fields, f)
		}
	}
	e.Labels, e.Notes = r.pairs(), r.pairs()
	if r.bad || len(r.b) != 0 {
		return Event{}, fmt.Errorf("event of %d bytes makes no sense: %w", len(src), errs.Corrupt)
	}
	return e, nil
}

// eventReader consumes b; after the first thing that does not fit, bad is set
// and zero values come out.
type eventReader struct {
	b   []byte
	bad bool
}

//go:noinline
func (r *eventReader) byte() byte {
	if len(r.b) == 0 {
		r.bad = true
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *eventReader) uint64() uint64 {
	if len(r.b) < 8 {
		r.bad, r.b = true, nil
		return 0
	}
	v := binary.LittleEndian.Uint64(r.b)
	r.b = r.b[8:]
	return v
}

func (r *eventReader) int() int {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > math.MaxInt32 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return int(v)
}

func (r *eventReader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

// count reads the length of a list whose items take at least size bytes each.
func (r *eventReader) count(size int) int {
	n := r.int()
	if n > len(r.b)/size {
		r.bad, r.b = true, nil
		return 0
	}
	return n
}

func (r *eventReader) text() string {
	n := r.int()
	if n > len(r.b) {
		r.bad, r.b = true, nil
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

func (r *eventReader) pairs() map[string]string {
	n := r.count(2)
	if n == 0 {
		return nil
	}
	m := make(map[string]string, n)
	for range n {
		k := r.text()
		m[k] = r.text()
	}
	return m
}
