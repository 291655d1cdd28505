package torture

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tickwell/tickwell/integration/oracle"
	"github.com/tickwell/tickwell/internal/crashfs"
)

// catchUpLimit is how many missed runs of a query are made up for at most.
const catchUpLimit = 10_000

// boot is what a machine without a clock begins with.
var boot = time.Unix(0, oracle.Period/2)

// steps are how far the wall clock is set forward or back.
var steps = []time.Duration{time.Second, 3 * time.Second, time.Minute, time.Hour, 25 * time.Hour, 24 * 365 * time.Hour, 10 * 8766 * time.Hour}

// Clock sets the wall clock forward and back, boots stores in 1970, cuts the
// power in between, and checks that no point is lost, that every result of the
// continuous query is what a computation from scratch gives, that it does not
// stand still, and that it does not run more often than it may.
func Clock(o Options) *Report {
	r := newReport("clock", o.Seed)
	for i := uint64(0); !o.over(r); i++ {
		clockRun(r, o.Seed+i)
	}
	return r.done()
}

// clockWorld is a run with clock steps.
type clockWorld struct {
	rng   *rand.Rand
	fs    *crashfs.FS
	w     *World
	data  *oracle.State // without the query's rows
	notes []string
}

func clockRun(r *Report, seed uint64) {
	c := &clockWorld{rng: rand.New(rand.NewPCG(seed, 9)), fs: boxed(), data: oracle.Start(wallStart.UnixNano())}
	setup := Setup{}
	c.w = newWorld(c.fs, storeDir, setup)
	c.w.discard = c.rng.IntN(3) > 0
	r.Runs++
	v := c.play()
	if err := shielded(c.w.close); err != nil && v.Class == Fine {
		v = failedWith(err, "close")
	}
	r.States++
	r.Counts["query_runs"] += c.w.runs.Load()
	if v.Class != Fine {
		where := "schedule:"
		for _, n := range c.notes {
			where += "\n    " + n
		}
		r.fail(Failure{Verdict: v, Seed: seed, Where: where, Setup: setup, Repeat: fmt.Sprintf("clock -seed %d -states 1", seed)})
	}
}

func (c *clockWorld) note(format string, args ...any) {
	c.notes = append(c.notes, fmt.Sprintf(format, args...))
}

func (c *clockWorld) play() Verdict {
	if c.rng.IntN(3) == 0 {
		c.w.clock.Set(boot)
		c.note("boot at %v", c.w.clock.Now())
	}
	if err := shielded(c.w.open); err != nil {
		return failedWith(err, "open")
	}
	g := newGenerator(c.rng.Uint64())
	for range 12 {
		call := g.insert()
		if _, ok := call.Steps(c.data); !ok {
			continue
		}
		if err := c.w.do(&call); err != nil {
			return failedWith(err, "%v", &call)
		}
		c.data = call.Final(c.data)
	}
	for range 4 + c.rng.IntN(12) {
		if v := c.move(); v.Class != Fine {
			return v
		}
		if v := c.look(); v.Class != Fine {
			return v
		}
	}
	return Verdict{}
}

// move makes one step of the schedule.
func (c *clockWorld) move() Verdict {
	before := c.w.runs.Load()
	switch k := c.rng.IntN(10); {
	case k < 4:
		d := time.Duration(c.rng.Int64N(int64(4 * time.Second)))
		c.note("advance %v", d)
		c.w.clock.Advance(d)
		if err := c.w.settle(); err != nil {
			return failedWith(err, "settle")
		}
		return Verdict{}
	case k < 8:
		d := steps[min(c.rng.IntN(len(steps)), c.rng.IntN(len(steps)+3))]
		if c.rng.IntN(2) == 0 {
			d = -d
		}
		to := c.w.clock.Now().Add(d)
		if to.Before(boot) { // no run is due before the boundary
			to = boot
		}
		c.w.clock.Set(to)
		c.note("wall clock set by %v to %v", d, c.w.clock.Now())
	case k < 9:
		c.note("reopen")
		if err := c.w.do(&oracle.Call{Verb: oracle.Reopen}); err != nil {
			return failedWith(err, "reopen")
		}
		return Verdict{}
	default:
		c.note("power cut")
		img := c.fs.Image(c.fs.Ops(), crashfs.None, 0)
		shielded(c.w.close)
		c.fs = crashfs.From(img)
		c.w.fs = c.fs
		if err := shielded(c.w.open); err != nil {
			return failedWith(err, "open after a cut")
		}
		return Verdict{}
	}
	// After a step of the wall clock the query must run within three periods of
	// true time, and not more often than its limit: one by which the next run is not
	// two periods later when that is looked at is waited for.
	for range 3 {
		c.w.clock.Advance(time.Duration(oracle.Period))
		if err := c.w.settle(); err != nil {
			return failedWith(err, "settle")
		}
	}
	switch n := c.w.runs.Load() - before; {
	case n == 0:
		return verdict(Refusal, "the query has not run for three periods after the clock was set")
	case n > catchUpLimit+5:
		return verdict(Wrong, "the query ran %d times after the clock was set", n)
	}
	return Verdict{}
}

// look compares the points, and every row that the query has written.
func (c *clockWorld) look() Verdict {
	got, err := dumpRange(c.w.db)
	if err != nil {
		return failedWith(err, "read")
	}
	n, x := got[oracle.Rolled+".n"], got[oracle.Rolled+".x"]
	delete(got, oracle.Rolled+".n")
	delete(got, oracle.Rolled+".x")
	if diff := oracle.Diff(c.data.Dump(), got); diff != "" {
		return verdict(Lost, "%s", diff)
	}
	if len(n) != len(x) {
		return verdict(Wrong, "the query has %d counts and %d sums", len(n), len(x))
	}
	for at := range n {
		count, sum := c.data.Window(at, at+oracle.Period)
		if n[at] != oracle.IntCell(count) || x[at] != oracle.IntCell(sum) {
			return verdict(Wrong, "window at %d: count %v, sum %v; want %d, %d", at, n[at], x[at], count, sum)
		}
	}
	if d := c.w.db.Recovery().Damage; len(d) > 0 {
		return verdict(Alarm, "%v", d)
	}
	return Verdict{}
}
