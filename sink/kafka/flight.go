package kafka

import (
	"bytes"
	"context"
	"errors"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// delivery is a record on its way. A record that was once handed to the client
// may be written at any time, also after an attempt has ended without an answer,
// so the next attempt waits for it instead of sending it again: the client keeps
// its number in the partition, and the broker drops repetitions of a number.
type delivery struct {
	record  kgo.Record
	flight  *flight
	attempt *attempt // that waits for it; nil: none
	settled bool
	alone   bool // no other was with the client until it was settled
	err     error
	left    uint64 // when its attempt ended
}

// attempt is one call of Handle.
type attempt struct {
	waits int // for so many deliveries, and one for Handle itself
	done  chan struct{}
}

// flight guards all deliveries of a client. It keeps those whose attempt ended
// before they were settled, in order.
type flight struct {
	mu       sync.Mutex
	orphans  []*delivery
	attempts uint64

	under  int  // deliveries that the client has and did not settle
	single bool // one is sent alone: no other is handed to the client
	calm   sync.Cond
}

func newFlight() *flight {
	f := &flight{}
	f.calm.L = &f.mu
	return f
}

// await returns true when what ok says holds, false if ctx ends before. The flight
// is locked.
func (f *flight) await(ctx context.Context, ok func() bool) bool {
	if ok() {
		return true
	}
	defer context.AfterFunc(ctx, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.calm.Broadcast()
	})()
	for !ok() {
		if ctx.Err() != nil {
			return false
		}
		f.calm.Wait()
	}
	return true
}

// forgetAfter is how many attempts an orphan that was settled is kept for the
// next attempt of the same event. That comes soon, unless the event was given up
// for its age.
const forgetAfter = 1024

func newAttempt() *attempt { return &attempt{waits: 1, done: make(chan struct{})} }

// settle is called by the client when a record was written or given up.
func (d *delivery) settle(_ *kgo.Record, err error) {
	f := d.flight
	f.mu.Lock()
	defer f.mu.Unlock()
	d.settled, d.err = true, err
	if f.under--; f.under == 0 {
		f.calm.Broadcast()
	}
	if d.attempt != nil {
		d.attempt.less()
	}
}

// less counts down; the flight is locked.
func (a *attempt) less() {
	if a.waits--; a.waits == 0 {
		close(a.done)
	}
}

// produce hands d to the client unless the same record is under way already,
// and returns the one that a waits for; nil if ctx ends before it can.
func (st *state) produce(ctx context.Context, a *attempt, d *delivery) *delivery {
	f := st.flight
	f.mu.Lock()
	if old := f.claim(d); old != nil {
		if !old.settled {
			old.attempt = a
			a.waits++
		}
		f.mu.Unlock()
		return old
	}
	if !f.await(ctx, func() bool { return !f.single }) {
		f.mu.Unlock()
		return nil
	}
	d.flight, d.attempt = f, a
	a.waits++
	f.under++
	f.mu.Unlock()
	st.client.TryProduce(st.ctx, &d.record, d.settle)
	return d
}

// claim takes the orphan of the same record out, if there is one.
func (f *flight) claim(d *delivery) *delivery {
	for i, old := range f.orphans {
		if same(&old.record, &d.record) {
			f.orphans = append(f.orphans[:i], f.orphans[i+1:]...)
			return old
		}
	}
	return nil
}

// same compares what identifies a record and what it says.
func same(a, b *kgo.Record) bool {
	return bytes.Equal(a.Headers[0].Value, b.Headers[0].Value) && bytes.Equal(a.Key, b.Key) && bytes.Equal(a.Value, b.Value)
}

// wait sends what is buffered and returns when a has nothing left to wait for or
// ctx ends.
func (st *state) wait(ctx context.Context, a *attempt) {
	st.flight.mu.Lock()
	a.less()
	st.flight.mu.Unlock()
	_ = st.client.Flush(ended) // returns at once, having told the client not to linger
	select {
	case <-a.done:
	case <-ctx.Done():
	}
}

// ended is a context that has.
var ended = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// verdict returns what became of d.
func (f *flight) verdict(d *delivery) (settled bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return d.settled, d.err
}

// leave ends an attempt: what is not settled becomes an orphan and is returned.
// The others will not change any more.
func (f *flight) leave(batch []*delivery) map[*delivery]bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.attempts++
	kept := f.orphans[:0]
	for _, d := range f.orphans {
		if !d.settled || f.attempts-d.left < forgetAfter {
			kept = append(kept, d)
		}
	}
	clear(f.orphans[len(kept):])
	f.orphans = kept
	var unsettled map[*delivery]bool
	for _, d := range batch {
		if d == nil || d.settled {
			continue
		}
		if unsettled == nil {
			unsettled = make(map[*delivery]bool)
		}
		unsettled[d] = true
		d.attempt, d.left = nil, f.attempts
		f.orphans = append(f.orphans, d)
	}
	return unsettled
}

// alone sends records again, one by one, that were refused in a batch: brokers
// refuse a batch as a whole, whichever of its records is at fault. Those that
// there is no time for stay refused and not alone.
func (st *state) alone(ctx context.Context, batch []*delivery) {
	for _, d := range batch {
		if ctx.Err() != nil {
			return
		}
		if d == nil || d.alone {
			continue
		}
		if settled, err := st.flight.verdict(d); settled && refused(err) {
			st.sendAlone(ctx, d)
		}
	}
}

// sendAlone sends d while the client has no other record, of other attempts neither:
// it puts into a batch what is there.
func (st *state) sendAlone(ctx context.Context, d *delivery) {
	f := st.flight
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.await(ctx, func() bool { return !f.single }) {
		return
	}
	f.single = true
	defer func() {
		f.single = false
		f.calm.Broadcast()
	}()
	if !f.await(ctx, func() bool { return f.under == 0 }) {
		return
	}
	a := newAttempt()
	d.settled, d.err, d.attempt, d.alone = false, nil, a, true
	a.waits++
	f.under++
	f.mu.Unlock()
	st.client.TryProduce(st.ctx, &d.record, d.settle)
	st.wait(ctx, a)
	f.mu.Lock()
	d.alone = d.settled // else others may come to it
}

// refused reports whether an answer is about what a batch holds.
func refused(err error) bool {
	return errors.Is(err, kerr.MessageTooLarge) || errors.Is(err, kerr.RecordListTooLarge) ||
		errors.Is(err, kerr.InvalidRecord) || errors.Is(err, kerr.InvalidTimestamp)
}
