package tickwell

import (
	"context"
	"time"

	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/exec"
)

// keptPlan is the plan of a query from one run to the next: planning would cost
// as much as computing some windows. Runs have it for themselves.
type keptPlan struct {
	res  *Result
	into map[string][]target // by device
	made seriesVersion
	run  *exec.Kept // nil if the plan is for one run only
	room *intoRoom  // nil: what a run writes may be looked at when it is over
}

// at plans q for a range, on a cut. The result is good until the next one.
func (p *keptPlan) at(ctx context.Context, db *DB, q *Query, snap *engine.Snapshot, from, to int64) (*Result, error) {
	v := db.seriesVersion()
	if p.res == nil || p.made != v || p.run == nil {
		x := *q
		x.Start, x.End = time.Unix(0, from), time.Unix(0, to)
		*p = keptPlan{}
		res, err := db.resultOn(ctx, &x, snap)
		if err != nil {
			return nil, err
		}
		var into map[string][]target
		if len(q.Into) > 0 && len(res.plan.Columns()) > 0 {
			if into, err = q.targets(res.plan.Columns(), res.plan.Devices()); err != nil {
				return nil, &Error{Op: "query", Err: err}
			}
		}
		*p = keptPlan{res: res, into: into, made: v}
		if db.keeps(res.plan, res.used) && db.opts.Authorize == nil { // which may say otherwise at the next run
			p.run = new(exec.Kept)
			for _, list := range into {
				for i := range list {
					if ser, ok := db.eng.Lookup(list[i].device, list[i].name); ok {
						list[i].kind = Kind(ser.Kind)
					}
				}
			}
			if o := db.opts.Observer; o == nil || o.Run == nil {
				p.room = new(intoRoom)
			}
		}
	} else {
		plan, err := p.res.plan.At(from, to)
		if err != nil {
			return nil, &Error{Op: "query", Err: err}
		}
		p.res.plan = plan
	}
	res := &Result{ctx: ctx, db: db, plan: p.res.plan, used: p.res.used, into: p.into, kept: p.run, room: p.room}
	res.open = func() (exec.Source, func(), error) { return source{snap}, func() {}, nil }
	return res, nil
}

// plan plans the query of a view for a range of windows, of the devices of the
// job.
func (r *viewRun) plan(ctx context.Context, from, to int64) (*Result, error) {
	res, err := r.q.kept.at(ctx, r.db, &r.query, r.snap, from, to)
	if err == nil && r.job != nil {
		res.only = r.job.devices
	}
	return res, err
}
