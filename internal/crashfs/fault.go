package crashfs

import (
	"errors"
	"io/fs"

	"github.com/tickwell/tickwell/vfs"
)

// Fault makes calls fail.
type Fault struct {
	// N is which of the calls that Filter accepts fails, counted from 1 when
	// the fault is planted.
	N int
	// Err is what the call returns, in an [fs.PathError]; nil stands for some
	// error.
	Err error
	// Sticky makes all later calls that Filter accepts fail too.
	Sticky bool
	// Filter says which calls are counted; nil counts all. It must not use the
	// file system.
	Filter func(Op) bool
	// Short is how many bytes a failing write stores all the same.
	Short int
}

var errInjected = errors.New("injected fault")

type planted struct {
	Fault
	seen int
}

// faults is guarded by the file system's lock.
type faults struct {
	planted []*planted
	budget  int64
	limit   limit
}

type limit uint8

const (
	unlimited limit = iota
	limitWrite
	limitSync
)

// Inject plants a fault. Faults are asked in the order in which they were
// planted, all of them count a call, and the first that is due decides.
func (c *FS) Inject(f Fault) {
	if f.Err == nil {
		f.Err = errInjected
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults.planted = append(c.faults.planted, &planted{Fault: f})
}

// Fail plants the commonest fault: the n-th call from now that filter accepts
// (nil: any) returns err, and all later ones as well if sticky.
func (c *FS) Fail(n int, err error, sticky bool, filter func(Op) bool) {
	c.Inject(Fault{N: n, Err: err, Sticky: sticky, Filter: filter})
}

// Heal removes all faults and limits.
func (c *FS) Heal() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = faults{}
}

// Budget makes the disk hold at most bytes in all files together. A write that
// does not fit stores what does and returns an error that wraps
// [vfs.ErrNoSpace]. A negative number is no limit.
func (c *FS) Budget(bytes int64) { c.setBudget(bytes, limitWrite) }

// SyncBudget is [FS.Budget] for a disk that allocates late: writes succeed, and
// Sync reports that they do not fit.
func (c *FS) SyncBudget(bytes int64) { c.setBudget(bytes, limitSync) }

func (c *FS) setBudget(bytes int64, l limit) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if bytes < 0 {
		l = unlimited
	}
	c.faults.budget, c.faults.limit = bytes, l
}

// hit counts the call and returns the fault that is due, if one is.
func (f *faults) hit(op Op) (due *Fault, err error) {
	for _, p := range f.planted {
		if p.Filter != nil && !p.Filter(op) {
			continue
		}
		p.seen++
		if due == nil && (p.seen == p.N || p.Sticky && p.seen > p.N) {
			due = &p.Fault
		}
	}
	if due == nil {
		return nil, nil
	}
	return due, &fs.PathError{Op: op.Kind.String(), Path: op.Name, Err: due.Err}
}

func (f *faults) writeBudget() (bytes int64, limited bool) {
	return f.budget, f.limit == limitWrite
}

func (f *faults) overBudget(used int64) bool { return f.limit == limitSync && used > f.budget }

func (f *faults) full(op Op) error {
	return &fs.PathError{Op: op.Kind.String(), Path: op.Name, Err: vfs.ErrNoSpace}
}
