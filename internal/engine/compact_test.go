package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/vfs"
)

// TestCrashWhileCompacting cuts the power everywhere in a history with many
// compactions.
func TestCrashWhileCompacting(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := newCrashRun(t, 500+seed)
			r.compacts = true
			if seed == 1 { // and compressed blocks
				require.NoError(t, r.e.Close())
				r.coder = &shelf{}
				r.cfg.Coder, r.cfg.ColdAfter = r.coder, 5
				r.e = open(t, r.cfg)
				r.e.Outbox().Attach("sink")
			}
			for i := range 36 {
				r.step()
				if i%3 == 2 {
					require.NoError(t, r.e.Flush(context.Background()))
				}
				if i%6 == 5 {
					r.compactSome()
				}
				if i == 30 {
					require.NoError(t, r.e.Compact(context.Background()))
				}
			}
			require.Positive(t, r.e.Stats().Compactions)
			require.Equal(t, r.coder != nil, packedFiles(r.e) > 0)
			require.NoError(t, r.e.Close())
			every := 3
			if testing.Short() {
				every = 19
			}
			require.Empty(t, r.sweep(2, func(op int) bool { return op%every == int(seed)%every }))
		})
	}
}

// TestModelCompacting runs the model with cuts of files by time and a
// compaction after every few steps.
func TestModelCompacting(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			cfg := diskConfig(vfs.NewMem())
			cfg.BlockRows = []int{16, 64, 256}[seed%3]
			cfg.FileBytes, cfg.Partition = int64(1000*(1+seed%4)), time.Duration(50+100*seed)
			cfg.OpenFiles = []int{1, 2, 0}[seed%3]
			packed := 0
			if seed%2 == 1 {
				cfg.Coder, cfg.ColdAfter = &shelf{}, time.Duration(1+10*seed)
			}
			w := &world{t: t, rng: rand.New(rand.NewPCG(seed, 9)), m: newModel(), cfg: cfg, fs: cfg.FS}
			w.e = open(t, cfg)
			for i := range 120 {
				w.step()
				if i%4 == 3 {
					require.NoError(t, w.e.Flush(context.Background()))
					w.compactSome()
					packed += packedFiles(w.e)
				}
				if i%20 == 19 {
					w.checkNow()
				}
			}
			w.checkNow()
			w.releaseAll()
			w.reopen()
			w.checkNow()
			require.NoError(t, w.e.Compact(context.Background()))
			w.checkNow()
			require.NoError(t, w.e.Close())
			require.Equal(t, cfg.Coder != nil, packed > 0, "compressed files")
		})
	}
}

// compactSome does what the background would, and now and then merges any
// neighbours.
func (w *world) compactSome() {
	e := w.e
	e.compacting.Lock()
	defer e.compacting.Unlock()
	files := e.currentFiles()
	inputs := pickInputs(files, e.cfg.FileBytes, 6)
	if inputs == nil {
		inputs = e.cooled(files)
	}
	if n := len(files); inputs == nil && n > 1 {
		lo := w.rng.IntN(n)
		inputs = files[lo : lo+1+w.rng.IntN(n-lo)]
	}
	if inputs == nil {
		return
	}
	w.log("compact %d of %d files", len(inputs), len(files))
	require.NoError(w.t, e.compact(context.Background(), inputs, 0))
}

func insertRows(t testing.TB, e *Engine, device string, from, n int64, names ...string) {
	t.Helper()
	require.NoError(t, commitRows(e, device, from, n, names...))
}

func commitRows(e *Engine, device string, from, n int64, names ...string) error {
	kinds := make([]column.Kind, len(names))
	for i := range kinds {
		kinds[i] = column.Int64
	}
	s, err := e.Shape(device, names, kinds)
	if err != nil {
		return err
	}
	tb := Tablet{Shape: s, Cols: make([]column.Vector, len(names))}
	for i := range n {
		tb.Times = append(tb.Times, from+i)
	}
	for c := range tb.Cols {
		tb.Cols[c].Kind = column.Int64
		for i := range n {
			tb.Cols[c].Int64s = append(tb.Cols[c].Int64s, (from+i)*int64(c+1))
		}
	}
	_, err = e.Commit(context.Background(), &Batch{Tablets: []Tablet{tb}}, false)
	return err
}

func blockFiles(t testing.TB, e *Engine) []string {
	t.Helper()
	names, err := e.fs.List(e.disk.path("data"))
	require.NoError(t, err)
	return names
}

