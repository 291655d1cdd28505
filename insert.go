package tickwell

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/pattern"
)

// Insert stores one row of a device. A null field marks a cell of an existing
// series as not measured; it overwrites nothing. Series that do not exist are
// made with the kind of their field.
//
// All or nothing is stored. If ctx ends before the row has its place in the
// log, nothing is; later, the row is stored and the error is an [*Error] that
// says so. The call does not keep fields. at is of the years 1678 to 2261.
//
// Errors: ErrBadInput for a path, time or row that cannot be stored,
// ErrKindMismatch, ErrTooLate for a point that has expired already, ErrLimit for
// more series than Options.MaxSeries, ErrReadOnly, ErrNoSpace, ErrStorageFailed,
// ErrOverloaded if memory is full when ctx ends or a flush fails, ErrClosed, what
// Options.Authorize returns, and of a trigger with the strategy [Pessimistic] a
// [*TriggerError]: ErrRejected if it fires before the insert, else the row is
// stored.
func (db *DB) Insert(ctx context.Context, device string, at time.Time, fields ...Field) error {
	if len(fields) <= maxQuick {
		var cells [maxQuick]column.Cell
		if b := db.bound.named(device, fields); b != nil {
			for i := range fields {
				cells[i] = fields[i].Value.cell()
			}
			if stored, err := db.quick(ctx, b, at, cells[:len(fields)]); stored {
				return err
			}
		}
	}
	in, err := db.begin(ctx, "insert", device)
	if err != nil {
		return err
	}
	defer db.end(in)
	ns, err := unixNano(at)
	if err != nil {
		return &Error{Op: "insert", Subject: device, Err: err}
	}
	p := in.add()
	if err := p.setRow(db, device, ns, fields); err != nil {
		return &Error{Op: "insert", Subject: device, Err: err}
	}
	return db.insert(ctx, in, false)
}

// InsertTablet stores the rows of t, as [DB.Insert] does one. The call keeps
// neither t nor its slices. Of rows with the same time the last non-null cell
// of each column wins. More than 1,048,576 rows are ErrLimit.
func (db *DB) InsertTablet(ctx context.Context, t *Tablet) error {
	in, err := db.begin(ctx, "insert", "")
	if err != nil {
		return err
	}
	defer db.end(in)
	if t != nil && len(t.Times) == 1 {
		one := [1]*Tablet{t}
		if _, stored, err := db.quickGroup(ctx, in, false, one[:]); stored {
			return err
		}
	}
	if err := in.addTablet(db, t); err != nil {
		return err
	}
	return db.insert(ctx, in, false)
}

// InsertTablets stores the rows of several tablets as one atomic group: after a
// crash, and in every query, all of them are there or none. A group is one record
// of the log: one of more than 64 MiB is ErrLimit.
func (db *DB) InsertTablets(ctx context.Context, ts ...*Tablet) error {
	_, err := db.Write(ctx, WriteOptions{}, ts...)
	return err
}

// WriteOptions are what [DB.Write] can do beyond [DB.InsertTablets].
type WriteOptions struct {
	// Partial stores the rows that can be stored and reports the others in an
	// [*InsertError], in place of storing nothing.
	Partial bool
	// Durable returns only when the rows are on disk, whatever Options.Sync says.
	Durable bool
}

// WriteResult tells what a [DB.Write] did.
type WriteResult struct {
	Rows int // rows stored
	// LateRows counts rows that were not newer than all rows of their device in
	// memory. They may have overwritten others.
	LateRows int
	// Position is that of the rows in the log, in the order of which triggers
	// see them: see [TriggerInfo].
	Position uint64
}

