package alert_test

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/alert"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/tickwelltest"
)

var (
	modelSeeds = flag.Uint64("model.seeds", 150, "how many scenarios the oracle of rules draws")
	modelFirst = flag.Uint64("model.first", 0, "the first of them")
)

// The oracle says by the documentation of the package what a rule tells, from all
// points that it has seen and all that it has told: it keeps no state that could be
// lost, and looks at everything anew for each deadline.

// refPoint is a point that counts, and what it was for the rule when it came.
type refPoint struct {
	at    int64
	v     float64
	class byte // F fires, C clears, - neither
}

type refSeries struct {
	points  []refPoint
	seen    bool  // there is a newest point
	last    int64 // it, as far as its time is believed
	top     int64 // the newest of all
	changes []int64
	firing  bool
	told    bool // what was told last
	toldAt  []int64
	lines   []string
}

// judge is one rule with the same as functions.
type judge struct {
	alert.Rule
	fire, clear func(v float64) bool
}

func (r *judge) class(v float64) byte {
	switch {
	case r.Absent > 0:
	case r.fire(v):
		return 'F'
	case r.clear(v):
		return 'C'
	}
	return '-'
}

// since returns when the condition began that holds now.
func (s *refSeries) since() (at int64, ok bool) {
	for _, p := range slices.Backward(s.points) {
		switch p.class {
		case 'C':
			return at, ok
		case 'F':
			at, ok = p.at, true
		}
	}
	return at, ok
}

// cleared returns when the alert that fires was cleared.
func (s *refSeries) cleared() (at int64, ok bool) {
	for _, p := range slices.Backward(s.points) {
		switch p.class {
		case 'F':
			return at, ok
		case 'C':
			at, ok = p.at, true
		}
	}
	return at, ok
}

// mayTell returns when an event may be sent at the earliest.
func (s *refSeries) mayTell(r *judge) int64 {
	at := int64(math.MinInt64)
	if n := len(s.toldAt); r.MinInterval > 0 && n > 0 {
		at = s.toldAt[n-1] + int64(r.MinInterval)
	}
	if r.FlapChanges > 0 && len(s.changes) > r.FlapChanges {
		c := slices.Sorted(slices.Values(s.changes))
		at = max(at, c[len(c)-1-r.FlapChanges]+int64(r.FlapWithin))
	}
	return at
}

func (s *refSeries) tell(r *judge, at int64) {
	s.told, s.toldAt = s.firing, append(s.toldAt, at)
	status, what := "resolved", ""
	if s.firing {
		status = "firing"
	}
	if r.Absent > 0 {
		what = fmt.Sprint(time.Duration(s.last - begin.UnixNano()))
	} else {
		v := 0.0
		for _, p := range s.points {
			if !math.IsNaN(p.v) {
				v = p.v
			}
		}
		what = fmt.Sprint(v)
	}
	s.lines = append(s.lines, fmt.Sprintf("%s@%v %s", status, time.Duration(at-begin.UnixNano()), what))
}

func (s *refSeries) change(r *judge, firing bool, at int64) {
	s.firing = firing
	if r.FlapChanges > 0 {
		s.changes = slices.Sorted(slices.Values(append(s.changes, at)))
		s.changes = s.changes[max(0, len(s.changes)-r.FlapChanges-1):] // what another rule would see is not said
	}
	if s.told != s.firing && s.mayTell(r) <= at {
		s.tell(r, at)
	}
}

