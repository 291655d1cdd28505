package engine

import (
	"math"
	"slices"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/pattern"
)

// MaxRows is the largest number of rows of one tablet.
const MaxRows = 1 << 20

// MinTime and MaxTime bound the times that can be stored, in Unix nanoseconds.
// The two extremes of int64 are kept as "from the beginning" and "to the end"
// of ranges.
const (
	MinTime = math.MinInt64 + 1
	MaxTime = math.MaxInt64 - 1
)

// Tablet is rows of one device by column: Cols[i] and Nulls[i] belong to
// series i of the shape. Rows may come in any order; of rows with the same time
// the last non-null cell wins. Nulls may be nil or shorter than Cols when there
// are none. The engine reads the slices only during Commit and keeps none of
// them (strings of Text columns are kept).
type Tablet struct {
	Shape *Shape
	Times []int64
	Cols  []column.Vector
	Nulls []column.Bitmap
}

// Delete removes the points with From <= time < To of the series that were
// written before it. To = math.MaxInt64 means to the end.
type Delete struct {
	Series   []*Series
	From, To int64
}

// PutKind says what a state key holds; it is stored with the value for tools
// and means nothing to the engine. Its numbers are on disk and never change.
type PutKind uint8

// The kinds of durable state.
const (
	PutMeta       PutKind = iota // settings of the store, databases, retention
	PutDefinition                // triggers, continuous queries, sinks, functions
	PutEffect                    // trigger state and position
	PutProgress                  // continuous query progress
	PutSink                      // sink cursor
)

// Put sets or removes one key of the durable state.
type Put struct {
	Kind   PutKind
	Key    string
	Value  []byte // not copied: the caller must not change it any more
	Delete bool
}

// Event leaves the store through the sinks it names, once its batch is durable.
type Event struct {
	Sinks   []string
	Key     string // order is kept per key by the deliverer
	Payload []byte // not copied: the caller must not change it any more
	Urgent  bool   // sync the log soon instead of when the policy says
	At      int64  // when it was emitted, Unix nanoseconds of the wall clock; 0 = Commit sets it
}

// Batch is what one Commit stores: all of it or nothing, in one log record.
// Deletes come before Tablets: a batch that deletes a range and writes into it
// replaces the range. Drops come first of all.
type Batch struct {
	Drops   []*Series
	Deletes []Delete
	Tablets []Tablet
	Puts    []Put
	Events  []Event

	// Terms are those of SetTerms under which the batch was made; it is not stored
	// under others. Zero: any.
	Terms uint64

	// Matched, if set, is where the series of Drops and Deletes are from: it is not
	// stored (ErrStale) if others match by then. Rows of a series that was made
	// meanwhile would go in part.
	Matched *Matched

	// LateRows is set by Commit: the number of rows whose time was not after
	// every row of their group in memory, so that they may have overwritten.
	LateRows int
}

// Reset empties b and keeps its memory.
func (b *Batch) Reset() {
	clear(b.Drops)
	clear(b.Deletes)
	clear(b.Tablets)
	clear(b.Puts)
	clear(b.Events)
	*b = Batch{Drops: b.Drops[:0], Deletes: b.Deletes[:0], Tablets: b.Tablets[:0], Puts: b.Puts[:0], Events: b.Events[:0]}
}

// Matched is the series that matched a pattern, of MatchAll.
type Matched struct {
	Series []*Series

	pattern *pattern.Pattern
	next    uint32 // the catalog's version before
	n       int
}

// MatchAll is Match for a batch that is to reach all series that match.
func (e *Engine) MatchAll(p *pattern.Pattern) *Matched {
	m := &Matched{pattern: p}
	m.next, m.n = e.cat.Version()
	m.Series = e.cat.Match(p)
	return m
}

// holds reports whether the same series match still; nobody makes or drops any.
func (m *Matched) holds(e *Engine) bool {
	if next, n := e.cat.Version(); next == m.next && n == m.n {
		return true
	}
	return slices.Equal(e.cat.Match(m.pattern), m.Series)
}
