package engine

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Points share a position until a commit takes one or the last is cut off; what comes
// after has a later one.
func TestPositions(t *testing.T) {
	var p positions
	require.Zero(t, p.last())
	require.EqualValues(t, 1, p.shared())
	require.EqualValues(t, 1, p.shared())
	require.EqualValues(t, 2, p.next())
	require.EqualValues(t, 3, p.next())
	require.EqualValues(t, 3, p.cut())
	require.EqualValues(t, 4, p.shared())
	require.EqualValues(t, 4, p.cut())
	require.EqualValues(t, 4, p.last())
	require.EqualValues(t, 5, p.shared())
}

// Of many at once no two commits have one position, and a point that begins after a
// commit or a cut has a later one than that.
func TestPositionsOfMany(t *testing.T) {
	var p positions
	var all sync.WaitGroup
	taken := make([][]uint64, 3)
	for i := range taken {
		all.Go(func() {
			for n := range 3000 {
				lsn := p.next()
				taken[i] = append(taken[i], lsn)
				if at := p.shared(); at <= lsn {
					t.Errorf("a point after commit %d has position %d", lsn, at)
				}
				if n%3 == 0 {
					if cut, at := p.cut(), p.shared(); at <= cut {
						t.Errorf("a point after a cut at %d has position %d", cut, at)
					}
				}
			}
		})
	}
	all.Wait()
	list := slices.Concat(taken...)
	slices.Sort(list)
	require.Len(t, slices.Compact(list), 9000)
}

// What forbids single points does so for good: a time to live, somebody who watches
// rows, reading only, the end.
func TestGateStaysShut(t *testing.T) {
	point := func(e *Engine, s *Shape) bool {
		stored, err := e.AppendPoint(bg, s, 1000, 1, 0)
		require.NoError(t, err)
		return stored
	}
	e, shapes := pointStore(t, memConfig(), "d")
	e.Watch(true)
	e.SetTerms(0, func(uint64) {})
	require.False(t, point(e, shapes[0]), "watched")
	e.Watch(false)
	require.True(t, point(e, shapes[0]))

	e, shapes = pointStore(t, memConfig(), "d")
	require.NoError(t, e.SetTTL(bg, "d", time.Hour))
	e.SetTerms(0, func(uint64) {})
	require.False(t, point(e, shapes[0]), "with a time to live")

	e, shapes = pointStore(t, memConfig(), "d")
	require.NoError(t, e.Close())
	require.False(t, point(e, shapes[0]), "closed")

	cfg := memConfig()
	cfg.ReadOnly = true
	require.False(t, open(t, cfg).mayPass(), "only to be read")
}
