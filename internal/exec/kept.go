package exec

import (
	"context"

	"github.com/tickwell/tickwell/internal/column"
)

// Kept runs one plan again and again, for one range after another (see
// [Plan.At]), and keeps what a run would have to make anew: streams, aggregates
// and their memory. A query that looks at a few rows costs more to open than to
// run. The zero value is ready; it must not be used for another plan, nor be
// copied, and a run must be closed before the next starts. Not safe for
// concurrent use.
type Kept struct {
	run     Run
	streams map[*part]reusable
	meter   *Meter // of the run before
}

// A reusable stream can be read again, for another range of its plan.
type reusable interface {
	stream
	// lasting reports whether it really can: not with functions of users, which
	// are asked anew by each run.
	lasting() bool
	// rest is close, but leaves what again needs.
	rest()
	// again begins to read what r says. If it returns false, it cannot.
	again(r *run) bool
}

// maxKept bounds the streams that are kept: a plan aligned by device has one for
// each; and the windows of a series that rest.
const maxKept = 64

// smallRun is how many rows a run has read at most if the next one is taken for
// small: one that reads the series of a device together, by one goroutine, and
// not each by itself.
const smallRun = 2048

// Start is [Plan.Start]. What the run gives is valid until the next one starts.
func (k *Kept) Start(ctx context.Context, p *Plan, src Source, m *Meter) *Run {
	if m == nil {
		m = &Meter{}
	}
	few := k.meter != nil && k.meter.Skipped.Load() == 0 && k.meter.Rows.Load() <= smallRun
	k.meter = m
	shown, windows := k.run.shown, k.run.windows[:0]
	p.start(ctx, &k.run, src, m)
	k.run.kept, k.run.small, k.run.shown, k.run.windows = k, few, shown, windows
	return &k.run
}

// Rest is called when a run is over and the next one may be long in coming, of
// another who asks: what was shown stays as it is, nothing of the store is held,
// and what takes much memory goes. It reports whether anything is left that the
// next run can use.
func (k *Kept) Rest() bool {
	for p, s := range k.streams {
		if t, ok := s.(*timeGroups); ok && t.light() {
			cols := t.batch.Cols
			clear(cols) // what is in them is the caller's
			t.batch, t.windows, t.later = Batch{Cols: cols}, nil, nil
			continue
		}
		s.close()
		delete(k.streams, p)
	}
	windows := k.run.windows
	if k.run, k.meter = (Run{}), nil; cap(windows) <= maxKept {
		k.run.windows = windows
	}
	return len(k.streams) > 0
}

// Adopt makes k, which rests, ready for p instead of the plan that it has run. One of
// the two was lifted from the other, or both from a third: they differ in their series
// only. It reports whether it could; if not, k is of no use for p.
func (k *Kept) Adopt(p *Plan) bool {
	if len(k.streams) != 1 || len(p.parts) != 1 {
		return false
	}
	a, ok := p.parts[0].in.(*aggRows)
	if !ok {
		return false
	}
	for of, s := range k.streams {
		t, ok := s.(*timeGroups)
		if !ok || t.small {
			return false
		}
		delete(k.streams, of)
		t.adopt(a)
		k.streams[p.parts[0]] = t
		break
	}
	return true
}

// adopt makes t that of aggregates of other series, alike in all else. Aggregates
// that were started know the kinds of their inputs, which are the same.
func (t *timeGroups) adopt(a *aggRows) {
	for i, n := range t.slots {
		s, at := a.slots[n], t.from[i][0]
		f := t.folds[at[0]]
		t.need[i], f.makes[at[1]], f.series = s, s, a.direct.series[s.members[0].direct]
	}
}

// light reports whether t, at rest, takes little memory whatever it has read.
func (t *timeGroups) light() bool {
	for _, f := range t.folds {
		// Those that cannot be put together may hold all values; of windows that
		// overlap there is a set for each that a row was in.
		if f.rows != nil || f.piece || len(f.free) > maxKept {
			return false
		}
	}
	for _, s := range t.need {
		if s != nil && s.kind.Kind == column.Text { // aggregates hold the last one they saw
			return false
		}
	}
	return true
}

