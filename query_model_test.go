package tickwell

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/vfs"
)

// The slow reference of queries: a map per series, and loops. It shares no
// code with the engine or the executor.

type modelSeries struct {
	kind   Kind
	m      map[int64]Value
	sorted []point // of m, nil: to be made
}

type model struct {
	series map[string]*modelSeries // measurements of root.d
}

type point struct {
	t int64
	v Value
}

func (m *model) points(name string, from, to int64) []point {
	ser := m.series[name]
	if ser.sorted == nil {
		for t, v := range ser.m {
			ser.sorted = append(ser.sorted, point{t, v})
		}
		slices.SortFunc(ser.sorted, func(a, b point) int { return cmp.Compare(a.t, b.t) })
	}
	at := func(t int64) int {
		i, _ := slices.BinarySearchFunc(ser.sorted, t, func(p point, t int64) int { return cmp.Compare(p.t, t) })
		return i
	}
	return ser.sorted[at(from):max(at(from), at(to))]
}

// modelRow is a row of all series; a missing cell is absent from the map.
type modelRow struct {
	t     int64
	cells map[string]Value
}

func (m *model) rows(names []string, from, to int64) []modelRow {
	byTime := map[int64]modelRow{}
	for _, n := range names {
		for _, p := range m.points(n, from, to) {
			if byTime[p.t].cells == nil {
				byTime[p.t] = modelRow{p.t, map[string]Value{}}
			}
			byTime[p.t].cells[n] = p.v
		}
	}
	return slices.SortedFunc(maps.Values(byTime), func(a, b modelRow) int { return cmp.Compare(a.t, b.t) })
}

// expectation is a value, with how far a float may lie from it.
type expectation struct {
	v   Value
	tol float64
}

// slowAggregate computes one aggregate of points in time order.
func slowAggregate(name string, kind Kind, ps []point) expectation {
	null := expectation{}
	n := float64(len(ps))
	sum, abs := 0.0, 0.0
	for _, p := range ps {
		sum += p.v.Float64()
		abs += math.Abs(p.v.Float64())
	}
	if name == "count" {
		return expectation{v: Int64Value(int64(len(ps)))}
	}
	if len(ps) == 0 {
		return null
	}
	best := func(better func(a, b float64) bool) expectation {
		var b *point
		for i := range ps {
			f := ps[i].v.Float64()
			if !math.IsNaN(f) && (b == nil || better(f, b.v.Float64())) {
				b = &ps[i]
			}
		}
		if b == nil {
			return expectation{v: ps[0].v}
		}
		return expectation{v: b.v}
	}
	variance := func() (m2 float64) {
		mean := sum / n
		for _, p := range ps {
			d := p.v.Float64() - mean
			m2 += d * d
		}
		return m2
	}
	vtol := 1e-9 * (1 + abs*abs)
	switch name {
	case "sum":
		return expectation{Float64Value(sum), 1e-12 * abs}
	case "avg":
		return expectation{Float64Value(sum / n), 1e-12 * abs}
	case "min_value":
		return best(func(a, b float64) bool { return a < b })
	case "max_value":
		return best(func(a, b float64) bool { return a > b })
	case "extreme":
		return best(func(a, b float64) bool {
			return math.Abs(a) > math.Abs(b) || math.Abs(a) == math.Abs(b) && a > b
		})
	case "first_value":
		return expectation{v: ps[0].v}
	case "last_value":
		return expectation{v: ps[len(ps)-1].v}
	case "min_time":
		return expectation{v: Int64Value(ps[0].t)}
	case "max_time":
		return expectation{v: Int64Value(ps[len(ps)-1].t)}
	case "time_duration":
		return expectation{v: Int64Value(ps[len(ps)-1].t - ps[0].t)}
	case "var_pop":
		return expectation{Float64Value(variance() / n), vtol}
	case "stddev_pop":
		return expectation{Float64Value(math.Sqrt(variance() / n)), vtol}
	case "variance", "var_samp", "stddev", "stddev_samp":
		if len(ps) < 2 {
			return null
		}
		v := variance() / (n - 1)
		if name[0] == 's' {
			v = math.Sqrt(v)
		}
		return expectation{Float64Value(v), vtol}
	case "mode":
		counts := map[string]int{}
		for _, p := range ps {
			counts[p.v.String()]++
		}
		bestAt := 0
		for i, p := range ps {
			if counts[p.v.String()] > counts[ps[bestAt].v.String()] {
				bestAt = i
			}
		}
		return expectation{v: ps[bestAt].v}
	}
	panic("no reference for " + name)
}

