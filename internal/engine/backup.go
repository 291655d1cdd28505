package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/vfs"
)

// Backup writes a copy of the store to dir of a file system, while the store is
// used: one cut that has every commit that returned before the call. The copy
// is a store of its own that Open opens; it shares the store id, so files of one
// fit the other. It is complete only when Backup returns nil; a directory that
// holds a store already is refused with errs.Exists, one that lies inside a store
// with errs.BadInput: Open would clear the copy's files away. Damaged files are
// copied as they are. In memory mode it fails with errs.BadInput.
func (e *Engine) Backup(ctx context.Context, to vfs.FS, dir string) error {
	if e.log == nil {
		return fmt.Errorf("%w: a store in memory has no files to copy", errs.BadInput)
	}
	if err := e.Flush(ctx); err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	return full(e.backup(ctx, to, dir))
}

func (e *Engine) backup(ctx context.Context, to vfs.FS, dir string) error {
	copied := storage{fs: to, dir: dir, store: e.disk.store}
	if _, err := to.Stat(copied.path("CURRENT")); err == nil {
		return fmt.Errorf("it holds a store: %w", errs.Exists)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if outer, ok := storeAround(to, dir); ok {
		return fmt.Errorf("it lies inside the store %s, which removes files that are not its own: %w", outer, errs.BadInput)
	}
	if err := makeParents(to, filepath.Dir(dir)); err != nil {
		return err
	}
	for _, sub := range []string{"", "data", "outbox", "wal"} {
		if err := to.MkdirAll(copied.path(sub)); err != nil {
			return err
		}
	}
	version, m, err := e.copySmall(ctx, &copied)
	if err != nil {
		return err
	}
	defer version.unref()
	for _, f := range version.files {
		name := e.disk.blockName(f.meta.No)
		err := copyFile(ctx, e.fs, name, to, copied.blockName(f.meta.No))
		if err != nil && !(f.lost && errors.Is(err, fs.ErrNotExist)) {
			return err
		}
	}
	for _, sub := range []string{"data", "outbox", "wal", ""} {
		if err := to.SyncDir(copied.path(sub)); err != nil {
			return err
		}
	}
	if err := copied.rewrite(m); err != nil {
		return err
	}
	if err := copied.manifest.Close(); err != nil {
		return err
	}
	return to.SyncDir(filepath.Dir(dir))
}

// maxDepth is how many folders storeAround looks at.
const maxDepth = 64

// storeAround returns the store, this one or another, that a directory lies in,
// however it is spelled. The steps up are the file system's, by ".." and not by
// the name: a symbolic link may lead into a store.
func storeAround(fsys vfs.FS, dir string) (string, bool) {
	up := filepath.Clean(dir)
	for parent := filepath.Dir(up); parent != up; parent = filepath.Dir(up) {
		if _, err := fsys.Stat(up); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		up = parent
	}
	const sep = string(filepath.Separator)
	is := func(name string, dir bool) bool {
		info, err := fsys.Stat(up + sep + name)
		return err == nil && info.IsDir == dir
	}
	for range maxDepth {
		if is("CURRENT", false) && is("data", true) && is("wal", true) {
			return up, true
		}
		up += sep + ".."
	}
	return "", false
}

// copySmall copies what a flush replaces, while no flush runs, and pins the
// block files that belong to it.
func (e *Engine) copySmall(ctx context.Context, to *storage) (*version, manifest, error) {
	e.flushing.Lock()
	defer e.flushing.Unlock()
	d := &e.disk
	m := d.now.clone()
	names := map[string]string{}
	old := d.catalogName(m.OldCatalog)
	useful := d.damaged[d.catalogName(m.Catalog)]
	if useful {
		_, err := vfs.ReadFile(d.fs, old)
		useful = err == nil
	}
	if useful {
		names[old] = to.catalogName(m.OldCatalog)
	} else {
		m.OldCatalog = 0
	}
	if m.State != 0 {
		names[d.stateName(m.State)] = to.stateName(m.State)
	}
	if m.Catalog != 0 {
		names[d.catalogName(m.Catalog)] = to.catalogName(m.Catalog)
	}
	for _, s := range m.Outbox {
		names[d.outboxName(s.No)] = to.outboxName(s.No)
	}
	for from, name := range names {
		err := copyFile(ctx, e.fs, from, to.fs, name)
		if err != nil && !(d.damaged[from] && errors.Is(err, fs.ErrNotExist)) {
			return nil, m, err
		}
	}
	e.gate.RLock()
	defer e.gate.RUnlock()
	if e.closed {
		return nil, m, errs.Closed
	}
	e.version.ref()
	return e.version, m, nil
}

// copyFile copies a whole file and syncs the copy.
func copyFile(ctx context.Context, from vfs.FS, name string, to vfs.FS, copied string) (err error) {
	src, err := from.Open(name)
	if err != nil {
		return err
	}
	defer src.Close()
	size, err := src.Size()
	if err != nil {
		return err
	}
	dst, err := to.Create(copied)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := dst.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			to.Remove(copied)
		}
	}()
	buf := make([]byte, min(size, 256<<10))
	for at := int64(0); at < size; {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := buf[:min(int64(len(buf)), size-at)]
		if n, err := src.ReadAt(b, at); n < len(b) {
			return errs.Join(err, io.ErrUnexpectedEOF)
		}
		n, err := dst.Write(b)
		if err == nil && n < len(b) {
			err = io.ErrShortWrite
		}
		if err != nil {
			return err
		}
		at += int64(n)
	}
	return dst.Sync()
}
