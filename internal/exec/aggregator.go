package exec

import (
	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/column"
)

// Aggregator folds a group of rows to one value. Rows come in time order.
type Aggregator interface {
	// Start checks the call and returns the kind of the result.
	Start(c *Call) (column.Kind, error)
	// Add folds the rows [lo, hi) of b, whose columns are the inputs.
	Add(b *Batch, lo, hi int) error
	// Result appends the value, or a null, to out. The state stays.
	Result(out *Col) error
	// Reset starts an empty group.
	Reset() error
	// Merge folds the group of other, an Aggregator of the same making, which
	// lies after this one in time or is of another series.
	Merge(other Aggregator) error
	// Close is called when the query is done with it.
	Close()
}

// statsAggregator is an Aggregator that can fold a whole block of its one
// input by its statistics.
type statsAggregator interface {
	// canStats reports whether s holds enough. exact forbids what is not equal
	// bit by bit to folding the cells.
	canStats(s *block.Stats, exact bool) bool
	addStats(s *block.Stats)
	// fields returns what of s it looks at.
	fields() block.Fields
}
