package tickwell

import (
	"context"
	"time"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/engine"
)

// viewPlans keeps the plan of a view's query: planning over many devices would
// cost as much as computing a few windows of them.
type viewPlans struct {
	res  *Result
	into map[string][]target // by device
	next uint32              // version of the series
	n    int
}

// plan plans the query for a range of windows, of the devices of the job. The
// plan is good until the next one.
func (r *viewRun) plan(ctx context.Context, from, to int64) (*Result, error) {
	p := &r.v.plans
	next, n := r.db.eng.SeriesVersion()
	if p.res == nil || p.next != next || p.n != n || !r.mayKeepPlan() {
		q := r.query
		q.Start, q.End = time.Unix(0, from), time.Unix(0, to)
		*p = viewPlans{}
		res, err := r.db.resultOn(ctx, &q, r.snap)
		if err != nil {
			return nil, err
		}
		var into map[string][]target
		if len(q.Into) > 0 && len(res.plan.Columns()) > 0 {
			if into, err = q.targets(res.plan.Columns(), res.plan.Devices()); err != nil {
				return nil, err
			}
		}
		*p = viewPlans{res: res, into: into, next: next, n: n}
	} else {
		p.res.plan.Move(from, to)
	}
	cut := r.snap
	res := &Result{ctx: ctx, db: r.db, plan: p.res.plan, into: p.into}
	res.open = func() (*engine.Snapshot, func(), error) { return cut, func() {}, nil }
	if r.job != nil {
		res.only = r.job.devices
	}
	return res, nil
}

// mayKeepPlan reports whether nothing but its series can change the plan: not
// functions of the program, nor permissions.
func (r *viewRun) mayKeepPlan() bool {
	if r.db.opts.Authorize != nil {
		return false
	}
	keep := true
	for _, e := range append([]expr.Expr{r.query.Where, r.query.Having}, r.query.Select...) {
		e.Walk(func(x expr.Expr) {
			if x.Op() == expr.OpCall {
				if _, own := r.db.funcs.Function(x.Name()); own {
					keep = false
				}
			}
		})
	}
	return keep
}
