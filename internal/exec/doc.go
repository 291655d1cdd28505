// Package exec plans and runs queries: it resolves names and wildcards against
// a catalog, and then works column by column, a batch of rows at a time, over
// the cursors of a [Source].
//
// A plan is a tree of row streams. Series are read aligned by time; WHERE cuts
// rows; functions that make series of their own are streams again, joined by
// time with the rest. Aggregates fold either the blocks of one series, whole
// blocks by their statistics where that is allowed, or rows. What comes out is
// filled, ordered and cut at the end.
package exec