// Write stores the rows of several tablets as one atomic group, as
// [DB.InsertTablets] does, and tells where they are in the log.
func (db *DB) Write(ctx context.Context, opts WriteOptions, ts ...*Tablet) (WriteResult, error) {
	in, err := db.begin(ctx, "insert", "")
	if err != nil {
		return WriteResult{}, err
	}
	defer db.end(in)
	if res, stored, err := db.quickGroup(ctx, in, opts.Durable, ts); stored {
		return res, err
	}
	var bad *InsertError
	for _, t := range ts {
		if opts.Partial && t != nil {
			t = db.storable(t, &bad)
		}
		if err := in.addTablet(db, t); err != nil {
			return WriteResult{}, err
		}
	}
	if err := db.insert(ctx, in, opts.Durable); err != nil {
		var e *Error
		if !errors.As(err, &e) || !e.Stored {
			return WriteResult{}, err
		}
		return in.result(), err
	}
	res := in.result()
	if bad != nil {
		return res, bad
	}
	return res, nil
}

func (in *insertion) result() WriteResult {
	return WriteResult{Rows: in.rows(), LateRows: in.batch.LateRows, Position: in.lsn}
}

// storable returns the part of t that can be stored: columns whose kind fits
// their series, rows whose time can be stored. The rest goes to bad.
func (db *DB) storable(t *Tablet, bad **InsertError) *Tablet {
	report := func(row int, column string, err error) {
		if *bad == nil {
			*bad = new(InsertError)
		}
		(*bad).Rows = append((*bad).Rows, RowError{t.Device, row, column, err})
	}
	out := &Tablet{Device: t.Device, Times: t.Times}
	for _, c := range t.Columns {
		if c.Data == nil || c.Data.Len() != len(t.Times) {
			return t // not a matter of rows: refused as a whole
		}
		if s, ok := db.eng.Lookup(t.Device, c.Name); ok && Kind(s.Kind) != c.Data.Kind() {
			for i := range t.Times {
				if !c.Nulls.Get(i) {
					report(i, c.Name, kindMismatch(c.Name, Kind(s.Kind), c.Data.Kind()))
				}
			}
			continue
		}
		out.Columns = append(out.Columns, c)
	}
	horizon, late := db.horizon(out)
	keep := make([]int, 0, len(t.Times))
	for i, at := range t.Times {
		switch {
		case at < minTime || at > maxTime:
			report(i, "", fmt.Errorf("time %d is outside [%d, %d]: %w", at, minTime, maxTime, errs.BadInput))
		case late && at < horizon:
			report(i, "", fmt.Errorf("time %d is before %d: %w", at, horizon, errs.TooLate))
		default:
			keep = append(keep, i)
		}
	}
	if len(keep) == len(t.Times) {
		return out
	}
	return out.pick(keep)
}

// horizon returns the time before which rows of t are too late for one of its
// series, if there is one.
func (db *DB) horizon(t *Tablet) (at int64, ok bool) {
	device, err := pattern.Canonical(t.Device)
	if err != nil {
		return 0, false
	}
	for _, c := range t.Columns {
		node, err := pattern.CanonicalNode(c.Name)
		if err != nil {
			return 0, false
		}
		if h, set := db.eng.Horizon(device, node); set && (!ok || h > at) {
			at, ok = h, true
		}
	}
	return at, ok
}

// pick returns a copy of the rows named.
func (t *Tablet) pick(rows []int) *Tablet {
	out := &Tablet{Device: t.Device, Times: make([]int64, 0, len(rows))}
	for _, r := range rows {
		out.Times = append(out.Times, t.Times[r])
	}
	for _, c := range t.Columns {
		src := c.Data.vector()
		var dst column.Vector
		dst.Reset(src.Kind)
		var nulls Bitmap
		for i, r := range rows {
			dst.AppendRange(&src, r, r+1)
			if c.Nulls.Get(r) {
				nulls.Set(i)
			}
		}
		out.Columns = append(out.Columns, Column{c.Name, vectorOf(&dst), nulls})
	}
	return out
}

// check reports whether t could be inserted, without making anything.
func (db *DB) check(t *Tablet) error {
	in := db.scratch.Get()
	defer db.end(in)
	return in.addTablet(db, t)
}

// checkTimes refuses rows that are too late to be kept.
func (in *insertion) checkTimes(db *DB) error {
	for i := range in.n {
		p := &in.parts[i]
		if err := db.eng.CheckTimes(p.bound.path, p.bound.nodes, p.times); err != nil {
			return &Error{Op: "insert", Subject: p.device, Err: err}
		}
	}
	return nil
}

