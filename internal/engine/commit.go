package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/memtable"
)

// commit is the scratch of one Commit.
type commit struct {
	rows    []*memtable.Rows // of each tablet: as given, or sorted
	views   []memtable.Rows
	sorters []*memtable.Sorter
	sorted  int
	points  int64

	enc     block.Encoder
	scratch []byte
	body    []byte
	payload []byte
	across  across
	singles Rows // of one kind, see appendSingles

	devices []*memtable.Device
	others  []*memtable.Device // that did not come in order; some may be there twice
	seen    [seenDevices]*memtable.Device
	into    []*memtable.Device // of each row
	w       memtable.Write
	large   bool // its memory has grown beyond what is worth keeping
}

// seenDevices is how many of the devices that a commit touches are known at a
// glance, by the last bits of their ids: a group may have many rows of each.
const seenDevices = 256

// What a commit has held when its memory is not kept for good any more.
const (
	largeTablets = 1 << 10
	largePoints  = 1 << 16
)

func (c *commit) reset() {
	clear(c.rows)
	clear(c.views)
	if len(c.devices)+len(c.others) > seenDevices/8 {
		clear(c.seen[:]) // takes less than to look at them
	} else {
		for _, list := range [...][]*memtable.Device{c.devices, c.others} {
			for _, d := range list {
				c.seen[d.ID%seenDevices] = nil
			}
		}
	}
	clear(c.devices)
	clear(c.others)
	clear(c.into)
	for _, s := range c.sorters[:c.sorted] {
		s.Forget()
	}
	c.rows, c.views, c.sorted, c.points = c.rows[:0], c.views[:0], 0, 0
	c.devices, c.others, c.into = c.devices[:0], c.others[:0], c.into[:0]
	c.w = memtable.Write{}
	c.across.reset()
	if cap(c.payload) > 1<<20 {
		c.payload, c.body, c.scratch = nil, nil, nil
	}
}

// Commit stores b as one atomic log record and makes it visible. It returns when
// the record is acknowledged as the sync policy says, or when it is on the disk
// if durable is set. An error other than *StoredError means that nothing was
// stored; ctx done before the log position is taken is such a case. An empty
// batch is no commit and returns LSN 0. Errors wrap errs.BadInput, errs.Limit,
// errs.KindMismatch, ErrStale, errs.Overloaded, errs.NoSpace, errs.StorageFailed,
// errs.Closed, errs.TooLate.
func (e *Engine) Commit(ctx context.Context, b *Batch, durable bool) (lsn uint64, err error) {
	return e.commit(ctx, b, func(lsn uint64) error { return e.acknowledge(ctx, lsn, durable) })
}

func (e *Engine) commit(ctx context.Context, b *Batch, acknowledge func(lsn uint64) error) (lsn uint64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	c := e.commits.Get()
	defer func() {
		c.large = c.large || len(c.rows) > largeTablets || c.points > largePoints
		c.reset()
		e.commits.Put(c, c.large)
	}()
	if e.cfg.ReadOnly {
		return 0, errs.ReadOnly
	}
	b.LateRows = 0
	if err := c.prepare(b); err != nil {
		return 0, err
	}
	e.stamp(b)
	if len(c.rows) == 0 && len(b.Drops) == 0 && len(b.Deletes) == 0 && len(b.Puts) == 0 && len(b.Events) == 0 {
		return 0, nil
	}
	if e.log != nil {
		c.encode(b)
	}
	if e.retention.on.Load() && len(c.rows) > 0 {
		if err := e.tooLate(b, c); err != nil {
			return 0, err
		}
	}
	if err := e.admit(ctx); err != nil {
		return 0, err
	}
	lsn, err = e.store(b, c)
	if err != nil && e.makeRoom(ctx, err) {
		lsn, err = e.store(b, c)
	}
	if err != nil {
		return 0, err
	}
	if e.log == nil {
		e.evictIfDue()
		return lsn, nil
	}
	return lsn, acknowledge(lsn)
}

// Post is Commit without the wait for the acknowledgement, which Acknowledge
// does. The batch is visible, and as safe as what is committed next; if nobody
// waits, it is written when the interval of the sync policy is over.
func (e *Engine) Post(ctx context.Context, b *Batch) (lsn uint64, err error) {
	return e.commit(ctx, b, func(uint64) error {
		e.log.Linger()
		return nil
	})
}

