package engine

import (
	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/column"
)

// Snapshot is one cut through all devices: it shows every commit up to its LSN
// whole and none after. Taking one is O(1); it pins files and memory until
// Release. Safe for concurrent use; cursors of one snapshot may run in parallel.
type Snapshot struct{ e *Engine }

// Snapshot takes a cut of everything committed so far.
func (e *Engine) Snapshot() *Snapshot { return &Snapshot{e} }

// Release frees what the snapshot pins. Cursors must be closed before. A second
// Release does nothing.
func (s *Snapshot) Release() {}

// LSN returns the last commit the snapshot shows.
func (s *Snapshot) LSN() uint64 { return 0 }

// Point is one value: Value holds a single cell of the series' kind.
type Point struct {
	Time  int64
	Value column.Vector
}

// Last returns the newest point of a series without reading what is older.
// A newest block that is damaged is an error wrapping errs.Damaged.
func (s *Snapshot) Last(ser *Series) (Point, bool, error) { return Point{}, false, nil }

// Cursor returns the points of one series with from <= time < to
// (to = math.MaxInt64: to the end).
func (s *Snapshot) Cursor(ser *Series, from, to int64) *Cursor { return nil }

// Rows returns the rows of some series of one device aligned by time, with
// from <= time < to. Series of several devices are allowed and are aligned the
// same way, only less cheaply.
func (s *Snapshot) Rows(series []*Series, from, to int64) *RowCursor { return nil }

// Cursor yields the points of one series, a block at a time; times are strictly
// increasing over the whole cursor and no cell is null. Not safe for concurrent
// use.
type Cursor struct{}

// Next loads the next batch and reports whether there is one.
func (c *Cursor) Next() bool { return false }

// Times returns the times of the batch, valid until Next, Skip or Close.
func (c *Cursor) Times() []int64 { return nil }

// Values returns the values of the batch, as long as Times and valid as long.
func (c *Cursor) Values() *column.Vector { return nil }

// PeekStats returns the statistics of the batch that Next would load, when that
// batch is one whole stored block that nothing overlaps or masks. Skip passes
// over it without reading it.
func (c *Cursor) PeekStats() (*block.Stats, bool) { return nil, false }

// Skip passes over the batch of PeekStats.
func (c *Cursor) Skip() {}

// Err returns what ended the cursor early; errs.Damaged names the file and range.
func (c *Cursor) Err() error { return nil }

// Close releases the cursor's buffers. It may be called at any time, and twice.
func (c *Cursor) Close() {}

// RowCursor yields rows of several series in batches, times strictly
// increasing; a row has at least one cell that is not null. Not safe for
// concurrent use.
type RowCursor struct{}

// Next loads the next batch and reports whether there is one.
func (c *RowCursor) Next() bool { return false }

// Times returns the times of the batch, valid until Next or Close.
func (c *RowCursor) Times() []int64 { return nil }

// Col returns column i and its null bitmap (nil = no nulls), valid until Next
// or Close; null cells hold the zero value. Neither may be changed.
func (c *RowCursor) Col(i int) (*column.Vector, column.Bitmap) { return nil, nil }

// Err returns what ended the cursor early.
func (c *RowCursor) Err() error { return nil }

// Close releases the cursor's buffers.
func (c *RowCursor) Close() {}
