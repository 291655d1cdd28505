package wal

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/vfs"
)

// TestRecordBelongsToItsPlace: the bytes of a record are no record in another
// store, segment, life of a file, or place.
func TestRecordBelongsToItsPlace(t *testing.T) {
	type place struct {
		store, segment, salt uint64
		off                  int64
	}
	home := place{1, 2, 3, 128}
	for name, at := range map[string]place{
		"home":                  home,
		"another store":         {9, 2, 3, 128},
		"another segment":       {1, 9, 3, 128},
		"another life":          {1, 2, 9, 128},
		"the next place":        {1, 2, 3, 136},
		"store for segment":     {2, 1, 3, 128},
		"a place far behind":    {1, 2, 3, 1 << 20},
		"a store that is large": {1 | 1<<63, 2, 3, 128},
	} {
		b := appendRecord(nil, 7, 0, 42, []byte("payload"))
		seal(b, checksumBase(home.store, home.segment, home.salt), home.off, 40)
		fsys := vfs.NewMem()
		writeAll(fsys, "f", append(make([]byte, at.off), b...))
		f, err := fsys.Open("f")
		require.NoError(t, err)
		sc := scanner{window: 64}
		sc.reset(f, checksumBase(at.store, at.segment, at.salt), at.off+int64(len(b)))
		got, err := sc.record(at.off)
		if at != home {
			require.ErrorIs(t, err, errBadRecord, name)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, record{off: 128, end: 160, lsn: 42, synced: 40, kind: 7, payload: []byte("payload")}, got)
	}
}

// TestPromise: what is said about synced records is never more than the truth.
func TestPromise(t *testing.T) {
	for _, c := range []struct{ lsn, synced, want uint64 }{
		{1, 0, 0},
		{5, 0, 0},
		{5, 4, 4},
		{5, 5, 5},
		{1 << 40, 1<<40 - 7, 1<<40 - 7},
		{1 << 40, 1, 0},
		{noPromise + 1, 1, 0},
		{noPromise, 1, 1},
	} {
		b := appendRecord(nil, 1, 0, c.lsn, nil)
		seal(b, 0, 128, c.synced)
		r, ok := parseHeader(b, 128)
		require.True(t, ok)
		require.Equal(t, c.want, r.synced, "%+v", c)
	}
}

// TestAbandonedOffer: a waiter whose context ends in the moment it is offered a
// role passes the offer on.
func TestAbandonedOffer(t *testing.T) {
	l := &Log{last: 2}
	for range 2 {
		w := l.waiter()
		w.want, w.lsn = wantWritten, 2
		l.waiters = append(l.waiters, w)
	}
	first, second := l.waiters[0], l.waiters[1]
	l.signal()
	require.Equal(t, []int{1, 0}, []int{len(first.wake), len(second.wake)}, "one role, one offer")
	l.abandon(first)
	require.Equal(t, []int{0, 1}, []int{len(first.wake), len(second.wake)})
	require.Empty(t, l.waiters)
}

// TestRecordBytes: a record is its header, the payload and zeros, whatever the memory
// held that it is appended to.
func TestRecordBytes(t *testing.T) {
	for n := range 40 {
		payload := bytes.Repeat([]byte{0xab}, n)
		want := binary.LittleEndian.AppendUint32([]byte("before, "), 0)
		want = binary.LittleEndian.AppendUint32(want, uint32(recordHeader+n))
		want = binary.LittleEndian.AppendUint64(want, 1<<40+7)
		want = append(want, 0xff, 0xff, 0xff, 0xff, 9, 2, 0, 0)
		want = append(want, payload...)
		want = append(want, make([]byte, align8(n)-n)...)
		for _, room := range []int{0, len(want), len(want) + 1, 200} {
			dirty := bytes.Repeat([]byte{0xcd}, 8+room)
			require.Equal(t, want, appendRecord(append(dirty[:0], "before, "...), 9, 2, 1<<40+7, payload), "%d bytes", n)
		}
	}
}
