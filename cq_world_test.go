package tickwell

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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

	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/internal/cqoracle"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/internal/engine"
)

// cqWorld is a store with incremental queries over some devices, what happens to
// it, and what an oracle says must be in it.
type cqWorld struct {
	t       *testing.T
	sort    cqSort
	db      *DB
	opts    *Options
	disk    *crashfs.FS
	clock   *clock.Fake
	rng     *rand.Rand
	devices []string
	raw     map[string]*cqoracle.Series // by device
	newest  int64
	late    int64 // lateness in ns, -1: on change
	ttl     int64 // of the rows; 0: none
	paused  bool
	ops     worldOps

	warned worldLog

	mu   sync.Mutex
	dead bool
	ids  map[string]string         // payload of each event; nil: no sink
	sent map[string]map[int]string // by target and time: by revision
}

// cqSort is one sort of queries: windows on a grid, or windows whose bounds are
// rows.
type cqSort interface {
	specs(w *cqWorld) []CQSpec
	// pauses are the queries that an operation pauses, and prefixes of the
	// targets that then wait.
	pauses() (names, waiting []string)
	// want is what has to be stored, by path; all: also of windows that are not
	// over.
	want(w *cqWorld, all bool) map[string][]cqoracle.Point
	// allowed moves a time of a device out of the windows of which rows have
	// expired or are about to, which keep their results; the oracle knows nothing
	// of that.
	allowed(w *cqWorld, device string, at int64) int64
	values(rng *rand.Rand, n int) []float64
	// span is where rows are, near how far a row is from the newest at most,
	// spread how far rows of a tablet or bounds of a deletion are from each other.
	span() (span, near, spread int64)
	// other is an operation of this sort alone.
	other(w *cqWorld) bool
	// readable are the queries that may be read at any time.
	readable() []string
}

func newCQWorld(t *testing.T, sort cqSort, seed uint64, late, ttl int64, devices ...string) *cqWorld {
	w := &cqWorld{t: t, sort: sort, disk: crashfs.New(), clock: newFake(), rng: rand.New(rand.NewPCG(seed, 1+worldSeed())), devices: devices,
		raw: make(map[string]*cqoracle.Series), late: late, ttl: ttl, newest: math.MinInt64}
	for _, d := range devices {
		w.raw[d] = &cqoracle.Series{}
	}
	w.opts = &Options{Clock: w.clock, Profile: killProfile(), Logger: w.warned.logger()}
	return w
}

// begin opens the store and creates the queries, with a sink.
func (w *cqWorld) begin() {
	ctx := context.Background()
	w.ids, w.sent = make(map[string]string), make(map[string]map[int]string)
	w.opts.Sinks = []SinkSpec{{Name: "events", Sink: SinkFunc(w.take)}}
	w.open()
	if w.ttl > 0 {
		must(w.t, w.db.SetTTL(ctx, "root.in", time.Duration(w.ttl)))
	}
	for _, s := range w.sort.specs(w) {
		must(w.t, w.db.CreateContinuousQuery(ctx, s))
	}
}

func (w *cqWorld) open() {
	w.opts.FS = w.disk
	w.db = openOnly(w.t, "data", w.opts)
}

// target is the device that a query writes the rows of device to.
func (w *cqWorld) target(query, device string) string {
	if len(w.devices) == 1 {
		return "root." + query
	}
	return "root." + query + "." + device
}

var errProcessGone = errors.New("the process is gone")

// take is the sink. An event may come again after a crash, but with the same
// content.
func (w *cqWorld) take(_ context.Context, es []Event) error {
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
		key := sentKey(w.target(e.Source, e.Series[strings.LastIndexByte(e.Series, '.')+1:]), e.Time.UnixNano())
		if w.sent[key] == nil {
			w.sent[key] = make(map[int]string)
		}
		w.sent[key][e.Revision] = content
	}
	return nil
}

func sentKey(target string, at int64) string { return target + "@" + strconv.FormatInt(at, 10) }

