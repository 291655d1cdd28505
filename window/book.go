package window

import "math"

// book does what the keyed faces have in common: it finds the state of a key,
// keeps the caps, and closes windows of silent keys.
type book[K comparable, S any] struct {
	keys *keys[K, S]
	do   states[K, S]
	mark int64 // watermark of all keys: from Advance, Flush or SharedTime
	due  dueHeap
	late int64
	open int
}

// states is what a book needs to know of the states it keeps.
type states[K comparable, S any] interface {
	create(e *entry[K, S]) (*S, error)
	// close gives the open windows, or with drop loses them.
	close(s *S, why Reason, drop bool) error
	raise(s *S, mark int64) error
	// due is the watermark at which something closes; idle says that nothing is
	// open, and what must be kept of the state.
	due(s *S) int64
	noted(s *S) *int64 // MaxInt64: not noted
	idle(s *S) (newest int64, ok bool)
	release(s *S)
	bytes(s *S) int64
}

func newBook[K comparable, S any](o KeyOptions, late int64, do states[K, S]) *book[K, S] {
	return &book[K, S]{keys: newKeys[K, S](o), do: do, mark: math.MinInt64, late: late}
}

// find returns the entry of a key, making it where the caps allow. It returns
// nil when the key is refused.
func (b *book[K, S]) find(key K) (e *entry[K, S], err error) {
	if e = b.keys.find(key); e != nil {
		return e, nil
	}
	if key != key {
		b.keys.refused++ // NaN is no key: it would never be found again
		return nil, nil
	}
	o := &b.keys.opts
	if o.MaxKeys > 0 && b.keys.index.n >= o.MaxKeys {
		if o.OnMaxKeys == RefuseNew {
			b.keys.refused++
			return nil, nil
		}
		err = b.evict(b.keys.at(b.keys.oldest), o.OnMaxKeys)
	}
	return b.keys.add(key), err
}

// state returns the state of an entry, making it where the caps allow.
func (b *book[K, S]) state(e *entry[K, S]) (s *S, err error) {
	if e.state != nil {
		return e.state, nil
	}
	o := &b.keys.opts
	if o.MaxBytes > 0 && b.keys.bytes >= o.MaxBytes {
		if o.OnMaxBytes == RefuseNew {
			b.keys.refused++
			return nil, nil
		}
		err = b.shrink(e)
	}
	s, e2 := b.do.create(e)
	if e2 != nil {
		return nil, join(err, e2)
	}
	e.state = s
	b.open++
	b.keys.bytes += b.do.bytes(s)
	return s, err
}

// shrink evicts keys, but not keep, until the memory is below its cap.
func (b *book[K, S]) shrink(keep *entry[K, S]) (err error) {
	o := &b.keys.opts
	if o.MaxBytes == 0 || o.OnMaxBytes == RefuseNew {
		return nil
	}
	for b.keys.bytes >= o.MaxBytes && b.keys.oldest >= 0 && b.keys.oldest != keep.id {
		err = join(err, b.evict(b.keys.at(b.keys.oldest), o.OnMaxBytes))
	}
	return err
}

func (b *book[K, S]) evict(e *entry[K, S], how KeyPolicy) (err error) {
	s := e.state
	b.keys.evicted++
	if s != nil {
		err = b.do.close(s, Evicted, how == EvictDrop)
		b.forget(e)
	}
	b.keys.remove(e)
	return err
}

// forget takes the state from an entry.
func (b *book[K, S]) forget(e *entry[K, S]) {
	b.keys.bytes -= b.do.bytes(e.state)
	b.do.release(e.state)
	e.state = nil
	b.open--
}