// TestCompactFreesSpace: what was deleted, dropped or overwritten is gone from
// the disk, and so are the inputs and the deletes.
func TestCompactFreesSpace(t *testing.T) {
	ctx := context.Background()
	cfg := diskConfig(vfs.NewMem())
	e := open(t, cfg)
	for i := range int64(8) {
		insertRows(t, e, "root.a", i*5000, 5000, "s1", "s2")
		insertRows(t, e, "root.b", i%2*5000, 5000, "s1")
		require.NoError(t, e.Flush(ctx))
	}
	full := e.Stats().DiskBytes
	a1, _ := e.Lookup("root.a", "s1")
	a2, _ := e.Lookup("root.a", "s2")
	_, err := e.Commit(ctx, &Batch{Deletes: []Delete{{Series: []*Series{a1}, From: 1000, To: 39000}}}, false)
	require.NoError(t, err)
	_, err = e.Commit(ctx, &Batch{Drops: []*Series{a2}}, false)
	require.NoError(t, err)
	snap := e.Snapshot()
	want := dump(t, e)
	require.NoError(t, e.Flush(ctx))
	require.Len(t, blockFiles(t, e), 8, "a flush of deletes makes no file")
	require.NotEmpty(t, e.disk.now.Masks)
	require.NoError(t, e.Compact(ctx))
	require.Empty(t, sameDump(want, dump(t, e)))
	require.Len(t, blockFiles(t, e), 9, "a snapshot still reads the inputs")
	snap.Release()
	require.Len(t, blockFiles(t, e), 1)
	require.Empty(t, e.disk.now.Masks)
	require.Less(t, e.Stats().DiskBytes, full/4)
	require.NoError(t, e.Close())
	e = open(t, cfg)
	require.Empty(t, sameDump(want, dump(t, e)))
	require.Empty(t, e.Report().Quarantined)
	require.NoError(t, e.Close())
}

// TestCompactCutsByTime: large outputs are cut at partitions, and files that
// nothing overlaps are then left alone.
func TestCompactCutsByTime(t *testing.T) {
	ctx := context.Background()
	cfg := diskConfig(vfs.NewMem())
	cfg.FileBytes, cfg.Partition = 100, 1000
	e := open(t, cfg)
	defer e.Close()
	for i := range int64(6) {
		insertRows(t, e, "root.a", i*5000, 5000, "s1", "s2")
		require.NoError(t, e.Flush(ctx))
	}
	want := dump(t, e)
	require.NoError(t, e.Compact(ctx))
	require.Empty(t, sameDump(want, dump(t, e)))
	files := e.currentFiles()
	require.Greater(t, len(files), 1)
	for i, f := range files {
		for _, g := range files[i+1:] {
			require.False(t, f.overlaps(g), "%+v and %+v", f.meta, g.meta)
		}
		if i > 0 {
			require.Zero(t, f.meta.MinTime%1000)
		}
	}
	require.Nil(t, pickInputs(files, 1, 100))
}

// TestPickInputs: sizes and spans of files, oldest first, and which are merged.
func TestPickInputs(t *testing.T) {
	type file struct{ size, min, max int64 }
	flat := func(sizes ...int64) (out []file) {
		for i, s := range sizes {
			out = append(out, file{s, int64(i) * 10, int64(i)*10 + 9})
		}
		return out
	}
	tests := []struct {
		name  string
		files []file
		limit int
		want  []int
	}{
		{"none", nil, 100, nil},
		{"few", flat(1, 1, 1), 100, nil},
		{"four alike", flat(1, 1, 1, 1), 100, []int{0, 1, 2, 3}},
		{"a large one is left", flat(50, 1, 1, 1, 1), 100, []int{1, 2, 3, 4}},
		{"unlike", flat(50, 20, 5, 1), 100, nil},
		{"unlike, but too many", flat(50, 20, 5, 1), 3, []int{0, 1, 2, 3}},
		{"big ones are kept", flat(100, 100, 100, 100, 100), 100, nil},
		{"a big one between is kept", flat(1, 1, 100, 1, 1), 100, []int{0, 1, 3, 4}},
		{"unless it is overlapped", []file{{1, 0, 9}, {1, 0, 9}, {100, 5, 20}, {1, 10, 99}, {99, 15, 16}}, 100, []int{0, 1, 2, 3, 4}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var files []*blockFile
			for i, f := range tt.files {
				files = append(files, &blockFile{meta: fileMeta{No: uint64(i), MaxLSN: uint64(i), Size: f.size, MinTime: f.min, MaxTime: f.max}})
			}
			var got []int
			for _, f := range pickInputs(files, 60, tt.limit) {
				got = append(got, int(f.meta.No))
			}
			require.Equal(t, tt.want, got)
		})
	}
}

// TestBackgroundCompaction: a store that flushes again and again keeps few files.
func TestBackgroundCompaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		cfg := diskConfig(vfs.NewMem())
		cfg.ManualFlush, cfg.CompactRate = false, 1<<20
		e := open(t, cfg)
		for i := range int64(40) {
			insertRows(t, e, "root.a", i*100, 100, "s1")
			require.NoError(t, e.Flush(ctx))
			synctest.Wait()
		}
		require.LessOrEqual(t, len(blockFiles(t, e)), 9)
		require.LessOrEqual(t, e.Stats().Files, 9)
		require.Empty(t, e.Stats().CompactError)
		want := dump(t, e)
		require.NoError(t, e.Close())
		e = open(t, cfg)
		require.Empty(t, sameDump(want, dump(t, e)))
		require.NoError(t, e.Close())
	})
}

