// Package incremental holds the arithmetic of continuous queries that compute
// only what has changed: grids of windows, and sets of windows that are dirty.
//
// It knows nothing of the store. Instants are Unix nanoseconds; ranges are half
// open.
package incremental
