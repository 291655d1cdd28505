package torture

import (
	"fmt"
	"math/rand/v2"
	"path"

	"github.com/tickwell/tickwell/integration/oracle"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/vfs"
)

// chain lets a store go on after a cut, and cuts it again: in the middle of its
// recovery, and after more calls.
func chain(o *Options, r *Report, run *Run, rng *rand.Rand, seed uint64) {
	for depth := 1; depth <= 3 && !o.over(r); depth++ {
		if run.fs.Ops() == 0 {
			return
		}
		cut := crashfs.Cut{Op: 1 + rng.IntN(run.fs.Ops()), Mode: crashfs.Modes[rng.IntN(len(crashfs.Modes))], Seed: rng.Uint64()}
		bare := rng.IntN(3) == 0
		next, v := resume(run, cut, bare, o)
		if v.Class == Fine && next == nil {
			return // the cut was before there was a store
		}
		where := fmt.Sprintf("depth %d after %v, without empty folders: %v", depth, cut, bare)
		if v.Class == Fine {
			v = next.do(newGenerator(rng.Uint64()).calls(rng.IntN(12))...)
			if bad := closed(next); v.Class == Fine {
				v = bad
			}
		}
		if v.Class == Fine {
			s := &sweep{run: next, every: 1 + rng.IntN(3), phase: depth, seeds: 1, deep: 9, report: r, limit: o.States}
			var second crashfs.Cut
			if second, v = s.check(); v.Class != Fine {
				where += fmt.Sprintf(", then %v", second)
			}
		}
		if v.Class != Fine {
			calls := run.calls
			if next != nil {
				calls = append(append(append([]oracle.Call{}, run.calls...), oracle.Call{Verb: oracle.Reopen}), next.calls...)
			}
			r.fail(Failure{Verdict: v, Seed: seed, Where: where, Setup: run.world.setup, Calls: calls,
				Repeat: fmt.Sprintf("mem -seed %d -runs 1", seed)})
			return
		}
		run = next
	}
}

// resume opens a store on what a cut has left, durably, and begins a history
// with what it holds. Bare removes empty folders first, as a backup that was put
// back may lack them.
func resume(run *Run, cut crashfs.Cut, bare bool, o *Options) (*Run, Verdict) {
	img := run.fs.Image(cut.Op, cut.Mode, cut.Seed)
	if bare {
		removeEmpty(img, storeDir)
	}
	return resumeOn(run, cut, crashfs.From(img), o)
}

func removeEmpty(img vfs.FS, dir string) {
	names, err := img.List(dir)
	if err != nil {
		return
	}
	for _, n := range names {
		name := path.Join(dir, n)
		if info, err := img.Stat(name); err == nil && info.IsDir {
			removeEmpty(img, name)
			img.Remove(name) // fails if it is not empty
		}
	}
}

// resumeOn is resume on a disk that holds the image of the cut.
func resumeOn(run *Run, cut crashfs.Cut, fsys *crashfs.FS, o *Options) (*Run, Verdict) {
	img := fsys.Image(fsys.Ops(), crashfs.All, 0)
	k := run.check(cut, false)
	v := k.verify(img, storeDir)
	if v.Class != Fine {
		return nil, v
	}
	if v.Found == 0 {
		return nil, Verdict{}
	}
	k.lo = v.Found
	state := k.hist.State(k.lo)
	if o.prepare != nil {
		o.prepare(fsys)
	}
	var disk vfs.FS = fsys
	if o.wrap != nil {
		disk = o.wrap(fsys)
	}
	next := &Run{fs: fsys, world: newWorld(disk, storeDir, run.world.setup), hist: oracle.NewHistory(state)}
	next.world.never.ops = fsys.Ops
	if next.world.some != nil {
		next.world.some.ops = fsys.Ops
		// What was taken before the cut may be handed out again, or not.
		for _, id := range k.handed["some"][1] {
			next.world.some.handed = append(next.world.some.handed, handed{id: id, accepted: true})
		}
	}
	next.world.clock.Set(timeOf(state.Now()))
	if err := shielded(next.world.open); err != nil {
		return next, failedWith(err, "open after a cut")
	}
	promise := next.world.setup.Policy.promise()
	next.hist.Returned(state.Due(), promise, fsys.Ops())
	return next, Verdict{}
}
