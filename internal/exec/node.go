package exec

import (
	"errors"
	"fmt"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
)

// node is an expression whose names are resolved and whose kind is known.
// Nodes belong to a plan, never change, and may be shared by many runs.
type node struct {
	op   expr.Op
	not  bool
	kind column.Kind // Null: a constant or series without any value
	partialness
	args []*node
	slot int // opSlot: column of the input stream

	cell   *Col              // OpConst: one cell
	match  func(string) bool // LIKE, REGEXP
	scalar *scalar           // OpCall of a built-in row function
	call   *Call             // OpCall
	table  func() Transformer
	access Access    // of table
	text   string    // opSlot, opUnit: as printed
	from   expr.Expr // all others: what it was made of
	unit   int64     // OpTime, opUnit: what the time is divided by
}

// Operations that only nodes have.
const (
	opSlot  = expr.Op(200) // a column of the input
	opTable = expr.Op(201) // a function that makes a series of its own
	opUnit  = expr.Op(202) // nanoseconds in the unit of the query
)

// String prints n where it is asked for: a condition that wildcards make thousands of
// conditions of has as many nodes, whose texts hold each other.
func (n *node) String() string {
	if n.text != "" {
		return n.text
	}
	return n.from.String()
}

// walk calls f for n and everything below it; f says whether to go below.
func (n *node) walk(f func(*node) bool) {
	if !f(n) {
		return
	}
	for _, a := range n.args {
		a.walk(f)
	}
}

// slots adds the columns that n reads outside of table functions, some perhaps
// more than once.
func (n *node) slots(into []int) []int {
	if n.op == opSlot {
		return append(into, n.slot)
	}
	if n.op != opTable {
		for _, a := range n.args {
			into = a.slots(into)
		}
	}
	return into
}

// tables returns the outermost table functions of n.
func (n *node) tables(all []*node) []*node {
	n.walk(func(n *node) bool {
		if n.op == opTable {
			all = append(all, n)
			return false
		}
		return true
	})
	return all
}

func kindError(e expr.Expr, got column.Kind, want string) error {
	return at(e, fmt.Errorf("invalid input expression data type. expression: %s, actual data type: %s, expected data type(s): [%s]: %w",
		e, DocumentKind(got), want, errs.KindMismatch))
}

// at says where e stands, if that is known and err does not tell a place yet.
//
//go:noinline
func at(e expr.Expr, err error) error {
	if small || err == nil || e.Pos() < 0 {
		return err
	}
	var known *errs.At
	if errors.As(err, &known) {
		return err
	}
	return &errs.At{Pos: e.Pos(), Err: err}
}

const numericKinds = "INT32, INT64, FLOAT, DOUBLE"

func numeric(k column.Kind) bool { return k.Numeric() || k == column.Null }

// builder makes nodes from expressions. leaf resolves what is a column of the
// input: series, or aggregates.
type builder struct {
	leaf  func(e expr.Expr) (*node, error) // nil node: not a leaf
	funcs Functions
	unit  int64
}

func (b *builder) build(e expr.Expr) (*node, error) {
	if n, err := b.leaf(e); n != nil || err != nil {
		return n, at(e, err)
	}
	n := &node{op: e.Op(), not: e.Negated(), from: e}
	for _, a := range e.Args() {
		arg, err := b.build(a)
		if err != nil {
			return nil, at(e, err)
		}
		n.args = append(n.args, arg)
	}
	if err := b.check(e, n); err != nil {
		return nil, at(e, err)
	}
	n.judge()
	return n, nil
}