// after does what a row of e at ts, now in its state, means for the others.
func (b *book[K, S]) after(e *entry[K, S], ts, bytesBefore int64) (err error) {
	if ts > e.newest {
		e.newest = ts
	}
	b.keys.touch(e)
	if e.state != nil {
		if grown := b.do.bytes(e.state) - bytesBefore; grown != 0 {
			b.keys.bytes += grown
			err = b.shrink(e)
		}
		b.note(e)
	}
	if ts <= b.keys.newest {
		return err
	}
	b.keys.newest = ts
	if b.keys.opts.SharedTime {
		err = join(err, b.advance(satSub(ts, b.late)))
	}
	return join(err, b.sweep())
}

// sweep forgets keys whose time is over.
func (b *book[K, S]) sweep() (err error) {
	for range sweepMost {
		e := b.keys.stale()
		if e == nil {
			return err
		}
		how := b.keys.opts.OnTTL
		if how == RefuseNew {
			how = EvictGive
		}
		err = join(err, b.evict(e, how))
	}
	return err
}

// advance raises the watermark of all keys and closes what it ends.
func (b *book[K, S]) advance(mark int64) (err error) {
	b.mark = max(b.mark, min(mark, math.MaxInt64-1))
	for len(b.due) > 0 && b.due[0].at <= b.mark {
		d := b.due.pop()
		e := b.keys.at(d.id)
		if e.turn != d.turn || e.state == nil || *b.do.noted(e.state) != d.at {
			continue
		}
		*b.do.noted(e.state) = math.MaxInt64
		err = join(err, b.do.raise(e.state, b.mark))
		b.settleEntry(e)
	}
	return err
}

func (b *book[K, S]) settleEntry(e *entry[K, S]) {
	if newest, ok := b.do.idle(e.state); ok {
		e.newest = newest
		b.forget(e)
		return
	}
	b.note(e)
}

// note remembers when a watermark will close something of e. A state is noted
// once; the note may be too early, never too late.
func (b *book[K, S]) note(e *entry[K, S]) {
	// due may be a lower bound; past the watermark it must be, for advance to end
	at, noted := max(b.do.due(e.state), b.mark+1), b.do.noted(e.state)
	if at >= *noted {
		return
	}
	*noted = at
	b.due.push(due{at, e.id, e.turn})
	if len(b.due) > 2*b.open+64 { // notes of keys long gone
		b.renote()
	}
}

// renote makes all notes again.
func (b *book[K, S]) renote() {
	b.due = b.due[:0]
	b.keys.all(func(e *entry[K, S]) bool {
		if e.state != nil {
			*b.do.noted(e.state) = math.MaxInt64
			if at := max(b.do.due(e.state), b.mark+1); at < math.MaxInt64 {
				*b.do.noted(e.state) = at
				b.due.push(due{at, e.id, e.turn})
			}
		}
		return true
	})
}

// closeAll closes the windows of all keys.
func (b *book[K, S]) closeAll(why Reason) (err error) {
	b.keys.all(func(e *entry[K, S]) bool {
		if e.state != nil {
			err = join(err, b.do.close(e.state, why, false))
			b.settleEntry(e)
		}
		return true
	})
	return err
}

// due is a note that a watermark of at closes something of entry id.
type due struct {
	at   int64
	id   int32
	turn uint32
}

// dueHeap has the earliest note first.
type dueHeap []due

func (h dueHeap) less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].id < h[j].id
}

func (h *dueHeap) push(d due) {
	*h = append(*h, d)
	q := *h
	for i := len(q) - 1; i > 0; {
		up := (i - 1) / 2
		if !q.less(i, up) {
			return
		}
		q[i], q[up] = q[up], q[i]
		i = up
	}
}

func (h *dueHeap) pop() due {
	q := *h
	first, n := q[0], len(q)-1
	q[0] = q[n]
	q = q[:n]
	*h = q
	for i := 0; ; {
		low := 2*i + 1
		if low >= n {
			return first
		}
		if low+1 < n && q.less(low+1, low) {
			low++
		}
		if !q.less(low, i) {
			return first
		}
		q[i], q[low] = q[low], q[i]
		i = low
	}
}
