package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/vfs"
)

// backupDir is two folders deep: both are new on the disk of the copy.
const backupDir = "backups/copy"

// backedUp returns a store with every kind of file, and what it holds.
func backedUp(t *testing.T) (*Engine, map[string]content) {
	src, want := everyFile(t)
	return open(t, diskConfig(src)), want
}

// sweepBackup makes a copy on a disk, cuts its power after every operation, and
// returns the first image that is wrong: one that has a CURRENT, or whose Backup
// had returned, must be the whole copy.
func sweepBackup(t *testing.T, e *Engine, want map[string]content, disk *crashfs.FS) string {
	t.Helper()
	require.NoError(t, e.Backup(bg, disk, backupDir))
	done := disk.Ops()
	for op := 0; op <= done; op++ {
		for _, mode := range crashfs.Modes {
			for seed := range uint64(2) {
				img := disk.Image(op, mode, seed)
				if diff := sameBackup(t, img, want, op == done); diff != "" {
					return fmt.Sprintf("%v of %d: %s", crashfs.Cut{Op: op, Mode: mode, Seed: seed}, done, diff)
				}
			}
		}
	}
	return ""
}

func sameBackup(t *testing.T, img vfs.FS, want map[string]content, whole bool) string {
	t.Helper()
	if _, err := img.Stat(backupDir + "/CURRENT"); errors.Is(err, fs.ErrNotExist) && !whole {
		return "" // nobody takes it for a copy
	}
	cfg := dirConfig(img, backupDir)
	cfg.ReadOnly = true
	c, err := Open(context.Background(), cfg)
	if err != nil {
		return fmt.Sprintf("open: %v", err)
	}
	defer c.Close()
	if rep := c.Report(); len(rep.Quarantined)+len(rep.LostLog) > 0 {
		return fmt.Sprintf("damage is reported: %+v", rep)
	}
	if v, _ := c.Get("k"); string(v) != "\x05" {
		return fmt.Sprintf("state: want 5, got %q", v)
	}
	return sameDump(want, dump(t, c))
}

// TestBackupCuts: a copy that is cut short is none, and one that is done outlives
// a power cut whole.
func TestBackupCuts(t *testing.T) {
	e, want := backedUp(t)
	require.Empty(t, sweepBackup(t, e, want, crashfs.New()))
	require.NoError(t, e.Close())
}

// TestBackupSyncsAreNeeded leaves out the syncs of one place after the other.
func TestBackupSyncsAreNeeded(t *testing.T) {
	e, want := backedUp(t)
	all := crashfs.New()
	require.NoError(t, e.Backup(bg, all, backupDir))
	places := 0
	for _, site := range all.Sites() {
		if !strings.HasPrefix(site, "internal/engine/backup.go") {
			continue // the manifest's are those of every store
		}
		places++
		disk := crashfs.New()
		disk.Elide(site)
		if sweepBackup(t, e, want, disk) == "" {
			t.Errorf("no cut is noticed without the sync of %s", site)
		}
	}
	require.Positive(t, places)
	require.NoError(t, e.Close())
}
