package tickwell

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/exec"
	"github.com/tickwell/tickwell/internal/incremental"
	"github.com/tickwell/tickwell/internal/pattern"
	"github.com/tickwell/tickwell/internal/sorting"
)

// A rollup is a series that an incremental query writes, and which aggregate of
// which stored rows its values are: directly, or by way of other queries, as the
// sum of counts is a count.
type rollup struct {
	q        *cq
	v        *cqView
	device   string // whose rows its values depend on; "": any
	value    *engine.Series
	count    *engine.Series // value is a sum, and the aggregate the average
	upstream []*cqView
}

// rollups are those of a store, found anew when queries or series have changed.
type rollups struct {
	mu      sync.Mutex
	version seriesVersion
	table   *cqTable
	of      map[exec.Aggregate][]rollup
}

// rollupsOf returns what is known of rollups now, the coarsest first. It fails only
// if ctx ends: planning a query may wait for a user's function, so that it is not
// done under the lock either.
func (db *DB) rollupsOf(ctx context.Context) (map[exec.Aggregate][]rollup, *cqTable, error) {
	r := &db.rollups
	table, version := db.cqs.table.Load(), db.seriesVersion()
	if table == nil || len(table.views) == 0 || db.opts.ReadOnly {
		return nil, table, nil
	}
	r.mu.Lock()
	of, known := r.of, r.of != nil && r.table == table && r.version == version
	r.mu.Unlock()
	if known {
		return of, table, nil
	}
	f := rollupFinder{db: db, owned: table.owned, of: map[exec.Aggregate][]rollup{}, from: map[*engine.Series]origin{}}
	for _, q := range db.cqs.ordered() {
		if err := f.add(ctx, q); err != nil && ctx.Err() != nil {
			return nil, nil, err
		}
	}
	for _, all := range f.of {
		sorting.Stable(all, func(a, b rollup) int { return cmp.Compare(b.length(), a.length()) })
	}
	r.mu.Lock()
	r.of, r.table, r.version = f.of, table, version
	r.mu.Unlock()
	return f.of, table, nil
}

func (r *rollup) length() int64 { return r.v.grid.End(0) - r.v.grid.Start(0) }

type rollupFinder struct {
	db    *DB
	owned map[string]string
	of    map[exec.Aggregate][]rollup
	from  map[*engine.Series]origin
}

// origin is what the values of a target are.
type origin struct {
	exec.Aggregate
	rollup
}

// add notes the targets of q, which comes after those that feed it. What cannot
// be planned, or is not stored yet, has none.
func (f *rollupFinder) add(ctx context.Context, q *cq) error {
	v := q.view
	if v == nil || v.grid == nil || !v.ready.Load() || q.inactive != nil || v.grid.Interval != v.grid.Step {
		return nil
	}
	query, ok := q.spec.Query.(Query)
	if !ok || len(query.Into) == 0 {
		return nil
	}
	query.exact, query.Rollups = true, true
	query.Start, query.End = time.Unix(0, v.grid.Start(0)), time.Unix(0, v.grid.End(0))
	plan, _, _, err := f.db.planned(ctx, &query)
	if err != nil {
		return err
	}
	targets, err := query.targets(plan.Columns(), plan.Devices())
	if err != nil {
		return nil
	}
	type sumKey struct {
		exec.Aggregate
		device string
	}
	sums := map[sumKey]*engine.Series{}
	counts := map[sumKey]*engine.Series{}
	for _, a := range plan.Aggregates() {
		path, err := pattern.Canonical(targets[a.Device][a.Column].path())
		if err != nil || f.owned[path] != q.spec.Name { // what others wrote
			continue
		}
		ser, ok := f.db.eng.Lookup(pattern.Split(path))
		if !ok {
			continue
		}
		at := origin{a.Aggregate, rollup{q: q, v: v, value: ser}}
		if v.byDevice {
			at.device = a.Device
		}
		if in, ok := f.from[a.Input]; ok && a.Where == "" && exec.Composes(in.Fn, a.Fn) && in.feeds(v) {
			at.Aggregate = in.Aggregate
			at.upstream = append(slices.Clone(in.upstream), in.v)
			f.note(at) // what it is of the results of another query does not matter
			continue
		}
		f.note(at)
		base := sumKey{a.Aggregate, a.Device}
		base.Fn = ""
		switch a.Fn {
		case "sum":
			sums[base] = ser
		case "count":
			counts[base] = ser
		}
	}
	for base, sum := range sums {
		if count := counts[base]; count != nil {
			mean := origin{base.Aggregate, rollup{q: q, v: v, value: sum, count: count}}
			mean.Fn = "avg"
			if v.byDevice {
				mean.device = base.device
			}
			f.of[mean.Aggregate] = append(f.of[mean.Aggregate], mean.rollup)
		}
	}
	return nil
}

