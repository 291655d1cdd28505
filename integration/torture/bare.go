package torture

import (
	"fmt"

	"github.com/tickwell/tickwell/integration/oracle"
	"github.com/tickwell/tickwell/internal/crashfs"
)

// bareRun flushes a store, so that its log is empty, removes its empty folders,
// as a backup that was put back may lack them, and goes on under power cuts.
func bareRun(o *Options, r *Report) {
	for _, last := range []string{"row", "group", "flush"} {
		seq := calls("group", "tick", "flush")
		run, _, v := begin(list(seq), Setup{}, &Options{})
		r.Runs++
		where := "a call"
		if v.Class == Fine {
			var next *Run
			if next, v = resume(run, crashfs.Cut{Op: run.fs.Ops(), Mode: crashfs.All}, true, o); v.Class == Fine {
				v = next.do(list(calls("old", last))...)
			}
			if v.Class == Fine {
				v = closed(next)
			}
			if v.Class == Fine {
				s := &sweep{run: next, seeds: 3, deep: 5, report: r}
				var cut crashfs.Cut
				cut, v = s.check()
				where = cut.String()
			}
		}
		if v.Class != Fine {
			r.fail(Failure{Verdict: v, Where: fmt.Sprintf("%s, empty folders having been removed before old, %s", where, last), Calls: list(seq), Repeat: "exhaust -length 1"})
		}
	}
}

// closed ends a run.
func closed(r *Run) Verdict {
	if err := shielded(r.world.close); err != nil {
		return failedWith(err, "close")
	}
	r.hist.Returned(nil, oracle.PowerSafe, r.fs.Ops())
	return Verdict{}
}

// list makes the calls of a sequence.
func list(seq []int) (out []oracle.Call) {
	for n, i := range seq {
		out = append(out, alphabet[i].make(int64(n)))
	}
	return out
}
