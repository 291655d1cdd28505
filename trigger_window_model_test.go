package tickwell

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/window"
)

var (
	windowSeeds = flag.Uint64("window.seeds", 200, "how many scenarios the oracle of OnWindow draws")
	windowFirst = flag.Uint64("window.first", 0, "the first of them")
)

// The oracle of OnWindow says by the documentation of windows what a series of
// points gives, from all points that came, in the order they came, anew for each
// insert. It shares no code with package window: windows are found by walking.

type windowCut struct {
	spec window.Spec
	opts window.Options[float64]
}

func (c windowCut) String() string {
	o := c.opts
	return fmt.Sprintf("%v strict %v lateness %d emit %d empty %v maxfuture %v", c.spec, o.Strict, o.Lateness, o.Emit, o.Empty, o.MaxFuture)
}

type windowPoint struct {
	at int64
	v  float64
}

func windowLine(start, end int64, rev int, final bool, rows []windowPoint) string {
	text := fmt.Sprintf("[%d,%d) %d %v", start, end, rev, final)
	for _, p := range rows {
		text += fmt.Sprintf(" %d=%v", p.at, p.v)
	}
	return text
}

func sortedByTime(rows []windowPoint) []windowPoint {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b windowPoint) int {
		if a.at < b.at {
			return -1
		}
		return int(min(a.at-b.at, 1))
	})
	return rows
}

// given returns the lines of all points.
func (c windowCut) given(points []windowPoint) []string {
	if c.spec.Kind == window.Time || c.spec.Kind == window.Calendar {
		return c.timeWindows(points)
	}
	return c.orderedWindows(points)
}

type windowStretch struct {
	start, end int64
	rows       []windowPoint
	rev        int
	done       bool
}

// stretches lists the windows around a time, in order.
func (c windowCut) stretches(first, least, most int64) (out []*windowStretch) {
	s := c.spec
	add := func(start, end int64) {
		if end > least && start <= most && start < end {
			out = append(out, &windowStretch{start: start, end: end})
		}
	}
	if s.Kind == window.Time {
		origin := int64(0)
		switch {
		case s.Anchor == window.Instant:
			origin = s.Origin
		case s.Anchor == window.FirstPoint && s.HasBegin:
			origin = s.Begin
		case s.Anchor == window.FirstPoint:
			origin = first
		}
		k := (least-origin)/int64(s.Step) - int64(s.Interval)/int64(s.Step) - 2
		if s.Anchor == window.FirstPoint {
			k = max(k, 0)
		}
		for ; origin+k*int64(s.Step) <= most; k++ {
			add(origin+k*int64(s.Step), origin+k*int64(s.Step)+int64(s.Interval))
		}
		return out
	}
	zone, err := time.LoadLocation(s.Zone)
	if err != nil {
		panic(err)
	}
	at := func(k int) int64 {
		switch s.Unit {
		case window.Day:
			return time.Date(1970, 1, 1+k, 0, 0, 0, 0, zone).UnixNano()
		case window.Week:
			return time.Date(1969, 12, 29+7*k, 0, 0, 0, 0, zone).UnixNano()
		}
		return time.Date(1970, time.Month(1+k), 1, 0, 0, 0, 0, zone).UnixNano()
	}
	k := int(least/int64(24*time.Hour)) - 800
	switch s.Unit {
	case window.Week:
		k /= 7
	case window.Month:
		k /= 31
	}
	for k -= k % s.UnitStep; at(k) <= most; k += s.UnitStep {
		add(at(k), at(k+s.Units))
	}
	return out
}

