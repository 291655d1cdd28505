package tickwell

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/column"
)

// TestQuickRowsExpire: rows that go the short way meet times to live as those do
// that go the long one, in memory and on disk: the same are refused, kept and gone,
// while times to live are set and become shorter, and the clock moves.
func TestQuickRowsExpire(t *testing.T) {
	ctx := context.Background()
	taken := 0
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 9))
		clock := newFake()
		clock.Set(ns(500))
		opts := Options{Clock: clock}
		if seed%4 == 3 {
			opts.TTL = 1100
		}
		other := opts
		other.Authorize = func(context.Context, Action, string) error { return nil }
		quick, slow := openMem(t, &opts), openMem(t, &other)
		if seed%2 == 0 {
			quick = openDir(t, t.TempDir(), &opts)
			slow = openDir(t, t.TempDir(), &other)
		}
		both := func(f func(db *DB) error) {
			t.Helper()
			a, b := f(quick), f(slow)
			for _, is := range []error{ErrTooLate, ErrBadInput} {
				require.Equal(t, errors.Is(b, is), errors.Is(a, is), "seed %d: %v, the long way %v", seed, a, b)
			}
			require.Equal(t, b == nil, a == nil, "seed %d: %v, the long way %v", seed, a, b)
		}
		at := int64(1000)
		both(func(db *DB) error { return db.SetTTL(ctx, "root.d3", -1) })
		for n := range 300 {
			at += int64(r.IntN(20))
			if r.IntN(60) == 0 {
				at += 400
			}
			// Not back: what is gone may show again then, if it is not dropped yet.
			clock.Set(ns(max(at+int64(r.IntN(300))-100, clock.Now().UnixNano())))
			when := func() int64 {
				if r.IntN(4) == 0 {
					return at - int64(r.IntN(900))
				}
				return at
			}
			switch r.IntN(3) {
			case 0:
				d, x := fmt.Sprint("root.d", r.IntN(4)), when()
				both(func(db *DB) error { return db.Insert(ctx, d, ns(x), Float64("c4", float64(n)), Int64("c2", 7)) })
			default:
				var group []*Tablet
				for d := range 4 {
					group = append(group, oneRow(r, fmt.Sprint("root.d", d), when(), [][]int{{4, 2}, {2, 4, 8}}[d/3]))
				}
				both(func(db *DB) error { return db.InsertTablets(ctx, group...) })
			}
			switch prefix := []string{"root", "root.d1", "root.d2.c4"}[r.IntN(3)]; r.IntN(20) {
			case 0:
				ttl := time.Duration(1000 - 3*n) // one that becomes longer may show again what is not dropped yet
				both(func(db *DB) error { return db.SetTTL(ctx, prefix, ttl) })
			case 1:
				require.Equal(t, shownNow(t, slow), shownNow(t, quick), "seed %d, row %d", seed, n)
			case 2:
				both(func(db *DB) error { return db.Flush(ctx) })
			}
			require.Equal(t, slow.eng.Stats().TooLate, quick.eng.Stats().TooLate, "seed %d, row %d: rows refused", seed, n)
			if SmallProgram {
				taken++
			} else if b := quick.bound.lookup("root.d0", "c4", 2); b != nil {
				cells := []column.Cell{{Kind: column.Float64}, {Kind: column.Int64, Num: 3}}
				both(func(db *DB) error {
					if db == slow {
						return db.Insert(ctx, "root.d0", ns(at), Float64("c4", 0), Int64("c2", 3))
					}
					stored, err := db.quick(ctx, b, ns(at), cells)
					if _, ok := db.eng.Horizon("root.d0", "c4"); stored && ok {
						taken++
					}
					if stored {
						return err
					}
					return db.Insert(ctx, "root.d0", ns(at), Float64("c4", 0), Int64("c2", 3))
				})
			}
		}
		require.Equal(t, shownNow(t, slow), shownNow(t, quick), "seed %d", seed)
	}
	require.NotZero(t, taken, "rows that went the short way")
}
