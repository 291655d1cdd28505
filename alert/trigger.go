package alert

import (
	"container/heap"
	"context"
	"maps"
	"math"
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
	path   []byte

	newest func(path string) (time.Time, tickwell.Value, bool) // nil: the store's is no help
}

func (t *trigger) Validate(tickwell.Params) error { return t.rule.validate() }

func (t *trigger) OnCreate(_ context.Context, env tickwell.Env) error {
	t.clock, t.newest = env.Clock, env.Last
	return nil
}

const statePrefix = "alert/"

// Restore loads what is stored of each series.
func (t *trigger) Restore(_ context.Context, env tickwell.Env) error {
	t.series, t.queue, t.armed, t.newest = make(map[string]*series), nil, 0, env.Last
	now := env.Clock.Now().UnixNano()
	for key, value := range env.Scan(statePrefix) {
		s, err := loadSeries(key[len(statePrefix):], value)
		if err != nil {
			return err
		}
		t.catchUp(s, now)
		s.off = now - int64(env.Clock.Mono())
		t.series[s.path] = s
		t.schedule(s)
	}
	return nil
}

// catchUp takes the points after the one that changed the series last, of which
// nothing is stored but themselves.
func (t *trigger) catchUp(s *series, now int64) {
	if t.newest == nil {
		return
	}
	at, v, ok := t.newest(s.path)
	s.known = ok
	if !ok || at.UnixNano() <= s.last {
		return
	}
	s.top = at.UnixNano()
	if s.top-ahead > now && s.last-ahead <= now {
		return
	}
	s.last = s.top
	if f := v.Float64(); !math.IsNaN(f) {
		s.value = f
	}
}

// Fire judges the points.
func (t *trigger) Fire(_ context.Context, f *tickwell.Firing) error {
	tell := t.teller(f)
	now := t.clock.Now().UnixNano()
	for c := range f.Columns {
		numeric := f.Columns[c].Data.Kind() >= tickwell.KindInt32 && f.Columns[c].Data.Kind() <= tickwell.KindFloat64
		if !numeric && t.rule.Absent == 0 {
			continue
		}
		s := t.find(f.Device, f.Columns[c].Name)
		touched := s.last < s.top && s.follow(t.over(now), now)
		for row := range f.Rows() {
			if row.IsNull(c) {
				continue
			}
			at, v := row.UnixNano(), row.Float64(c)
			if t.rule.Absent == 0 && math.IsNaN(v) {
				continue
			}
			if at <= s.last {
				if !s.rewind(at, now) {
					continue
				}
				s.off = t.over(now)
			}
			s.point(&t.rule, at, v, now, tell)
			touched = true
		}
		if touched {
			t.keep(f, s)
		}
	}
	t.arm(f, now)
	return nil
}

// OnWake meets the deadlines that the clock has passed.
func (t *trigger) OnWake(_ context.Context, f *tickwell.Firing) error {
	tell := t.teller(f)
	now := t.clock.Now().UnixNano()
	t.armed = 0
	for len(t.queue) > 0 && t.queue[0].due <= now {
		s := t.queue[0]
		s.follow(t.over(now), now)
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
	if d := s.decided(); !s.known || d != s.saved || s.last != s.top {
		f.Put(statePrefix+s.path, s.append(nil))
		s.saved = d
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
