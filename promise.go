package tickwell

import (
	"context"
	"fmt"
	"strconv"

	"github.com/tickwell/tickwell/internal/codec"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/pattern"
)

// A durable trigger AFTER an insert is promised its firing in the record of the
// insert itself, under a key of the durable state that holds the rows. The
// record of its effects removes the key, so that a firing whose effects are not
// stored is the same as one that never was: it is made up for when the trigger
// is created again. The keys of a trigger sort in log order.

// todo is one promise, made in the record of an insertion.
type todo struct {
	trigger *trigger
	part    int
	key     string
}

func (tr *trigger) todoPrefix() string { return "todo/" + pattern.Quote(tr.spec.Name) + "/" }

// notePending adds the promises of a group to its record.
func (db *DB) notePending(in *insertion) {
	in.todos = in.todos[:0]
	for i := range in.n {
		p := &in.parts[i]
		for _, m := range p.bound.matching(in.table).after {
			if !m.trigger.spec.Durable {
				continue
			}
			t, _ := p.matching(m.cols)
			if t == nil {
				continue
			}
			key := m.trigger.todoPrefix() + fmt.Sprintf("%016x", db.promised.Add(1))
			in.todos = append(in.todos, todo{m.trigger, i, key})
			in.batch.Puts = append(in.batch.Puts, engine.Put{Kind: engine.PutEffect, Key: key, Value: appendTablet(nil, t)})
		}
	}
}

// todo returns the key of a promise, "" if there is none.
func (in *insertion) todo(tr *trigger, part int) string {
	for i := range in.todos {
		if in.todos[i].trigger == tr && in.todos[i].part == part {
			return in.todos[i].key
		}
	}
	return ""
}

// done adds that a promise is kept. No key: nothing.
func (x *effects) done(key string) {
	if key != "" {
		x.set(engine.Put{Kind: engine.PutEffect, Key: key, Delete: true})
	}
}

// makeUp fires a durable trigger for the rows it still has to see, oldest first: those
// promised before some key, all if it is empty.
func (db *DB) makeUp(ctx context.Context, tr *trigger, before string) error {
	if s := tr.state.Load(); !tr.spec.Durable || db.opts.ReadOnly || tr.code == nil || s != stateActive && s != stateInactive {
		return nil
	}
	tr.owed.Store(false)
	n := 0
	for key, value := range db.eng.Scan(tr.todoPrefix()) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if before != "" && key >= before {
			break
		}
		t, err := decodeTablet(value)
		if err != nil {
			db.report(tr, asTriggerError(tr, fmt.Errorf("rows of a firing to make up for: %w", err), true))
			continue
		}
		db.fireAlone(ctx, tr, t, key, nil)
		n++
	}
	if n > 0 {
		db.log.Info("trigger has made up for firings", "trigger", tr.spec.Name, "firings", n)
	}
	return nil
}

// fireAlone is one firing outside any insert.
func (db *DB) fireAlone(ctx context.Context, tr *trigger, t *Tablet, todo string, parent *frame) {
	in := db.scratch.Get()
	defer db.end(in)
	act := in.newActivity()
	defer db.settleRest(act)
	if tr.spec.Stateful {
		if err := tr.turn.Lock(context.WithoutCancel(ctx)); err != nil {
			return
		}
		defer tr.turn.Unlock()
	}
	_ = db.runAfter(in.newCall(ctx, db, tr, t, act, parent), todo) // its error has been reported
	_ = db.settle(ctx, act, nil)
	db.finish(ctx, act)
}

// lastPromise is the largest number in the keys of promises.
func (db *DB) lastPromise() (last uint64) {
	for key := range db.eng.Scan("todo/") {
		if len(key) < 16 {
			continue
		}
		if n, err := strconv.ParseUint(key[len(key)-16:], 16, 64); err == nil {
			last = max(last, n)
		}
	}
	return last
}

const tabletVersion = 1

func appendTablet(b []byte, t *Tablet) []byte {
	b = appendText(append(b, tabletVersion), t.Device)
	b = appendUint(b, uint64(len(t.Times)))
	for _, at := range t.Times {
		b = appendWord(b, uint64(at))
	}
	b = appendUint(b, uint64(len(t.Columns)))
	for i := range t.Columns {
		c := &t.Columns[i]
		b = append(appendText(b, c.Name), byte(c.Data.Kind()))
		for r := range t.Times {
			v := Value{}
			if !c.Nulls.Get(r) {
				v = c.Data.Value(r)
			}
			b = append(b, byte(v.kind))
			if v.kind == KindText {
				b = appendText(b, v.str)
			} else if v.kind != KindNull {
				b = appendWord(b, v.num)
			}
		}
	}
	return b
}

// decodeTablet is the inverse of appendTablet, never panics, and allocates no
// more than a few times the bytes given.
func decodeTablet(src []byte) (*Tablet, error) {
	r := wireReader{codec.Reader{Src: src}}
	if v := r.Byte(); v != tabletVersion {
		return nil, fmt.Errorf("tablet of version %d: %w", v, errs.Corrupt)
	}
	t := &Tablet{Device: r.Text()}
	n := r.Count(8)
	for range n {
		t.Times = append(t.Times, int64(r.Uint64()))
	}
	for range r.Count(2) {
		c := Column{Name: r.Text()}
		kind := Kind(r.Byte())
		if r.Bad || !column.Kind(kind).Valid() {
			return nil, fmt.Errorf("tablet of %d bytes makes no sense: %w", len(src), errs.Corrupt)
		}
		var v column.Vector
		v.Reset(column.Kind(kind))
		c.Data = vectorOf(&v)
		for range n {
			cell := Value{kind: Kind(r.Byte())}
			switch {
			case cell.kind == KindNull:
			case cell.kind != kind:
				r.Bad = true
			case kind == KindText:
				cell.str = r.Text()
			default:
				cell.num = r.Uint64()
			}
			if r.Bad {
				break
			}
			c.appendValue(cell)
		}
		t.Columns = append(t.Columns, c)
	}
	if r.Bad || len(r.Src) != 0 || t.Validate() != nil {
		return nil, fmt.Errorf("tablet of %d bytes makes no sense: %w", len(src), errs.Corrupt)
	}
	return t, nil
}
