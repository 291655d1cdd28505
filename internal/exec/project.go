package exec

import (
	"context"
	"slices"

	"github.com/tickwell/tickwell/internal/column"
)

// rows is an input of expressions: a fixed list of columns, of which a stream
// of some can be opened, aligned by time and filtered.
type rows interface {
	// open returns a stream of the columns need, in that order.
	open(r *run, need []int) (stream, error)
	column(i int) Column
}

// blanks says what becomes of rows of an input for which all expressions are null.
type blanks uint8

const (
	asPlain blanks = iota // they are shown as without functions, unless a function makes the rows
	counted               // each counts
	unseen                // the caller leaves them out
)

// project computes expressions over an input. Table functions among them are
// streams of their own over the same input, joined by time.
func project(r *run, in rows, nodes []*node, blank blanks) (stream, error) {
	need := make([]int, 0, len(nodes))
	var tables []*node
	plain := true // each column as it is in the input, in its order
	for i, n := range nodes {
		plain = plain && n.op == opSlot && n.kind != column.Null && (i == 0 || nodes[i-1].slot < n.slot)
		need = n.slots(need)
		tables = n.tables(tables)
	}
	if plain && len(nodes) > 0 {
		s, err := in.open(r, need)
		if err != nil {
			return nil, err
		}
		if _, ok := s.(*timeGroups); ok {
			return s, nil
		}
		return projected(s, nodes, func(n *node) int { i, _ := slices.BinarySearch(need, n.slot); return i }, false)
	}
	// Rows without a value are left out where a function makes the rows, but groups are
	// all shown, and who makes groups of rows looks at all.
	drop := blank != counted && slices.ContainsFunc(nodes, makesRows)
	wide := grouped(in) || remembersRows(in)
	sees := wide || slices.ContainsFunc(nodes, (*node).seesRows)
	all := sees || !drop && blank != unseen && !mapped(in, need, tables)
	own := in
	if all && len(tables) > 0 {
		in = wholeOf(in)
	}
	slices.Sort(need)
	need = slices.Compact(need)
	var parts []stream
	var place [][]int
	width := 0
	add := func(s stream, n int) {
		cols := make([]int, n)
		for i := range cols {
			cols[i] = width
			width++
		}
		parts, place = append(parts, s), append(place, cols)
	}
	fail := func(err error) (stream, error) {
		for _, p := range parts {
			p.close()
		}
		return nil, err
	}
	if len(need) > 0 || len(tables) == 0 || all {
		s, err := in.open(r, need)
		if err != nil {
			return fail(err)
		}
		add(s, len(need))
	}
	tableAt := map[*node]int{}
	for _, t := range tables {
		if _, ok := tableAt[t]; ok {
			continue
		}
		tableAt[t] = width
		from := own // of many series each function reads its own
		if wide || slices.ContainsFunc(t.args, seesAsInput) {
			from = in
		}
		s, err := openTable(r, from, t)
		if err != nil {
			return fail(err)
		}
		add(s, 1)
	}
	joined := parts[0]
	if len(parts) > 1 {
		joined = newJoin(parts, place, width)
	}
	return projected(joined, nodes, func(leaf *node) int {
		if leaf.op == opTable {
			return tableAt[leaf]
		}
		i, _ := slices.BinarySearch(need, leaf.slot)
		return i
	}, drop)
}

// projected evaluates nodes over a stream, in which position tells where input
// columns and table functions are.
func projected(in stream, nodes []*node, position func(*node) int, dropEmpty bool) (stream, error) {
	p := &projection{in: in, dropEmpty: dropEmpty, ops: make([]*op, 0, len(nodes))}
	p.batch.Cols = make([]Col, 0, len(nodes))
	for _, n := range nodes {
		o, err := newOp(n, position)
		if err != nil {
			in.close()
			return nil, err
		}
		p.ops = append(p.ops, o)
	}
	return p, nil
}

// makesRows reports whether n calls a function whose points may lie anywhere.
// Then rows without any value are left out; with functions that map row to row
// they are kept, as they are without functions.
func makesRows(n *node) bool {
	found := false
	n.walk(func(n *node) bool {
		found = found || n.op == opTable && n.access.Kind != Mapped
		return !found
	})
	return found
}

// projection evaluates one op per column of its result.
type projection struct {
	in        stream
	ops       []*op
	dropEmpty bool   // leave out rows without any value
	counts    []bool // which columns make a row; nil: all
	batch     Batch
	dense     Batch
	keep      []int32
}

func (p *projection) close() { p.in.close() }

func (p *projection) next(ctx context.Context) (*Batch, error) {
	for {
		b, err := p.in.next(ctx)
		if b == nil || err != nil {
			return nil, err
		}
		p.batch.Times = b.Times
		p.batch.Cols = p.batch.Cols[:0]
		for _, o := range p.ops {
			c, err := o.eval(b)
			if err != nil {
				return nil, err
			}
			p.batch.Cols = append(p.batch.Cols, c.head(b.Len(), o.n.kind))
		}
		if !p.dropEmpty {
			return &p.batch, nil
		}
		if b := dropEmpty(&p.batch, &p.dense, &p.keep, p.counts); b != nil {
			return b, nil
		}
	}
}

// head returns the first n cells of c, as nulls of kind k if it has no kind.
func (c *Col) head(n int, k column.Kind) Col {
	if c.Kind != 0 {
		return Col{c.Slice(0, n), c.Nulls}
	}
	var out Col
	out.reset(k)
	for range n {
		if k == 0 {
			break
		}
		out.appendNull()
	}
	return out
}

// dropEmpty returns b without the rows in which every column is null; counts
// says which columns count, nil: all. It is nil if nothing is left.
func dropEmpty(b, dense *Batch, keep *[]int32, counts []bool) *Batch {
	for i := range b.Cols {
		if (counts == nil || counts[i]) && b.Cols[i].Kind != 0 && len(b.Cols[i].Nulls) == 0 {
			return b
		}
	}
	rows := (*keep)[:0]
	for r := range b.Len() {
		for i := range b.Cols {
			if (counts == nil || counts[i]) && b.Cols[i].Kind != 0 && !b.Cols[i].Nulls.Get(r) {
				rows = append(rows, int32(r))
				break
			}
		}
	}
	*keep = rows
	switch len(rows) {
	case 0:
		return nil
	case b.Len():
		return b
	}
	gather(dense, b, rows, len(b.Cols))
	return dense
}
