package tickwell

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/internal/dispatch"
	"github.com/tickwell/tickwell/internal/exec"
)

// A user's function that does not return must not hold up whoever ranges over
// the result. A query with such functions and a context that can end is
// therefore run by a goroutine of its own, one batch at a time; when the context
// ends, the caller goes on, and the goroutine gives back what the query holds
// as soon as the function returns.

// usedFunctions notes which registered functions a plan asks for.
type usedFunctions struct {
	from  *functions
	mu    sync.Mutex
	names []string
}

func (u *usedFunctions) Function(name string) (exec.Function, bool) {
	f, ok := u.from.Function(name)
	u.mu.Lock()
	defer u.mu.Unlock()
	if ok && !slices.Contains(u.names, name) {
		u.names = append(u.names, name)
	}
	return f, ok
}

// all returns the functions so far.
func (u *usedFunctions) all() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.names)
}

// hosted is exec.Prepare, in a goroutine of its own where it may have to wait for a
// user's function: planning makes, checks and starts each.
func (db *DB) hosted(ctx context.Context, q *exec.Query, used *usedFunctions) (*exec.Plan, error) {
	if ctx.Done() == nil || db.funcs.none() {
		return exec.Prepare(q, db.eng, used)
	}
	if err := ctx.Err(); err != nil { // no function is started for nobody
		return nil, err
	}
	type planned struct {
		plan *exec.Plan
		err  error
	}
	give := make(chan planned, 1)
	go func() {
		p := planned{err: &dispatch.GoexitError{Name: "query"}} // unless it returns
		defer func() { give <- p }()
		p.err = call("query", func() (err error) {
			p.plan, err = exec.Prepare(q, db.eng, used)
			return err
		})
	}()
	p, ok := patiently(ctx, give)
	if !ok {
		return nil, fmt.Errorf("function %s has not returned: %w", strings.Join(used.all(), ", "), ctx.Err())
	}
	return p.plan, p.err
}

// patience is how long a function may take to return after the context has
// ended. It is real time, for the clock of a test may stand still.
const patience = 10 * time.Millisecond

// guest runs a query in its own goroutine.
type guest struct {
	ctx   context.Context
	names []string
	ask   chan struct{} // for the next batch; closed when no more is wanted
	give  chan batch
	done  chan struct{} // closed when the goroutine has given everything back
	gone  bool          // it was left behind
}

type batch struct {
	rows *exec.Table
	err  error
}

// hostGuest starts a goroutine that runs run and, when it is over, calls end.
func hostGuest(ctx context.Context, names []string, run *exec.Run, end func()) *guest {
	g := &guest{ctx: ctx, names: names, ask: make(chan struct{}), give: make(chan batch, 1), done: make(chan struct{})}
	go func() {
		defer close(g.done)
		defer end()
		defer run.Close()
		for range g.ask {
			var b batch
			returned := false
			func() {
				defer func() {
					if !returned { // by runtime.Goexit, which ends this goroutine
						g.give <- batch{err: &dispatch.GoexitError{Name: "function " + strings.Join(names, ", ")}}
					}
				}()
				b.rows, b.err = run.Next()
				returned = true
			}()
			g.give <- b
		}
	}()
	return g
}

// next is exec.Run.Next for the caller, who must not use the rows of a batch
// after asking for the next.
func (g *guest) next() (*exec.Table, error) {
	if g.gone {
		return nil, nil
	}
	select {
	case g.ask <- struct{}{}:
	case <-g.done: // it has ended by Goexit
		return nil, nil
	}
	if b, ok := patiently(g.ctx, g.give); ok {
		return b.rows, b.err
	}
	g.gone = true
	return nil, fmt.Errorf("function %s has not returned: %w", strings.Join(g.names, ", "), g.ctx.Err())
}

// patiently waits for what comes from a goroutine. When ctx has ended the query
// itself ends at once; only a function can take longer, and is left behind.
func patiently[T any](ctx context.Context, from <-chan T) (v T, ok bool) {
	select {
	case v = <-from:
		return v, true
	default:
	}
	select {
	case v = <-from:
		return v, true
	case <-ctx.Done():
	}
	over := make(chan struct{})
	stop := clock.System().AfterFunc(patience, func() { close(over) })
	defer stop()
	select {
	case v = <-from:
		return v, true
	case <-over:
		return v, false
	}
}

// close ends the goroutine: at once, or, if it was left behind, when the
// function returns, which BeforeDestroy may not do either.
func (g *guest) close() {
	close(g.ask)
	if !g.gone {
		patiently(g.ctx, g.done)
	}
}