func (c windowCut) timeWindows(points []windowPoint) (lines []string) {
	s, o := c.spec, c.opts
	if len(points) == 0 {
		return nil
	}
	least, most, first := int64(math.MaxInt64), int64(math.MinInt64), int64(0)
	begun := false
	for _, p := range points {
		if s.HasBegin && p.at < s.Begin {
			continue
		}
		if !begun && !(s.HasEnd && p.at >= s.End) {
			begun, first = true, p.at
		}
		least, most = min(least, p.at), max(most, p.at)
	}
	if s.HasBegin {
		least = min(least, s.Begin)
	}
	if least > most {
		return nil
	}
	if !begun {
		first = most + 1
	}
	all := c.stretches(first, least-int64(o.Lateness)-1, most)
	seen, mark := int64(math.MinInt64), int64(math.MinInt64)
	filled := s.HasBegin // a window was given, or those without rows before it count
	finish := func() {
		for _, w := range all {
			if w.done || w.end > mark || s.HasEnd && w.start >= s.End || s.HasBegin && w.end <= s.Begin {
				continue
			}
			w.done = true
			if len(w.rows) > 0 || o.Empty && filled {
				lines = append(lines, windowLine(w.start, w.end, w.rev, true, sortedByTime(w.rows)))
			}
			filled = filled || len(w.rows) > 0
		}
	}
	for _, p := range points {
		if o.Strict && seen != math.MinInt64 && p.at <= seen || s.HasBegin && p.at < s.Begin {
			continue
		}
		if s.HasEnd && p.at >= s.End {
			if seen != math.MinInt64 || s.HasBegin { // time went on
				seen = max(seen, p.at)
				mark = max(mark, p.at-int64(o.Lateness))
				finish()
			}
			continue
		}
		var in []*windowStretch
		for _, w := range all {
			if w.start <= p.at && p.at < w.end && !w.done {
				in = append(in, w)
			}
		}
		if seen != math.MinInt64 && p.at < mark && len(in) == 0 {
			continue // late
		}
		if seen == math.MinInt64 { // what ended before the first is over
			mark = p.at - int64(o.Lateness)
			if !s.HasBegin {
				for _, w := range all {
					w.done = w.done || w.end <= mark
				}
			}
		}
		seen = max(seen, p.at)
		mark = max(mark, p.at-int64(o.Lateness))
		for _, w := range in {
			w.rows = append(w.rows, p)
		}
		finish()
		for _, w := range in {
			if o.Emit == window.OnUpdate && !w.done {
				lines = append(lines, windowLine(w.start, w.end, w.rev, false, sortedByTime(w.rows)))
				w.rev++
			}
		}
	}
	return lines
}

func (c windowCut) orderedWindows(points []windowPoint) (lines []string) {
	s, o := c.spec, c.opts
	var taken []windowPoint
	seen, mark := int64(math.MinInt64), int64(math.MinInt64)
	revs, given := map[int]int{}, map[int]bool{} // by the place of the first row
	for _, p := range points {
		switch {
		case o.Strict && len(taken) > 0 && p.at <= seen, s.HasBegin && p.at < s.Begin:
			continue
		case s.HasEnd && p.at >= s.End:
			continue
		case p.at < mark:
			continue // late
		}
		seen = max(seen, p.at)
		mark = max(mark, p.at-int64(o.Lateness))
		taken = append(taken, p)
		all := c.runs(taken, mark)
		for _, w := range all {
			if w.done && !given[w.from] {
				given[w.from] = true
				if w.kept(s) {
					lines = append(lines, w.line(revs[w.from], true))
				}
			}
		}
		for _, w := range all {
			if o.Emit == window.OnUpdate && !w.done && w.from+len(w.rows) == len(taken) && w.kept(s) {
				lines = append(lines, w.line(revs[w.from], false))
				revs[w.from]++
			}
		}
	}
	return lines
}

// windowRows is a window of rows in order.
type windowRows struct {
	from int
	rows []windowPoint
	done bool
}

func (r windowRows) line(rev int, final bool) string {
	return windowLine(r.rows[0].at, r.rows[len(r.rows)-1].at, rev, final, r.rows)
}

func (r windowRows) kept(s window.Spec) bool {
	return s.Kind != window.Condition || len(r.rows) >= s.MinRows && (s.MaxRows == 0 || len(r.rows) <= s.MaxRows)
}

