package engine

import (
	"context"
	"fmt"

	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/segment"
	"github.com/tickwell/tickwell/vfs"
)

// Verification is what Verify found.
type Verification struct {
	Files  int   // files read
	Bytes  int64 // of block files
	Damage []Damage
	Log    []string // what the log lost, one line each; only when the store was closed
}

// Verify reads every file of the open store, checks and decodes everything and
// reports what is damaged. It runs beside everything else and changes nothing.
// It returns an error only if ctx is done or the store is closed.
func (e *Engine) Verify(ctx context.Context) (Verification, error) {
	var out Verification
	if e.stopped.Load() {
		return out, fmt.Errorf("verify: %w", errs.Closed)
	}
	if e.log == nil {
		return out, ctx.Err()
	}
	version, err := e.verifySmall(&out)
	if err != nil {
		return out, fmt.Errorf("verify: %w", err)
	}
	defer version.unref()
	for _, f := range version.files {
		out.Files++
		out.Bytes += f.meta.Size
		if f.lost {
			out.Damage = append(out.Damage, Damage{File: f.name, Reason: "cannot be opened", MinTime: f.meta.MinTime, MaxTime: f.meta.MaxTime})
			continue
		}
		err := f.reader.Verify(ctx, func(d segment.Damage) {
			f.unfit.Store(true)
			out.Damage = append(out.Damage, e.found(f, &d))
		})
		if err != nil {
			return out, fmt.Errorf("verify: %w", err)
		}
	}
	return out, nil
}

// found tells which points damage of a file affects.
func (e *Engine) found(f *blockFile, d *segment.Damage) Damage {
	out := Damage{File: f.name, Reason: d.Error(), MinTime: max(d.MinTime, f.meta.MinTime), MaxTime: min(d.MaxTime, f.meta.MaxTime)}
	if ser, ok := e.cat.ByID(d.Series); ok && !d.AllSeries {
		out.Series = ser.Path()
	}
	return out
}

// verifySmall reads the small files, while no flush replaces them, and pins the
// block files.
func (e *Engine) verifySmall(out *Verification) (*version, error) {
	e.flushing.Lock()
	defer e.flushing.Unlock()
	d := &e.disk
	check := func(name, magic string, no uint64) {
		if no == 0 {
			return
		}
		out.Files++
		if err := readFramed(e.fs, name, magic, d.store, no, func([]byte, bool) error { return nil }); err != nil {
			out.Damage = append(out.Damage, Damage{File: d.relative(name), Reason: err.Error()})
		}
	}
	check(d.path("CURRENT"), magicCurrent, d.no)
	check(d.stateName(d.now.State), magicState, d.now.State)
	check(d.catalogName(d.now.Catalog), magicCatalog, d.now.Catalog)
	for _, s := range d.now.Outbox {
		check(d.outboxName(s.No), magicOutbox, s.No)
	}
	out.Files++
	if err := d.verifyManifest(); err != nil {
		out.Damage = append(out.Damage, Damage{File: numbered("MANIFEST-", d.no, ""), Reason: err.Error()})
	}
	if e.cfg.ReadOnly && d.replaced() {
		out.Damage = nil
	}
	e.gate.RLock()
	defer e.gate.RUnlock()
	if e.closed {
		return nil, errs.Closed
	}
	e.version.ref()
	return e.version, nil
}

// replaced reports whether a writer has gone on since a reader opened the store: the
// small files that it has read, whole, may be gone.
func (s *storage) replaced() bool {
	b, err := vfs.ReadFile(s.fs, s.path("CURRENT"))
	if err != nil {
		return false
	}
	_, no, err := readHeader(b, magicCurrent)
	if err != nil || no != s.no {
		return err == nil
	}
	info, err := s.fs.Stat(s.manifestName(no))
	return err == nil && info.Size != s.size
}

// Verify checks the store in cfg.Dir, which may be open elsewhere, without
// changing anything.
func Verify(ctx context.Context, cfg Config) (Verification, error) {
	cfg.ReadOnly = true
	e, err := Open(ctx, cfg)
	if err != nil {
		return Verification{}, err
	}
	defer func() { _ = e.Close() }() // it was only read
	out, err := e.Verify(ctx)
	out.Damage = append(out.Damage, e.report.Quarantined...)
	out.Log = e.report.LostLog
	return out, err
}
