package engine

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/vfs"
)

// TestDeleteOfDropped: of the series that a delete names some may have been dropped
// since they were looked up; the others' points are gone, also after the store is
// opened again, and nothing is said to be damaged.
func TestDeleteOfDropped(t *testing.T) {
	fs := vfs.NewMem()
	e := open(t, diskConfig(fs))
	gone, stays, other := floatShape(t, e, "root.d", "gone"), floatShape(t, e, "root.d", "stays"), floatShape(t, e, "root.other", "gone")
	for _, s := range []*Shape{gone, stays, other} {
		put(t, e, s, []int64{1, 2, 3}, 1, 2, 3)
	}
	_, err := e.Commit(bg, &Batch{Drops: []*Series{gone.Series()[0], other.Series()[0]}}, false)
	require.NoError(t, err)
	_, err = e.Commit(bg, &Batch{Deletes: []Delete{{Series: []*Series{gone.Series()[0], stays.Series()[0], other.Series()[0]}, From: 1, To: 3}}}, false)
	require.NoError(t, err)
	made := floatShape(t, e, "root.d", "gone") // anew
	put(t, e, made, []int64{2}, 4)
	for _, when := range []string{"at once", "after opening again", "after a flush"} {
		for s, want := range map[string]map[int64]float64{"stays": {3: 3}, "gone": {2: 4}} {
			ser, ok := e.Lookup("root.d", s)
			require.True(t, ok, when)
			require.Equal(t, want, points(t, e, ser), "%s %s", s, when)
		}
		require.Empty(t, e.Report().LostLog)
		if when == "after opening again" {
			require.NoError(t, e.Flush(bg))
		}
		require.NoError(t, e.Close())
		e = open(t, diskConfig(fs))
	}
}
