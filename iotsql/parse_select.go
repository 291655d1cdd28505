package iotsql

import (
	"context"
	"strings"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/pattern"
)

// selectStmt is SELECT, with or without INTO.
type selectStmt struct {
	q       tickwell.Query
	explain bool
	grouped bool
	times   bool // the range is that of GROUP BY time
}

// selectQuery takes a SELECT statement, the parts in the documents' order.
func (p *parser) selectQuery() *selectStmt {
	st := &selectStmt{q: tickwell.Query{TimeUnit: p.c.unit}}
	if p.c.zone != time.UTC {
		st.q.Zone = p.c.zone.String()
	}
	q := &st.q
	p.expect("SELECT")
	if p.is("LAST") && !p.follows("(") && !p.follows(",") && !p.follows("FROM") {
		p.advance()
		q.Last = true
	}
	for p.err == nil {
		q.Select = append(q.Select, p.item())
		if !p.accept(",") {
			break
		}
	}
	if p.is("INTO") {
		p.into(q)
	}
	p.from(q)
	if p.accept("WHERE") {
		q.Where = p.expr()
	}
	p.clauses(st)
	return st
}

// item is an expression of SELECT with its alias.
func (p *parser) item() expr.Expr {
	e := p.expr()
	if p.accept("AS") {
		e = e.As(p.alias())
	}
	return e
}

// alias takes the name of a column: a word, a name in backquotes, or a text.
func (p *parser) alias() string {
	if p.tok.kind == tokString {
		return p.str("an alias")
	}
	return p.name("an alias")
}

func (p *parser) from(q *tickwell.Query) {
	p.expect("FROM")
	if p.is("(") {
		p.fail(p.tok, "sub-queries are not supported; store what the inner query says by a continuous query, and select from its target")
		return
	}
	for p.err == nil {
		q.From = append(q.From, p.pathPattern("a path"))
		if !p.accept(",") {
			break
		}
	}
}

// clauses takes what may follow WHERE. ORDER BY and FILL may be swapped, and so
// may LIMIT and SLIMIT.
func (p *parser) clauses(st *selectStmt) {
	q := &st.q
	seen := map[string]bool{}
	once := func(name string) bool {
		if seen[name] {
			p.fail(p.tok, name+" is given twice")
			return false
		}
		seen[name] = true
		return true
	}
	for p.err == nil {
		switch {
		case p.is("GROUP"):
			p.groupBy(st, once)
		case p.is("HAVING") && once("HAVING"):
			p.advance()
			q.Having = p.expr()
		case p.is("ORDER") && once("ORDER BY"):
			p.orderBy(q)
		case p.is("FILL") && once("FILL"):
			p.fill(q)
		case p.is("LIMIT") && once("LIMIT"):
			p.advance()
			tok := p.tok
			if q.Limit = p.count("LIMIT"); q.Limit == 0 && !p.bind.open {
				p.fail(tok, "LIMIT must be greater than 0")
			}
		case p.is("OFFSET") && once("OFFSET"):
			p.advance()
			q.Offset = p.count("OFFSET")
		case p.is("SLIMIT") && once("SLIMIT"):
			p.advance()
			tok := p.tok
			if q.SeriesLimit = p.count("SLIMIT"); q.SeriesLimit == 0 && !p.bind.open {
				p.fail(tok, "SLIMIT must be greater than 0")
			}
		case p.is("SOFFSET") && once("SOFFSET"):
			p.advance()
			q.SeriesOffset = p.count("SOFFSET")
		case p.is("ALIGN") && once("ALIGN BY"):
			p.advance()
			p.expect("BY")
			switch p.acceptOne("DEVICE", "TIME") {
			case "DEVICE":
				q.AlignByDevice = true
			case "":
				p.expected("DEVICE or TIME")
			}
		case p.is("DISABLE") && once("DISABLE ALIGN"):
			p.advance()
			p.expect("ALIGN")
			q.DisableAlign = true
		default:
			if p.tok.kind != tokEOF && !p.is(";") && !(p.inCQ && p.is("END")) {
				p.expected("GROUP BY, HAVING, ORDER BY, FILL, LIMIT, OFFSET, SLIMIT, SOFFSET, ALIGN BY or the end of the statement")
			}
			return
		}
	}
}

