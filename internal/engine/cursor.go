package engine

import (
	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/merge"
)

// Cursor yields the points of one series, a block at a time; times are strictly
// increasing over the whole cursor and no cell is null. Not safe for concurrent
// use.
type Cursor struct {
	rows  *merge.Rows
	err   error
	kinds [1]column.Kind // memory of rows
	masks [1][]merge.Mask
	ids   [1]uint32
	found [3]merge.Source
}

// Cursor returns the points of one series with from <= time < to
// (to = math.MaxInt64: to the end).
func (s *Snapshot) Cursor(ser *Series, from, to int64) *Cursor {
	c := new(Cursor)
	c.rows, c.err = s.rowsIn([]*Series{ser}, c.kinds[:], c.masks[:], c.ids[:], c.found[:0], from, to)
	return c
}

// Next loads the next batch and reports whether there is one.
func (c *Cursor) Next() bool { return c.rows != nil && c.rows.Next() }

// Times returns the times of the batch, valid until Next, Skip or Close.
func (c *Cursor) Times() []int64 { return c.rows.Times() }

// Values returns the values of the batch, as long as Times and valid as long.
func (c *Cursor) Values() *column.Vector {
	v, _ := c.rows.Col(0)
	return v
}

// PeekStats returns the statistics of the block that the batch of Next would
// begin with, when that is one whole stored block that nothing overlaps or masks.
// Skip passes over it without reading it. Next may put small blocks together.
func (c *Cursor) PeekStats() (*block.Stats, bool) {
	if c.rows == nil {
		return nil, false
	}
	return c.rows.PeekStats()
}

// NextLine is Next for the block of PeekStats if it is known that the times of its
// rows have a constant step: Values has the values of so many rows, and Times has
// nothing. If rows is 0, nothing was done.
func (c *Cursor) NextLine() (first, step int64, rows int) { return c.rows.NextLine() }

// Skip passes over the block of PeekStats.
func (c *Cursor) Skip() { c.rows.Skip() }

// Err returns what ended the cursor early; errs.Damaged names the file and range.
func (c *Cursor) Err() error { return cursorErr(c.rows, c.err) }

// Close releases the cursor's buffers. It may be called at any time, and twice.
func (c *Cursor) Close() { c.err, c.rows = c.Err(), closeRows(c.rows) }

// RowCursor yields rows of several series in batches, times strictly
// increasing; a row has at least one cell that is not null. Not safe for
// concurrent use.
type RowCursor struct {
	rows *merge.Rows
	err  error
}

// Rows returns the rows of some series of one device aligned by time, with
// from <= time < to. Series of several devices are allowed and are aligned the
// same way, only less cheaply. No series is an error wrapping errs.BadInput.
func (s *Snapshot) Rows(series []*Series, from, to int64) *RowCursor {
	if len(series) == 0 {
		return &RowCursor{err: errs.BadInput}
	}
	rows, err := s.rows(series, from, to)
	return &RowCursor{rows: rows, err: err}
}

// Next loads the next batch and reports whether there is one.
func (c *RowCursor) Next() bool { return c.rows != nil && c.rows.Next() }

// Times returns the times of the batch, valid until Next or Close.
func (c *RowCursor) Times() []int64 { return c.rows.Times() }

// Col returns column i and its null bitmap (nil = no nulls), valid until Next
// or Close; null cells hold any value. Neither may be changed.
func (c *RowCursor) Col(i int) (*column.Vector, column.Bitmap) { return c.rows.Col(i) }

// Err returns what ended the cursor early.
func (c *RowCursor) Err() error { return cursorErr(c.rows, c.err) }

// Close releases the cursor's buffers.
func (c *RowCursor) Close() { c.err, c.rows = c.Err(), closeRows(c.rows) }

func closeRows(rows *merge.Rows) *merge.Rows {
	if rows != nil {
		rows.Close()
	}
	return nil
}

// Decoded returns how many blocks were decoded so far, 0 after Close.
func (c *Cursor) Decoded() int64 { return decoded(c.rows) }

// Decoded returns how many blocks were decoded so far, 0 after Close.
func (c *RowCursor) Decoded() int64 { return decoded(c.rows) }

func decoded(rows *merge.Rows) int64 {
	if rows == nil {
		return 0
	}
	return rows.Decoded()
}

func cursorErr(rows *merge.Rows, err error) error {
	if err == nil && rows != nil {
		err = rows.Err()
	}
	return err
}
