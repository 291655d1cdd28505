package engine

import (
	"context"
	"errors"
	"math"
	"slices"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/codec"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/memtable"
	"github.com/tickwell/tickwell/internal/wal"
)

// StoreID returns the identity of the store, 0 in memory.
func (e *Engine) StoreID() uint64 { return e.disk.store }

// Changed is some rows of one device. It is only valid during the call.
type Changed struct {
	Series []*Series
	Times  []int64
	Cols   []column.Vector
	Nulls  []column.Bitmap
}

// Changes calls f with rows that were committed after a log position and that the
// snapshot shows, of the series that want accepts. Every such row is among them,
// with the value it has or had since; others may be: block files and, if the log
// has been cut meanwhile, the memtable are told of whole. Rows of one cell come in
// the order of their commits. Deletes are not told.
func (s *Snapshot) Changes(ctx context.Context, since uint64, want func(*Series) bool, f func(*Changed) error) error {
	if since >= s.lsn || s.closed {
		return nil
	}
	flushed := uint64(0)
	files := newVersion()
	files.masks = s.version.masks
	for _, b := range s.version.files {
		flushed = max(flushed, b.meta.MaxLSN)
		if b.meta.MaxLSN > since {
			files.files = append(files.files, b)
		}
	}
	part := &Snapshot{e: s.e, epoch: s.epoch, lsn: s.lsn, version: files, reach: s.reach}
	if err := part.everyRow(ctx, want, f); err != nil {
		return err
	}
	from := max(since, flushed)
	if from >= s.lsn {
		return nil
	}
	tail, err := s.e.logTail(ctx, from, s.lsn)
	if err != nil {
		return err
	}
	if tail == nil {
		part.version, part.tables = newVersion(), s.tables
		return part.everyRow(ctx, want, f)
	}
	for _, c := range tail {
		if c = c.only(want); c == nil {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f(c); err != nil {
			return err
		}
	}
	return nil
}

// everyRow calls f with all rows of a snapshot, device by device.
func (s *Snapshot) everyRow(ctx context.Context, want func(*Series) bool, f func(*Changed) error) error {
	if len(s.version.files)+len(s.tables) == 0 {
		return nil
	}
	for _, device := range s.e.cat.Devices("") {
		var series []*Series
		for ser := range s.e.DeviceSeries(device) {
			if want(ser) {
				series = append(series, ser)
			}
		}
		if len(series) == 0 {
			continue
		}
		cur := s.Rows(series, math.MinInt64, math.MaxInt64)
		c := &Changed{Series: series, Cols: make([]column.Vector, len(series)), Nulls: make([]column.Bitmap, len(series))}
		for cur.Next() {
			c.Times = cur.Times()
			for i := range series {
				v, nulls := cur.Col(i)
				c.Cols[i], c.Nulls[i] = *v, nulls
			}
			err := ctx.Err()
			if err == nil {
				err = f(c)
			}
			if err != nil {
				cur.Close()
				return err
			}
		}
		err := cur.Err()
		cur.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// only leaves out the series that are not wanted.
func (c *Changed) only(want func(*Series) bool) *Changed {
	if !slices.ContainsFunc(c.Series, func(ser *Series) bool { return !want(ser) }) {
		return c
	}
	out := &Changed{Times: c.Times}
	for i, ser := range c.Series {
		if want(ser) {
			out.Series, out.Cols, out.Nulls = append(out.Series, ser), append(out.Cols, c.Cols[i]), append(out.Nulls, c.Nulls[i])
		}
	}
	if len(out.Series) == 0 {
		return nil
	}
	return out
}

var errTailEnd = errors.New("end of the tail")

// logTail reads the rows of the records (after, upTo] from the files of the log.
// It returns nil if the log does not have all of them, as after a flush.
func (e *Engine) logTail(ctx context.Context, after, upTo uint64) ([]*Changed, error) {
	if e.log == nil {
		return nil, nil
	}
	tail := []*Changed{}
	var dec block.Decoder
	last := after
	log, _, err := wal.Open(wal.Config{
		FS: e.fs, Dir: e.disk.path("wal"), StoreID: e.disk.store, SegmentBytes: e.cfg.SegmentBytes,
		Clock: e.clock, Policy: wal.Policy{Mode: wal.Never}, Logger: e.cfg.Logger, ReadOnly: true,
	}, after, func(lsn uint64, kind uint8, payload []byte) error {
		if lsn > upTo {
			return errTailEnd
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if lsn != last+1 {
			return errTailEnd // some are missing
		}
		last = lsn
		if kind != recordGroup {
			return nil
		}
		return eachSection(payload, func(kind uint8, body []byte) error {
			if kind == sectionAcross {
				list, err := e.changedAcross(&dec, body)
				tail = append(tail, list...)
				return err
			}
			if kind != sectionTablet {
				return nil
			}
			c, err := e.changedRows(&dec, body)
			if c != nil {
				tail = append(tail, c)
			}
			return err
		})
	})
	if err == nil {
		_ = log.Close() // it was only read
	}
	if cerr := ctx.Err(); cerr != nil {
		return nil, cerr
	}
	if last < upTo {
		return nil, nil
	}
	return tail, nil
}

// changedAcross decodes the tablets of a section of many devices, without those
// whose series are gone.
func (e *Engine) changedAcross(dec *block.Decoder, body []byte) (list []*Changed, err error) {
	var a across
	if err := a.read(&wire{codec.Reader{Src: body}}, dec); err != nil {
		return nil, err
	}
	err = a.each(func(ids []uint32, r *memtable.Rows) error {
		c := &Changed{Times: r.Times, Cols: slices.Clone(r.Cols), Nulls: slices.Clone(r.Nulls)}
		for i, id := range ids {
			ser, ok := e.cat.ByID(id)
			if !ok || ser.Kind != a.kinds[i] {
				return nil
			}
			c.Series = append(c.Series, ser)
		}
		list = append(list, c)
		return nil
	})
	return list, err
}

// changedRows decodes a tablet, nil if its series are gone.
func (e *Engine) changedRows(dec *block.Decoder, body []byte) (*Changed, error) {
	w := wire{codec.Reader{Src: body}}
	ids := w.ids()
	c := &Changed{}
	var kinds []column.Kind
	for _, id := range ids {
		ser, ok := e.cat.ByID(id)
		if !ok {
			return nil, nil
		}
		c.Series, kinds = append(c.Series, ser), append(kinds, ser.Kind)
	}
	if w.Bad || len(kinds) == 0 {
		return nil, nil
	}
	var rows *memtable.Rows
	rows, err := w.tabletRows(dec, kinds)
	if err != nil {
		return nil, err
	}
	c.Times, c.Cols, c.Nulls = rows.Times, rows.Cols, rows.Nulls
	return c, nil
}
