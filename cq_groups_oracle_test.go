package tickwell

import (
	"context"
	"fmt"
	"maps"
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

// groupKind is one kind of windows whose bounds depend on rows: as a query, and
// as the oracle sees it.
type groupKind struct {
	name string
	by   GroupBy
	gap  int64 // of sessions; -1: others
	of   func(s *cqoracle.Series) []cqoracle.Window
}

const groupGap = 60e9

var groupKinds = []groupKind{
	{"session", GroupBySession{Gap: groupGap}, groupGap, func(s *cqoracle.Series) []cqoracle.Window { return s.Sessions(groupGap) }},
	{"variation", GroupByVariation{By: expr.Col("s"), Delta: 1.5}, -1, func(s *cqoracle.Series) []cqoracle.Window { return s.Variations(1.5) }},
	{"condition", GroupByCondition{By: expr.Col("s").Ge(2.0), KeepOp: expr.OpGe, KeepN: 2}, -1,
		func(s *cqoracle.Series) []cqoracle.Window {
			return s.Conditions(func(v float64) bool { return v >= 2 }, 2)
		}},
	{"count", GroupByCount{By: expr.Col("s"), Size: 5}, -1, func(s *cqoracle.Series) []cqoracle.Window { return s.Counts(5) }},
}

// groupWorld is a store with queries of all those kinds over some devices, a
// query by hour over the sessions, and what an oracle says must be in it.
type groupWorld struct {
	t       *testing.T
	db      *DB
	opts    *Options
	disk    *crashfs.FS
	clock   *clock.Fake
	rng     *rand.Rand
	raw     map[string]*cqoracle.Series // by device
	newest  int64
	late    int64 // lateness in ns, -1: on change
	ttl     int64
	paused  bool
	changed bool // the definition of the sessions
	ops     worldOps

	warned worldLog

	mu   sync.Mutex
	dead bool
	ids  map[string]string         // payload of each event
	sent map[string]map[int]string // by query, device and window: by revision
}

func (w *groupWorld) take(_ context.Context, es []Event) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead {
		return errProcessGone
	}
	for i := range es {
		e := &es[i]
		content := fmt.Sprintf("%d r%d n=%s sum=%s max=%s %s", e.Time.UnixNano(), e.Revision, e.Get("n"), e.Get("sum"), e.Get("max"), e.Notes["retracted"])
		if was, ok := w.ids[e.ID]; ok && was != content {
			w.t.Errorf("event %s is %s and %s", e.ID, was, content)
		}
		w.ids[e.ID] = content
		key := fmt.Sprintf("root.%s.%s@%d", e.Source, e.Series[strings.LastIndexByte(e.Series, '.')+1:], e.Time.UnixNano())
		if w.sent[key] == nil {
			w.sent[key] = make(map[int]string)
		}
		w.sent[key][e.Revision] = content
	}
	return nil
}

func (w *groupWorld) gap() int64 {
	if w.changed {
		return groupGap / 2
	}
	return groupGap
}

func (w *groupWorld) kinds() []groupKind {
	all := slices.Clone(groupKinds)
	gap := w.gap()
	all[0].by, all[0].gap = GroupBySession{Gap: time.Duration(gap)}, gap
	all[0].of = func(s *cqoracle.Series) []cqoracle.Window { return s.Sessions(gap) }
	return all
}

func (w *groupWorld) specs() (specs []CQSpec) {
	s := expr.Col("s")
	for _, k := range w.kinds() {
		specs = append(specs, CQSpec{Name: k.name, OnChange: w.late < 0, Lateness: time.Duration(max(w.late, 0)), Sinks: []string{"events"}, Query: Query{
			Select: []expr.Expr{expr.Count(s).As("n"), expr.Sum(s).As("sum"), expr.Max(s).As("max")}, From: []string{"root.in.*"},
			AlignByDevice: true, GroupBy: k.by, Into: []Target{{Device: "root." + k.name + ".${2}", Columns: []string{"n", "sum", "max"}}}}})
	}
	return append(specs, CQSpec{Name: "hour", OnChange: true, Query: Query{
		Select: []expr.Expr{expr.Sum(expr.Col("n"))}, From: []string{"root.session.*"}, AlignByDevice: true,
		GroupBy: GroupByTime{Interval: time.Hour}, Into: []Target{{Device: "root.hour.${2}", Columns: []string{"n"}}}}})
}