// step does an operation, and reports whether there was something to do.
func (w *cqWorld) step() bool {
	ctx := context.Background()
	span, near, spread := w.sort.span()
	device := w.devices[w.rng.IntN(len(w.devices))]
	at := w.rng.Int64N(span)
	switch op := w.rng.IntN(100); {
	case op < 58: // near the end, late, or anywhere
		if w.rng.IntN(4) > 0 && w.newest > math.MinInt64 {
			at = w.newest + w.rng.Int64N(near) - 30e9
		}
		if w.rng.IntN(3) > 0 {
			w.put(device, w.sort.allowed(w, device, at))
			break
		}
		var group []*Tablet // as a gateway reads all its devices
		for i := range 2 * len(w.devices) {
			d := w.devices[i%len(w.devices)]
			group = append(group, w.tablet(d, w.sort.allowed(w, d, at+w.rng.Int64N(near)/8)))
		}
		must(w.t, w.db.InsertTablets(ctx, group...))
	case op < 73: // a tablet of rows in any order
		if w.rng.IntN(2) > 0 && w.newest > math.MinInt64 {
			at = w.newest + w.rng.Int64N(near) - 60e9
		}
		at = w.sort.allowed(w, device, at)
		var times []int64
		for range 1 + w.rng.IntN(20) {
			times = append(times, at+w.rng.Int64N(spread))
		}
		w.put(device, times...)
	case op < 81:
		return w.delete(device, at)
	case op < 84:
		w.ops.add("reopen")
		must(w.t, w.db.Close())
		w.open()
	case op < 85: // the process dies: what it wrote is there, nothing else
		w.ops.add("crash")
		w.setDead(true)
		image := w.disk.Image(w.disk.Ops(), crashfs.All, w.rng.Uint64())
		must(w.t, w.db.Close())
		w.disk = crashfs.From(image)
		w.setDead(false)
		w.open()
	case op < 87:
		w.ops.add("the clock is set")
		w.clock.Set(w.clock.Now().Add(time.Duration(w.rng.Int64N(7200e9) - 3600e9)))
	case op < 91:
		w.ops.add("time passes")
		w.clock.Advance(time.Duration(w.rng.Int64N(2e9)))
	case op < 92: // nothing is older than a second of the clock
		w.ops.add("a second passes")
		for range 10 {
			w.clock.Advance(100 * time.Millisecond)
			must(w.t, w.db.cqs.sched.WaitIdle(ctx))
		}
		w.compare("a second after the last change")
	case op < 94:
		w.paused = !w.paused
		w.ops.add(fmt.Sprint("pause ", w.paused))
		names, _ := w.sort.pauses()
		for _, name := range names {
			if w.paused {
				must(w.t, w.db.PauseContinuousQuery(ctx, name))
			} else {
				must(w.t, w.db.ResumeContinuousQuery(ctx, name))
			}
		}
	case op < 95:
		w.ops.add("flush")
		must(w.t, w.db.Flush(ctx))
	case op < 97:
		specs := w.sort.specs(w)
		spec := specs[w.rng.IntN(len(specs))]
		spec.Text = fmt.Sprint("text ", w.rng.IntN(100))
		w.ops.add("alter " + spec.Name)
		must(w.t, w.db.AlterContinuousQuery(ctx, spec))
	case op < 98:
		w.read()
	default:
		return w.sort.other(w)
	}
	return true
}

func (w *cqWorld) put(device string, times ...int64) {
	must(w.t, w.db.InsertTablet(context.Background(), w.tablet(device, times...)))
}

// tablet makes rows and tells the oracle of them.
func (w *cqWorld) tablet(device string, times ...int64) *Tablet {
	tab := &Tablet{Device: "root.in." + device}
	for i, v := range w.sort.values(w.rng, len(times)) {
		must(w.t, tab.Append(ns(times[i]), Float64("s", v)))
		w.raw[device].Put(times[i], v)
		w.newest = max(w.newest, times[i])
	}
	w.ops.add(fmt.Sprintf("put %s %v %v", device, tab.Times, tab.Columns[0].Data))
	return tab
}

