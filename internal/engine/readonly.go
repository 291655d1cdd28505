package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/vfs"
)

// A store can be opened for reading while another process writes to it. The
// reader takes no lock and writes nothing. It shows the store as it was when it
// was opened: block files are never written to again and stay readable while
// they are open, even after the writer removed them, and the log is read into
// memory. What it reads before that could be replaced under its eyes; the
// writer makes a manifest edit first whenever it takes anything away, and so
// the reader begins again if the manifest changed.

// readTries is how often a reader begins again beside a busy writer.
const readTries = 20

// openReadOnly is Open for readers.
func openReadOnly(ctx context.Context, cfg Config) (*Engine, error) {
	for try := 0; ; try++ {
		e := newEngine(cfg)
		before, err := e.manifestBytes()
		if err == nil {
			err = e.openDir(ctx)
		}
		after, aerr := e.manifestBytes()
		if err == nil {
			err = aerr
		}
		if err == nil && bytes.Equal(before, after) {
			return e, nil
		}
		e.version.unref()
		_ = e.releaseFiles()
		if try == readTries || err != nil && !errors.Is(err, fs.ErrNotExist) || ctx.Err() != nil {
			if err == nil {
				err = fmt.Errorf("the writer is too busy: %w", errs.Overloaded)
			}
			return nil, fmt.Errorf("for reading: %w", err)
		}
		if before == nil && err != nil && after == nil {
			return nil, fmt.Errorf("for reading: %w: %w", errs.NotFound, err)
		}
	}
}

// manifestBytes returns what says which files make up the store: CURRENT and
// all manifests.
func (e *Engine) manifestBytes() ([]byte, error) {
	dir := e.cfg.Dir
	b, err := vfs.ReadFile(e.fs, filepath.Join(dir, "CURRENT"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	names, lerr := e.fs.List(dir)
	if lerr != nil {
		return nil, lerr
	}
	names = slices.DeleteFunc(names, func(n string) bool { return !strings.HasPrefix(n, "MANIFEST-") })
	if err != nil && len(names) == 0 {
		return nil, err
	}
	for _, n := range names {
		m, err := vfs.ReadFile(e.fs, filepath.Join(dir, n))
		if err != nil {
			return nil, err
		}
		b = append(append(b, n...), m...)
	}
	return b, nil
}

// relative returns a file's name in the store.
func (s *storage) relative(name string) string {
	return strings.TrimPrefix(strings.TrimPrefix(filepath.ToSlash(name), filepath.ToSlash(s.dir)), "/")
}

// verifyManifest reads the manifest again.
func (s *storage) verifyManifest() error {
	b, err := vfs.ReadFile(s.fs, s.manifestName(s.no))
	if err != nil {
		return err
	}
	if _, _, err := readHeader(b, magicManifest); err != nil {
		return err
	}
	damaged, _, err := salvage(b, s.store, s.no, func([]byte, bool) error { return nil })
	if err == nil && damaged {
		err = fmt.Errorf("manifest %d has damaged frames: %w", s.no, errs.Corrupt)
	}
	return err
}