func (w *groupWorld) open() {
	w.opts.FS = w.disk
	w.db = openOnly(w.t, "data", w.opts)
}

// allowed moves a time of a device out of the windows of which rows have expired
// or are about to.
func (w *groupWorld) allowed(device string, at int64) int64 {
	if w.ttl == 0 || w.newest == math.MinInt64 || at > w.newest {
		return at
	}
	least := at
	for _, k := range w.kinds() {
		n := 0
		first := w.newest + 1
		for _, x := range k.of(w.raw[device]) {
			if x.First < w.newest-w.ttl {
				continue
			}
			if n++; n == 2 {
				first = x.First + 1
				break
			}
		}
		least = max(least, first)
	}
	return least
}

func (w *groupWorld) put(device string, times ...int64) {
	tab := &Tablet{Device: "root.in." + device}
	level := float64(w.rng.IntN(4))
	for _, at := range times {
		v := level + w.rng.Float64()
		must(w.t, tab.Append(ns(at), Float64("s", v)))
		w.raw[device].Put(at, v)
		w.newest = max(w.newest, at)
	}
	w.ops.add(fmt.Sprintf("put %s %v %v", device, tab.Times, tab.Columns[0].Data))
	must(w.t, w.db.InsertTablet(context.Background(), tab))
}

func (w *groupWorld) step() {
	ctx := context.Background()
	device := []string{"d1", "d2", "d3"}[w.rng.IntN(3)]
	const span = 6 * 3600e9
	at := w.rng.Int64N(span)
	op := w.rng.IntN(100)
	switch {
	case op < 55: // near the end, late, or anywhere
		if w.rng.IntN(4) > 0 && w.newest > math.MinInt64 {
			at = w.newest + w.rng.Int64N(90e9) - 30e9
		}
		w.put(device, w.allowed(device, at))
	case op < 70: // a tablet of rows in any order
		if w.rng.IntN(4) > 0 && w.newest > math.MinInt64 {
			at = w.newest + w.rng.Int64N(90e9) - 60e9
		}
		at = w.allowed(device, at)
		var times []int64
		for range 1 + w.rng.IntN(20) {
			times = append(times, at+w.rng.Int64N(200e9))
		}
		w.put(device, times...)
	case op < 80:
		to := at + w.rng.Int64N(600e9)
		if w.rng.IntN(3) > 0 && w.newest > math.MinInt64 {
			at = w.newest - w.rng.Int64N(300e9)
			to = at + w.rng.Int64N(300e9)
		}
		if at = w.allowed(device, at); to <= at {
			return
		}
		w.ops.add(fmt.Sprintf("delete %s %d %d", device, at, to))
		must(w.t, w.db.Delete(ctx, "root.in."+device+".s", ns(at), ns(to)))
		w.raw[device].Delete(at, to)
	case op < 83:
		w.ops.add("reopen")
		must(w.t, w.db.Close())
		w.open()
	case op < 84: // the process dies: what it wrote is there, nothing else
		w.ops.add("crash")
		w.mu.Lock()
		w.dead = true
		w.mu.Unlock()
		image := w.disk.Image(w.disk.Ops(), crashfs.All, w.rng.Uint64())
		must(w.t, w.db.Close())
		w.disk = crashfs.From(image)
		w.mu.Lock()
		w.dead = false
		w.mu.Unlock()
		w.open()
	case op < 90:
		w.clock.Advance(time.Duration(w.rng.Int64N(2e9)))
	case op < 91: // nothing is older than a second of the clock
		for range 10 {
			w.clock.Advance(100 * time.Millisecond)
			must(w.t, w.db.cqs.sched.WaitIdle(ctx))
		}
		w.ops.add("a second passes")
		w.compare("a second after the last change")
	case op < 93:
		w.paused = !w.paused
		w.ops.add(fmt.Sprint("pause ", w.paused))
		for _, name := range []string{"session", "count"} {
			if w.paused {
				must(w.t, w.db.PauseContinuousQuery(ctx, name))
			} else {
				must(w.t, w.db.ResumeContinuousQuery(ctx, name))
			}
		}
	case op < 94:
		must(w.t, w.db.Flush(ctx))
	case op < 96:
		spec := w.specs()[w.rng.IntN(5)]
		spec.Text = fmt.Sprint("text ", w.rng.IntN(100))
		w.ops.add("alter " + spec.Name)
		must(w.t, w.db.AlterContinuousQuery(ctx, spec))
	case op < 97 && w.ttl == 0: // another gap
		w.changed = !w.changed
		w.ops.add("alter the gap")
		must(w.t, w.db.AlterContinuousQuery(ctx, w.specs()[0]))
	case op < 98 && w.ttl == 0:
		w.ops.add(fmt.Sprint("refresh ", at))
		must(w.t, w.db.RefreshContinuousQuery(ctx, groupKinds[w.rng.IntN(4)].name, ns(at), ns(at+600e9)))
	default:
		w.read()
	}
}

