package engine

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/vfs"
)

// A delete hides a point that shared the record before it, the first of its chunk,
// and none that comes after it.
func TestJoinedPointIsDeleted(t *testing.T) {
	e, shapes := pointStore(t, bufferedConfig(vfs.NewMem()), "a", "b")
	defer e.Close()
	clearA := func() {
		_, err := e.Commit(bg, &Batch{Deletes: []Delete{{Series: shapes[0].Series(), From: 0, To: 1 << 40}}}, false)
		require.NoError(t, err)
	}
	point := func(i int, at int64) (lsn uint64) {
		var buf [maxPointRecord]byte
		p, ok := e.addPoint(shapes[i], at, uint64(at), appendPoint(&buf, &shapes[i].layout, at, uint64(at)), 0)
		require.True(t, ok, "point %d of series %d", at, i)
		return p.lsn
	}
	clearA() // its chunk ends
	first := point(1, 100)
	require.Equal(t, first, point(0, 100), "a new chunk begins with a point that shares a record")
	clearA()
	s := e.Snapshot()
	defer s.Release()
	require.Empty(t, pointsShown(t, e, s, []string{"a"}))
	point(0, 200)
	now := e.Snapshot()
	defer now.Release()
	require.Equal(t, "a 200=200\n", pointsShown(t, e, now, []string{"a"}))
}