// meet meets the deadlines up to a time.
func (s *refSeries) meet(r *judge, until int64) {
	for {
		type deadline struct {
			at, order int64
			meet      func()
		}
		var all []deadline
		if s.told != s.firing {
			at := s.mayTell(r)
			if at == math.MinInt64 { // the rule was altered
				at = s.last
			}
			all = append(all, deadline{at, 0, func() { s.tell(r, at) }})
		}
		if at, ok := s.cleared(); ok && s.firing && r.Absent == 0 {
			at += int64(r.KeepFiring)
			all = append(all, deadline{at, 1, func() { s.change(r, false, at) }})
		}
		if at, ok := s.since(); ok && !s.firing && r.Absent == 0 {
			at += int64(r.For)
			all = append(all, deadline{at, 2, func() { s.change(r, true, at) }})
		}
		if r.Absent > 0 && !s.firing && s.seen {
			at := s.last + int64(r.Absent)
			all = append(all, deadline{at, 2, func() { s.change(r, true, at) }})
		}
		if len(all) == 0 {
			return
		}
		first := slices.MinFunc(all, func(a, b deadline) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.order, b.order)) })
		if first.at > until {
			return
		}
		first.meet()
	}
}

const tenMinutes = int64(10 * time.Minute)

func (s *refSeries) point(r *judge, at int64, v float64, now int64) {
	nan := math.IsNaN(v) && r.Absent == 0
	far := at > now+tenMinutes
	inStep := !s.seen || s.last <= now+tenMinutes
	if far && inStep && s.seen && s.last < s.top && !nan {
		s.top = max(s.top, at)
		at = max(now, s.last+1)
	}
	switch {
	case nan:
		if !s.seen || at > s.last {
			if s.top = max(s.top, at); !far || !inStep || !s.seen {
				s.seen, s.last = true, at
			}
		}
		return
	case s.seen && at <= s.last:
		if inStep || far || at < now-int64(time.Hour) {
			return
		}
		for i := range s.points {
			s.points[i].at = min(s.points[i].at, at)
		}
		for i := range s.toldAt {
			s.toldAt[i] = min(s.toldAt[i], at)
		}
		for i, c := range s.changes {
			if c > now+tenMinutes {
				s.changes[i] = min(at, at-(s.last-c))
			}
		}
	}
	s.meet(r, at)
	s.points = append(s.points, refPoint{at, v, r.class(v)})
	if !s.seen {
		s.top = at
	}
	s.seen, s.last, s.top = true, at, max(s.top, at)
	if r.Absent > 0 {
		if s.firing && at+int64(r.Absent) > now {
			s.change(r, false, at)
		}
		return
	}
	s.meet(r, at)
}

// leap is a clock that was set forward.
func (s *refSeries) leap(d, now int64) {
	if d <= tenMinutes || !s.seen || s.last >= s.top && d <= int64(30*24*time.Hour) {
		return
	}
	move := func(t *int64) {
		if *t <= now-d+tenMinutes {
			*t = min(*t+d, now)
		}
	}
	move(&s.last)
	s.top = max(s.top, s.last)
	for i := range s.points {
		move(&s.points[i].at)
	}
	for i := range s.toldAt {
		move(&s.toldAt[i])
	}
	for i := range s.changes {
		move(&s.changes[i])
	}
}

// alter is another rule from here on.
func (s *refSeries) alter(to *judge) {
	if to.Absent > 0 {
		for i := range s.points {
			s.points[i].class = '-'
		}
	}
}

type step struct {
	kind   string        // wait insert reopen crash cut clock closed alter
	by     time.Duration // wait, or how far the clock is set
	device int
	rows   []modelRow
	rule   int
}

type modelRow struct {
	at   time.Duration // from now
	vals [3]float64    // of the columns; null: nothing
}

const null = -999

func (s step) String() string {
	text := s.kind
	switch s.kind {
	case "wait", "clock", "closed":
		text += fmt.Sprint(" ", s.by)
	case "alter":
		text += fmt.Sprint(" ", s.rule)
	case "insert", "cut":
		text += fmt.Sprint(" d", s.device)
		for _, r := range s.rows {
			text += fmt.Sprint(" ", r.at, r.vals)
		}
	}
	return text
}

type scenario struct {
	rules  []judge
	queue  int
	dur    bool
	faults bool // clocks are wrong
	steps  []step
}

