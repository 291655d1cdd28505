package iotsql_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/iotsql"
)

// The slow reference of whole queries: their clauses in combinations, over
// several devices and values at the edges of their kinds. It shares no code with
// the store, and works on maps and loops as the documents say. Each query is
// asked as a Query, again with its plan kept, and as SQL. What single aggregates
// and groups give is also held by the reference in the root package, which looks
// at statistics of blocks and at many rows.

type value = tickwell.Value

var null value

// rowsOf reads a result.
func (s *store) rowsOf(res *tickwell.Result, whole bool) (*answer, []tickwell.Kind, error) {
	out := &answer{}
	var kinds []tickwell.Kind
	for _, c := range res.Columns() {
		out.heads, kinds = append(out.heads, c.Name), append(kinds, c.Kind)
	}
	take := func(t *tickwell.Tablet) {
		for i, at := range t.Times {
			if at%s.unit != 0 {
				s.t.Fatalf("a row at %d ns, the unit is %d", at, s.unit)
			}
			a := answered{device: t.Device, t: at / s.unit}
			for c := range t.Columns {
				a.vals = append(a.vals, t.Row(i).Value(c))
			}
			out.rows = append(out.rows, a)
		}
	}
	if whole {
		all, err := res.Collect()
		if err != nil {
			return nil, nil, err
		}
		for _, t := range all {
			take(t)
		}
		return out, kinds, nil
	}
	for t, err := range res.Tablets() {
		if err != nil {
			return nil, nil, err
		}
		take(t)
	}
	for i := range out.rows { // what was lent is not kept
		for c := range out.rows[i].vals {
			if v := &out.rows[i].vals[c]; v.Kind() == tickwell.KindText {
				*v = tickwell.TextValue(strings.Clone(v.Text()))
			}
		}
	}
	return out, kinds, nil
}

func same(a, b value) bool {
	if a.Kind() != b.Kind() {
		return false
	}
	if k := a.Kind(); k != tickwell.KindFloat32 && k != tickwell.KindFloat64 {
		return a.Equal(b)
	}
	x, y := a.Float64(), b.Float64()
	return x == y || math.IsNaN(x) && math.IsNaN(y) || math.Abs(x-y) <= 1e-9*max(1, math.Abs(x), math.Abs(y)) && !math.IsInf(x, 0) && !math.IsInf(y, 0)
}

func (a *answer) String() string {
	var b strings.Builder
	for i, r := range a.rows {
		if i == 40 {
			fmt.Fprintln(&b, " …")
			break
		}
		fmt.Fprint(&b, "  ", r.t, " ", r.device)
		for _, v := range r.vals {
			if v.Kind() == tickwell.KindText {
				fmt.Fprintf(&b, " %q", v.Text())
				continue
			}
			fmt.Fprint(&b, " ", v, ":", v.Kind())
		}
		fmt.Fprintln(&b)
	}
	return b.String()
}

func (a *answer) differs(b *answer) string {
	for i, h := range a.heads {
		if h != "" && i < len(b.heads) && b.heads[i] != h {
			return fmt.Sprintf("column %d is %s, want %s", i, b.heads[i], h)
		}
	}
	if len(a.rows) != len(b.rows) {
		return fmt.Sprintf("%d rows, want %d", len(b.rows), len(a.rows))
	}
	for i, x := range a.rows {
		y := b.rows[i]
		if x.t != y.t || x.device != y.device || len(x.vals) != len(y.vals) {
			return fmt.Sprintf("row %d: %d %s (%d columns), want %d %s (%d columns)", i, y.t, y.device, len(y.vals), x.t, x.device, len(x.vals))
		}
		for c, v := range x.vals {
			if !same(v, y.vals[c]) {
				return fmt.Sprintf("row %d at %d, column %d: %v (%s), want %v (%s)", i, x.t, c, y.vals[c], y.vals[c].Kind(), v, v.Kind())
			}
		}
	}
	return ""
}

// refill applies FILL with a constant, which needs the kinds of columns.
func (q *question) refill(a *answer, kinds []tickwell.Kind) {
	if q.fill != "value" || q.apart {
		return
	}
	for i := range a.rows {
		for c := range a.rows[i].vals {
			if v := &a.rows[i].vals[c]; v.IsNull() && c < len(kinds) {
				*v = fillsWith(kinds[c], q.fillVal)
			}
		}
	}
}

// try asks a question in all ways and compares.
// answer is ask, nil if a CAST fails.
func (s *store) answer(q *question) (a *answer) {
	defer func() {
		if p := recover(); p != nil {
			if p != (noValue{}) {
				panic(p)
			}
			a = nil
		}
	}()
	return s.ask(q)
}

