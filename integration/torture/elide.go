package torture

import (
	"fmt"
	"strings"

	"github.com/tickwell/tickwell/internal/crashfs"
)

// Elide leaves out the syncs of one place in the program after the other. Each
// time the torture must find a failure: a place that it does not miss is either
// a hole in the torture or a sync that the store does not need.
func Elide(o Options) *Report {
	r := newReport("elide", o.Seed)
	if control := drill(&o, nil); !control.OK() {
		r.fail(control.Failures[0])
		return r.done()
	}
	for _, site := range syncSites(&o) {
		r.Counts["sites"]++
		v, states := elided(&o, site)
		r.States += states
		if v.Class == Refusal && strings.HasPrefix(v.Text, "run") {
			r.fail(Failure{Verdict: v, Seed: o.Seed, Where: "control of " + site})
			continue
		}
		if v.Class != Fine {
			r.Counts["killed"]++
			continue
		}
		r.Counts["survived"]++
		r.fail(Failure{Verdict: verdict(Wrong, "nothing fails without the sync at %s (%d states)", site, states), Seed: o.Seed, Where: "elision",
			Repeat: fmt.Sprintf("elide -seed %d", o.Seed)})
	}
	return r.done()
}

// syncSites returns the places that sync in runs of all setups and in
// recoveries from cuts.
func syncSites(o *Options) []string {
	seen := map[string]bool{}
	note := func(fsys *crashfs.FS) {
		for _, s := range fsys.Sites() {
			if strings.HasPrefix(s, "internal/") {
				seen[s] = true
			}
		}
	}
	for i := range uint64(24) {
		setup := Setup{Policy: Policy(i % uint64(policies)), Recycle: i%3 == 0, Small: i%5 == 0, Sinks: i%2 == 0}
		run, v := replay(newGenerator(o.Seed+i).calls(40), setup, nil, nil)
		note(run.fs)
		if v.Class != Fine {
			continue
		}
		for op := 1 + int(i%7); op < run.fs.Ops(); op += 37 {
			fsys := crashfs.From(run.fs.Image(op, crashfs.Random, i))
			if next, v := resumeOn(run, crashfs.Cut{Op: op, Mode: crashfs.Random, Seed: i}, fsys, o); v.Class == Fine && next != nil {
				next.world.close()
			}
			note(fsys)
		}
	}
	return sortedKeys(seen)
}

// elided tortures a store without the syncs of one place until something fails
// that does not fail with them.
func elided(o *Options, site string) (Verdict, int64) {
	elide := func(fsys *crashfs.FS) { fsys.Elide(site) }
	r, off := drill(o, elide), *o
	off.prepare, off.quick, off.States = elide, true, 0
	for i := uint64(0); r.OK() && r.States < o.States; i++ {
		if off.Policy = ""; i%2 == 0 {
			off.Policy = Always.String() // most promises, most failures
		}
		memRun(&off, r, o.Seed+i)
		if !r.OK() {
			sound := off
			sound.prepare = nil
			if control := newReport("", 0); !passes(&sound, control, o.Seed+i) {
				return verdict(Refusal, "run %d fails with all syncs: mend that first", o.Seed+i), r.States
			}
		}
	}
	if len(r.Failures) > 0 {
		return r.Failures[0].Verdict, r.States
	}
	return Verdict{}, r.States
}

// drill makes lists of calls that need syncs which random calls hardly ever
// need, until one fails.
func drill(o *Options, prepare func(*crashfs.FS)) *Report {
	off := *o
	off.prepare, off.quick, off.States, off.Length, off.Policy = prepare, true, 0, 1, Always.String()
	r := Exhaust(off) // short lists find what is needed to make a store
	for _, seq := range hard {
		for _, seed := range []uint64{0, 1} { // with and without recycling
			if off.Seed = seed; r.OK() {
				exhaustOne(&off, r, seq, 6)
			}
		}
	}
	return r
}

func passes(o *Options, r *Report, seed uint64) bool {
	memRun(o, r, seed)
	return r.OK()
}

// hard are sequences of the alphabet for drill.
var hard = [][]int{
	calls("long", "long", "flush", "reopen", "row"), // segment numbers begin again
	calls("row", "flush", "flush", "row"),
	calls("group", "flush", "reopen", "old", "flush"),
}

func calls(names ...string) (seq []int) {
	for _, n := range names {
		for i := range alphabet {
			if alphabet[i].name == n {
				seq = append(seq, i)
			}
		}
	}
	return seq
}