func (s *scenario) String() string {
	var b strings.Builder
	for i := range s.rules {
		r := &s.rules[i]
		fmt.Fprintf(&b, "rule %d: For %v KeepFiring %v Absent %v Flap %d %v MinInterval %v\n", i, r.For, r.KeepFiring, r.Absent, r.FlapChanges, r.FlapWithin, r.MinInterval)
	}
	fmt.Fprintf(&b, "queue %d durable %v\n", s.queue, s.dur)
	for _, st := range s.steps {
		fmt.Fprintln(&b, st)
	}
	return b.String()
}

func randomRule(rng *rand.Rand, absent bool) judge {
	sec := func(n int) time.Duration { return time.Duration(rng.IntN(n)) * time.Second }
	var r judge
	low := float64(20 + rng.IntN(20))
	high := low + float64(rng.IntN(3))*20
	switch rng.IntN(4) {
	case 0, 1:
		r.Condition = alert.Above(high, low)
		r.fire, r.clear = func(v float64) bool { return v > high }, func(v float64) bool { return v <= low }
	case 2:
		r.Condition = alert.Below(low, high)
		r.fire, r.clear = func(v float64) bool { return v < low }, func(v float64) bool { return v >= high }
	default:
		r.Condition = alert.Outside(20, 70, 10)
		r.fire, r.clear = func(v float64) bool { return v < 20 || v > 70 }, func(v float64) bool { return v >= 30 && v <= 60 }
	}
	if absent {
		r = judge{Rule: alert.Rule{Absent: time.Second + sec(12)}}
	}
	if r.Absent == 0 && rng.IntN(2) == 0 {
		r.For = sec(8)
	}
	if r.Absent == 0 && rng.IntN(2) == 0 {
		r.KeepFiring = sec(8)
	}
	if rng.IntN(3) == 0 {
		r.FlapChanges, r.FlapWithin = 1+rng.IntN(4), time.Second+sec(20)
	}
	if rng.IntN(3) == 0 {
		r.MinInterval = sec(15)
	}
	r.Name = "rule"
	return r
}

// randomScenario draws one. faults is whether clocks are wrong.
func randomScenario(rng *rand.Rand, faults, alter bool) *scenario {
	// A rule may become one of the other kind, but not again.
	kinds := []string{"CCC", "CCC", "CCA", "CAA", "AAA", "AAC", "ACC"}[rng.IntN(7)]
	s := &scenario{dur: rng.IntN(3) == 0, faults: faults}
	for _, k := range kinds {
		s.rules = append(s.rules, randomRule(rng, k == 'A'))
	}
	if !alter {
		s.rules = s.rules[:1]
	}
	if rng.IntN(3) == 0 {
		s.queue = 64
	}
	rule := 0
	waits := []time.Duration{0, 250 * time.Millisecond, time.Second, time.Second, time.Second, 2 * time.Second, 7 * time.Second, 90 * time.Second}
	offs := []time.Duration{0, 0, 0, 0, -time.Second, -2 * time.Second, 500 * time.Millisecond, -10 * time.Second, 3 * time.Second, -40 * time.Minute, -3 * time.Hour, 8 * time.Minute}
	if faults {
		offs = append(offs, 20*time.Minute, 5*time.Hour, 5*time.Hour, 10000*time.Hour)
	}
	calm := rng.IntN(2) == 0
	for range 10 + rng.IntN(50) {
		s.steps = append(s.steps, step{kind: "wait", by: waits[rng.IntN(len(waits))]})
		switch n := rng.IntN(40); {
		case n < 5:
			s.steps = append(s.steps, step{kind: []string{"reopen", "crash"}[rng.IntN(2)]})
		case n < 7 && rule+1 < len(s.rules):
			rule++
			s.steps = append(s.steps, step{kind: "alter", rule: rule})
		case n < 9 && faults:
			by := []time.Duration{20 * time.Minute, -20 * time.Minute, 5 * time.Hour, -5 * time.Hour, 40 * 24 * time.Hour, -40 * 24 * time.Hour, 3 * time.Second, -3 * time.Second}
			s.steps = append(s.steps, step{kind: []string{"clock", "clock", "closed"}[rng.IntN(3)], by: by[rng.IntN(len(by))]})
		default:
			in := step{kind: "insert", device: rng.IntN(2)}
			if s.dur && n < 12 {
				in.kind = "cut"
			}
			for range []int{1, 1, 1, 1, 3, 6}[rng.IntN(6)] {
				r := modelRow{}
				if !calm || rng.IntN(6) == 0 {
					r.at = offs[rng.IntN(len(offs))]
				}
				r.at += time.Duration(len(in.rows)) * 250 * time.Millisecond
				for c := range r.vals {
					switch n := rng.IntN(8); {
					case n == 0, c == 2 && alter: // which no rule of numbers has seen
						r.vals[c] = null
					case n == 1:
						if r.vals[c] = float64(rng.IntN(100)); c == 0 {
							r.vals[c] = math.NaN()
						}
					default:
						r.vals[c] = float64(rng.IntN(100))
					}
				}
				in.rows = append(in.rows, r)
			}
			s.steps = append(s.steps, in)
		}
	}
	s.steps = append(s.steps, step{kind: "wait", by: time.Minute}, step{kind: "wait", by: time.Minute})
	return s
}

