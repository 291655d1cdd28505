package zstd_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/vfs"
	"github.com/tickwell/tickwell/zstd"
)

const lines = 2000

func insertLines(t *testing.T, db *tickwell.DB, from time.Time, n int) {
	tab := &tickwell.Tablet{Device: "root.d"}
	for i := range n {
		require.NoError(t, tab.Append(from.Add(time.Duration(i)*time.Second), tickwell.Text("s", line(i))))
	}
	require.NoError(t, db.InsertTablet(context.Background(), tab))
	require.NoError(t, db.Flush(context.Background()))
	synctest.Wait()
}

func line(i int) string { return fmt.Sprintf("the pump %d was switched off by unit %d", i*i%31, i) }

func checkLines(t *testing.T, db *tickwell.DB, end time.Time) {
	t.Helper()
	res, err := db.Query(context.Background(), tickwell.Query{Select: []expr.Expr{expr.Col("s")}, From: []string{"root.d"}, End: end})
	require.NoError(t, err)
	n := 0
	for tab, err := range res.Tablets() {
		require.NoError(t, err)
		for _, s := range tab.Columns[0].Data.(tickwell.Texts) {
			require.Equal(t, line(n), s)
			n++
		}
	}
	require.Equal(t, lines, n)
}

func blockBytes(t *testing.T, fsys vfs.FS) (sum int64) {
	names, err := fsys.List("db/data")
	require.NoError(t, err)
	for _, name := range names {
		info, err := fsys.Stat("db/data/" + name)
		require.NoError(t, err)
		if strings.HasSuffix(name, ".blk") {
			sum += info.Size
		}
	}
	return sum
}

// TestCompress: old rows are compressed behind the user's back and read as they
// were; who opens the store without the coder is told what is missing, and
// programs that only look change nothing.
func TestCompress(t *testing.T) {
	for range 2 { // coders of one bubble do not reach into the next
		synctest.Test(t, func(t *testing.T) {
			ctx := context.Background()
			fsys := vfs.NewMem()
			day := time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC)
			with := func(compress func() (tickwell.Compressor, error)) *tickwell.Options {
				return &tickwell.Options{FS: fsys, Compress: compress}
			}
			db, err := tickwell.Open(ctx, "db", with(nil))
			require.NoError(t, err)
			insertLines(t, db, day, lines)
			insertLines(t, db, day.Add(72*time.Hour), 1)
			before := blockBytes(t, fsys)
			require.NoError(t, db.Close())

			db, err = tickwell.Open(ctx, "db", with(zstd.Reader))
			require.NoError(t, err)
			insertLines(t, db, day.Add(73*time.Hour), 1)
			require.Greater(t, blockBytes(t, fsys), before, "nothing is compressed by programs that look")
			require.NoError(t, db.Close())

			db, err = tickwell.Open(ctx, "db", with(zstd.New))
			require.NoError(t, err)
			insertLines(t, db, day.Add(74*time.Hour), 1)
			require.Less(t, blockBytes(t, fsys), before/2)
			checkLines(t, db, day.Add(24*time.Hour))
			require.NoError(t, db.Close())

			_, err = tickwell.Open(ctx, "db", with(nil))
			require.ErrorIs(t, err, tickwell.ErrBadInput)
			require.ErrorContains(t, err, "Options.Compress")

			db, err = tickwell.Open(ctx, "db", with(zstd.Reader))
			require.NoError(t, err)
			require.Empty(t, db.Recovery().Damage)
			checkLines(t, db, day.Add(24*time.Hour))
			require.NoError(t, db.Compact(ctx)) // copies compressed blocks
			checkLines(t, db, day.Add(24*time.Hour))
			require.NoError(t, db.Close())
		})
	}
}

func TestCompressorFails(t *testing.T) {
	broken := errors.New("no coder today")
	_, err := tickwell.Open(context.Background(), "", &tickwell.Options{Compress: func() (tickwell.Compressor, error) { return nil, broken }})
	require.ErrorIs(t, err, broken)
}
