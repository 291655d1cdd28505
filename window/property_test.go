package window

import (
	"context"
	"fmt"
	"math/rand"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func dur(n int) time.Duration { return time.Duration(n) }

// collector is what all push faces have in common.
type collector interface {
	Collect(ts int64, v float64) (Outcome, error)
	Advance(watermark int64) error
	Flush(ctx context.Context) error
	Close() error
	AppendState(dst []byte) ([]byte, error)
	LoadState(src []byte) error
}

func values(rows []op) (v []float64) {
	for _, r := range rows {
		v = append(v, r.v)
	}
	return v
}

func entryLine(start, end int64, rev int, final bool, content string) string {
	return fmt.Sprintf("%d..%d rev %d final %t %s", start, end, rev, final, content)
}

// face makes a collector whose windows give sees, and says how it shows contents.
type face struct {
	name string
	make func(s *scenario, o *Options[float64], give func(string)) (collector, error)
	show func(s *scenario, rows []op) string
}

// listAcc keeps all values: an accumulator with pointers, and not commutative.
type listAcc struct{ v []float64 }
type listReducer struct{}

func (listReducer) Init(a *listAcc)                    { a.v = a.v[:0] }
func (listReducer) Add(a *listAcc, _ int64, v float64) { a.v = append(a.v, v) }
func (listReducer) Merge(dst, newer *listAcc)          { dst.v = append(dst.v, newer.v...) }
func (listReducer) Result(a *listAcc) []float64        { return slices.Clone(a.v) }
func (listReducer) AppendState(dst []byte, accs []listAcc) []byte {
	for _, a := range accs {
		dst = putInts(dst, int64(len(a.v)))
		dst = appendFloats(dst, a.v)
	}
	return dst
}
func (listReducer) LoadState(src []byte, accs []listAcc) ([]byte, error) {
	r := &reader{src: src}
	for i := range accs {
		accs[i].v = make([]float64, r.count(8))
		if r.err != nil {
			return nil, r.err
		}
		r.src, r.err = loadFloats(r.src, accs[i].v)
	}
	return r.src, r.err
}

// polyAcc is a polynomial hash: flat, associative, not commutative.
type polyAcc struct{ Hash, Pow uint64 }
type polyReducer struct{}

func (polyReducer) Init(a *polyAcc) { *a = polyAcc{0, 1} }
func (polyReducer) Add(a *polyAcc, _ int64, v float64) {
	a.Hash, a.Pow = a.Hash*31+uint64(v)+1, a.Pow*31
}
func (polyReducer) Merge(dst, newer *polyAcc) {
	dst.Hash, dst.Pow = dst.Hash*newer.Pow+newer.Hash, dst.Pow*newer.Pow
}
func (polyReducer) Result(a *polyAcc) uint64 { return a.Hash }
func (polyReducer) AppendState(dst []byte, accs []polyAcc) []byte {
	for _, a := range accs {
		dst = putInts(dst, int64(a.Hash), int64(a.Pow))
	}
	return dst
}
func (polyReducer) LoadState(src []byte, accs []polyAcc) ([]byte, error) {
	r := &reader{src: src}
	for i := range accs {
		accs[i] = polyAcc{uint64(r.int()), uint64(r.int())}
	}
	return r.src, r.err
}

// wholeReducer counts and adds whole numbers, so it can remove.
type wholeReducer struct{ Tally[float64] }

func (wholeReducer) Add(a *int64, _ int64, v float64) { *a += int64(v)*1000 + 1 }
func (wholeReducer) AddRun(a *int64, _ []int64, vals []float64) {
	for _, v := range vals {
		*a += int64(v)*1000 + 1
	}
}

func reduceFace[A, R any](name string, red Reducer[float64, A, R], show func(s *scenario, rows []op) string, text func(s *scenario, r R) string) face {
	return face{name, func(s *scenario, o *Options[float64], give func(string)) (collector, error) {
		return Reduce(s.spec(), red, func(r Result[R]) error {
			give(entryLine(r.Start, r.End, r.Revision, r.Final, fmt.Sprint(r.Count, " ", text(s, r.Value))))
			return nil
		}, o)
	}, func(s *scenario, rows []op) string { return fmt.Sprint(len(rows), " ", show(s, rows)) }}
}

// arrivals says whether rows of a pane are folded as they came, not by time.
func (s *scenario) arrivals() bool { return s.kind == Time && !s.strict }

var faces = []face{
	{"rows", func(s *scenario, o *Options[float64], give func(string)) (collector, error) {
		return New(s.spec(), func(w Window[float64]) error {
			give(entryLine(w.Start(), w.End(), w.Revision(), w.Final(), fmt.Sprint(w.Values())))
			return nil
		}, o)
	}, func(s *scenario, rows []op) string { return fmt.Sprint(values(rows)) }},
	reduceFace("list", Reducer[float64, listAcc, []float64](listReducer{}), func(s *scenario, rows []op) string {
		v := values(rows)
		if s.arrivals() {
			slices.Sort(v)
		}
		return fmt.Sprint(v)
	}, func(s *scenario, v []float64) string {
		if s.arrivals() {
			slices.Sort(v)
		}
		return fmt.Sprint(v)
	}),
	reduceFace("poly", Reducer[float64, polyAcc, uint64](polyReducer{}), func(s *scenario, rows []op) string {
		h := uint64(0)
		for _, r := range rows {
			h = h*31 + uint64(r.v) + 1
		}
		if s.arrivals() {
			return ""
		}
		return fmt.Sprint(h)
	}, func(s *scenario, h uint64) string {
		if s.arrivals() {
			return ""
		}
		return fmt.Sprint(h)
	}),
	reduceFace("whole", Reducer[float64, int64, int64](wholeReducer{}), func(s *scenario, rows []op) string {
		n := 0
		for _, r := range rows {
			n += int(r.v)*1000 + 1
		}
		return fmt.Sprint(n)
	}, func(s *scenario, n int64) string { return fmt.Sprint(n) }),
}

func (f face) want(s *scenario) (out []string) {
	for _, l := range s.oracle() {
		out = append(out, entryLine(l.start, l.end, l.rev, l.final, f.show(s, l.rows)))
	}
	return out
}

// got runs a scenario, saving and loading before the ops whose numbers are in
// restarts.
func (f face) got(s *scenario, o *Options[float64], restarts ...int) (out []string, err error) {
	give := func(l string) { out = append(out, l) }
	c, err := f.make(s, o, give)
	if err != nil {
		return nil, err
	}
	for i, op := range s.ops {
		if slices.Contains(restarts, i) {
			state, err := c.AppendState(nil)
			if err != nil {
				return nil, err
			}
			c.Close()
			if c, err = f.make(s, o, give); err != nil {
				return nil, err
			}
			if err := c.LoadState(state); err != nil {
				return nil, err
			}
		}
		if op.advance {
			err = c.Advance(op.ts)
		} else {
			_, err = c.Collect(op.ts, op.v)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := c.Flush(context.Background()); err != nil {
		return nil, err
	}
	return out, c.Close()
}

// differ compares as multisets of lines and tells the lines in one only.
func differ(got, want []string) string {
	count := map[string]int{}
	for _, l := range got {
		count[l]++
	}
	for _, l := range want {
		count[l]--
	}
	var b strings.Builder
	for _, l := range append(slices.Clone(got), want...) {
		switch n := count[l]; {
		case n > 0:
			fmt.Fprintf(&b, "\n got %d too many: %s", n, l)
		case n < 0:
			fmt.Fprintf(&b, "\n missing %d:      %s", -n, l)
		}
		delete(count, l)
	}
	return b.String()
}

func checkScenario(t *testing.T, s *scenario, r *rand.Rand, pool *Pool) {
	t.Helper()
	for _, f := range faces {
		want := f.want(s)
		for _, mode := range []string{"plain", "restart", "pool", "shared"} {
			o := s.options()
			var restarts []int
			switch mode {
			case "restart":
				restarts = []int{r.Intn(len(s.ops) + 1), r.Intn(len(s.ops) + 1)}
			case "pool":
				o.Pool, o.Rejection = pool, []Rejection{RejectWait, RunInline}[r.Intn(2)]
				restarts = []int{r.Intn(len(s.ops) + 1)}
			case "shared":
				o.Shared = true
			}
			got, err := f.got(s, o, restarts...)
			if err != nil {
				t.Fatalf("%s %s %s: %v", f.name, mode, s, err)
			}
			if d := differ(got, want); d != "" {
				t.Fatalf("%s %s, restarts %v: %s%s", f.name, mode, restarts, s, d)
			}
		}
	}
}

// TestOracle draws scenarios; TICKWELL_WINDOW_SCENARIOS sets how many.
func TestOracle(t *testing.T) {
	n := 1000
	if testing.Short() {
		n = 300
	}
	if e := os.Getenv("TICKWELL_WINDOW_SCENARIOS"); e != "" {
		fmt.Sscan(e, &n)
	}
	pool := NewPool(PoolOptions{Workers: 2, MaxPending: 3})
	defer pool.Close()
	for seed := range n {
		r := rand.New(rand.NewSource(int64(seed)))
		checkScenario(t, randomScenario(r), r, pool)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}
