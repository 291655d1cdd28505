package memtable

import (
	"sync"
	"unsafe"

	"github.com/tickwell/tickwell/internal/column"
)

// Many series need the same small things at the same time: they are cut from larger
// pieces of memory, so that a thousand series do not make a thousand pieces each time.
// A piece is free when all that was cut from it is. So columns share only with those
// that have grown as often, which are left at about the same time: a series that stays
// small keeps no more than maxCuts times what it needs. What stays as long as its series
// does share memory only where the table is freed as a whole, see NewWhole.

const (
	slabBytes = 128 << 10 // of a piece at most
	minCuts   = 4         // from a piece, so that what is left of it is little
	maxCuts   = 16        // of columns and encoded bytes
	wholeCuts = 64        // of what is small, and freed with the table
	growSteps = 4         // of columns: 16, 64, 256 and 1,024 rows or so
	line      = 64        // bytes, of the cache
	seldom    = 4         // pieces are a share of this of what was cut before: few series get what they need
)

// slabs is memory that is still to be cut.
type slabs struct {
	steps [growSteps]slab[uint64]

	// Of tables that are freed as a whole.
	sealed  slab[uint64]
	lists   slab[*chunk]
	chunks  slab[singleChunk]
	groups  slab[singleGroup]
	tips    slab[Tip]
	devices slab[Device]
	members slab[member]
	targets slab[target]
	places  slab[*group]
}

// slab is memory of one type. Safe for concurrent use.
type slab[T any] struct {
	mu   sync.Mutex
	free []T
	cut  int // how often
}

// take returns n zero elements, of a piece that most share.
func (s *slab[T]) take(n, most int) []T {
	s.mu.Lock()
	s.cut++
	from := s.free
	if n > len(from) {
		var one T
		many := cuts(s.cut, n, int(unsafe.Sizeof(one)), most)
		from = make([]T, many*n)
	}
	if n <= len(s.free) || len(from)-n > len(s.free) {
		s.free = from[n:]
	}
	s.mu.Unlock()
	return from[:n:n]
}

// cuts returns how many times n elements of a size are made at once, at most that many.
func cuts(cut, n, size, most int) int {
	many := min(cut/seldom, most, slabBytes/(max(n, 1)*size))
	if size == line {
		many = min(many, 8) // of more, with pointers, none begins a line
	}
	if many < minCuts {
		return 1
	}
	return many
}

// words returns memory of n words for columns that grow for the step-th time.
func (s *slabs) words(step, n int) []uint64 {
	return s.steps[min(step, growSteps-1)].take(n, maxCuts)
}

// wordsAs is room as numbers of another type of eight bytes.
func wordsAs[T int64 | float64](room []uint64) []T {
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(room))), len(room))
}

// singleChunk is a chunk of a single series and what it needs when it is encoded.
type singleChunk struct {
	chunk
	sealed Sealed
	stats  [1]sealedColumn
}

// empty returns the encoded chunk that c has room for.
func (c *singleChunk) empty() *Sealed {
	c.sealed.cols = c.stats[:]
	return &c.sealed
}

// singleGroup is a group of a single series with its columns.
type singleGroup struct {
	group
	cols  [1]column.Vector
	nulls [1]column.Bitmap
	own   [1]*group
}

// one returns a zero element, which shares memory where the table is freed as a whole.
func one[T any](t *Table, s *slab[T]) *T {
	if !t.whole {
		return new(T)
	}
	return &s.take(1, wholeCuts)[0]
}

// leave drops what g holds, which is of dropped series only: the memory of g and its
// chunks may stay as long as that of the groups with which it is shared.
//
//go:noinline
func (g *group) leave() {
	for i := range g.lanes {
		for _, c := range g.lanes[i].chunks {
			if c.room != nil {
				*c.room = Sealed{}
			}
			clear(c.rows.cols) // it may be part of g
			c.rows, c.sealed = columns{}, nil
		}
	}
	if p := g.tip; p != nil { // the rest is read without the lock
		p.n, p.room, p.times, p.nums = 0, 0, nil, nil
	}
	clear(g.spare.cols)
	g.lanes, g.saved, g.side, g.spare, g.fresh = nil, nil, side{}, columns{}, nil
}

// chunkList returns an empty list with room for n chunks.
func (t *Table) chunkList(n int) []*chunk {
	if !t.whole {
		return make([]*chunk, 0, n)
	}
	return t.room.lists.take(n, wholeCuts)[:0]
}

// memberList returns an empty list with room for n members.
func (t *Table) memberList(n int) []member {
	if !t.whole {
		return make([]member, 0, n)
	}
	return t.room.members.take(n, wholeCuts)[:0]
}

// copyOf returns a copy of b.
func (t *Table) copyOf(b []byte) []byte {
	if t == nil || !t.whole {
		return append(make([]byte, 0, len(b)), b...)
	}
	words := t.room.sealed.take((len(b)+7)/8, maxCuts)
	to := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), len(b))
	copy(to, b)
	return to
}
