package tickwell

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/pattern"
)

// TestDropBesideNewColumn: of a row that makes a new series while a delete or a drop
// is on its way that looked for series before, all cells go or none. Where rows with
// new series come all the time, the delete comes to an end.
func TestDropBesideNewColumn(t *testing.T) {
	ctx := context.Background()
	for name, batch := range map[string]func(all []*engine.Series) *engine.Batch{
		"drop": func(all []*engine.Series) *engine.Batch { return &engine.Batch{Drops: all} },
		"delete": func(all []*engine.Series) *engine.Batch {
			return &engine.Batch{Deletes: []engine.Delete{{Series: all, From: 0, To: 100}}}
		},
	} {
		for _, beside := range []int{1, matchTries + 10} {
			t.Run(fmt.Sprint(name, " beside ", beside), func(t *testing.T) {
				db := openMem(t, nil)
				require.NoError(t, db.Insert(ctx, "root.d", ns(0), Int64("a", 0)))
				p, err := pattern.Parse("root.d.*")
				require.NoError(t, err)
				calls := 0
				_, err = db.commitDelete(ctx, opDelete, "root.d.*", p, func(all []*engine.Series) *engine.Batch {
					if calls++; calls <= beside {
						require.NoError(t, db.Insert(ctx, "root.d", ns(1), Int64("a", 1), Int64(fmt.Sprint("b", calls), 1)))
						require.NoError(t, db.Insert(ctx, "root.other", ns(1), Int64(fmt.Sprint("b", calls), 1))) // is none of its business
					}
					return batch(all)
				})
				require.NoError(t, err)
				require.Equal(t, min(beside+1, matchTries), calls)
				if beside == 1 {
					require.Empty(t, dump(t, db, "root.d.*"))
				}
				require.Len(t, dump(t, db, "root.other.*"), min(beside, calls))
			})
		}
	}
}
