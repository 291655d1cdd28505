package tickwell

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/vfs"
)

// damageable returns a store of three block files, 100 rows of two columns each,
// the name of the second, and how the store is opened.
func damageable(t *testing.T) (fs *vfs.Mem, name string, open func() *DB) {
	ctx := context.Background()
	fs = vfs.NewMem()
	opts := Options{FS: fs, Logger: slog.New(slog.DiscardHandler), Seed: 1}
	open = func() *DB {
		db, err := Open(ctx, "db", &opts)
		require.NoError(t, err)
		return db
	}
	db := open()
	for f := range int64(3) {
		for i := range int64(100) {
			at := f*100 + i
			require.NoError(t, db.Insert(ctx, "root.d", ns(at), Float64("s", float64(at)), Text("u", fmt.Sprint(at))))
		}
		require.NoError(t, db.Flush(ctx))
	}
	require.NoError(t, db.Close())
	names, err := fs.List("db/data")
	require.NoError(t, err)
	require.Len(t, names, 3)
	return fs, "db/data/" + names[1], open
}

// flip changes a byte of a file, and changes it back when it is called again.
func flip(t *testing.T, fs vfs.FS, name string, at int64) {
	f, err := fs.OpenReadWrite(name)
	require.NoError(t, err)
	b := make([]byte, 1)
	_, err = f.ReadAt(b, at)
	require.NoError(t, err)
	b[0] ^= 0x10
	_, err = f.WriteAt(b, at)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

// TestAllowDamaged changes a byte of a block file in many places, while the store
// is open and before: what a query with AllowDamaged shows is right, what is
// missing is told, and without it the query fails.
func TestAllowDamaged(t *testing.T) {
	ctx := context.Background()
	fs, name, open := damageable(t)
	info, err := fs.Stat(name)
	require.NoError(t, err)
	sel := []expr.Expr{expr.Col("s"), expr.Col("u")}
	short := 0
	for at := int64(0); at < info.Size; at += 5 {
		for _, early := range []bool{false, true} {
			if early {
				flip(t, fs, name, at)
			}
			db := open()
			if !early {
				flip(t, fs, name, at)
			}
			what := fmt.Sprintf("byte %d, before Open %t", at, early)
			for _, q := range []Query{
				{Select: sel, From: []string{"root.d"}, AllowDamaged: true},
				{Select: sel[:1], From: []string{"root.d"}, AllowDamaged: true, DisableAlign: true},
			} {
				res, err := db.Query(ctx, q)
				require.NoError(t, err, what)
				seen := map[int64]bool{}
				for row, err := range res.Rows() {
					require.NoError(t, err, what)
					n := row.Time().UnixNano()
					seen[n] = true
					require.Equal(t, float64(n), row.Float64(0), what)
					if len(q.Select) > 1 {
						require.Equal(t, fmt.Sprint(n), row.Value(1).Text(), what)
					}
				}
				told := res.Damage()
				for n := range int64(300) {
					if seen[n] {
						continue
					}
					short++
					require.True(t, 100 <= n && n < 200, "%s: row %d is missing", what, n)
					covered := false
					for _, d := range told {
						covered = covered || !ns(n).Before(d.Start) && !ns(n).After(d.End)
						require.Contains(t, name, d.File, what)
					}
					require.True(t, covered, "%s: row %d is missing, told was %v", what, n, told)
				}
				q.AllowDamaged = false
				strict, err := db.Query(ctx, q)
				require.NoError(t, err, what)
				_, err = strict.Collect()
				require.Empty(t, strict.Damage(), what)
				if len(told) > 0 {
					require.ErrorIs(t, err, ErrDamaged, what)
				} else {
					require.NoError(t, err, what)
				}
			}
			require.NoError(t, db.Close(), what)
			if early {
				fs, name, open = damageable(t) // Open may have put the file away
			} else {
				flip(t, fs, name, at)
			}
		}
	}
	require.Positive(t, short, "no change made a row unreadable")
}

// TestAllowDamagedLast: the newest point that can be read answers a query for the
// last one, and nothing is told by a result that was read before the damage.
func TestAllowDamagedLast(t *testing.T) {
	ctx := context.Background()
	fs, _, open := damageable(t)
	names, err := fs.List("db/data")
	require.NoError(t, err)
	require.NoError(t, fs.Remove("db/data/"+names[2]))
	db := open()
	defer db.Close()
	res, err := db.Query(ctx, Query{From: []string{"root.d"}, Last: true, AllowDamaged: true})
	require.NoError(t, err)
	all, err := res.Collect()
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Equal(t, []int64{199, 199}, all[0].Times)
	require.NotEmpty(t, res.Damage())
	res, err = db.Query(ctx, Query{From: []string{"root.d"}, Last: true})
	require.NoError(t, err)
	_, err = res.Collect()
	require.ErrorIs(t, err, ErrDamaged)
}