// TestCompactionIsThrottled: a compaction takes the time its rate asks for, and
// ends at once when the store closes.
func TestCompactionIsThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := diskConfig(vfs.NewMem())
		e := open(t, cfg)
		rng := rand.New(rand.NewPCG(1, 1))
		s := floatShape(t, e, "root.d", "a")
		for k := range 4 {
			var times []int64
			var values []float64
			for i := range 60000 {
				times, values = append(times, int64(k*60000+i)), append(values, math.Float64frombits(rng.Uint64()))
			}
			put(t, e, s, times, values...)
			require.NoError(t, e.Flush(bg))
		}
		size := e.Stats().DiskBytes
		began := time.Now()
		e.compacting.Lock()
		require.NoError(t, e.compact(bg, e.currentFiles(), size/10))
		e.compacting.Unlock()
		took := time.Since(began)
		require.Greater(t, took, 8*time.Second)
		require.Less(t, took, 11*time.Second)
		done := make(chan error, 1)
		began = time.Now()
		go func() {
			e.compacting.Lock()
			defer e.compacting.Unlock()
			done <- e.compact(bg, e.currentFiles(), 1)
		}()
		synctest.Wait()
		require.NoError(t, e.Close())
		require.ErrorIs(t, <-done, errs.Closed)
		require.Zero(t, time.Since(began))
	})
}

// TestManyOpens: opening and closing again and again leaves few log segments.
func TestManyOpens(t *testing.T) {
	fs := vfs.NewMem()
	cfg := diskConfig(fs)
	cfg.ManualFlush = false
	want := content{}
	for i := range int64(60) {
		e := open(t, cfg)
		insertRows(t, e, "root.a", i, 1, "s1")
		want[i] = fmt.Sprint(i)
		require.NoError(t, e.Close())
		names, err := fs.List("db/wal")
		require.NoError(t, err)
		require.LessOrEqual(t, len(names), maxSegments+2)
	}
	e := open(t, cfg)
	defer e.Close()
	require.Empty(t, sameDump(map[string]content{"root.a.s1": want}, dump(t, e)))
	require.LessOrEqual(t, len(blockFiles(t, e)), 10)
}

// TestCompactionOfDamage: a damaged input is found, left as it is, and not tried
// again; the other files are merged.
func TestCompactionOfDamage(t *testing.T) {
	ctx := context.Background()
	fs := vfs.NewMem()
	cfg := diskConfig(fs)
	e := open(t, cfg)
	defer e.Close()
	for i := range int64(5) {
		insertRows(t, e, "root.a", i*300, 300, "s1")
		require.NoError(t, e.Flush(ctx))
	}
	bad := e.currentFiles()[0]
	f, err := fs.OpenReadWrite("db/" + bad.name)
	require.NoError(t, err)
	_, err = f.WriteAt([]byte{0xff, 0xff, 0xff}, 60)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.Error(t, e.Compact(ctx))
	require.Len(t, blockFiles(t, e), 5, "nothing is lost and nothing is left over")
	require.NoError(t, e.Compact(ctx))
	require.Len(t, blockFiles(t, e), 2)
	require.Contains(t, e.currentFiles(), bad)
}

// TestCompactionFaults lets each file system call of a compaction fail: the
// store goes on, loses nothing and leaves nothing behind.
func TestCompactionFaults(t *testing.T) {
	ctx := context.Background()
	for n := 1; ; n++ {
		fs := crashfs.New()
		cfg := diskConfig(fs)
		e := open(t, cfg)
		for i := range int64(4) {
			insertRows(t, e, "root.a", i*30, 50, "s1")
			require.NoError(t, e.Flush(ctx))
		}
		want := dump(t, e)
		calls := 0
		fs.Inject(crashfs.Fault{N: n, Err: errors.New("fault"), Filter: func(op crashfs.Op) bool {
			if strings.Contains(op.Name, "wal/") {
				return false
			}
			calls++
			return true
		}})
		err := e.Compact(ctx)
		fs.Heal()
		if calls < n {
			require.NoError(t, err)
			require.Greater(t, n, 5)
			require.NoError(t, e.Close())
			return
		}
		require.Empty(t, sameDump(want, dump(t, e)), "call %d", n)
		require.NoError(t, e.Close())
		e = open(t, cfg)
		require.Empty(t, sameDump(want, dump(t, e)), "call %d, reopened", n)
		require.Empty(t, e.Report().Quarantined)
		require.NoError(t, e.Compact(ctx))
		require.Len(t, blockFiles(t, e), 1)
		require.Empty(t, sameDump(want, dump(t, e)))
		require.NoError(t, e.Close())
	}
}