// modelRun is one run of a scenario, beside the oracle.
type modelRun struct {
	*scenario
	clk  *tickwelltest.Clock
	fs   *crashfs.FS
	db   *tickwell.DB
	rule *judge
	ref  map[string]*refSeries
	got  map[string][]string
	ids  map[string][]string
	news []tickwell.Event // since the last settled step
	err  error

	crashed bool
}

func (m *modelRun) fail(format string, args ...any) {
	if m.err == nil {
		m.err = fmt.Errorf(format, args...)
	}
}

func (m *modelRun) must(err error) {
	if err != nil {
		m.fail("%v", err)
	}
}

func (m *modelRun) open() {
	spec := m.rule.Spec("root.**")
	spec.Queue, spec.Durable = m.queue, m.dur
	var err error
	m.db, err = tickwell.Open(context.Background(), "data", &tickwell.Options{
		FS: m.fs, Clock: m.clk, Seed: 1, Logger: slog.New(slog.DiscardHandler), Sync: tickwell.SyncAlways(), CheckTriggers: true,
		OnTriggerError: func(e *tickwell.TriggerError) { m.fail("the rule failed: %v", e) },
		Sinks: []tickwell.SinkSpec{{Name: "s", Sink: tickwell.SinkFunc(func(_ context.Context, es []tickwell.Event) error {
			for i := range es {
				e := es[i]
				e.Fields = slices.Clone(e.Fields)
				m.news = append(m.news, e)
			}
			return nil
		})}},
		Triggers: []tickwell.TriggerSpec{spec},
	})
	m.must(err)
}

// settle lets the store come to rest, and takes the events.
func (m *modelRun) settle() {
	m.must(m.db.Quiesce(context.Background())) // a queue
	m.clk.Advance(0)
	m.must(m.db.Quiesce(context.Background()))
	for _, e := range m.news {
		what := e.Get("value").String()
		if v := e.Get("last"); !v.IsNull() {
			what = fmt.Sprint(time.Duration(v.Int64() - begin.UnixNano()))
		}
		line := fmt.Sprintf("%s@%v %s", e.Status, e.Time.Sub(begin), what)
		old := m.ids[e.ID]
		if m.crashed && slices.Contains(old, line) {
			continue // handed out again
		}
		if len(old) > 0 && old[0] != line && !m.faults && len(m.rules) == 1 { // time that goes back, and another rule, may repeat an ID
			m.fail("two events of %s have the ID %s: %s, %s", e.Series, e.ID, old, line)
		}
		m.ids[e.ID] = append(old, line)
		m.got[e.Series] = append(m.got[e.Series], line)
	}
	m.news, m.crashed = nil, false
}

func (m *modelRun) now() int64 { return m.clk.Now().UnixNano() }

