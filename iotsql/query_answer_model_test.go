package iotsql_test

import (
	"maps"
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/tickwell/tickwell"
)

// How the reference answers a query.

// answer is what a query gives: rows with their times and devices.
type answer struct {
	heads []string // of the columns, "" and beyond: not said
	rows  []answered
}

type answered struct {
	device string
	column int // of disable align
	t      int64
	vals   []value
}

// matches reports whether a path is below a pattern of From and has a
// measurement of that name.
func matches(from, name, path string) bool {
	p := path
	if strings.HasPrefix(name, "root.") {
		return matchNodes(strings.Split(name, "."), strings.Split(p, "."))
	}
	return matchNodes(append(strings.Split(from, "."), strings.Split(name, ".")...), strings.Split(p, "."))
}

func matchNodes(pat, nodes []string) bool {
	if len(pat) == 0 {
		return len(nodes) == 0
	}
	if len(nodes) == 0 {
		return false
	}
	if pat[0] == "**" {
		for n := 1; n <= len(nodes); n++ {
			if matchNodes(pat[1:], nodes[n:]) {
				return true
			}
		}
		return false
	}
	return (pat[0] == "*" || pat[0] == nodes[0]) && matchNodes(pat[1:], nodes[1:])
}

// find lists the series that a name stands for.
func (s *store) find(q *question, name string) (all []string) {
	for _, f := range q.from {
		for _, p := range s.series {
			if matches(f, name, p) {
				all = append(all, p)
			}
		}
		if strings.HasPrefix(name, "root.") {
			break // a whole path, whatever FROM says
		}
	}
	return all
}

// expand makes an expression of each choice of series for the names of e.
func expand(e *tree, find func(string) []string) []*tree {
	var lists [][]string
	all := map[*tree]bool{} // the * of count_time
	e.walk(func(x *tree) {
		if x.name == "count_time" {
			all[x.args[0]] = true
		}
		if x.op == "col" {
			if x.name == "__endTime" || all[x] {
				lists = append(lists, []string{x.name})
			} else {
				lists = append(lists, find(x.name))
			}
		}
	})
	var out []*tree
	var choose func(picked []string)
	choose = func(picked []string) {
		if len(picked) == len(lists) {
			at := 0
			out = append(out, e.with(picked, &at))
			return
		}
		for _, p := range lists[len(picked)] {
			choose(append(slices.Clip(picked), p))
		}
	}
	choose(nil)
	return out
}

func conj(all []*tree) *tree {
	if len(all) == 0 {
		return lit(null)
	}
	e := all[0]
	for _, x := range all[1:] {
		e = node("and", e, x)
	}
	return e
}

