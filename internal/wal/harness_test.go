package wal

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/vfs"
)

var bg = context.Background()

const testDir = "db/wal"

// testConfig is a log with segments of 4 KiB on fsys.
func testConfig(fsys vfs.FS, mode Mode) Config {
	salt := uint64(0)
	return Config{
		FS: fsys, Dir: testDir, StoreID: 77, SegmentBytes: 4096, Policy: Policy{Mode: mode},
		Logger: slog.New(slog.DiscardHandler),
		Salt:   func(seg uint64) uint64 { salt++; return mix(seg<<32 + salt) },
	}
}

// rec is a record as a test sees it.
type rec struct {
	lsn     uint64
	kind    uint8
	payload string
}

// recAt returns the record that tests append at a position: everything about it
// follows from the position, so that a wrong one is seen.
func recAt(lsn uint64) rec {
	r := rand.New(rand.NewPCG(lsn, 1))
	n := r.IntN(200)
	if r.IntN(40) == 0 {
		n = 3000 + r.IntN(3000)
	}
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	if n >= 8 {
		binary.LittleEndian.PutUint64(p, lsn)
	}
	return rec{lsn, uint8(1 + lsn%7), string(p)}
}

func recsBetween(first, last uint64) []rec {
	var out []rec
	for lsn := first; lsn <= last; lsn++ {
		out = append(out, recAt(lsn))
	}
	return out
}

// tryOpen opens a log and returns what it replays.
func tryOpen(cfg Config, after uint64) (*Log, Report, []rec, error) {
	var got []rec
	l, rep, err := Open(cfg, after, func(lsn uint64, kind uint8, p []byte) error {
		got = append(got, rec{lsn, kind, string(p)})
		return nil
	})
	return l, rep, got, err
}

func open(t testing.TB, cfg Config, after uint64) (*Log, Report, []rec) {
	t.Helper()
	l, rep, got, err := tryOpen(cfg, after)
	require.NoError(t, err)
	return l, rep, got
}

// add appends the next n test records and commits the last. One alone goes by Begin.
func add(t testing.TB, l *Log, n int) {
	t.Helper()
	var last uint64
	for range n {
		r := recAt(l.Last() + 1)
		if n == 1 {
			_, err := put(l, r)
			require.NoError(t, err)
			return
		}
		lsn, err := l.Append(r.kind, []byte(r.payload))
		require.NoError(t, err)
		require.Equal(t, r.lsn, lsn)
		last = lsn
	}
	require.NoError(t, l.Commit(bg, last, false))
}

// put appends and commits a record by Begin. The position is 0 if none was taken.
func put(l *Log, r rec) (lsn uint64, err error) {
	lsn, mine, err := l.Begin(r.kind, []byte(r.payload))
	switch {
	case err != nil:
		return 0, err
	case mine:
		err = l.End(lsn)
	default:
		err = l.Commit(bg, lsn, false)
	}
	return lsn, err
}

// requireRecs compares records without printing megabytes.
func requireRecs(t testing.TB, want, got []rec, where ...any) {
	t.Helper()
	for i := range min(len(want), len(got)) {
		if want[i] != got[i] {
			t.Fatalf("%v: record %d: expected LSN %d kind %d %d bytes, got LSN %d kind %d %d bytes (payload equal: %v)", fmt.Sprint(where...), i,
				want[i].lsn, want[i].kind, len(want[i].payload), got[i].lsn, got[i].kind, len(got[i].payload), want[i].payload == got[i].payload)
		}
	}
	if len(want) != len(got) {
		t.Fatalf("%v: expected %d records, got %d", fmt.Sprint(where...), len(want), len(got))
	}
}

// cursorRecs reads all records from a position on with a cursor.
func cursorRecs(t testing.TB, l *Log, from uint64) []rec {
	t.Helper()
	c := l.Cursor(from)
	defer c.Close()
	var got []rec
	for c.Next() {
		got = append(got, rec{c.LSN(), c.Kind(), string(bytes.Clone(c.Payload()))})
	}
	require.NoError(t, c.Err())
	return got
}

func segmentFiles(t testing.TB, fsys vfs.FS) []string {
	t.Helper()
	names, err := fsys.List(testDir)
	require.NoError(t, err)
	var out []string
	for _, n := range names {
		if _, ok := parseSegmentName(n); ok {
			out = append(out, n)
		}
	}
	return out
}