func atLeast40(v float64) bool { return v >= 40 }

// runs cuts the rows whose order is settled.
func (c windowCut) runs(taken []windowPoint, mark int64) (out []windowRows) {
	s := c.spec
	rows := sortedByTime(taken)
	rows = rows[:slices.IndexFunc(append(rows, windowPoint{at: math.MaxInt64}), func(p windowPoint) bool { return p.at > mark })]
	if s.Kind == window.Size {
		for from := 0; from < len(rows); from += s.Stride {
			to := min(from+s.Rows, len(rows))
			out = append(out, windowRows{from, rows[from:to], to-from == s.Rows})
		}
		return out
	}
	for from := 0; from < len(rows); {
		if s.Kind == window.Condition && !atLeast40(rows[from].v) {
			from++
			continue
		}
		to := from + 1
		for to < len(rows) && c.together(rows[from], rows[to-1], rows[to]) {
			to++
		}
		done := to < len(rows)
		if s.Kind == window.Session && !done {
			last := rows[to-1].at
			done = mark-last > int64(s.Gap) || s.MaxSpan > 0 && mark-rows[from].at > int64(s.MaxSpan)
		}
		out = append(out, windowRows{from, rows[from:to], done})
		from = to
	}
	return out
}

func (c windowCut) together(first, last, next windowPoint) bool {
	s := c.spec
	switch s.Kind {
	case window.Session:
		return next.at-last.at <= int64(s.Gap) && (s.MaxSpan == 0 || next.at-first.at <= int64(s.MaxSpan))
	case window.State:
		switch {
		case math.IsNaN(first.v) || math.IsNaN(next.v):
			return math.IsNaN(first.v) && math.IsNaN(next.v)
		}
		return math.Abs(next.v-first.v) <= s.Delta
	}
	return atLeast40(next.v)
}

func randomCut(rng *rand.Rand, base int64, unit time.Duration) (c windowCut) {
	d := func(n int) time.Duration { return time.Duration(1+rng.IntN(n)) * unit }
	switch rng.IntN(8) {
	case 0:
		c.spec = window.Count(1 + rng.IntN(6)).Every(1 + rng.IntN(6))
	case 1:
		c.spec = window.Tumbling(d(10))
	case 2:
		c.spec = window.Sliding(d(10), d(10))
	case 3:
		c.spec = window.Gap(d(5) - unit).AtMost(time.Duration(rng.IntN(2)) * d(20))
	case 4:
		c.spec = window.Within("s", float64(rng.IntN(3)*20))
	case 5:
		least := rng.IntN(3)
		c.spec = window.While("s").Keep(least, 0)
		if rng.IntN(2) == 0 {
			c.spec = c.spec.Keep(least, least+1+rng.IntN(4))
		}
		c.opts.Holds = atLeast40
	default:
		zone := []string{"", "Europe/Berlin", "America/New_York"}[rng.IntN(3)]
		c.spec = []window.Spec{window.Days(1, zone), window.Days(2, zone).EveryUnits(1), window.Days(1, zone).EveryUnits(2), window.Weeks(1, zone), window.Months(1, zone)}[rng.IntN(5)]
	}
	if c.spec.Kind == window.Time {
		switch rng.IntN(3) {
		case 0:
			c.spec = c.spec.FromFirst()
		case 1:
			c.spec = c.spec.From(base + int64(rng.IntN(30))*int64(unit))
		}
	}
	if rng.IntN(6) == 0 {
		c.spec = c.spec.Since(base + int64(rng.IntN(30))*int64(unit))
	}
	if rng.IntN(6) == 0 {
		c.spec = c.spec.Until(base + int64(40+rng.IntN(100))*int64(unit))
	}
	timed := c.spec.Kind == window.Time || c.spec.Kind == window.Calendar
	switch rng.IntN(3) {
	case 0:
		c.opts.Strict = true
	case 1:
		c.opts.Lateness = d(12)
	}
	if timed && rng.IntN(3) == 0 {
		c.opts.Empty = true
	}
	if (timed || c.opts.Lateness == 0) && rng.IntN(4) == 0 {
		c.opts.Emit = window.OnUpdate
	}
	if rng.IntN(4) == 0 {
		c.opts.MaxFuture = d(5)
	}
	return c
}

