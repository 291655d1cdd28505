package engine

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/internal/wal"
	"github.com/tickwell/tickwell/vfs"
)

// afterSome is a context that is done when it was asked so often.
type afterSome struct {
	context.Context
	left atomic.Int64
}

func (c *afterSome) Err() error {
	if c.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// stepOf makes step i of the writer of a device: a row, or the delete of some; and the
// same to its model.
func stepOf(t testing.TB, e *Engine, device string, i int64, model map[string]content) *Batch {
	b := &Batch{Puts: []Put{{Key: device, Value: []byte(strconv.FormatInt(i, 10))}}}
	name := device + ".s"
	if i%17 == 16 {
		ser, ok := e.Lookup(device, "s")
		require.True(t, ok)
		b.Deletes = []Delete{{Series: []*Series{ser}, From: i - 10, To: i - 5}}
		maps.DeleteFunc(model[name], func(at int64, _ string) bool { return at >= i-10 && at < i-5 })
		return b
	}
	at := i
	if i%5 == 4 {
		at = i / 2 // again, or late
	}
	if model[name] == nil {
		model[name] = content{}
	}
	model[name][at] = fmt.Sprintf("%016x", math.Float64bits(float64(i)))
	b.Tablets = []Tablet{{Shape: floatShape(t, e, device, "s"), Times: []int64{at}, Cols: floats(float64(i))}}
	return b
}

// TestBackupIsAPrefix: what a copy holds that is made beside writers, deletes, flushes
// and compactions is what each writer had done up to some step, not before the last
// that was acknowledged when Backup began. One that is interrupted leaves nothing that
// opens, and does not stand in the way of the next into the same folder.
func TestBackupIsAPrefix(t *testing.T) {
	fs := vfs.NewMem()
	cfg := diskConfig(fs)
	cfg.Sync = wal.Policy{Mode: wal.Buffered, Interval: time.Hour}
	cfg.Clock = clock.NewFake(time.Unix(1e9, 0))
	e := open(t, cfg)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	end := sync.OnceFunc(func() { close(stop); wg.Wait() })
	defer end() // also of a test that has failed: they would be in the way of the next
	var acked [3]atomic.Int64
	for w := range acked {
		wg.Go(func() {
			device, model := fmt.Sprint("root.d", w), map[string]content{}
			for i := range int64(6000) {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := e.Commit(bg, stepOf(t, e, device, i, model), false); err != nil {
					t.Error(err)
					return
				}
				acked[w].Store(i + 1)
			}
		})
	}
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if err := e.Compact(bg); err != nil {
				t.Error(err)
				return
			}
		}
	})
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range 6 {
		for acked[0].Load() < int64(n)*800+100 && !t.Failed() {
			runtime.Gosched()
		}
		dir := fmt.Sprint("copy", n)
		for range 3 {
			ctx := &afterSome{Context: bg}
			ctx.left.Store(rng.Int64N(12))
			if err := e.Backup(ctx, fs, dir); err == nil {
				dir += "whole" // it got through before
			} else {
				require.ErrorIs(t, err, context.Canceled)
				ro := dirConfig(fs, dir)
				ro.ReadOnly = true
				_, err := Open(bg, ro)
				require.Error(t, err)
			}
		}
		var before [len(acked)]int64
		for w := range acked {
			before[w] = acked[w].Load()
		}
		require.NoError(t, e.Backup(bg, fs, dir))
		c := open(t, dirConfig(fs, dir))
		require.Equal(t, Report{}, c.Report())
		got := readable(t, c)
		want := map[string]content{}
		for w := range acked {
			device := fmt.Sprint("root.d", w)
			if v, ok := c.Get(device); ok {
				last, err := strconv.ParseInt(string(v), 10, 64)
				require.NoError(t, err)
				require.GreaterOrEqual(t, last, before[w]-1)
				for i := range last + 1 {
					stepOf(t, c, device, i, want)
				}
				want["state "+device] = content{0: string(v)}
			}
		}
		for key := range want {
			require.True(t, maps.Equal(want[key], got[key]), "copy %d: %s", n, key)
		}
		for key := range got {
			if want[key] == nil { // a series is made before its first row
				require.Empty(t, got[key], "copy %d: %s", n, key)
			}
		}
		require.NoError(t, c.Close())
	}
	end()
	require.NoError(t, e.Close())
}
