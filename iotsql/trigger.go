package iotsql

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/tickwell/tickwell"
)

// createTriggerStmt is CREATE [STATELESS | STATEFUL] TRIGGER.
type createTriggerStmt struct {
	spec tickwell.TriggerSpec
	uri  string
}

// createTrigger takes the statement of both pages; without STATELESS or STATEFUL
// it is that of the 0.13 page, whose triggers belong to one series.
func (p *parser) createTrigger(start int) statement {
	st := &createTriggerStmt{}
	s := &st.spec
	kind := p.acceptOne("STATELESS", "STATEFUL")
	p.expect("TRIGGER")
	s.Name = p.name("the name of a trigger")
	switch p.acceptOne("BEFORE", "AFTER") {
	case "BEFORE":
		s.When = tickwell.BeforeInsert
	case "":
		p.expected("BEFORE or AFTER")
	}
	if p.is("DELETE") {
		p.fail(p.tok, "Trigger does not support DELETE as TRIGGER_EVENT for now.")
	}
	p.expectWords("INSERT", "ON")
	if kind == "" {
		s.Series = p.series013()
	} else {
		s.Pattern, s.Stateful = p.pathPattern("a path pattern"), kind == "STATEFUL"
	}
	p.expect("AS")
	s.Class = p.str("the class")
	st.uri = p.uri()
	if p.accept("WITH") {
		s.Params = p.attributes()
	}
	s.Text = p.since(start)
	return st
}

// series013 takes the path of one series.
func (p *parser) series013() string {
	pos := p.tok.pos
	path := p.pathPattern("a series")
	if p.err == nil && strings.Contains(path, "*") {
		p.failf(pos, "Please specify trigger type: STATELESS or STATEFUL. Without it a trigger is of one series, and %s is a pattern", path)
	}
	return path
}

// since is the statement from a position to the last token taken.
func (p *parser) since(start int) string {
	end := p.tok.pos
	if p.tok.kind == tokEOF {
		end = len(p.text)
	}
	return strings.TrimSpace(p.text[start:end])
}

// uri takes USING URI.
func (p *parser) uri() string {
	if !p.accept("USING") {
		return ""
	}
	p.expect("URI")
	return p.str("the URI")
}

// attributes takes ("key" = "value", …). A key that is given twice has its last
// value.
func (p *parser) attributes() tickwell.Params {
	all := tickwell.Params{}
	p.expect("(")
	for p.err == nil {
		key := p.attribute("an attribute")
		p.expect("=")
		all[key] = p.attribute("the value of an attribute")
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return all
}

func (p *parser) attribute(what string) string {
	switch p.tok.kind {
	case tokWord, tokQuoted:
		return p.name(what)
	case tokInteger, tokDecimal:
		s := p.word()
		p.advance()
		return s
	}
	return p.str(what)
}

// loaded explains why a class is not there when its code was to be fetched.
func loaded(err error, uri string) error {
	if err == nil || uri == "" || !errors.Is(err, tickwell.ErrNotFound) {
		return err
	}
	return fmt.Errorf("%w (code cannot be loaded from %q: a class is registered by the program, with Options.Classes or Options.FunctionClasses)", err, uri)
}

func (s *createTriggerStmt) answers() bool { return false }

func (s *createTriggerStmt) run(ctx context.Context, c *Conn) (*Result, error) {
	if err := c.db.CreateTrigger(ctx, s.spec); err != nil {
		return nil, loaded(err, s.uri)
	}
	return done(0), nil
}

// showTriggers lists the triggers with the columns of the 1.2 page; with
// DETAILS also what the 0.13 page lists beside those, which is the attributes,
// and which hooks a trigger has, why it does not fire, and its statement.
func showTriggers(c *Conn, details bool) *Result {
	names := []string{"TriggerName", "Event", "Type", "State", "PathPattern", "ClassName", "NodeId"}
	if details {
		names = append(names, "Attributes", "Hooks", "Error", "Statement")
	}
	t := listing(names...)
	for info := range c.db.Triggers() {
		s := &info.Spec
		path := s.Pattern
		if s.Series != "" {
			path = s.Series
		}
		row := []any{s.Name, s.When.String(), info.Type, info.State, path, info.ClassName, info.NodeID}
		if details {
			var why any
			if info.Err != nil {
				why = info.Err.Error()
			}
			row = append(row, paramsText(s.Params), strings.Join(info.Hooks, " "), why, s.Text)
		}
		t.add(row...)
	}
	return t.result(c)
}

// paramsText prints attributes as {k=v, …}.
func paramsText(p tickwell.Params) string {
	keys := make([]string, 0, len(p))
	for k := range p {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for i, k := range keys {
		keys[i] = k + "=" + p[k]
	}
	return "{" + strings.Join(keys, ", ") + "}"
}
