package engine

import (
	"maps"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/wal"
	"github.com/tickwell/tickwell/vfs"
)

// buffered is a store that acknowledges from memory, with a point.
func buffered(t *testing.T) (*crashfs.FS, *Engine, *Shape) {
	t.Helper()
	fs := crashfs.New()
	cfg := diskConfig(fs)
	cfg.Sync = wal.Policy{Mode: wal.Buffered, Interval: time.Hour}
	e := open(t, cfg)
	s := floatShape(t, e, "root.d", "a")
	put(t, e, s, []int64{1}, 1)
	return fs, e, s
}

// refused is a store that acknowledges from memory, with a point that its log had no
// room for.
func refused(t *testing.T) (*crashfs.FS, *Engine, *Series) {
	t.Helper()
	fs, e, s := buffered(t)
	require.NoError(t, e.Sync(bg))
	put(t, e, s, []int64{2}, 2)
	fs.Budget(0)
	for range 2 { // when the log refuses it, and when it has done so
		err := e.Sync(bg)
		require.ErrorIs(t, err, errs.NoSpace)
	}
	require.True(t, e.log.Held())
	return fs, e, s.Series()[0]
}

func twoPoints(t *testing.T, img vfs.FS) {
	t.Helper()
	e := open(t, diskConfig(img))
	defer e.Close()
	ser, ok := e.Lookup("root.d", "a")
	require.True(t, ok)
	require.Equal(t, map[int64]float64{1: 1, 2: 2}, points(t, e, ser))
}

// TestSyncAfterFullDisk: Sync says nil only when that is on the disk, too, which the
// log refused for want of space.
func TestSyncAfterFullDisk(t *testing.T) {
	fs, e, _ := refused(t)
	fs.Heal()
	require.NoError(t, e.Sync(bg))
	twoPoints(t, fs.Image(fs.Ops(), crashfs.None, 0))
	require.NoError(t, e.Close())
}

// TestCloseAfterFullDisk: what the log refused for want of space and was acknowledged
// is there after Close, or Close says that it is not.
func TestCloseAfterFullDisk(t *testing.T) {
	fs, e, _ := refused(t)
	fs.Heal()
	require.NoError(t, e.Close())
	twoPoints(t, fs.Image(fs.Ops(), crashfs.None, 0))
	_, e, _ = refused(t)
	require.ErrorIs(t, e.Close(), errs.NoSpace)
}

// TestDropOfFullDiskAndCompaction: points of a series that was dropped while the disk
// was full do not leave the files before the drop is on the disk.
func TestDropOfFullDiskAndCompaction(t *testing.T) {
	fs, e, ser := refused(t)
	fs.Heal()
	require.NoError(t, e.Flush(bg))
	s := floatShape(t, e, "root.e", "b")
	put(t, e, s, []int64{1}, 1)
	require.NoError(t, e.Flush(bg))
	_, err := e.Commit(bg, &Batch{Drops: []*Series{ser}}, false)
	require.NoError(t, err)
	fs.Budget(0)
	require.ErrorIs(t, e.Sync(bg), errs.NoSpace)
	fs.Heal()
	e.compacting.Lock()
	err = e.compact(bg, e.currentFiles(), 0)
	e.compacting.Unlock()
	require.NoError(t, err)
	img := fs.Image(fs.Ops(), crashfs.None, 0)
	require.NoError(t, e.Close())
	e = open(t, diskConfig(img))
	defer e.Close()
	_, ok := e.Lookup("root.d", "a")
	require.False(t, ok, "the drop is lost, and so are the points")
}

// TestCrashWhileFlushingRefused: a crash while that is moved to files which the log
// refused for want of space is no damage, and leaves all of it or nothing.
func TestCrashWhileFlushingRefused(t *testing.T) {
	fs, e, s := buffered(t)
	require.NoError(t, e.Flush(bg))
	fs.Budget(0)
	_, err := e.Commit(bg, &Batch{Deletes: []Delete{{Series: s.Series(), From: 0, To: 2}}}, false)
	require.NoError(t, err)
	put(t, e, s, []int64{2}, 2)
	require.ErrorIs(t, e.Sync(bg), errs.NoSpace)
	fs.Heal()
	from := fs.Ops()
	require.NoError(t, e.Flush(bg))
	require.NoError(t, e.Close())
	for cut, img := range fs.Sweep(from, 3) {
		e := open(t, diskConfig(img))
		require.Empty(t, e.Report().LostLog, "%v", cut)
		ser, ok := e.Lookup("root.d", "a")
		require.True(t, ok)
		got := points(t, e, ser)
		require.True(t, maps.Equal(got, map[int64]float64{1: 1}) || maps.Equal(got, map[int64]float64{2: 2}), "%v: %v", cut, got)
		require.NoError(t, e.Close())
	}
}

