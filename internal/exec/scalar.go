package exec

import (
	"github.com/tickwell/tickwell/internal/column"
)

// rowFunc computes a cell of out for each row of its inputs.
type rowFunc func(times []int64, in []*Col, out *Col) error

// scalar is a built-in function that gives one value per row.
type scalar struct {
	check func(c *Call) (column.Kind, error)
	make  func(c *Call) (rowFunc, error)
}

var scalars = map[string]*scalar{}

var tables = map[string]func() Transformer{}
