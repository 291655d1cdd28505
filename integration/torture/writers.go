package torture

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"

	"github.com/tickwell/tickwell/integration/oracle"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/vfs"
)

// Writers lets several goroutines write at once, each to a device of its own,
// while another flushes, and cuts the power: what each had been told is stored
// must be, and its calls must survive as a prefix. Which calls share a sync
// depends on the scheduler, so a seed does not repeat a run exactly.
func Writers(o Options) *Report {
	r := newReport("writers", o.Seed)
	for i := uint64(0); !o.over(r); i++ {
		writersRun(&o, r, o.Seed+i)
	}
	return r.done()
}

// writer is one of the goroutines with what it did.
type writer struct {
	device string
	gen    *generator
	hist   *oracle.History
	v      Verdict
}

const writerCalls = 15

func writersRun(o *Options, r *Report, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 13))
	setup := Setup{Recycle: rng.IntN(2) == 0, Many: rng.IntN(2) == 0}
	run, v := newRun(crashfs.New(), setup, o.wrap)
	r.Runs++
	fail := func(v Verdict, where string) {
		r.fail(Failure{Verdict: v, Seed: seed, Where: where, Setup: setup, Repeat: fmt.Sprintf("writers -seed %d", seed)})
	}
	if v.Class != Fine {
		fail(v, "open")
		return
	}
	writers := make([]*writer, 2+rng.IntN(5))
	var wg sync.WaitGroup
	for i := range writers {
		w := &writer{device: fmt.Sprintf("root.w%d", i), gen: newGenerator(seed*100 + uint64(i)), hist: oracle.NewHistory(oracle.Start(wallStart.UnixNano()))}
		w.hist.Returned(nil, oracle.PowerSafe, run.fs.Ops())
		writers[i] = w
		wg.Go(func() { w.write(run) })
	}
	var flushed Verdict
	wg.Go(func() {
		for range 3 {
			if err := run.world.do(&oracle.Call{Verb: oracle.Flush}); err != nil {
				flushed = failedWith(err, "flush")
			}
		}
	})
	wg.Wait()
	end := closed(run)
	for _, v := range []Verdict{flushed, end} {
		if v.Class != Fine {
			fail(v, "a call")
			return
		}
	}
	for _, w := range writers {
		if w.v.Class != Fine {
			fail(w.v, w.device)
			return
		}
		r.Acked += int64(w.hist.Len() - 1)
	}
	seen := map[uint64]bool{}
	for op := int(seed % 3); op <= run.fs.Ops(); op += 3 {
		for _, cut := range cuts(run.fs, op, 2) {
			if o.over(r) {
				return
			}
			img := run.fs.Image(cut.Op, cut.Mode, cut.Seed)
			if print := fingerprint(img, op); seen[print] {
				r.Same++
				continue
			} else {
				seen[print] = true
			}
			r.States++
			var v Verdict
			if err := shielded(func() error { v = compareWriters(img, setup, writers, cut); return nil }); err != nil {
				v = failedWith(err, "verify")
			}
			if v.Class != Fine {
				fail(v, cut.String())
				return
			}
		}
	}
}

func (w *writer) write(run *Run) {
	for n := range writerCalls {
		c := oracle.Call{Verb: oracle.Insert, Via: viaTablet, Tablets: []oracle.Tablet{w.gen.tablet(viaTablet)}}
		c.Tablets[0].Device = w.device
		if n%7 == 6 {
			at := w.gen.time()
			c = oracle.Call{Verb: oracle.Delete, Pattern: w.device + ".*", From: at, To: at + 4*step}
		}
		steps, _ := c.Steps(w.hist.Now())
		if err := run.world.do(&c); err != nil {
			w.v = failedWith(err, "%s, call %d, %v", w.device, n+1, &c)
			return
		}
		w.hist.Returned(steps, oracle.PowerSafe, run.fs.Ops())
	}
}

func compareWriters(img vfs.FS, setup Setup, writers []*writer, cut crashfs.Cut) Verdict {
	w := newWorld(img, storeDir, setup)
	w.roll = false
	if err := w.open(); err != nil {
		return failedWith(err, "open")
	}
	defer w.close()
	if d := w.db.Recovery().Damage; len(d) > 0 {
		return verdict(Alarm, "a crash is reported as damage: %v", d)
	}
	got, err := dumpRange(w.db)
	if err != nil {
		return failedWith(err, "read")
	}
	for _, wr := range writers {
		part := oracle.Dump{}
		for path, points := range got {
			if strings.HasPrefix(path, wr.device+".") {
				part[path] = points
			}
		}
		k := &check{hist: wr.hist}
		if k.lo, k.hi = wr.hist.Bounds(cut.Op, true); len(wr.hist.Find(part, k.lo, k.hi)) == 0 {
			v := k.missing(part)
			v.Text = wr.device + ": " + v.Text
			return v
		}
	}
	return Verdict{}
}
