package tickwell

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/tickwell/tickwell/vfs"
)

// TestBackupInside: a copy into a folder of a store is refused before anything is
// written, however the folder is spelled; a copy beside the store is not. What
// Open does not know in its folders it removes, the files of a copy too.
func TestBackupInside(t *testing.T) {
	ctx := t.Context()
	root := t.TempDir()
	home := filepath.Join(root, "db")
	linked := []string{filepath.Join(root, "to-store"), filepath.Join(root, "to-data"), filepath.Join(root, "to-deep")}
	db := openDir(t, home, nil)
	must(t, db.Insert(ctx, "root.d", ns(1), Int64("x", 1)))
	must(t, db.Backup(ctx, nil, filepath.Join(root, "other")))
	inside := []string{
		filepath.Join(home, "data"), filepath.Join(home, "outbox"), filepath.Join(home, "wal"),
		filepath.Join(home, "copy"), filepath.Join(home, "a", "b"), filepath.Join(home, "data", "a"),
		filepath.Join(root, "other", "data"), // of another store
	}
	if runtime.GOOS != "windows" && runtime.GOOS != "plan9" { // there ".." is taken off the name
		must(t, os.MkdirAll(filepath.Join(home, "deep", "er"), 0o700))
		for i, to := range []string{home, filepath.Join(home, "data"), filepath.Join(home, "deep", "er")} {
			must(t, os.Symlink(to, linked[i]))
		}
		inside = append(inside, filepath.Join(linked[0], "data"), linked[1], filepath.Join(linked[1], "a"), filepath.Join(linked[2], "a", "b"))
	}
	must(t, db.Flush(ctx))
	before := foldersBelow(t, root)
	for _, dir := range inside {
		err := db.Backup(ctx, nil, dir)
		var e *Error
		if !errors.Is(err, ErrBadInput) || !errors.As(err, &e) || e.Op != "backup" || e.Subject != dir {
			t.Errorf("%s: %v", dir, err)
		}
	}
	if after := foldersBelow(t, root); !slices.Equal(before, after) {
		t.Errorf("folders\n%q before,\n%q after", before, after)
	}
	t.Chdir(filepath.Join(home, "data"))
	if err := db.Backup(ctx, nil, "copy"); !errors.Is(err, ErrBadInput) {
		t.Errorf("relative, inside: %v", err)
	}
	want := dump(t, db, "root.**")
	for _, dir := range []string{filepath.Join("..", "..", "beside"), filepath.Join(root, "db-copy", "1")} {
		must(t, db.Backup(ctx, nil, dir))
		if got := dump(t, openDir(t, dir, nil), "root.**"); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", dir, got, want)
		}
	}
	mem := vfs.NewMem()
	kept := openDir(t, "a/db", &Options{FS: mem})
	for _, dir := range []string{"a/db/data", "/a/db/outbox", "a/x/../db/wal"} {
		if err := kept.Backup(ctx, mem, dir); !errors.Is(err, ErrBadInput) {
			t.Errorf("in memory, %s: %v", dir, err)
		}
	}
	must(t, kept.Backup(ctx, mem, "a/db2"))
}

// foldersBelow lists the folders: files come and go by the flush that Backup makes.
func foldersBelow(t *testing.T, dir string) (names []string) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			names = append(names, name)
		}
		return err
	}))
	return names
}