// Acknowledge waits, as Commit does, for what was posted up to lsn. The error is
// a *StoredError.
func (e *Engine) Acknowledge(ctx context.Context, lsn uint64, durable bool) error {
	if e.log == nil || lsn == 0 {
		return nil
	}
	return e.acknowledge(ctx, lsn, durable)
}

// Durable reports whether what was stored at lsn is known to survive power loss.
func (e *Engine) Durable(lsn uint64) bool { return e.log != nil && e.log.Durable() >= lsn }

// SetTerms puts terms in force between two commits, and calls f there with the
// position of the last: batches made under earlier terms come before, or are
// refused with ErrTerms. f must be quick and not call the engine.
func (e *Engine) SetTerms(terms uint64, f func(last uint64)) {
	e.alone()
	defer e.together()
	e.terms = terms
	f(e.cutLSN())
}

// stamp notes when the events of b were emitted.
func (e *Engine) stamp(b *Batch) {
	if len(b.Events) == 0 {
		return
	}
	now := e.clock.Now().UnixNano()
	for i := range b.Events {
		if b.Events[i].At == 0 {
			b.Events[i].At = now
		}
	}
}

// makeRoom is called when the log refused a record. If that is because others
// failed for want of space, which memory holds and no file, they are written to
// files before the log takes anything newer, unless that rests. It reports whether to
// try again.
func (e *Engine) makeRoom(ctx context.Context, cause error) bool {
	return e.log != nil && errors.Is(cause, errs.NoSpace) && e.log.Held() && e.resting() <= 0 && e.flush(ctx, true) == nil
}

// acknowledge waits for the log as the policy says.
func (e *Engine) acknowledge(ctx context.Context, lsn uint64, durable bool) error {
	err := e.log.Commit(ctx, lsn, durable)
	if err != nil {
		err = e.stored(lsn, err)
	}
	return err
}

// stored makes of what the log said the error for something that is in memory.
func (e *Engine) stored(lsn uint64, err error) error {
	return &StoredError{LSN: lsn, Durable: e.log.Durable() >= lsn && !errors.Is(err, errs.NoSpace), Err: err}
}

// prepare checks b and puts its rows in order.
func (c *commit) prepare(b *Batch) error {
	if n := len(b.Tablets); cap(c.views) < n {
		c.views = make([]memtable.Rows, 0, n)
	}
	for i := range b.Tablets {
		t := &b.Tablets[i]
		if err := t.check(); err != nil {
			return err
		}
		n := len(t.Times)
		if n == 0 {
			c.rows = append(c.rows, nil)
			continue
		}
		c.views = append(c.views, memtable.Rows{Times: t.Times, Cols: t.Cols, Nulls: t.Nulls})
		r := &c.views[len(c.views)-1]
		c.points += int64(n * len(t.Cols))
		for j := range t.Nulls {
			if t.Nulls[j] != nil {
				c.points -= int64(t.Nulls[j].Count(n))
			}
		}
		if !r.Sorted() {
			if c.sorted == len(c.sorters) {
				c.sorters = append(c.sorters, new(memtable.Sorter))
			}
			r = c.sorters[c.sorted].Sort(r)
			c.sorted++
		}
		c.rows = append(c.rows, r)
	}
	for i := range b.Deletes {
		d := &b.Deletes[i]
		if d.From > d.To || slices.Contains(d.Series, nil) {
			return fmt.Errorf("delete from %d to %d of %d series: %w", d.From, d.To, len(d.Series), errs.BadInput)
		}
	}
	if slices.Contains(b.Drops, nil) {
		return fmt.Errorf("drop of no series: %w", errs.BadInput)
	}
	if len(b.Tablets) > 0 && !slices.ContainsFunc(c.rows, func(r *memtable.Rows) bool { return r != nil }) {
		c.rows = c.rows[:0]
	}
	return nil
}

