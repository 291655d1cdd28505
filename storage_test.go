package tickwell

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/vfs"
)

// TestStorageCalls: a time to live refuses and hides, a backup and a read-only
// open show the same rows, and verify finds nothing.
func TestStorageCalls(t *testing.T) {
	ctx := context.Background()
	fs := vfs.NewMem()
	opts := Options{FS: fs, Logger: slog.New(slog.DiscardHandler), TTL: 24 * time.Hour}
	db, err := Open(ctx, "db", &opts)
	require.NoError(t, err)
	now := time.Now()
	require.NoError(t, db.Insert(ctx, "root.d", now, Float64("s", 1)))
	err = db.Insert(ctx, "root.d", now.Add(-25*time.Hour), Float64("s", 2))
	require.ErrorIs(t, err, ErrTooLate, "%v", err)
	require.NoError(t, db.SetTTL(ctx, "root.d", -1))
	require.Equal(t, time.Duration(0), db.TTL("root.d.s"))
	require.Equal(t, 24*time.Hour, db.TTL("root.e.s"))
	require.NoError(t, db.Insert(ctx, "root.d", now.Add(-25*time.Hour), Float64("s", 2)))
	require.NoError(t, db.Backup(ctx, fs, "copy"))
	require.ErrorIs(t, db.Backup(ctx, fs, "copy"), ErrExists)
	require.NoError(t, db.Compact(ctx))
	found, err := db.Verify(ctx)
	require.NoError(t, err)
	require.Empty(t, found)
	opts.ReadOnly = true
	for _, dir := range []string{"db", "copy"} {
		ro, err := Open(ctx, dir, &opts)
		require.NoError(t, err)
		require.Equal(t, int64(2), ro.Stats().Points)
		require.ErrorIs(t, ro.Insert(ctx, "root.d", now, Float64("s", 1)), ErrReadOnly)
		require.NoError(t, ro.Close())
	}
	require.NoError(t, db.Close())
}
