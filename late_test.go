package tickwell

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestTooLateBeforeTriggers: rows that are too late to be kept are refused
// before a BEFORE trigger hears of them, and one by one when asked for.
func TestTooLateBeforeTriggers(t *testing.T) {
	ctx := context.Background()
	var seen []int64
	db := openMem(t, &Options{TTL: time.Hour, Triggers: []TriggerSpec{{
		Name: "see", Pattern: "root.d.*", When: BeforeInsert,
		Trigger: TriggerFunc(func(_ context.Context, f *Firing) error {
			seen = append(seen, f.Times...)
			return nil
		}),
	}}})
	now := time.Now()
	require.NoError(t, db.Insert(ctx, "root.d", now, Float64("s", 1)))
	old := now.Add(-2 * time.Hour)
	require.ErrorIs(t, db.Insert(ctx, "root.d", old, Float64("s", 2)), ErrTooLate)
	group := []*Tablet{
		{Device: "root.d", Times: []int64{now.Add(1).UnixNano()}, Columns: []Column{{Name: "s", Data: Float64s{3}}}},
		{Device: "root.e", Times: []int64{old.UnixNano()}, Columns: []Column{{Name: "s", Data: Float64s{3}}}},
	}
	require.ErrorIs(t, db.InsertTablets(ctx, group...), ErrTooLate)
	require.Equal(t, []int64{now.UnixNano()}, seen)

	mixed := &Tablet{Device: "root.d", Times: []int64{now.Add(5).UnixNano(), old.UnixNano(), now.Add(6).UnixNano()},
		Columns: []Column{{Name: "s", Data: Float64s{5, 0, 6}}}}
	res, err := db.Write(ctx, WriteOptions{Partial: true}, mixed)
	require.Equal(t, 2, res.Rows)
	var bad *InsertError
	require.ErrorAs(t, err, &bad)
	require.Len(t, bad.Rows, 1)
	require.Equal(t, 1, bad.Rows[0].Row)
	require.ErrorIs(t, bad.Rows[0].Err, ErrTooLate)
	require.Equal(t, []int64{now.UnixNano(), now.Add(5).UnixNano(), now.Add(6).UnixNano()}, seen)
}

// TestYearsOfTimes: the first and the last second of what can be stored.
func TestYearsOfTimes(t *testing.T) {
	first, end := time.Date(1678, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		at time.Time
		ok bool
	}{
		{first, true}, {first.Add(-1), false}, {end.Add(-1), true}, {end, false}, {time.Time{}, false},
		{first.In(time.FixedZone("", 3600)), true}, {time.Unix(0, 0), true},
	} {
		ns, err := unixNano(c.at)
		require.Equal(t, c.ok, err == nil, "%v: %v", c.at, err)
		if c.ok {
			require.True(t, time.Unix(0, ns).Equal(c.at), "%v", c.at)
		}
	}
}
