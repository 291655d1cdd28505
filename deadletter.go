package tickwell

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/tickwell/tickwell/internal/codec"
	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/errs"
)

// A DeadLetter is an event that a sink has given up: its target refused it for
// good, or it could not be delivered for too long.
type DeadLetter struct {
	Sink  string // name of the sink that gave it up
	Event Event  // as it was sent
	// Reason is "permanent", "too large", "partial" (refused out of a batch),
	// "expired" (tried for too long) or "poison" (failed again and again while
	// others got through).
	Reason string
	Cause  string // the last error, without secrets, cut at 4 KiB
	// Attempts is how often the event was handed to the sink since the store was
	// opened or the event redriven.
	Attempts                  int
	FirstAttempt, LastAttempt time.Time // by the clock of the store
}

// deadName is the queue in the outbox that keeps the dead letters of a sink.
func deadName(sink string) string { return "\x00dead/" + sink }

// deadVersion begins a dead letter in the outbox. Then come the reason, the
// cause, the attempts, the two times in Unix nanoseconds as varints (0 = none)
// and the event. docs/format/outbox.md has the table.
const deadVersion = 1

func appendDead(b []byte, d *DeadLetter) ([]byte, error) {
	b = append(b, deadVersion)
	b = appendText(appendText(b, d.Reason), d.Cause)
	b = appendUint(b, uint64(max(d.Attempts, 0)))
	for _, at := range []time.Time{d.FirstAttempt, d.LastAttempt} {
		ns := int64(0)
		if !at.IsZero() {
			ns = at.UnixNano()
		}
		b = binary.AppendVarint(b, ns)
	}
	return appendEvent(b, &d.Event)
}

// splitDead decodes a dead letter except for its event, whose bytes it returns.
func splitDead(sink string, src []byte) (DeadLetter, []byte, error) {
	r := wireReader{codec.Reader{Src: src}}
	if v := r.Byte(); v != deadVersion {
		return DeadLetter{}, nil, fmt.Errorf("dead letter of version %d: %w", v, errs.Corrupt)
	}
	d := DeadLetter{Sink: sink, Reason: r.Text(), Cause: r.Text(), Attempts: r.int()}
	for _, at := range []*time.Time{&d.FirstAttempt, &d.LastAttempt} {
		if ns := r.Varint(); ns != 0 {
			*at = instant(ns)
		}
	}
	if r.Bad {
		return DeadLetter{}, nil, fmt.Errorf("dead letter of %d bytes makes no sense: %w", len(src), errs.Corrupt)
	}
	return d, r.Src, nil
}

func decodeDead(sink string, src []byte) (DeadLetter, error) {
	d, event, err := splitDead(sink, src)
	if err == nil {
		d.Event, err = decodeEvent(event)
	}
	return d, err
}

// keepDead puts a dead letter into the outbox. It is in the log before the
// cursor that passes the event, so that a crash in between leaves the event in
// both places rather than in none.
func (db *DB) keepDead(ctx context.Context, d DeadLetter) error {
	payload, err := appendDead(nil, &d)
	if err != nil {
		return err
	}
	_, err = db.eng.Post(ctx, &engine.Batch{Events: []engine.Event{{Sinks: []string{deadName(d.Sink)}, Key: d.Event.key(), Payload: payload}}})
	return err
}

// DeadLetters yields the events that a sink has given up and the store has kept,
// oldest first; they are made durable before. The pair after the last good one
// has the error, if there is one. A sink that does not exist has none.
func (db *DB) DeadLetters(ctx context.Context, sink string) iter.Seq2[DeadLetter, error] {
	return func(yield func(DeadLetter, error) bool) {
		err := db.usable(ctx)
		if err == nil {
			err = db.eng.Sync(ctx)
		}
		if err != nil && !errors.Is(err, errs.ReadOnly) && !errors.Is(err, errs.NoSpace) {
			yield(DeadLetter{}, &Error{Op: "dead letters", Subject: sink, Err: err})
			return
		}
		var after engine.Pos
		for {
			entries, err := db.deadEntries(ctx, sink, after, deadChunk)
			if err != nil {
				yield(DeadLetter{}, &Error{Op: "dead letters", Subject: sink, Err: err})
				return
			}
			if len(entries) == 0 {
				return
			}
			for _, en := range entries {
				after = en.Pos
				d, err := DeadLetter{}, en.Lost
				if err == nil {
					d, err = decodeDead(sink, en.Payload)
				}
				if err != nil {
					err = &Error{Op: "dead letters", Subject: sink, Err: err}
				}
				if !yield(d, err) {
					return
				}
			}
		}
	}
}