func (m *modelRun) meet() {
	for _, s := range m.ref {
		s.meet(m.rule, m.now())
	}
}

func (m *modelRun) tablet(s step) *tickwell.Tablet {
	t := &tickwell.Tablet{Device: fmt.Sprint("root.d", s.device)}
	for _, r := range s.rows {
		var fields []tickwell.Field
		for c, v := range r.vals {
			switch {
			case v == null:
			case c == 0:
				fields = append(fields, tickwell.Float64("a", v))
			case c == 1:
				fields = append(fields, tickwell.Int64("b", int64(v)))
			default:
				fields = append(fields, tickwell.Text("c", fmt.Sprint(v)))
			}
		}
		if len(fields) > 0 {
			m.must(t.Append(m.clk.Now().Add(r.at), fields...))
		}
	}
	return t
}

// learn tells the oracle of rows, column by column as the rule sees them.
func (m *modelRun) learn(t *tickwell.Tablet) {
	for c := range t.Columns {
		col := &t.Columns[c]
		if m.rule.Absent == 0 && col.Data.Kind() == tickwell.KindText {
			continue
		}
		path := t.Device + "." + col.Name
		s := m.ref[path]
		if s == nil {
			s = &refSeries{top: math.MinInt64}
			m.ref[path] = s
		}
		for r, at := range t.Times {
			if v := col.Data.Value(r); !col.Nulls.Get(r) {
				s.point(m.rule, at, v.Float64(), m.now())
			}
		}
	}
}

// kick has the rule look at the clock.
func (m *modelRun) kick() {
	t := &tickwell.Tablet{Device: "root.kick"}
	m.must(t.Append(m.clk.Now(), tickwell.Float64("a", 40)))
	m.must(m.db.InsertTablet(context.Background(), t))
	m.must(m.db.Quiesce(context.Background()))
	m.learn(t)
}

func (m *modelRun) crash(op int) {
	img := m.fs.Image(op, crashfs.None, 1)
	m.must(m.db.Close())
	m.fs = crashfs.From(img)
	m.crashed = true
	m.open()
}

func (m *modelRun) run() error {
	m.clk, m.fs, m.rule = tickwelltest.NewClock(begin), crashfs.New(), &m.rules[0]
	m.ref, m.got, m.ids = map[string]*refSeries{}, map[string][]string{}, map[string][]string{}
	m.open()
	if m.err != nil {
		return m.err
	}
	defer func() { m.must(m.db.Close()) }()
	for i, s := range m.steps {
		switch s.kind {
		case "wait":
			m.clk.Advance(s.by)
		case "insert":
			if t := m.tablet(s); len(t.Times) > 0 {
				m.must(m.db.InsertTablet(context.Background(), t))
				m.learn(t)
			}
		case "cut": // the power is cut during an insert
			t := m.tablet(s)
			if len(t.Times) == 0 {
				break
			}
			before := m.fs.Ops()
			m.must(m.db.InsertTablet(context.Background(), t))
			m.must(m.db.Quiesce(context.Background()))
			m.clk.Advance(0)
			m.must(m.db.Quiesce(context.Background()))
			told := len(m.news)
			m.crash(before + i*7%(m.fs.Ops()-before+1))
			if m.err != nil {
				return m.err
			}
			m.must(m.db.Quiesce(context.Background()))
			m.clk.Advance(0)
			m.must(m.db.Quiesce(context.Background()))
			if m.holds(t) {
				m.learn(t)
			} else {
				m.news = m.news[told:]
			}
		case "reopen":
			m.must(m.db.Close())
			m.open()
		case "crash":
			m.crash(m.fs.Ops())
		case "clock":
			m.clk.Set(m.clk.Now().Add(s.by))
			for _, r := range m.ref {
				r.leap(int64(s.by), m.now())
			}
			m.kick()
			m.clk.Advance(61 * time.Second) // so long may an alarm be late
		case "closed": // the clock is set while the store is closed
			m.must(m.db.Close())
			m.clk.Set(m.clk.Now().Add(s.by))
			m.open()
			m.kick()
		case "alter":
			m.rule = &m.rules[s.rule]
			for _, r := range m.ref {
				r.alter(m.rule)
			}
			m.must(m.db.Close())
			m.open()
			m.kick()
		}
		if m.err != nil {
			return m.err
		}
		m.settle()
		m.meet()
		for path, ref := range m.ref {
			if got, want := m.got[path], ref.lines; !slices.Equal(got, want) {
				m.fail("step %d, %s, at %v: %s\n got %s\nwant %s", i, s, m.clk.Now().Sub(begin), path, strings.Join(got, ", "), strings.Join(want, ", "))
			}
		}
		for path := range m.got {
			if m.ref[path] == nil {
				m.fail("step %d: events of %s", i, path)
			}
		}
		if m.err != nil {
			return m.err
		}
	}
	return m.err
}

