package wal

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/vfs"
)

// survives opens what a crash left, twice, with new records and a power cut in
// between, and returns what is not as promised.
func survives(cfg Config, m vfs.FS, kept, retired, last uint64) error {
	for round := range 2 {
		fsys := crashfs.From(m.(*vfs.Mem))
		cfg.FS = fsys
		l, rep, got, err := tryOpen(cfg, retired)
		if err != nil {
			return err
		}
		if len(rep.Damage) > 0 {
			return fmt.Errorf("round %d: damage %v", round, rep.Damage)
		}
		if l.Last() < kept || l.Last() > max(last, retired) {
			return fmt.Errorf("round %d: expected records up to %d at least, %d at most, got %d", round, kept, last, l.Last())
		}
		if want := recsBetween(retired+1, l.Last()); !slices.Equal(want, got) {
			return fmt.Errorf("round %d: %d records, not as written", round, len(got))
		}
		m = fsys.Image(fsys.Ops(), crashfs.None, 0) // power lost right after Open
		kept = l.Last()
		if round == 0 {
			for range 2 {
				r := recAt(l.Last() + 1)
				lsn, err := l.Append(r.kind, []byte(r.payload))
				if err == nil {
					err = l.Commit(bg, lsn, true)
				}
				if err != nil {
					return err
				}
			}
			last = l.Last()
			m = fsys.Image(fsys.Ops(), crashfs.None, 0)
			kept = last
		}
		abandon(l)
	}
	return nil
}

// sweep runs the same history on a fresh file system, without the syncs of one
// place if elide is not empty, and returns the first image that breaks a promise.
func sweep(t *testing.T, mode Mode, recycle bool, seed uint64, elide string) (sites []string, bad error) {
	fsys := crashfs.New()
	require.NoError(t, fsys.MkdirAll("db"))
	fsys.Settle()
	start := fsys.Ops()
	if elide != "" {
		fsys.Elide(elide)
	}
	cfg := testConfig(fsys, mode)
	cfg.Recycle, cfg.SegmentBytes = recycle, 1024
	cfg.Clock = &stoppedClock{}
	run := &crashRun{ops: fsys.Ops}
	run.work(t, cfg, seed, 40)
	for cut, m := range fsys.Sweep(start, 2) {
		as := keepNone
		if cut.Mode == crashfs.All {
			as = keepAll
		}
		kept, retired := run.promised(cut.Op, as)
		if err := survives(cfg, m, kept, retired, run.last); err != nil {
			return nil, fmt.Errorf("%v: %w", cut, err)
		}
	}
	return fsys.Sites(), nil
}

// TestPowerLoss holds the promises against every image of the strictest model
// of a disk, and shows that each sync of the package is needed for it: without
// any one of them a promise is broken.
func TestPowerLoss(t *testing.T) {
	needed := map[string]bool{}
	for seed := range uint64(8) {
		mode, recycle := Mode(seed%4), seed >= 4
		sites, bad := sweep(t, mode, recycle, seed, "")
		require.NoError(t, bad, "%v recycle %v", mode, recycle)
		for _, site := range sites {
			if !needed[site] {
				_, bad := sweep(t, mode, recycle, seed, site)
				needed[site] = bad != nil
			}
		}
	}
	for site, ok := range needed {
		if !ok {
			t.Errorf("without the sync at %s nothing is lost: it is not needed or not tested", site)
		}
	}
}