// resume returns the stream of a part that was kept, or nil.
func (k *Kept) resume(p *part) stream {
	s := k.streams[p]
	if s == nil {
		return nil
	}
	if !s.again(&k.run.run) {
		delete(k.streams, p)
		s.close()
		return nil
	}
	return s
}

// keep keeps the stream of a part if it can be.
func (k *Kept) keep(p *part, s stream) {
	if r, ok := lasting(s); ok && len(k.streams) < maxKept {
		if k.streams == nil {
			k.streams = make(map[*part]reusable)
		}
		k.streams[p] = r
	}
}

// end ends the stream of the part that is being read.
func (r *Run) end() {
	if r.s == nil {
		return
	}
	s := r.s
	r.s = nil
	if r.kept != nil {
		if k := r.kept.streams[r.part]; k != nil && stream(k) == s {
			if !r.failed {
				k.rest()
				return
			}
			delete(r.kept.streams, r.part)
		}
	}
	s.close()
}

func lasting(s stream) (reusable, bool) {
	r, ok := s.(reusable)
	return r, ok && r.lasting()
}

func (p *projection) lasting() bool {
	for _, o := range p.ops {
		if !o.stateless() {
			return false
		}
	}
	_, ok := lasting(p.in)
	return ok
}

// stateless reports whether o keeps nothing from one batch to the next.
func (o *op) stateless() bool {
	if o.row != nil || o.n.op == opTable {
		return false
	}
	for _, a := range o.args {
		if !a.stateless() {
			return false
		}
	}
	return true
}

func (p *projection) rest()             { p.in.(reusable).rest() }
func (p *projection) again(r *run) bool { return p.in.(reusable).again(r) }

func (f *filter) lasting() bool {
	_, ok := lasting(f.in)
	return ok && f.where.stateless()
}

func (f *filter) rest() {
	f.in.(reusable).rest()
	clear(f.whole.Cols) // the memory is that of in
	f.whole.Times = nil
}

func (f *filter) again(r *run) bool { return f.in.(reusable).again(r) }

func (s *deviceScan) lasting() bool { return true }

func (s *deviceScan) rest() {
	s.close()
	s.points, s.rows = nil, nil
	clear(s.batch.Cols) // the memory is the cursor's
	s.batch.Times = nil
}

func (s *deviceScan) again(r *run) bool {
	s.src, s.from, s.to, s.closed, s.copied = r.src, r.plan.from, r.plan.to, false, false
	return true
}

func (t *timeGroups) lasting() bool {
	for _, s := range t.need {
		if s != nil && !s.builtin {
			return false
		}
	}
	for _, f := range t.folds {
		if f.paned != nil {
			return false
		}
		if f.rows != nil {
			if _, ok := lasting(f.rows); !ok {
				return false
			}
		}
	}
	return true
}

func (t *timeGroups) rest() {
	for _, f := range t.folds {
		f.rest()
	}
}

func (t *timeGroups) again(r *run) bool {
	if t.small != r.small {
		return false
	}
	t.g, t.run, t.k = r.plan.g, r, 0
	for _, f := range t.folds {
		if !f.again(r) {
			return false
		}
	}
	return true
}

func (f *fold) rest() {
	if f.points != nil {
		f.points.Close()
		f.points, f.cursor = nil, meteredCursor{}
	}
	if f.rows != nil {
		f.rows.(reusable).rest()
	}
	f.free = append(f.free, f.open...)
	f.open = f.open[:0]
	for i := range f.views {
		clear(f.views[i].Cols)
		f.views[i].Times = nil
	}
	clear(f.scanned.Cols)
	f.batch, f.scanned.Times = Batch{}, nil
	f.unread, f.loaded, f.eof, f.low, f.line = nil, false, false, 0, line{}
}

func (f *fold) again(r *run) bool {
	f.g = r.plan.g
	switch {
	case f.rows != nil:
		return f.rows.(reusable).again(r)
	case f.series != nil:
		f.reads(r)
	default:
		f.eof = true
	}
	return true
}