// groupBy takes GROUP BY with one or two of its forms in any order: a window,
// and LEVEL.
func (p *parser) groupBy(st *selectStmt, once func(string) bool) {
	p.advance()
	p.expect("BY")
	for p.err == nil {
		switch {
		case p.is("("), p.is("["):
			if once("GROUP BY time") {
				p.groupByTime(st)
			}
		case p.is("TIME") && p.follows("("):
			p.advance()
			continue
		case p.is("LEVEL"):
			p.level(&st.q)
		case p.isOne("VARIATION", "CONDITION", "SESSION", "COUNT", "SERIES", "EVENT"):
			if once("GROUP BY of rows") {
				p.groupByRows(st)
			}
		case p.is("TAGS"):
			p.fail(p.tok, "GROUP BY TAGS is not supported: series have no tags")
		default:
			p.expected("a window such as ([0, 100), 10ms), LEVEL, VARIATION, CONDITION, SESSION or COUNT")
		}
		if !p.accept(",") {
			return
		}
	}
}

// level takes LEVEL = 1, 2.
func (p *parser) level(q *tickwell.Query) {
	p.advance()
	p.expect("=")
	for p.err == nil {
		q.Levels = append(q.Levels, p.count("LEVEL"))
		if !p.is(",") || p.peek().kind != tokInteger && p.peek().kind != tokParam {
			return
		}
		p.advance()
	}
}

// groupByTime takes ([start, end), interval [, step] [, LEVEL = n]); in a
// continuous query without the range.
func (p *parser) groupByTime(st *selectStmt) {
	q := &st.q
	g := tickwell.GroupByTime{}
	open := p.tok
	bracket := p.accept("(")
	if p.is("[") || p.is("(") {
		if p.inCQ {
			p.fail(p.tok, "CQ: Specifying time range in GROUP BY TIME clause is prohibited.")
			return
		}
		g.LeftOpen = p.is("(")
		p.advance()
		from := p.instant("the start")
		p.expect(",")
		to := p.instant("the end")
		if g.LeftOpen {
			p.expect("]")
		} else {
			p.expect(")")
		}
		p.expect(",")
		if p.err == nil && from >= to && !p.bind.open {
			p.fail(open, "Start time should be smaller than endTime in GroupBy")
		}
		q.Start, q.End = p.timeAt(open, from), p.timeAt(open, to)
		st.times = true
	} else if !p.inCQ && bracket {
		p.fail(p.tok, "The query time range should be specified in the GROUP BY TIME clause.")
		return
	}
	g.Interval, g.IntervalMonths = p.window("the interval")
	for p.accept(",") {
		if p.is("LEVEL") {
			p.level(q)
			continue
		}
		g.Step, g.StepMonths = p.window("the step")
	}
	if bracket {
		p.expect(")")
	}
	if g.StepMonths == 0 && g.Step == 0 {
		g.Step, g.StepMonths = g.Interval, g.IntervalMonths
	}
	q.GroupBy, st.grouped = g, true
}

// window is a length of GROUP BY time.
func (p *parser) window(what string) (time.Duration, int) {
	tok := p.tok
	s := p.duration(what)
	if p.err != nil {
		return 0, 0
	}
	s.ns -= s.ns % int64(p.c.unit)
	switch {
	case s.months > 0 && s.ns > 0:
		p.fail(tok, "months cannot be mixed with other units in a window")
	case s.months == 0 && s.ns == 0:
		p.fail(tok, what+" of a window should be greater than 0 in the precision of the connection")
	}
	return time.Duration(s.ns), int(s.months)
}

