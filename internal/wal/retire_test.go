package wal

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/errs"
)

func TestRetire(t *testing.T) {
	cfg := testConfig(newHookFS(), Always)
	l, _, _ := open(t, cfg, 0)
	for range 4 {
		add(t, l, 10)
		require.NoError(t, l.Rotate())
	}
	require.NoError(t, l.Rotate()) // nothing to end
	add(t, l, 1)
	first := segmentFiles(t, cfg.FS)
	require.NoError(t, l.Retire(9))
	require.Equal(t, first, segmentFiles(t, cfg.FS), "record 10 is in the first segment")
	require.NoError(t, l.Retire(20))
	requireRecs(t, recsBetween(21, 41), cursorRecs(t, l, 1))
	require.NoError(t, l.Retire(1000))
	require.Len(t, segmentFiles(t, cfg.FS), 1, "the active one stays")
	requireRecs(t, recsBetween(41, 41), cursorRecs(t, l, 41))
	require.NoError(t, l.Close())
	_, rep, got := open(t, cfg, 40)
	require.Empty(t, rep.Damage)
	requireRecs(t, recsBetween(41, 41), got)
}

// TestSegmentNumbers crosses the places where numbers sorted as text go wrong.
func TestSegmentNumbers(t *testing.T) {
	for _, start := range []uint64{0, 8, 14, 0xfe, 1<<32 - 3} {
		cfg := testConfig(newHookFS(), Always)
		cfg.SegmentBytes = minSegmentBytes
		require.NoError(t, cfg.FS.MkdirAll(testDir))
		l, _, _ := open(t, cfg, 0)
		l.nextSeg = start + 1
		add(t, l, 60)
		require.NoError(t, l.Close())
		names := segmentFiles(t, cfg.FS)
		require.Equal(t, segmentName(start+1), names[0])
		require.Greater(t, len(names), 4)
		l, rep, got := open(t, cfg, 0)
		require.Empty(t, rep.Damage)
		requireRecs(t, recsBetween(1, 60), got)
		require.NoError(t, l.Retire(30))
		left := segmentFiles(t, cfg.FS)
		require.Equal(t, names[len(names)-len(left):], left)
		require.NoError(t, l.Close())
	}
}

// TestRecycle: a retired file is overwritten, keeps its size, and its former
// records are never seen again, whatever the end of the new ones.
func TestRecycle(t *testing.T) {
	fsys := newHookFS()
	cfg := testConfig(fsys, Always)
	cfg.Recycle, cfg.SegmentBytes = true, 1<<16
	l, _, _ := open(t, cfg, 0)
	for range 10 {
		add(t, l, 30)
		require.NoError(t, l.Rotate())
		require.NoError(t, l.Retire(l.Durable()))
	}
	creates := fsys.calls["create"]
	for i := range 20 {
		add(t, l, 1+i)
		require.NoError(t, l.Rotate())
		require.NoError(t, l.Retire(l.Durable()))
	}
	require.Equal(t, creates, fsys.calls["create"], "expected no new file")
	retired := l.Durable()
	for range 25 {
		add(t, l, 1)
		r := rand.New(rand.NewPCG(retired, l.Last()))
		for mode := range crashModes {
			after := cfg
			after.FS = fsys.crash(fsys.opCount(), crashMode(mode), r)
			_, rep, got := open(t, after, retired)
			require.Empty(t, rep.Damage)
			requireRecs(t, recsBetween(retired+1, l.Last()), got)
		}
	}
	require.NoError(t, l.Close())
}

func TestRetireWaitsForCursor(t *testing.T) {
	for _, recycle := range []bool{false, true} {
		cfg := testConfig(newHookFS(), Always)
		cfg.Recycle = recycle
		l, _, _ := open(t, cfg, 0)
		add(t, l, 10)
		require.NoError(t, l.Rotate())
		add(t, l, 10)
		require.NoError(t, l.Rotate())
		c := l.Cursor(1)
		require.True(t, c.Next())
		require.NoError(t, l.Retire(20))
		require.Len(t, segmentFiles(t, cfg.FS), 1)
		for range 9 { // goes on to the end of its segment
			require.True(t, c.Next())
		}
		require.Equal(t, uint64(10), c.LSN())
		add(t, l, 1)
		require.True(t, c.Next())
		require.Equal(t, uint64(21), c.LSN(), "the second segment is gone")
		require.NotContains(t, segmentFiles(t, cfg.FS), segmentName(1))
		require.NoError(t, c.Close())
		require.NoError(t, l.Close())
	}
}

