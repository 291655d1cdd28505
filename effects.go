package tickwell

import (
	"bytes"
	"slices"

	"github.com/tickwell/tickwell/internal/engine"
)

// effects gathers what user code asked for during one firing or run. It takes
// effect as a whole, in one log record, or not at all.
type effects struct {
	tablets []*Tablet
	puts    []engine.Put
	events  []emitted
	wakes   []waking
	earlier *effects         // of the same group; nil if none
	alike   map[likeness]int // of events, once there are many
	looks   int              // events that were looked at to count those alike
	room    []byte           // for encoded events; what is in it belongs to the outbox
}

// likeness is what makes events share a count for their IDs.
type likeness struct {
	source, series string
	time           int64
	revision       int
}

//go:noinline
func (e *Event) likeness() likeness {
	return likeness{e.Source, e.Series, e.Time.UnixNano(), e.Revision}
}

// manyEvents is how many are compared one by one.
const manyEvents = 16

type emitted struct {
	sinks   []string
	event   Event  // its fields and maps are still the user's
	payload []byte // the event as it was when it was emitted
	err     error  // why there is no payload
}

func (x *effects) empty() bool {
	return len(x.tablets) == 0 && len(x.puts) == 0 && len(x.events) == 0
}

func (x *effects) reset() {
	clear(x.tablets)
	clear(x.puts)
	clear(x.events)
	clear(x.wakes)
	x.tablets, x.puts, x.events, x.wakes, x.earlier, x.alike, x.looks = x.tablets[:0], x.puts[:0], x.events[:0], x.wakes[:0], nil, nil, 0
}

// emit adds e. The ID is made from what the event is about and its ordinal
// among the like of this cause, never from a log position, so that the same
// cause handled again gives the same ID. It is encoded at once: what it points to
// may be used for the next event, or by goroutines of the user later on.
func (x *effects) emit(source string, sinks []string, e Event) {
	e.Source = source
	if e.ID == "" {
		n, like := 0, e.likeness()
		for y := x; y != nil; y = y.earlier {
			n += y.count(like)
		}
		e.ID = e.stableID(n)
	}
	payload, err := x.payload(&e)
	x.events = append(x.events, emitted{sinks, e, payload, err})
	if x.alike != nil {
		x.alike[e.likeness()]++
	}
}

// count returns how many events of x are alike.
func (x *effects) count(like likeness) (n int) {
	if x.alike == nil && len(x.events) < manyEvents {
		x.looks += len(x.events)
		for i := range x.events {
			if x.events[i].event.likeness() == like {
				n++
			}
		}
		return n
	}
	if x.alike == nil {
		x.alike = make(map[likeness]int, 4*manyEvents)
		x.looks += len(x.events)
		for i := range x.events {
			x.alike[x.events[i].event.likeness()]++
		}
	}
	return x.alike[like]
}

func (x *effects) put(key string, value []byte) {
	x.set(engine.Put{Kind: engine.PutEffect, Key: key, Value: bytes.Clone(value), Delete: value == nil})
}

func (x *effects) set(p engine.Put) {
	key := p.Key
	if i := slices.IndexFunc(x.puts, func(q engine.Put) bool { return q.Key == key }); i >= 0 {
		x.puts[i] = p
		return
	}
	x.puts = append(x.puts, p)
}

// merge adds what a later firing of the group asked for.
func (x *effects) merge(y *effects) {
	x.tablets = append(x.tablets, y.tablets...)
	x.events = append(x.events, y.events...)
	if x.alike != nil {
		for i := range y.events {
			x.alike[y.events[i].event.likeness()]++
		}
	}
	x.wakes = append(x.wakes, y.wakes...)
	for _, p := range y.puts {
		x.set(p)
	}
}

// get returns what this group has put under key; ok is false if nothing.
func (x *effects) get(key string) (value []byte, ok bool) {
	for ; x != nil; x = x.earlier {
		for i := range x.puts {
			if x.puts[i].Key == key {
				return x.puts[i].Value, true
			}
		}
	}
	return nil, false
}

// encode moves the events and puts into b. targets says to which sinks an event
// goes that names these, or none. Without a sink it has nowhere to go and is
// left out.
func (x *effects) encode(b *engine.Batch, targets func(named []string) []string) error {
	b.Puts = append(b.Puts, x.puts...)
	var everyone []string
	for i := range x.events {
		switch {
		case x.events[i].sinks != nil:
			x.events[i].sinks = targets(x.events[i].sinks)
		case everyone == nil:
			everyone = targets(nil)
			fallthrough
		default:
			x.events[i].sinks = everyone
		}
		if len(x.events[i].sinks) == 0 {
			continue
		}
		e := &x.events[i].event
		if err := x.events[i].err; err != nil {
			return &Error{Op: "emit", Subject: e.Source, Err: err}
		}
		b.Events = append(b.Events, engine.Event{Sinks: x.events[i].sinks, Key: e.key(), Payload: x.events[i].payload, Urgent: e.Urgent})
	}
	return nil
}

// sendable returns why encode would refuse one of the events.
func (x *effects) sendable(targets func(named []string) []string) error {
	for i := range x.events {
		e := &x.events[i]
		if _, err := unixNano(e.event.Time); err != nil && len(targets(e.sinks)) > 0 {
			return &Error{Op: "emit", Subject: e.event.Source, Err: err}
		}
	}
	return nil
}

// roomBytes is how much memory is taken for encoded events at a time, at most: most
// firings emit one event, which takes what it needs. The outbox keeps a piece as long
// as one of the events in it, so it is not large.
const roomBytes = 1 << 10

// payload encodes e. Small events share memory.
func (x *effects) payload(e *Event) ([]byte, error) {
	n := e.roughSize()
	if n > roomBytes/4 {
		return appendEvent(make([]byte, 0, n), e)
	}
	if cap(x.room)-len(x.room) < n {
		x.room = make([]byte, 0, min(max(n, 2*cap(x.room)), roomBytes))
	}
	free := x.room[len(x.room):]
	b, err := appendEvent(free, e)
	if err == nil && len(b) <= cap(free) { // else append has taken other memory
		x.room = x.room[:len(x.room)+len(b)]
	}
	return slices.Clip(b), err
}
