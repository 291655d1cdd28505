package tickwell

import (
	"context"
	"log/slog"
	"time"

	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/engine"
)

// Backtest fires a trigger for the stored history of the series it listens to,
// from start to end (zero: no bound), and returns the events it would have sent.
// The rows go, one time of one device after the other, into a store of their own
// in memory, whose clock shows the time of the row and, at last, end: nothing
// touches this store. spec.Trigger must be a fresh value, or spec.Class be
// given; the trigger runs inside the insert, whatever Queue and Budget say.
//
// For rows that came in order of time and were never overwritten, and a trigger
// that goes by the rows, by [Env] and by [Firing.Wake], the events are those of
// the live run. History has lost the order in which rows came, and values that
// were overwritten: a trigger that saw a late row late sees it in its place here.
func (db *DB) Backtest(ctx context.Context, spec TriggerSpec, start, end time.Time) ([]Event, error) {
	fail := func(err error) ([]Event, error) {
		return nil, &Error{Op: "backtest", Subject: spec.Name, Err: err}
	}
	all, err := db.matching(ctx, "backtest", spec.path())
	if err != nil {
		return nil, err
	}
	from, to, err := bounds(start, end)
	if err != nil {
		return fail(err)
	}
	if spec.Class != "" {
		if spec.Trigger, err = db.classes.instance(spec.Class); err != nil {
			return fail(err)
		}
		spec.Class = ""
	}
	spec.Queue, spec.Budget, spec.Durable, spec.Sinks, spec.DeadLetter = 0, 0, false, nil, ""
	h := newHistory(db, all, from, to)
	defer h.close()
	first, ok, err := h.peek()
	if err != nil {
		return fail(err)
	}
	if !ok {
		return nil, nil
	}
	clk := clock.NewFake(time.Unix(0, first).UTC())
	mem, err := Open(ctx, "", &Options{Clock: clk, Seed: 1, Logger: slog.New(slog.DiscardHandler), MaxTriggerDepth: db.opts.MaxTriggerDepth, CheckTriggers: db.opts.CheckTriggers})
	if err != nil {
		return fail(err)
	}
	defer func() { _ = mem.Close() }() // nothing in it is kept
	var events []Event
	mem.record = func(e Event) { events = append(events, e) }
	for _, s := range all {
		if err := mem.CreateSeries(ctx, s.Path(), Kind(s.Kind)); err != nil {
			return fail(err)
		}
	}
	if err := mem.CreateTrigger(ctx, spec); err != nil {
		return fail(err)
	}
	for {
		at, ok, err := h.peek()
		if err != nil {
			return fail(err)
		}
		if !ok {
			break
		}
		if err := mem.lendTime(ctx, clk, at); err != nil {
			return fail(err)
		}
		if err := mem.InsertTablet(ctx, h.next()); err != nil && !refused(err) {
			return fail(err)
		}
	}
	if !end.IsZero() {
		if err := mem.lendTime(ctx, clk, to); err != nil {
			return fail(err)
		}
	}
	return events, nil
}

// refused reports whether a trigger refused the insert: in a backtest, as live,
// that is no failure.
func refused(err error) bool {
	_, ok := err.(*TriggerError)
	return ok
}

// lendTime moves the clock to a time, stopping at each alarm on the way.
func (db *DB) lendTime(ctx context.Context, clk *clock.Fake, to int64) error {
	for {
		next := to
		for _, tr := range db.triggers.Load().all {
			tr.alarm.mu.Lock()
			if tr.alarm.set {
				next = min(next, tr.alarm.at)
			}
			tr.alarm.mu.Unlock()
		}
		ring := next < to
		clk.Advance(max(0, time.Duration(next-clk.Now().UnixNano())))
		if err := db.busy.idleWait(ctx); err != nil {
			return err
		}
		if !ring {
			return nil
		}
	}
}

// history is the stored rows of some series in order of time, and of devices
// where times are equal.
type history struct {
	snap    *engine.Snapshot
	devices []*deviceHistory
	now     *deviceHistory
}

type deviceHistory struct {
	device string
	names  []string
	kinds  []column.Kind
	cur    *engine.RowCursor
	row    int
	open   bool
}

func newHistory(db *DB, all []*engine.Series, from, to int64) *history {
	h := &history{snap: db.eng.Snapshot()}
	h.snap.Steady()
	for i := 0; i < len(all); {
		d := &deviceHistory{device: all[i].Device}
		begin := i
		for ; i < len(all) && all[i].Device == d.device; i++ {
			d.names, d.kinds = append(d.names, all[i].Name), append(d.kinds, all[i].Kind)
		}
		d.cur = h.snap.Rows(all[begin:i], from, to)
		d.open = d.cur.Next()
		h.devices = append(h.devices, d)
	}
	return h
}

func (h *history) close() {
	for _, d := range h.devices {
		d.cur.Close()
	}
	h.snap.Release()
}

// peek returns the time of the next row.
func (h *history) peek() (at int64, ok bool, err error) {
	h.now = nil
	for _, d := range h.devices {
		if !d.open {
			if err := d.cur.Err(); err != nil {
				return 0, false, err
			}
			continue
		}
		if t := d.cur.Times()[d.row]; h.now == nil || t < at {
			h.now, at = d, t
		}
	}
	return at, h.now != nil, nil
}

// next takes the row that peek has found.
func (h *history) next() *Tablet {
	d := h.now
	t := &Tablet{Device: d.device, Times: []int64{d.cur.Times()[d.row]}}
	for i, name := range d.names {
		v, nulls := d.cur.Col(i)
		if nulls.Get(d.row) {
			continue
		}
		cell := v.Slice(d.row, d.row+1)
		t.Columns = append(t.Columns, Column{Name: name, Data: vectorOf(&cell)})
	}
	t = t.Clone() // the cursor's memory goes with its batch
	if d.row++; d.row == len(d.cur.Times()) {
		d.row = 0
		d.open = d.cur.Next()
	}
	return t
}
