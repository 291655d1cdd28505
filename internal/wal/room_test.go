package wal

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/internal/errs"
)

// sizeOf returns the size of the only segment.
func sizeOf(t *testing.T, l *Log) int64 {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	require.Len(t, l.segs, 1)
	info, err := l.cfg.FS.Stat(l.path(l.segs[0].name))
	require.NoError(t, err)
	require.Equal(t, info.Size, l.segs[0].size)
	require.Equal(t, info.Size, l.bytes)
	require.Equal(t, l.segs[0].end, l.Used())
	return info.Size
}

// TestRoom: where each commit is synced, a new file grows in steps, ever larger ones,
// and what a crash leaves of it is what was acknowledged, with nothing torn or damaged.
// Closing cuts off what is left of the room, and so does opening.
func TestRoom(t *testing.T) {
	fsys := newHookFS()
	cfg := testConfig(fsys, Always)
	cfg.Recycle, cfg.SegmentBytes = true, 1<<20
	l, _, _ := open(t, cfg, 0)
	var sizes []int64
	for l.active == nil || l.active.end < 300_000 {
		add(t, l, 1)
		lsn := l.Last()
		if size := sizeOf(t, l); len(sizes) == 0 || size != sizes[len(sizes)-1] {
			sizes = append(sizes, size)
		}
		if lsn%100 != 1 {
			continue
		}
		r := rand.New(rand.NewPCG(1, lsn))
		for mode := range crashModes {
			after := cfg
			after.FS = fsys.crash(fsys.opCount(), crashMode(mode), r)
			again, rep, got := open(t, after, 0)
			require.Empty(t, rep.Damage)
			require.Zero(t, rep.TornBytes)
			requireRecs(t, recsBetween(1, lsn), got)
			require.Equal(t, l.active.end, sizeOf(t, again), "expected that opening cuts the room off")
			require.NoError(t, again.Close())
		}
	}
	require.LessOrEqual(t, len(sizes), 7, "sizes of the file: %v", sizes)
	end, file := l.active.end+recordHeader, l.path(l.active.name)
	require.NoError(t, l.Close())
	info, err := fsys.Stat(file)
	require.NoError(t, err)
	require.Equal(t, end, info.Size, "expected that closing cuts the room off")
	l, rep, got := open(t, cfg, 0)
	require.Empty(t, rep.Damage)
	require.Zero(t, rep.TornBytes)
	requireRecs(t, recsBetween(1, l.Last()), got)
	require.Equal(t, end, sizeOf(t, l))
	require.NoError(t, l.Close())
}

// TestNoRoom: where files are not used again, or a sync has time, nothing is written
// but records.
func TestNoRoom(t *testing.T) {
	for _, c := range []struct {
		mode    Mode
		recycle bool
	}{{Always, false}, {Never, true}, {Interval, true}, {Buffered, true}} {
		t.Run(fmt.Sprintf("%v recycle %v", c.mode, c.recycle), func(t *testing.T) {
			cfg := testConfig(newHookFS(), c.mode)
			cfg.Recycle, cfg.SegmentBytes, cfg.Clock = c.recycle, 1<<20, &stoppedClock{}
			l, _, _ := open(t, cfg, 0)
			for range 50 {
				add(t, l, 1)
				require.NoError(t, l.Sync(bg))
				require.Equal(t, l.active.end, sizeOf(t, l))
			}
			require.NoError(t, l.Close())
		})
	}
}

// TestRoomOfAFullDisk: records are taken as long as the disk has room for them,
// whether it has room for more or not, and again when it has.
func TestRoomOfAFullDisk(t *testing.T) {
	for budget := int64(300); budget < 3*leastRoom; budget += 997 {
		disk := crashfs.New()
		disk.Budget(budget)
		cfg := testConfig(disk, Always)
		cfg.Recycle, cfg.SegmentBytes = true, 1<<20
		l, _, _ := open(t, cfg, 0)
		put := func() (lsn uint64, err error) {
			r := recAt(l.Last() + 1)
			if lsn, err = l.Append(r.kind, []byte(r.payload)); err == nil {
				err = l.Commit(bg, lsn, false)
			}
			return lsn, err
		}
		var want []rec
		lsn, err := put()
		for ; err == nil; lsn, err = put() {
			want = append(want, recAt(lsn))
			sizeOf(t, l)
		}
		require.ErrorIs(t, err, errs.NoSpace)
		need := l.active.end + int64(align8(recordHeader+len(recAt(lsn).payload)))
		require.Greater(t, need, budget, "expected the record to be taken")
		disk.Budget(-1)
		for range 3 {
			lsn, err := put()
			require.NoError(t, err)
			want = append(want, recAt(lsn))
		}
		require.NoError(t, l.Close())
		_, rep, got := open(t, cfg, 0)
		require.Empty(t, rep.Damage)
		requireRecs(t, want, got)
	}
}
