package tickwell

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestDropReachesManyHandles: of a device of which more handles are in use than the
// engine keeps shapes of, all learn that their series was dropped: what they then
// store goes to the series made anew, and is there after the store is opened again.
func TestDropReachesManyHandles(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	db := openDir(t, dir, nil)
	const handles = 70
	path := func(i int) string { return fmt.Sprintf("root.d.s%d", i) }
	var all []*Series[int64]
	for i := range handles {
		s, err := SeriesOf[int64](db, path(i))
		require.NoError(t, err)
		for k := range int64(40) { // until points wait in front of the columns
			require.NoError(t, s.Insert(ctx, ns(k), k))
		}
		all = append(all, s)
	}
	row := func(i int, at int64) *Tablet {
		return &Tablet{Device: "root.d", Times: []int64{at}, Columns: []Column{{Name: fmt.Sprintf("s%d", i), Data: Int64s{at}}}}
	}
	require.NoError(t, db.InsertTablets(ctx, row(1, 41), row(2, 41)))
	for i := range 10 {
		require.NoError(t, db.DropSeries(ctx, path(i)))
	}
	require.NoError(t, db.DropSeries(ctx, path(handles-1)))
	require.NoError(t, db.InsertTablets(ctx, row(1, 999), row(2, 999)))
	for _, s := range all {
		require.NoError(t, s.Insert(ctx, ns(1000), 1000))
	}
	require.NoError(t, db.InsertTablets(ctx, row(1, 1001), row(2, 1001)))
	look := func(when string) {
		for i := range handles {
			want := []int64{1000}
			if i == 1 || i == 2 {
				want = []int64{999, 1000, 1001}
			}
			s, err := SeriesOf[int64](db, path(i))
			require.NoError(t, err)
			var got []int64
			for p, err := range s.Range(ctx, ns(42), time.Time{}) {
				require.NoError(t, err)
				got = append(got, p.Value)
			}
			require.Equal(t, want, got, "series %d %s", i, when)
		}
	}
	look("at once")
	require.NoError(t, db.Close())
	db = openDir(t, dir, nil)
	look("after opening again")
	require.Empty(t, db.Recovery().Damage)
}