// insert runs a group through authorization, BEFORE triggers, the store and
// AFTER triggers.
func (db *DB) insert(ctx context.Context, in *insertion, durable bool) error {
	if in.n == 0 {
		return nil
	}
	if db.opts.Authorize != nil {
		for i := range in.n {
			if err := db.authorize(ctx, ActionWrite, in.parts[i].device); err != nil {
				return err
			}
		}
	}
	if err := db.cqs.table.Load().checkOwner(in); err != nil {
		return err
	}
	for {
		table := db.triggers.Load()
		if !in.firesNone(table) {
			return db.insertFiring(ctx, in, durable)
		}
		in.batch.Terms = table.terms
		if err := db.commit(ctx, in, durable); !errors.Is(err, engine.ErrTerms) {
			return err
		}
	}
}

// commit stores the group as one log record and waits until that is
// acknowledged.
func (db *DB) commit(ctx context.Context, in *insertion, durable bool) error {
	return db.store(in, func(b *engine.Batch) (uint64, error) { return db.eng.Commit(ctx, b, durable) })
}

// post is commit without the wait: see acknowledge.
func (db *DB) post(ctx context.Context, in *insertion) error {
	err := db.store(in, func(b *engine.Batch) (uint64, error) { return db.eng.Post(ctx, b) })
	in.act.posted(in.lsn)
	return err
}

// store makes the batch of the group and hands it to the engine. It returns
// engine.ErrTerms itself if there are other triggers than the group has met.
func (db *DB) store(in *insertion, commit func(*engine.Batch) (lsn uint64, err error)) error {
	if err := db.cqs.table.Load().checkOwner(in); err != nil {
		return err
	}
	puts := len(in.batch.Puts)
	for {
		if err := in.checkNew(db); err != nil {
			return err
		}
		in.batch.Puts = in.batch.Puts[:puts]
		in.batch.Tablets = in.batch.Tablets[:0]
		for i := range in.n {
			p := &in.parts[i]
			shape, err := p.bound.resolve(db.eng)
			if err != nil {
				return &Error{Op: "insert", Subject: p.device, Err: err}
			}
			in.batch.Tablets = append(in.batch.Tablets, engine.Tablet{Shape: shape, Times: p.times, Cols: p.cols, Nulls: p.nulls})
		}
		marks, err := db.mark(in)
		if err != nil {
			return err
		}
		lsn, err := commit(&in.batch)
		marks.settle(db, err)
		clear(marks.list)
		in.marked = marks.list[:0]
		if errors.Is(err, engine.ErrStale) {
			continue // a series was dropped meanwhile: make it again
		}
		if errors.Is(err, engine.ErrTerms) {
			return err
		}
		in.lsn = lsn
		return in.asError(err)
	}
}

// checkNew refuses, before series are made, rows that are too late to be kept, and
// parts that go by themselves but not together.
func (in *insertion) checkNew(db *DB) error {
	var fresh []engine.Columns
	for i := range in.n {
		if b := in.parts[i].bound; !b.resolved() {
			fresh = append(fresh, engine.Columns{Device: b.path, Names: b.nodes, Kinds: b.kinds})
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	if err := in.checkTimes(db); err != nil || len(fresh) == 1 {
		return err
	}
	if err := db.eng.CheckTogether(fresh); err != nil {
		return &Error{Op: "insert", Subject: in.subject(), Err: err}
	}
	return nil
}

// asError makes an error of the engine one of the insert.
func (in *insertion) asError(err error) error {
	if err == nil {
		return nil
	}
	var stored *engine.StoredError
	if errors.As(err, &stored) {
		in.lsn = stored.LSN
	}
	return insertError(in.subject(), err)
}

// insertError makes an error of the engine one of an insert.
func insertError(subject string, err error) error {
	e := &Error{Op: "insert", Subject: subject, Err: err}
	var stored *engine.StoredError
	if errors.As(err, &stored) {
		e.Stored, e.Durable, e.Err = true, stored.Durable, stored.Err
	}
	return e
}

// subject names the group in errors.
func (in *insertion) subject() string {
	if in.n == 0 {
		return ""
	}
	return in.parts[0].device
}
