package tickwell

import (
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/incremental"
	"github.com/tickwell/tickwell/internal/pattern"
)

// groupRun is a run of a query whose windows depend on rows.
type groupRun struct {
	*viewRun
	groups *cqGroups
	mark   int64 // windows that end until then are over
	all    bool  // so are the others
	end    int64 // rows from here on are not looked at
	newest int64 // time of the newest row there may be

	tails   map[string]groupTail // as the cut has them
	plan    *Result
	parts   map[string]int // of the plan, by device
	inputs  map[string][]*engine.Series
	targets map[string][]*engine.Series

	due   map[string]*incremental.Ranges // what is dirty and over, by device
	marks map[string][]string            // the marks that say so
	wide  []string                       // those for all devices
	span  incremental.Range              // of these
	rest  string                         // what new marks begin with

	rec  *groupRecord
	read func(device string, rows []*Tablet, span incremental.Range) error // instead of storing, see readGroups
	sent map[string][]int64                                                // windows that were sent, by device
}

// groupRecord is what is going to be stored in one record.
type groupRecord struct {
	run     *CQRun
	in      *insertion
	change  *emissionChange
	began   time.Duration
	windows int64
	gone    []string
	keep    map[string]cqDirty
	tails   map[string]*groupTail // nil: none is left
	done    int                   // devices
}

const cqDevices = 256 // devices whose results are stored in one record

// pumpGroups computes what keys say.
func (r *viewRun) pumpGroups(ctx context.Context, keys []string) (more bool, err error) {
	g := r.groupRun()
	r.v.mu.Lock()
	mono := r.db.clock.Mono()
	over := r.v.over(mono)
	g.all = r.v.onChange || r.v.idleNow(mono)
	r.v.mu.Unlock()
	g.mark, g.end = over-1, over
	if g.all || r.v.idle > 0 {
		g.end = math.MaxInt64
	}
	if err := g.setOut(ctx); err != nil {
		return false, err
	}
	marks := make(map[string]cqDirty, len(keys))
	g.v.mu.Lock()
	for _, key := range keys {
		if d := g.v.keys[key]; d.From < over {
			marks[key] = d
		}
	}
	g.v.mu.Unlock()
	g.spread(marks)
	defer g.abandon()
	devices := slices.Sorted(maps.Keys(g.due))
	for _, d := range devices {
		if more, err = g.device(ctx, d); err != nil || more {
			break
		}
	}
	if err == nil {
		err = g.finish(ctx)
	}
	return more, err
}

func (r *viewRun) groupRun() *groupRun {
	g := &groupRun{viewRun: r, groups: r.v.groups, parts: make(map[string]int), inputs: make(map[string][]*engine.Series),
		targets: make(map[string][]*engine.Series), due: make(map[string]*incremental.Ranges), marks: make(map[string][]string)}
	r.v.mu.Lock()
	defer r.v.mu.Unlock()
	r.head, g.newest, g.rest, g.tails = r.v.head, r.v.newest, r.v.markPrefix(r.v.gen-1), maps.Clone(r.v.groups.tails)
	return g
}

// setOut learns what the devices read and write.
func (g *groupRun) setOut(ctx context.Context) error {
	var err error
	if g.plan, err = g.prepare(ctx); err != nil {
		return err
	}
	for i, d := range g.plan.plan.Devices() {
		g.parts[d] = i
		for _, t := range g.plan.into[d] {
			if path, err := pattern.Canonical(t.path()); err == nil && g.written[path] != nil {
				g.targets[d] = append(g.targets[d], g.written[path])
			}
		}
	}
	for _, ser := range g.viewRun.read {
		d := ""
		if g.v.byDevice {
			d = ser.Device
		}
		g.inputs[d] = append(g.inputs[d], ser)
	}
	if len(g.q.spec.Sinks) > 0 && g.read == nil {
		g.sent = make(map[string][]int64)
		for k, row := range g.v.emitted.sent {
			if row.hash != 0 {
				g.sent[k.series] = append(g.sent[k.series], k.window)
			}
		}
		for _, all := range g.sent {
			slices.Sort(all)
		}
	}
	return nil
}

// spread finds what is due for each device.
func (g *groupRun) spread(marks map[string]cqDirty) {
	var all incremental.Ranges
	for key, d := range marks {
		if d.device == "" {
			all.Add(d.Range)
			g.wide = append(g.wide, key)
			continue
		}
		g.dueOf(d.device).Add(d.Range)
		g.marks[d.device] = append(g.marks[d.device], key)
	}
	if all.Empty() {
		return
	}
	g.span = incremental.Range{From: all.All()[0].From, To: incremental.Latest}
	for d := range g.parts {
		for _, r := range all.All() {
			g.dueOf(d).Add(r)
		}
	}
}

