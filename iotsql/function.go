package iotsql

import (
	"context"

	"github.com/tickwell/tickwell"
)

// createFunctionStmt is CREATE FUNCTION.
type createFunctionStmt struct {
	spec tickwell.FunctionSpec
	uri  string
}

func (p *parser) createFunction() statement {
	p.expect("FUNCTION")
	st := &createFunctionStmt{}
	st.spec.Name = p.name("the name of a function")
	p.expect("AS")
	st.spec.Class = p.str("the class")
	st.uri = p.uri()
	return st
}

func (s *createFunctionStmt) answers() bool { return false }

func (s *createFunctionStmt) run(ctx context.Context, c *Conn) (*Result, error) {
	if err := c.db.RegisterFunction(ctx, s.spec); err != nil {
		return nil, loaded(err, s.uri)
	}
	return done(0), nil
}

func showFunctions(c *Conn) *Result {
	t := listing("FunctionName", "FunctionType", "ClassName(UDF)")
	for f := range c.db.Functions() {
		t.add(f.Name, f.Type, f.Class)
	}
	return t.result(c)
}
