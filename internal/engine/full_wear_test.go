package engine

import (
	"bytes"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/wal"
	"github.com/tickwell/tickwell/vfs"
)

// nearlyFull has room for a part of a block file while it is full, and for the log if
// that is not refused too.
type nearlyFull struct {
	vfs.FS
	full, log *atomic.Bool
}

const roomLeft = 100 << 10

type nearlyFullFile struct {
	vfs.File
	fs   nearlyFull
	log  bool
	left int
}

func (f nearlyFull) Create(name string) (vfs.File, error) {
	file, err := f.FS.Create(name)
	if err != nil {
		return nil, err
	}
	return &nearlyFullFile{file, f, strings.Contains(name, "wal"), roomLeft}, nil
}

func (f nearlyFull) OpenReadWrite(name string) (vfs.File, error) {
	file, err := f.FS.OpenReadWrite(name)
	if err != nil {
		return nil, err
	}
	return &nearlyFullFile{file, f, strings.Contains(name, "wal"), roomLeft}, nil
}

func (f *nearlyFullFile) Write(b []byte) (int, error) {
	switch {
	case !f.fs.full.Load() || f.log && !f.fs.log.Load():
		return f.File.Write(b)
	case f.log:
		return 0, vfs.ErrNoSpace
	}
	n, err := f.File.Write(b[:min(f.left, len(b))])
	if f.left -= n; err == nil && n < len(b) {
		err = vfs.ErrNoSpace
	}
	return n, err
}

func (f *nearlyFullFile) WriteAt(b []byte, at int64) (int, error) {
	if f.log && f.fs.full.Load() && f.fs.log.Load() {
		return 0, vfs.ErrNoSpace
	}
	return f.File.WriteAt(b, at)
}

// TestFullDiskIsSpared: on a disk with room for a part of what is to be flushed not
// every insert writes that part, to take it away again: an hour of it would wear flash
// more than a month of work. Explicit calls try, and all goes on when there is room.
func TestFullDiskIsSpared(t *testing.T) {
	for what, logFull := range map[string]bool{"log refused": true, "log too large": false} {
		synctest.Test(t, func(t *testing.T) {
			fake, full, log := clock.NewFake(time.Unix(1e9, 0)), new(atomic.Bool), new(atomic.Bool)
			cfg := diskConfig(nearlyFull{vfs.NewMem(), full, log})
			cfg.Clock, cfg.ManualFlush, cfg.SegmentBytes = fake, false, 4<<20
			if !logFull {
				cfg.WALBytes = 100 << 10
			}
			cfg.Sync = wal.Policy{Mode: wal.Interval, Interval: time.Second}
			e := open(t, cfg)
			s := floatShape(t, e, "root.d", "a")
			log.Store(logFull)
			full.Store(!logFull)
			rng, at := rand.New(rand.NewPCG(1, 2)), int64(0)
			insert := func(n int) error {
				b := Tablet{Shape: s, Cols: []column.Vector{{Kind: column.Float64}}}
				for range n {
					at++
					b.Times, b.Cols[0].Float64s = append(b.Times, at), append(b.Cols[0].Float64s, rng.NormFloat64())
				}
				_, err := e.Commit(bg, &Batch{Tablets: []Tablet{b}}, false)
				return err
			}
			for range 10 {
				require.NoError(t, insert(4000))
			}
			require.NoError(t, e.log.Sync(bg))
			full.Store(true)
			before, failed := e.written.Load(), 0
			for range 3600 {
				if err := insert(1); err != nil {
					require.ErrorIs(t, err, errs.NoSpace)
					failed++
				}
				fake.Advance(time.Second)
				synctest.Wait()
			}
			if logFull {
				require.Greater(t, failed, 3500, what)
			} else {
				require.Zero(t, failed, what)
			}
			t.Log(what, (e.written.Load()-before)>>10, "KiB in an hour")
			require.Less(t, e.written.Load()-before, int64(100*roomLeft), what)
			before = e.written.Load()
			require.ErrorIs(t, e.Flush(bg), errs.NoSpace)
			require.GreaterOrEqual(t, e.written.Load()-before, int64(roomLeft), what)
			full.Store(false)
			for range 61 {
				fake.Advance(time.Second)
				synctest.Wait()
			}
			require.NoError(t, insert(1), what)
			require.NoError(t, e.Close())
		})
	}
}

// failingSync is a disk whose syncs fail.
type failingSync struct {
	vfs.FS
	fail *atomic.Bool
}

type failingSyncFile struct {
	vfs.File
	fail *atomic.Bool
}

func (f failingSync) OpenReadWrite(name string) (vfs.File, error) {
	file, err := f.FS.OpenReadWrite(name)
	if err != nil {
		return nil, err
	}
	return failingSyncFile{file, f.fail}, nil
}

func (f failingSyncFile) Sync() error {
	if f.fail.Load() {
		return errors.New("input/output error")
	}
	return f.File.Sync()
}

// TestFailedDiskIsToldOnce: where the log is larger than it is to be, every insert asks
// for a flush; of a disk that has failed for good that gave a line each.
func TestFailedDiskIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines bytes.Buffer
		fail := new(atomic.Bool)
		cfg := diskConfig(failingSync{vfs.NewMem(), fail})
		cfg.Logger = slog.New(slog.NewTextHandler(&lines, nil))
		cfg.ManualFlush, cfg.WALBytes = false, 1
		e := open(t, cfg)
		s := floatShape(t, e, "root.d", "a")
		fail.Store(true)
		for i := range int64(50) {
			b := Batch{Tablets: []Tablet{{Shape: s, Times: []int64{i}, Cols: floats(1)}}}
			_, err := e.Commit(bg, &b, false)
			require.ErrorIs(t, err, errs.StorageFailed)
			synctest.Wait()
		}
		require.Error(t, e.Close())
		require.LessOrEqual(t, strings.Count(lines.String(), "flush failed"), 1, lines.String())
	})
}
