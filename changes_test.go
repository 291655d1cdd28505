package tickwell_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/vfs"
)

// follower is a reader that keeps what Changes yields, and its cursor.
type follower struct {
	cursor string
	cells  map[string]string
}

func (f *follower) pull(t *testing.T, db *tickwell.DB, pat string) (rows int) {
	t.Helper()
	changes, cursor, err := db.Changes(context.Background(), pat, f.cursor)
	require.NoError(t, err)
	for tb, err := range changes {
		require.NoError(t, err)
		for i := range tb.Times {
			rows++
			for c := range tb.Columns {
				if v := tb.Row(i).Value(c); !v.IsNull() {
					f.cells[fmt.Sprint(tb.Device, ".", tb.Columns[c].Name, "@", tb.Times[i])] = v.String()
				}
			}
		}
	}
	f.cursor = cursor
	return rows
}

func cellsOf(t *testing.T, db *tickwell.DB) map[string]string {
	t.Helper()
	f := &follower{cells: map[string]string{}}
	f.pull(t, db, "**")
	return f.cells
}

// A reader that pulls now and then has, without deletes, what the store has:
// with late rows and overwrites, over flushes, compactions and reopens, in the
// process that writes and in another that reads.
func TestChangesMissNothing(t *testing.T) {
	ctx := context.Background()
	mem := vfs.NewMem()
	open := func(dir string, readOnly bool) *tickwell.DB {
		db, err := tickwell.Open(ctx, dir, &tickwell.Options{FS: mem, Seed: 1, ReadOnly: readOnly, Sync: tickwell.SyncAlways(), Logger: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		return db
	}
	for _, dir := range []string{"", "data"} {
		db := open(dir, false)
		inside, beside := &follower{cells: map[string]string{}}, &follower{cells: map[string]string{}}
		n := int64(0)
		insert := func(device string, at int64, name string) {
			n++
			require.NoError(t, db.Insert(ctx, device, time.Unix(0, at), tickwell.Int64(name, n)))
		}
		for round := range int64(12) {
			for i := range int64(20) {
				insert("root.a", round*20+i, "x")
				insert("root.b", round*20-i, "y") // late ones and overwrites
			}
			switch {
			case dir == "":
			case round%4 == 1:
				require.NoError(t, db.Flush(ctx))
			case round == 6:
				require.NoError(t, db.Compact(ctx))
			case round == 9:
				require.NoError(t, db.Close())
				db = open(dir, false)
			}
			if round%3 != 2 {
				inside.pull(t, db, "**")
				require.Equal(t, cellsOf(t, db), inside.cells, "round %d", round)
				require.Zero(t, inside.pull(t, db, "**"), "nothing is new")
			}
			if dir != "" && round%2 == 0 {
				other := open(dir, true)
				beside.pull(t, other, "**")
				require.Equal(t, cellsOf(t, db), beside.cells, "round %d", round)
				require.NoError(t, other.Close())
			}
		}
		if dir != "" {
			inside.pull(t, db, "**")
			insert("root.a", 1e6, "x")
			require.Equal(t, 1, inside.pull(t, db, "**"), "of the log only what is new is told")
		}
		some := &follower{cells: map[string]string{}}
		some.pull(t, db, "root.b.*")
		require.Contains(t, some.cells, "root.b.y@7")
		for key := range some.cells {
			require.Contains(t, key, "root.b.y@")
		}
		require.NoError(t, db.Close())
	}
}

func TestChangesRefuses(t *testing.T) {
	ctx := context.Background()
	mem := vfs.NewMem()
	open := func(dir string, seed uint64) *tickwell.DB {
		db, err := tickwell.Open(ctx, dir, &tickwell.Options{FS: mem, Seed: seed, Authorize: func(_ context.Context, a tickwell.Action, path string) error {
			if a == tickwell.ActionRead && path == "root.secret.*" {
				return tickwell.ErrRejected
			}
			return nil
		}})
		require.NoError(t, err)
		t.Cleanup(func() { db.Close() })
		return db
	}
	one, two := open("one", 1), open("two", 2)
	require.NoError(t, one.Insert(ctx, "root.a", time.Unix(1, 0), tickwell.Int64("x", 1)))
	_, cursor, err := one.Changes(ctx, "**", "")
	require.NoError(t, err)
	_, _, err = two.Changes(ctx, "**", cursor)
	require.ErrorIs(t, err, tickwell.ErrBadInput)
	require.ErrorContains(t, err, "another store")
	_, _, err = one.Changes(ctx, "**", cursor[:17]+"99")
	require.ErrorContains(t, err, "ahead of the store")
	for _, bad := range []string{"x", "1-2", "-", cursor + "x", cursor[:16]} {
		_, _, err = one.Changes(ctx, "**", bad)
		require.ErrorContains(t, err, "is no cursor", bad)
	}
	_, _, err = one.Changes(ctx, "root..a", "")
	require.ErrorIs(t, err, tickwell.ErrBadInput)
	_, _, err = one.Changes(ctx, "root.secret.*", "")
	require.ErrorIs(t, err, tickwell.ErrRejected)
	over, cancel := context.WithCancel(ctx)
	rows, _, err := one.Changes(over, "**", "")
	require.NoError(t, err)
	cancel()
	for _, err := range rows {
		require.ErrorIs(t, err, context.Canceled)
	}
}