func (f *rollupFinder) note(o origin) {
	f.from[o.value] = o
	f.of[o.Aggregate] = append(f.of[o.Aggregate], o.rollup)
}

// feeds reports whether windows of v are made of whole windows of o: rows of both
// are at the start of their windows, and none of o's was deleted.
func (o *origin) feeds(v *cqView) bool {
	return !v.leftOpen && !o.v.leftOpen && !o.v.atEnd && !o.v.torn.Load()
}

// levelSet is the rollups that a query may take, on one cut.
type levelSet struct {
	source
	of map[exec.Aggregate][]*exec.Level
}

func (s *levelSet) LevelsOf(a exec.Aggregate) []*exec.Level { return s.of[a] }

// rollupTries is how often a cut is taken while runs of queries end.
const rollupTries = 4

// openRollups takes a cut of the store and finds out which windows of the rollups
// that plan may use are as the rows of the cut say. A window is, unless it is
// marked dirty. Marks are read before and after the cut: if none was removed in
// between, those that are there afterwards are all that were there at the cut.
func (db *DB) openRollups(ctx context.Context, plan *exec.Plan, skip func(engine.Damage)) (exec.Source, func(), error) {
	stored := plan.Stored()
	for range rollupTries {
		all, table, err := db.rollupsOf(ctx)
		if err != nil {
			return nil, nil, err
		}
		views := map[*cqView]uint64{}
		some := false
		for _, a := range stored {
			for _, r := range all[a] {
				some = true
				for _, v := range append(slices.Clone(r.upstream), r.v) {
					v.mu.Lock()
					views[v] = v.removed
					v.mu.Unlock()
				}
			}
		}
		cut := db.eng.Snapshot()
		cut.Steady()
		cut.SkipDamaged = skip
		if !some {
			return source{cut}, cut.Release, nil
		}
		if err := db.cqs.barrier(ctx); err != nil {
			cut.Release()
			return nil, nil, err
		}
		dirty, ok := marksOf(views)
		if !ok || db.cqs.table.Load() != table {
			cut.Release()
			continue
		}
		set := &levelSet{source{cut}, map[exec.Aggregate][]*exec.Level{}}
		for _, a := range stored {
			for i := range all[a] {
				// What is known of rollups may be older than a delete of results.
				if slices.ContainsFunc(all[a][i].upstream, func(u *cqView) bool { return u.torn.Load() }) {
					continue
				}
				set.of[a] = append(set.of[a], all[a][i].level(dirty))
			}
		}
		return set, cut.Release, nil
	}
	cut := db.eng.Snapshot()
	cut.Steady()
	cut.SkipDamaged = skip
	return source{cut}, cut.Release, nil
}

// viewMarks are the dirty windows of a view: of all devices, and of one.
type viewMarks struct {
	all incremental.Ranges
	by  map[string]*incremental.Ranges
}

