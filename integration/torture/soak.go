package torture

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/tickwell/tickwell/integration/oracle"
	"github.com/tickwell/tickwell/vfs"
)

// Soak writes to a store on the real file system as fast as it can, with
// triggers, a query and a sink that fails now and then, and checks that memory,
// goroutines and open files do not grow, and that the contents stay right.
func Soak(o Options) *Report {
	r := newReport("soak", o.Seed)
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
	if o.Limit == 0 {
		o.Limit = 10 * time.Second
	}
	s := &soak{o: &o, r: r, gen: newGenerator(o.Seed), state: oracle.Start(wallStart.UnixNano())}
	s.gen.files = false
	s.w = newWorld(vfs.OS(), filepath.Join(dir, "store"), Setup{Policy: Interval, Small: true, Sinks: true})
	s.w.never.all, s.w.never.forget, s.w.some.forget = true, true, true
	r.Runs = 1
	v := s.play()
	if err := shielded(s.w.close); err != nil && v.Class == Fine {
		v = failedWith(err, "close")
	}
	if v.Class != Fine {
		r.fail(Failure{Verdict: v, Seed: o.Seed, Where: fmt.Sprintf("call %d", r.Acked), Setup: s.w.setup, Repeat: fmt.Sprintf("soak -seed %d -limit %v", o.Seed, o.Limit)})
	}
	return r.done()
}

type soak struct {
	o     *Options
	r     *Report
	w     *World
	gen   *generator
	state *oracle.State

	heap       []float64 // MiB, at each sample
	goroutines int       // at the first sample
	files      int       // open ones, at the first sample
}

// sampleEvery is how many calls lie between two looks.
const sampleEvery = 1000

func (s *soak) play() Verdict {
	if err := shielded(s.w.open); err != nil {
		return failedWith(err, "open")
	}
	for time.Since(s.r.begun) < s.o.Limit {
		c := s.gen.call()
		if s.r.Acked%sampleEvery == sampleEvery/2 {
			c = oracle.Call{Verb: oracle.Reopen}
		}
		s.gen.now = wallStart.UnixNano() // always the same times, or the oracle itself would grow
		_, want := c.Steps(s.state)
		if err := s.w.do(&c); (err == nil) != want {
			return failedWith(fmt.Errorf("%w", err), "%v", &c)
		}
		if want {
			s.state = c.Final(s.state).Trimmed(10 * oracle.Period)
		}
		if s.r.Acked++; s.r.Acked%sampleEvery == 0 {
			if v := s.sample(); v.Class != Fine {
				return v
			}
		}
	}
	return s.grown()
}

// sample compares the contents and counts what may leak.
func (s *soak) sample() Verdict {
	got, err := dumpRange(s.w.db)
	if err != nil {
		return failedWith(err, "read")
	}
	s.r.States++
	for _, col := range []string{".n", ".x"} { // the oracle forgets old rows of the query
		for at := range got[oracle.Rolled+col] {
			if at < s.state.Now()-10*oracle.Period {
				delete(got[oracle.Rolled+col], at)
			}
		}
	}
	if diff := oracle.Diff(s.state.Dump(), got); diff != "" {
		return verdict(Wrong, "%s", diff)
	}
	clear(got)
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s.heap = append(s.heap, float64(m.HeapAlloc)/(1<<20))
	st := s.w.db.Stats()
	s.r.Counts["heap_kib"], s.r.Counts["block_files"] = int64(m.HeapAlloc>>10), int64(st.Files)
	if len(s.heap) == 1 {
		s.goroutines, s.files = runtime.NumGoroutine(), openFiles()-st.Files
	}
	if n := runtime.NumGoroutine(); n > s.goroutines+8 {
		return verdict(Wrong, "%d goroutines, %d at first", n, s.goroutines)
	}
	if n := openFiles() - st.Files; n > s.files+8 {
		return verdict(Wrong, "%d open files beside %d block files, %d at first", n, st.Files, s.files)
	}
	return Verdict{}
}

// grown compares the heap of the last third with that of the second.
func (s *soak) grown() Verdict {
	third := len(s.heap) / 3
	if third == 0 {
		return Verdict{}
	}
	mean := func(p []float64) (sum float64) {
		for _, v := range p {
			sum += v / float64(len(p))
		}
		return sum
	}
	a, b := mean(s.heap[third:2*third]), mean(s.heap[2*third:])
	if b > a*1.5+4 {
		return verdict(Wrong, "the heap grew from %.1f to %.1f MiB", a, b)
	}
	return Verdict{}
}

// openFiles counts the files this process has open, 0 where that is not known.
func openFiles() int {
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(names)
}