// groupByRows takes VARIATION, CONDITION, SESSION and COUNT.
func (p *parser) groupByRows(st *selectStmt) {
	q := &st.q
	st.grouped = true
	kind := strings.ToUpper(p.word())
	p.advance()
	p.expect("(")
	switch kind {
	case "SESSION":
		tok := p.tok
		s := p.duration("the gap")
		if s.months > 0 {
			p.fail(tok, "the gap of a session is no number of months")
		}
		q.GroupBy = tickwell.GroupBySession{Gap: time.Duration(s.ns - s.ns%int64(p.c.unit))}
	case "VARIATION":
		g := tickwell.GroupByVariation{By: p.expr()}
		for p.accept(",") {
			if keep, ok := p.ignoreNull(); ok {
				g.KeepNulls = keep
				continue
			}
			tok := p.tok
			switch v := p.expr().Const().(type) {
			case int32:
				g.Delta = float64(v)
			case int64:
				g.Delta = float64(v)
			case float32:
				g.Delta = float64(v)
			case float64:
				g.Delta = v
			default:
				if !p.bind.open {
					p.fail(tok, "the delta of VARIATION is a number")
				}
			}
		}
		q.GroupBy = g
	case "CONDITION", "SERIES":
		g := tickwell.GroupByCondition{By: p.expr()}
		for p.accept(",") {
			if keep, ok := p.ignoreNull(); ok {
				g.KeepNulls = keep
				continue
			}
			g.KeepOp, g.KeepN = p.keep()
		}
		q.GroupBy = g
	case "COUNT":
		g := tickwell.GroupByCount{By: p.expr()}
		p.expect(",")
		g.Size = p.count("COUNT")
		for p.accept(",") {
			keep, ok := p.ignoreNull()
			if !ok {
				p.expected("ignoreNull = TRUE or FALSE")
			}
			g.KeepNulls = keep
		}
		q.GroupBy = g
	default:
		p.fail(p.tok, "GROUP BY "+kind+" is not supported")
	}
	p.expect(")")
}

// ignoreNull takes ignoreNull = true, or ignoringNull as the examples of the user
// guide write it; keep is its opposite. Any other key is accepted and has no
// effect, as in IoTDB.
func (p *parser) ignoreNull() (keep, ok bool) {
	if p.tok.kind != tokWord && p.tok.kind != tokString || p.is("KEEP") || !p.follows("=") {
		return false, false
	}
	key := strings.Trim(p.word(), "`'\"")
	known := strings.EqualFold(key, "ignoreNull") || strings.EqualFold(key, "ignoringNull")
	p.advance()
	p.advance()
	switch p.acceptOne("TRUE", "FALSE") {
	case "FALSE":
		return known, true
	case "TRUE":
		return false, true
	}
	p.expected("TRUE or FALSE")
	return false, true
}

// keep takes KEEP op n, or n alone, which means >=.
func (p *parser) keep() (expr.Op, int64) {
	op := expr.OpGe
	tok := p.tok
	if p.accept("KEEP") {
		switch p.acceptOne("=", "==", "!=", "<>", "<", "<=", ">", ">=") {
		case "=", "==":
			op = expr.OpEq
		case "!=", "<>":
			op = expr.OpNe
		case "<":
			op = expr.OpLt
		case "<=":
			op = expr.OpLe
		case ">":
			op = expr.OpGt
		case ">=":
		default:
			p.fail(tok, "Please check the keep condition: it needs to be a constant or a compare expression constructed by 'keep' and a long number.")
			return op, 0
		}
	}
	if p.tok.kind != tokInteger && p.tok.kind != tokParam {
		p.fail(tok, "Please check the keep condition: it needs to be a constant or a compare expression constructed by 'keep' and a long number.")
		return op, 0
	}
	return op, p.integer(false)
}

// fill takes FILL(previous), FILL(linear) and FILL(constant), with and without
// brackets.
func (p *parser) fill(q *tickwell.Query) {
	p.advance()
	bracket := p.accept("(")
	switch {
	case p.accept("PREVIOUS"):
		q.Fill.Previous = true
	case p.accept("LINEAR"):
		q.Fill.Linear = true
	default:
		tok := p.tok
		switch v := p.exprAt(precSum).Const().(type) {
		case bool:
			q.Fill.Value = tickwell.BoolValue(v)
		case int32:
			q.Fill.Value = tickwell.Int32Value(v)
		case int64:
			q.Fill.Value = tickwell.Int64Value(v)
		case float32:
			q.Fill.Value = tickwell.Float32Value(v)
		case float64:
			q.Fill.Value = tickwell.Float64Value(v)
		case string:
			q.Fill.Value = tickwell.TextValue(v)
		default:
			if p.err == nil && !p.bind.open {
				p.fail(tok, "FILL takes PREVIOUS, LINEAR or a constant")
			}
		}
	}
	if bracket {
		p.expect(")")
	}
}

