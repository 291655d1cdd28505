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
	for _, site := range syncSites(&o) {
		r.Counts["sites"]++
		v, states := elided(&o, site)
		r.States += states
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

// elided tortures a store without the syncs of one place until something fails.
func elided(o *Options, site string) (Verdict, int64) {
	r := newReport("", o.Seed)
	off := *o
	off.prepare = func(fsys *crashfs.FS) { fsys.Elide(site) }
	off.quick = true
	off.States = 0
	for len(r.Failures) == 0 && r.States < o.States {
		i := uint64(r.Runs)
		if i%2 == 0 {
			off.Policy = Always.String() // most promises, most failures
		} else {
			off.Policy = ""
		}
		memRun(&off, r, o.Seed+i)
	}
	if len(r.Failures) > 0 {
		return r.Failures[0].Verdict, r.States
	}
	return Verdict{}, r.States
}