// want returns what has to be stored, by series; all: also of windows that are
// not over.
func (w *groupWorld) want(all bool) map[string][]string {
	out := make(map[string][]string)
	for device, raw := range w.raw {
		for _, k := range w.kinds() {
			windows := k.of(raw)
			if !all && w.late >= 0 {
				mark := int64(math.MinInt64)
				if w.newest > math.MinInt64 {
					mark = w.newest - w.late
				}
				windows = cqoracle.Over(windows, mark, k.gap)
			}
			for c, f := range []cqoracle.Fold{cqoracle.Count, cqoracle.Sum, cqoracle.Max} {
				path := fmt.Sprintf("root.%s.%s.%s", k.name, device, []string{"n", "sum", "max"}[c])
				for _, p := range cqoracle.FoldAll(windows, f).Points() {
					v := Float64Value(p.Value)
					if c == 0 {
						v = Int64Value(int64(p.Value))
					}
					out[path] = append(out[path], fmt.Sprintf("%s@%d=%s", path, p.At, v))
				}
				if k.name == "session" && c == 0 {
					path = "root.hour." + device + ".n"
					for _, p := range cqoracle.FoldAll(windows, f).Windows(3600e9, math.MaxInt64, cqoracle.Sum).Points() {
						out[path] = append(out[path], fmt.Sprintf("%s@%d=%s", path, p.At, Float64Value(p.Value)))
					}
				}
			}
		}
	}
	return out
}

func (w *groupWorld) idle(path string) bool {
	return w.paused && (strings.HasPrefix(path, "root.session") || strings.HasPrefix(path, "root.count") || strings.HasPrefix(path, "root.hour"))
}

// compare compares what is stored with the oracle.
func (w *groupWorld) compare(when string) {
	w.t.Helper()
	want := w.want(false)
	for _, path := range w.paths() {
		if w.idle(path) {
			continue
		}
		if got := dump(w.t, w.db, path); !slices.Equal(got, want[path]) {
			w.t.Fatalf("%s: %s holds\n %s\nwant\n %s\nafter %d operations, the last of them\n %s\nwarned of\n%s", when, path, cqDiff(got, want[path]), cqDiff(want[path], got),
				w.ops.n, w.ops.last("\n "), &w.warned)
		}
	}
}

func (w *groupWorld) paths() (all []string) {
	for _, device := range slices.Sorted(maps.Keys(w.raw)) {
		for _, k := range groupKinds {
			for _, c := range []string{"n", "sum", "max"} {
				all = append(all, fmt.Sprintf("root.%s.%s.%s", k.name, device, c))
			}
		}
		all = append(all, "root.hour."+device+".n")
	}
	return all
}