func (s *store) try(q *question, refused map[string]int) {
	ctx := context.Background()
	text := q.sql()
	query := q.query()
	res, err := s.db.Query(ctx, query)
	if err != nil {
		refused[err.Error()]++
		if _, sqlErr := s.conn.Exec(ctx, text); sqlErr == nil {
			s.t.Fatalf("%s\nrefused as a Query (%v), not as SQL", text, err)
		}
		return
	}
	want := s.answer(q)
	got, kinds, err := s.rowsOf(res, true)
	if want == nil { // of which LIMIT may have left out the row that has no value
		if err != nil {
			refused["a CAST that fails"]++
		}
		return
	}
	if err != nil && strings.Contains(err.Error(), "is no value of") && (q.group == "time" || q.group == "calendar") {
		refused["a CAST that fails in a row of no window"]++
		return
	}
	if err != nil {
		s.t.Fatalf("%s\n%v", text, err)
	}
	q.refill(want, kinds)
	compare := func(what string, got *answer) {
		s.t.Helper()
		if d := want.differs(got); d != "" {
			s.t.Fatalf("%s: %s\n%s\n%s\ngot:\n%v\nwant:\n%v", what, text, d, res.Explain().Plan, got, want)
		}
	}
	compare("query", got)
	for round := range 3 {
		if round == 1 && query.Start.IsZero() == false {
			moved := query
			moved.Start = moved.Start.Add(-time.Duration(s.rng.Int64N(s.span) * s.unit))
			if r, err := s.db.Query(ctx, moved); err == nil {
				for range r.Rows() {
					break
				}
			}
		}
		if round == 2 && !s.wide && s.rng.IntN(4) == 0 {
			s.others++
			s.check(s.db.Insert(ctx, fmt.Sprint("root.other.s", s.others), time.Unix(0, 1), tickwell.Field{Name: "i", Value: tickwell.Int32Value(1)}))
			query.From = slices.Clone(query.From)
		}
		again, err := s.db.Query(ctx, query)
		s.check(err)
		got, _, err := s.rowsOf(again, round == 0)
		s.check(err)
		compare(fmt.Sprint("again ", round), got)
	}
	sql, err := s.conn.Exec(ctx, text)
	if err != nil {
		s.t.Fatalf("%s\nrefused as SQL: %v", text, err)
	}
	compare("sql", s.sqlRows(q, sql, text))
}

func (s *store) sqlRows(q *question, res *iotsql.Result, text string) *answer {
	out := &answer{}
	byColumn := map[int][]answered{}
	for r, err := range res.Rows() {
		if err != nil {
			s.t.Fatalf("%s\n%v", text, err)
		}
		r = slices.Clone(r)
		if q.apart {
			for i := 0; i < len(r); i += 2 {
				if !r[i].IsNull() {
					byColumn[i] = append(byColumn[i], answered{t: r[i].Int64(), vals: r[i+1 : i+2]})
				}
			}
			continue
		}
		var a answered
		cols := res.Columns()
		if cols[0].IsTime {
			a.t, r, cols = r[0].Int64(), r[1:], cols[1:]
		}
		if q.byDevice {
			a.device, r = r[0].Text(), r[1:]
		}
		a.vals = r
		out.rows = append(out.rows, a)
	}
	for _, i := range slices.Sorted(maps.Keys(byColumn)) {
		out.rows = append(out.rows, byColumn[i]...)
	}
	return out
}

var (
	modelSeeds = flag.Uint("model.seeds", 8, "how many stores the reference of queries makes")
	modelFirst = flag.Uint("model.first", 0, "the first of them")
)

// Clauses in combinations give what the slow reference gives.
func TestQueriesAgainstReference(t *testing.T) {
	tryMany(t, 120, time.Nanosecond, func(*store) {})
}

// Time may be counted in other units.
func TestQueriesInUnitsAgainstReference(t *testing.T) {
	for _, unit := range []time.Duration{time.Microsecond, time.Millisecond} {
		t.Run(unit.String(), func(t *testing.T) {
			tryMany(t, 10, unit, func(s *store) { s.tables = s.rng.IntN(2) == 0 })
		})
	}
}

// tryMany asks questions of many stores, which set makes ready.
func tryMany(t *testing.T, questions int, unit time.Duration, set func(*store)) {
	seeds, first := uint64(*modelSeeds), uint64(*modelFirst)
	if testing.Short() {
		seeds = min(seeds, 3)
	}
	refused := map[string]int{}
	asked := 0
	for seed := first; seed < first+seeds; seed++ {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			s := newStore(t, seed, unit)
			set(s)
			for i := range questions {
				if i%40 == 39 {
					s.write()
				}
				asked++
				s.try(s.question(), refused)
			}
		})
	}
	n := 0
	for _, c := range refused {
		n += c
	}
	t.Logf("%d queries, %d refused", asked, n)
	if testing.Verbose() {
		for _, e := range slices.Sorted(maps.Keys(refused)) {
			t.Log(refused[e], e)
		}
	}
}
