package iotsql_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
)

// GROUP BY LEVEL, in the reference of queries: aggregates whose series agree in
// the nodes of some numbers are one, of the rows of all of them.

// masked is a path as a column of a level calls it. The measurement stays, unless
// it was asked for by a wildcard, and so does root.
func (q *question) masked(path string, star bool) string {
	nodes := strings.Split(path, ".")
	for i := range nodes {
		if i > 0 && !slices.Contains(q.levels, i) && (star || i < len(nodes)-1) {
			nodes[i] = "*"
		}
	}
	return strings.Join(nodes, ".")
}

// starred reports whether e names measurements by a wildcard.
func starred(e *tree) (is bool) {
	e.walk(func(x *tree) { is = is || x.op == "col" && strings.HasSuffix(x.name, "*") })
	return is
}

// heading is e with its paths masked.
func (q *question) heading(e *tree, star bool) *tree {
	var names []string
	e.walk(func(x *tree) {
		if x.op == "col" {
			n := x.name
			if strings.HasPrefix(n, "root.") {
				n = q.masked(n, star)
			}
			names = append(names, n)
		}
	})
	at := 0
	return e.with(names, &at)
}

// levels is the aggregates of a query, by what they are called.
type levels struct {
	q       *question
	members map[string][]*tree
	stars   map[*tree]bool // of the expressions
}

// note takes the aggregates of an expression that names series.
func (l *levels) note(e *tree, star bool) *tree {
	l.stars[e] = star
	e.walk(func(x *tree) {
		if !x.isAgg() {
			return
		}
		key := l.q.heading(x, star).sql()
		if !slices.ContainsFunc(l.members[key], func(o *tree) bool { return o.sql() == x.sql() }) {
			l.members[key] = append(l.members[key], x)
		}
	})
	return e
}

// fold is e with its aggregates of all their series.
func (l *levels) fold(e *tree) *tree { return l.folded(e, l.stars[e]) }

func (l *levels) folded(e *tree, star bool) *tree {
	if e.isAgg() {
		return node("level", l.members[l.q.heading(e, star).sql()]...)
	}
	c := *e
	c.args = nil
	for _, a := range e.args {
		c.args = append(c.args, l.folded(a, star))
	}
	return &c
}

// together is an aggregate over the rows of several series: each is taken by
// itself, in the order of the query.
func (t *tree) together(r *row) value {
	of := t.args[0]
	switch {
	case of.name == "count" || of.name == "count_if":
		n := int64(0)
		for _, a := range t.args {
			n += a.eval(r).Int64()
		}
		return tickwell.Int64Value(n)
	case of.name == "count_time" || len(t.args) == 1:
		return of.eval(r)
	case of.name == "max_by" || of.name == "min_by":
		best, at := null, null
		for _, a := range t.args {
			best, at = a.by(r, best, at)
		}
		return best
	}
	if f := userAggs[of.name]; f != nil {
		var rows []inRow
		for _, a := range t.args {
			rows = append(rows, a.inRows(r)...)
		}
		return f(rows)
	}
	var all []sample
	for _, a := range t.args {
		all = append(all, a.sample(r))
	}
	return aggregated(of.name, all)
}