// holds reports whether the store has the rows of an insert, which it has all or none of.
func (m *modelRun) holds(t *tickwell.Tablet) bool {
	for r, at := range t.Times {
		if slices.Contains(t.Times[r+1:], at) {
			continue // is overwritten
		}
		res, err := m.db.Query(context.Background(), tickwell.Query{From: []string{t.Device}, Start: time.Unix(0, at), End: time.Unix(0, at+1), AlignByDevice: true})
		if err != nil {
			return false
		}
		rows := 0
		for row, err := range res.Rows() {
			m.must(err)
			rows++
			for c := range t.Columns {
				col := &t.Columns[c]
				if !col.Nulls.Get(r) && !row.Get(col.Name).Equal(col.Data.Value(r)) {
					return false
				}
			}
		}
		if rows == 0 {
			return false
		}
	}
	return true
}

// shrink leaves out steps and rows as long as it fails.
func shrink(s *scenario) (*scenario, error) {
	run := func(s *scenario) error { return (&modelRun{scenario: s}).run() }
	err := run(s)
	for again := true; again && err != nil; {
		again = false
		for n := max(len(s.steps)/2, 1); n > 0; n /= 2 {
			for i := 0; i+n <= len(s.steps); {
				less := *s
				less.steps = slices.Delete(slices.Clone(s.steps), i, i+n)
				if e := run(&less); e != nil {
					s, err, again = &less, e, true
				} else {
					i++
				}
			}
		}
		for i := range s.steps {
			for j := len(s.steps[i].rows) - 1; j >= 0; j-- {
				less := *s
				less.steps = slices.Clone(s.steps)
				less.steps[i].rows = slices.Delete(slices.Clone(s.steps[i].rows), j, j+1)
				if e := run(&less); e != nil {
					s, err, again = &less, e, true
				}
			}
			for j := range s.steps[i].rows {
				for c := range s.steps[i].rows[j].vals {
					if s.steps[i].rows[j].vals[c] == null {
						continue
					}
					less := *s
					less.steps = slices.Clone(s.steps)
					less.steps[i].rows = slices.Clone(s.steps[i].rows)
					less.steps[i].rows[j].vals[c] = null
					if e := run(&less); e != nil {
						s, err, again = &less, e, true
					}
				}
			}
		}
	}
	return s, err
}

// Rules against the oracle: late, double and unsorted rows, NaN and null, several
// series and devices, restarts and power cuts, clocks that are wrong and rules that
// are altered.
func TestRulesAgainstReference(t *testing.T) {
	n := *modelSeeds
	if testing.Short() {
		n /= 5
	}
	for seed := *modelFirst; seed < *modelFirst+n; seed++ {
		rng := rand.New(rand.NewPCG(seed, 14))
		s := randomScenario(rng, seed%3 == 1, seed%3 == 2)
		if err := (&modelRun{scenario: s}).run(); err != nil {
			s, err := shrink(s)
			t.Fatalf("seed %d: %v\n%s", seed, err, s)
		}
	}
}
