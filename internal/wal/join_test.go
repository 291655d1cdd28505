package wal

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/vfs"
)

// joinWays are Join and what comes to the same: in two steps, with no more room than
// the payload takes, and with room to spare.
var joinWays = []func(l *Log, kind uint8, payload []byte) (uint64, error){
	(*Log).Join,
	func(l *Log, kind uint8, payload []byte) (uint64, error) { return joinRoom(l, kind, payload, 0) },
	func(l *Log, kind uint8, payload []byte) (uint64, error) { return joinRoom(l, kind, payload, 20) },
}

func joinRoom(l *Log, kind uint8, payload []byte, spare int) (uint64, error) {
	room := l.JoinRoom(kind, len(payload)+spare)
	if room == nil {
		return l.Join(kind, payload)
	}
	for i := range room[copy(room, payload):] { // as memory that held other bytes
		room[len(payload)+i] = 0xff
	}
	lsn := l.last // the lock is held
	l.Joined(len(payload))
	return lsn, nil
}

// joining is a log that writes only when it is told to.
func joining(fsys vfs.FS) Config {
	cfg := testConfig(fsys, Buffered)
	cfg.Policy.Interval, cfg.BufferBytes = time.Hour, 2048
	return cfg
}

// Which records share a position, and what ends that.
func TestJoin(t *testing.T) {
	large := strings.Repeat("x", joinBytes-3)
	for _, c := range []struct{ ops, want string }{
		{"join a, join b, join c", "1 1:abc"},
		{"join a, append b, join c, join d", "1 1:a, 2 1:b, 3 1:cd"},
		{"append a, join b, join c", "1 1:a, 2 1:bc"},
		{"join a, kind2 b, join c", "1 1:a, 2 2:b, 3 1:c"},
		{"join a, join b, cut, join c, cut, cut, join d", "1 1:ab, 2 1:c, 3 1:d"},
		{"join a, sync, join b, join c", "1 1:a, 2 1:bc"},
		{"join a, rotate, join b, join c", "1 1:a, 2 1:bc"},
		{"cut, join a", "1 1:a"},
		{"join " + large + ", join abc, join d", "1 1:" + large + "abc, 2 1:d"},
		{"append " + large + ", join a, join " + large + ", join b", "1 1:" + large + ", 2 1:a, 3 1:" + large + "b"}, // no room in the buffer,
	} {
		for way, join := range joinWays {
			fsys := vfs.NewMem()
			l, _, _ := open(t, joining(fsys), 0)
			for op := range strings.SplitSeq(c.ops, ", ") {
				what, payload, _ := strings.Cut(op, " ")
				var err error
				switch what {
				case "join":
					_, err = join(l, 1, []byte(payload))
				case "kind2":
					_, err = join(l, 2, []byte(payload))
				case "append":
					_, err = l.Append(1, []byte(payload))
				case "cut":
					require.Equal(t, l.Last(), l.Cut())
				case "sync":
					err = l.Sync(bg)
				case "rotate":
					err = l.Rotate()
				}
				require.NoError(t, err, op)
			}
			require.NoError(t, l.Close())
			_, err := join(l, 1, []byte("x"))
			require.ErrorIs(t, err, errs.Closed)
			_, _, got, err := tryOpen(joining(fsys), 0)
			require.NoError(t, err)
			var list []string
			for _, r := range got {
				list = append(list, fmt.Sprintf("%d %d:%s", r.lsn, r.kind, r.payload))
			}
			require.Equal(t, c.want, strings.Join(list, ", "), "%s, way %d", c.ops, way)
		}
	}
	l, _, _ := open(t, joining(vfs.NewMem()), 0)
	_, err := l.Join(1, make([]byte, joinBytes+1))
	require.ErrorIs(t, err, errs.Limit)
	require.NoError(t, l.Close())
}