type windowStep struct {
	kind   string // insert reopen crash cut wait
	device int
	by     int64
	at     []int64 // distance from the clock, in units
	a, b   []float64
}

type windowScenario struct {
	windowCut
	unit    time.Duration
	queue   int
	durable bool
	retries int
	steps   []windowStep
}

const (
	windowNull  = -1
	windowFail  = -2 // the evaluation fails that a firing with it causes
	windowRetry = -3 // likewise, the first time
)

func (s *windowScenario) String() string {
	text := fmt.Sprintf("%v\nunit %v queue %d durable %v retries %d", s.windowCut, s.unit, s.queue, s.durable, s.retries)
	for _, st := range s.steps {
		text += fmt.Sprintf("\n%s %d by %d at %v a %v b %v", st.kind, st.device, st.by, st.at, st.a, st.b)
	}
	return text
}

func randomWindows(rng *rand.Rand) *windowScenario {
	s := &windowScenario{unit: 1, durable: rng.IntN(3) == 0}
	base := newFake().Now().UnixNano()
	for {
		s.windowCut = randomCut(rng, base, s.unit)
		if s.spec.Kind != window.Calendar {
			break
		}
		if s.unit > 1 {
			break
		}
		s.unit = 7 * time.Hour
	}
	if rng.IntN(3) == 0 {
		s.queue = 16
	}
	if rng.IntN(4) == 0 {
		s.retries = 1
	}
	fails := rng.IntN(3) == 0
	value := func() float64 {
		switch n := rng.IntN(40); {
		case n < 4:
			return windowNull
		case n == 4:
			return math.NaN()
		case n == 5 && fails:
			return windowFail
		case n == 6 && fails && s.retries > 0:
			return windowRetry
		}
		return float64(rng.IntN(5) * 20)
	}
	for range 5 + rng.IntN(50) {
		switch n := rng.IntN(12); {
		case n == 0:
			s.steps = append(s.steps, windowStep{kind: "reopen"})
		case n == 1:
			s.steps = append(s.steps, windowStep{kind: "crash"})
		default:
			in := windowStep{kind: "insert", device: rng.IntN(2), by: int64([]int{0, 1, 1, 2, 5, 30}[rng.IntN(6)])}
			if s.durable && n < 4 {
				in.kind = "cut"
			}
			for i := range []int{1, 1, 2, 5, 20}[rng.IntN(5)] {
				at := int64(i)
				switch rng.IntN(8) {
				case 0, 1:
					at -= int64(rng.IntN(15))
				case 2:
					at += int64(rng.IntN(8))
				}
				in.at, in.a, in.b = append(in.at, at), append(in.a, value()), append(in.b, value())
			}
			s.steps = append(s.steps, in)
		}
	}
	return s
}

type windowRun struct {
	*windowScenario
	clk    *clock.Fake
	fs     *crashfs.FS
	db     *DB
	points map[string][]windowPoint
	tried  map[string]bool
	err    error
}

func (m *windowRun) fail(format string, args ...any) {
	if m.err == nil {
		m.err = fmt.Errorf(format, args...)
	}
}

func (m *windowRun) check(err error) {
	if err != nil {
		m.fail("%v", err)
	}
}

var errPlanned = errors.New("planned")

