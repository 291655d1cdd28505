package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/pattern"
	"github.com/tickwell/tickwell/internal/wal"
	"github.com/tickwell/tickwell/vfs"
)

// slowFS is a file system in memory whose Sync of a log segment takes a time.
type slowFS struct {
	vfs.FS
	sync time.Duration
}

type slowFile struct {
	vfs.File
	sync time.Duration
}

func (fs slowFS) OpenReadWrite(name string) (vfs.File, error) {
	f, err := fs.FS.OpenReadWrite(name)
	if err == nil && strings.HasSuffix(name, ".wal") {
		f = slowFile{f, fs.sync}
	}
	return f, err
}

func (f slowFile) Sync() error {
	<-time.After(f.sync)
	return f.File.Sync()
}

// durableRate returns commits a second of some writers under SyncAlways on a
// disk whose Sync takes 1 ms.
func durableRate(t testing.TB, writers, commits int) float64 {
	cfg := diskConfig(slowFS{vfs.NewMem(), time.Millisecond})
	cfg.Sync = wal.Policy{Mode: wal.Always}
	cfg.SegmentBytes, cfg.ManualFlush = 0, true
	e := open(t, cfg)
	defer e.Close()
	shapes := make([]*Shape, writers)
	for w := range shapes {
		shapes[w] = floatShape(t, e, fmt.Sprint("root.d", w), "s")
	}
	var wg sync.WaitGroup
	start := time.Now()
	for w := range writers {
		wg.Go(func() {
			for i := range commits / writers {
				b := Batch{Tablets: []Tablet{{Shape: shapes[w], Times: []int64{int64(i + 1)}, Cols: floats(float64(i))}}}
				if _, err := e.Commit(context.Background(), &b, false); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return float64(commits/writers*writers) / time.Since(start).Seconds()
}

// BenchmarkGroupCommit prints how many times the durable commits of one writer
// 64 writers make, where a Sync takes 1 ms. Asked are 12. The floor is 1 commit a
// millisecond.
func BenchmarkGroupCommit(b *testing.B) {
	for b.Loop() {
		one, many := durableRate(b, 1, 100), durableRate(b, 64, 6400)
		b.ReportMetric(one, "commits/s(1)")
		b.ReportMetric(many, "commits/s(64)")
		b.ReportMetric(many/one, "times")
	}
}

// TestGroupCommitGain holds the figure of BenchmarkGroupCommit.
func TestGroupCommitGain(t *testing.T) {
	if testing.Short() || detector {
		t.Skip("measures time")
	}
	best := 0.0
	for range 3 {
		if best = max(best, durableRate(t, 64, 6400)/durableRate(t, 1, 100)); best >= 12 {
			return
		}
	}
	t.Errorf("64 writers make %.1f times the durable commits of one, want 12", best)
}

func heapInUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkMillionSeries makes 100,000 devices with 10 series each and prints
// the heap a series takes before and after it has its first point, and what it
// costs to make one, to insert by path, to list by pattern, and to open the store
// with and without its log. Asked are at most 400 bytes before data.
func BenchmarkMillionSeries(b *testing.B) {
	devices := 100_000
	if testing.Short() {
		devices = 1000
	}
	kinds := make([]column.Kind, 10)
	names := make([]string, 10)
	for i := range names {
		names[i], kinds[i] = fmt.Sprint("s", i), column.Float64
	}
	device := func(d int) string { return fmt.Sprintf("root.plant%d.line%d.dev%d", d/10000, d/100%100, d) }
	for b.Loop() {
		n := float64(devices * 10)
		cfg := diskConfig(vfs.OS())
		cfg.Dir = filepath.Join(b.TempDir(), "db")
		cfg.Sync = wal.Policy{Mode: wal.Never}
		cfg.SegmentBytes, cfg.ManualFlush = 0, true
		e := open(b, cfg)
		base := heapInUse()
		start := time.Now()
		for d := range devices {
			if _, err := e.Shape(device(d), names, kinds); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(time.Since(start).Nanoseconds())/n, "ns/make")
		b.ReportMetric(float64(heapInUse()-base)/n, "B/series")

		batch := Batch{Tablets: []Tablet{{Times: []int64{1}, Cols: make([]column.Vector, 10)}}}
		for i := range batch.Tablets[0].Cols {
			batch.Tablets[0].Cols[i] = floats(1.25)[0]
		}
		start = time.Now()
		for d := range devices {
			s, err := e.Shape(device(d), names, kinds)
			if err != nil {
				b.Fatal(err)
			}
			batch.Tablets[0].Shape = s
			if _, err := e.Commit(bg, &batch, false); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(time.Since(start).Nanoseconds())/n, "ns/insert")
		b.ReportMetric(float64(heapInUse()-base)/n, "B/series+point")

		one, err := pattern.Parse("root.plant0.line5.**")
		require.NoError(b, err)
		all, err := pattern.Parse("root.**.s3")
		require.NoError(b, err)
		start = time.Now()
		few := len(e.Match(one))
		b.ReportMetric(float64(time.Since(start).Microseconds())/float64(few), "µs/listed-of-line")
		start = time.Now()
		require.Len(b, e.Match(all), devices)
		b.ReportMetric(float64(time.Since(start).Milliseconds()), "ms/list-all")
		reopen := func(name string) {
			require.NoError(b, e.Close())
			start := time.Now()
			e = open(b, cfg)
			b.ReportMetric(float64(time.Since(start).Milliseconds()), name)
			require.Len(b, e.Match(all), devices)
		}
		reopen("ms/open-log")
		require.NoError(b, e.Flush(bg))
		reopen("ms/open-files")
		require.NoError(b, e.Close())
	}
}

// BenchmarkRecovery opens a store whose rows are all in the log: tablets of 100
// rows of 10 columns, and groups of rows of 100 devices as InsertTablets writes
// them. It prints points a second and the bytes a point has in the log. The floor
// reads and checks the same log and decodes nothing.
func BenchmarkRecovery(b *testing.B) {
	kinds := make([]column.Kind, 10)
	names := make([]string, 10)
	for i := range names {
		names[i], kinds[i] = fmt.Sprint("s", i), column.Float64
	}
	for _, c := range []struct {
		name          string
		devices, rows int
	}{{"tablets", 1, 100}, {"rows", 100, 1}} {
		b.Run(c.name, func(b *testing.B) {
			cfg := diskConfig(vfs.OS())
			cfg.Dir = filepath.Join(b.TempDir(), "db")
			cfg.Sync = wal.Policy{Mode: wal.Never}
			cfg.SegmentBytes, cfg.ManualFlush, cfg.BlockRows = 0, true, 1024
			e := open(b, cfg)
			var shapes []*Shape
			for d := range 100 {
				s, err := e.Shape(fmt.Sprint("root.d", d), names, kinds)
				require.NoError(b, err)
				shapes = append(shapes, s)
			}
			points, walk := 0, int64(0)
			for k := 0; points < 4_000_000; k++ {
				var batch Batch
				for d := range c.devices {
					tb := Tablet{Shape: shapes[(k*c.devices+d)%100], Cols: make([]column.Vector, 10)}
					for r := range c.rows {
						tb.Times = append(tb.Times, int64(k*c.rows+r+1)*1e9)
					}
					for i := range tb.Cols {
						tb.Cols[i].Kind = column.Float64
						for r := range c.rows {
							walk += int64((k*7+i*13+r*3)%21) - 10
							tb.Cols[i].Float64s = append(tb.Cols[i].Float64s, float64(walk)/100)
						}
					}
					points += 10 * c.rows
					batch.Tablets = append(batch.Tablets, tb)
				}
				_, err := e.Commit(bg, &batch, false)
				require.NoError(b, err)
			}
			bytes := e.log.Bytes()
			require.NoError(b, e.Close())
			cfg.ReadOnly = true
			b.Run("open", func(b *testing.B) {
				for b.Loop() {
					e := open(b, cfg)
					if e.Stats().Points != int64(points) {
						b.Fatal(e.Stats().Points, points)
					}
					e.Close()
				}
				b.ReportMetric(float64(points)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mpoints/s")
				b.ReportMetric(float64(bytes)/float64(points), "logB/point")
			})
			b.Run("floor", func(b *testing.B) {
				d := storage{fs: cfg.FS, dir: cfg.Dir}
				for b.Loop() {
					store := d.storeID(b)
					log, rep, err := wal.Open(wal.Config{FS: cfg.FS, Dir: d.path("wal"), StoreID: store, ReadOnly: true}, 0,
						func(uint64, uint8, []byte) error { return nil })
					if err != nil || len(rep.Damage) > 0 {
						b.Fatal(err, rep.Damage)
					}
					log.Close()
				}
				b.ReportMetric(float64(points)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mpoints/s")
			})
		})
	}
}

// storeID reads the id of the store from CURRENT.
func (s *storage) storeID(t testing.TB) uint64 {
	b, err := vfs.ReadFile(s.fs, s.path("CURRENT"))
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	id, _, err := readHeader(b, magicCurrent)
	require.NoError(t, err)
	return id
}
