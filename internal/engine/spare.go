package engine

import (
	"sync"
	"sync/atomic"
)

// Spare lends memory that is costly to make, as sync.Pool does, and keeps one
// piece through collections of garbage. On a small heap, where every few inserts
// set one off, a pool alone would be empty most of the time, and what is made
// anew would set off the next. Safe for concurrent use; the zero value is ready.
type Spare[T any] struct {
	pool sync.Pool
	kept atomic.Pointer[T]
}

// Get returns a piece that was given back, or a new one.
func (s *Spare[T]) Get() *T {
	if v, ok := s.pool.Get().(*T); ok {
		return v
	}
	if v := s.kept.Swap(nil); v != nil {
		return v
	}
	return new(T)
}

// Put gives v back. One that has become large is not kept for good.
func (s *Spare[T]) Put(v *T, large bool) {
	if !large && s.kept.Load() == nil && s.kept.CompareAndSwap(nil, v) {
		return
	}
	s.pool.Put(v)
}