// check reports what is wrong with the tablet itself.
func (t *Tablet) check() error {
	if t.Shape == nil {
		return fmt.Errorf("tablet without a shape: %w", errs.BadInput)
	}
	series := t.Shape.series
	n := len(t.Times)
	switch {
	case len(t.Cols) != len(series):
		return fmt.Errorf("tablet of %s: %d columns for %d series: %w", t.Shape.Device(), len(t.Cols), len(series), errs.BadInput)
	case len(t.Nulls) > len(t.Cols):
		return fmt.Errorf("tablet of %s: %d null bitmaps for %d columns: %w", t.Shape.Device(), len(t.Nulls), len(t.Cols), errs.BadInput)
	case n > MaxRows:
		return fmt.Errorf("tablet of %s: %d rows, at most %d are allowed: %w", t.Shape.Device(), n, MaxRows, errs.Limit)
	}
	for i := range t.Cols {
		v := &t.Cols[i]
		if v.Kind != series[i].Kind {
			return fmt.Errorf("series %s is %s, not %s: %w", series[i].Path(), series[i].Kind, v.Kind, errs.KindMismatch)
		}
		if v.Len() != n {
			return fmt.Errorf("series %s: %d values for %d times: %w", series[i].Path(), v.Len(), n, errs.BadInput)
		}
	}
	for _, at := range t.Times {
		if at < MinTime || at > MaxTime {
			return fmt.Errorf("tablet of %s: time %d is outside of what can be stored: %w", t.Shape.Device(), at, errs.BadInput)
		}
	}
	return nil
}

// encode writes the log record of b, outside of every lock.
func (c *commit) encode(b *Batch) {
	c.enc.Quick = true // replayed once, if ever
	p := c.payload[:0]
	if len(b.Drops) > 0 {
		c.body = appendSeriesIDs(c.body[:0], b.Drops)
		p = appendSection(p, sectionDrop, c.body)
	}
	for i := range b.Deletes {
		c.body = appendDelete(c.body[:0], &b.Deletes[i])
		p = appendSection(p, sectionDelete, c.body)
	}
	for i := 0; i < len(c.rows); i++ {
		r := c.rows[i]
		if n := runAcross(b.Tablets[i:], c.rows[i:]); n >= minAcross {
			c.body = c.across.append(c.body[:0], &c.enc, &c.scratch, b.Tablets[i:i+n], c.rows[i:i+n])
			p = appendSection(p, sectionAcross, c.body)
			i += n - 1
			continue
		}
		for lo := 0; r != nil && lo < len(r.Times); lo += block.MaxRows {
			hi := min(lo+block.MaxRows, len(r.Times))
			c.body = appendTablet(c.body[:0], &c.enc, &c.scratch, &b.Tablets[i].Shape.layout, r, lo, hi)
			p = appendSection(p, sectionTablet, c.body)
		}
	}
	for i := range b.Puts {
		c.body = appendPut(c.body[:0], &b.Puts[i])
		p = appendSection(p, sectionPut, c.body)
	}
	for i := range b.Events {
		c.body = appendEvent(c.body[:0], &b.Events[i])
		p = appendSection(p, sectionEvent, c.body)
	}
	c.payload = p
}

// store takes the log position and makes the batch visible. Batches that drop
// series have the store to themselves.
func (e *Engine) store(b *Batch, c *commit) (uint64, error) {
	if len(b.Drops) > 0 || b.Matched != nil {
		e.making.Lock()
		defer e.making.Unlock()
	}
	if b.Matched != nil && !b.Matched.holds(e) {
		return 0, ErrStale
	}
	e.enter(b)
	defer e.leave(b)
	if e.closed {
		return 0, errs.Closed
	}
	if b.Terms != 0 && b.Terms != e.terms {
		return 0, ErrTerms
	}
	for i := range b.Tablets {
		if b.Tablets[i].Shape.Stale() {
			return 0, fmt.Errorf("tablet of %s: %w", b.Tablets[i].Shape.Device(), ErrStale)
		}
	}
	c.lockDevices(e, b)
	defer c.unlockDevices()
	lsn, err := e.append(c.payload)
	if err != nil {
		return 0, err
	}
	e.apply(b, c, lsn)
	return lsn, nil
}

// enter takes the gate and the locks that what b holds needs, leave gives them
// back. Devices are locked between state and log position: nothing that holds a
// device lock waits for the state or the outbox.
func (e *Engine) enter(b *Batch) {
	if len(b.Drops) > 0 {
		e.alone()
	} else {
		e.gate.RLock()
	}
	if len(b.Puts) > 0 {
		e.kv.mu.Lock()
	}
	if len(b.Events) > 0 {
		e.outbox.mu.Lock()
	}
}

func (e *Engine) leave(b *Batch) {
	if len(b.Events) > 0 {
		e.outbox.mu.Unlock()
	}
	if len(b.Puts) > 0 {
		e.kv.mu.Unlock()
	}
	if len(b.Drops) > 0 {
		e.together()
		return
	}
	e.gate.RUnlock()
}

