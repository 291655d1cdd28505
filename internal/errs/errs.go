// Package errs holds the sentinel errors that internal packages wrap and the
// root package exports under its own names, so that errors.Is works through
// every layer.
package errs

import "errors"

// The decisions a caller can take on an error; the root package documents when
// each occurs.
var (
	Closed        = errors.New("closed")
	Locked        = errors.New("locked by another opener")
	ReadOnly      = errors.New("read-only")
	NotFound      = errors.New("not found")
	Exists        = errors.New("already exists")
	KindMismatch  = errors.New("value kind differs from the series")
	TooLate       = errors.New("point older than retention")
	NoSpace       = errors.New("no space left")
	StorageFailed = errors.New("storage failed; reopen the store")
	Overloaded    = errors.New("overloaded")
	Damaged       = errors.New("damaged data in range")
	Corrupt       = errors.New("corrupt data")
	Reentrant     = errors.New("re-entrant call")
	Limit         = errors.New("limit reached")
	Rejected      = errors.New("rejected by trigger")
	BadInput      = errors.New("bad input")
)
