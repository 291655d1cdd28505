package torture

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/tickwell/tickwell/integration/oracle"
	"github.com/tickwell/tickwell/vfs"
)

// The calls of a child are a function of the seed and the round, so its parent
// knows them without being told.
const childCalls = 400

func roundCalls(seed uint64, round int) []oracle.Call {
	g := newGenerator(seed*1_000_003 + uint64(round))
	g.now = wallStart.UnixNano()
	return g.calls(childCalls)
}

// Child does what a child process of mode kill does, and reports whether this
// process is one: it opens the store in the folder given, makes calls, and
// prints a line for each that is acknowledged.
func Child(args []string) bool {
	if len(args) != 6 || args[1] != "-child" {
		return false
	}
	seed, err1 := strconv.ParseUint(args[3], 10, 64)
	round, err2 := strconv.Atoi(args[4])
	now, err3 := strconv.ParseInt(args[5], 10, 64)
	if err1 != nil || err2 != nil || err3 != nil {
		return false
	}
	w := newWorld(vfs.OS(), args[2], killSetup(seed, round))
	w.clock.Set(timeOf(now))
	say := func(format string, a ...any) { fmt.Fprintf(os.Stdout, format+"\n", a...) }
	if err := w.open(); err != nil {
		say("error open: %v", err)
		return true
	}
	say("open")
	calls := roundCalls(seed, round)
	for i := range calls {
		_, want := calls[i].Steps(oracle.Start(0))
		if err := w.do(&calls[i]); (err == nil) != want {
			say("error call %d, %v: %v", i+1, &calls[i], err)
			return true
		}
		say("%d", i+1)
	}
	return true
}

func killSetup(seed uint64, round int) Setup {
	rng := rand.New(rand.NewPCG(seed, uint64(round)))
	s := Setup{Recycle: seed%2 == 0, Small: round%3 == 2, Sinks: seed%3 == 0}
	if round%2 == 1 {
		s.Policy = []Policy{Interval, Never}[rng.IntN(2)]
	}
	return s
}

// Kill starts child processes that write to a store on the real file system,
// kills them with SIGKILL at random moments, and compares: a killed process
// loses nothing that was acknowledged, whatever the policy.
func Kill(o Options) *Report {
	r := newReport("kill", o.Seed)
	dir := o.Dir
	if dir == "" {
		tmp, err := os.MkdirTemp("", "torture")
		if err != nil {
			r.fail(Failure{Verdict: failedWith(err, "temporary folder")})
			return r.done()
		}
		defer os.RemoveAll(tmp)
		dir = tmp
	}
	for i := uint64(0); !o.over(r); i++ {
		killChain(&o, r, filepath.Join(dir, fmt.Sprint("store", o.Seed+i)), o.Seed+i)
	}
	return r.done()
}

// killRounds is how often one store is killed before a new one begins.
const killRounds = 12

func killChain(o *Options, r *Report, dir string, seed uint64) {
	defer os.RemoveAll(dir)
	rng := rand.New(rand.NewPCG(seed, 5))
	state := oracle.Start(wallStart.UnixNano())
	r.Runs++
	for round := 0; round < killRounds && !o.over(r); round++ {
		after, wait := killAfter(rng)
		acked, opened, complaint, err := killOnce(dir, seed, round, state.Now(), after, wait)
		where := fmt.Sprintf("round %d, %d calls acknowledged", round, acked)
		fail := func(v Verdict) {
			r.fail(Failure{Verdict: v, Seed: seed, Where: where, Setup: killSetup(seed, round), Repeat: fmt.Sprintf("kill -seed %d -states %d", seed, killRounds)})
		}
		if err != nil {
			fail(failedWith(err, "child"))
			return
		}
		if complaint != "" {
			fail(verdict(Refusal, "child: %s", complaint))
			return
		}
		r.Acked += int64(acked)
		last := round == killRounds-1 || r.States+1 == o.States
		next, v := killCheck(dir, seed, round, state, acked, opened, last)
		r.States++
		if v.Class != Fine {
			fail(v)
			return
		}
		state = next
	}
}

// killAfter draws when a child dies: after so many calls, or after so long.
func killAfter(rng *rand.Rand) (calls int, wait time.Duration) {
	if rng.IntN(2) == 0 {
		return 1 + rng.IntN(childCalls/2), 0
	}
	return 0, time.Duration(rng.IntN(60_000)) * time.Microsecond
}

func killOnce(dir string, seed uint64, round int, now int64, calls int, wait time.Duration) (acked int, opened bool, complaint string, err error) {
	exe, err := os.Executable()
	if err != nil {
		return 0, false, "", err
	}
	cmd := exec.Command(exe, "-child", dir, fmt.Sprint(seed), fmt.Sprint(round), fmt.Sprint(now))
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, false, "", err
	}
	if err := cmd.Start(); err != nil {
		return 0, false, "", err
	}
	if wait > 0 {
		timer := time.AfterFunc(wait, func() { cmd.Process.Kill() })
		defer timer.Stop()
	}
	// All lines are read, those too that were printed between the decision to
	// kill and the death.
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		switch text := lines.Text(); {
		case text == "open":
			opened = true
		case strings.HasPrefix(text, "error"):
			complaint = text
		default:
			if n, err := strconv.Atoi(text); err == nil {
				acked = n
			}
		}
		if calls > 0 && acked >= calls {
			cmd.Process.Kill()
		}
	}
	cmd.Wait() // its error is the signal
	return acked, opened, complaint, nil
}

// killCheck compares the store with what the child was told and what it said,
// and returns the state that the next child finds.
// When it is the last look it takes all events and reads through all paths.
func killCheck(dir string, seed uint64, round int, state *oracle.State, acked int, opened, last bool) (*oracle.State, Verdict) {
	h := oracle.NewHistory(state)
	due := state.Due()
	if !opened { // it may have been anywhere in Open
		h.Begun(due)
	} else {
		h.Returned(due, oracle.KillSafe, 1)
		calls := roundCalls(seed, round)
		for i := range calls[:min(acked+1, len(calls))] {
			steps, _ := calls[i].Steps(h.Now())
			if i < acked {
				h.Returned(steps, oracle.KillSafe, 2+i)
			} else {
				h.Begun(steps)
			}
		}
	}
	setup := killSetup(seed, round)
	setup.Sinks = false // what its other sink has taken died with it
	k := &check{setup: setup, hist: h, keep: !last, deep: last}
	k.lo, k.hi = h.Bounds(2+acked, false)
	v := k.verify(vfs.OS(), dir)
	if v.Class != Fine {
		return nil, v
	}
	return h.State(v.Found), v
}