// append takes a log position. In memory mode a counter gives it.
func (e *Engine) append(payload []byte) (uint64, error) {
	if e.log == nil {
		return e.counter.next(), nil
	}
	return e.log.Append(recordGroup, payload)
}

// lockDevices locks the devices that b touches in the order of their ids.
func (c *commit) lockDevices(e *Engine, b *Batch) {
	for i, r := range c.rows {
		if r != nil {
			c.touches(b.Tablets[i].Shape.into(e.mem))
		}
	}
	for i := range b.Deletes {
		for _, ser := range b.Deletes[i].Series {
			c.touches(e.mem.Device(ser.Dev.ID, true))
		}
	}
	c.lockTouched()
}

// lockTouched locks the devices that were touched.
func (c *commit) lockTouched() {
	if len(c.others) > 0 {
		c.devices = append(c.devices, c.others...)
		slices.SortFunc(c.devices, byID)
		c.devices = slices.Compact(c.devices)
	}
	for _, d := range c.devices {
		d.Lock()
	}
}

// touches adds a device to those to be locked: to the list that is in order, if
// it is not there and goes on from its end, as it mostly does.
func (c *commit) touches(d *memtable.Device) {
	last := &c.seen[d.ID%seenDevices]
	if *last == d {
		return
	}
	*last = d
	if n := len(c.devices); n == 0 || c.devices[n-1].ID < d.ID {
		c.devices = append(c.devices, d)
	} else if _, ok := slices.BinarySearchFunc(c.devices, d, byID); !ok {
		c.others = append(c.others, d)
	}
}

func byID(a, b *memtable.Device) int { return cmp.Compare(a.ID, b.ID) }

func (c *commit) unlockDevices() {
	for i := len(c.devices) - 1; i >= 0; i-- {
		c.devices[i].Unlock()
	}
}

// apply makes the batch visible; every lock it needs is held.
func (e *Engine) apply(b *Batch, c *commit, lsn uint64) {
	cut := memtable.Cut{Epoch: e.epoch.Load(), Oldest: e.snaps.oldest.Load()}
	if len(b.Drops) > 0 {
		e.dropSeries(b.Drops...)
	}
	for i := range b.Deletes {
		d := &b.Deletes[i]
		for _, ser := range d.Series {
			e.mem.Device(ser.Dev.ID, true).Mask(ser.ID, d.From, d.To, lsn, cut)
		}
	}
	late := 0
	for i, r := range c.rows {
		if r == nil {
			continue
		}
		s := b.Tablets[i].Shape
		c.w = memtable.Write{Layout: &s.layout, Rows: *r, LSN: lsn, Cut: cut}
		late += s.into(e.mem).Add(&c.w)
		if e.retention.on.Load() {
			e.retention.saw(r.Times[len(r.Times)-1])
		}
	}
	if b.LateRows = late; late > 0 {
		e.lateRows.Add(int64(late))
	}
	if c.points > 0 {
		e.points.Add(c.points)
	}
	for i := range b.Puts {
		p := &b.Puts[i]
		e.kv.put(p)
		if p.Kind == PutSink && len(b.Events) > 0 { // what is moved on makes room first, as when the log is replayed
			e.outbox.passed(p.Key, p.Value)
		}
	}
	for i := range b.Events {
		e.outbox.add(Pos{LSN: lsn, Ord: uint32(i)}, &b.Events[i])
	}
}

// dropSeries removes series from the catalogue and from memory. The gate is
// held exclusively.
func (e *Engine) dropSeries(series ...*Series) {
	var list []discarded
	places := map[uint32]int{} // of a device in list
	for _, ser := range series {
		if now, ok := e.cat.ByID(ser.ID); !ok || now != ser {
			continue
		}
		e.cat.Drop(ser.ID)
		e.shapes.drop(ser)
		at, ok := places[ser.Dev.ID]
		if !ok {
			at = len(list)
			places[ser.Dev.ID], list = at, append(list, discarded{device: ser.Dev.ID})
		}
		if list[at].ids = append(list[at].ids, ser.ID); e.cat.CountOf(ser.Dev) == 0 {
			list[at].ids = nil // all of it; nothing is made anew before the gate opens
		}
	}
	if len(list) > 0 {
		e.snaps.discard(e, list...)
	}
}
