package tickwell

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/internal/cqoracle"
	"github.com/tickwell/tickwell/internal/crashfs"
)

// cqWorld is a store with a hierarchy of incremental queries and what an oracle
// says must be in it.
type cqWorld struct {
	t      *testing.T
	db     *DB
	opts   *Options
	disk   *crashfs.FS
	clock  *clock.Fake
	rng    *rand.Rand
	raw    cqoracle.Series
	newest int64
	late   int64 // lateness in ns, -1: on change
	ttl    int64 // of the rows; 0: none
	paused bool
	ops    worldOps

	warned worldLog

	mu   sync.Mutex
	dead bool
	ids  map[string]string        // payload of each event
	sent map[int64]map[int]string // by window and revision
}

// take is the sink of the lowest level. An event may come again after a crash,
// but with the same content.
func (w *cqWorld) take(_ context.Context, es []Event) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead {
		return errProcessGone
	}
	for i := range es {
		e := &es[i]
		at := e.Time.UnixNano()
		content := fmt.Sprintf("%d r%d n=%s sum=%s max=%s %s", at, e.Revision, e.Get("n"), e.Get("sum"), e.Get("max"), e.Notes["retracted"])
		if was, ok := w.ids[e.ID]; ok && was != content {
			w.t.Errorf("event %s is %s and %s", e.ID, was, content)
		}
		w.ids[e.ID] = content
		if w.sent[at] == nil {
			w.sent[at] = make(map[int]string)
		}
		w.sent[at][e.Revision] = content
	}
	return nil
}

const cqSpan = 3 * 24 * 3600 // seconds

func cqWorldSpecs(late int64) []CQSpec {
	level := func(name, from string, of [3]expr.Expr, length time.Duration) CQSpec {
		for i, name := range []string{"n", "sum", "max"} {
			of[i] = of[i].As(name)
		}
		return CQSpec{Name: name, OnChange: late < 0 || name != "l1", Lateness: time.Duration(max(late, 0)), Query: Query{
			Select: of[:], From: []string{from}, GroupBy: GroupByTime{Interval: length}, Into: []Target{{Device: "root." + name, Columns: []string{"n", "sum", "max"}}},
		}}
	}
	col := expr.Col
	up := [3]expr.Expr{expr.Sum(col("n")), expr.Sum(col("sum")), expr.Max(col("max"))}
	return []CQSpec{
		level("l1", "root.in.d", [3]expr.Expr{expr.Count(col("s")), expr.Sum(col("s")), expr.Max(col("s"))}, time.Minute),
		level("l2", "root.l1", up, time.Hour),
		level("l3", "root.l2", up, 24*time.Hour),
	}
}

func (w *cqWorld) specs() []CQSpec {
	specs := cqWorldSpecs(w.late)
	if w.ids != nil {
		specs[0].Sinks = []string{"events"}
	}
	return specs
}

func (w *cqWorld) open() {
	w.opts.FS = w.disk
	w.db = openOnly(w.t, "data", w.opts)
}

// allowed moves a time out of the windows of which rows have expired or are
// about to, which keep their results; the oracle knows nothing of that.
func (w *cqWorld) allowed(at int64) int64 {
	if w.ttl == 0 || w.newest == math.MinInt64 {
		return at
	}
	return max(at, (w.newest-w.ttl)/60e9*60e9+120e9)
}

