package iotsql

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/errs"
)

// place says where in the statement the query is that makes no sense. That is found
// by planning it once more, with expressions that know where they stand; those of a
// query that is right need not.
func (c *Conn) place(ctx context.Context, text string, args []any, err error) error {
	if !errors.Is(err, errs.BadInput) && !errors.Is(err, errs.NotFound) && !errors.Is(err, errs.KindMismatch) {
		return err
	}
	st, bad := c.parse(text, &binding{args: args, placed: true})
	if bad != nil {
		return err
	}
	var q tickwell.Query
	switch st := st.(type) {
	case *selectStmt:
		q = st.q
	case *createCQStmt:
		q, _ = st.spec.Query.(tickwell.Query)
		q.Start, q.End = time.Unix(0, 0), time.Unix(1, 0)
	default:
		return err
	}
	q.Into = nil
	_, again := c.db.Query(ctx, q)
	var at *errs.At
	if !errors.As(again, &at) {
		return err
	}
	e := &Error{Cause: at.Error(), err: err}
	for _, s := range []error{errs.BadInput, errs.NotFound, errs.KindMismatch} {
		e.Cause = strings.TrimSuffix(e.Cause, ": "+s.Error())
	}
	if cause, meant, ok := strings.Cut(e.Cause, "; did you mean "); ok {
		e.Cause, e.Suggestion = cause, strings.TrimSuffix(meant, "?")
	}
	e.Line, e.Column = position(text, at.Pos)
	l := lexer{text}
	tok := l.next(at.Pos)
	e.Found = shown(text[tok.pos:tok.end])
	return e
}
