package exec

import (
	"strings"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/column"
)

// Some expressions have no value for some rows and end the query: the CAST of a text
// that is no number. Where a condition says which rows such an expression counts for
// it is computed for those alone: the values and later conditions of CASE, and the
// right side of AND and OR. All else is computed for all rows, which costs less.

// partialness is how an expression fails.
type partialness struct {
	partial bool // it fails for some values
	whole   bool // it remembers rows, so that it must see all
	lazy    bool // it is computed only for the rows that it counts for
}

// judge sets what n and its arguments are, which know it of their own.
func (n *node) judge() {
	for i, a := range n.args {
		n.partial, n.whole = n.partial || a.partial, n.whole || a.whole
		if i > 0 && (n.op == expr.OpCase || n.op == expr.OpAnd || n.op == expr.OpOr) {
			a.lazy = a.partial && !a.whole
		}
	}
	switch n.op {
	case opTable: // what it gives is computed before
		n.partial, n.whole = false, false
	case expr.OpCast:
		n.partial = n.partial || castFails(n.args[0].kind, n.kind)
	case expr.OpCall:
		switch strings.ToLower(n.call.Name) {
		case "substring":
			n.partial = true
		case "diff":
			n.whole = true
		}
	}
}

// castFails reports whether some value of kind from is none of kind to.
func castFails(from, to column.Kind) bool {
	switch {
	case from == column.Text:
		return to != column.Text
	case to == column.Int32:
		return from > column.Int32
	case to == column.Int64:
		return from > column.Int64
	}
	return to == column.Float32 && from == column.Float64
}

// open lists the rows of n whose value depends on the argument after those in in: in
// CASE those for which no condition before is true, but for a value that of its own;
// with AND and OR those that the left side does not decide.
func (o *op) open(in []*Col, n int) []int32 {
	if o.some == nil {
		o.some = &some{}
	}
	rows := o.some.rows[:0]
	for r := range n {
		if o.counts(in, r) {
			rows = append(rows, int32(r))
		}
	}
	o.some.rows = rows
	return rows
}

func (o *op) counts(in []*Col, r int) bool {
	for p, c := range in {
		switch t := truth(c, r); {
		case o.n.op == expr.OpAnd:
			return t != isFalse
		case o.n.op == expr.OpOr:
			return t != isTrue
		case p%2 == 0 && t == isTrue:
			return p == len(in)-1
		}
	}
	return len(in)%2 == 0
}

// some is what computing some rows takes.
type some struct {
	rows []int32 // of arguments
	in   Batch   // those rows of what is read
	out  Col
}

// evalSome is eval for some rows of b. What it gives for the others is null.
func (o *op) evalSome(b *Batch, rows []int32) (*Col, error) {
	if len(rows) == b.Len() {
		return o.eval(b)
	}
	if o.some == nil {
		o.some = &some{}
	}
	s := o.some
	s.in.Times = column.Pick(s.in.Times[:0], b.Times, rows)
	s.in.Cols = growCols(s.in.Cols, len(b.Cols))
	o.gather(&s.in, b, rows)
	c, err := o.eval(&s.in)
	if err != nil || c.Kind == column.Null {
		return c, err
	}
	s.out.reset(c.Kind)
	for i, r := range rows {
		s.out.appendNulls(int(r))
		s.out.appendCell(c, i)
	}
	s.out.appendNulls(b.Len())
	return &s.out, nil
}

// appendNulls adds nulls up to length n.
func (c *Col) appendNulls(n int) {
	for c.Len() < n {
		c.appendNull()
	}
}

// gather puts rows of the columns that o reads into dst.
func (o *op) gather(dst, src *Batch, rows []int32) {
	if o.n.op == opSlot || o.n.op == opTable {
		c := &dst.Cols[o.slot]
		c.reset(src.Cols[o.slot].Kind)
		pick(c, &src.Cols[o.slot], rows)
		return
	}
	for _, a := range o.args {
		a.gather(dst, src, rows)
	}
}