// marksOf returns the marks of views; ok is false if some were removed since.
func marksOf(views map[*cqView]uint64) (dirty map[*cqView]*viewMarks, ok bool) {
	dirty = map[*cqView]*viewMarks{}
	for v, removed := range views {
		v.mu.Lock()
		if v.removed != removed {
			v.mu.Unlock()
			return nil, false
		}
		m := &viewMarks{by: map[string]*incremental.Ranges{}}
		m.all.Add(incremental.Range{From: math.MinInt64, To: v.from}) // rows there are of a definition before
		if v.claiming.Load() {                                        // before found
			m.all.Add(incremental.Range{From: math.MinInt64, To: math.MaxInt64})
		}
		for _, r := range v.found.All() {
			m.all.Add(r)
		}
		marks := make([]cqDirty, 0, len(v.keys))
		for _, d := range v.keys {
			marks = append(marks, d)
		}
		v.mu.Unlock()
		sorting.By(marks, func(a, b cqDirty) int { return cmp.Compare(a.From, b.From) })
		for _, d := range marks {
			to := &m.all
			if d.device != "" {
				if m.by[d.device] == nil {
					m.by[d.device] = &incremental.Ranges{}
				}
				to = m.by[d.device]
			}
			to.Add(d.Range)
		}
		dirty[v] = m
	}
	return dirty, true
}

// touch reports whether a window of device that begins in [from, to) is dirty;
// of any device, if it is "".
func (m *viewMarks) touch(device string, from, to int64) bool {
	if device != "" || len(m.by) == 0 {
		return touches(&m.all, from, to) || touches(m.by[device], from, to)
	}
	for _, s := range m.by {
		if touches(s, from, to) {
			return true
		}
	}
	return touches(&m.all, from, to)
}

// touches reports whether s has something in common with [from, to).
func touches(s *incremental.Ranges, from, to int64) bool {
	if s == nil {
		return false
	}
	all := s.All()
	i := sort.Search(len(all), func(i int) bool { return all[i].To > from })
	return i < len(all) && all[i].From < to
}

// level is r for package exec.
func (r *rollup) level(dirty map[*cqView]*viewMarks) *exec.Level {
	g, own := r.v.grid, dirty[r.v]
	shift := int64(0)
	if r.v.leftOpen {
		shift = 1
	}
	return &exec.Level{
		Name: r.q.spec.Name, Value: r.value, Count: r.count,
		Seek: func(t int64) int64 {
			k := g.Last(t - shift)
			if g.Start(k)+shift < t {
				k++
			}
			return k
		},
		Window: func(k int64) (start, end, row int64) {
			start, end = g.Start(k), g.End(k)
			return start + shift, end + shift, r.v.rowTime(start)
		},
		Clean: func(k int64) bool {
			start, end := g.Start(k), g.End(k)
			if own.touch(r.device, start, start+1) {
				return false
			}
			for _, u := range r.upstream {
				first, last := u.grid.Last(start), u.grid.Last(end-1)
				if u.grid.Start(first) != start || u.grid.End(last) != end || dirty[u].touch("", start, end) {
					return false
				}
			}
			return true
		},
	}
}

// noteTorn remembers for good which queries have lost results by a delete of
// somebody else: what is computed from those results is not what their rows say.
func (t *cqTable) noteTorn(b *engine.Batch) {
	look := func(ser *engine.Series) {
		name := t.owned[pattern.Join(ser.Device, ser.Name)]
		if name == "" {
			return
		}
		for _, v := range t.views {
			if v.name == name && !v.torn.Swap(true) {
				b.Puts = append(b.Puts, engine.Put{Kind: engine.PutProgress, Key: cqKey(name, "torn"), Value: []byte{1}})
			}
		}
	}
	for _, d := range b.Deletes {
		for _, ser := range d.Series {
			look(ser)
		}
	}
	for _, ser := range b.Drops {
		look(ser)
	}
}

// rollupNames are the continuous queries whose results a plan may use, the
// coarsest first.
func (db *DB) rollupNames(ctx context.Context, plan *exec.Plan) string {
	stored := plan.Stored()
	if len(stored) == 0 {
		return ""
	}
	all, _, _ := db.rollupsOf(ctx) // none where ctx has ended before they are found
	var names []string
	for _, a := range stored {
		for _, r := range all[a] {
			if !slices.Contains(names, r.q.spec.Name) {
				names = append(names, r.q.spec.Name)
			}
		}
	}
	return strings.Join(names, ", ")
}
