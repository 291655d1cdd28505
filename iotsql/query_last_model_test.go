package iotsql_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
)

// newest is what LAST gives of a series.
type newest struct {
	path string
	at   int64
	val  value
}

// javaText is a value as LAST shows it: floats as Java prints them.
func javaText(v value) string {
	if k := v.Kind(); k != tickwell.KindFloat32 && k != tickwell.KindFloat64 {
		return v.String()
	}
	f := v.Float64()
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 0):
		return map[bool]string{true: "Infinity", false: "-Infinity"}[f > 0]
	case math.Abs(f) >= 1e7:
		digits, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'E', -1, 64), "E+")
		return digits + map[bool]string{false: ".0", true: ""}[strings.Contains(digits, ".")] + "E" + exponent
	case f == math.Trunc(f):
		return strconv.FormatFloat(f, 'f', 1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// lasts are the newest points of series for which a condition on time is true,
// in the order of their paths.
func (s *store) lasts(paths []string, keep func(t int64) bool) (all []newest) {
	paths = slices.Compact(slices.Sorted(slices.Values(paths)))
	for _, p := range paths {
		of := slices.DeleteFunc(slices.Collect(maps.Keys(s.points[p])), func(t int64) bool { return !keep(t) })
		if len(of) > 0 {
			at := slices.Max(of)
			all = append(all, newest{p, at, s.points[p][at]})
		}
	}
	return all
}

// onTime is a condition on time alone.
func (s *store) onTime(depth int) *tree {
	r := s.rng
	if depth > 0 && r.IntN(2) == 0 {
		return node(pickOf(r, "and", "and", "and", "and", "and", "or"), s.onTime(depth-1), s.onTime(depth-1))
	}
	at := func() *tree { return lit(tickwell.Int64Value(s.base + r.Int64N(s.span))) }
	switch r.IntN(8) {
	case 0:
		return node("between", node("time"), at(), at())
	case 2:
		return node(pickOf(r, "<", ">"), at(), node("time"))
	}
	return node(pickOf(r, "=", "<", "<=", ">", ">="), node("time"), at())
}

// last asks for newest points in all ways.
func (s *store) last(refused map[string]int) {
	r := s.rng
	ctx := context.Background()
	q := &question{unit: s.unit}
	q.from = pickOf(r, []string{"root.g.d1"}, []string{"root.g.*"}, []string{"root.**"}, []string{"root.h.d1", "root.g.d1"}, []string{"root.*.d1", "root.g.*"}, []string{devices[r.IntN(4)]})
	for range 1 + r.IntN(3) {
		name := pickOf(r, "*", pickOf(r, slices.Sorted(maps.Keys(kindsOf))...), pickOf(r, slices.Sorted(maps.Keys(kindsOf))...), "none", "root.g.d2.i", "root.g.**.t")
		q.sel, q.alias = append(q.sel, col(name)), append(q.alias, "")
	}
	if r.IntN(2) == 0 {
		q.where = s.onTime(2)
	}
	if r.IntN(3) == 0 {
		q.bounded, q.start = true, s.base+r.Int64N(s.span)-s.span/10
		q.end = q.start + 1 + r.Int64N(s.span)
	}
	if r.IntN(3) == 0 {
		q.limit = 1 + r.IntN(5)
	}
	if r.IntN(4) == 0 {
		q.offset = r.IntN(4)
	}
	keys := []string{"time", "timeseries", "value", "datatype"}
	r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	keys = keys[:max(0, r.IntN(5)-2)]
	desc := make([]bool, len(keys))
	for i := range desc {
		desc[i] = r.IntN(2) == 0
	}

	var paths []string
	for _, e := range q.sel {
		paths = append(paths, s.find(q, e.name)...)
	}
	want := s.lasts(paths, func(t int64) bool {
		return (!q.bounded || t >= q.start && t < q.end) && (q.where == nil || truth(q.where.eval(&row{t: t})) == 1)
	})
	dataType := map[tickwell.Kind]string{tickwell.KindBool: "BOOLEAN", tickwell.KindInt32: "INT32", tickwell.KindInt64: "INT64",
		tickwell.KindFloat32: "FLOAT", tickwell.KindFloat64: "DOUBLE", tickwell.KindText: "TEXT"}
	slices.SortStableFunc(want, func(a, b newest) int {
		for i, k := range keys {
			c := 0
			switch k {
			case "time":
				c = cmp.Compare(a.at, b.at)
			case "timeseries":
				c = strings.Compare(a.path, b.path)
			case "value":
				c = strings.Compare(javaText(a.val), javaText(b.val))
			case "datatype":
				c = strings.Compare(dataType[a.val.Kind()], dataType[b.val.Kind()])
			}
			if desc[i] {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	})
	want = want[min(q.offset, len(want)):]
	if q.limit > 0 {
		want = want[:min(q.limit, len(want))]
	}
	out := make([]string, 0, len(want))
	for _, n := range want {
		out = append(out, fmt.Sprint(n.at, " ", n.path, " ", javaText(n.val), " ", dataType[n.val.Kind()]))
	}

	query := q.query()
	query.Last = true
	plain := q.sql()
	text := "select last" + strings.TrimPrefix(plain, "select")
	order := ""
	for i, k := range keys {
		by := map[string]expr.Expr{"time": expr.Time(), "timeseries": expr.Col("Timeseries"), "value": expr.Col("Value"), "datatype": expr.Col("DataType")}[k]
		query.OrderBy = append(query.OrderBy, tickwell.Order{By: by, Desc: desc[i]})
		order += map[bool]string{true: " order by ", false: ", "}[i == 0] + k + map[bool]string{true: " desc", false: ""}[desc[i]]
	}
	if at := strings.Index(text, " limit "); at >= 0 {
		text = text[:at] + order + text[at:]
	} else if at := strings.Index(text, " offset "); at >= 0 {
		text = text[:at] + order + text[at:]
	} else {
		text += order
	}
	for round := range 2 {
		var got []string
		res, err := s.db.Query(ctx, query)
		if err != nil {
			refused[err.Error()]++
			if _, e := s.conn.Exec(ctx, text); e == nil {
				s.t.Fatalf("%s\nrefused as a Query (%v), not as SQL", text, err)
			}
			return
		}
		for row, err := range res.Rows() {
			s.check(err)
			got = append(got, fmt.Sprint(row.UnixNano()/s.unit, " ", row.Value(0).Text(), " ", row.Value(1).Text(), " ", row.Value(2).Text()))
		}
		if !slices.Equal(got, out) {
			s.t.Fatalf("round %d: %s\ngot  %q\nwant %q", round, text, got, out)
		}
	}
	var got []string
	res, err := s.conn.Exec(ctx, text)
	if err != nil {
		s.t.Fatalf("%s\nrefused as SQL: %v", text, err)
	}
	for row, err := range res.Rows() {
		s.check(err)
		got = append(got, fmt.Sprint(row[0].Int64(), " ", row[1].Text(), " ", row[2].Text(), " ", row[3].Text()))
	}
	if !slices.Equal(got, out) {
		s.t.Fatalf("sql: %s\ngot  %q\nwant %q", text, got, out)
	}
}

// lastOf compares DB.Last and the newest points of Tablets of all rows.
func (s *store) lastOf(pattern string) {
	var paths []string
	for _, p := range s.series {
		if matchNodes(strings.Split(pattern, "."), strings.Split(p, ".")) {
			paths = append(paths, p)
		}
	}
	want := s.lasts(paths, func(int64) bool { return true })
	all, err := s.db.Last(context.Background(), pattern)
	s.check(err)
	all = slices.DeleteFunc(all, func(p tickwell.LastPoint) bool { return strings.HasPrefix(p.Device, "root.other.") })
	if len(all) != len(want) {
		s.t.Fatalf("last %s: %d points, want %d\n%v\n%v", pattern, len(all), len(want), all, want)
	}
	for i, n := range want {
		if p := all[i]; p.Device+"."+p.Name != n.path || p.Time.UnixNano()/s.unit != n.at || !same(p.Value, n.val) {
			s.t.Fatalf("last %s: %v, want %v", pattern, p, n)
		}
	}
}

// LAST and DB.Last give the newest points, under conditions on time too.
func TestLastAgainstReference(t *testing.T) {
	seeds, first := uint64(*modelSeeds), uint64(*modelFirst)
	if testing.Short() {
		seeds = min(seeds, 2)
	}
	refused := map[string]int{}
	for seed := first; seed < first+seeds; seed++ {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			s := newStore(t, seed, pickOf(rand.New(rand.NewPCG(seed, 2)), time.Nanosecond, time.Millisecond))
			for i := range 60 {
				s.last(refused)
				s.lastOf(pickOf(s.rng, "root.**", "root.*.d1.*", "root.g.**.i", "root.g.*.t", "root.h.d1.x"))
				switch i % 10 {
				case 1, 5:
					s.write()
				case 3, 7, 8:
					s.erase()
				case 6:
					s.check(s.db.Flush(context.Background()))
				case 9:
					s.reopen(true)
				}
			}
		})
	}
	if testing.Verbose() {
		for _, e := range slices.Sorted(maps.Keys(refused)) {
			t.Log(refused[e], e)
		}
	}
}
