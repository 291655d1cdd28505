//go:build !tickwell_small

package tickwell

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/cqoracle"
)

// groupKind is one kind of windows whose bounds depend on rows: as a query, and
// as the oracle sees it.
type groupKind struct {
	name string
	by   GroupBy
	gap  int64 // of sessions; -1: others
	of   func(s *cqoracle.Series) []cqoracle.Window
}

const groupGap = 60e9

var groupKinds = []groupKind{
	{"session", GroupBySession{Gap: groupGap}, groupGap, func(s *cqoracle.Series) []cqoracle.Window { return s.Sessions(groupGap) }},
	{"variation", GroupByVariation{By: expr.Col("s"), Delta: 1.5}, -1, func(s *cqoracle.Series) []cqoracle.Window { return s.Variations(1.5) }},
	{"condition", GroupByCondition{By: expr.Col("s").Ge(2.0), KeepOp: expr.OpGe, KeepN: 2}, -1,
		func(s *cqoracle.Series) []cqoracle.Window {
			return s.Conditions(func(v float64) bool { return v >= 2 }, 2)
		}},
	{"count", GroupByCount{By: expr.Col("s"), Size: 5}, -1, func(s *cqoracle.Series) []cqoracle.Window { return s.Counts(5) }},
}

// groupSort is queries of all those kinds, and one by hour over the sessions.
type groupSort struct{ changed bool } // the definition of the sessions

func (g *groupSort) kinds() []groupKind {
	all := slices.Clone(groupKinds)
	gap := int64(groupGap)
	if g.changed {
		gap /= 2
	}
	all[0].by, all[0].gap = GroupBySession{Gap: time.Duration(gap)}, gap
	all[0].of = func(s *cqoracle.Series) []cqoracle.Window { return s.Sessions(gap) }
	return all
}

func (g *groupSort) specs(w *cqWorld) (specs []CQSpec) {
	s := expr.Col("s")
	for _, k := range g.kinds() {
		specs = append(specs, CQSpec{Name: k.name, OnChange: w.late < 0, Lateness: time.Duration(max(w.late, 0)), Sinks: []string{"events"}, Query: Query{
			Select: []expr.Expr{expr.Count(s).As("n"), expr.Sum(s).As("sum"), expr.Max(s).As("max")}, From: []string{"root.in.*"},
			AlignByDevice: true, GroupBy: k.by, Into: []Target{{Device: "root." + k.name + ".${2}", Columns: []string{"n", "sum", "max"}}}}})
	}
	return append(specs, CQSpec{Name: "hour", OnChange: true, Query: Query{
		Select: []expr.Expr{expr.Sum(expr.Col("n"))}, From: []string{"root.session.*"}, AlignByDevice: true,
		GroupBy: GroupByTime{Interval: time.Hour}, Into: []Target{{Device: "root.hour.${2}", Columns: []string{"n"}}}}})
}

func (*groupSort) pauses() (names, waiting []string) {
	return []string{"session", "count"}, []string{"root.session", "root.count", "root.hour"}
}

func (*groupSort) span() (span, near, spread int64) { return 6 * 3600e9, 90e9, 200e9 }

func (*groupSort) readable() []string { return []string{"session", "variation", "condition", "count"} }

func (*groupSort) values(rng *rand.Rand, n int) []float64 {
	all := make([]float64, n)
	level := float64(rng.IntN(4))
	for i := range all {
		all[i] = level + rng.Float64()
	}
	return all
}

func (g *groupSort) allowed(w *cqWorld, device string, at int64) int64 {
	if w.ttl == 0 || w.newest == math.MinInt64 || at > w.newest {
		return at
	}
	least := at
	for _, k := range g.kinds() {
		n := 0
		first := w.newest + 1
		for _, x := range k.of(w.raw[device]) {
			if x.First < w.newest-w.ttl {
				continue
			}
			if n++; n == 2 {
				first = x.First + 1
				break
			}
		}
		least = max(least, first)
	}
	return least
}

func (g *groupSort) want(w *cqWorld, all bool) map[string][]cqoracle.Point {
	out := make(map[string][]cqoracle.Point)
	for device, raw := range w.raw {
		for _, k := range g.kinds() {
			windows := k.of(raw)
			if !all && w.late >= 0 {
				windows = cqoracle.Over(windows, w.mark(), k.gap)
			}
			for c, name := range []string{"n", "sum", "max"} {
				fold := []cqoracle.Fold{cqoracle.Count, cqoracle.Sum, cqoracle.Max}[c]
				results := cqoracle.FoldAll(windows, fold)
				out[w.target(k.name, device)+"."+name] = results.Points()
				if k.name == "session" && name == "n" {
					out[w.target("hour", device)+".n"] = results.Windows(3600e9, math.MaxInt64, cqoracle.Sum).Points()
				}
			}
		}
	}
	return out
}

func (g *groupSort) other(w *cqWorld) bool {
	if w.ttl > 0 { // a change of what has expired is not known to the oracle
		return false
	}
	ctx := context.Background()
	if w.rng.IntN(2) == 0 {
		g.changed = !g.changed
		w.ops.add("alter the gap")
		must(w.t, w.db.AlterContinuousQuery(ctx, g.specs(w)[0]))
		return true
	}
	at := w.rng.Int64N(6 * 3600e9)
	w.ops.add(fmt.Sprint("refresh ", at))
	must(w.t, w.db.RefreshContinuousQuery(ctx, groupKinds[w.rng.IntN(4)].name, ns(at), ns(at+600e9)))
	return true
}

// Random operations on devices with windows by session, variation, condition and
// count: what TestIncrementalAgainstOracle wants of windows on a grid.
func TestIncrementalGroupsAgainstOracle(t *testing.T) {
	cases := []worldCase{{-1, 0}, {0, 0}, {90e9, 0}, {-1, 3600e9}, {0, 3600e9}, {90e9, 1800e9}}
	inWorlds(t, 900, 14_000, 216_000, cases, func(t *testing.T, i int, c worldCase) *cqWorld {
		return newCQWorld(t, &groupSort{}, 1<<32+uint64(i), c.late, c.ttl, "d1", "d2", "d3")
	})
}
