package tickwell

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/pattern"
)

// Changes yields the rows of the series that match a pattern that were stored
// after a cursor, and returns the cursor to go on from once all have been read. An
// empty cursor means all rows. So a reader that keeps the cursor, of this store or
// of one opened with Options.ReadOnly beside its writer, misses nothing; the store
// keeps nothing for it.
//
// Each row that was stored since is among them, late and overwriting ones too;
// rows from before may come again, since files are told of whole. The values of
// one cell come in the order in which they were stored. Deletes are not told, nor
// what was deleted or has expired since. A tablet is only valid until the next.
//
// The cursor is behind what is not durable yet; of a store opened for reading it
// is not, so that after a power cut of the writer its reader should begin anew.
// A cursor of another store is refused with ErrBadInput, and so is one that is
// ahead of this one: the store has been put back to an earlier state.
func (db *DB) Changes(ctx context.Context, pat, since string) (rows iter.Seq2[*Tablet, error], cursor string, err error) {
	fail := func(err error) (iter.Seq2[*Tablet, error], string, error) {
		return nil, "", &Error{Op: "changes", Subject: pat, Err: err}
	}
	if err := db.usable(ctx); err != nil {
		return fail(err)
	}
	if err := db.authorize(ctx, ActionRead, pat); err != nil {
		return nil, "", err
	}
	p, err := pattern.Parse(pat)
	if err != nil {
		return fail(err)
	}
	store := db.eng.StoreID()
	after, err := parseCursor(since, store)
	if err != nil {
		return fail(err)
	}
	snap := db.eng.Snapshot()
	upTo := min(snap.LSN(), db.eng.Stats().DurableLSN)
	ahead := after > snap.LSN()
	snap.Release()
	if ahead {
		return fail(fmt.Errorf("cursor %s is ahead of the store: %w", since, errs.BadInput))
	}
	want := func(s *engine.Series) bool { return p.MatchParts(s.Device, s.Name) }
	rows = func(yield func(*Tablet, error) bool) {
		snap := db.eng.Snapshot() // what is newer than upTo may come again
		snap.Steady()
		defer snap.Release()
		err := snap.Changes(ctx, after, want, func(c *engine.Changed) error {
			t := &Tablet{Device: c.Series[0].Device, Times: c.Times}
			for i, s := range c.Series {
				t.Columns = append(t.Columns, Column{Name: s.Name, Data: vectorOf(&c.Cols[i]), Nulls: Bitmap(c.Nulls[i])})
			}
			if !yield(t, nil) {
				return errStopped
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStopped) {
			yield(nil, &Error{Op: "changes", Subject: pat, Err: err})
		}
	}
	return rows, fmt.Sprintf("%016x-%d", store, max(after, upTo)), nil
}

var errStopped = fmt.Errorf("the reader has stopped")

func parseCursor(s string, store uint64) (uint64, error) {
	if s == "" {
		return 0, nil
	}
	id, at, ok := strings.Cut(s, "-")
	n, err := strconv.ParseUint(at, 10, 64)
	of, ierr := strconv.ParseUint(id, 16, 64)
	if !ok || err != nil || ierr != nil || len(id) != 16 {
		return 0, fmt.Errorf("%q is no cursor: %w", s, errs.BadInput)
	}
	if of != store {
		return 0, fmt.Errorf("cursor %s is of another store: %w", s, errs.BadInput)
	}
	return n, nil
}