func (b *builder) check(e expr.Expr, n *node) error {
	switch n.op {
	case expr.OpTime:
		n.kind, n.unit = column.Int64, b.unit
	case expr.OpConst:
		n.cell = &Col{}
		n.kind = constCell(n.cell, e.Const())
	case expr.OpNeg, expr.OpAdd, expr.OpSub, expr.OpMul, expr.OpDiv, expr.OpMod:
		n.kind = column.Float64
		for i, a := range n.args {
			if !numeric(a.kind) {
				return kindError(e.Args()[i], a.kind, numericKinds)
			}
		}
	case expr.OpEq, expr.OpNe, expr.OpLt, expr.OpLe, expr.OpGt, expr.OpGe, expr.OpIn, expr.OpBetween:
		n.kind = column.Bool
		for i, a := range n.args[1:] {
			if err := comparable(e, n.args[0].kind, a.kind, i+1); err != nil {
				return err
			}
		}
	case expr.OpAnd, expr.OpOr, expr.OpNot:
		n.kind = column.Bool
		for i, a := range n.args {
			if a.kind != column.Bool && a.kind != column.Null {
				return kindError(e.Args()[i], a.kind, "BOOLEAN")
			}
		}
	case expr.OpLike, expr.OpRegexp:
		return checkText(e, n)
	case expr.OpIsNull:
		n.kind = column.Bool
	case expr.OpCase:
		return checkCase(e, n)
	case expr.OpCast:
		kind, ok := ParseKind(e.Name())
		if !ok {
			return fmt.Errorf("%s: unknown data type %q: %w", e, e.Name(), errs.BadInput)
		}
		n.kind = kind
	case expr.OpCall:
		return b.checkCall(e, n)
	case expr.OpDevice:
		return fmt.Errorf("device is only known with align by device, and only to order by: %w", errs.BadInput)
	case expr.OpNone:
		return fmt.Errorf("empty expression: %w", errs.BadInput)
	default:
		return fmt.Errorf("expression %s is not possible here: %w", e, errs.BadInput)
	}
	return nil
}

func comparable(e expr.Expr, a, b column.Kind, i int) error {
	if a == column.Null || b == column.Null || a == b || a.Numeric() && b.Numeric() {
		return nil
	}
	want := DocumentKind(a)
	if a.Numeric() {
		want = numericKinds
	}
	return kindError(e.Args()[i], b, want)
}

func checkText(e expr.Expr, n *node) error {
	n.kind = column.Bool
	if k := n.args[0].kind; k != column.Text && k != column.Null {
		return kindError(e.Args()[0], k, "TEXT")
	}
	if n.op == expr.OpLike {
		n.match = parseLike(e.Name()).match
		return nil
	}
	match, err := compileRegexp(e.Name())
	if err != nil {
		return fmt.Errorf("expression %s: %w: %w", e, err, errs.BadInput)
	}
	n.match = match
	return nil
}

func checkCase(e expr.Expr, n *node) error {
	if len(n.args) < 2 {
		return fmt.Errorf("CASE needs a condition and a value: %w", errs.BadInput)
	}
	for i := 0; i < len(n.args); i++ {
		a := n.args[i]
		if i%2 == 0 && i+1 < len(n.args) {
			if a.kind != column.Bool && a.kind != column.Null {
				return at(e.Args()[i], fmt.Errorf("the expression in the WHEN clause must return BOOLEAN. expression: %s, actual data type: %s: %w",
					e.Args()[i], DocumentKind(a.kind), errs.KindMismatch))
			}
			continue
		}
		kind := a.kind
		if kind.Numeric() {
			kind = column.Float64
		}
		switch {
		case kind == column.Null:
		case n.kind == column.Null:
			n.kind = kind
		case n.kind != kind:
			other := n.kind
			if other == column.Float64 {
				other = kind
			}
			return fmt.Errorf("CASE expression: %s and other types cannot exist at the same time: %w", DocumentKind(other), errs.KindMismatch)
		}
	}
	return nil
}

// constCell sets c to the one cell of a constant and returns its kind.
func constCell(c *Col, v any) column.Kind {
	switch v := v.(type) {
	case bool:
		c.Vector = column.Vector{Kind: column.Bool, Bools: []bool{v}}
	case int32:
		c.Vector = column.Vector{Kind: column.Int32, Int32s: []int32{v}}
	case int64:
		c.Vector = column.Vector{Kind: column.Int64, Int64s: []int64{v}}
	case float32:
		c.Vector = column.Vector{Kind: column.Float32, Float32s: []float32{v}}
	case float64:
		c.Vector = column.Vector{Kind: column.Float64, Float64s: []float64{v}}
	case string:
		c.Vector = column.Vector{Kind: column.Text, Texts: []string{v}}
	default:
		return column.Null
	}
	return c.Kind
}
