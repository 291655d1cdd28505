package tickwell

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/tickwell/tickwell/internal/deliver"
	"github.com/tickwell/tickwell/internal/dispatch"
)

// A frame is the firing that a context belongs to, so that writes made inside
// it are known as such. It is that context itself: none has to be made.
type frame struct {
	context.Context
	parent  *frame
	trigger *trigger
	act     *activity
	depth   int
	over    atomic.Bool // the firing has ended; the context may live on
	// nested serialises the writes that goroutines of one firing make, so that
	// they wait for their AFTER triggers in log order.
	nested dispatch.Ticket
}

type frameKey struct{}

// Value returns the frame itself under its key.
func (f *frame) Value(key any) any {
	if _, ok := key.(frameKey); ok {
		return f
	}
	return f.Context.Value(key)
}

func frameOf(ctx context.Context) *frame {
	f, _ := ctx.Value(frameKey{}).(*frame)
	if f != nil && f.over.Load() {
		return nil
	}
	return f
}

// chain names the triggers from the outermost firing to f.
func (f *frame) chain() string {
	var names []string
	for ; f != nil; f = f.parent {
		names = append(names, f.trigger.spec.Name)
	}
	slices.Reverse(names)
	return strings.Join(names, " → ")
}

// holds reports whether f or a firing around it is one of tr.
func (f *frame) holds(tr *trigger) bool {
	for ; f != nil; f = f.parent {
		if f.trigger == tr {
			return true
		}
	}
	return false
}

// A firingCall is the memory of one call of a trigger.
type firingCall struct {
	frame  frame
	firing Firing
	fx     effects

	part      *part   // whose lent rows it was given; nil: rows of its own
	cols      []int   // which of them
	rows      *Tablet // what it was given, whatever it makes of its Firing
	rewritten *Tablet // what Rewrite returned
	waking    bool    // it is OnWake that is called
}

// callSlab gives out firingCalls, each once: user code may keep the context it
// was called with, so none is used again. Made by the dozen they cost no
// allocation each.
type callSlab struct {
	calls []firingCall
	next  int
}

const callsPerSlab = 24

func (s *callSlab) take() *firingCall {
	if s.next == len(s.calls) {
		s.calls, s.next = make([]firingCall, callsPerSlab), 0
	}
	s.next++
	return &s.calls[s.next-1]
}

// newActivity makes in the begin of one.
func (in *insertion) newActivity() *activity {
	if in.nextAct == len(in.acts) {
		in.acts, in.nextAct = make([]activity, callsPerSlab), 0
	}
	in.nextAct++
	in.act, in.from = &in.acts[in.nextAct-1], nil
	return in.act
}

// newCall prepares a call of tr inside the firing parent, if any.
func (in *insertion) newCall(ctx context.Context, db *DB, tr *trigger, t *Tablet, act *activity, parent *frame) *firingCall {
	c := in.slab.take()
	c.frame.Context, c.frame.parent, c.frame.trigger, c.frame.act, c.frame.depth = ctx, parent, tr, act, 1
	if parent != nil {
		c.frame.depth = parent.depth + 1
	}
	f := &c.firing
	c.rows = t
	f.Tablet, f.Trigger, f.When, f.db, f.out, f.run, f.hops = t, tr.spec.Name, tr.spec.When, db, &c.fx, tr, deliver.Hops(ctx)
	return c
}
