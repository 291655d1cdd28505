package alert

import (
	"container/heap"
	"context"
	"log/slog"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/tickwell/tickwell"
)

// trigger is a Rule at work.
type trigger struct {
	rule   Rule
	clock  tickwell.Clock
	series map[string]*series
	queue  deadlines // of the series that have one
	armed  int64     // what the store's alarm is set to; 0: not known
	off    int64     // the clock over monotonic time, as it was last seen
	log    *slog.Logger
	told   bool // that series of no number are passed over, or it has seen numbers
	path   []byte

	newest func(path string) (time.Time, tickwell.Value, bool) // nil: the store's is no help
}

func (t *trigger) Validate(tickwell.Params) error { return t.rule.validate() }

func (t *trigger) OnCreate(_ context.Context, env tickwell.Env) error {
	t.clock, t.newest, t.log = env.Clock, env.Last, env.Logger
	t.off = t.over(t.clock.Now().UnixNano())
	return nil
}

const statePrefix = "alert/"

// Restore loads what is stored of each series.
func (t *trigger) Restore(_ context.Context, env tickwell.Env) error {
	t.series, t.queue, t.armed, t.newest = make(map[string]*series), nil, 0, env.Last
	for key, value := range env.Scan(statePrefix) {
		s, err := loadSeries(key[len(statePrefix):], value)
		if err != nil {
			return err
		}
		t.catchUp(s)
		s.fit(&t.rule)
		t.series[s.path] = s
		t.schedule(s)
	}
	return nil
}

// catchUp takes the points after the one that changed the series last, of which
// nothing is stored but themselves.
func (t *trigger) catchUp(s *series) {
	if t.newest == nil {
		return
	}
	at, v, ok := t.newest(s.path)
	s.known = ok
	if !ok || at.UnixNano() <= s.top {
		return
	}
	s.top = at.UnixNano()
	s.last = s.top
	if f := v.Float64(); !math.IsNaN(f) {
		s.value = f
	}
}

// Fire judges the points.
func (t *trigger) Fire(_ context.Context, f *tickwell.Firing) error {
	tell := t.teller(f)
	now := t.clock.Now().UnixNano()
	t.follow(f, now)
	judged := false
	for c := range f.Columns {
		if !t.judges(f.Columns[c].Data.Kind()) {
			continue
		}
		judged = true
		s := t.find(f.Device, f.Columns[c].Name)
		touched := false
		for row := range f.Rows() {
			if !row.IsNull(c) && t.point(s, row.UnixNano(), row.Float64(c), now, tell) {
				touched = true
			}
		}
		if touched {
			t.keep(f, s)
		}
	}
	if !judged && !t.told {
		t.log.Warn("a rule with a Condition judges numbers only: this series is passed over",
			"series", f.Device+"."+f.Columns[0].Name, "kind", f.Columns[0].Data.Kind().String())
	}
	t.told = true
	t.arm(f, now)
	return nil
}

// judges reports whether the rule is for series of a kind.
func (t *trigger) judges(k tickwell.Kind) bool {
	return t.rule.Absent > 0 || k >= tickwell.KindInt32 && k <= tickwell.KindFloat64
}

// point takes one point, and reports whether that makes a difference.
func (t *trigger) point(s *series, at int64, v float64, now int64, tell func(*series, int64)) bool {
	nan := t.rule.Absent == 0 && math.IsNaN(v)
	if s.rewound() && s.inStep(now) && at-ahead > now && !nan {
		// The clock that stamps it was wrong before and is again: it is of now.
		s.top = max(s.top, at)
		at = max(now, s.last+1)
	}
	switch {
	case at > s.last && nan:
		s.pass(at, now)
	case at > s.last, !nan && s.rewind(at, now):
		s.point(&t.rule, at, v, now, tell)
	case at == s.last && t.rule.Absent == 0 && (nan || v != s.value):
		s.stale = true // the store has this one now
	default:
		return false
	}
	return true
}