// eval writes down the window: the rows are there exactly as often as the firing took
// effect.
func (m *windowRun) eval(_ context.Context, f *Firing, series string, w window.Window[float64]) error {
	for i := range f.Columns {
		values, ok := f.Columns[i].Data.(Float64s)
		if ok && slices.Contains(values, windowFail) {
			return errPlanned
		}
		if key := fmt.Sprint(f.Device, f.Times); ok && slices.Contains(values, windowRetry) && !m.tried[key] {
			m.tried[key] = true
			return errPlanned
		}
	}
	var rows []windowPoint
	for at, v := range w.All() {
		rows = append(rows, windowPoint{at, v})
	}
	n := int64(0)
	if b, ok := f.Get("n/" + series); ok {
		fmt.Sscan(string(b), &n)
	}
	f.Put("n/"+series, fmt.Append(nil, n+1))
	return f.Write(tab("root.out", n, strings.ReplaceAll(series, ".", "_"), Texts{windowLine(w.Start(), w.End(), w.Revision(), w.Final(), rows)}))
}

func (m *windowRun) open() {
	db, err := Open(context.Background(), "data", &Options{FS: m.fs, Clock: m.clk, Seed: 1, Logger: slog.New(slog.DiscardHandler), Sync: SyncAlways(), CheckTriggers: true, Triggers: []TriggerSpec{{
		Name: "w", Pattern: "root.d*.*", Queue: m.queue, Durable: m.durable, Retries: m.retries, Trigger: OnWindow(m.spec, &m.opts, m.eval)}}})
	m.check(err)
	m.db = db
}

func (m *windowRun) settle() {
	m.clk.Advance(0)
	m.check(m.db.Quiesce(context.Background()))
}

func (m *windowRun) tablet(s *windowStep) *Tablet {
	t := &Tablet{Device: fmt.Sprint("root.d", s.device), Columns: []Column{{Name: "a"}, {Name: "b"}, {Name: "c"}}}
	var a, b Float64s
	var c Texts
	for i, at := range s.at {
		t.Times = append(t.Times, m.clk.Now().UnixNano()+at*int64(m.unit))
		if s.a[i] == windowNull {
			t.Columns[0].Nulls.Set(i)
		}
		if s.b[i] == windowNull {
			t.Columns[1].Nulls.Set(i)
		}
		a, b, c = append(a, s.a[i]), append(b, s.b[i]), append(c, "x")
	}
	t.Columns[0].Data, t.Columns[1].Data, t.Columns[2].Data = a, b, c
	return t
}

// learn tells the oracle of an insert. What a firing has failed over is in no window.
func (m *windowRun) learn(t *Tablet) {
	fails := false
	added := map[string][]windowPoint{}
	for i := range t.Columns[:2] {
		c := &t.Columns[i]
		path := t.Device + "." + c.Name
		now := m.points[path]
		was := m.given(now)
		for r, at := range t.Times {
			if c.Nulls.Get(r) || m.opts.MaxFuture > 0 && at > m.clk.Now().UnixNano()+int64(m.opts.MaxFuture) {
				continue
			}
			now = append(slices.Clip(now), windowPoint{at, c.Data.(Float64s)[r]})
		}
		is := m.given(now)
		added[path] = now
		fails = fails || len(is) > len(was)
	}
	if fails {
		for i := range t.Columns[:2] {
			if slices.Contains(t.Columns[i].Data.(Float64s), windowFail) {
				return
			}
		}
	}
	for path, now := range added {
		m.points[path] = now
	}
}

// texts returns the values of a series.
func (m *windowRun) texts(device, name string) (out []string) {
	ser, ok := m.db.eng.Lookup(device, name)
	if !ok {
		return nil
	}
	snap := m.db.eng.Snapshot()
	defer snap.Release()
	c := snap.Cursor(ser, minTime, maxTime+1)
	defer c.Close()
	for c.Next() {
		v := vectorOf(c.Values())
		for i := range c.Times() {
			out = append(out, v.Value(i).Text())
		}
	}
	m.check(c.Err())
	return out
}

func (m *windowRun) crash(op int) {
	img := m.fs.Image(op, crashfs.None, 1)
	m.check(m.db.Close())
	m.fs = crashfs.From(img)
	m.open()
}

