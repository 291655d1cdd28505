package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/tickwell/tickwell/internal/errs"
)

// What a crash left behind, which no manifest names, is removed at the next Open.
// What only a manifest named that is lost looks the same and is all there is: it is
// put aside. Whether a manifest was lost stands in a file of its own, LOST, from
// before the new manifest until everything is put aside: a crash in between must not
// turn the rest into leavings.

const (
	lostMark  = "LOST"
	magicLost = "TWISLOST"
)

// quarantine moves a damaged file away and reports it.
func (e *Engine) quarantine(name string, cause error) {
	e.reportDamage(name, cause)
	if errors.Is(cause, fs.ErrNotExist) || e.cfg.ReadOnly {
		return
	}
	if err := e.putAside(name); err != nil {
		e.logger.Error("tickwell: quarantine", "err", err)
	}
}

// reportDamage reports a damaged file, which stays where it is: what is left of it
// is needed until something takes its place. It is put aside then, see discard.
func (e *Engine) reportDamage(name string, cause error) {
	d := &e.disk
	rel := d.relative(name)
	e.report.Quarantined = append(e.report.Quarantined, Damage{File: rel, Reason: cause.Error()})
	e.logger.Error("tickwell: damaged file", "file", rel, "err", cause)
	if d.damaged == nil {
		d.damaged = map[string]bool{}
	}
	d.damaged[name] = true
}

// putAside moves a file to quarantine, never over another.
func (e *Engine) putAside(name string) error {
	d := &e.disk
	dir := d.path("quarantine")
	if err := d.fs.MkdirAll(dir); err != nil {
		return err
	}
	to := filepath.Join(dir, filepath.Base(name))
	for n := 1; ; n++ {
		if _, err := d.fs.Stat(to); errors.Is(err, fs.ErrNotExist) {
			if err := d.fs.Rename(name, to); err != nil {
				return err
			}
			return d.fs.SyncDir(dir) // before its old folder is
		} else if err != nil {
			return err
		}
		to = filepath.Join(dir, fmt.Sprintf("%s.%d", filepath.Base(name), n))
	}
}

// discard removes a file that the manifest no longer names, or puts it aside if it is
// damaged.
func (e *Engine) discard(name string) {
	if !e.disk.damaged[name] {
		e.disk.fs.Remove(name)
		return
	}
	if err := e.putAside(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		e.logger.Error("tickwell: quarantine", "err", err)
	}
}

// errNoManifest is what is wrong with a file whose manifest is lost.
var errNoManifest = fmt.Errorf("no manifest that can be read names it: %w", errs.Corrupt)

// markLost notes that the manifest was lost, if it had anything to name: of a store
// that was never made whole there may be a manifest alone.
func (e *Engine) markLost() error {
	d := &e.disk
	names, err := e.unnamed()
	if err != nil {
		return err
	}
	d.lost = false
	for _, name := range names {
		base := filepath.Base(name)
		// No number is given again: not over a manifest that is there, nor to a new
		// file that would count as the damaged one of the same name.
		no, _ := fileNumber(base)
		d.now.NextNo = max(d.now.NextNo, no+1)
		if !strings.HasPrefix(base, "MANIFEST-") && !strings.HasSuffix(base, tmpSuffix) {
			d.lost = true
		}
	}
	if !d.lost {
		return nil
	}
	w, err := createFramed(d.fs, d.path(lostMark), magicLost, d.store, 0)
	if err != nil {
		return err
	}
	return w.finish()
}

// readLostMark learns that an earlier Open, which a crash ended, found no manifest.
func (e *Engine) readLostMark() error {
	d := &e.disk
	_, err := d.fs.Stat(d.path(lostMark))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && !d.lost {
		d.lost = true
		e.report.Quarantined = append(e.report.Quarantined, Damage{File: "quarantine", Reason: "the manifest was lost, and a crash came while the files that it named were put aside here"})
	}
	return err
}

// unnamed lists the files of the store that the manifest does not name.
func (e *Engine) unnamed() (out []string, err error) {
	d := &e.disk
	keep := map[string]bool{
		numbered("MANIFEST-", d.no, ""):            true,
		numbered("STATE-", d.now.State, ""):        true,
		numbered("CATALOG-", d.now.Catalog, ""):    true,
		numbered("CATALOG-", d.now.OldCatalog, ""): true,
	}
	for _, f := range d.now.Files {
		keep[numbered("", f.No, ".blk")] = true
	}
	for _, s := range d.now.Outbox {
		keep[numbered("", s.No, ".seg")] = true
	}
	for _, sub := range []string{"", "data", "outbox"} {
		names, lerr := d.fs.List(d.path(sub))
		err = errs.Join(err, lerr)
		for _, name := range names {
			if _, ours := fileNumber(name); ours && !keep[name] {
				out = append(out, d.path(sub, name))
			}
		}
	}
	return out, err
}

// removeOrphans removes what crashes left behind: temporary files and files that
// the manifest does not name. Where the manifest itself was lost they are no
// leavings but the store: they are put aside.
func (e *Engine) removeOrphans() {
	d := &e.disk
	orphans, err := e.unnamed()
	if err != nil {
		e.logger.Warn("tickwell: orphans were not removed", "err", err)
	}
	if len(orphans) == 0 && !d.lost {
		return
	}
	if d.manifest == nil {
		if err := d.rewrite(d.now); err != nil {
			e.logger.Warn("tickwell: orphans were not removed", "err", err)
			return
		}
	}
	for _, name := range orphans {
		switch {
		case name == d.manifestName(d.no): // the new one may have a number that was used in vain
		case d.lost && !strings.HasSuffix(name, tmpSuffix):
			e.reportDamage(name, errNoManifest)
			err = errs.Join(err, e.putAside(name))
		default:
			d.fs.Remove(name)
		}
	}
	if d.lost {
		e.unmarkLost(err)
	}
}

// unmarkLost removes the mark once nothing is left that a crash could turn into
// leavings. err is why something may be.
func (e *Engine) unmarkLost(err error) {
	d := &e.disk
	if _, serr := d.fs.Stat(d.path(lostMark)); errors.Is(serr, fs.ErrNotExist) {
		return
	}
	for _, sub := range []string{"", "data", "outbox"} {
		err = errs.Join(err, d.fs.SyncDir(d.path(sub)))
	}
	if err == nil {
		err = d.fs.Remove(d.path(lostMark))
	}
	if err != nil {
		e.logger.Error("tickwell: quarantine", "err", err)
	}
}

// fileNumber returns the number in a name, if it is one that the store gives to files
// it may remove.
func fileNumber(name string) (uint64, bool) {
	name = strings.TrimSuffix(name, tmpSuffix)
	for _, p := range [][2]string{{"MANIFEST-", ""}, {"STATE-", ""}, {"CATALOG-", ""}, {"", ".blk"}, {"", ".seg"}} {
		if no, ok := parseNumbered(name, p[0], p[1]); ok {
			return no, true
		}
	}
	return 0, false
}
