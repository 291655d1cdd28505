package iotsql

import (
	"context"
	"fmt"
	"time"

	"github.com/tickwell/tickwell"
)

// createCQStmt is CREATE CONTINUOUS QUERY.
type createCQStmt struct{ spec tickwell.CQSpec }

// createCQ takes the statement of the page. Without EVERY the period is the
// interval of GROUP BY, as there: a query of SQL always has a schedule.
func (p *parser) createCQ(start int) statement {
	p.cqWords()
	st := &createCQStmt{}
	s := &st.spec
	s.Name = p.name("the name of a continuous query")
	every := false
	if p.accept("RESAMPLE") {
		if p.accept("EVERY") {
			every = true
			tok := p.tok
			if s.Every = p.offset("the period"); p.err == nil && s.Every == 0 {
				p.fail(tok, "CQ: Every interval [0] should not be lower than the `continuous_query_minimum_every_interval` configured.")
			}
		}
		if p.accept("BOUNDARY") {
			tok := p.tok
			s.Boundary = p.timeAt(tok, p.instant("a time"))
		}
		if p.accept("RANGE") {
			p.cqRange(s)
		}
		if !p.isOne("TIMEOUT", "BEGIN") {
			p.expected("EVERY, BOUNDARY, RANGE, TIMEOUT or BEGIN, in this order")
		}
	}
	if p.accept("TIMEOUT") {
		p.expect("POLICY")
		switch p.acceptOne("BLOCKED", "DISCARD") {
		case "DISCARD":
			s.Policy = tickwell.Discard
		case "":
			p.expected("BLOCKED or DISCARD")
		}
	}
	p.expect("BEGIN")
	body := p.tok
	p.inCQ = true
	sel := p.selectQuery()
	p.inCQ = false
	p.expect("END")
	if p.err != nil {
		return nil
	}
	q := sel.q
	g, grouped := q.GroupBy.(tickwell.GroupByTime)
	switch {
	case !every && !grouped:
		p.fail(body, "CQ: At least one of the parameters `every_interval` and `group_by_interval` needs to be specified.")
	case !every:
		s.Every = span{months: int64(g.IntervalMonths), ns: int64(g.Interval)}.fixed(p.c.unit)
	}
	s.Query, s.Text, s.New = q, p.since(start), true
	return st
}

// cqWords takes CONTINUOUS QUERY or CQ.
func (p *parser) cqWords() {
	if p.accept("CQ") {
		return
	}
	p.expectWords("CONTINUOUS", "QUERY")
}

// offset takes a duration of RESAMPLE. Months are 30 days there.
func (p *parser) offset(what string) time.Duration { return p.duration(what).fixed(p.c.unit) }

func (p *parser) cqRange(s *tickwell.CQSpec) {
	tok := p.tok
	s.StartOffset = p.offset("the start offset")
	if p.err == nil && s.StartOffset == 0 {
		p.fail(tok, "CQ: The start time offset should be greater than 0.")
	}
	if p.accept(",") {
		s.EndOffset = p.offset("the end offset")
	}
	if p.err == nil && s.StartOffset <= s.EndOffset {
		p.fail(tok, "CQ: The start time offset should be greater than end time offset.")
	}
}

func (s *createCQStmt) answers() bool { return false }

func (s *createCQStmt) run(ctx context.Context, c *Conn) (*Result, error) {
	if err := c.db.CreateContinuousQuery(ctx, s.spec); err != nil {
		return nil, err
	}
	return done(0), nil
}

func showCQs(ctx context.Context, c *Conn) (*Result, error) {
	all, err := c.db.ContinuousQueries(ctx)
	if err != nil {
		return nil, err
	}
	t := listing("CQId", "Query", "State")
	for info := range all {
		t.add(info.Spec.Name, info.Spec.Text, info.State)
	}
	return t.result(c), nil
}

// showCreateStmt is SHOW CREATE TRIGGER and SHOW CREATE CONTINUOUS QUERY: the
// statement that made it.
type showCreateStmt struct {
	name string
	cq   bool
}

func (s *showCreateStmt) answers() bool { return true }

func (s *showCreateStmt) run(ctx context.Context, c *Conn) (*Result, error) {
	if s.cq {
		all, err := c.db.ContinuousQueries(ctx)
		if err != nil {
			return nil, err
		}
		t := listing("CQId", "Query")
		for info := range all {
			if info.Spec.Name == s.name {
				t.add(s.name, info.Spec.Text)
				return t.result(c), nil
			}
		}
		return nil, fmt.Errorf("iotsql: CQ %s doesn't exist: %w", s.name, tickwell.ErrNotFound)
	}
	t := listing("TriggerName", "Statement")
	for info := range c.db.Triggers() {
		if info.Spec.Name == s.name {
			t.add(s.name, info.Spec.Text)
			return t.result(c), nil
		}
	}
	return nil, fmt.Errorf("iotsql: trigger %s does not exist: %w", s.name, tickwell.ErrNotFound)
}
