package tickwell

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/tickwell/tickwell/internal/cqoracle"
	"github.com/tickwell/tickwell/internal/crashfs"
)

// Rows, and in the end results, are dropped by a quota while windows of minutes
// and of hours over them are kept, with late rows, deletes, reopens and crashes:
// every result that is left is what the oracle says, which drops nothing, and
// only the oldest are gone.
func TestIncrementalQuotaAgainstOracle(t *testing.T) {
	const late20 = 20 * 60e9
	for i, c := range []struct {
		late   int64
		memory bool // drops as rows come, files when they are looked at
	}{{-1, true}, {90e9, true}, {-1, false}, {90e9, false}} {
		t.Run(fmt.Sprintf("late=%d/memory=%t", c.late, c.memory), func(t *testing.T) {
			ctx := context.Background()
			w := newCQWorld(t, gridSort{}, 1<<33+uint64(i), c.late, 0, "d")
			w.opts.QuotaBytes = 512 << 10
			if c.memory {
				w.db = openOnly(t, "", w.opts)
			} else {
				w.open()
			}
			defer func() { w.db.Close() }()
			for _, s := range w.sort.specs(w)[:2] {
				must(t, w.db.CreateContinuousQuery(ctx, s))
			}
			put := func(times ...int64) {
				tab := &Tablet{Device: "root.in.d"}
				for _, at := range times {
					v := w.rng.NormFloat64()
					must(t, tab.Append(ns(at), Float64("s", v)))
					w.raw["d"].Put(at, v)
					w.newest = max(w.newest, at)
				}
				w.ops.add(fmt.Sprintf("%d rows from %d", len(times), times[0]))
				must(t, w.db.InsertTablet(ctx, tab))
			}
			recent := func() int64 { return max(0, w.newest-w.rng.Int64N(late20)) }
			put(0)
			for step := range 400 {
				switch op := w.rng.IntN(100); {
				case op < 70:
					var times []int64
					for k := range int64(300) {
						times = append(times, w.newest+(k+1)*1e9)
					}
					put(times...)
				case op < 82:
					put(recent(), recent(), recent())
				case op < 90:
					from := recent()
					to := from + w.rng.Int64N(600e9)
					w.ops.add(fmt.Sprintf("delete %d %d", from, to))
					must(t, w.db.Delete(ctx, "root.in.**", ns(from), ns(to)))
					w.raw["d"].Delete(from, to)
				case op < 94:
					if c.memory {
						continue
					}
					w.ops.add("reopen")
					must(t, w.db.Close())
					w.open()
				case op < 96:
					if c.memory {
						continue
					}
					w.ops.add("crash")
					image := w.disk.Image(w.disk.Ops(), crashfs.All, w.rng.Uint64())
					must(t, w.db.Close())
					w.disk = crashfs.From(image)
					w.open()
				case op < 98:
					w.ops.add("refresh")
					must(t, w.db.RefreshContinuousQuery(ctx, []string{"l1", "l2"}[w.rng.IntN(2)], ns(0), ns(w.newest)))
				default:
					must(t, w.db.Flush(ctx))
				}
				if step%10 == 0 {
					must(t, w.db.Quiesce(ctx))
				}
				if step%50 == 0 {
					must(t, w.db.Quiesce(ctx))
					w.compareLeft()
				}
			}
			must(t, w.db.Quiesce(ctx))
			w.compareLeft()
			if left, all := len(dump(t, w.db, "root.in.d.s")), len(w.raw["d"].Points()); c.memory && left > all*3/4 || left < 2*3600 {
				t.Errorf("%d of %d rows are left: the quota does nothing, or too much", left, all)
			}
		})
	}
}

// compareLeft is compare for a store of which the oldest results are gone.
func (w *cqWorld) compareLeft() {
	w.t.Helper()
	minutes := w.raw["d"].Windows(60e9, w.mark(), cqoracle.Sum)
	snap := w.db.eng.Snapshot()
	defer snap.Release()
	for path, series := range map[string]*cqoracle.Series{"root.l1.sum": minutes, "root.l2.sum": minutes.Windows(3600e9, math.MaxInt64, cqoracle.Sum)} {
		got, want := w.stored(snap, path), series.Points()
		if len(want) > 0 && len(got) == 0 {
			w.t.Fatalf("%s holds nothing of\n %s", path, pointsWithout(want, nil))
		}
		w.same("the newest that are left", path, got, want[max(0, len(want)-len(got)):])
	}
}
