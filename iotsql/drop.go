package iotsql

import (
	"context"
	"errors"
	"math"
	"strings"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/pattern"
)

// callStmt is a statement that is one call of the store for each of some names.
type callStmt struct {
	names []string
	call  func(ctx context.Context, db *tickwell.DB, name string) error
}

func (s *callStmt) answers() bool { return false }

func (s *callStmt) run(ctx context.Context, c *Conn) (*Result, error) {
	for _, n := range s.names {
		if err := s.call(ctx, c.db, n); err != nil {
			return nil, err
		}
	}
	return done(0), nil
}

// one makes a statement of a call.
func one(name string, call func(db *tickwell.DB, ctx context.Context, name string) error) *callStmt {
	return &callStmt{[]string{name}, func(ctx context.Context, db *tickwell.DB, name string) error { return call(db, ctx, name) }}
}

// drop takes DROP, START and STOP of something with a name, and DELETE, which of
// a database and of series means the same.
func (p *parser) drop() statement {
	switch {
	case p.accept("TRIGGER"):
		return one(p.name("the name of a trigger"), (*tickwell.DB).DropTrigger)
	case p.accept("FUNCTION"):
		return one(p.name("the name of a function"), (*tickwell.DB).DropFunction)
	case p.isOne("CONTINUOUS", "CQ"):
		p.cqWords()
		return one(p.name("the name of a continuous query"), (*tickwell.DB).DropContinuousQuery)
	case p.is("TIMESERIES"):
		p.advance()
		return &callStmt{p.patterns("a series"), dropSeries}
	case p.isOne("DATABASE", "DATABASES", "STORAGE"):
		p.databaseWords()
		return &callStmt{p.patterns("a database"), dropDatabases}
	}
	p.expected("TRIGGER, FUNCTION, CONTINUOUS QUERY, TIMESERIES or DATABASE")
	return nil
}

// patterns takes a list of path patterns.
func (p *parser) patterns(what string) []string {
	all := []string{p.pathPattern(what)}
	for p.accept(",") {
		all = append(all, p.pathPattern(what))
	}
	return all
}

func dropSeries(ctx context.Context, db *tickwell.DB, pat string) error {
	all, err := db.ListSeries(ctx, pat)
	if err != nil && !errors.Is(err, tickwell.ErrBadInput) {
		// Who may delete need not be allowed to read.
		return db.DropSeries(ctx, pat)
	}
	if err != nil {
		return err
	}
	for range all {
		return db.DropSeries(ctx, pat)
	}
	return &tickwell.Error{Op: "delete timeseries", Subject: pat, Err: errNoSeries}
}

func dropDatabases(ctx context.Context, db *tickwell.DB, pat string) error {
	if !strings.Contains(pat, "*") {
		return db.DropDatabase(ctx, pat)
	}
	p, err := pattern.Parse(pat)
	if err != nil {
		return err
	}
	for d := range db.Databases() {
		if p.Match(d) {
			if err := db.DropDatabase(ctx, d); err != nil {
				return err
			}
		}
	}
	return nil
}

// deleteStmt is DELETE FROM.
type deleteStmt struct {
	paths      []string
	start, end time.Time
}

// delete takes DELETE FROM path, … [WHERE time …].
func (p *parser) delete() statement {
	if !p.accept("FROM") {
		if p.isOne("TIMESERIES", "DATABASE", "DATABASES", "STORAGE") {
			return p.drop()
		}
		p.expected("FROM, TIMESERIES or DATABASE")
		return nil
	}
	st := &deleteStmt{paths: p.patterns("a series")}
	if p.accept("WHERE") {
		tok := p.tok
		from, to := int64(math.MinInt64), int64(math.MaxInt64)
		cond := p.expr()
		if p.err == nil && !p.bind.open && !timeRange(cond, &from, &to) {
			p.fail(tok, "points are deleted by time only: comparisons of time with constants, joined by AND")
		}
		// Both bounds are inclusive and in units.
		if from > to {
			st.start, st.end = time.Unix(0, 0), time.Unix(0, 0)
			return st
		}
		if from != math.MinInt64 {
			st.start = p.timeAt(tok, from)
		}
		if to != math.MaxInt64 {
			st.end = p.timeAt(tok, to+1)
		}
	}
	return st
}

// timeRange narrows [from, to] by a condition on time; it reports whether e is
// nothing else.
func timeRange(e expr.Expr, from, to *int64) bool {
	args := e.Args()
	if e.Op() == expr.OpAnd {
		return timeRange(args[0], from, to) && timeRange(args[1], from, to)
	}
	if e.Op() == expr.OpBetween && !e.Negated() {
		lo, ok1 := integer(args[1])
		hi, ok2 := integer(args[2])
		*from, *to = max(*from, lo), min(*to, hi)
		return ok1 && ok2 && args[0].Op() == expr.OpTime
	}
	if len(args) != 2 {
		return false
	}
	op, left, right := e.Op(), args[0], args[1]
	if right.Op() == expr.OpTime {
		left, right = right, left
		switch op {
		case expr.OpLt:
			op = expr.OpGt
		case expr.OpLe:
			op = expr.OpGe
		case expr.OpGt:
			op = expr.OpLt
		case expr.OpGe:
			op = expr.OpLe
		}
	}
	v, ok := integer(right)
	if !ok || left.Op() != expr.OpTime {
		return false
	}
	switch op {
	case expr.OpEq:
		*from, *to = max(*from, v), min(*to, v)
	case expr.OpLt:
		if v == math.MinInt64 {
			*to = math.MinInt64
		} else {
			*to = min(*to, v-1)
		}
	case expr.OpLe:
		*to = min(*to, v)
	case expr.OpGt:
		if v == math.MaxInt64 {
			*from = math.MaxInt64
		} else {
			*from = max(*from, v+1)
		}
	case expr.OpGe:
		*from = max(*from, v)
	default:
		return false
	}
	return true
}

func integer(e expr.Expr) (int64, bool) {
	switch v := e.Const().(type) {
	case int32:
		return int64(v), true
	case int64:
		return v, true
	}
	return 0, false
}

func (s *deleteStmt) answers() bool { return false }

func (s *deleteStmt) run(ctx context.Context, c *Conn) (*Result, error) {
	for _, path := range s.paths {
		if err := c.db.Delete(ctx, path, s.start, s.end); err != nil {
			return nil, err
		}
	}
	return done(0), nil
}
