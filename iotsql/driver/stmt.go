package driver

import (
	"context"
	"database/sql/driver"
	"fmt"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/iotsql"
)

// stmt is a prepared statement.
type stmt struct {
	c *conn
	s *iotsql.Stmt
}

var (
	_ driver.Stmt             = (*stmt)(nil)
	_ driver.StmtExecContext  = (*stmt)(nil)
	_ driver.StmtQueryContext = (*stmt)(nil)
)

// Close has nothing to free.
func (s *stmt) Close() error { return nil }

// NumInput returns how many arguments there must be, those with names included.
func (s *stmt) NumInput() int { return s.s.NumInput() + len(s.s.Names()) }

// Exec runs the statement.
func (s *stmt) Exec(args []driver.Value) (driver.Result, error) {
	return s.ExecContext(context.Background(), ordinal(args))
}

// ExecContext runs the statement.
func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	n, err := s.c.exec(ctx, s.s.Text(), args)
	if err != nil {
		return nil, err
	}
	return n, nil
}

// Query runs the statement.
func (s *stmt) Query(args []driver.Value) (driver.Rows, error) {
	return s.QueryContext(context.Background(), ordinal(args))
}

// QueryContext runs the statement.
func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	return s.c.query(ctx, []string{s.s.Text()}, args)
}

func (s *stmt) usable() error {
	if s.c.closed {
		return fmt.Errorf("driver: the connection of the statement: %w", tickwell.ErrClosed)
	}
	return nil
}

func ordinal(args []driver.Value) []driver.NamedValue {
	out := make([]driver.NamedValue, len(args))
	for i, v := range args {
		out[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return out
}
