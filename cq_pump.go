package tickwell

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"

	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/incremental"
	"github.com/tickwell/tickwell/internal/pattern"
	"github.com/tickwell/tickwell/internal/sorting"
)

// pump is one run of an incremental query: it computes what is dirty and over,
// oldest first, a record for each chunk of windows. More is true if it stopped
// to let others run.
func (db *DB) pump(ctx context.Context, q *cq) (more bool, err error) {
	if err := q.busy.Lock(ctx); err != nil {
		return false, err
	}
	defer q.busy.Unlock()
	if q.retired {
		return false, nil
	}
	v := q.view
	v.mu.Lock()
	due := v.due(db.clock.Mono())
	v.poked = 0
	v.mu.Unlock()
	if due.Empty() {
		return false, nil
	}
	defer func() {
		if err == nil {
			q.runs.Add(1)
		}
	}()
	keys, err := db.cqs.newGeneration(ctx, v)
	if err != nil {
		return false, err
	}
	run := &viewRun{db: db, q: q, v: v, snap: db.eng.Snapshot(), keys: make(map[string]bool)}
	defer run.snap.Release()
	defer func() {
		if err != nil && !run.told && ctx.Err() == nil { // before there was anything to compute
			db.log.Warn("continuous query failed", "cq", v.name, "err", err)
		}
	}()
	if v.grouped() {
		return run.pumpGroups(ctx, keys)
	}
	jobs := run.jobs(keys)
	if _, err := run.prepare(ctx); err != nil {
		return false, err
	}
	for i := range jobs {
		run.take(&jobs[i])
		for _, r := range jobs[i].ranges {
			for !r.Empty() {
				if run.steps == cqSteps {
					return true, nil
				}
				run.steps++
				if r.From, err = run.step(ctx, r); err != nil {
					return false, err
				}
			}
		}
	}
	return false, nil
}

// viewRun is a run of an incremental query on one cut.
type viewRun struct {
	db     *DB
	q      *cq
	v      *cqView
	snap   *engine.Snapshot
	keys   map[string]bool // the marks it may remove
	steps  int
	query  Query
	head   int64
	expiry int64 // windows that begin before are sealed
	counts bool  // rows without input may have values
	told   bool  // the log and the observer know what failed

	claimed bool // there are targets that it does not know, and that may hold rows

	read    []*engine.Series          // by the query
	written map[string]*engine.Series // what it has written before

	job     *viewJob
	inputs  []*engine.Series // of the job
	targets []*engine.Series // of the job
}

// viewJob is windows to compute: of some devices, or of all.
type viewJob struct {
	ranges  []incremental.Range
	devices map[string]bool // nil: all
}

func (j *viewJob) has(device string) bool { return j.devices == nil || j.devices[device] }

// cqJobs is how many groups of devices with the same windows are computed apart.
const cqJobs = 64

