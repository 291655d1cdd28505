//go:build !tickwell_small

package memtable

import "unsafe"

// looksAhead: lines of the cache can be asked for before they are needed.
const looksAhead = true

// ahead asks for the lines behind those of its arguments. There need not be memory.
//
//go:noescape
func ahead(times, nums unsafe.Pointer)
