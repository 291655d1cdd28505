package engine

import (
	"encoding/binary"
	"slices"
	"sort"
)

// marks is a list of positions in order, each with a size, in a few bytes each:
// a backlog of a million events takes some megabytes. Positions are added behind
// and taken from the front.
type marks struct {
	blocks []markBlock
	n      int
	last   Pos
	// The front, decoded; used is how many of the first block are gone.
	front     Pos
	frontSize int64
	used      int
	off       int // in the data of the first block, behind the front
}

// markBlock is up to markBlockLen positions. data has the size of the first, and
// for each other the distance of its LSN, then its ordinal, or the distance of
// that if the LSN is the same, and its size, as uvarints.
type markBlock struct {
	first Pos
	n     int
	data  []byte
}

const markBlockLen = 256

// push adds a position behind all others and reports whether it was one.
func (m *marks) push(p Pos, size int64) bool {
	if m.n > 0 && !m.last.Less(p) {
		return false
	}
	k := len(m.blocks) - 1
	switch {
	case m.n == 0:
		if k < 0 {
			m.blocks = append(m.blocks, markBlock{})
		}
		m.blocks[0] = markBlock{first: p, n: 1, data: appendUvarint(m.blocks[0].data[:0], uint64(size))}
		m.front, m.frontSize, m.used, m.off = p, size, 0, len(m.blocks[0].data)
	case m.blocks[k].n == markBlockLen:
		data := make([]byte, 0, len(m.blocks[k].data)+16)
		m.blocks = append(m.blocks, markBlock{first: p, n: 1, data: appendUvarint(data, uint64(size))})
	default:
		b := &m.blocks[k]
		b.data = appendUvarint(b.data, p.LSN-m.last.LSN)
		ord := p.Ord
		if p.LSN == m.last.LSN {
			ord -= m.last.Ord
		}
		b.data = appendUvarint(b.data, uint64(ord))
		b.data = appendUvarint(b.data, uint64(size))
		b.n++
	}
	m.last = p
	m.n++
	return true
}

// next decodes the position at off that follows p.
func (b *markBlock) next(p Pos, off int) (Pos, int64, int) {
	lsn, n := binary.Uvarint(b.data[off:])
	off += n
	ord, n := binary.Uvarint(b.data[off:])
	off += n
	size, n := binary.Uvarint(b.data[off:])
	off += n
	if lsn == 0 {
		ord += uint64(p.Ord)
	}
	return Pos{p.LSN + lsn, uint32(ord)}, int64(size), off
}

// start decodes the first position.
func (b *markBlock) start() (Pos, int64, int) {
	size, off := binary.Uvarint(b.data)
	return b.first, int64(size), off
}

// pop takes the front away.
func (m *marks) pop() {
	if m.n--; m.n == 0 {
		m.blocks = m.blocks[:1]
		return
	}
	if m.used++; m.used < m.blocks[0].n {
		m.front, m.frontSize, m.off = m.blocks[0].next(m.front, m.off)
		return
	}
	m.blocks[0] = markBlock{}
	m.blocks = m.blocks[1:]
	m.used = 0
	m.front, m.frontSize, m.off = m.blocks[0].start()
}

// after calls f for the positions after p, in order, until it returns false.
func (m *marks) after(p Pos, f func(p Pos, size int64) bool) {
	if m.n == 0 {
		return
	}
	k := sort.Search(len(m.blocks), func(i int) bool { return p.Less(m.blocks[i].first) }) - 1
	for k = max(k, 0); k < len(m.blocks); k++ {
		b := &m.blocks[k]
		var at Pos
		var size int64
		i, off := 0, 0
		if k == 0 {
			i, at, size, off = m.used, m.front, m.frontSize, m.off
		} else {
			at, size, off = b.start()
		}
		for {
			if p.Less(at) && !f(at, size) {
				return
			}
			if i++; i == b.n {
				break
			}
			at, size, off = b.next(at, off)
		}
	}
}

// bytes returns the memory that the list takes.
func (m *marks) bytes() int64 {
	n := int64(cap(m.blocks)) * 48
	for i := range m.blocks {
		n += int64(cap(m.blocks[i].data))
	}
	return n
}

// tail is the newest events, in order, with what they carry. On disk it is a
// cache of what the log holds too, and the only place of what the log has
// refused; in memory mode it is all there is.
type tail struct {
	events []tailEvent // those before head are gone
	head   int
	bytes  int64
	spent  int // of events[head:]: wanted by nobody any more
}

type tailEvent struct {
	Entry
	sinks []string
	refs  int // queues that it waits in
}

func (t *tail) push(e Entry, sinks []string, refs int) {
	t.events = append(t.events, tailEvent{e, sinks, refs})
	t.bytes += entryBytes(e.Key, e.Payload)
}

// first returns the position from which on every event is here.
func (t *tail) first() (Pos, bool) {
	if t.head == len(t.events) {
		return Pos{}, false
	}
	return t.events[t.head].Pos, true
}

// from returns the index of the first event not before p.
func (t *tail) from(p Pos) int {
	live := t.events[t.head:]
	i, _ := slices.BinarySearchFunc(live, p, func(e tailEvent, p Pos) int { return e.Pos.compare(p) })
	return t.head + i
}

func (t *tail) find(p Pos) *tailEvent {
	if i := t.from(p); i < len(t.events) && t.events[i].Pos == p {
		return &t.events[i]
	}
	return nil
}

// release says that one queue has no use for an event any more.
func (t *tail) release(p Pos) {
	e := t.find(p)
	if e == nil {
		return
	}
	if e.refs--; e.refs > 0 {
		return
	}
	t.bytes -= entryBytes(e.Key, e.Payload)
	e.Key, e.Payload, e.sinks = "", nil, nil
	t.spent++
	for t.head < len(t.events) && t.events[t.head].refs == 0 {
		t.drop()
	}
	if live := len(t.events) - t.head; t.spent > 1024 && t.spent*2 > live {
		t.events = slices.DeleteFunc(t.events[t.head:], func(e tailEvent) bool { return e.refs == 0 })
		t.head, t.spent = 0, 0
	}
}

// drop takes the first event away.
func (t *tail) drop() {
	e := &t.events[t.head]
	if e.refs > 0 {
		t.bytes -= entryBytes(e.Key, e.Payload)
	} else {
		t.spent--
	}
	*e = tailEvent{}
	if t.head++; t.head == len(t.events) || t.head >= 1024 && t.head*2 >= len(t.events) {
		n := copy(t.events, t.events[t.head:])
		clear(t.events[n:])
		t.events, t.head = t.events[:n], 0
	}
}
