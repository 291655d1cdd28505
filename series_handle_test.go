package tickwell

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestSeriesOfExisting: a handle of a series that exists is made in one piece and
// does what any other does: it reads, writes, by way of the short and the long way,
// and knows names in any form.
func TestSeriesOfExisting(t *testing.T) {
	ctx := context.Background()
	db, err := Open(ctx, "", nil)
	require.NoError(t, err)
	defer db.Close()
	at := time.UnixMilli(1_700_000_000_000).UTC()
	require.NoError(t, db.Insert(ctx, "plant.`a b`", at, Float64("t", 1), Int64("`n n`", 7)))
	first, err := SeriesOf[float64](db, "plant.`a b`.t")
	require.NoError(t, err)
	quoted, err := SeriesOf[float64](db, "`plant`.`a b`.`t`")
	require.NoError(t, err)
	require.NoError(t, first.Insert(ctx, at.Add(time.Second), 2))
	require.NoError(t, quoted.Insert(ctx, at.Add(2*time.Second), 3))
	n, err := SeriesOf[int64](db, "plant.`a b`.`n n`")
	require.NoError(t, err)
	require.NoError(t, n.Insert(ctx, at.Add(time.Second), 8))
	for _, s := range []*Series[float64]{first, quoted} {
		var got []float64
		for p, err := range s.Range(ctx, time.Time{}, time.Time{}) {
			require.NoError(t, err)
			got = append(got, p.Value)
		}
		require.Equal(t, []float64{1, 2, 3}, got)
	}
	for _, path := range []string{"plant.`a b`.`n n`", "`plant`.`a b`.`n n`"} {
		_, err = SeriesOf[float64](db, path)
		require.ErrorIs(t, err, ErrKindMismatch)
	}
	_, err = SeriesOf[float64](db, "plant.a b.t")
	require.ErrorIs(t, err, ErrBadInput)

	// A handle outlives its series: the next point makes it anew.
	require.NoError(t, db.DropSeries(ctx, "plant.`a b`.t"))
	require.NoError(t, first.Insert(ctx, at, 9))
	var got []float64
	for p, err := range quoted.Range(ctx, time.Time{}, time.Time{}) {
		require.NoError(t, err)
		got = append(got, p.Value)
	}
	require.Equal(t, []float64{9}, got)

	if !raceEnabled {
		require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
			if _, err := SeriesOf[float64](db, "plant.`a b`.t"); err != nil {
				t.Error(err)
			}
		}), 2.0)
	}
	require.NoError(t, db.Close())
	_, err = SeriesOf[float64](db, "plant.`a b`.t")
	require.ErrorIs(t, err, ErrClosed)
	for _, err := range first.Range(ctx, time.Time{}, time.Time{}) {
		require.ErrorIs(t, err, ErrClosed)
	}
}

// TestHandlesReadWhatIsThere: a handle that has read a series reads none that was
// dropped, and the one that is made anew, or says that it is of another kind.
func TestHandlesReadWhatIsThere(t *testing.T) {
	ctx := context.Background()
	for _, dir := range []string{"", "data"} {
		db := openDir(t, dir, &Options{FS: memFS(), Logger: openMemLogger()})
		at := time.UnixMilli(1_700_000_000_000).UTC()
		require.NoError(t, db.Insert(ctx, "d", at, Float64("s", 1)))
		s, err := SeriesOf[float64](db, "d.s")
		require.NoError(t, err)
		read := func() (got []float64) {
			for p, err := range s.Range(ctx, at, time.Time{}) {
				require.NoError(t, err)
				got = append(got, p.Value)
			}
			return got
		}
		require.Equal(t, []float64{1}, read())
		require.NoError(t, db.DropSeries(ctx, "d.s"))
		require.Empty(t, read())
		require.NoError(t, db.Insert(ctx, "d", at.Add(time.Second), Float64("s", 2)))
		require.Equal(t, []float64{2}, read())
		require.NoError(t, db.DropSeries(ctx, "d.s"))
		require.NoError(t, db.Insert(ctx, "d", at, Int64("s", 3)))
		for _, err := range s.Range(ctx, at, time.Time{}) {
			require.ErrorIs(t, err, ErrKindMismatch)
		}
		require.NoError(t, db.Close())
	}
}

// The newest points of a series are read with one allocation, that of the handle.
func TestNewestPointsAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for _, dir := range []string{"", "data"} {
		db, _ := fillSeries(t, dir, 3000, Options{})
		require.NoError(t, db.Flush(context.Background()))
		require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
			s, err := SeriesOf[int64](db, "root.d.s")
			must(t, err)
			n := 0
			for b, err := range s.Blocks(context.Background(), ns(2970), ns(3000)) {
				must(t, err)
				n += len(b.Times)
			}
			if n != 30 {
				t.Fatalf("%d points, want 30", n)
			}
		}), 1.0, dir)
	}
}