// read reads a query with what is not stored yet.
func (w *groupWorld) read() {
	w.t.Helper()
	k := w.kinds()[w.rng.IntN(4)]
	from := w.rng.Int64N(6 * 3600e9)
	to := from + w.rng.Int64N(3600e9)
	all, err := w.db.ReadContinuousQuery(context.Background(), k.name, ns(from), ns(to))
	must(w.t, err)
	got := make(map[string][]string)
	for _, tab := range all {
		for i := range tab.Columns {
			path := tab.Device + "." + tab.Columns[i].Name
			for row, at := range tab.Times {
				if !tab.Columns[i].Nulls.Get(row) {
					got[path] = append(got[path], fmt.Sprintf("%s@%d=%s", path, at, tab.Columns[i].Data.Value(row)))
				}
			}
		}
	}
	for path, lines := range w.want(true) {
		if !strings.HasPrefix(path, "root."+k.name+".") {
			continue
		}
		var want []string
		for _, l := range lines {
			var at int64
			fmt.Sscanf(l[strings.IndexByte(l, '@')+1:], "%d", &at)
			if at >= from && at < to {
				want = append(want, l)
			}
		}
		if !slices.Equal(got[path], want) {
			w.t.Fatalf("read %s in [%d, %d):\n %s\nwant\n %s\nafter %d operations, the last of them\n %s", path, from, to, cqDiff(got[path], want), cqDiff(want, got[path]),
				w.ops.n, w.ops.last("\n "))
		}
	}
}

// check compares everything, after it has been computed.
func (w *groupWorld) check() {
	w.t.Helper()
	must(w.t, w.db.Quiesce(context.Background()))
	w.compare("quiet")
	want := w.want(false)
	stored := make(map[string]string)
	for path, lines := range want {
		if !strings.HasSuffix(path, ".sum") || w.idle(path) {
			continue
		}
		for _, l := range lines {
			at, v, _ := strings.Cut(l[strings.IndexByte(l, '@'):], "=")
			stored[strings.TrimSuffix(path, ".sum")+at] = v
		}
	}
	for key, revisions := range w.sent {
		if w.idle(key) {
			continue
		}
		last, whole := lastRevision(revisions, len(w.sent))
		if !whole {
			w.t.Fatalf("revisions of %s: %v", key, revisions)
		}
		if v, ok := stored[key]; ok && !strings.Contains(last, " sum="+v+" ") || !ok && !strings.HasSuffix(last, "true") && len(w.sent) < keptEmissions {
			w.t.Fatalf("%s: %q is stored, the last that was sent is %s", key, v, last)
		}
		delete(stored, key)
	}
	if len(stored) > 0 {
		w.t.Fatalf("stored and never sent: %v", stored)
	}
}

// Random operations on devices with windows by session, variation, condition and
// count: after quiescing every stored result is, bit by bit, what the oracle says,
// what was sent agrees with it, and a read sees what is not stored yet.
func TestIncrementalGroupsAgainstOracle(t *testing.T) {
	steps, every, rounds := 3_000, 9, 1
	switch n, err := strconv.Atoi(os.Getenv("TICKWELL_CQ_OPERATIONS")); {
	case err == nil:
		steps, every = n, 25
	case os.Getenv("TICKWELL_NIGHTLY") != "":
		steps, every, rounds = 24_000, 100, 9 // worlds that grow for ever make each check longer
	case testing.Short():
		steps = 900
	}
	worlds := []struct{ late, ttl int64 }{{-1, 0}, {0, 0}, {90e9, 0}, {-1, 3600e9}, {0, 3600e9}, {90e9, 1800e9}}
	for i := range rounds * len(worlds) {
		c := worlds[i%len(worlds)]
		t.Run(fmt.Sprintf("late=%d/ttl=%d/%d", c.late, c.ttl, i/len(worlds)), func(t *testing.T) {
			w := &groupWorld{t: t, disk: crashfs.New(), clock: newFake(), rng: rand.New(rand.NewPCG(uint64(i), 2+worldSeed())), late: c.late, ttl: c.ttl, newest: math.MinInt64,
				raw: make(map[string]*cqoracle.Series), ids: make(map[string]string), sent: make(map[string]map[int]string)}
			for _, d := range []string{"d1", "d2", "d3"} {
				w.raw[d] = &cqoracle.Series{}
			}
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