func (w *cqWorld) step() {
	ctx := context.Background()
	at := int64(w.rng.Int64N(cqSpan)) * 1e9
	op := w.rng.IntN(100)
	switch {
	case op < 60: // near the end, late, or anywhere
		if w.rng.IntN(3) > 0 && w.newest > math.MinInt64 {
			at = w.newest + w.rng.Int64N(120e9) - 30e9
		}
		at = w.allowed(at)
		v := math.Round(w.rng.NormFloat64()*1e4) / 1e3
		w.ops.add(fmt.Sprintf("put %d %v", at, v))
		must(w.t, w.db.Insert(ctx, "root.in.d", ns(at), Float64("s", v)))
		w.raw.Put(at, v)
		w.newest = max(w.newest, at)
	case op < 75: // a tablet of rows in any order
		at = w.allowed(at)
		tab := &Tablet{Device: "root.in.d"}
		for range 1 + w.rng.IntN(20) {
			x := at + w.rng.Int64N(600e9)
			v := w.rng.NormFloat64()
			must(w.t, tab.Append(ns(x), Float64("s", v)))
			w.raw.Put(x, v)
			w.newest = max(w.newest, x)
		}
		w.ops.add(fmt.Sprintf("tablet %v", tab.Times))
		must(w.t, w.db.InsertTablet(ctx, tab))
	case op < 82:
		to := at + w.rng.Int64N(2*3600e9)
		if w.rng.IntN(20) == 0 {
			at, to = 0, cqSpan*1e9
		}
		if at = w.allowed(at); to < at {
			return
		}
		w.ops.add(fmt.Sprintf("delete %d %d", at, to))
		must(w.t, w.db.Delete(ctx, "root.in.**", ns(at), ns(to)))
		w.raw.Delete(at, to)
	case op < 86:
		w.ops.add("reopen")
		must(w.t, w.db.Close())
		w.open()
	case op < 87: // the process dies: what it wrote is there, nothing else
		w.ops.add("crash")
		w.setDead(true)
		image := w.disk.Image(w.disk.Ops(), crashfs.All, w.rng.Uint64())
		must(w.t, w.db.Close())
		w.disk = crashfs.From(image)
		w.setDead(false)
		w.open()
	case op < 89:
		w.clock.Set(w.clock.Now().Add(time.Duration(w.rng.Int64N(7200e9) - 3600e9)))
	case op < 94:
		w.clock.Advance(time.Duration(w.rng.Int64N(2e9)))
	case op < 95: // nothing is older than a second of the clock
		for range 10 {
			w.clock.Advance(100 * time.Millisecond)
			must(w.t, w.db.cqs.sched.WaitIdle(ctx))
		}
		w.ops.add("a second passes")
		w.compare("a second after the last change")
	case op < 96 && w.ttl > 0 && w.rng.IntN(2) == 0:
		w.intoSealed()
	case op < 96:
		w.paused = !w.paused
		w.ops.add(fmt.Sprint("pause ", w.paused))
		if w.paused {
			must(w.t, w.db.PauseContinuousQuery(ctx, "l2"))
		} else {
			must(w.t, w.db.ResumeContinuousQuery(ctx, "l2"))
		}
	case op < 97:
		must(w.t, w.db.Flush(ctx))
	case op < 98:
		spec := w.specs()[w.rng.IntN(3)]
		spec.Text = fmt.Sprint("text ", w.rng.IntN(100))
		w.ops.add("alter " + spec.Name)
		must(w.t, w.db.AlterContinuousQuery(ctx, spec))
	default:
		w.ops.add("refresh")
		must(w.t, w.db.RefreshContinuousQuery(ctx, "l1", ns(w.allowed(at)), ns(w.allowed(at)+3600e9)))
	}
}

// intoSealed stores a row in a window of which other rows have just expired: its
// result stays as it was.
func (w *cqWorld) intoSealed() {
	if w.paused || w.newest == math.MinInt64 {
		return
	}
	ctx := context.Background()
	must(w.t, w.db.Quiesce(ctx))
	// The clock is not believed at once after each opening, so that this is not
	// always newest - ttl.
	horizon, ok := w.db.eng.Horizon("root.in.d", "s")
	if !ok || horizon < 0 {
		return
	}
	at := horizon + w.rng.Int64N(60e9-horizon%60e9)
	if horizon%60e9 == 0 {
		return
	}
	w.ops.add(fmt.Sprintf("put %d into a sealed window", at))
	must(w.t, w.db.Insert(ctx, "root.in.d", ns(at), Float64("s", 1e6)))
}

// check compares every level, after everything has been computed.
func (w *cqWorld) check() {
	w.t.Helper()
	if w.paused {
		return
	}
	must(w.t, w.db.Quiesce(context.Background()))
	w.compare("quiet")
	w.checkEvents()
}

// checkEvents wants the revisions of each window without a hole, and the last of
// them to be what is stored.
func (w *cqWorld) checkEvents() {
	w.t.Helper()
	if w.ids == nil {
		return
	}
	stored := make(map[int64]bool)
	for _, p := range dump(w.t, w.db, "root.l1.sum") {
		var at int64
		fmt.Sscanf(p, "root.l1.sum@%d=", &at)
		stored[at] = true
		if last, _ := lastRevision(w.sent[at], len(w.sent)); !strings.Contains(last, " sum="+p[strings.IndexByte(p, '=')+1:]+" ") {
			w.t.Fatalf("%s is stored, sent were %v", p, w.sent[at])
		}
	}
	for at, revisions := range w.sent {
		last, ok := lastRevision(revisions, len(w.sent))
		if !ok {
			w.t.Fatalf("revisions of %d: %v", at, revisions)
		}
		if !stored[at] && !strings.HasSuffix(last, "true") && len(w.sent) < keptEmissions {
			w.t.Fatalf("%d is not stored, sent were %v, after %s", at, revisions, w.ops.last("; "))
		}
	}
}

var errProcessGone = errors.New("the process is gone")

// setDead ends the life of a process: what it still wants to send does not leave.
func (w *cqWorld) setDead(dead bool) {
	w.mu.Lock()
	w.dead = dead
	w.mu.Unlock()
}

// lastRevision returns what was sent last about a window, and whether no revision
// before is missing. Where more windows were sent than are kept, an old one may
// have got a higher revision than the next, or go without being taken back.
func lastRevision(revisions map[int]string, windows int) (last string, whole bool) {
	highest := -1
	for r := range revisions {
		highest = max(highest, r)
	}
	return revisions[highest], highest == len(revisions)-1 || windows > keptEmissions/2
}

// worldOps are the last operations on a world, for the report of a failure, and
// how many there were.
type worldOps struct {
	n     int
	lines []string
}