// delete deletes rows of a device, or of all, and now and then all rows.
func (w *cqWorld) delete(device string, at int64) bool {
	span, _, spread := w.sort.span()
	to := at + w.rng.Int64N(6*spread)
	if w.rng.IntN(2) > 0 && w.newest > math.MinInt64 {
		at = w.newest - w.rng.Int64N(300e9)
		to = at + w.rng.Int64N(300e9)
	}
	which, devices := "root.in."+device+".s", []string{device}
	if w.rng.IntN(4) == 0 {
		which, devices = "root.in.**", w.devices
		if w.rng.IntN(5) == 0 {
			at, to = 0, span
		}
	}
	for _, d := range devices {
		at = max(at, w.sort.allowed(w, d, at))
	}
	if to <= at {
		return false
	}
	w.ops.add(fmt.Sprintf("delete %s %d %d", which, at, to))
	must(w.t, w.db.Delete(context.Background(), which, ns(at), ns(to)))
	for _, d := range devices {
		w.raw[d].Delete(at, to)
	}
	return true
}

// setDead ends the life of a process: what it still wants to send does not leave.
func (w *cqWorld) setDead(dead bool) {
	w.mu.Lock()
	w.dead = dead
	w.mu.Unlock()
}

// mark is the watermark. Windows that it has passed are over.
func (w *cqWorld) mark() int64 {
	switch {
	case w.late < 0:
		return math.MaxInt64
	case w.newest == math.MinInt64:
		return math.MinInt64
	}
	return w.newest - w.late
}

// read reads a query with what is not stored yet.
func (w *cqWorld) read() {
	w.t.Helper()
	span, _, _ := w.sort.span()
	names := w.sort.readable()
	name := names[w.rng.IntN(len(names))]
	from := w.rng.Int64N(span)
	to := from + 1 + w.rng.Int64N(span/6)
	w.ops.add(fmt.Sprintf("read %s %d %d", name, from, to))
	all, err := w.db.ReadContinuousQuery(context.Background(), name, ns(from), ns(to))
	must(w.t, err)
	got := make(map[string][]cqoracle.Point)
	for _, tab := range all {
		for i := range tab.Columns {
			path := tab.Device + "." + tab.Columns[i].Name
			for row, at := range tab.Times {
				if !tab.Columns[i].Nulls.Get(row) {
					got[path] = append(got[path], cqoracle.Point{At: at, Value: tab.Columns[i].Data.Value(row).Float64()})
				}
			}
		}
	}
	for path, want := range w.sort.want(w, true) {
		if strings.HasPrefix(path, "root."+name+".") {
			w.same(fmt.Sprintf("read in [%d, %d)", from, to), path, got[path], pointsIn(want, from, to))
		}
	}
}

// pointsIn are the points in [from, to).
func pointsIn(all []cqoracle.Point, from, to int64) []cqoracle.Point {
	return slices.DeleteFunc(slices.Clone(all), func(p cqoracle.Point) bool { return p.At < from || p.At >= to })
}

// check compares everything, after it has been computed.
func (w *cqWorld) check() {
	w.t.Helper()
	must(w.t, w.db.Quiesce(context.Background()))
	w.checkEvents(w.compare("quiet"))
}

func (w *cqWorld) waits(path string) bool {
	_, waiting := w.sort.pauses()
	return w.paused && slices.ContainsFunc(waiting, func(prefix string) bool { return strings.HasPrefix(path, prefix) })
}

// compare compares what is stored with the oracle, whose answer it returns.
func (w *cqWorld) compare(when string) map[string][]cqoracle.Point {
	w.t.Helper()
	want := w.sort.want(w, false)
	snap := w.db.eng.Snapshot()
	defer snap.Release()
	for path, points := range want {
		if w.waits(path) {
			continue
		}
		w.same(when, path, w.stored(snap, path), points)
	}
	return want
}

// stored are the points of a series.
func (w *cqWorld) stored(snap *engine.Snapshot, path string) (got []cqoracle.Point) {
	w.t.Helper()
	dot := strings.LastIndexByte(path, '.')
	ser, ok := w.db.eng.Lookup(path[:dot], path[dot+1:])
	if !ok {
		return nil
	}
	c := snap.Cursor(ser, minTime, maxTime+1)
	defer c.Close()
	for c.Next() {
		v := vectorOf(c.Values())
		for i, at := range c.Times() {
			got = append(got, cqoracle.Point{At: at, Value: v.Value(i).Float64()})
		}
	}
	must(w.t, c.Err())
	return got
}

