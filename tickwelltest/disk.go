package tickwelltest

import (
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/vfs"
)

// Disk is a disk in memory that fails when it is told to, for tests of what a
// program does then. It is a [vfs.FS] for [tickwell.Options], and safe for
// concurrent use.
type Disk struct{ *crashfs.FS }

// NewDisk returns an empty disk.
func NewDisk() Disk { return Disk{crashfs.New()} }

// Fail makes the n-th change from now, 1 being the next, fail with err; nil
// stands for some error. A change is a write, a sync, or a call that makes,
// renames or removes a file.
func (d Disk) Fail(n int, err error) { d.FS.Fail(n, err, false, isChange) }

// FailFrom makes all changes from the n-th on fail with err.
func (d Disk) FailFrom(n int, err error) { d.FS.Fail(n, err, true, isChange) }

// Full makes writes fail, with an error that wraps [vfs.ErrNoSpace], that would
// make all files together larger than bytes. A negative number is no limit.
func (d Disk) Full(bytes int64) { d.Budget(bytes) }

// Cut returns the disk as a power cut at this moment would leave it: without
// anything that was not synced. The disk itself goes on; a program that holds
// it knows nothing of the cut.
func (d Disk) Cut() Disk {
	return Disk{crashfs.From(d.Image(d.Ops(), crashfs.None, 0))}
}

var _ vfs.FS = Disk{}

func isChange(op crashfs.Op) bool {
	switch op.Kind {
	case crashfs.Create, crashfs.Rename, crashfs.Remove, crashfs.Mkdir, crashfs.SyncDir, crashfs.Write, crashfs.Sync, crashfs.Truncate:
		return true
	}
	return false
}