// TestRefusedIsNotPromised: records behind those that the log refused do not vouch for
// them, which no sync has met: what a crash leaves of them is a torn end, no damage,
// and nothing of it is there without what was before.
func TestRefusedIsNotPromised(t *testing.T) {
	fs := crashfs.New()
	cfg := diskConfig(fs)
	cfg.Sync = wal.Policy{Mode: wal.Never}
	e := open(t, cfg)
	s := floatShape(t, e, "root.d", "a")
	put(t, e, s, []int64{1}, 1)
	fs.Budget(0)
	b := &Batch{Tablets: []Tablet{{Shape: s, Times: []int64{2}, Cols: floats(2)}}}
	_, err := e.Commit(bg, b, false)
	require.ErrorIs(t, err, errs.NoSpace)
	require.NoError(t, e.log.Sync(bg)) // of the first
	fs.Heal()
	require.NoError(t, e.Flush(bg))
	from := fs.Ops()
	for at := int64(3); at < 9; at++ {
		put(t, e, s, []int64{at}, float64(at))
		require.NoError(t, e.log.Write(bg, e.log.Last()))
	}
	cuts := 0
	for cut, img := range fs.Sweep(from, 40) {
		cuts++
		e := open(t, diskConfig(img))
		require.Empty(t, e.Report().LostLog, "%v", cut)
		ser, ok := e.Lookup("root.d", "a")
		require.True(t, ok)
		got := points(t, e, ser)
		for at := int64(1); at <= int64(max(2, len(got))); at++ {
			require.Contains(t, got, at, "%v", cut)
		}
		require.NoError(t, e.Close())
	}
	require.Greater(t, cuts, 200)
	require.NoError(t, e.Close())
}

// TestEndMarkOfFullDisk: a segment that could not be ended goes on without the mark of
// its end, of which all bytes may be there: what follows it would never be read.
func TestEndMarkOfFullDisk(t *testing.T) {
	fs := crashfs.New()
	e := open(t, diskConfig(fs))
	s := floatShape(t, e, "root.d", "a")
	put(t, e, s, []int64{1}, 1)
	fs.Inject(crashfs.Fault{N: 1, Err: vfs.ErrNoSpace, Short: 1 << 10, Filter: func(op crashfs.Op) bool { return op.Kind == crashfs.Write }})
	require.ErrorIs(t, e.log.Rotate(), errs.NoSpace)
	put(t, e, s, []int64{2}, 2)
	require.NoError(t, e.Close())
	twoPoints(t, fs.Image(fs.Ops(), crashfs.None, 0))
}

// TestFullDiskIsNamed: what writes files says errs.NoSpace of a full disk, as inserts do.
func TestFullDiskIsNamed(t *testing.T) {
	for name, work := range map[string]func(e *Engine) error{
		"flush":   func(e *Engine) error { return e.Flush(bg) },
		"compact": func(e *Engine) error { return e.Compact(bg) },
		"backup":  func(e *Engine) error { return e.Backup(bg, e.disk.fs, "copy") },
	} {
		fs := crashfs.New()
		e := open(t, diskConfig(fs))
		s := floatShape(t, e, "root.d", "a")
		for i := range 3 {
			put(t, e, s, []int64{int64(i)}, float64(i))
			if i < 2 {
				require.NoError(t, e.Flush(bg), name)
			}
		}
		for _, flushed := range []bool{false, true} { // full before the flush, and after it
			if flushed {
				require.NoError(t, e.Flush(bg), name)
			}
			fs.Budget(0)
			if err := work(e); name != "flush" || !flushed { // else there is nothing to write
				require.ErrorIs(t, err, errs.NoSpace, "%s, flushed %t", name, flushed)
			}
			fs.Heal()
		}
		require.NoError(t, e.Close(), name)
	}
}