// jobs are the windows that are dirty and over, by the devices that are to be
// computed in them.
func (r *viewRun) jobs(keys []string) []viewJob {
	v := r.v
	v.mu.Lock()
	defer v.mu.Unlock()
	span := incremental.Range{From: math.MinInt64, To: v.over(r.db.clock.Mono())}
	r.head = v.head
	var all incremental.Ranges
	byDevice := make(map[string]*incremental.Ranges)
	for _, key := range keys {
		r.keys[key] = true
		d := v.keys[key]
		if d.device == "" {
			all.Add(d.Intersect(span))
		} else if d.From < span.To {
			if byDevice[d.device] == nil {
				byDevice[d.device] = &incremental.Ranges{}
			}
			byDevice[d.device].Add(d.Intersect(span))
		}
	}
	var jobs []viewJob
	if !all.Empty() {
		jobs = append(jobs, viewJob{ranges: all.All()})
	}
	groups := make(map[incremental.Range][]string)
	for device, ranges := range byDevice {
		for _, x := range all.All() {
			ranges.Remove(x)
		}
		for _, x := range ranges.All() {
			groups[x] = append(groups[x], device)
		}
	}
	if len(groups) > cqJobs { // rather some windows too many than a plan for each device
		groups = joined(groups)
	}
	order := slices.Collect(maps.Keys(groups))
	sorting.By(order, func(a, b incremental.Range) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	for _, x := range order {
		j := viewJob{ranges: []incremental.Range{x}, devices: make(map[string]bool)}
		for _, d := range groups[x] {
			j.devices[d] = true
		}
		jobs = append(jobs, j)
	}
	return jobs
}

// joined puts groups together whose windows overlap or touch.
func joined(groups map[incremental.Range][]string) map[incremental.Range][]string {
	var spans incremental.Ranges
	for x := range groups {
		spans.Add(x)
	}
	out := make(map[incremental.Range][]string)
	for x, devices := range groups {
		for _, span := range spans.All() {
			if !x.Intersect(span).Empty() {
				out[span] = append(out[span], devices...)
			}
		}
	}
	return out
}

// prepare plans the query for some range, to learn what it reads and writes.
func (r *viewRun) prepare(ctx context.Context) (*Result, error) {
	r.query = r.q.spec.Query.(Query)
	r.query.exact = true
	r.counts = countsNothing(&r.query)
	from, to := int64(math.MinInt64), int64(math.MaxInt64)
	if r.v.grid != nil {
		from, to = r.v.grid.Start(0), r.v.grid.End(0)
	}
	res, err := r.plan(ctx, from, to)
	if err != nil {
		return nil, err
	}
	r.read = res.plan.Read()
	r.written = make(map[string]*engine.Series)
	for _, path := range r.db.cqs.targetsOf(r.v.name) {
		if ser, ok := r.db.eng.Lookup(pattern.Split(path)); ok {
			r.written[path] = ser
		}
	}
	r.expiry = r.db.expiredBefore(r.v, slices.Concat(r.read, slices.Collect(maps.Values(r.written))))
	return res, nil
}

// take begins a job.
func (r *viewRun) take(j *viewJob) {
	r.job = j
	if j.devices == nil {
		r.inputs, r.targets = r.read, slices.Collect(maps.Values(r.written))
		return
	}
	r.inputs, r.targets = nil, nil
	for _, ser := range r.read {
		if j.devices[ser.Device] {
			r.inputs = append(r.inputs, ser)
		}
	}
	for device := range j.devices {
		for _, t := range r.q.kept.into[device] {
			if path, err := pattern.Canonical(t.path()); err == nil && r.written[path] != nil {
				r.targets = append(r.targets, r.written[path])
			}
		}
	}
}

// expiredBefore returns the start of the first window of which no row and no
// result has expired. Those before stay as they are: what is left of their rows
// would give another result.
func (db *DB) expiredBefore(v *cqView, all []*engine.Series) int64 {
	return v.whole(db.expired(all))
}

// expired returns the time before which rows of one of the series have expired, or
// the least number.
func (db *DB) expired(all []*engine.Series) int64 {
	latest := int64(math.MinInt64)
	for _, ser := range all {
		if at, ok := db.eng.Horizon(ser.Device, ser.Name); ok {
			latest = max(latest, at)
		}
	}
	return latest
}

// whole returns the start of the first window with no row before at, and of the least
// number that.
func (v *cqView) whole(at int64) int64 {
	if at == math.MinInt64 || v.grouped() {
		return at
	}
	if v.leftOpen {
		at--
	}
	return v.grid.Start(v.grid.Last(at-1) + 1)
}

// gone returns the start of the first window of which no row has ever expired, or
// the least number.
func (v *cqView) gone() int64 {
	at := v.passed.Load()
	if v.grouped() {
		v.mu.Lock()
		v.groups.passed.Scan(func(_ string, passed *int64) bool {
			at = max(at, *passed)
			return true
		})
		v.mu.Unlock()
	}
	return v.whole(at)
}

// firstTime returns the first time at or after from of one of the series.
func firstTime(snap *engine.Snapshot, all []*engine.Series, from int64) (int64, bool, error) {
	first, found := int64(math.MaxInt64), false
	for _, ser := range all {
		if found && first == from {
			break
		}
		c := snap.Cursor(ser, from, first)
		if c.Next() {
			first, found = c.Times()[0], true
		}
		err := c.Err()
		c.Close()
		if err != nil {
			return 0, false, err
		}
	}
	return first, found, nil
}

// step computes the next windows of d that may have rows, and returns where the
// next step begins.
func (r *viewRun) step(ctx context.Context, d incremental.Range) (int64, error) {
	if err := ctx.Err(); err != nil {
		return d.From, err
	}
	g := r.v.grid
	if d.From < r.expiry {
		gone := incremental.Range{From: d.From, To: min(r.expiry, d.To)}
		err := r.compute(ctx, incremental.Range{}, gone)
		if err == nil {
			r.v.sealed.Add(g.Count(gone))
		}
		return gone.To, err
	}
	at := d.To // nothing before
	from := d.From
	if r.v.leftOpen {
		from++
	}
	if t, ok, err := firstTime(r.snap, r.inputs, from); err != nil {
		return d.From, err
	} else if ok {
		at = min(at, r.v.touchedBy(incremental.Range{From: t, To: t + 1}).From)
	}
	if d.From < r.v.computed() {
		if t, ok, err := firstTime(r.snap, r.targets, r.v.firstRow(d.From)); err != nil {
			return d.From, err
		} else if ok {
			at = min(at, r.v.windowOf(t))
		}
	}
	at = max(at, d.From)
	if len(r.q.spec.Sinks) > 0 {
		for k, row := range r.v.emitted.sent { // what was sent may have to be taken back
			if row.hash != 0 && k.window >= d.From && k.window < at && r.job.has(k.series) {
				at = k.window
			}
		}
	}
	chunk := incremental.Range{From: at, To: min(d.To, g.Start(g.Last(at)+int64(r.v.chunk)))}
	done := incremental.Range{From: d.From, To: max(chunk.To, d.From)}
	if chunk.Empty() {
		done.To = d.To
	}
	return done.To, r.compute(ctx, chunk, done)
}

// computed returns the frontier.
func (v *cqView) computed() int64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.frontier
}