func (o *worldOps) add(line string) {
	o.n++
	if o.lines = append(o.lines, line); len(o.lines) > 100 {
		o.lines = slices.Delete(o.lines, 0, len(o.lines)-25)
	}
}

func (o *worldOps) last(sep string) string {
	return strings.Join(o.lines[max(0, len(o.lines)-25):], sep)
}

// worldSeed is TICKWELL_CQ_SEED: worlds other than those that always run.
func worldSeed() uint64 {
	n, _ := strconv.ParseUint(os.Getenv("TICKWELL_CQ_SEED"), 10, 32)
	return n
}

// worldLog keeps the warnings of a store for the report of a failure.
type worldLog struct {
	mu    sync.Mutex
	lines []string
}

func (l *worldLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines[max(0, len(l.lines)-30):], string(b))
	return len(b), nil
}

func (l *worldLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "")
}

func (l *worldLog) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// compare compares every level with the oracle, as the store is now.
func (w *cqWorld) compare(when string) {
	w.t.Helper()
	if w.paused {
		return
	}
	until := int64(math.MaxInt64)
	if w.late >= 0 {
		if w.newest == math.MinInt64 {
			return
		}
		until = w.newest - w.late
	}
	lengths := []int64{60e9, 3600e9, 24 * 3600e9}
	for c, name := range []string{"n", "sum", "max"} {
		below := &w.raw
		for l, length := range lengths {
			fold := []cqoracle.Fold{cqoracle.Count, cqoracle.Sum, cqoracle.Max}[c]
			if l > 0 {
				until = math.MaxInt64
				if c == 0 {
					fold = cqoracle.Sum
				}
			}
			below = below.Windows(length, until, fold)
			until = int64(math.MaxInt64)
			path := fmt.Sprintf("root.l%d.%s", l+1, name)
			var want []string
			for _, p := range below.Points() {
				v := Float64Value(p.Value)
				if c == 0 && l == 0 {
					v = Int64Value(int64(p.Value))
				}
				want = append(want, fmt.Sprintf("%s@%d=%s", path, p.At, v))
			}
			if got := dump(w.t, w.db, path); !slices.Equal(got, want) {
				w.t.Fatalf("%s: %s holds\n %s\nwant\n %s\nafter %d operations, the last of them\n %s\nwarned of\n%s", when, path, cqDiff(got, want), cqDiff(want, got),
					w.ops.n, w.ops.last("\n "), &w.warned)
			}
		}
		if w.late >= 0 {
			until = w.newest - w.late
		}
	}
}

// cqDiff are the lines of a that b has not.
func cqDiff(a, b []string) string {
	var out []string
	for _, s := range a {
		if !slices.Contains(b, s) {
			out = append(out, s)
		}
	}
	return strings.Join(out, "\n ")
}

// Random operations on a hierarchy of three levels: after quiescing every
// stored result is, bit by bit, what the oracle says about the points, and a
// second of the clock is enough for it. TICKWELL_CQ_OPERATIONS sets how many; at
// night there are a million, in many worlds; TICKWELL_CQ_SEED makes them others.
func TestIncrementalAgainstOracle(t *testing.T) {
	steps, every, rounds := 9_000, 7, 1
	switch n, err := strconv.Atoi(os.Getenv("TICKWELL_CQ_OPERATIONS")); {
	case err == nil:
		steps, every = n, 25
	case os.Getenv("TICKWELL_NIGHTLY") != "":
		steps, every, rounds = 24_000, 100, 42 // worlds that grow for ever make each check longer
	case testing.Short():
		steps = 2_400
	}
	worlds := []struct{ late, ttl int64 }{{-1, 0}, {0, 0}, {90e9, 0}, {-1, 12 * 3600e9}, {0, 12 * 3600e9}, {90e9, 1800e9}}
	for i := range rounds * len(worlds) {
		c := worlds[i%len(worlds)]
		t.Run(fmt.Sprintf("late=%d/ttl=%d/%d", c.late, c.ttl, i/len(worlds)), func(t *testing.T) {
			w := &cqWorld{t: t, disk: crashfs.New(), clock: newFake(), rng: rand.New(rand.NewPCG(uint64(i), 1+worldSeed())), late: c.late, ttl: c.ttl, newest: math.MinInt64,
				ids: make(map[string]string), sent: make(map[int64]map[int]string)}
			w.opts = &Options{Clock: w.clock, Profile: killProfile(), Logger: w.warned.logger(), Sinks: []SinkSpec{{Name: "events", Sink: SinkFunc(w.take)}}}
			w.open()
			defer func() { w.db.Close() }()
			if c.ttl > 0 {
				must(t, w.db.SetTTL(context.Background(), "root.in", time.Duration(c.ttl)))
			}
			for _, s := range w.specs() {
				must(t, w.db.CreateContinuousQuery(context.Background(), s))
			}
			for i := range steps / len(worlds) {
				w.step()
				if i%every == 0 {
					w.check()
				}
			}
			w.check()
		})
	}
}