// deadChunk is how many dead letters are read, and moved in one log record.
const deadChunk = 256

func (db *DB) deadEntries(ctx context.Context, sink string, after engine.Pos, n int) ([]engine.Entry, error) {
	if err := db.usable(ctx); err != nil {
		return nil, err
	}
	entries, err := db.eng.Outbox().Peek(deadName(sink), after, n)
	if errors.Is(err, errs.NotFound) {
		return nil, nil
	}
	return entries, err
}

// Redrive hands dead letters of a sink to it again, as new events with their old
// IDs behind what is queued: those that pick returns true for, all if it is nil.
// It returns how many, also with an error; then it may be called again. Each
// letter is moved in one log record: it is never lost and never doubled. What
// pick refuses is kept. pick must not call Redrive.
func (db *DB) Redrive(ctx context.Context, sink string, pick func(DeadLetter) bool) (n int, err error) {
	fail := func(err error) error { return &Error{Op: "redrive", Subject: sink, Err: err} }
	if err := db.usable(ctx); err != nil {
		return 0, fail(err)
	}
	if !db.sinks.has(sink) {
		return 0, fail(errs.NotFound)
	}
	token := db.sinks.redriving()
	select {
	case token <- struct{}{}:
	case <-ctx.Done():
		return 0, fail(context.Cause(ctx))
	}
	defer func() { <-token }()
	if err := db.eng.Sync(ctx); err != nil { // what was given up so far is durable, so that it is seen
		return 0, fail(err)
	}
	box := db.eng.Outbox()
	after, end := box.Cursor(deadName(sink)), box.End()
	for {
		entries, err := db.deadEntries(ctx, sink, after, deadChunk)
		if err != nil {
			return n, fail(err)
		}
		for i := range entries {
			if end.Less(entries[i].Pos) { // kept by an earlier round, or given up since
				entries = entries[:i]
				break
			}
		}
		if len(entries) == 0 {
			return n, nil
		}
		b, moved, err := redriven(sink, entries, pick)
		if err != nil {
			return n, fail(err)
		}
		after = entries[len(entries)-1].Pos
		b.Puts = append(b.Puts, box.CursorPut(deadName(sink), after))
		if _, err := db.eng.Commit(ctx, b, false); err != nil && !storedAnyway(err) {
			return n, fail(err)
		}
		box.Ack(deadName(sink), after)
		n += moved
	}
}

func storedAnyway(err error) bool {
	var stored *engine.StoredError
	return errors.As(err, &stored)
}

// redriven is the batch that moves dead letters: to the sink, or to the end of
// where they were.
func redriven(sink string, entries []engine.Entry, pick func(DeadLetter) bool) (b *engine.Batch, moved int, err error) {
	b = &engine.Batch{}
	for _, en := range entries {
		if en.Lost != nil {
			continue // damaged on disk: there is nothing to keep
		}
		d, event, err := splitDead(sink, en.Payload)
		if err == nil {
			d.Event, err = decodeEvent(event)
		}
		chosen := err == nil // one that cannot be read stays, for whoever can mend it
		if chosen && pick != nil {
			if err := call("pick of redrive "+sink, func() error { chosen = pick(d); return nil }); err != nil {
				return nil, 0, err
			}
		}
		to := engine.Event{Sinks: []string{deadName(sink)}, Key: en.Key, Payload: en.Payload, At: en.At}
		if chosen {
			to = engine.Event{Sinks: []string{sink}, Key: en.Key, Payload: event}
			moved++
		}
		b.Events = append(b.Events, to)
	}
	return b, moved, nil
}

// redriving is held by whoever moves dead letters, of any sink.
func (s *sinkSet) redriving() chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.redrive == nil {
		s.redrive = make(chan struct{}, 1)
	}
	return s.redrive
}