// rowTime is the time of the row of the window that begins at start.
func (v *cqView) rowTime(start int64) int64 {
	if v.atEnd {
		return min(v.grid.End(v.grid.Last(start)), maxTime)
	}
	return start
}

// firstRow is the first time that windowOf gives to the window that begins at start.
func (v *cqView) firstRow(start int64) int64 {
	if v.atEnd {
		return min(v.grid.End(v.grid.Last(start)-1), maxTime) + 1
	}
	return start
}

// windowOf is the inverse of rowTime, and gives a row that no window has, which
// was stored before, to the window that it is nearest to.
func (v *cqView) windowOf(at int64) int64 {
	if v.atEnd {
		return v.grid.Start(v.grid.First(at - 1))
	}
	return v.grid.Start(v.grid.Last(at))
}

// compute stores the results of the windows that begin in chunk, and that those
// that begin in done are clean, in one record.
func (r *viewRun) compute(ctx context.Context, chunk, done incremental.Range) (err error) {
	db, began := r.db, r.db.clock.Mono()
	in := db.scratch.Get()
	defer db.end(in)
	defer in.leave(db)
	run := &CQRun{Name: r.v.name, At: db.clock.Now().UTC(), db: db, snap: r.snap, spec: r.q, out: &in.fx, from: chunk.From, to: chunk.To}
	run.Start, run.End = instant(chunk.From), instant(chunk.To)
	windows := r.v.grid.Count(chunk)
	defer func() {
		run.over = true
		if windows > 0 || err != nil {
			r.told = err != nil
			db.reportRun(run, began, err)
		}
	}()
	change := r.v.emitted.change()
	if windows > 0 {
		if err := call(r.v.name, func() error { return r.results(ctx, run, in, chunk, change) }); err != nil {
			return err
		}
	}
	run.wrote, in.fx.tablets = in.fx.tablets, nil
	frontier := max(r.v.computed(), chunk.To)
	keep, gone := r.clean(in, done)
	in.fx.puts = append(in.fx.puts, r.v.emitted.puts(change, r.v.name)...)
	in.fx.puts = append(in.fx.puts, r.v.progress(r.head, frontier))
	if err := db.storeRun(ctx, run, in); err != nil {
		return err
	}
	r.v.emitted.stored(change)
	r.v.mu.Lock()
	defer r.v.mu.Unlock()
	r.v.frontier = max(r.v.frontier, frontier)
	r.claimed = r.claimed || run.claimed
	r.v.removed++
	for _, key := range gone {
		delete(r.v.keys, key)
		delete(r.keys, key)
	}
	for key, rest := range keep {
		r.v.keys[key] = rest
		r.keys[key] = true
	}
	r.v.recount()
	r.q.computed.Add(windows)
	return nil
}

// clean removes done from the marks.
func (r *viewRun) clean(in *insertion, done incremental.Range) (keep map[string]cqDirty, gone []string) {
	keep = make(map[string]cqDirty)
	r.v.mu.Lock()
	defer r.v.mu.Unlock()
	for key := range r.keys {
		d := r.v.keys[key]
		if d.Intersect(done).Empty() || r.job.devices != nil && (d.device == "" || !r.job.devices[d.device]) {
			continue
		}
		gone = append(gone, key)
		prefix := key[:len(key)-32-len(d.device)]
		for _, rest := range d.Minus(done) {
			keep[prefix+orderedTime(rest.From)+orderedTime(rest.To)+d.device] = cqDirty{rest, d.device}
		}
	}
	slices.Sort(gone)
	for _, key := range gone {
		in.fx.puts = append(in.fx.puts, engine.Put{Kind: engine.PutProgress, Key: key, Delete: true})
	}
	for _, key := range slices.Sorted(maps.Keys(keep)) {
		in.fx.puts = append(in.fx.puts, engine.Put{Kind: engine.PutProgress, Key: key, Value: []byte{1}})
	}
	// What was found there is gone once that is stored; until then it is marked.
	if v := r.v; !v.found.Empty() && r.job.devices == nil && !r.claimed && done.From >= r.expiry {
		v.found.Remove(done)
		in.fx.puts = v.addFound(incremental.Range{}, in.fx.puts)
	}
	return keep, gone
}
