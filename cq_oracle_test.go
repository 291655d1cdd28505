package tickwell

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/cqoracle"
)

// gridSort is a hierarchy: minutes of rows, hours of minutes, days of hours.
type gridSort struct{}

// cqWorldSpecs are the levels over root.in.d, or over each of root.in.* by itself.
func cqWorldSpecs(late int64, byDevice bool) []CQSpec {
	level := func(name, from string, of [3]expr.Expr, length time.Duration) CQSpec {
		for i, name := range []string{"n", "sum", "max"} {
			of[i] = of[i].As(name)
		}
		into := "root." + name
		if byDevice {
			from, into = from+".*", into+".${2}"
		} else if name == "l1" {
			from += ".d"
		}
		return CQSpec{Name: name, OnChange: late < 0 || name != "l1", Lateness: time.Duration(max(late, 0)), Query: Query{
			Select: of[:], From: []string{from}, AlignByDevice: byDevice, GroupBy: GroupByTime{Interval: length}, Into: []Target{{Device: into, Columns: []string{"n", "sum", "max"}}},
		}}
	}
	col := expr.Col
	up := [3]expr.Expr{expr.Sum(col("n")), expr.Sum(col("sum")), expr.Max(col("max"))}
	return []CQSpec{
		level("l1", "root.in", [3]expr.Expr{expr.Count(col("s")), expr.Sum(col("s")), expr.Max(col("s"))}, time.Minute),
		level("l2", "root.l1", up, time.Hour),
		level("l3", "root.l2", up, 24*time.Hour),
	}
}

func (gridSort) specs(w *cqWorld) []CQSpec {
	specs := cqWorldSpecs(w.late, len(w.devices) > 1)
	if w.ids != nil {
		specs[0].Sinks = []string{"events"}
	}
	return specs
}

func (gridSort) pauses() (names, waiting []string) {
	return []string{"l2"}, []string{"root.l2", "root.l3"}
}

func (gridSort) span() (span, near, spread int64) { return 3 * 24 * 3600e9, 120e9, 1200e9 }

func (gridSort) readable() []string { return []string{"l1"} }

func (gridSort) values(rng *rand.Rand, n int) []float64 {
	all := make([]float64, n)
	for i := range all {
		all[i] = math.Round(rng.NormFloat64()*1e4) / 1e3
	}
	return all
}

func (gridSort) allowed(w *cqWorld, _ string, at int64) int64 {
	if w.ttl == 0 || w.newest == math.MinInt64 {
		return at
	}
	return max(at, (w.newest-w.ttl)/60e9*60e9+120e9)
}

func (gridSort) want(w *cqWorld, all bool) map[string][]cqoracle.Point {
	out := make(map[string][]cqoracle.Point)
	for device, raw := range w.raw {
		for c, name := range []string{"n", "sum", "max"} {
			fold := []cqoracle.Fold{cqoracle.Count, cqoracle.Sum, cqoracle.Max}[c]
			level, until := raw, w.mark()
			if all {
				until = math.MaxInt64
			}
			for l, length := range []int64{60e9, 3600e9, 24 * 3600e9} {
				level = level.Windows(length, until, fold)
				out[w.target(fmt.Sprint("l", l+1), device)+"."+name] = level.Points()
				until = math.MaxInt64
				if c == 0 {
					fold = cqoracle.Sum
				}
			}
		}
	}
	return out
}

func (gridSort) other(w *cqWorld) bool {
	device := w.devices[w.rng.IntN(len(w.devices))]
	if w.ttl > 0 && w.rng.IntN(2) == 0 {
		return w.intoSealed(device)
	}
	at := gridSort{}.allowed(w, device, w.rng.Int64N(3*24*3600e9))
	w.ops.add(fmt.Sprint("refresh ", at))
	must(w.t, w.db.RefreshContinuousQuery(context.Background(), "l1", ns(at), ns(at+3600e9)))
	return true
}

// intoSealed stores a row in a window of which other rows have just expired: its
// result stays as it was.
func (w *cqWorld) intoSealed(device string) bool {
	if w.paused || w.newest == math.MinInt64 {
		return false
	}
	ctx := context.Background()
	must(w.t, w.db.Quiesce(ctx))
	// The clock is not believed at once after each opening, so that this is not
	// always newest - ttl.
	horizon, ok := w.db.eng.Horizon("root.in."+device, "s")
	if !ok || horizon < 0 || horizon%60e9 == 0 {
		return false
	}
	at := horizon + w.rng.Int64N(60e9-horizon%60e9)
	w.ops.add(fmt.Sprintf("put %s %d into a sealed window", device, at))
	must(w.t, w.db.Insert(ctx, "root.in."+device, ns(at), Float64("s", 1e6)))
	return true
}

// Random operations on a hierarchy of three levels, over one device or over three
// of which each is computed by itself: after quiescing every stored result is, bit
// by bit, what the oracle says about the points, a second of the clock is enough
// for it, what was sent agrees with it, and a read sees what is not stored yet.
func TestIncrementalAgainstOracle(t *testing.T) {
	cases := []worldCase{{-1, 0}, {0, 0}, {90e9, 0}, {-1, 12 * 3600e9}, {0, 12 * 3600e9}, {90e9, 1800e9}}
	inWorlds(t, 2_400, 36_000, 1_000_000, cases, func(t *testing.T, i int, c worldCase) *cqWorld {
		devices := "d"
		if i/len(cases)%2 == 1 {
			devices = "d1 d2 d3"
		}
		return newCQWorld(t, gridSort{}, uint64(i), c.late, c.ttl, strings.Fields(devices)...)
	})
}
