package driver

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/iotsql"
)

// conn is a connection. It holds nothing but how statements are to be read.
type conn struct {
	sql    *iotsql.Conn
	ints   bool
	owned  *connector // of Driver.Open: closed with the connection
	closed bool
}

var (
	_ driver.Conn               = (*conn)(nil)
	_ driver.ConnPrepareContext = (*conn)(nil)
	_ driver.ConnBeginTx        = (*conn)(nil)
	_ driver.ExecerContext      = (*conn)(nil)
	_ driver.QueryerContext     = (*conn)(nil)
	_ driver.NamedValueChecker  = (*conn)(nil)
	_ driver.Pinger             = (*conn)(nil)
	_ driver.SessionResetter    = (*conn)(nil)
	_ driver.Validator          = (*conn)(nil)
)

// Close ends the connection.
func (c *conn) Close() error {
	c.closed = true
	if c.owned != nil {
		return c.owned.Close()
	}
	return nil
}

// Ping reports whether the store can be read.
func (c *conn) Ping(ctx context.Context) error {
	_, err := c.sql.Exec(ctx, "COUNT TIMESERIES root.**")
	return err
}

// ResetSession is called before a connection is used again.
func (c *conn) ResetSession(context.Context) error {
	if c.closed {
		return driver.ErrBadConn
	}
	return nil
}

// IsValid reports whether the connection may be used again.
func (c *conn) IsValid() bool { return !c.closed }

// Prepare checks a statement.
func (c *conn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

// PrepareContext checks a statement.
func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s, err := c.sql.Prepare(query)
	if err != nil {
		return nil, err
	}
	return &stmt{c: c, s: s}, nil
}

var errNoTransactions = fmt.Errorf("driver: there are no transactions; one INSERT of many rows is atomic: %w", errors.ErrUnsupported)

// Begin fails: there are no transactions.
func (c *conn) Begin() (driver.Tx, error) { return nil, errNoTransactions }

// BeginTx fails: there are no transactions.
func (c *conn) BeginTx(context.Context, driver.TxOptions) (driver.Tx, error) {
	return nil, errNoTransactions
}

// ExecContext runs statements; several, if there are no arguments.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	texts, err := split(query, args)
	if err != nil {
		return nil, err
	}
	var total driver.RowsAffected
	for _, text := range texts {
		n, err := c.exec(ctx, text, args)
		if err != nil {
			return nil, err
		}
		total += n
	}
	return total, nil
}

func (c *conn) exec(ctx context.Context, text string, args []driver.NamedValue) (driver.RowsAffected, error) {
	res, err := c.sql.Exec(ctx, text, bound(args)...)
	if err != nil {
		return 0, err
	}
	for _, err := range res.Rows() { // what a query would fail with
		if err != nil {
			return 0, err
		}
	}
	return driver.RowsAffected(res.Affected()), nil
}

// QueryContext runs statements; several, if there are no arguments.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	texts, err := split(query, args)
	if err != nil {
		return nil, err
	}
	return c.query(ctx, texts, args)
}

// query runs the first statement that answers, and those before it.
func (c *conn) query(ctx context.Context, texts []string, args []driver.NamedValue) (driver.Rows, error) {
	r := &rows{c: c, ctx: ctx, texts: texts}
	if err := r.advance(args); err != nil {
		return nil, err
	}
	return r, nil
}

// split cuts a text into statements. One with arguments is left whole.
func split(query string, args []driver.NamedValue) ([]string, error) {
	if len(args) > 0 {
		return []string{query}, nil
	}
	var texts []string
	for p := range iotsql.Split(query) {
		texts = append(texts, p.Text)
	}
	if len(texts) < 2 {
		return []string{query}, nil // places in errors stay as they are
	}
	return texts, nil
}

func bound(args []driver.NamedValue) []any {
	out := make([]any, len(args))
	for i, a := range args {
		out[i] = a.Value
		if a.Name != "" {
			out[i] = iotsql.Named(a.Name, a.Value)
		}
	}
	return out
}

// CheckNamedValue turns an argument into what a statement can bind. Besides what
// database/sql knows it takes a tickwell.Value.
func (c *conn) CheckNamedValue(nv *driver.NamedValue) error {
	if v, ok := nv.Value.(tickwell.Value); ok {
		nv.Value = toDriver(v)
		return nil
	}
	v, err := driver.DefaultParameterConverter.ConvertValue(nv.Value)
	if err != nil {
		return err
	}
	nv.Value = v
	return nil
}

// toDriver turns a cell into a value of database/sql.
func toDriver(v tickwell.Value) driver.Value {
	switch v.Kind() {
	case tickwell.KindBool:
		return v.Bool()
	case tickwell.KindInt32, tickwell.KindInt64:
		return v.Int64()
	case tickwell.KindFloat32, tickwell.KindFloat64:
		return v.Float64()
	case tickwell.KindText:
		return v.Text()
	}
	return nil
}