// same wants two lists of points to be equal to the bit.
func (w *cqWorld) same(when, path string, got, want []cqoracle.Point) {
	w.t.Helper()
	if slices.EqualFunc(got, want, samePoint) {
		return
	}
	w.t.Fatalf("%s: %s holds\n %s\nwant\n %s\nafter %d operations, the last of them\n %s\nwarned of\n%s",
		when, path, pointsWithout(got, want), pointsWithout(want, got), w.ops.n, w.ops.last("\n "), &w.warned)
}

func samePoint(a, b cqoracle.Point) bool {
	return a.At == b.At && math.Float64bits(a.Value) == math.Float64bits(b.Value)
}

// pointsWithout are the points of a that b has not.
func pointsWithout(a, b []cqoracle.Point) string {
	var out []string
	for _, p := range a {
		if !slices.ContainsFunc(b, func(q cqoracle.Point) bool { return samePoint(p, q) }) {
			out = append(out, fmt.Sprint(p.At, "=", p.Value))
		}
	}
	return strings.Join(out, "\n ")
}

// checkEvents wants the revisions of each window without a hole, and the last of
// them to be what is stored.
func (w *cqWorld) checkEvents(want map[string][]cqoracle.Point) {
	w.t.Helper()
	if w.ids == nil {
		return
	}
	sums := make(map[string]float64)
	for _, spec := range w.sort.specs(w) {
		for _, d := range w.devices {
			target := w.target(spec.Name, d)
			if len(spec.Sinks) == 0 || w.waits(target) {
				continue
			}
			for _, p := range want[target+".sum"] {
				sums[sentKey(target, p.At)] = p.Value
			}
		}
	}
	for key, revisions := range w.sent {
		if w.waits(key) {
			continue
		}
		last, whole := lastRevision(revisions, len(w.sent))
		if !whole {
			w.t.Fatalf("revisions of %s: %v", key, revisions)
		}
		v, stored := sums[key]
		switch {
		case stored && !strings.Contains(last, " sum="+Float64Value(v).String()+" "), !stored && !strings.HasSuffix(last, "true") && len(w.sent) < keptEmissions:
			w.t.Fatalf("%s: the sum %v is stored (%t), sent were %v, after\n %s", key, v, stored, revisions, w.ops.last("\n "))
		}
		delete(sums, key)
	}
	if len(sums) > 0 {
		w.t.Fatalf("stored and never sent: %v, after\n %s", slices.Sorted(maps.Keys(sums)), w.ops.last("\n "))
	}
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

// worldCase is how late rows of a world may come, and how long they are kept.
type worldCase struct{ late, ttl int64 }

// inWorlds lets so many operations happen, to one world after the other, each
// with its case: a round of long ones and then short ones, since what a check
// costs grows with what there is to compare. TICKWELL_CQ_OPERATIONS sets how many
// there are; at night every second round is of worlds that are longer still.
func inWorlds(t *testing.T, quick, ci, nightly int, cases []worldCase, world func(t *testing.T, i int, c worldCase) *cqWorld) {
	left, long, short, longRounds := ci, 1000, 250, 1000
	switch n, err := strconv.Atoi(os.Getenv("TICKWELL_CQ_OPERATIONS")); {
	case err == nil:
		left, long, short, longRounds = n, 4000, 400, 2
	case os.Getenv("TICKWELL_NIGHTLY") != "":
		left, long, short, longRounds = nightly, 4000, 400, 2
	case testing.Short():
		left, long, short = quick, 150, 150
	}
	for i := 0; left > 0; i++ {
		c, round, operations := cases[i%len(cases)], i/len(cases), short
		if round%longRounds == 0 {
			operations = long
		}
		operations = min(operations, left)
		left -= operations
		t.Run(fmt.Sprintf("late=%d/ttl=%d/%d", c.late, c.ttl, round), func(t *testing.T) {
			w := world(t, i, c)
			w.begin()
			defer func() { w.db.Close() }()
			for n := 0; n < operations; {
				if !w.step() {
					continue
				}
				if n++; n%max(6, operations/40) == 0 {
					w.check()
				}
			}
			w.check()
		})
	}
}

// worldSeed is TICKWELL_CQ_SEED: worlds other than those that always run.
func worldSeed() uint64 {
	n, _ := strconv.ParseUint(os.Getenv("TICKWELL_CQ_SEED"), 10, 32)
	return n
}
