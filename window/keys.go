package window

import (
	"fmt"
	"math"
	"time"
)

// KeyOptions bound what a keyed face keeps. Zero means no bound.
type KeyOptions struct {
	// MaxKeys is how many keys may be known at once.
	MaxKeys   int
	OnMaxKeys KeyPolicy

	// TTL is how far the newest row of a key may lie behind the newest row of
	// all before the key is forgotten: with its open windows given, unless OnTTL
	// is EvictDrop.
	TTL   time.Duration
	OnTTL KeyPolicy

	// MaxBytes is how much memory the windows of all keys may take. A key's own
	// memory is not counted: about 90 bytes.
	MaxBytes   int64
	OnMaxBytes KeyPolicy

	// SharedTime gives all keys one watermark, that of the newest row of any
	// key, so that the windows of silent keys close with the others. Without it
	// each key has a time of its own, and sources whose clocks differ do not
	// make each other's rows late.
	SharedTime bool
}

// KeyPolicy says which key makes room at a cap.
type KeyPolicy uint8

// The policies.
const (
	RefuseNew KeyPolicy = iota // none: rows of new keys (or, over MaxBytes, of keys without open window) are refused
	EvictGive                  // the key longest without a row; its open windows are given, with Reason Evicted
	EvictDrop                  // the key longest without a row; its open windows are lost
)

func (o KeyOptions) validate() error {
	switch {
	case o.MaxKeys < 0:
		return bad("maxKeys", o.MaxKeys, "should not be negative")
	case o.TTL < 0:
		return bad("ttl", o.TTL, "should not be negative")
	case o.MaxBytes < 0:
		return bad("maxBytes", o.MaxBytes, "should not be negative")
	case o.OnMaxKeys > EvictDrop || o.OnTTL > EvictDrop || o.OnMaxBytes > EvictDrop:
		return bad("policy", fmt.Sprint(o.OnMaxKeys, o.OnTTL, o.OnMaxBytes), "is unknown")
	}
	return nil
}

// entry is a key and its state. newest is the time of its newest row, or the
// watermark where only that is needed.
type entry[K comparable, S any] struct {
	key        K
	newest     int64
	state      *S // nil: no window is open
	prev, next int32
	id         int32
	turn       uint32 // changes when the entry is given to another key
}

const chunk = 256

// keys finds entries by key and, where a bound needs it, knows which has been
// without a row for longest.
type keys[K comparable, S any] struct {
	opts   KeyOptions
	index  *keyIndex[K]
	chunks []*[chunk]entry[K, S]
	free   []int32
	used   int32
	lru    bool
	oldest int32 // -1: none
	last   int32
	newest int64 // of all keys
	bytes  int64

	evicted, refused uint64
}

func newKeys[K comparable, S any](o KeyOptions) *keys[K, S] {
	k := &keys[K, S]{opts: o, oldest: -1, last: -1, newest: math.MinInt64,
		lru: o.TTL > 0 || o.OnMaxKeys != RefuseNew || o.OnMaxBytes != RefuseNew}
	k.index = newKeyIndex(func(id int32) *K { return &k.at(id).key })
	return k
}

func (k *keys[K, S]) at(id int32) *entry[K, S] { return &k.chunks[id/chunk][id%chunk] }

func (k *keys[K, S]) find(key K) *entry[K, S] {
	if id, ok := k.index.find(key); ok {
		return k.at(id)
	}
	return nil
}

// add makes an entry for a key that has none.
func (k *keys[K, S]) add(key K) *entry[K, S] {
	var id int32
	if n := len(k.free); n > 0 {
		id, k.free = k.free[n-1], k.free[:n-1]
	} else {
		id = k.used
		k.used++
		if int(id/chunk) == len(k.chunks) {
			k.chunks = append(k.chunks, new([chunk]entry[K, S]))
		}
	}
	e := k.at(id)
	*e = entry[K, S]{key: key, id: id, newest: math.MinInt64, turn: e.turn + 1, prev: -1, next: -1}
	k.index.add(key, id)
	if k.lru {
		k.append(e)
	}
	return e
}

func (k *keys[K, S]) remove(e *entry[K, S]) {
	k.index.remove(e.key, e.id)
	if k.lru {
		k.unlink(e)
	}
	var none K
	e.key, e.state = none, nil
	e.turn++
	k.free = append(k.free, e.id)
}

// touch makes e the last that will be evicted.
func (k *keys[K, S]) touch(e *entry[K, S]) {
	if k.lru && k.last != e.id {
		k.unlink(e)
		k.append(e)
	}
}

func (k *keys[K, S]) append(e *entry[K, S]) {
	e.prev, e.next = k.last, -1
	if k.last >= 0 {
		k.at(k.last).next = e.id
	} else {
		k.oldest = e.id
	}
	k.last = e.id
}

func (k *keys[K, S]) unlink(e *entry[K, S]) {
	if e.prev >= 0 {
		k.at(e.prev).next = e.next
	} else {
		k.oldest = e.next
	}
	if e.next >= 0 {
		k.at(e.next).prev = e.prev
	} else {
		k.last = e.prev
	}
}

// stale returns the key longest without a row if its time is over.
func (k *keys[K, S]) stale() *entry[K, S] {
	if k.opts.TTL == 0 || k.oldest < 0 {
		return nil
	}
	if e := k.at(k.oldest); e.newest < satSub(k.newest, int64(k.opts.TTL)) {
		return e
	}
	return nil
}

// sweepMost is how many keys one call forgets at most for TTL, so that no call
// takes long; a call makes one key at most, hence none stay behind for good.
const sweepMost = 64

// all calls f for each entry, in the order the keys came unless keys were
// forgotten, until it returns false. f may remove its entry.
func (k *keys[K, S]) all(f func(*entry[K, S]) bool) {
	for id := range k.used {
		if e := k.at(id); e.turn%2 == 1 && !f(e) {
			return
		}
	}
}

// KeyStats are the counts of a keyed face.
type KeyStats struct {
	Stats
	Keys    int    // keys known now
	Open    int    // keys with open windows
	Evicted uint64 // keys that a cap or TTL made go
}
