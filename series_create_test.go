package tickwell

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/crashfs"
)

// TestCreatedSeriesAreAcknowledged: a series that was created is as safe as a row of the
// policy, although none is inserted after it.
func TestCreatedSeriesAreAcknowledged(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		name string
		sync SyncPolicy
		mode crashfs.Mode
	}{
		{"always, power loss", SyncAlways(), crashfs.None},
		{"interval, process crash", SyncInterval(time.Hour), crashfs.All},
		{"never, process crash", SyncNever(), crashfs.All},
	} {
		fs := crashfs.New()
		db := openDir(t, "db", &Options{FS: fs, Sync: c.sync})
		require.NoError(t, db.CreateSeries(ctx, "root.d.s", KindText))
		image := fs.Image(fs.Ops(), c.mode, 0)
		again := openDir(t, "db", &Options{FS: image})
		require.Equal(t, KindText, again.SeriesKind("root.d", "s"), c.name)
		for _, o := range []Options{{FS: image, ReadOnly: true}, {FS: image}} {
			must(t, again.Close())
			again = openDir(t, "db", &o)
			require.NoError(t, again.CreateSeries(ctx, "root.d.s", KindText), "%s: it is there", c.name)
		}
	}
}

// TestRefusedRowsMakeNoSeries: an insert that is refused because its rows have expired
// stores nothing, nor the series of its other parts.
func TestRefusedRowsMakeNoSeries(t *testing.T) {
	ctx := context.Background()
	for _, dir := range []string{"", "db"} {
		db := openDir(t, dir, &Options{FS: memFS(), Clock: newFake(), TTL: time.Hour, Logger: slog.New(slog.DiscardHandler)})
		now := db.Now()
		must(t, db.Insert(ctx, "root.d", now, Float64("s", 1)))
		old := now.Add(-2 * time.Hour)
		w, err := db.Writer("root.w", ColumnInfo{"s", KindBool})
		must(t, err)
		h, err := SeriesOf[int32](db, "root.h.s")
		must(t, err)
		tablet := func(device string, at time.Time) *Tablet {
			return &Tablet{Device: device, Times: []int64{at.UnixNano()}, Columns: []Column{{Name: "s", Data: Texts{"x"}}}}
		}
		for name, f := range map[string]func() error{
			"row":    func() error { return db.Insert(ctx, "root.r", old, Int32("s", 1)) },
			"column": func() error { return db.Insert(ctx, "root.d", old, Float64("s", 1), Int32("t", 1)) },
			"tablet": func() error { return db.InsertTablet(ctx, tablet("root.t", old)) },
			"group":  func() error { return db.InsertTablets(ctx, tablet("root.g", now), tablet("root.t", old)) },
			"writer": func() error { return w.Insert(ctx, old, BoolValue(true)) },
			"handle": func() error { return h.Insert(ctx, old, 1) },
		} {
			had := db.eng.Stats().TooLate
			require.ErrorIs(t, f(), ErrTooLate, name)
			require.Equal(t, had+1, db.eng.Stats().TooLate, name)
		}
		all, err := db.ListSeries(ctx, "root.**")
		must(t, err)
		require.Equal(t, []SeriesInfo{{"root.d", "s", KindFloat64}}, slices.Collect(all))
	}
}
