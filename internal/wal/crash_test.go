package wal

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// ack is a promise given when the file system had seen ops operations.
type ack struct {
	ops     int
	lsn     uint64
	durable bool
}

// crashRun is a history of a log and the promises made in it.
type crashRun struct {
	ops     func() int
	acks    []ack
	retired []ack // Retire calls begun: the highest position asked for
	last    uint64
}

// work runs random calls on a log over fsys.
func (c *crashRun) work(t *testing.T, cfg Config, seed uint64, steps int) {
	r := rand.New(rand.NewPCG(seed, 3))
	l, _, _ := open(t, cfg, 0)
	c.last = l.Last()
	var retired uint64
	for range steps {
		switch op := r.IntN(100); {
		case op < 70:
			add(t, l, 1+r.IntN(3))
			c.last = l.Last()
			if cfg.Policy.Mode != Buffered {
				c.acks = append(c.acks, ack{c.ops(), c.last, cfg.Policy.Mode == Always})
			}
		case op < 80:
			require.NoError(t, l.Sync(bg))
			c.acks = append(c.acks, ack{c.ops(), l.Durable(), true})
		case op < 85:
			require.NoError(t, l.Rotate())
			c.acks = append(c.acks, ack{c.ops(), l.Durable(), true})
		case op < 88: // nothing is left: numbers begin again
			add(t, l, 3)
			c.last = l.Last()
			require.NoError(t, l.Rotate())
			retired = l.Durable()
			c.retired = append(c.retired, ack{ops: c.ops(), lsn: retired})
			require.NoError(t, l.Retire(retired))
			require.NoError(t, l.Close())
			c.acks = append(c.acks, ack{c.ops(), c.last, true})
			l, _, _ = open(t, cfg, retired)
			add(t, l, 1)
			c.last = l.Last()
		case op < 92:
			retired += r.Uint64N(l.Durable() - retired + 1)
			c.retired = append(c.retired, ack{ops: c.ops(), lsn: retired})
			require.NoError(t, l.Retire(retired))
		default:
			require.NoError(t, l.Close())
			c.acks = append(c.acks, ack{c.ops(), c.last, true})
			l, _, _ = open(t, cfg, retired)
		}
	}
	require.NoError(t, l.Close())
	c.acks = append(c.acks, ack{c.ops(), c.last, true})
}

// promised returns the positions that must be there after a crash behind k
// operations, and that were retired before.
func (c *crashRun) promised(k int, mode crashMode) (kept, retired uint64) {
	for _, a := range c.acks {
		if a.ops <= k && (a.durable || mode == keepAll) {
			kept = max(kept, a.lsn)
		}
	}
	for _, a := range c.retired {
		if a.ops <= k {
			retired = max(retired, a.lsn)
		}
	}
	return kept, retired
}

// check opens a crashed log and holds it against the promises, kept now and
// synced after power loss as well; then it crashes
// the recovery itself at every operation, up to depth times, and at last works
// on and reopens.
func check(t *testing.T, cfg Config, fsys *hookFS, kept, synced, retired, last uint64, depth int, r *rand.Rand, where string) {
	t.Helper()
	cfg.FS = fsys
	l, rep, got, err := tryOpen(cfg, retired)
	require.NoError(t, err, where)
	require.Empty(t, rep.Damage, where)
	survived := l.Last()
	if survived < kept || survived > last && survived != retired {
		t.Fatalf("%s: expected records up to at least %d and at most %d, got %d", where, kept, last, survived)
	}
	requireRecs(t, recsBetween(retired+1, survived), got, where)
	require.Equal(t, survived, l.Durable(), where)
	recovered := fsys.opCount()
	if depth > 0 {
		abandon(l)
		for k := fsys.base; k <= recovered; k++ {
			mode := crashMode(r.IntN(crashModes))
			kept := kept
			if mode != keepAll {
				kept = synced
			}
			check(t, cfg, fsys.crash(k, mode, r), kept, synced, retired, last, depth-1, r, fmt.Sprintf("%s, again at %d mode %d", where, k, mode))
		}
		// The recovery came through: what it showed has to stay.
		check(t, cfg, fsys.crash(recovered, keepNone, r), survived, survived, retired, survived, 0, r, where+", after recovery")
		return
	}
	add(t, l, 3)
	require.NoError(t, l.Sync(bg), where)
	abandon(l)
	cfg.FS = fsys.crash(fsys.opCount(), keepNone, r)
	l, rep, got = open(t, cfg, retired)
	require.Empty(t, rep.Damage, where)
	requireRecs(t, recsBetween(retired+1, survived+3), got, where+", worked on")
	require.NoError(t, l.Close())
}

func TestCrashAtEveryOperation(t *testing.T) {
	for seed := range uint64(8) {
		mode, recycle := Mode(seed%4), seed >= 4
		t.Run(fmt.Sprintf("%v recycle %v", mode, recycle), func(t *testing.T) {
			t.Parallel()
			fsys := newHookFS()
			cfg := testConfig(fsys, mode)
			cfg.Recycle, cfg.SegmentBytes = recycle, 2048
			if mode == Buffered || mode == Interval {
				cfg.Clock = &stoppedClock{}
			}
			run := &crashRun{ops: fsys.opCount}
			run.work(t, cfg, seed, 60)
			r := rand.New(rand.NewPCG(seed, 4))
			for k := range fsys.opCount() + 1 {
				for m := range crashModes {
					repeat := 1
					if crashMode(m) == keepSome {
						repeat = 3
					}
					for range repeat {
						kept, retired := run.promised(k, crashMode(m))
						synced, _ := run.promised(k, keepNone)
						depth := 0
						if r.IntN(6) == 0 {
							depth = 2
						}
						check(t, cfg, fsys.crash(k, crashMode(m), r), kept, synced, retired, run.last, depth, r, fmt.Sprintf("crash at %d mode %d", k, m))
					}
				}
			}
		})
	}
}