func (g *groupRun) dueOf(device string) *incremental.Ranges {
	r := g.due[device]
	if r == nil {
		r = &incremental.Ranges{}
		g.due[device] = r
	}
	return r
}

// device computes the windows of a device. More is true if that was too much
// for one run.
func (g *groupRun) device(ctx context.Context, d string) (more bool, err error) {
	due := g.due[d]
	low := g.v.from
	tail, known := g.tails[d]
	s := groupScan{groupRun: g, device: d, tail: tail, known: known, next: math.MaxInt64}
	s.expiry = g.db.expiredBefore(g.v, slices.Concat(g.inputs[d], g.targets[d]))
	for !due.Empty() {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		if err := s.begin(due, low); err != nil {
			return false, err
		}
		if s.from == math.MaxInt64 {
			break // what is left is sealed
		}
		if err := call(g.v.name, func() error { return s.run(ctx, due) }); err != nil {
			return false, err
		}
		if s.full {
			return true, nil
		}
		low = s.agreed
	}
	return g.deviceDone(ctx, &s)
}

// deviceDone notes that nothing of a device is dirty but what is not over yet.
func (g *groupRun) deviceDone(ctx context.Context, s *groupScan) (more bool, err error) {
	if g.read != nil {
		return false, nil
	}
	if !g.all && s.ended && g.end < math.MaxInt64 && g.newest >= g.end {
		if t, ok, err := firstTime(g.snap, g.inputs[s.device], g.end); err != nil {
			return false, err
		} else if ok {
			s.next = min(s.next, t)
		}
	}
	rec := g.record()
	if s.ended {
		rec.tails[s.device] = s.last
	}
	g.settleMarks(s.device, s.next)
	if rec.done++; rec.done >= cqDevices || rec.windows >= cqChunk {
		return g.commit(ctx)
	}
	return false, nil
}

// settleMarks replaces the marks of a device by one for what is due from next on.
func (g *groupRun) settleMarks(device string, next int64) {
	rec := g.rec
	delete(g.due, device)
	rec.gone = append(rec.gone, g.marks[device]...)
	delete(g.marks, device)
	if next < incremental.Latest {
		g.keepMark(cqDirty{incremental.Range{From: next, To: incremental.Latest}, device})
	}
}

// keepDue replaces the marks of a device by what is still due.
func (g *groupRun) keepDue(device string) {
	g.rec.gone = append(g.rec.gone, g.marks[device]...)
	g.marks[device] = nil
	for _, r := range g.due[device].All() {
		g.marks[device] = append(g.marks[device], g.keepMark(cqDirty{r, device}))
	}
}

func (g *groupRun) keepMark(d cqDirty) string {
	key := g.rest + orderedTime(d.From) + orderedTime(d.To) + d.device
	g.rec.keep[key] = d
	return key
}

// finish deletes the results of devices that are gone, and stores what is left.
func (g *groupRun) finish(ctx context.Context) error {
	if g.read != nil {
		return nil
	}
	rec := g.record()
	if len(g.wide) > 0 {
		rec.gone = append(rec.gone, g.wide...)
		if err := g.orphans(); err != nil {
			return err
		}
	}
	for _, d := range slices.Sorted(maps.Keys(g.due)) { // what was not reached
		g.keepDue(d)
	}
	_, err := g.commit(ctx)
	return err
}

// orphans deletes and takes back what was written for devices that the query
// does not have any more.
func (g *groupRun) orphans() error {
	owned := make(map[string]bool)
	for _, all := range g.targets {
		for _, ser := range all {
			owned[ser.Path()] = true
		}
	}
	g.viewRun.targets = nil
	for path, ser := range g.written {
		if !owned[path] {
			g.viewRun.targets = append(g.viewRun.targets, ser)
		}
	}
	span := incremental.Range{From: max(g.span.From, g.expiry), To: math.MaxInt64}
	if err := g.difference(g.rec.run, g.rec.in, nil, span); err != nil {
		return err
	}
	for d := range g.sent {
		if _, ok := g.parts[d]; !ok {
			if err := g.emitRows(d, nil, span); err != nil {
				return err
			}
		}
	}
	return nil
}

// emitRows sends what is new of a device in a span, and takes back what is gone.
func (g *groupRun) emitRows(device string, rows []*Tablet, span incremental.Range) error {
	g.job = &viewJob{devices: map[string]bool{device: true}}
	return g.emit(g.rec.run, rows, span, g.rec.change)
}

