package engine

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/pattern"
	"github.com/tickwell/tickwell/internal/wal"
	"github.com/tickwell/tickwell/vfs"
)

// pair writes the same numbers to two devices in one batch: a snapshot that shows
// different ends is no cut.
func pair(t testing.TB, e *Engine, writer int) (a, b *Shape) {
	names, kinds := []string{"x", "y"}, []column.Kind{column.Int64, column.Int64}
	a, err := e.Shape(fmt.Sprintf("root.w%d.a", writer), names, kinds)
	require.NoError(t, err)
	b, err = e.Shape(fmt.Sprintf("root.w%d.b", writer), names, kinds)
	require.NoError(t, err)
	return a, b
}

func intTablet(s *Shape, at, v int64) Tablet {
	return Tablet{Shape: s, Times: []int64{at}, Cols: []column.Vector{
		{Kind: column.Int64, Int64s: []int64{v}}, {Kind: column.Int64, Int64s: []int64{-v}},
	}}
}

// TestSnapshotsAreCuts runs writers, readers and flushes together. Writers put
// the same row into two devices by one commit, partly late.
func TestSnapshotsAreCuts(t *testing.T) {
	for _, mode := range []string{"memory", "disk"} {
		t.Run(mode, func(t *testing.T) {
			cfg := memConfig()
			if mode == "disk" {
				cfg = diskConfig(vfs.NewMem())
				cfg.ManualFlush = false
				cfg.MemtableBytes = 64 << 10
				cfg.Sync = wal.Policy{Mode: wal.Never}
			}
			cfg.BlockRows = 32
			e := open(t, cfg)
			var writers, readers sync.WaitGroup
			stop := make(chan struct{})
			const writersN, commits = 3, 1500
			for w := range writersN {
				a, b := pair(t, e, w)
				writers.Go(func() {
					var batch Batch
					for i := range int64(commits) {
						at := i
						if i%7 == 3 {
							at = i - 3
						}
						batch.Reset()
						batch.Tablets = append(batch.Tablets, intTablet(b, at, i+1), intTablet(a, at, i+1))
						batch.Puts = append(batch.Puts, Put{Key: fmt.Sprint("w", w), Value: []byte(fmt.Sprint(i))})
						if _, err := e.Commit(context.Background(), &batch, false); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			for r := range 2 {
				readers.Go(func() {
					for {
						select {
						case <-stop:
							return
						default:
						}
						readCut(t, e, r)
						runtime.Gosched()
					}
				})
			}
			writers.Wait()
			close(stop)
			readers.Wait()
			require.NoError(t, e.Flush(context.Background()))
			readCut(t, e, 0)
			require.NoError(t, e.Close())
		})
	}
}

func readCut(t *testing.T, e *Engine, writer int) {
	s := e.Snapshot()
	defer s.Release()
	sums := map[string][2]int64{}
	for _, dev := range []string{"a", "b"} {
		device := fmt.Sprintf("root.w%d.%s", writer, dev)
		x, _ := e.Lookup(device, "x")
		y, _ := e.Lookup(device, "y")
		var sum [2]int64
		c := s.Rows([]*Series{x, y}, math.MinInt64, math.MaxInt64)
		for c.Next() {
			vx, nx := c.Col(0)
			vy, ny := c.Col(1)
			for i := range c.Times() {
				if nx.Get(i) || ny.Get(i) || vx.Int64s[i] != -vy.Int64s[i] {
					t.Errorf("%s: row at %d is torn", device, c.Times()[i])
				}
				sum[0] += vx.Int64s[i]
				sum[1]++
			}
		}
		if c.Err() != nil {
			t.Error(c.Err())
		}
		c.Close()
		sums[dev] = sum
	}
	if sums["a"] != sums["b"] {
		t.Errorf("snapshot at %d is no cut: device a sums to %v, b to %v", s.LSN(), sums["a"], sums["b"])
	}
}

// TestOpenCloseLeavesNothing opens and closes many stores, two at a time.
func TestOpenCloseLeavesNothing(t *testing.T) {
	fs := vfs.NewMem()
	before := runtime.NumGoroutine()
	for i := range 200 {
		cfg := diskConfig(fs)
		cfg.Dir = fmt.Sprintf("db%d", i%3)
		cfg.ManualFlush = false
		a, b := open(t, cfg), open(t, memConfig())
		shape, err := a.Shape("root.d", []string{"s"}, []column.Kind{column.Int64})
		require.NoError(t, err)
		_, err = a.Commit(context.Background(), &Batch{Tablets: []Tablet{{Shape: shape, Times: []int64{int64(i)}, Cols: []column.Vector{{Kind: column.Int64, Int64s: []int64{1}}}}}}, false)
		require.NoError(t, err)
		a.Outbox().Ack("x", Pos{LSN: uint64(i)})
		require.NoError(t, a.Close())
		require.NoError(t, b.Close())
	}
	// A goroutine that Close has waited for may be counted a little longer: on a
	// busy machine until its thread runs again.
	for limit := time.Now().Add(time.Minute); runtime.NumGoroutine() > before && time.Now().Before(limit); {
		runtime.Gosched()
	}
	if n := runtime.NumGoroutine(); n > before {
		stacks := make([]byte, 1<<20)
		t.Errorf("%d goroutines after 200 stores, %d before:\n%s", n, before, stacks[:runtime.Stack(stacks, true)])
	}
}

// TestInBubble runs a store on false time: cursors are logged after a second.
func TestInBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fs := vfs.NewMem()
		cfg := diskConfig(fs)
		cfg.Sync = wal.Policy{Mode: wal.Interval, Interval: 5 * time.Second}
		cfg.ManualFlush = false
		e := open(t, cfg)
		ob := e.Outbox()
		ob.Attach("s")
		at := e.clock.Now().UnixNano()
		lsn, err := e.Commit(context.Background(), &Batch{Events: []Event{{Sinks: []string{"s"}, Payload: []byte("p")}}}, false)
		require.NoError(t, err)
		got, err := ob.Next("s", Pos{}, 10)
		require.NoError(t, err)
		require.Empty(t, got, "an event before it is durable")
		<-ob.Notify("s")
		got, err = ob.Next("s", Pos{}, 10)
		require.NoError(t, err)
		require.Equal(t, []Entry{{Pos: Pos{LSN: lsn}, At: at, Payload: []byte("p")}}, got)
		ob.Ack("s", Pos{LSN: lsn})
		before := e.Stats().LastLSN
		<-time.After(1500 * time.Millisecond)
		synctest.Wait()
		require.Greater(t, e.Stats().LastLSN, before, "the cursor was not logged")
		require.NoError(t, e.Close())
		e = open(t, cfg)
		require.Equal(t, Pos{LSN: lsn}, e.Outbox().Cursor("s"))
		p, err := pattern.Parse("root.**")
		require.NoError(t, err)
		require.Empty(t, e.Match(p))
		require.NoError(t, e.Close())
	})
}
