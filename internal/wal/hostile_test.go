package wal

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/errs"
)

// forge makes a segment with valid headers and checksums from a script of five
// bytes a record: position relative to the last, promise, flags, length, and
// whether to spoil it.
func forge(seg uint64, first uint64, script []byte) []byte {
	h := header{version: version, storeID: 77, segment: seg, salt: 3, firstLSN: first}
	b := h.append(nil)
	base := checksumBase(77, seg, 3)
	lsn := first - 1
	for ; len(script) >= 5; script = script[5:] {
		lsn += uint64(int64(int8(script[0])))
		payload := make([]byte, int(script[3]))
		off := len(b)
		b = appendRecord(b, 1, script[2]%4, lsn, payload)
		behind := uint64(int64(int8(script[1])))
		seal(b[off:], base, int64(off), lsn-behind)
		if script[4]&1 != 0 {
			b[off+4+int(script[4]>>1)%20] ^= 0x40
		}
	}
	return b
}

// checkForged opens two forged segments: positions must grow, and what is found
// must be found again.
func checkForged(t *testing.T, one, two []byte) {
	im := image{segmentName(1): forge(1, 1, one), segmentName(2): forge(2, 6, two)}
	cfg := testConfig(im.put(), Always)
	l, rep, got, err := tryOpen(cfg, 0)
	require.NoError(t, err)
	for i := 1; i < len(got); i++ {
		if got[i].lsn <= got[i-1].lsn {
			t.Fatalf("record %d follows %d", got[i].lsn, got[i-1].lsn)
		}
	}
	requireRecs(t, got, cursorRecs(t, l, 1), "cursor")
	for _, g := range got {
		kind, p, err := l.ReadAt(g.lsn)
		require.NoError(t, err)
		require.Equal(t, rec{g.lsn, kind, string(p)}, g)
	}
	next := l.Last() + 1
	add(t, l, 1)
	require.NoError(t, l.Close())
	l, again, more := open(t, cfg, 0)
	requireRecs(t, append(got, recAt(next)), more, "again")
	require.Equal(t, rep.Damage, again.Damage)
	require.NoError(t, l.Close())
}

func FuzzForged(f *testing.F) {
	f.Add([]byte{1, 0, 0, 9, 0, 1, 1, 0, 9, 0, 0, 0, 1, 0, 0}, []byte{1, 0, 0, 9, 0, 1, 1, 0, 9, 1, 1, 0, 0, 9, 0})
	f.Add([]byte{1, 0, 0, 9, 0, 3, 1, 0, 9, 0, 255, 0, 0, 4, 0}, []byte{1, 1, 0, 9, 0, 7, 1, 2, 0, 0, 1, 0, 0, 9, 0})
	f.Add([]byte{5, 0, 0, 9, 0, 10, 0, 0, 1, 0}, []byte{1, 0, 0, 0, 0, 1, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, one, two []byte) {
		if len(one) < 4000 && len(two) < 4000 {
			checkForged(t, one, two)
		}
	})
}

// TestForged names the orders that only a forger, or an old backup put back,
// makes.
func TestForged(t *testing.T) {
	plain := []byte{1, 1, 0, 8, 0}
	repeat := func(n int, rec ...byte) (out []byte) {
		for range n {
			out = append(out, rec...)
		}
		return out
	}
	for _, c := range []struct {
		name     string
		one, two []byte
		want     []uint64
		damage   string
	}{
		{"as it should be", repeat(5, plain...), repeat(2, plain...), []uint64{1, 2, 3, 4, 5, 6, 7}, ""},
		{"a jump", repeat(2, 2, 1, 0, 8, 0), nil, []uint64{2, 4}, "records missing"},
		{"backwards", append(repeat(5, plain...), 0xfe, 1, 0, 8, 0), nil, []uint64{1, 2, 3, 4, 5}, "wrong order"},
		{"the second begins before the first ends", repeat(7, plain...), repeat(4, plain...), []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9}, "begins again"},
		{"a gap mark", append(repeat(3, plain...), 2, 1, flagGap, 0, 0), plain, []uint64{1, 2, 3, 6}, ""},
		{"an end mark too early", append(repeat(3, plain...), append([]byte{0, 1, flagEnd, 0, 0}, plain...)...), plain, []uint64{1, 2, 3, 6}, "missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			checkForged(t, c.one, c.two)
			im := image{segmentName(1): forge(1, 1, c.one), segmentName(2): forge(2, 6, c.two)}
			_, rep, got := open(t, testConfig(im.put(), Always), 0)
			var lsns []uint64
			for _, g := range got {
				lsns = append(lsns, g.lsn)
			}
			require.Equal(t, c.want, lsns)
			if c.damage == "" {
				require.Empty(t, rep.Damage)
			} else {
				require.NotEmpty(t, rep.Damage)
				require.Contains(t, rep.Damage[0].String(), c.damage)
			}
		})
	}
}

// TestQuadratic: a file of headers that each claim the rest of the file takes
// no longer than a few readings of it.
func TestQuadratic(t *testing.T) {
	b := forge(1, 1, []byte{1, 1, 0, 8, 0, 1, 1, 0, 8, 1})
	const size = 1 << 20
	for len(b) < size {
		var rec [recordHeader]byte
		binary.LittleEndian.PutUint32(rec[4:], uint32(size-len(b)))
		binary.LittleEndian.PutUint64(rec[8:], 100)
		b = append(b, rec[:]...)
	}
	im := image{segmentName(1): b}
	start := time.Now()
	l, rep, got := open(t, testConfig(im.put(), Always), 0)
	require.Less(t, time.Since(start), 5*time.Second)
	require.Len(t, got, 1)
	require.Len(t, rep.Damage, 1, "undecided is damage")
	require.NoError(t, l.Close())
}

// TestSyncWhileFull: Sync is about what is stored.
func TestSyncWhileFull(t *testing.T) {
	fsys := newHookFS()
	l, _, _ := open(t, testConfig(fsys, Never), 0)
	add(t, l, 3)
	fsys.setSpace(0)
	for range 3 {
		lsn, err := l.Append(1, []byte("x"))
		require.NoError(t, err)
		require.ErrorIs(t, l.Commit(bg, lsn, true), errs.NoSpace)
	}
	require.NoError(t, l.Sync(bg))
	require.GreaterOrEqual(t, l.Durable(), uint64(3))
	require.ErrorIs(t, l.Rotate(), errs.NoSpace)
	fsys.setSpace(-1)
	add(t, l, 1)
	require.NoError(t, l.Rotate())
	require.NoError(t, l.Close())
}
