//go:build tickwell_small

package tickwell

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/incremental"
	"github.com/tickwell/tickwell/vfs"
)

// A stored query over windows that depend on rows, which another program has made,
// does not run and says why. What changes meanwhile is marked, from there on, so
// that a program that can compute it does.
func TestSessionsAreMarkedForOthers(t *testing.T) {
	ctx, fs := context.Background(), vfs.NewMem()
	open := func() *DB { return openDir(t, "data", &Options{FS: fs, Logger: openMemLogger()}) }
	db := open()
	put(t, db, "root.d", "1000 a=1")
	put(t, db, "root.d", "2000 a=1")
	for name, by := range map[string]GroupBy{"sessions": GroupBySession{Gap: 10}, "states": GroupByVariation{By: expr.Col("a")}} {
		spec := CQSpec{Name: name, Query: Query{Select: []expr.Expr{expr.Sum(expr.Col("a"))}, From: []string{"root.d"}, GroupBy: by,
			Into: []Target{{Device: "root." + name, Columns: []string{"n"}}}}}
		def := engine.Put{Kind: engine.PutDefinition, Key: cqKey(name, "def"), Value: encodeCQ(&spec)}
		_, err := db.eng.Commit(ctx, &engine.Batch{Puts: []engine.Put{def}}, false)
		must(t, err)
		require.ErrorContains(t, db.CreateContinuousQuery(ctx, spec), "tickwell_small")
	}
	must(t, db.Close())

	db = open()
	marks := func(name string) (all []string) {
		v := &cqView{name: name, keys: make(map[string]cqDirty)}
		v.readMarks(db.eng)
		for _, d := range v.keys {
			all = append(all, fmt.Sprint(d.From, d.To == incremental.Latest, d.device))
		}
		slices.Sort(all)
		return all
	}
	list, err := db.ContinuousQueries(ctx)
	must(t, err)
	for info := range list {
		require.Equal(t, "INACTIVE", info.State)
		require.True(t, info.Incremental)
		require.ErrorIs(t, info.LastErr, errs.BadInput)
		require.ErrorContains(t, info.LastErr, "windows that depend on rows are left out of programs that are built with the tag tickwell_small")
		require.Empty(t, marks(info.Spec.Name))
	}
	put(t, db, "root.d", "1500 a=1")
	put(t, db, "root.other", "1 a=1")
	for _, name := range []string{"sessions", "states"} {
		require.Equal(t, []string{"1500 true"}, marks(name))
	}
	must(t, db.Delete(ctx, "root.d.a", ns(900), ns(1200)))
	put(t, db, "root.d", "3000 a=1")
	must(t, db.Quiesce(ctx))
	must(t, db.Close())
	db = open()
	for _, name := range []string{"sessions", "states"} {
		require.Equal(t, []string{"1000 true", "1500 true"}, marks(name))
	}
	must(t, db.DropContinuousQuery(ctx, "states"))
	require.Empty(t, marks("states"))
	must(t, db.Close())
}
