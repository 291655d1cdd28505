package wal

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestModel runs random calls against the plain list of records 1 to n, which
// is what the log stands for, over every policy and both ways to retire.
func TestModel(t *testing.T) {
	for seed := range uint64(60) {
		mode, recycle := Mode(seed%4), seed%8 >= 4
		t.Run(fmt.Sprintf("seed %d %v recycle %v", seed, mode, recycle), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 9))
			cfg := testConfig(newHookFS(), mode)
			cfg.Recycle = recycle
			cfg.BufferBytes = 1 + r.IntN(3000)
			var last, retired uint64
			cfg.OnDurable = nil
			l, _, got := open(t, cfg, 0)
			require.Empty(t, got)
			for range 400 {
				switch op := r.IntN(100); {
				case op < 60:
					n := 1 + r.IntN(4)
					add(t, l, n)
					last += uint64(n)
				case op < 70:
					require.NoError(t, l.Sync(bg))
					require.Equal(t, last, l.Durable())
				case op < 75:
					require.NoError(t, l.Rotate())
				case op < 82:
					if last > retired {
						retired += r.Uint64N(last - retired + 1)
					}
					require.NoError(t, l.Retire(retired))
				case op < 90:
					from := retired + 1
					requireRecs(t, recsBetween(from, l.Written()), cursorRecs(t, l, from), "cursor")
				case op < 95 && last > retired:
					want := recAt(retired + 1 + r.Uint64N(last-retired))
					kind, p, err := l.ReadAt(want.lsn)
					require.NoError(t, err)
					requireRecs(t, []rec{want}, []rec{{want.lsn, kind, string(p)}}, "ReadAt")
				default:
					if r.IntN(3) > 0 { // else: a crash of the process that had all written
						require.NoError(t, l.Close())
					} else {
						require.NoError(t, l.Sync(bg))
						abandon(l)
					}
					var rep Report
					l, rep, got = open(t, cfg, retired)
					require.Empty(t, rep.Damage)
					require.Zero(t, rep.TornBytes)
					requireRecs(t, recsBetween(retired+1, last), got, "replay")
				}
				require.Equal(t, last, l.Last())
				var size int64
				for _, name := range segmentFiles(t, cfg.FS) {
					size += int64(len(readAll(cfg.FS, testDir+"/"+name)))
				}
				require.Equal(t, size, l.Bytes())
				l.mu.Lock()
				var used int64
				for _, s := range l.segs {
					require.LessOrEqual(t, s.end, s.size)
					used += s.end
				}
				l.mu.Unlock()
				require.Equal(t, used, l.Used())
			}
			require.NoError(t, l.Close())
		})
	}
}

// abandon stops a log without writing anything, as the end of a process does.
func abandon(l *Log) {
	l.mu.Lock()
	l.closing = true
	if l.armed && l.stopTimer() {
		l.armed = false
		l.background.Done()
	}
	l.mu.Unlock()
	l.background.Wait()
}