func (m *windowRun) run() error {
	m.clk, m.fs = newFake(), crashfs.New()
	m.points, m.tried = map[string][]windowPoint{}, map[string]bool{}
	m.open()
	if m.err != nil {
		return m.err
	}
	defer func() { m.check(m.db.Close()) }()
	for i := range m.steps {
		s := &m.steps[i]
		if len(s.at) == 0 && (s.kind == "insert" || s.kind == "cut") {
			continue
		}
		m.clk.Advance(time.Duration(s.by) * m.unit)
		switch s.kind {
		case "reopen":
			m.check(m.db.Close())
			m.open()
		case "crash":
			m.crash(m.fs.Ops())
		case "insert":
			t := m.tablet(s)
			m.check(m.db.InsertTablet(context.Background(), t))
			m.settle()
			m.learn(t)
		case "cut":
			t := m.tablet(s)
			for r := range t.Times {
				t.Columns[2].Data.(Texts)[r] = fmt.Sprint("step ", i)
			}
			before := m.fs.Ops()
			m.check(m.db.InsertTablet(context.Background(), t))
			m.settle()
			m.crash(before + i*7%(m.fs.Ops()-before+1))
			if m.err != nil {
				return m.err
			}
			m.settle()
			if slices.Contains(m.texts(t.Device, "c"), fmt.Sprint("step ", i)) {
				m.learn(t)
			}
		}
		if m.err != nil {
			return m.err
		}
		m.settle()
		for path, points := range m.points {
			want := m.given(points)
			have := m.texts("root.out", strings.ReplaceAll(path, ".", "_"))
			if a, b := slices.Sorted(slices.Values(have)), slices.Sorted(slices.Values(want)); !slices.Equal(a, b) {
				m.fail("step %d: %s of %v\n got %s\nwant %s", i, path, points, strings.Join(have, "\n     "), strings.Join(want, "\n     "))
			}
		}
		if m.err != nil {
			return m.err
		}
	}
	return m.err
}

// shrinkWindows leaves out steps and rows as long as it fails.
func shrinkWindows(s *windowScenario) (*windowScenario, error) {
	run := func(s *windowScenario) error { return (&windowRun{windowScenario: s}).run() }
	err := run(s)
	try := func(change func(*windowScenario)) bool {
		less := *s
		less.steps = slices.Clone(s.steps)
		change(&less)
		e := run(&less)
		if e != nil {
			s, err = &less, e
		}
		return e != nil
	}
	for again := true; again && err != nil; {
		again = false
		for n := max(len(s.steps)/2, 1); n > 0; n /= 2 {
			for i := 0; i+n <= len(s.steps); {
				if try(func(l *windowScenario) { l.steps = slices.Delete(l.steps, i, i+n) }) {
					again = true
				} else {
					i++
				}
			}
		}
		for i := range s.steps {
			for j := len(s.steps[i].at) - 1; j >= 0; j-- {
				again = try(func(l *windowScenario) {
					st := &l.steps[i]
					st.at = slices.Delete(slices.Clone(st.at), j, j+1)
					st.a = slices.Delete(slices.Clone(st.a), j, j+1)
					st.b = slices.Delete(slices.Clone(st.b), j, j+1)
				}) || again
			}
		}
	}
	return s, err
}

// OnWindow against the oracle: late, double and unsorted points, nulls and NaN,
// evaluations that fail, restarts and power cuts.
func TestOnWindowAgainstReference(t *testing.T) {
	n := *windowSeeds
	if testing.Short() {
		n /= 5
	}
	for seed := *windowFirst; seed < *windowFirst+n; seed++ {
		s := randomWindows(rand.New(rand.NewPCG(seed, 14)))
		if err := (&windowRun{windowScenario: s}).run(); err != nil {
			s, err := shrinkWindows(s)
			t.Fatalf("seed %d: %v\n%s", seed, err, s)
		}
	}
}
