package wal

import (
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/vfs"
)

// image is the content of a log's directory.
type image map[string][]byte

func takeImage(t testing.TB, fsys vfs.FS) image {
	im := image{}
	for _, name := range segmentFiles(t, fsys) {
		im[name] = readAll(fsys, testDir+"/"+name)
	}
	return im
}

func (im image) put() *hookFS {
	fsys := newHookFS()
	_ = fsys.MkdirAll(testDir)
	for name, b := range im {
		writeAll(fsys, testDir+"/"+name, b)
	}
	return fsys
}

func (im image) names() []string {
	var out []string
	for name := range im {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func (im image) with(name string, b []byte) image {
	out := image{}
	maps.Copy(out, im)
	if b == nil {
		delete(out, name)
	} else {
		out[name] = b
	}
	return out
}

// smallLog makes a closed log of n records in several segments.
func smallLog(t testing.TB, store uint64, n int, close bool) (image, Config) {
	cfg := testConfig(newHookFS(), Always)
	cfg.SegmentBytes, cfg.StoreID = 1024, store
	l, _, _ := open(t, cfg, 0)
	for range n {
		add(t, l, 1)
	}
	if close {
		require.NoError(t, l.Close())
	} else {
		abandon(l)
	}
	return takeImage(t, cfg.FS), cfg
}

// replayed opens an image and requires that every record found is right, that
// missing ones are covered by the report, and that the log works on and says
// the same when opened again. It returns the report and the positions found.
func replayed(t testing.TB, cfg Config, im image, last uint64, where string) (Report, []uint64) {
	t.Helper()
	fsys := im.put()
	cfg.FS = fsys
	l, rep, got, err := tryOpen(cfg, 0)
	require.NoError(t, err, where)
	var found []uint64
	for _, g := range got {
		requireRecs(t, []rec{recAt(g.lsn)}, []rec{g}, where)
		if g.lsn > last || len(found) > 0 && g.lsn <= found[len(found)-1] {
			t.Fatalf("%s: record %d out of order or never written", where, g.lsn)
		}
		found = append(found, g.lsn)
	}
	requireRecs(t, got, cursorRecs(t, l, 1), where+": cursor")
	for lsn, i := uint64(1), 0; lsn <= l.Last(); lsn++ {
		if i < len(found) && found[i] == lsn {
			i++
			continue
		}
		if !slices.ContainsFunc(rep.Damage, func(d Damage) bool { return d.FirstLSN <= lsn && lsn <= d.LastLSN }) {
			t.Fatalf("%s: record %d is missing without a word; report %v", where, lsn, rep.Damage)
		}
	}
	next := l.Last() + 1
	require.Greater(t, next, uint64(len(found)), where)
	add(t, l, 2)
	require.NoError(t, l.Close(), where)
	l, again, more := open(t, cfg, 0)
	requireRecs(t, append(got, recAt(next), recAt(next+1)), more, where+": again")
	require.Equal(t, rep.Damage, again.Damage, where)
	require.NoError(t, l.Retire(next+1), where)
	for _, d := range rep.Damage {
		if _, there := im[d.File]; there && d.Length > 0 {
			require.Equal(t, im[d.File][d.Offset:d.Offset+d.Length], readAll(fsys, testDir+"/quarantine/"+d.File)[d.Offset:d.Offset+d.Length], where)
		}
	}
	require.NoError(t, l.Close(), where)
	return rep, found
}

// TestBitFlips flips bits of every byte of a log. No flip may change a record,
// and none may lose one silently, or more than one.
func TestBitFlips(t *testing.T) {
	const n = 14
	im, cfg := smallLog(t, 5, n, true)
	require.Greater(t, len(im), 2)
	r := rand.New(rand.NewPCG(1, 1))
	for _, name := range im.names() {
		for i := range im[name] {
			b := slices.Clone(im[name])
			b[i] ^= 1 << r.IntN(8)
			where := fmt.Sprintf("%s byte %d", name, i)
			rep, found := replayed(t, cfg, im.with(name, b), n, where)
			lastMark := name == im.names()[len(im)-1] && i >= len(b)-recordHeader
			require.True(t, len(rep.Damage) > 0 || lastMark && rep.TornBytes == recordHeader, "%s: not detected", where)
			require.GreaterOrEqual(t, len(found), n-1, where)
		}
	}
}

// TestBitFlipUnclosed is the same after a crash: only the last record, which
// nothing says was synced, may go as a torn end.
func TestBitFlipUnclosed(t *testing.T) {
	const n = 12
	im, cfg := smallLog(t, 5, n, false)
	for _, name := range im.names() {
		for i := range im[name] {
			b := slices.Clone(im[name])
			b[i] ^= 0x10
			where := fmt.Sprintf("%s byte %d", name, i)
			rep, found := replayed(t, cfg, im.with(name, b), n, where)
			require.GreaterOrEqual(t, len(found), n-1, where)
			if len(rep.Damage) == 0 {
				require.Equal(t, name, im.names()[len(im)-1], where)
				require.Equal(t, uint64(n-1), found[len(found)-1], where)
				require.Positive(t, rep.TornBytes, where)
			}
		}
	}
}

func TestTruncationAtEveryByte(t *testing.T) {
	const n = 14
	for _, closed := range []bool{true, false} {
		im, cfg := smallLog(t, 5, n, closed)
		names := im.names()
		for _, name := range names {
			for i := range im[name] {
				where := fmt.Sprintf("%s cut at %d", name, i)
				rep, found := replayed(t, cfg, im.with(name, im[name][:i:i]), n, where)
				if name == names[len(names)-1] && i >= headerBytes {
					require.Empty(t, rep.Damage, where)
					for j, lsn := range found {
						require.Equal(t, uint64(j+1), lsn, where)
					}
					continue
				}
				if len(rep.Damage) == 0 { // nothing but the end mark was cut, at its start
					require.Len(t, found, n, where)
					require.Equal(t, len(im[name])-recordHeader, i, where)
				}
			}
		}
	}
}

func TestZeroedPages(t *testing.T) {
	const n = 40
	im, cfg := smallLog(t, 5, n, true)
	for _, name := range im.names() {
		for at := 0; at < len(im[name]); at += 512 {
			b := slices.Clone(im[name])
			clear(b[at:min(at+512, len(b))])
			where := fmt.Sprintf("%s zeros at %d", name, at)
			rep, found := replayed(t, cfg, im.with(name, b), n, where)
			require.True(t, len(rep.Damage) > 0 || rep.TornBytes > 0, where)
			require.GreaterOrEqual(t, len(found), n-30, where)
		}
	}
	// A file that grew without its data is a torn end, and so is a page of noise.
	names := im.names()
	open, cfg := smallLog(t, 5, n, false)
	name := names[len(names)-1]
	for what, tail := range map[string][]byte{"zeros": make([]byte, 5000), "noise": []byte(recAt(19).payload), "one zero": {0}} {
		rep, found := replayed(t, cfg, open.with(name, append(slices.Clone(open[name]), tail...)), n, what)
		require.Empty(t, rep.Damage, what)
		require.Equal(t, int64(len(tail)), rep.TornBytes, what)
		require.Len(t, found, n, what)
	}
}

func TestMisplacedSegments(t *testing.T) {
	const n = 40
	im, cfg := smallLog(t, 5, n, true)
	other, _ := smallLog(t, 6, n, true)
	names := im.names()
	require.Greater(t, len(names), 4)
	a, b, last := names[1], names[2], names[len(names)-1]
	firstOf := func(name string) uint64 {
		h, _, err := parseHeaders(im[name])
		require.NoError(t, err)
		return h.firstLSN
	}
	inA := firstOf(b) - firstOf(a)
	inB := firstOf(names[3]) - firstOf(b)
	for _, c := range []struct {
		name   string
		im     image
		lost   uint64
		damage string
	}{
		{"missing in the middle", im.with(a, nil), inA, "missing"},
		{"missing first", im.with(names[0], nil), firstOf(a) - 1, "missing"},
		{"two missing", im.with(a, nil).with(b, nil), inA + inB, "missing"},
		{"empty", im.with(a, []byte{}), inA, "header"},
		{"swapped", im.with(a, im[b]).with(b, im[a]), inA + inB, "another name"},
		{"duplicated behind the last", im.with(segmentName(99), im[a]), 0, "another name"},
		{"overwritten by another", im.with(b, im[a]), inB, "another name"},
		{"of another store", im.with(a, other[a]), inA, "another store"},
		{"of another store at the end", im.with(segmentName(99), other[last]), 0, "another store"},
		{"no segment at all", im.with(segmentName(99), []byte(recAt(19).payload)), 0, "header"},
		{"older copy", im.with(a, im[a][:headerBytes]), inA, "missing"},
	} {
		rep, found := replayed(t, cfg, c.im, n, c.name)
		require.Len(t, found, n-int(c.lost), c.name)
		require.Contains(t, fmt.Sprint(rep.Damage), c.damage, c.name)
	}
	// Without its last segment a log is an older log; nothing can tell.
	rep, found := replayed(t, cfg, im.with(last, nil), n, "last missing")
	require.Empty(t, rep.Damage)
	require.Len(t, found, int(firstOf(last)-1))
}

// TestAfterDamageUsesNewPositions: records that may have been lost with the last
// segment keep their positions.
func TestAfterDamageUsesNewPositions(t *testing.T) {
	const n = 20
	im, cfg := smallLog(t, 5, n, true)
	names := im.names()
	last := names[len(names)-1]
	b := slices.Clone(im[last])
	clear(b[:headerBytes])
	cfg.FS = im.with(last, b).put()
	l, rep, _ := open(t, cfg, 0)
	require.Len(t, rep.Damage, 1)
	require.GreaterOrEqual(t, l.Last(), uint64(n))
	require.Equal(t, l.Last(), rep.Damage[0].LastLSN)
	require.NoError(t, l.Close())
}

func TestNewerVersionIsRefused(t *testing.T) {
	im, cfg := smallLog(t, 5, 10, true)
	h := header{version: version + 1, storeID: 5, segment: 1, firstLSN: 1}
	cfg.FS = im.with(segmentName(1), h.append(nil)).put()
	_, _, _, err := tryOpen(cfg, 0)
	require.ErrorContains(t, err, "version 2")
}

// TestReadErrors: a sector that cannot be read costs its records only; an error
// that passes costs nothing.
func TestReadErrors(t *testing.T) {
	const n = 40
	im, cfg := smallLog(t, 5, n, true)
	fsys := im.put()
	cfg.FS = fsys
	bad := testDir + "/" + im.names()[2]
	count := 0
	fsys.setHook(func(op, name string) error {
		if op == "read" && name == bad {
			if count++; count == 1 {
				return errInjected
			}
		}
		return nil
	})
	_, rep, got := open(t, cfg, 0)
	require.Empty(t, rep.Damage)
	requireRecs(t, recsBetween(1, n), got)

	fsys.setHook(func(op, name string) error {
		if op == "read" && name == bad {
			return errInjected
		}
		return nil
	})
	l, rep, got := open(t, cfg, 0)
	require.Len(t, rep.Damage, 1)
	require.Contains(t, rep.Damage[0].Reason, errInjected.Error())
	require.Len(t, got, n-int(rep.Damage[0].LastLSN-rep.Damage[0].FirstLSN+1))
	_, _, err := l.ReadAt(rep.Damage[0].FirstLSN)
	require.ErrorContains(t, err, "damaged")
}

func FuzzReplay(f *testing.F) {
	im, cfg := smallLog(f, 5, 14, true)
	names := im.names()
	for i, name := range names {
		f.Add(uint8(i), im[name])
		f.Add(uint8(len(names)-1), im[name])
	}
	f.Add(uint8(0), []byte{})
	f.Fuzz(func(t *testing.T, at uint8, b []byte) {
		if len(b) > 1<<20 {
			return
		}
		name := segmentName(uint64(at%8) + 1)
		cfg := cfg
		cfg.FS = im.with(name, b).put()
		l, _, got, err := tryOpen(cfg, 0)
		if err != nil {
			return // a newer version
		}
		for i := 1; i < len(got); i++ {
			if got[i].lsn <= got[i-1].lsn {
				t.Fatalf("record %d follows %d", got[i].lsn, got[i-1].lsn)
			}
		}
		next := l.Last() + 1
		add(t, l, 1)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		_, _, again := open(t, cfg, 0)
		requireRecs(t, append(got, recAt(next)), again, "again")
	})
}

// TestPassingReadErrors: a read that fails for a reason that passes says nothing
// about the bytes. Open must not take them for damaged, give their positions to
// others and let them go to quarantine when those are flushed.
func TestPassingReadErrors(t *testing.T) {
	const n = 40
	for _, cause := range []error{vfs.ErrNoSpace, fs.ErrPermission, fs.ErrClosed, syscall.EMFILE, syscall.EINTR} {
		for _, which := range []int{0, 2, -1} {
			im, cfg := smallLog(t, 5, n, true)
			fsys := im.put()
			cfg.FS = fsys
			names := im.names()
			bad := testDir + "/" + names[(which+len(names))%len(names)]
			fsys.setHook(func(op, name string) error {
				if op == "read" && name == bad {
					return &fs.PathError{Op: op, Path: name, Err: cause}
				}
				return nil
			})
			_, _, _, err := tryOpen(cfg, 0)
			require.ErrorIs(t, err, cause, "segment %d", which)

			fsys.setHook(nil)
			_, rep, got := open(t, cfg, 0)
			require.Empty(t, rep.Damage, "%v, segment %d", cause, which)
			requireRecs(t, recsBetween(1, n), got)
		}
	}
}