// ask answers a query by loops; ok is false where it makes no sense.
func (s *store) ask(q *question) *answer {
	find := func(name string) []string { return s.find(q, name) }
	if len(q.levels) > 0 {
		return s.askLevels(q)
	}
	if !q.byDevice {
		var sel []*tree
		for _, e := range q.sel {
			sel = append(sel, expand(e, find)...)
		}
		sel = cutColumns(q, sel)
		if len(sel) == 0 {
			return &answer{}
		}
		out := &answer{}
		bind := func(e *tree) *tree {
			if e == nil {
				return nil
			}
			found := expand(e, find)
			if len(found) == 0 {
				return lit(null)
			}
			return conj(found)
		}
		var where *tree
		if q.where != nil {
			where = conj(expand(q.where, func(name string) []string {
				if f := find(name); len(f) > 0 {
					return f
				}
				return []string{"absent"}
			}))
		}
		order := q.order
		var keys []*tree
		for _, o := range order {
			keys = append(keys, bind(o))
		}
		if q.apart {
			for i, e := range sel {
				rows, _ := s.part(q, []*tree{e}, where, nil, nil, nil, keys)
				rows = slices.DeleteFunc(rows, func(r answered) bool { return r.vals[0].IsNull() })
				for _, r := range cutRows(q, rows) {
					out.rows = append(out.rows, answered{column: i, t: r.t, vals: r.vals})
				}
			}
			return out
		}
		out.rows, _ = s.part(q, sel, where, bind(q.by), bind(q.having), find, keys)
		out.rows = cutRows(q, out.rows)
		return out
	}
	var devs []string
	for _, p := range find("*") {
		if !slices.Contains(devs, deviceOf(p)) {
			devs = append(devs, deviceOf(p))
		}
	}
	slices.Sort(devs)
	names := func(name string) (all []string) {
		found := find(name)
		slices.SortFunc(found, func(a, b string) int { return slices.Index(s.series, a) - slices.Index(s.series, b) })
		for _, p := range found {
			if !slices.Contains(all, nameOf(p)) {
				all = append(all, nameOf(p))
			}
		}
		return all
	}
	var sel []*tree
	for _, e := range q.sel {
		sel = append(sel, expand(e, names)...)
	}
	sel = cutColumns(q, sel)
	type sorted struct {
		answered
		keys []value
	}
	var all []sorted
	for _, d := range devs {
		in := func(e *tree) *tree {
			if e == nil {
				return nil
			}
			var list []string
			e.walk(func(x *tree) {
				if x.op != "col" {
					return
				}
				if x.name == "__endTime" || x.name == "*" {
					list = append(list, x.name)
				} else {
					list = append(list, d+"."+x.name)
				}
			})
			at := 0
			return e.with(list, &at)
		}
		var mine []*tree
		reads := false
		for _, e := range sel {
			mine = append(mine, in(e))
			mine[len(mine)-1].walk(func(x *tree) { reads = reads || x.op == "col" && (s.kinds[x.name] != 0 || x.name == "*") })
		}
		if !reads {
			continue
		}
		each := func(e *tree) *tree {
			if e == nil {
				return nil
			}
			var list []*tree
			for _, x := range expand(e, names) {
				list = append(list, in(x))
			}
			return conj(list)
		}
		var where *tree
		if q.where != nil {
			where = conj(func() (list []*tree) {
				for _, x := range expand(q.where, func(name string) []string {
					if f := names(name); len(f) > 0 {
						return f
					}
					return []string{"absent"}
				}) {
					list = append(list, in(x))
				}
				return list
			}())
		}
		var keys []*tree
		for _, o := range q.order {
			keys = append(keys, in(o))
		}
		rows, sortKeys := s.part(q, mine, where, in(q.by), each(q.having), func(string) []string {
			var of []string
			for _, p := range s.series {
				if deviceOf(p) == d {
					of = append(of, p)
				}
			}
			return of
		}, keys)
		for i, r := range rows {
			r.device = d
			x := sorted{answered: r, keys: sortKeys[i]}
			for k, o := range q.order {
				if o.op == "device" {
					x.keys[k] = tickwell.TextValue(d)
				}
			}
			all = append(all, x)
		}
	}
	if len(q.order) > 0 {
		slices.SortStableFunc(all, func(a, b sorted) int { return compareKeys(q, a.keys, b.keys) })
	}
	out := &answer{}
	for _, x := range all {
		out.rows = append(out.rows, x.answered)
	}
	out.rows = cutRows(q, out.rows)
	return out
}

func cutColumns(q *question, all []*tree) []*tree {
	all = all[min(q.soffset, len(all)):]
	if q.slimit > 0 {
		all = all[:min(q.slimit, len(all))]
	}
	return all
}

func cutRows(q *question, all []answered) []answered {
	all = all[min(q.offset, len(all)):]
	if q.limit > 0 {
		all = all[:min(q.limit, len(all))]
	}
	return all
}