// tries counts the files of blocks that were begun.
type tries struct {
	vfs.FS
	n *atomic.Int64
}

func (f tries) Create(name string) (vfs.File, error) {
	if strings.HasSuffix(name, ".blk.tmp") {
		f.n.Add(1)
	}
	return f.FS.Create(name)
}

// TestFlushAgainAfterFullDisk: what was acknowledged from memory and the log had no
// room for gets to the disk once there is room, without anybody who writes, syncs or
// closes; meanwhile it is tried ever more rarely.
func TestFlushAgainAfterFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fs, fake, n := crashfs.New(), clock.NewFake(time.Unix(1e9, 0)), new(atomic.Int64)
		cfg := diskConfig(tries{fs, n})
		cfg.Clock, cfg.ManualFlush = fake, false
		cfg.Sync = wal.Policy{Mode: wal.Buffered, Interval: time.Second}
		e := open(t, cfg)
		s := floatShape(t, e, "root.d", "a")
		put(t, e, s, []int64{1}, 1)
		require.NoError(t, e.Sync(bg))
		put(t, e, s, []int64{2}, 2)
		fs.Budget(0)
		for range 3600 {
			fake.Advance(time.Second)
			synctest.Wait()
		}
		require.True(t, e.log.Held())
		require.Greater(t, n.Load(), int64(40))
		require.Less(t, n.Load(), int64(80))
		fs.Heal()
		for range 60 {
			fake.Advance(time.Second)
			synctest.Wait()
		}
		require.False(t, e.log.Held())
		twoPoints(t, fs.Image(fs.Ops(), crashfs.None, 0))
		tried, flushes := n.Load(), e.flushes.Load()
		put(t, e, s, []int64{3}, 3)
		for range 600 {
			fake.Advance(time.Second)
			synctest.Wait()
		}
		require.Equal(t, tried, n.Load())
		require.Equal(t, flushes, e.flushes.Load(), "nothing more is flushed than had to be")
		require.NoError(t, e.Close())
	})
}

// TestTTLOfAFullDisk: a time to live that is stored, though its record found no room, is
// in force.
func TestTTLOfAFullDisk(t *testing.T) {
	fs := crashfs.New()
	e := open(t, diskConfig(fs))
	fs.Budget(0)
	err := e.SetTTL(bg, "root.a", time.Hour)
	require.ErrorIs(t, err, errs.NoSpace)
	var stored *StoredError
	require.ErrorAs(t, err, &stored)
	require.Equal(t, map[string]time.Duration{"root.a": time.Hour}, e.TTLs())
	fs.Heal()
	require.NoError(t, e.Close())
	e = open(t, diskConfig(fs))
	require.Equal(t, map[string]time.Duration{"root.a": time.Hour}, e.TTLs())
	require.NoError(t, e.Close())
}

// TestFullMemoryOfAFullDisk: writers that find no memory because the disk has no room for
// a flush are told both.
func TestFullMemoryOfAFullDisk(t *testing.T) {
	fs := crashfs.New()
	cfg := diskConfig(fs)
	cfg.ManualFlush, cfg.MemtableBytes, cfg.MemtableHard = false, 1, 1
	cfg.Sync = wal.Policy{Mode: wal.Buffered, Interval: time.Hour}
	e := open(t, cfg)
	s := floatShape(t, e, "root.d", "a")
	fs.Inject(crashfs.Fault{N: 1, Sticky: true, Err: vfs.ErrNoSpace, Filter: func(op crashfs.Op) bool {
		return op.Kind == crashfs.Create && strings.HasPrefix(op.Name, "/db/data/")
	}})
	var err error
	for at := int64(0); err == nil; at++ {
		_, err = e.Commit(bg, &Batch{Tablets: []Tablet{{Shape: s, Times: []int64{at}, Cols: floats(1)}}}, false)
	}
	require.ErrorIs(t, err, errs.Overloaded)
	require.ErrorIs(t, err, errs.NoSpace)
	fs.Heal()
	require.NoError(t, e.Close())
}
