package engine

import (
	"errors"
	"fmt"

	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/vfs"
)

// ErrStale is returned by Commit, with nothing stored, when a shape of the
// batch names a series that was dropped since the shape was made, or when other
// series match than those of Batch.Matched. Ask Shape, or MatchAll, and repeat.
var ErrStale = errors.New("shape is stale")

// ErrTerms is returned by Commit, with nothing stored, when other terms are in
// force than those of the batch.
var ErrTerms = errors.New("made under other terms")

// StoredError is returned by Commit when the batch took its place in the log
// but the acknowledgement asked for did not come: the context ended or syncing
// failed. The batch is visible, and on the disk if Durable. It unwraps to the
// context's error or the cause.
type StoredError struct {
	LSN     uint64
	Durable bool
	Err     error
}

func (e *StoredError) Error() string {
	state := "not known to be durable"
	if e.Durable {
		state = "durable"
	}
	return fmt.Sprintf("commit %d is stored, %s: %v", e.LSN, state, e.Err)
}

// Unwrap returns the cause.
func (e *StoredError) Unwrap() error { return e.Err }

// errNewer is what is wrong with something whole of a kind that this program does not
// know. Open fails with it and leaves the store alone: to go on without would lose what a
// newer program wrote.
var errNewer = fmt.Errorf("written by a newer version of this program: %w", errs.BadInput)

// full makes the error of a full disk wrap errs.NoSpace.
func full(err error) error {
	if !errors.Is(err, vfs.ErrNoSpace) || errors.Is(err, errs.NoSpace) || errors.Is(err, errs.StorageFailed) {
		return err
	}
	return fmt.Errorf("%w: %w", errs.NoSpace, err)
}