func compareKeys(q *question, a, b []value) int {
	for i := range q.order {
		x, y := a[i], b[i]
		c := 0
		if x.IsNull() || y.IsNull() {
			if x.IsNull() != y.IsNull() {
				c = 1
				if x.IsNull() == q.first[i] {
					c = -1
				}
				return c
			}
			continue
		}
		var ok bool
		if c, ok = compare(x, y); !ok { // NaN after every number
			nx, ny := math.IsNaN(x.Float64()), math.IsNaN(y.Float64())
			c = 0
			if nx != ny {
				c = -1
				if nx {
					c = 1
				}
			}
		}
		if q.desc[i] {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// part answers a query whose names are whole paths: all of it, or of a device.
func (s *store) part(q *question, sel []*tree, where, by, having *tree, everything func(string) []string, keys []*tree) ([]answered, [][]value) {
	paths := map[string]bool{}
	for _, e := range slices.Concat(sel, keys, []*tree{where, by, having}) {
		if e == nil {
			continue
		}
		e.walk(func(x *tree) {
			if x.op != "col" {
				return
			}
			paths[x.name] = true
			if x.name == "*" {
				for _, p := range everything("*") {
					paths[p] = true
				}
			}
		})
	}
	byTime := map[int64]*row{}
	for p := range paths {
		for t, v := range s.points[p] {
			if q.bounded && !q.leftOpen && (t < q.start || t >= q.end) || q.leftOpen && (t <= q.start || t > q.end) {
				continue
			}
			if byTime[t] == nil {
				byTime[t] = &row{t: t, cells: map[string]value{}, diff: map[*tree]value{}}
			}
			byTime[t].cells[p] = v
		}
	}
	var rows []row
	for _, t := range slices.Sorted(maps.Keys(byTime)) {
		rows = append(rows, *byTime[t])
	}
	shown := slices.Concat(sel, keys, []*tree{having})
	rows = tabulate(where, rows, false, false)
	if where != nil {
		rows = slices.DeleteFunc(rows, func(r row) bool { return truth(where.eval(&r)) != 1 })
	}
	if agg := slices.ContainsFunc(q.sel, (*tree).hasAgg); agg {
		rows = tabulate(by, rows, false, false)
		for _, e := range shown {
			rows = tabulate(e, rows, true, false)
		}
		rows = s.groups(q, rows, by)
		for i := range rows {
			rows[i].diff = map[*tree]value{}
		}
		for i := range rows { // also where HAVING leaves the group out, for a CAST may fail
			for _, e := range shown {
				if e != nil {
					e.walk(func(x *tree) {
						if x.isAgg() {
							x.eval(&rows[i])
						}
					})
				}
			}
		}
		rows = tabulate(having, rows, false, false)
		if having != nil {
			rows = slices.DeleteFunc(rows, func(r row) bool { return truth(having.eval(&r)) != 1 })
		}
		for _, e := range slices.Concat(sel, keys) {
			rows = tabulate(e, rows, false, false)
		}
	} else {
		for _, e := range shown {
			rows = tabulate(e, rows, false, false)
		}
		if slices.ContainsFunc(slices.Concat(sel, keys), (*tree).makesRows) {
			rows = slices.DeleteFunc(rows, func(r row) bool {
				return !slices.ContainsFunc(sel, func(e *tree) bool { return !e.eval(&r).IsNull() })
			})
		}
	}
	var out []answered
	var sortKeys [][]value
	for i := range rows {
		a := answered{t: rows[i].t}
		for _, e := range sel {
			a.vals = append(a.vals, e.eval(&rows[i]))
		}
		var ks []value
		for _, k := range keys {
			if k.op == "device" {
				ks = append(ks, tickwell.TextValue(""))
				continue
			}
			ks = append(ks, k.eval(&rows[i]))
		}
		out, sortKeys = append(out, a), append(sortKeys, ks)
	}
	if len(keys) > 0 {
		at := make([]int, len(out))
		for i := range at {
			at[i] = i
		}
		slices.SortStableFunc(at, func(a, b int) int { return compareKeys(q, sortKeys[a], sortKeys[b]) })
		o, k := slices.Clone(out), slices.Clone(sortKeys)
		for i, j := range at {
			out[i], sortKeys[i] = o[j], k[j]
		}
	}
	if !q.apart {
		for c := range sel {
			s.fill(q, out, c)
		}
	}
	return out, sortKeys
}

func (s *store) fill(q *question, rows []answered, c int) {
	last := null
	prev := -1
	for i := range rows {
		v := &rows[i].vals[c]
		if !v.IsNull() {
			if q.fill == "linear" && prev >= 0 && v.Kind() != tickwell.KindBool && v.Kind() != tickwell.KindText {
				for j := prev + 1; j < i; j++ {
					a, b := rows[prev], rows[i]
					w := float64(rows[j].t-a.t) / float64(b.t-a.t)
					x, y := a.vals[c].Float64(), b.vals[c].Float64()
					f := x + (y-x)*w
					if b.t == a.t {
						f = x + (y-x)*0.5
					}
					rows[j].vals[c] = numberAs(v.Kind(), f)
				}
			}
			last, prev = *v, i
			continue
		}
		if q.fill == "previous" {
			*v = last
		}
	}
}

// numberAs is a float as a value of a numeric kind: fractions are cut off, what
// does not fit is the nearest.
func numberAs(k tickwell.Kind, f float64) value {
	switch k {
	case tickwell.KindInt32:
		return tickwell.Int32Value(int32(min(max(f, math.MinInt32), math.MaxInt32)))
	case tickwell.KindInt64:
		if f >= math.MaxInt64 {
			return tickwell.Int64Value(math.MaxInt64)
		}
		return tickwell.Int64Value(int64(max(f, math.MinInt64)))
	case tickwell.KindFloat32:
		return tickwell.Float32Value(float32(f))
	}
	return tickwell.Float64Value(f)
}

// fillsWith is the constant of FILL for a column of a kind, null if it does not suit.
func fillsWith(k tickwell.Kind, v value) value {
	switch {
	case k == v.Kind():
		return v
	case k == tickwell.KindText:
		return tickwell.TextValue(v.String())
	case v.Kind() == tickwell.KindBool || v.Kind() == tickwell.KindText || k == tickwell.KindBool:
		return null
	case k == tickwell.KindFloat32 || k == tickwell.KindFloat64:
		return numberAs(k, v.Float64())
	case !isInt(v):
		return null
	case k == tickwell.KindInt32 && (v.Int64() < math.MinInt32 || v.Int64() > math.MaxInt32):
		return null
	case k == tickwell.KindInt32:
		return tickwell.Int32Value(int32(v.Int64()))
	}
	return tickwell.Int64Value(v.Int64())
}

// groups puts rows together; each group is a row.
func (s *store) groups(q *question, rows []row, by *tree) (out []row) {
	switch q.group {
	case "":
		return []row{{group: rows}}
	case "calendar":
		return q.calendar.cut(q, rows)
	case "time":
		for a := q.start; a < q.end; a += q.step {
			b := min(a+q.interval, q.end)
			g := row{t: a, end: b - 1}
			if q.leftOpen {
				g.t, g.end = b, b
			}
			for _, r := range rows {
				if !q.leftOpen && r.t >= a && r.t < b || q.leftOpen && r.t > a && r.t <= b {
					g.group = append(g.group, r)
				}
			}
			out = append(out, g)
		}
		return out
	}
	open := false
	var first value
	for i, r := range rows {
		v := null
		if by != nil {
			v = by.eval(&r)
			if v.IsNull() && !q.nulls {
				continue
			}
		}
		begins := !open
		switch q.group {
		case "session":
			begins = i == 0 || r.t-rows[i-1].t > q.size
		case "variation":
			begins = begins || differs(first, v, q.delta)
		case "condition":
			if truth(v) != 1 {
				open = false
				continue
			}
		case "count":
			begins = begins || int64(len(out[len(out)-1].group)) == q.size
		}
		if begins {
			out = append(out, row{t: r.t})
			first, open = v, true
		}
		g := &out[len(out)-1]
		g.group, g.end = append(g.group, r), r.t
	}
	return slices.DeleteFunc(out, func(g row) bool {
		n := int64(len(g.group))
		return q.group == "count" && n < q.size ||
			q.group == "condition" && !(&tree{op: q.keepOp}).compare(tickwell.Int64Value(n), tickwell.Int64Value(q.keepN)).Bool()
	})
}

func differs(a, b value, delta float64) bool {
	switch {
	case a.IsNull() || b.IsNull():
		return a.IsNull() != b.IsNull()
	case a.Kind() == tickwell.KindText || a.Kind() == tickwell.KindBool:
		return !a.Equal(b)
	case isInt(a):
		d, _ := new(big.Float).SetInt(new(big.Int).Abs(new(big.Int).Sub(big.NewInt(a.Int64()), big.NewInt(b.Int64())))).Float64()
		return d > delta
	}
	x, y := a.Float64(), b.Float64()
	if math.IsNaN(x) || math.IsNaN(y) {
		return math.IsNaN(x) != math.IsNaN(y)
	}
	return x != y && math.Abs(x-y) > delta
}