// replace puts rows in the place of what a device has in span.
func (g *groupRun) replace(device string, rows []*Tablet, span incremental.Range) error {
	if g.read != nil {
		return g.read(device, rows, span)
	}
	rec := g.record()
	for _, t := range rows {
		rec.windows += int64(t.Len())
	}
	rec.run.from, rec.run.to = min(rec.run.from, span.From), max(rec.run.to, min(span.To, g.newest+1))
	if len(g.q.spec.Sinks) > 0 {
		if err := g.emitRows(device, rows, span); err != nil {
			return err
		}
	}
	if len(g.query.Into) == 0 {
		return nil
	}
	tablets, _, err := g.plan.intoOf(&g.query, all(rows))
	if err != nil {
		return err
	}
	g.viewRun.targets = g.targets[device]
	return g.difference(rec.run, rec.in, tablets, span)
}

// record is the one that is being gathered.
func (g *groupRun) record() *groupRecord {
	if g.rec != nil {
		return g.rec
	}
	db := g.db
	in := db.scratch.Get()
	g.rec = &groupRecord{in: in, began: db.clock.Mono(), change: g.v.emitted.change(), keep: make(map[string]cqDirty), tails: make(map[string]*groupTail),
		run: &CQRun{Name: g.v.name, At: db.clock.Now().UTC(), db: db, snap: g.snap, spec: g.q, out: &in.fx, from: math.MaxInt64, to: math.MinInt64}}
	return g.rec
}

// abandon gives up a record that is not stored.
func (g *groupRun) abandon() {
	if g.rec != nil {
		g.rec.in.leave(g.db)
		g.db.end(g.rec.in)
		g.rec = nil
	}
}

// commit stores the record. More is true if the run should let others run.
func (g *groupRun) commit(ctx context.Context) (more bool, err error) {
	rec := g.record()
	defer g.abandon()
	v, in, run := g.v, rec.in, rec.run
	if run.from < run.to {
		run.Start, run.End = instant(run.from), instant(run.to)
		defer func() {
			g.told = err != nil
			g.db.reportRun(run, rec.began, err)
		}()
	}
	run.over = true
	run.wrote, in.fx.tablets = in.fx.tablets, nil
	put := func(p engine.Put) { in.fx.puts = append(in.fx.puts, p) }
	for _, key := range rec.gone {
		if _, again := rec.keep[key]; !again {
			put(engine.Put{Kind: engine.PutProgress, Key: key, Delete: true})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(rec.keep)) {
		put(engine.Put{Kind: engine.PutProgress, Key: key, Value: []byte{1}})
	}
	v.mu.Lock()
	frontier := v.frontier
	for _, d := range slices.Sorted(maps.Keys(rec.tails)) {
		t := rec.tails[d]
		was, had := g.groups.tails[d]
		switch {
		case t == nil && had:
			put(engine.Put{Kind: engine.PutProgress, Key: tailKey(v.name, d), Delete: true})
		case t != nil && (!had || was != *t):
			put(t.put(v.name, d))
		}
	}
	v.mu.Unlock()
	in.fx.puts = append(in.fx.puts, v.emitted.puts(rec.change, v.name)...)
	put(v.progress(g.head, frontier))
	if err = g.db.storeRun(ctx, run, in); err != nil {
		return false, err
	}
	g.steps++
	v.emitted.stored(rec.change)
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, key := range rec.gone {
		delete(v.keys, key)
	}
	maps.Copy(v.keys, rec.keep)
	for d, t := range rec.tails {
		if t == nil {
			delete(g.groups.tails, d)
		} else {
			g.groups.tails[d] = *t
		}
	}
	v.recount()
	g.q.computed.Add(rec.windows)
	return g.steps >= cqSteps, nil
}

// lastWindow returns the start of the last window of a device that is known to
// begin before a time, and at or after low.
func (g *groupRun) lastWindow(device string, before, low int64) (at int64, ok bool, err error) {
	for _, ser := range g.targets[device] {
		t, found, err := lastIn(g.snap, ser, low, before)
		if err != nil {
			return 0, false, err
		}
		if found && (!ok || t > at) {
			at, ok = t, true
		}
	}
	if n, _ := slices.BinarySearch(g.sent[device], before); n > 0 {
		if t := g.sent[device][n-1]; t >= low && (!ok || t > at) {
			at, ok = t, true
		}
	}
	return at, ok, nil
}

// firstWindow returns the start of the first window of a device that is known to
// begin at or after a time.
func (g *groupRun) firstWindow(device string, from int64) (at int64, ok bool, err error) {
	if at, ok, err = firstTime(g.snap, g.targets[device], from); err != nil {
		return 0, false, err
	}
	if n, _ := slices.BinarySearch(g.sent[device], from); n < len(g.sent[device]) {
		if t := g.sent[device][n]; !ok || t < at {
			at, ok = t, true
		}
	}
	return at, ok, nil
}