func (e expectation) allows(v Value) bool {
	if e.v.Kind() != v.Kind() {
		return false
	}
	if e.tol > 0 {
		return math.Abs(e.v.Float64()-v.Float64()) <= e.tol
	}
	if math.IsNaN(e.v.Float64()) && e.v.Kind() == KindFloat64 {
		return math.IsNaN(v.Float64())
	}
	return e.v.Equal(v)
}

// aggregatesFor lists the aggregates that a kind allows.
func aggregatesFor(k Kind) []string {
	all := []string{"count", "first_value", "last_value", "min_time", "max_time", "time_duration", "mode"}
	switch k {
	case KindText:
	case KindBool:
		all = append(all, "min_value", "max_value")
	default:
		all = append(all, "sum", "avg", "min_value", "max_value", "extreme", "stddev", "stddev_pop", "stddev_samp",
			"variance", "var_pop", "var_samp")
	}
	return all
}

// world is a store and its model, kept equal.
type world struct {
	t    *testing.T
	rng  *rand.Rand
	db   *DB
	m    *model
	span int64
}

var worldKinds = map[string]Kind{"b": KindBool, "i": KindInt32, "l": KindInt64, "f": KindFloat32, "d": KindFloat64, "t": KindText, "e": KindFloat64}

func (w *world) value(k Kind) Value {
	switch k {
	case KindBool:
		return BoolValue(w.rng.IntN(2) == 0)
	case KindInt32:
		return Int32Value(int32(w.rng.IntN(41) - 20))
	case KindInt64:
		return Int64Value(w.rng.Int64N(1<<40) - 1<<39)
	case KindFloat32:
		return Float32Value(float32(w.rng.IntN(2000)-1000) / 8)
	case KindFloat64:
		return Float64Value(math.Round(w.rng.NormFloat64()*1e4) / 100)
	}
	return TextValue(fmt.Sprint("v", w.rng.IntN(5)))
}

// write inserts a tablet of rows that are late, repeated and have nulls.
func (w *world) write(rows int) {
	tab := &Tablet{Device: "root.d"}
	at := w.rng.Int64N(w.span)
	names := slices.Sorted(maps.Keys(worldKinds))
	for range rows {
		var fields []Field
		for _, n := range names {
			if w.rng.IntN(3) > 0 && n != "e" { // e stays almost empty
				fields = append(fields, Field{n, w.value(worldKinds[n])})
			}
		}
		if w.rng.IntN(50) == 0 {
			fields = append(fields, Field{"e", w.value(KindFloat64)})
		}
		if len(fields) > 0 {
			must(w.t, tab.Append(ns(at), fields...))
			for _, f := range fields {
				w.m.series[f.Name].m[at] = f.Value
			}
		}
		at = (at + w.rng.Int64N(9)) % w.span
	}
	for _, ser := range w.m.series {
		ser.sorted = nil
	}
	if tab.Len() > 0 {
		must(w.t, w.db.InsertTablet(context.Background(), tab))
	}
}

func (w *world) erase() {
	from := w.rng.Int64N(w.span)
	to := from + w.rng.Int64N(w.span/20)
	must(w.t, w.db.Delete(context.Background(), "root.d.l", ns(from), ns(to)))
	maps.DeleteFunc(w.m.series["l"].m, func(t int64, _ Value) bool { return t >= from && t < to })
}

// newWorld fills a store with late points, overwrites, nulls and deletes, in
// files and in memory.
func newWorld(t *testing.T, seed uint64) *world {
	w := &world{t: t, rng: rand.New(rand.NewPCG(seed, 7)), m: &model{series: map[string]*modelSeries{}}, span: 20000}
	opts := &Options{FS: vfs.NewMem(), Profile: Profile{BlockRows: 64}}
	w.db = openDir(t, "data", opts)
	for n, k := range worldKinds {
		w.m.series[n] = &modelSeries{kind: k, m: map[int64]Value{}}
	}
	for i := range 60 {
		w.write(w.rng.IntN(200))
		if i%20 == 10 {
			w.erase()
		}
		if i%15 == 14 {
			must(t, w.db.Flush(context.Background()))
		}
	}
	must(t, w.db.Close())
	w.db = openDir(t, "data", opts)
	w.write(100)
	return w
}

func (w *world) collect(q Query) *Tablet {
	w.t.Helper()
	res, err := w.db.Query(context.Background(), q)
	must(w.t, err)
	all, err := res.Collect()
	must(w.t, err)
	switch len(all) {
	case 0:
		return &Tablet{}
	case 1:
		return all[0]
	}
	w.t.Fatalf("%d tablets, want one", len(all))
	return nil
}