// orderBy takes the keys of ORDER BY.
func (p *parser) orderBy(q *tickwell.Query) {
	p.advance()
	p.expect("BY")
	for p.err == nil {
		var o tickwell.Order
		switch {
		case p.is("DEVICE") && !p.follows("("):
			p.advance()
			o.By = expr.Device()
		case q.Last && p.isOne("TIMESERIES", "VALUE", "DATATYPE") && !p.follows("("):
			name := map[string]string{"TIMESERIES": "Timeseries", "VALUE": "Value", "DATATYPE": "DataType"}
			o.By = expr.Col(name[strings.ToUpper(p.word())])
			p.advance()
		default:
			o.By = p.expr()
		}
		o.Desc = p.acceptOne("DESC", "ASC") == "DESC"
		if p.accept("NULLS") {
			switch p.acceptOne("FIRST", "LAST") {
			case "FIRST":
				o.NullsFirst = true
			case "":
				p.expected("FIRST or LAST")
			}
		}
		q.OrderBy = append(q.OrderBy, o)
		if !p.accept(",") {
			return
		}
	}
}

// into takes INTO: device(column, …), or, as the page on continuous queries has
// it, the path of one series.
func (p *parser) into(q *tickwell.Query) {
	p.advance()
	for p.err == nil {
		p.accept("ALIGNED")
		pos := p.tok.pos
		t := tickwell.Target{Device: p.scanPath("a target", true)}
		if p.err != nil {
			return
		}
		if p.is("(") {
			p.advance()
			for p.err == nil {
				t.Columns = append(t.Columns, p.targetColumn())
				if !p.accept(",") {
					break
				}
			}
			p.expect(")")
		} else {
			device, name := pattern.Split(t.Device)
			if device == "" {
				p.failf(pos, "target %s has no device before its measurement", t.Device)
				return
			}
			t.Device, t.Columns = device, []string{name}
		}
		q.Into = append(q.Into, t)
		if !p.accept(",") {
			return
		}
	}
}

// targetColumn takes a measurement, :: or a template.
func (p *parser) targetColumn() string {
	pos := p.tok.pos
	end := p.scanNode(pos)
	if end == pos {
		p.expected("a measurement")
		return ""
	}
	s := p.text[pos:end]
	p.seek(end)
	if s != "::" && !strings.Contains(s, "${") {
		if _, err := pattern.CanonicalNode(s); err != nil {
			p.badPath(pos, err)
		}
	}
	return s
}

func (s *selectStmt) answers() bool { return true }

func (s *selectStmt) run(ctx context.Context, c *Conn) (*Result, error) {
	r, err := c.db.Query(ctx, s.q)
	if err != nil {
		return nil, err
	}
	if s.explain {
		return explained(c, r), nil
	}
	return c.queryResult(r, &s.q), nil
}

// explained is the plan of a query, a line a row.
func explained(c *Conn, r *tickwell.Result) *Result {
	out := listing("Plan")
	for line := range strings.Lines(r.Explain().Plan) {
		out.add(strings.TrimRight(line, "\n"))
	}
	return out.result(c)
}

// kinds are the documents' names of types.
var kinds = map[string]tickwell.Kind{
	"BOOLEAN": tickwell.KindBool, "INT32": tickwell.KindInt32, "INT64": tickwell.KindInt64,
	"FLOAT": tickwell.KindFloat32, "DOUBLE": tickwell.KindFloat64, "TEXT": tickwell.KindText,
}

const kindList = "BOOLEAN, INT32, INT64, FLOAT, DOUBLE or TEXT"

// kindName is the documents' name of a kind.
func kindName(k tickwell.Kind) string {
	for name, kind := range kinds {
		if kind == k {
			return name
		}
	}
	return ""
}