// askLevels is ask of a query with levels.
func (s *store) askLevels(q *question) *answer {
	find := func(name string) []string { return s.find(q, name) }
	l := &levels{q: q, members: map[string][]*tree{}, stars: map[*tree]bool{}}
	out := &answer{}
	var sel []*tree
	var heads []string
	seen := map[string]bool{}
	for i, e := range q.sel {
		star := starred(e)
		for _, x := range expand(e, find) {
			l.note(x, star)
			text := q.heading(x, star).sql()
			if key := text + " as " + q.alias[i]; !seen[key] {
				seen[key] = true
				head := q.alias[i]
				if head == "" && x.isAgg() && len(x.args) == 1 && x.args[0].op == "col" && len(x.attr) == 0 {
					head = text
				}
				sel, heads = append(sel, x), append(heads, head)
			}
		}
	}
	if len(sel) == 0 {
		return out
	}
	// An aggregate that only another clause names joins those of its column.
	var conditions, keys []*tree
	if q.having != nil {
		star := starred(q.having)
		for _, x := range expand(q.having, find) {
			conditions = append(conditions, l.note(x, star))
		}
	}
	for _, o := range q.order {
		for _, x := range expand(o, find) { // one, or it is refused
			keys = append(keys, l.note(x, false))
		}
	}
	var having *tree
	if q.having != nil {
		for i := range conditions {
			conditions[i] = l.fold(conditions[i])
		}
		having = conj(conditions)
	}
	for i := range keys {
		keys[i] = l.fold(keys[i])
	}
	for i := range sel {
		sel[i] = l.fold(sel[i])
	}
	sel = cutColumns(q, sel)
	heads = heads[min(q.soffset, len(heads)):]
	out.heads = heads[:min(len(sel), len(heads))]
	if len(sel) == 0 {
		return &answer{}
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
	out.rows, _ = s.part(q, sel, where, nil, having, find, keys)
	out.rows = cutRows(q, out.rows)
	return out
}

// expansions is how many columns wildcards make of one expression at most.
func (s *store) expansions(q *question) (most int) {
	for _, e := range slices.Concat(q.sel, q.order, []*tree{q.where, q.having}) {
		n := 1
		if e != nil {
			e.walk(func(x *tree) {
				if x.op == "col" {
					n = min(n*max(1, len(s.find(q, x.name))), 1000_000)
				}
			})
		}
		most = max(most, n)
	}
	return most
}

// beyond reports whether q names a series that is not below its From.
func (s *store) beyond(q *question) (is bool) {
	for _, e := range slices.Concat(q.sel, q.order, []*tree{q.having}) {
		if e != nil {
			e.walk(func(x *tree) {
				is = is || x.op == "col" && strings.HasPrefix(x.name, "root.") && !slices.Contains(s.find(q, nameOf(x.name)), x.name)
			})
		}
	}
	return is
}

func (s *store) countsTime(q *question) (does bool) {
	for _, e := range slices.Concat(q.sel, q.order, []*tree{q.having}) {
		if e != nil {
			e.walk(func(x *tree) { does = does || x.name == "count_time" })
		}
	}
	return does
}

// level is a question with GROUP BY LEVEL.
func (s *store) level() *question {
	r := s.rng
	for {
		q := s.question()
		if !slices.ContainsFunc(q.sel, (*tree).hasAgg) || q.byDevice || q.group != "" && q.group != "time" {
			continue
		}
		q.from = pickOf(r, []string{"root.g.*"}, []string{"root.*.*"}, []string{"root.**"}, []string{"root.g.**"}, []string{"root.g.d1", "root.g.*"}, []string{"root.h.d1", "root.g.**"}, []string{"root.*.d1"})
		for range 1 + r.IntN(3) {
			q.levels = append(q.levels, r.IntN(6))
		}
		if r.IntN(4) == 0 {
			e := call(pickOf(r, "count", "count", "sum", "max_value", "first_value", "last_value", "min_time", "max_time", "mode", "count_time"), col("*"))
			q.sel, q.alias = append(q.sel, e), append(q.alias, "")
		}
		// Of one series that exists, which joins those of its column.
		one := func(e *tree) *tree {
			var names []string
			e.walk(func(x *tree) {
				if x.op != "col" {
					return
				}
				if p := pickOf(r, devices...) + "." + x.name; s.kinds[p] != 0 {
					names = append(names, p)
				} else {
					names = append(names, x.name)
				}
			})
			at := 0
			return e.with(names, &at)
		}
		for i := range q.order {
			q.order[i] = one(q.order[i])
		}
		if q.having != nil && r.IntN(3) == 0 {
			q.having = one(q.having)
		}
		if r.IntN(6) == 0 {
			q.sel[0] = one(q.sel[0])
		}
		if s.expansions(q) <= 150 && (!s.beyond(q) || !s.countsTime(q)) {
			return q
		}
	}
}

// Series that a level folds together give what the reference gives.
func TestLevelsAgainstReference(t *testing.T) {
	seeds, first := uint64(*modelSeeds), uint64(*modelFirst)
	if testing.Short() {
		seeds = min(seeds, 2)
	}
	refused := map[string]int{}
	for seed := first; seed < first+seeds; seed++ {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			s := newStore(t, seed, time.Nanosecond)
			s.wide = true
			s.tables = s.rng.IntN(3) == 0
			for i := range 60 {
				if i%20 == 19 {
					s.write()
				}
				s.try(s.level(), refused)
			}
		})
	}
	if testing.Verbose() {
		for _, e := range slices.Sorted(maps.Keys(refused)) {
			t.Log(refused[e], e)
		}
	}
}
