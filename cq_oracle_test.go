package tickwell

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/cqoracle"
)

// cqWorld is a store with a hierarchy of incremental queries and what an oracle
// says must be in it.
type cqWorld struct {
	t     *testing.T
	db    *DB
	opts  *Options
	clock interface {
		Advance(time.Duration)
		Set(time.Time)
		Now() time.Time
	}
	rng    *rand.Rand
	raw    cqoracle.Series
	newest int64
	late   int64 // lateness in ns, -1: on change
	paused bool
	ops    []string
}

const cqSpan = 3 * 24 * 3600 // seconds

func cqWorldSpecs(late int64) []CQSpec {
	level := func(name, from string, of [3]expr.Expr, length time.Duration) CQSpec {
		return CQSpec{Name: name, OnChange: late < 0 || name != "l1", Lateness: time.Duration(max(late, 0)), Query: Query{
			Select: of[:], From: []string{from}, GroupBy: GroupByTime{Interval: length}, Into: []Target{{Device: "root." + name, Columns: []string{"n", "sum", "max"}}},
		}}
	}
	col := expr.Col
	up := [3]expr.Expr{expr.Sum(col("n")), expr.Sum(col("sum")), expr.Max(col("max"))}
	return []CQSpec{
		level("l1", "root.in.d", [3]expr.Expr{expr.Count(col("s")), expr.Sum(col("s")), expr.Max(col("s"))}, time.Minute),
		level("l2", "root.l1", up, time.Hour),
		level("l3", "root.l2", up, 24*time.Hour),
	}
}

func (w *cqWorld) open() { w.db = openDir(w.t, "data", w.opts) }

func (w *cqWorld) step() {
	ctx := context.Background()
	at := int64(w.rng.Int64N(cqSpan)) * 1e9
	op := w.rng.IntN(100)
	switch {
	case op < 60: // near the end, late, or anywhere
		if w.rng.IntN(3) > 0 && w.newest > math.MinInt64 {
			at = w.newest + w.rng.Int64N(120e9) - 30e9
		}
		v := math.Round(w.rng.NormFloat64()*1e4) / 1e3
		w.ops = append(w.ops, fmt.Sprintf("put %d %v", at, v))
		must(w.t, w.db.Insert(ctx, "root.in.d", ns(at), Float64("s", v)))
		w.raw.Put(at, v)
		w.newest = max(w.newest, at)
	case op < 75: // a tablet of rows in any order
		tab := &Tablet{Device: "root.in.d"}
		for range 1 + w.rng.IntN(20) {
			x := at + w.rng.Int64N(600e9)
			v := w.rng.NormFloat64()
			must(w.t, tab.Append(ns(x), Float64("s", v)))
			w.raw.Put(x, v)
			w.newest = max(w.newest, x)
		}
		w.ops = append(w.ops, fmt.Sprintf("tablet %v", tab.Times))
		must(w.t, w.db.InsertTablet(ctx, tab))
	case op < 82:
		to := at + w.rng.Int64N(2*3600e9)
		if w.rng.IntN(20) == 0 {
			at, to = 0, cqSpan*1e9
		}
		w.ops = append(w.ops, fmt.Sprintf("delete %d %d", at, to))
		must(w.t, w.db.Delete(ctx, "root.in.**", ns(at), ns(to)))
		w.raw.Delete(at, to)
	case op < 86:
		w.ops = append(w.ops, "reopen")
		must(w.t, w.db.Close())
		w.open()
	case op < 88:
		w.clock.Set(w.clock.Now().Add(time.Duration(w.rng.Int64N(7200e9) - 3600e9)))
	case op < 94:
		w.clock.Advance(time.Duration(w.rng.Int64N(2e9)))
	case op < 96:
		w.paused = !w.paused
		w.ops = append(w.ops, fmt.Sprint("pause ", w.paused))
		if w.paused {
			must(w.t, w.db.PauseContinuousQuery(ctx, "l2"))
		} else {
			must(w.t, w.db.ResumeContinuousQuery(ctx, "l2"))
		}
	case op < 97:
		must(w.t, w.db.Flush(ctx))
	case op < 98:
		spec := cqWorldSpecs(w.late)[w.rng.IntN(3)]
		spec.Text = fmt.Sprint("text ", w.rng.IntN(100))
		w.ops = append(w.ops, "alter "+spec.Name)
		must(w.t, w.db.AlterContinuousQuery(ctx, spec))
	default:
		w.ops = append(w.ops, "refresh")
		must(w.t, w.db.RefreshContinuousQuery(ctx, "l1", ns(at), ns(at+3600e9)))
	}
}

// check compares every level, after everything has been computed.
func (w *cqWorld) check() {
	w.t.Helper()
	if w.paused {
		return
	}
	must(w.t, w.db.Quiesce(context.Background()))
	until := int64(math.MaxInt64)
	if w.late >= 0 {
		if w.newest == math.MinInt64 {
			return
		}
		until = w.newest - w.late
	}
	lengths := []int64{60e9, 3600e9, 24 * 3600e9}
	for c, name := range []string{"n", "sum", "max"} {
		below := &w.raw
		for l, length := range lengths {
			fold := []cqoracle.Fold{cqoracle.Count, cqoracle.Sum, cqoracle.Max}[c]
			if l > 0 {
				until = math.MaxInt64
				if c == 0 {
					fold = cqoracle.Sum
				}
			}
			below = below.Windows(length, until, fold)
			until = int64(math.MaxInt64)
			path := fmt.Sprintf("root.l%d.%s", l+1, name)
			var want []string
			for _, p := range below.Points() {
				v := Float64Value(p.Value)
				if c == 0 && l == 0 {
					v = Int64Value(int64(p.Value))
				}
				want = append(want, fmt.Sprintf("%s@%d=%s", path, p.At, v))
			}
			if got := dump(w.t, w.db, path); !slices.Equal(got, want) {
				w.t.Fatalf("%s holds\n %s\nwant\n %s\nafter %d operations, the last of them %s", path, cqDiff(got, want), cqDiff(want, got), len(w.ops),
					strings.Join(w.ops[max(0, len(w.ops)-12):], "; "))
			}
		}
		if w.late >= 0 {
			until = w.newest - w.late
		}
	}
}

// cqDiff are the lines of a that b has not.
func cqDiff(a, b []string) string {
	var out []string
	for _, s := range a {
		if !slices.Contains(b, s) {
			out = append(out, s)
		}
	}
	return strings.Join(out, "\n ")
}

// Random operations on a hierarchy of three levels: after quiescing every
// stored result is, bit by bit, what the oracle says about the points.
func TestIncrementalAgainstOracle(t *testing.T) {
	steps := 1200
	if testing.Short() {
		steps = 400
	}
	for _, late := range []int64{-1, 0, 90e9} {
		for seed := range uint64(2) {
			t.Run(fmt.Sprintf("late=%d/seed=%d", late, seed), func(t *testing.T) {
				clock := newFake()
				w := &cqWorld{t: t, clock: clock, rng: rand.New(rand.NewPCG(seed, uint64(late))), late: late, newest: math.MinInt64,
					opts: &Options{FS: memFS(), Clock: clock, Profile: killProfile()}}
				w.open()
				for _, s := range cqWorldSpecs(late) {
					must(t, w.db.CreateContinuousQuery(context.Background(), s))
				}
				for i := range steps {
					w.step()
					if i%7 == 0 {
						w.check()
					}
				}
			})
		}
	}
}
