package exec

import (
	"context"
	"fmt"

	"github.com/tickwell/tickwell/expr"
)

// tableStream runs a function that makes a series: it feeds the rows of its
// own inputs, those in which one of them has a value, and yields what the
// function emits.
type tableStream struct {
	in     stream
	f      Transformer
	counts []bool // inputs that are not constants
	out    *Out
	cut    *cutter // nil: row by row

	batch  Batch
	dense  Batch
	keep   []int32
	held   bool // batch shows memory of out
	ended  bool
	closed bool
}

func openTable(r *run, in rows, n *node) (stream, error) {
	args, err := project(r, in, n.args, unseen)
	if err != nil {
		return nil, err
	}
	t := &tableStream{in: args, f: n.table()}
	kind, access, err := t.f.Start(n.call)
	if err == nil && kind != n.kind {
		err = fmt.Errorf("function %s: its output is %s, when planned it was %s", n.call.Name, kind, n.kind)
	}
	if err == nil {
		err = access.check(len(n.args))
	}
	if err != nil {
		t.close()
		return nil, err
	}
	for _, a := range n.args {
		t.counts = append(t.counts, !isConst(a))
	}
	t.out = newOut(n.call.Name, kind, r.budget())
	if access.Kind != RowByRow && access.Kind != Mapped {
		t.cut = newCutter(access, n.call.Name, r.budget())
	}
	return t, nil
}

func isConst(n *node) bool {
	is := true
	n.walk(func(n *node) bool {
		if n.op == opSlot || n.op == opTable || n.op == expr.OpTime {
			is = false
		}
		return is
	})
	return is
}

func (t *tableStream) close() {
	if !t.closed {
		t.closed = true
		t.in.close()
		t.f.Close()
	}
}

func (t *tableStream) next(ctx context.Context) (*Batch, error) {
	if t.held {
		t.out.release()
		t.held = false
	}
	for !t.ended && len(t.out.times) == 0 {
		if err := t.feed(ctx); err != nil {
			return nil, err
		}
	}
	if len(t.out.times) == 0 {
		return nil, nil
	}
	t.out.take(&t.batch)
	t.held = true
	return &t.batch, nil
}

// feed gives the function its next rows or windows, or ends its input.
func (t *tableStream) feed(ctx context.Context) error {
	if t.cut != nil && t.cut.pending() {
		return t.cut.feed(ctx, t.f, t.out)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	b, err := t.in.next(ctx)
	if err != nil {
		return err
	}
	if b == nil {
		if t.cut != nil {
			if t.cut.finish(); t.cut.pending() {
				return t.cut.feed(ctx, t.f, t.out)
			}
		}
		t.ended = true
		return t.f.Terminate(t.out)
	}
	if b = dropEmpty(b, &t.dense, &t.keep, t.counts); b == nil {
		return nil
	}
	if t.cut == nil {
		return t.f.Rows(b, t.out)
	}
	if err := t.cut.add(b); err != nil {
		return err
	}
	return t.cut.feed(ctx, t.f, t.out)
}
