package memtable

import (
	"sync"
	"unsafe"
)

// Columns of many devices grow at the same time, and most are small: their memory is
// cut from larger pieces, so that a thousand series do not make a thousand pieces each
// time. What is cut is not given back by itself: a piece is free when all that was cut
// from it is. So only what has grown as often comes from one piece, as it is left at
// about the same time, and a series that stays small keeps no more than maxCuts times
// what it needs.

const (
	slabWords = 8 << 10 // of a piece at most
	maxCuts   = 16      // from a piece
	growSteps = 4       // of columns: 16, 64, 256 and 1,024 rows or so
)

// slabs is the memory of columns of eight bytes a cell that is still to be cut. Safe
// for concurrent use.
type slabs struct {
	mu    sync.Mutex
	steps [growSteps]slab
}

type slab struct {
	free []uint64
	cut  int // how often
}

// take returns memory of some words for columns that grow for the step-th time. A table
// of few series takes little more than they need.
func (s *slabs) take(step, words int) []uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &s.steps[min(step, growSteps-1)]
	p.cut++
	if words > len(p.free) {
		n := min(p.cut/4, maxCuts, slabWords/max(words, 1))
		if n < 2 {
			return make([]uint64, words)
		}
		p.free = make([]uint64, n*words)
	}
	piece := p.free[:words:words]
	p.free = p.free[words:]
	return piece
}

// wordsAs is room as numbers of another type of eight bytes.
func wordsAs[T int64 | float64](room []uint64) []T {
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(room))), len(room))
}