// follow moves the series along with a clock that was set forward, unless the machine
// may have slept: that time has passed.
func (t *trigger) follow(f *tickwell.Firing, now int64) {
	d := t.over(now) - t.off
	t.off += d
	if d <= ahead {
		return
	}
	for _, path := range slices.Sorted(maps.Keys(t.series)) {
		if s := t.series[path]; (s.rewound() || d > asleep) && s.follow(d, now) {
			t.keep(f, s)
		}
	}
}

// OnWake meets the deadlines that the clock has passed.
func (t *trigger) OnWake(_ context.Context, f *tickwell.Firing) error {
	tell := t.teller(f)
	now := t.clock.Now().UnixNano()
	t.armed = 0
	t.follow(f, now)
	for len(t.queue) > 0 && t.queue[0].due <= now {
		s := t.queue[0]
		s.advance(&t.rule, now, tell)
		t.keep(f, s)
	}
	t.arm(f, now)
	return nil
}

// over is what the clock is over monotonic time.
func (t *trigger) over(now int64) int64 { return now - int64(t.clock.Mono()) }

func (t *trigger) find(device, name string) *series {
	t.path = append(append(append(t.path[:0], device...), '.'), name...)
	s := t.series[string(t.path)]
	if s == nil {
		s = newSeries(string(t.path))
		t.series[s.path] = s
	}
	return s
}

// keep stores a series that has changed, unless the points tell, and puts it where
// its deadline belongs.
func (t *trigger) keep(f *tickwell.Firing, s *series) {
	d := s.decided()
	lost := s.stale && s.value != s.shown && s.next(&t.rule) != never // what a deadline is to tell
	if !s.known || d != s.saved || s.last != s.top || lost {
		f.Put(statePrefix+s.path, s.append(nil))
		s.saved, s.shown = d, s.value
		if !s.known && t.newest != nil {
			_, _, s.known = t.newest(s.path)
		}
	}
	t.schedule(s)
}

func (t *trigger) schedule(s *series) {
	s.due = s.next(&t.rule)
	switch {
	case s.due == never && s.index >= 0:
		heap.Remove(&t.queue, s.index)
	case s.due == never:
	case s.index >= 0:
		heap.Fix(&t.queue, s.index)
	default:
		heap.Push(&t.queue, s)
	}
}

// arm has the store wake the trigger at the earliest deadline, or before: each point
// puts off that of Absent, and is not worth a record.
func (t *trigger) arm(f *tickwell.Firing, now int64) {
	due := int64(never)
	if len(t.queue) > 0 {
		due = t.queue[0].due
	}
	if due == t.armed || t.armed != 0 && t.armed < due && t.armed > now-int64(time.Minute) {
		return
	}
	t.armed = due
	if due == never {
		f.Wake(time.Time{})
		return
	}
	f.Wake(time.Unix(0, due))
}

func (t *trigger) teller(f *tickwell.Firing) func(*series, int64) {
	return func(s *series, at int64) {
		labels := map[string]string{"alertname": t.rule.Name, "series": s.path}
		maps.Copy(labels, t.rule.Labels)
		e := tickwell.Event{
			Series: s.path, Time: time.Unix(0, at).UTC(), Labels: labels, Notes: t.rule.Notes, Urgent: t.rule.Urgent, Status: tickwell.StatusResolved,
			Fields: []tickwell.Field{tickwell.Float64("value", s.value)},
		}
		if s.firing {
			e.Status = tickwell.StatusFiring
		}
		if t.rule.Absent > 0 {
			e.Fields = []tickwell.Field{tickwell.Int64("last", s.last)}
		}
		f.Emit(e)
	}
}

// deadlines is a heap of series, the earliest deadline on top.
type deadlines []*series

func (d deadlines) Len() int           { return len(d) }
func (d deadlines) Less(i, j int) bool { return d[i].due < d[j].due }
func (d deadlines) Swap(i, j int)      { d[i], d[j] = d[j], d[i]; d[i].index, d[j].index = i, j }
func (d *deadlines) Push(x any)        { s := x.(*series); s.index = len(*d); *d = append(*d, s) }
func (d *deadlines) Pop() any {
	s := (*d)[len(*d)-1]
	*d = (*d)[:len(*d)-1]
	s.index = -1
	return s
}
