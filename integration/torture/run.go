package torture

import (
	"errors"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/integration/oracle"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/vfs"
)

func timeOf(ns int64) time.Time { return time.Unix(0, ns) }

// Run is a store on a crash file system that calls were made to.
type Run struct {
	fs    *crashfs.FS
	world *World
	hist  *oracle.History
	calls []oracle.Call
}

// newRun opens a store on fs, through wrap if it is not nil. Before the first
// call it may be anything that begins empty.
func newRun(fs *crashfs.FS, setup Setup, wrap func(vfs.FS) vfs.FS) (*Run, Verdict) {
	var disk vfs.FS = fs
	if wrap != nil {
		disk = wrap(fs)
	}
	r := &Run{fs: fs, world: newWorld(disk, storeDir, setup), hist: oracle.NewHistory(oracle.Start(wallStart.UnixNano()))}
	r.world.never.ops = fs.Ops
	if r.world.some != nil {
		r.world.some.ops = fs.Ops
	}
	if err := fs.MkdirAll("box"); err != nil {
		return r, failedWith(err, "mkdir")
	}
	if err := fs.SyncDir("/"); err != nil {
		return r, failedWith(err, "sync the root")
	}
	if err := shielded(r.world.open); err != nil {
		return r, failedWith(err, "open")
	}
	r.hist.Returned(nil, oracle.PowerSafe, fs.Ops())
	return r, Verdict{}
}

// do makes calls until one does what the oracle does not expect.
func (r *Run) do(calls ...oracle.Call) Verdict {
	for i := range calls {
		if v := r.one(&calls[i]); v.Class != Fine {
			return v
		}
	}
	return Verdict{}
}

func (r *Run) one(c *oracle.Call) Verdict {
	steps, ok := c.Steps(r.hist.Now())
	r.calls = append(r.calls, *c)
	err := r.world.do(c)
	switch {
	case !ok && err == nil:
		return verdict(Wrong, "call %d, %v: succeeded, want a refusal", len(r.calls), c)
	case !ok && !errors.Is(err, tickwell.ErrRejected):
		return failedWith(err, "call %d, %v: want ErrRejected", len(r.calls), c)
	case ok && err != nil:
		return failedWith(err, "call %d, %v", len(r.calls), c)
	}
	r.hist.Returned(steps, r.promise(c), r.fs.Ops())
	return Verdict{}
}

// promise is what the success of a call means.
func (r *Run) promise(c *oracle.Call) oracle.Promise {
	p := r.world.setup.Policy.promise()
	switch c.Verb {
	case oracle.Flush, oracle.Sync, oracle.Reopen:
		return oracle.PowerSafe
	case oracle.Insert:
		tallies := false // the effects of AFTER triggers are a step of their own
		for _, t := range c.Tablets {
			tallies = tallies || t.Device == oracle.Tallied
		}
		if c.Durable && !tallies {
			return oracle.PowerSafe
		}
	}
	return p
}

// check returns what a store on an image of cut must hold.
func (r *Run) check(cut crashfs.Cut, deep bool) *check {
	k := &check{setup: r.world.setup, hist: r.hist, deep: deep, handed: map[string][2]ids{}}
	k.lo, k.hi = r.hist.Bounds(cut.Op, cut.Mode != crashfs.All)
	all, took := r.world.never.until(cut.Op)
	k.handed["never"] = [2]ids{all, took}
	if r.world.some != nil {
		all, took = r.world.some.until(cut.Op)
		k.handed["some"] = [2]ids{all, took}
	}
	return k
}
