package exec

import (
	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/catalog"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/pattern"
)

// Series is one measurement of one device.
type Series = catalog.Series

// Catalog finds series.
type Catalog interface {
	// MatchCreated returns the series whose path p matches in creation order.
	MatchCreated(p *pattern.Pattern) []*Series
	// Lookup returns one series.
	Lookup(device, name string) (*Series, bool)
}

// Source reads one cut of the store. It is safe for concurrent use, its
// cursors are not.
type Source interface {
	// Cursor returns the points of s with from <= time < to.
	Cursor(s *Series, from, to int64) Cursor
	// Rows returns the rows of several series of one device aligned by time.
	Rows(s []*Series, from, to int64) RowCursor
	// Last returns the newest point.
	Last(s *Series) (at int64, value column.Cell, ok bool, err error)
}

// A fewSource can copy the rows of several series of one device, if they are few and
// at hand, which is cheaper than a cursor. FewRows reports whether it did. It takes
// the memory of was, what it returned before to the same caller, or nil.
type fewSource interface {
	FewRows(was FewRows, s []*Series, from, to int64) (f FewRows, ok bool)
}

// FewRows is what a [RowCursor] yields, in one batch.
type FewRows interface {
	Times() []int64
	Col(i int) (*column.Vector, column.Bitmap)
}

// Cursor yields the points of one series in batches. Times are strictly
// increasing over the whole cursor; there are no nulls.
type Cursor interface {
	Next() bool
	Times() []int64
	Values() *column.Vector
	// PeekStats returns the statistics of what Next would load, if that is one
	// whole block; Skip passes over it.
	PeekStats() (*block.Stats, bool)
	Skip()
	Err() error
	Close()
}

// RowCursor yields rows of several series in batches. A row has at least one
// cell that is not null; null cells hold the zero value.
type RowCursor interface {
	Next() bool
	Times() []int64
	Col(i int) (*column.Vector, column.Bitmap)
	Err() error
	Close()
}