// group is a group of rows as the reference sees it.
type group struct {
	label    int64
	from, to int64 // rows of the group, or
	rows     []modelRow
}

// check compares the aggregates of all series over the groups.
func (w *world) check(what string, q Query, names []string, groups []group) {
	w.t.Helper()
	var want [][]expectation
	for _, n := range names {
		for _, a := range aggregatesFor(worldKinds[n]) {
			q.Select = append(q.Select, expr.Call(a, expr.Col(n)))
			var col []expectation
			for _, g := range groups {
				var ps []point
				if g.rows == nil {
					ps = w.m.points(n, g.from, g.to)
				}
				for _, r := range g.rows {
					if v, ok := r.cells[n]; ok {
						ps = append(ps, point{r.t, v})
					}
				}
				col = append(col, slowAggregate(a, worldKinds[n], ps))
			}
			want = append(want, col)
		}
	}
	q.From = []string{"root.d"}
	got := w.collect(q)
	if got.Len() != len(groups) {
		w.t.Fatalf("%s: %d groups, want %d\n%v", what, got.Len(), len(groups), got.Times)
	}
	for r, g := range groups {
		if got.Times[r] != g.label {
			w.t.Fatalf("%s: group %d is at %d, want %d", what, r, got.Times[r], g.label)
		}
		for c := range want {
			if v := got.Row(r).Value(c); !want[c][r].allows(v) {
				w.t.Fatalf("%s: %s of group %d at %d is %v (%s), want %v (±%g)", what, got.Columns[c].Name, r, g.label,
					v, v.Kind(), want[c][r].v, want[c][r].tol)
			}
		}
	}
}

// Every aggregate and every kind of group gives what the slow reference gives.
func TestAggregatesAgainstReference(t *testing.T) {
	seeds := uint64(2)
	if testing.Short() {
		seeds = 1
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			w := newWorld(t, seed)
			for round := range 2 {
				if round > 0 {
					w.write(300)
				}
				w.timeGroups()
				w.rowGroups()
			}
		})
	}
}

func (w *world) timeGroups() {
	names := slices.Sorted(maps.Keys(worldKinds))
	w.check("no group", Query{}, names, []group{{0, 0, w.span, nil}})
	for _, c := range []struct{ start, end, interval, step int64 }{
		{0, w.span, 1000, 1000}, {137, w.span + 999, 777, 777}, {0, w.span, 300, 1000}, {0, w.span, 1000, 130},
		{-500, 3000, 17, 17}, {100, 101, 5, 5}, {0, w.span, 2 * w.span, w.span},
	} {
		for _, leftOpen := range []bool{false, true} {
			var groups []group
			for s := c.start; s < c.end; s += c.step {
				e := min(s+c.interval, c.end)
				if leftOpen {
					groups = append(groups, group{e, s + 1, e + 1, nil})
				} else {
					groups = append(groups, group{s, s, e, nil})
				}
			}
			q := Query{Start: ns(c.start), End: ns(c.end), GroupBy: GroupByTime{Interval: time.Duration(c.interval), Step: time.Duration(c.step), LeftOpen: leftOpen}}
			w.check(fmt.Sprintf("time %+v left open %v", c, leftOpen), q, names, groups)
			q.exact = true
			w.check(fmt.Sprintf("exact time %+v", c), q, names, groups)
		}
	}
	// A condition on values: rows, not blocks.
	var groups []group
	for s := int64(0); s < w.span; s += 1000 {
		g := group{label: s, rows: []modelRow{}}
		for _, r := range w.m.rows(names, s, s+1000) {
			if v, ok := r.cells["i"]; ok && v.Int64() > 3 {
				g.rows = append(g.rows, r)
			}
		}
		groups = append(groups, g)
	}
	w.check("where", Query{Where: expr.Col("i").Gt(3), Start: ns(0), End: ns(w.span), GroupBy: GroupByTime{Interval: 1000}}, names, groups)
}

