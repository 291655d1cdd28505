package engine

import (
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSpareOutlivesCollections(t *testing.T) {
	collect := func() {
		for range 3 {
			runtime.GC()
		}
	}
	var s Spare[[]byte]
	a := s.Get()
	*a = make([]byte, 100)
	s.Put(a, false)
	collect()
	require.Same(t, a, s.Get())
	s.Put(a, true)
	collect()
	require.NotSame(t, a, s.Get(), "a large one is dropped")
}

// TestSpareIsLentOnce: two users never hold the same piece.
func TestSpareIsLentOnce(t *testing.T) {
	var s Spare[int]
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for range 2000 {
				v := s.Get()
				*v++ // the race detector sees who else does
				s.Put(v, i == 0)
			}
		})
	}
	wg.Wait()
}
