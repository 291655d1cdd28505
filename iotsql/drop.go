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
		from, to, rest := expr.TimeRange(p.expr())
		if p.err == nil && !p.bind.open && !rest.IsZero() {
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

func (s *deleteStmt) answers() bool { return false }

func (s *deleteStmt) run(ctx context.Context, c *Conn) (*Result, error) {
	for _, path := range s.paths {
		if err := c.db.Delete(ctx, path, s.start, s.end); err != nil {
			return nil, err
		}
	}
	return done(0), nil
}