func (w *world) rowGroups() {
	names := []string{"d", "f", "i"}
	all := w.m.rows(names, 0, w.span)
	by := func(name string, keepNulls bool, next func(open bool, first, v Value) (in, opens bool)) []group {
		var groups []group
		open, first := false, Value{}
		for _, r := range all {
			v, ok := r.cells[name]
			if !ok && !keepNulls {
				continue
			}
			in, opens := next(open, first, v)
			if !in {
				open = false
				continue
			}
			if opens || !open {
				groups = append(groups, group{label: r.t})
				open, first = true, v
			}
			g := &groups[len(groups)-1]
			g.rows = append(g.rows, r)
		}
		return groups
	}
	for _, keepNulls := range []bool{false, true} {
		for _, delta := range []float64{0, 7.5} {
			groups := by("i", keepNulls, func(open bool, first, v Value) (in, opens bool) {
				if v.IsNull() || first.IsNull() {
					return true, v.IsNull() != first.IsNull()
				}
				return true, math.Abs(v.Float64()-first.Float64()) > delta
			})
			w.check(fmt.Sprint("variation ", delta, keepNulls), Query{GroupBy: GroupByVariation{By: expr.Col("i"), Delta: delta, KeepNulls: keepNulls}}, names, groups)
		}
		groups := by("i", keepNulls, func(_ bool, _, v Value) (in, opens bool) { return !v.IsNull() && v.Int64() > -10, false })
		w.check(fmt.Sprint("condition ", keepNulls), Query{GroupBy: GroupByCondition{By: expr.Col("i").Gt(-10), KeepNulls: keepNulls}}, names, groups)
		groups = slices.DeleteFunc(groups, func(g group) bool { return len(g.rows) < 3 })
		w.check(fmt.Sprint("condition keep ", keepNulls), Query{GroupBy: GroupByCondition{By: expr.Col("i").Gt(-10), KeepNulls: keepNulls, KeepOp: expr.OpGe, KeepN: 3}}, names, groups)

		var counted []group
		n := 0
		for _, r := range all {
			if _, ok := r.cells["i"]; !ok && !keepNulls {
				continue
			}
			if n%7 == 0 {
				counted = append(counted, group{label: r.t})
			}
			counted[len(counted)-1].rows = append(counted[len(counted)-1].rows, r)
			n++
		}
		if n%7 != 0 {
			counted = counted[:len(counted)-1]
		}
		w.check(fmt.Sprint("count ", keepNulls), Query{GroupBy: GroupByCount{By: expr.Col("i"), Size: 7, KeepNulls: keepNulls}}, names, counted)
	}
	var sessions []group
	prev := int64(math.MinInt64)
	for _, r := range all {
		if len(sessions) == 0 || r.t-prev > 5 {
			sessions = append(sessions, group{label: r.t})
		}
		sessions[len(sessions)-1].rows = append(sessions[len(sessions)-1].rows, r)
		prev = r.t
	}
	w.check("session", Query{GroupBy: GroupBySession{Gap: 5}}, names, sessions)
}

// Raw rows are the outer join of the series on time.
func TestRawRowsAgainstReference(t *testing.T) {
	w := newWorld(t, 11)
	names := slices.Sorted(maps.Keys(worldKinds))
	for _, c := range []struct {
		what  string
		where expr.Expr
		keep  func(modelRow) bool
	}{
		{"all", expr.Expr{}, func(modelRow) bool { return true }},
		{"compare", expr.Col("i").Ge(5), func(r modelRow) bool { v, ok := r.cells["i"]; return ok && v.Int64() >= 5 }},
		{"text or null", expr.Or(expr.Col("t").Eq("v3"), expr.Col("d").IsNull()), func(r modelRow) bool {
			_, d := r.cells["d"]
			return r.cells["t"].Text() == "v3" || !d
		}},
		{"not", expr.Not(expr.Col("b")), func(r modelRow) bool { v, ok := r.cells["b"]; return ok && !v.Bool() }},
		{"time", expr.Time().Ge(500).And(expr.Time().Lt(900)), func(r modelRow) bool { return r.t >= 500 && r.t < 900 }},
		{"sum", expr.Col("d").Add(expr.Col("f")).Gt(0), func(r modelRow) bool {
			d, ok1 := r.cells["d"]
			f, ok2 := r.cells["f"]
			return ok1 && ok2 && d.Float64()+f.Float64() > 0
		}},
	} {
		q := Query{From: []string{"root.d"}, Where: c.where}
		for _, n := range names {
			q.Select = append(q.Select, expr.Col(n))
		}
		var want []modelRow
		for _, r := range w.m.rows(names, math.MinInt64, math.MaxInt64) {
			if c.keep(r) {
				want = append(want, r)
			}
		}
		got := w.collect(q)
		if got.Len() != len(want) {
			t.Fatalf("%s: %d rows, want %d", c.what, got.Len(), len(want))
		}
		for i, r := range want {
			if got.Times[i] != r.t {
				t.Fatalf("%s: row %d at %d, want %d", c.what, i, got.Times[i], r.t)
			}
			for j, n := range names {
				if v := got.Row(i).Value(j); !v.Equal(r.cells[n]) {
					t.Fatalf("%s: %s at %d is %v, want %v", c.what, n, r.t, v, r.cells[n])
				}
			}
		}
	}
}
