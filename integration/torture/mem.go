package torture

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tickwell/tickwell/integration/oracle"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/vfs"
)

// Options are the sizes of a mode.
type Options struct {
	Seed   uint64
	States int64         // about how many states to compare
	Runs   int           // how many runs; 0: as States asks
	Limit  time.Duration // how long at most; 0: no limit
	Length int           // exhaust: calls of a sequence
	Dir    string        // kill, soak: where on the real disk; default a temporary folder
	Bits   int           // flip: bits of each byte
	Policy string        // mem: only this policy

	wrap    func(vfs.FS) vfs.FS // plants a fault
	prepare func(*crashfs.FS)
	only    string // flip: suffix of the files
	quick   bool   // end at the first failure, do not shrink
}

func (o *Options) over(r *Report) bool {
	return o.Limit > 0 && time.Since(r.begun) > o.Limit || o.States > 0 && r.States >= o.States ||
		o.quick && len(r.Failures) > 0 || len(r.Failures) >= maxFailures
}

// Mem makes random calls on a simulated disk, cuts its power after any
// operation in any manner, and compares; then goes on from one of the cuts and
// cuts again, three deep.
func Mem(o Options) *Report {
	r := newReport("mem", o.Seed)
	for i := uint64(0); !o.over(r) && (o.Runs == 0 || i < uint64(o.Runs)); i++ {
		memRun(&o, r, o.Seed+i)
	}
	return r.done()
}

func memSetup(o *Options, rng *rand.Rand) Setup {
	s := randomSetup(rng)
	for p := range policies {
		if p.String() == o.Policy {
			s.Policy = p
		}
	}
	return s
}

func memRun(o *Options, r *Report, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 3))
	setup := memSetup(o, rng)
	g, n, every := newGenerator(seed), 10+rng.IntN(40), 1+rng.IntN(4)
	if setup.Many { // a long log, cut here and there
		g.files = rng.IntN(3) == 0
		n, every = n+60, 9+rng.IntN(8)
	}
	calls := g.calls(n)
	r.Runs++
	run, v := replay(calls, setup, o.wrap, o.prepare)
	r.Acked += int64(len(run.calls))
	where := "a call"
	if v.Class == Fine {
		s := &sweep{run: run, every: every, phase: int(seed), seeds: 2, deep: 7, report: r, limit: o.States}
		var cut crashfs.Cut
		if cut, v = s.check(); v.Class != Fine {
			where = cut.String()
		}
	}
	if v.Class == Fine {
		chain(o, r, run, rng, seed)
		return
	}
	f := Failure{Verdict: v, Seed: seed, Where: where, Setup: setup, Calls: run.calls, Repeat: fmt.Sprintf("mem -seed %d -runs 1", seed)}
	if !o.quick {
		f.Calls = shrink(run.calls, 20*time.Second, func(part []oracle.Call) bool {
			cut, again := tortured(part, setup, o)
			if again.Class == v.Class {
				f.Verdict, f.Where = again, cut
				return true
			}
			return false
		})
	}
	r.fail(f)
}

// tortured makes calls and cuts the power after every operation.
func tortured(calls []oracle.Call, setup Setup, o *Options) (string, Verdict) {
	run, v := replay(calls, setup, o.wrap, o.prepare)
	if v.Class != Fine {
		return "a call", v
	}
	s := &sweep{run: run, seeds: 2, deep: 3, report: newReport("", 0)}
	cut, v := s.check()
	return cut.String(), v
}
