package iotsql_test

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
)

// Queries of the reference, as a Query and as SQL.

// question is a query in the words of the reference.
type question struct {
	sel      []*tree
	alias    []string
	from     []string
	where    *tree
	start    int64 // with group by time
	end      int64
	bounded  bool
	group    string // "", time, variation, condition, session, count
	interval int64
	step     int64
	leftOpen bool
	by       *tree
	delta    float64
	keepOp   string
	keepN    int64
	nulls    bool
	size     int64
	having   *tree
	fill     string // previous, linear, or value
	fillVal  value
	order    []*tree
	desc     []bool
	first    []bool
	limit    int
	offset   int
	slimit   int
	soffset  int
	byDevice bool
	apart    bool
	unit     int64
	calendar *calendar
	levels   []int
}

var keepOps = map[string]expr.Op{"=": expr.OpEq, "!=": expr.OpNe, "<": expr.OpLt, "<=": expr.OpLe, ">": expr.OpGt, ">=": expr.OpGe}

func (q *question) query() tickwell.Query {
	out := tickwell.Query{From: q.from, Limit: q.limit, Offset: q.offset, SeriesLimit: q.slimit, SeriesOffset: q.soffset, Levels: q.levels, AlignByDevice: q.byDevice, DisableAlign: q.apart, TimeUnit: time.Duration(q.unit)}
	for i, e := range q.sel {
		x := e.expr()
		if q.alias[i] != "" {
			x = x.As(q.alias[i])
		}
		out.Select = append(out.Select, x)
	}
	if q.where != nil {
		out.Where = q.where.expr()
	}
	if q.bounded {
		out.Start, out.End = time.Unix(0, q.start*q.unit).UTC(), time.Unix(0, q.end*q.unit).UTC()
	}
	switch q.group {
	case "calendar":
		out.GroupBy, out.Zone = q.calendar.groups, q.calendar.zone
	case "time":
		out.GroupBy = tickwell.GroupByTime{Interval: time.Duration(q.interval * q.unit), Step: time.Duration(q.step * q.unit), LeftOpen: q.leftOpen}
	case "variation":
		out.GroupBy = tickwell.GroupByVariation{By: q.by.expr(), Delta: q.delta, KeepNulls: q.nulls}
	case "condition":
		out.GroupBy = tickwell.GroupByCondition{By: q.by.expr(), KeepOp: keepOps[q.keepOp], KeepN: q.keepN, KeepNulls: q.nulls}
	case "session":
		out.GroupBy = tickwell.GroupBySession{Gap: time.Duration(q.size * q.unit)}
	case "count":
		out.GroupBy = tickwell.GroupByCount{By: q.by.expr(), Size: int(q.size), KeepNulls: q.nulls}
	}
	if q.having != nil {
		out.Having = q.having.expr()
	}
	switch q.fill {
	case "previous":
		out.Fill.Previous = true
	case "linear":
		out.Fill.Linear = true
	case "value":
		out.Fill.Value = q.fillVal
	}
	for i, o := range q.order {
		out.OrderBy = append(out.OrderBy, tickwell.Order{By: o.expr(), Desc: q.desc[i], NullsFirst: q.first[i]})
	}
	return out
}

// sql is the query as text; "" if it cannot be said.
func (q *question) sql() string {
	var items []string
	for i, e := range q.sel {
		x := e.sql()
		if q.alias[i] != "" {
			x += " as " + q.alias[i]
		}
		items = append(items, x)
	}
	s := "select " + strings.Join(items, ", ") + " from " + strings.Join(q.from, ", ")
	where := ""
	if q.where != nil {
		where = q.where.sql()
	}
	if q.bounded && q.group != "time" && q.calendar == nil {
		if where != "" {
			where = "(" + where + ") and "
		}
		where += fmt.Sprintf("time >= %d and time < %d", q.start, q.end)
	}
	if where != "" {
		s += " where " + where
	}
	ignore := fmt.Sprintf("ignoreNull=%v", !q.nulls)
	unit := map[int64]string{1: "ns", 1000: "us", 1000_000: "ms"}[q.unit]
	switch q.group {
	case "calendar":
		s += q.calendar.sql(q)
	case "time":
		a, b := "[", ")"
		if q.leftOpen {
			a, b = "(", "]"
		}
		s += fmt.Sprintf(" group by (%s%d, %d%s, %d%s, %d%s)", a, q.start, q.end, b, q.interval, unit, q.step, unit)
	case "variation":
		s += fmt.Sprintf(" group by variation(%s, %s, %s)", q.by.sql(), strconv.FormatFloat(q.delta, 'f', -1, 64), ignore)
	case "condition":
		s += fmt.Sprintf(" group by condition(%s, keep %s %d, %s)", q.by.sql(), q.keepOp, q.keepN, ignore)
	case "session":
		s += fmt.Sprintf(" group by session(%d%s)", q.size, unit)
	case "count":
		s += fmt.Sprintf(" group by count(%s, %d, %s)", q.by.sql(), q.size, ignore)
	}
	for i, n := range q.levels {
		switch {
		case i > 0:
			s += fmt.Sprint(", ", n)
		case q.group == "":
			s += fmt.Sprint(" group by level = ", n)
		default:
			s += fmt.Sprint(", level = ", n)
		}
	}
	if q.having != nil {
		s += " having " + q.having.sql()
	}
	for i, o := range q.order {
		if i == 0 {
			s += " order by "
		} else {
			s += ", "
		}
		s += o.sql()
		if q.desc[i] {
			s += " desc"
		}
		if q.first[i] {
			s += " nulls first"
		}
	}
	switch q.fill {
	case "value":
		s += " fill(" + lit(q.fillVal).sql() + ")"
	case "previous", "linear":
		s += " fill(" + q.fill + ")"
	}
	add := func(word string, n int) {
		if n > 0 {
			s += fmt.Sprintf(" %s %d", word, n)
		}
	}
	add("limit", q.limit)
	add("offset", q.offset)
	add("slimit", q.slimit)
	add("soffset", q.soffset)
	if q.byDevice {
		s += " align by device"
	}
	if q.apart {
		s += " disable align"
	}
	return s
}