// Records of all sizes, by both ways, come back in order and whole: what came
// between two others lies between them.
func TestJoinModel(t *testing.T) {
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 11))
		fsys := vfs.NewMem()
		l, _, _ := open(t, joining(fsys), 0)
		var want []rec
		cut := uint64(0)
		for range 2000 {
			p := make([]byte, 1+rng.IntN(1<<rng.IntN(9)))
			for i := range p {
				p[i] = byte(rng.Uint32())
			}
			kind, least := uint8(1+rng.IntN(50)/49), l.Least()
			switch n := rng.IntN(100); {
			case n < 88:
				lsn, err := joinWays[rng.IntN(3)](l, kind, p)
				require.NoError(t, err)
				require.Greater(t, lsn, cut)
				require.GreaterOrEqual(t, lsn, least)
				if k := len(want) - 1; k >= 0 && want[k].lsn == lsn {
					require.Equal(t, want[k].kind, kind)
					require.LessOrEqual(t, len(want[k].payload)+len(p), joinBytes)
					want[k].payload += string(p)
				} else {
					want = append(want, rec{lsn, kind, string(p)})
				}
			case n < 96:
				lsn, err := l.Append(kind, p)
				require.NoError(t, err)
				require.GreaterOrEqual(t, lsn, least)
				want = append(want, rec{lsn, kind, string(p)})
				require.Equal(t, lsn+1, l.Least())
				cut = lsn
			case n < 98:
				cut = l.Cut()
				require.Equal(t, cut+1, l.Least())
			case n < 99:
				require.NoError(t, l.Sync(bg))
				cut = l.Last()
			default:
				require.NoError(t, l.Rotate())
				cut = l.Last()
			}
			require.Equal(t, uint64(len(want)), l.Last(), "positions are dense")
		}
		require.NoError(t, l.Close())
		_, _, got, err := tryOpen(joining(fsys), 0)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

// A record that others joined and that the disk has no room for is refused whole;
// what comes after it begins another.
func TestJoinRefused(t *testing.T) {
	fsys := newHookFS()
	full := false
	fsys.setHook(func(op, _ string) error {
		if full && op == "write" {
			return vfs.ErrNoSpace
		}
		return nil
	})
	l, _, _ := open(t, joining(fsys), 0)
	join := func(s string) (lsn uint64) {
		lsn, err := l.Join(1, []byte(s))
		require.NoError(t, err)
		return lsn
	}
	require.EqualValues(t, 1, join("a"))
	require.NoError(t, l.Sync(bg))
	full = true
	require.EqualValues(t, 2, join("b"))
	require.EqualValues(t, 2, join("c"))
	require.ErrorIs(t, l.Sync(bg), errs.NoSpace)
	full = false
	require.EqualValues(t, 3, join("d"))
	require.EqualValues(t, 3, join("e"))
	require.True(t, l.Refused(2) && !l.Refused(3))
	require.NoError(t, l.Close())
	_, _, got, err := tryOpen(joining(fsys), 0)
	require.NoError(t, err)
	require.Equal(t, []rec{{1, 1, "a"}, {3, 1, "de"}}, got)
}

// Whoever joins after Cut has a later position, while others join, append and
// write; and no position falls short of what Least said before.
func TestJoinAndCut(t *testing.T) {
	fsys := vfs.NewMem()
	l, _, _ := open(t, joining(fsys), 0)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for n := range 3000 {
				floor := l.Least()
				if g == 0 && n%3 == 0 {
					floor = l.Cut() + 1
				}
				var lsn uint64
				var err error
				if g == 1 && n%50 == 0 {
					lsn, err = l.Append(1, []byte{byte(g), byte(n), byte(n >> 8)})
				} else {
					lsn, err = joinWays[n/7%2](l, 1, []byte{byte(g), byte(n), byte(n >> 8)})
				}
				if g == 2 && n%100 == 0 {
					err = errors.Join(err, l.Write(bg, lsn))
				}
				if err != nil || lsn < floor {
					t.Errorf("record %d of %d has position %d, error %v; least %d", n, g, lsn, err, floor)
					return
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, l.Close())
	_, _, got, err := tryOpen(joining(fsys), 0)
	require.NoError(t, err)
	var next [4]int
	for _, r := range got {
		for p := r.payload; p != ""; p = p[3:] {
			n := int(p[1]) | int(p[2])<<8
			require.Equal(t, next[p[0]], n, "record of goroutine %d", p[0])
			next[p[0]]++
		}
	}
	require.Equal(t, [4]int{3000, 3000, 3000, 3000}, next)
}

// TestJoinedBytes: records that are joined are padded with zeros, whatever the buffer
// held before.
func TestJoinedBytes(t *testing.T) {
	l, _, _ := open(t, joining(vfs.NewMem()), 0)
	l.mu.Lock()
	l.buf = bytes.Repeat([]byte{0xcd}, 1024)[:0]
	l.mu.Unlock()
	var all []byte
	for n := range 25 {
		payload := bytes.Repeat([]byte{byte(n + 1)}, n)
		all = append(all, payload...)
		lsn, err := joinWays[n%3](l, 1, payload)
		require.NoError(t, err)
		require.Equal(t, uint64(1), lsn)
		l.mu.Lock()
		require.Equal(t, appendRecord(nil, 1, 0, 1, all), l.buf)
		l.mu.Unlock()
	}
	require.NoError(t, l.Close())
}