func TestRetireTriesAgain(t *testing.T) {
	fsys := newHookFS()
	cfg := testConfig(fsys, Always)
	l, _, _ := open(t, cfg, 0)
	add(t, l, 10)
	require.NoError(t, l.Rotate())
	size := l.Bytes()
	fsys.setHook(func(op, _ string) error {
		if op == "remove" {
			return errInjected
		}
		return nil
	})
	require.ErrorIs(t, l.Retire(10), errInjected)
	require.Equal(t, size, l.Bytes())
	fsys.setHook(nil)
	require.NoError(t, l.Retire(10))
	require.Empty(t, segmentFiles(t, fsys))
	require.Zero(t, l.Bytes())
	require.Zero(t, l.Used())
	add(t, l, 1)
	require.NoError(t, l.Close())
}

// TestQuarantineKeepsAll: segments of one name, damaged twice, are both kept.
func TestQuarantineKeepsAll(t *testing.T) {
	im, cfg := smallLog(t, 5, 14, true)
	name := im.names()[1]
	b := slices.Clone(im[name])
	b[headerBytes+30] ^= 1
	fsys := im.with(name, b).put()
	cfg.FS = fsys
	require.NoError(t, fsys.MkdirAll(testDir+"/quarantine"))
	writeAll(fsys, testDir+"/quarantine/"+name, []byte("older"))
	l, _, _ := open(t, cfg, 0)
	require.NoError(t, l.Retire(14))
	require.Equal(t, "older", string(readAll(fsys, testDir+"/quarantine/"+name)))
	require.Equal(t, b, readAll(fsys, testDir+"/quarantine/"+name+".1"))
	require.NoError(t, l.Close())
}

func TestLitterIsRemoved(t *testing.T) {
	fsys := newHookFS()
	cfg := testConfig(fsys, Always)
	require.NoError(t, fsys.MkdirAll(testDir))
	for _, name := range []string{segmentName(7) + tmpSuffix, segmentName(6) + freeSuffix, "notes.txt"} {
		writeAll(fsys, testDir+"/"+name, []byte("x"))
	}
	l, rep, _ := open(t, cfg, 0)
	require.Empty(t, rep.Damage)
	add(t, l, 1)
	require.NoError(t, l.Close())
	names, err := fsys.List(testDir)
	require.NoError(t, err)
	require.Equal(t, "0000000000000007.wal notes.txt", strings.Join(names, " "))
}

func TestCursorFollows(t *testing.T) {
	cfg := testConfig(newHookFS(), Interval)
	cfg.Clock = &stoppedClock{}
	l, _, _ := open(t, cfg, 0)
	c := l.Cursor(3)
	require.False(t, c.Next())
	var got []rec
	for range 60 {
		add(t, l, 2)
		for c.Next() {
			got = append(got, rec{c.LSN(), c.Kind(), string(c.Payload())})
		}
		require.NoError(t, c.Err())
	}
	requireRecs(t, recsBetween(3, 120), got)
	require.NoError(t, c.Close())
	require.False(t, c.Next())
	require.ErrorIs(t, c.Err(), errs.Closed)
	for lsn := uint64(1); lsn <= 120; lsn++ {
		requireRecs(t, recsBetween(lsn, 120), cursorRecs(t, l, lsn))
	}
	_, _, err := l.ReadAt(121)
	require.ErrorIs(t, err, errs.NotFound)
	_, _, err = l.ReadAt(0)
	require.ErrorIs(t, err, errs.NotFound)
	require.NoError(t, l.Close())
}

// TestCursorMeetsDamage that came after Open: an error, never a wrong record.
func TestCursorMeetsDamage(t *testing.T) {
	fsys := newHookFS()
	cfg := testConfig(fsys, Always)
	l, _, _ := open(t, cfg, 0)
	add(t, l, 5)
	require.NoError(t, l.Rotate())
	f, err := fsys.FS.OpenReadWrite(testDir + "/" + segmentName(1))
	require.NoError(t, err)
	_, err = f.WriteAt([]byte{0xff, 0xff}, headerBytes+8)
	require.NoError(t, err)
	c := l.Cursor(1)
	require.False(t, c.Next())
	require.ErrorIs(t, c.Err(), errs.Damaged)
	require.NoError(t, c.Close())
	require.NoError(t, l.Close())
}

// TestIndex reads single records of a segment with many index entries.
func TestIndex(t *testing.T) {
	cfg := testConfig(newHookFS(), Never)
	cfg.SegmentBytes = 1 << 20
	l, _, _ := open(t, cfg, 0)
	add(t, l, 4000)
	read := func() {
		require.Greater(t, len(l.segs[0].index), 5)
		for lsn := uint64(1); lsn <= 4000; lsn += 61 {
			kind, p, err := l.ReadAt(lsn)
			require.NoError(t, err)
			requireRecs(t, recsBetween(lsn, lsn), []rec{{lsn, kind, string(p)}})
		}
	}
	read()
	require.NoError(t, l.Close())
	l, _, _ = open(t, cfg, 0)
	read()
	require.NoError(t, l.Close())
}
