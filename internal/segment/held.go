package segment

import (
	"sync"
	"sync/atomic"
)

// held keeps checked blocks of files as they are encoded, those that are read
// again and again: a system call and a checksum cost more than to decode them. A
// block is kept when it is read three times with no more than one other of its place
// between two of them: a copy takes longer than a read of a block beside the one
// before. Who reads everything once or twice, or much more than there is room for,
// leaves most as it is. What is kept never changes. Looking takes no lock.
type held struct {
	limit int64
	slots []heldSlot // a power of two, or none; a block has two places
	used  atomic.Int64

	mu   sync.Mutex // of what is put in
	hand int        // slot that is looked at next when room is needed
}

type heldSlot struct {
	block atomic.Pointer[heldBlock]
	seen  atomic.Uint32 // a block that was read and is not kept, by its hash; see saw
}

type heldBlock struct {
	reader *Reader
	offset int64
	bytes  []byte // without the checksum
	again  atomic.Bool
}

const (
	// leastHeld is the least room for which blocks are kept at all: a device at the
	// edge has none to spare.
	leastHeld = 1 << 20
	// heldSize is what a block takes beside its bytes: it, and its share of slots.
	heldSize = 96
	// slotRoom is the room for blocks that there is a slot for, about a block.
	slotRoom = 1 << 10
	// heldPart is the part of the room, one in so many, that a block takes at most.
	heldPart = 64
)

// room makes h, which is empty, keep at most limit bytes.
func (h *held) room(limit int64) {
	if limit < leastHeld {
		return
	}
	n := 2
	for int64(n)*slotRoom < limit {
		n *= 2
	}
	h.limit, h.slots = limit, make([]heldSlot, n)
}

// heldHash spreads blocks over slots and is never 0.
func heldHash(r *Reader, offset int64) uint32 {
	return uint32((uint64(offset)+r.head.FileNo<<40)*0x9E3779B97F4A7C15>>32) | 1<<31
}

func (b *heldBlock) is(r *Reader, offset int64) bool {
	return b != nil && b.offset == offset && b.reader == r
}

// get returns the checked bytes of a block, nil if it is not kept.
func (h *held) get(r *Reader, ref Ref) []byte {
	if len(h.slots) == 0 {
		return nil
	}
	at := int(heldHash(r, ref.Offset)) & (len(h.slots) - 1)
	for _, i := range [2]int{at, at ^ 1} {
		if b := h.slots[i].block.Load(); b.is(r, ref.Offset) && len(b.bytes) == int(ref.Length) {
			if !b.again.Load() {
				b.again.Store(true)
			}
			return b.bytes
		}
	}
	return nil
}

// saw notes that the block with a hash was read, and reports whether it was read
// twice not long ago.
func (s *heldSlot) saw(hash uint32) bool {
	const (
		old   = 1 // another was read since
		twice = 2
		marks = old | twice
	)
	switch seen := s.seen.Load(); {
	case seen != 0 && seen|marks == hash|marks:
		if seen&twice != 0 {
			s.seen.Store(0)
			return true
		}
		s.seen.Store(hash&^marks | twice)
	case seen != 0 && seen&old == 0:
		s.seen.Store(seen | old)
	default:
		s.seen.Store(hash &^ marks)
	}
	return false
}

// put keeps a copy of the checked bytes of the block at an offset, which was not
// kept, if it was read twice not long ago.
func (h *held) put(r *Reader, offset int64, bytes []byte) {
	if len(h.slots) == 0 || int64(len(bytes)) > h.limit/heldPart {
		return
	}
	hash := heldHash(r, offset)
	at := int(hash) & (len(h.slots) - 1)
	if !h.slots[at].saw(hash) {
		return
	}
	b := &heldBlock{reader: r, offset: offset, bytes: append([]byte(nil), bytes...)}
	h.mu.Lock()
	defer h.mu.Unlock()
	old, other := h.slots[at].block.Load(), h.slots[at^1].block.Load()
	if old.is(r, offset) || other.is(r, offset) { // another goroutine read it too
		return
	}
	if old != nil && (other == nil || old.again.Load() && !other.again.Load()) {
		at ^= 1
	}
	h.set(at, b)
	for n := 2 * len(h.slots); n > 0 && h.used.Load() > h.limit; n-- {
		h.hand = (h.hand + 1) & (len(h.slots) - 1)
		switch b := h.slots[h.hand].block.Load(); {
		case b == nil || h.hand == at:
		case b.again.Load():
			b.again.Store(false)
		default:
			h.set(h.hand, nil)
		}
	}
}

// set puts b, or nothing, into slot i.
func (h *held) set(i int, b *heldBlock) {
	s := &h.slots[i]
	h.used.Add(b.size() - s.block.Load().size())
	s.block.Store(b)
}

func (b *heldBlock) size() int64 {
	if b == nil {
		return 0
	}
	return int64(cap(b.bytes)) + heldSize
}

// forget drops the blocks of a reader that is closed.
func (h *held) forget(r *Reader) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.slots {
		if b := h.slots[i].block.Load(); b != nil && b.reader == r {
			h.set(i, nil)
		}
	}
}
