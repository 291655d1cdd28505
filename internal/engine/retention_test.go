package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/vfs"
)

// handClock moves only by hand; wall and monotonic time on their own.
type handClock struct {
	mu   sync.Mutex
	wall time.Time
	mono time.Duration
}

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wall
}

func (c *handClock) Mono() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mono
}

func (c *handClock) AfterFunc(time.Duration, func()) func() bool { return func() bool { return true } }

// pass lets time go by, and the wall clock leap besides.
func (c *handClock) pass(d, leap time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mono += d
	c.wall = c.wall.Add(d + leap)
}

func secs(n int64) int64 { return n * int64(time.Second) }

// seconds inserts one point a second in [from, to).
func seconds(t testing.TB, e *Engine, path string, from, to int64) error {
	t.Helper()
	s, err := e.Shape(path, []string{"s"}, []column.Kind{column.Int64})
	require.NoError(t, err)
	tb := Tablet{Shape: s, Cols: []column.Vector{{Kind: column.Int64}}}
	for i := from; i < to; i++ {
		tb.Times = append(tb.Times, secs(i))
		tb.Cols[0].Int64s = append(tb.Cols[0].Int64s, i)
	}
	_, err = e.Commit(context.Background(), &Batch{Tablets: []Tablet{tb}}, false)
	return err
}

// span is what a device's series shows: first and last second and the number of
// points, which has no gap.
func span(t testing.TB, e *Engine, path string) string {
	t.Helper()
	s := e.Snapshot()
	defer s.Release()
	return spanOf(t, e, s, path)
}

func spanOf(t testing.TB, e *Engine, s *Snapshot, path string) string {
	t.Helper()
	ser, ok := e.Lookup(path, "s")
	require.True(t, ok)
	var got []int64
	c := s.Cursor(ser, MinTime, MaxTime)
	for c.Next() {
		for i, at := range c.Times() {
			require.Equal(t, at, secs(c.Values().Int64s[i]))
			got = append(got, at/int64(time.Second))
		}
	}
	require.NoError(t, c.Err())
	p, ok, err := s.Last(ser)
	require.NoError(t, err)
	if len(got) == 0 {
		require.False(t, ok, "last of nothing")
		return "none"
	}
	require.Equal(t, secs(got[len(got)-1]), p.Time)
	require.Len(t, got, int(got[len(got)-1]-got[0]+1), "gaps")
	return fmt.Sprintf("%d-%d", got[0], got[len(got)-1])
}

func hand(sec int64) *handClock { return &handClock{wall: time.Unix(sec, 0)} }

func bothModes(t *testing.T, cfg Config, f func(t *testing.T, cfg Config)) {
	for _, mode := range []string{"memory", "disk"} {
		t.Run(mode, func(t *testing.T) {
			c := diskConfig(vfs.NewMem())
			if mode == "memory" {
				c = memConfig()
			}
			c.Clock, c.TTL, c.QuotaBytes, c.BlockRows = cfg.Clock, cfg.TTL, cfg.QuotaBytes, 16
			if h, ok := cfg.Clock.(*handClock); ok {
				copied := handClock{wall: h.wall, mono: h.mono}
				c.Clock = &copied
			}
			f(t, c)
		})
	}
}

// TestTTLHides: reads do not show what is older than the time to live, wherever
// it is stored, and inserts of it are refused whole.
func TestTTLHides(t *testing.T) {
	bothModes(t, Config{Clock: hand(1000), TTL: 100 * time.Second}, func(t *testing.T, cfg Config) {
		e := open(t, cfg)
		defer e.Close()
		require.NoError(t, seconds(t, e, "root.a", 900, 1000))
		require.NoError(t, seconds(t, e, "root.b", 950, 960))
		require.NoError(t, e.Flush(bg))
		require.Equal(t, "900-999", span(t, e, "root.a"))
		before := e.Snapshot()
		cfg.Clock.(*handClock).pass(50*time.Second, 0)
		require.Equal(t, "900-999", span(t, e, "root.a"), "no newer point: nothing expires")
		require.NoError(t, seconds(t, e, "root.a", 1000, 1050))
		require.Equal(t, "949-1049", span(t, e, "root.a"))
		require.Equal(t, "950-959", span(t, e, "root.b"))
		require.Equal(t, "900-999", spanOf(t, e, before, "root.a"), "a cut stays as it is")
		before.Release()
		err := seconds(t, e, "root.a", 948, 1060)
		require.ErrorIs(t, err, errs.TooLate)
		require.Equal(t, "949-1049", span(t, e, "root.a"))
		require.Equal(t, int64(1), e.Stats().TooLate)
		at, ok := e.Horizon("root.a", "s")
		require.True(t, ok)
		require.Equal(t, secs(949), at)
	})
}

// TestTTLByPrefix: the longest prefix counts, survives a reopen, and can be
// taken away.
func TestTTLByPrefix(t *testing.T) {
	bothModes(t, Config{Clock: hand(1000), TTL: 100 * time.Second}, func(t *testing.T, cfg Config) {
		e := open(t, cfg)
		require.NoError(t, e.SetTTL(bg, "root.a", 50*time.Second))
		require.NoError(t, e.SetTTL(bg, "root.a.keep", -1))
		require.NoError(t, e.SetTTL(bg, "root.one.s", 10*time.Second))
		require.ErrorIs(t, e.SetTTL(bg, "root..x", time.Second), errs.BadInput)
		require.NoError(t, seconds(t, e, "root.z", 990, 991))
		for _, tt := range []struct {
			path string
			want error
		}{
			{"root.a", errs.TooLate},
			{"root.a.b", errs.TooLate},
			{"root.one", errs.TooLate},
			{"root.ab", nil},
			{"root.a.keep", nil},
		} {
			require.ErrorIs(t, seconds(t, e, tt.path, 890, 1000), tt.want, tt.path)
		}
		check := func() {
			for _, tt := range []struct{ path, want string }{
				{"root.a.keep", "890-999"},
				{"root.ab", "899-999"},
				{"root.a", "none"},
			} {
				require.Equal(t, tt.want, span(t, e, tt.path), tt.path)
			}
			require.Equal(t, 50*time.Second, e.TTL("root.a.b.s"))
			require.Equal(t, 100*time.Second, e.TTL("root.ab.s"))
			require.Equal(t, time.Duration(0), e.TTL("root.a.keep.s"))
			require.Equal(t, 10*time.Second, e.TTL("root.one.s"))
			require.Equal(t, 100*time.Second, e.TTL("root.one.t"))
			require.Len(t, e.TTLs(), 3)
		}
		check()
		if cfg.Dir != "" {
			require.NoError(t, e.Flush(bg))
			require.NoError(t, e.Close())
			e = open(t, cfg)
			check()
		}
		require.NoError(t, e.SetTTL(bg, "root.a", 0))
		require.Equal(t, 100*time.Second, e.TTL("root.a.b.s"))
		require.NoError(t, e.Close())
	})
}

// TestTTLFreesSpace: expired files and memory are given back.
func TestTTLFreesSpace(t *testing.T) {
	bothModes(t, Config{Clock: hand(1000), TTL: 1000 * time.Second}, func(t *testing.T, cfg Config) {
		e := open(t, cfg)
		defer e.Close()
		clk := cfg.Clock.(*handClock)
		size := int64(0)
		for i := range int64(50) {
			require.NoError(t, seconds(t, e, "root.a", 1000+i*200, 1200+i*200))
			require.NoError(t, seconds(t, e, "root.b", 1000+i*200, 1200+i*200))
			clk.pass(200*time.Second, 0)
			if cfg.Dir != "" {
				require.NoError(t, e.Flush(bg))
				e.compacting.Lock()
				require.NoError(t, e.expireFiles())
				e.compacting.Unlock()
				require.LessOrEqual(t, len(blockFiles(t, e)), 7)
			} else if i == 10 {
				size = e.Stats().MemtableBytes
			}
		}
		require.Equal(t, "9999-10999", span(t, e, "root.a"))
		require.Equal(t, "9999-10999", span(t, e, "root.b"))
		if cfg.Dir == "" {
			require.Less(t, e.Stats().MemtableBytes, size+size/4)
		}
		require.Greater(t, e.Stats().Expired, int64(15000))
		if cfg.Dir != "" { // compaction drops what is expired in a file that is needed
			require.NoError(t, e.Compact(bg))
			points := uint64(0)
			for _, f := range e.currentFiles() {
				points += f.meta.Points
			}
			require.Equal(t, uint64(2*1001), points)
			require.Equal(t, "9999-10999", span(t, e, "root.a"))
		}
	})
}

// TestTTLNeverShowsOldValues: a file that overwrote parts of an older one is not
// dropped before it, so that a longer time to live shows nothing overwritten.
func TestTTLNeverShowsOldValues(t *testing.T) {
	cfg := diskConfig(vfs.NewMem())
	clk := hand(1000)
	cfg.Clock, cfg.TTL = clk, 100*time.Second
	e := open(t, cfg)
	defer e.Close()
	s, err := e.Shape("root.a", []string{"s"}, []column.Kind{column.Int64})
	require.NoError(t, err)
	insert := func(v int64, at ...int64) {
		tb := Tablet{Shape: s, Cols: []column.Vector{{Kind: column.Int64}}}
		for _, sec := range at {
			tb.Times = append(tb.Times, secs(sec))
			tb.Cols[0].Int64s = append(tb.Cols[0].Int64s, v)
		}
		_, err := e.Commit(bg, &Batch{Tablets: []Tablet{tb}}, false)
		require.NoError(t, err)
		require.NoError(t, e.Flush(bg))
	}
	insert(1, 950, 990)
	insert(2, 950)
	clk.pass(80*time.Second, 0)
	insert(3, 1080)
	e.compacting.Lock()
	require.NoError(t, e.expireFiles())
	e.compacting.Unlock()
	require.NoError(t, e.SetTTL(bg, "root", time.Hour))
	snap := e.Snapshot()
	defer snap.Release()
	c := snap.Cursor(s.Series()[0], MinTime, MaxTime)
	got := map[int64]int64{}
	for c.Next() {
		for i, at := range c.Times() {
			got[at/int64(time.Second)] = c.Values().Int64s[i]
		}
	}
	require.Equal(t, map[int64]int64{950: 2, 990: 1, 1080: 3}, got)
}

// TestCompactionNeverShowsOldValues: what has expired in files that are merged hides what
// it overwrote in an older file as long as that stays.
func TestCompactionNeverShowsOldValues(t *testing.T) {
	for _, quota := range []bool{false, true} {
		cfg := diskConfig(vfs.NewMem())
		clk := hand(1000)
		cfg.Clock, cfg.TTL = clk, 100*time.Second
		e := open(t, cfg)
		s := floatShape(t, e, "root.a", "s")
		insert := func(v float64, at ...int64) {
			put(t, e, s, at, slices.Repeat([]float64{v}, len(at))...)
			require.NoError(t, e.Flush(bg))
		}
		insert(1, secs(950), secs(960), secs(990))
		insert(2, secs(950))
		insert(3, secs(955))
		clk.pass(80*time.Second, 0)
		insert(4, secs(1080))
		if quota { // what was dropped for it never comes back
			e.raiseFloor(secs(957))
		}
		e.compacting.Lock()
		require.NoError(t, e.compact(bg, e.currentFiles()[1:], 0))
		e.compacting.Unlock()
		require.NoError(t, e.SetTTL(bg, "root", time.Hour))
		want := map[int64]float64{secs(950): 2, secs(955): 3, secs(960): 1, secs(990): 1, secs(1080): 4}
		if quota {
			delete(want, secs(950))
			delete(want, secs(955))
		}
		require.Equal(t, want, points(t, e, s.Series()[0]))
		require.NoError(t, e.Compact(bg))
		require.Equal(t, want, points(t, e, s.Series()[0]))
		require.NoError(t, e.Close())
	}
}

// TestEvictionNeverShowsOldValues: the same of rows in memory, those that came late and
// those of other columns.
func TestEvictionNeverShowsOldValues(t *testing.T) {
	for _, wider := range []bool{false, true} {
		cfg := memConfig()
		clk := hand(1000)
		cfg.Clock, cfg.BlockRows = clk, 64
		e := open(t, cfg)
		want := map[int64]float64{}
		insert := func(v float64, from, to int64, names ...string) {
			s, err := e.Shape("root.a", names, slices.Repeat([]column.Kind{column.Float64}, len(names)))
			require.NoError(t, err)
			tb := Tablet{Shape: s, Cols: make([]column.Vector, len(names))}
			for sec := from; sec < to; sec++ {
				tb.Times = append(tb.Times, secs(sec))
				want[secs(sec)] = v
			}
			for i := range tb.Cols {
				tb.Cols[i] = column.Vector{Kind: column.Float64, Float64s: slices.Repeat([]float64{v}, len(tb.Times))}
			}
			_, err = e.Commit(bg, &Batch{Tablets: []Tablet{tb}}, false)
			require.NoError(t, err)
		}
		insert(1, 900, 960, "s")
		if wider {
			insert(2, 890, 954, "s", "t")
		} else {
			insert(2, 890, 954, "s")
		}
		require.NoError(t, e.SetTTL(bg, "root", 10*time.Second))
		insert(3, 970, 975, "s")
		clk.pass(100*time.Second, 0)
		require.NoError(t, e.SetTTL(bg, "root", time.Hour))
		for at, v := range points(t, e, floatShape(t, e, "root.a", "s").Series()[0]) {
			require.Equal(t, want[at], v, "at %d", at)
		}
		require.NoError(t, e.Close())
	}
}

// TestClockLeaps: a wall clock that leaps makes nothing expire at once.
func TestClockLeaps(t *testing.T) {
	const h, year = int64(time.Hour), int64(365 * 24 * time.Hour)
	tests := []struct {
		name       string
		wall, mono []int64 // readings after 0
		want       []int64
	}{
		{"steady", []int64{h, 2 * h}, []int64{h, 2 * h}, []int64{h, 2 * h}},
		{"a little ahead", []int64{h + h/10}, []int64{h}, []int64{h + h/10}},
		{"leaps ahead", []int64{year, year + h/2}, []int64{0, h / 2}, []int64{0, h / 2}},
		{"leaps ahead and back", []int64{year, h / 2, year}, []int64{0, h / 2, h / 2}, []int64{0, h / 2, h / 2}},
		{"leaps ahead and stays", []int64{year, year + h, year + 2*h}, []int64{0, h, 2 * h}, []int64{0, year + h, year + 2*h}},
		{"falls back", []int64{-year, -year + h}, []int64{0, h}, []int64{-year, -year + h}},
		{"falls back and returns", []int64{-year, h}, []int64{0, h}, []int64{-year, h}},
		{"sleeps", []int64{5 * h, 6 * h}, []int64{0, h}, []int64{0, 6 * h}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var w wallWatch
			require.Equal(t, int64(0), w.view(0, 0))
			var got []int64
			for i := range tt.wall {
				got = append(got, w.view(tt.wall[i], tt.mono[i]))
			}
			require.Equal(t, tt.want, got)
		})
	}
}

// TestQuota: the oldest points go, whole, and stay away after a reopen.
func TestQuota(t *testing.T) {
	bothModes(t, Config{Clock: hand(1000), QuotaBytes: 40 << 10}, func(t *testing.T, cfg Config) {
		cfg.SegmentBytes = 4 << 10
		e := open(t, cfg)
		rng := rand.New(rand.NewPCG(1, 2))
		s := floatShape(t, e, "root.a", "noise")
		next := int64(0)
		for range 80 {
			var times []int64
			var values []float64
			for range 200 {
				times, values = append(times, secs(next)), append(values, rng.NormFloat64())
				next++
			}
			put(t, e, s, times, values...)
			if cfg.Dir == "" {
				require.LessOrEqual(t, e.Stats().MemtableBytes, int64(48<<10))
				continue
			}
			require.NoError(t, e.Flush(bg))
			e.compacting.Lock()
			require.NoError(t, e.expireFiles())
			e.compacting.Unlock()
			require.LessOrEqual(t, e.Stats().DiskBytes, int64(44<<10))
		}
		first := func() int64 {
			snap := e.Snapshot()
			defer snap.Release()
			ser, _ := e.Lookup("root.a", "noise")
			c := snap.Cursor(ser, MinTime, MaxTime)
			defer c.Close()
			require.True(t, c.Next())
			return c.Times()[0]
		}
		at := first()
		require.Greater(t, at, secs(next-8000))
		require.Less(t, at, secs(next-1000))
		require.Positive(t, e.Stats().Dropped)
		_, err := e.Commit(bg, &Batch{Tablets: []Tablet{{Shape: s, Times: []int64{secs(5)}, Cols: []column.Vector{{Kind: column.Float64, Float64s: []float64{1}}}}}}, false)
		require.ErrorIs(t, err, errs.TooLate)
		if cfg.Dir != "" {
			require.NoError(t, e.Close())
			e = open(t, cfg)
			require.Equal(t, at, first())
		}
		require.NoError(t, e.Close())
	})
}

// TestDropFreesMemory: in memory mode a dropped series gives its memory back,
// and its neighbours stay as they are.
func TestDropFreesMemory(t *testing.T) {
	e := open(t, memConfig())
	defer e.Close()
	for i := range int64(30) {
		insertRows(t, e, "root.a", i*1000, 1000, "s1", "s2", "s3")
		insertRows(t, e, "root.a", i*500, 7, "s1", "s2", "s3") // late
	}
	want := dump(t, e)
	full := e.Stats().MemtableBytes
	var drops []*Series
	for _, name := range []string{"s1", "s3"} {
		ser, ok := e.Lookup("root.a", name)
		require.True(t, ok)
		drops = append(drops, ser)
		delete(want, "root.a."+name)
	}
	snap := e.Snapshot()
	_, err := e.Commit(bg, &Batch{Drops: drops}, false)
	require.NoError(t, err)
	require.Equal(t, full, e.Stats().MemtableBytes, "a snapshot still sees them")
	snap.Release()
	require.Less(t, e.Stats().MemtableBytes, full*2/3)
	require.Empty(t, sameDump(want, dump(t, e)))
	insertRows(t, e, "root.a", 100000, 2000, "s2", "s1")
	got := dump(t, e)
	require.Len(t, got["root.a.s1"], 2000)
	require.Len(t, got["root.a.s2"], len(want["root.a.s2"])+2000)
	s1, _ := e.Lookup("root.a", "s1")
	s2, _ := e.Lookup("root.a", "s2")
	_, err = e.Commit(bg, &Batch{Drops: []*Series{s1, s2}}, false)
	require.NoError(t, err)
	require.Less(t, e.Stats().MemtableBytes, int64(1000))
}

// TestBootInTheFuture: a clock that is ahead of the data when the store opens is
// believed after an hour, not at once.
func TestBootInTheFuture(t *testing.T) {
	const h, year = int64(time.Hour), int64(365 * 24 * time.Hour)
	var w wallWatch
	w.begin(0, year, 5)
	require.Equal(t, int64(0), w.view(year, 5))
	require.Equal(t, h/2, w.view(year+h/2, 5+h/2))
	require.Equal(t, year+h, w.view(year+h, 5+h))
	w = wallWatch{}
	w.begin(0, year, 5) // and nobody looks before the hour is over
	require.Equal(t, year+2*h, w.view(year+2*h, 5+2*h))
	w = wallWatch{}
	w.begin(year, 0, 5) // boots in 1970
	require.Equal(t, int64(0), w.view(0, 5))
	require.Equal(t, h/2, w.view(h/2, 5+h/2))
	require.Equal(t, h, w.view(year, 5+h), "leaps ahead")
}

// Times to live that are set at one moment are all in force then.
func TestTTLsSetTogether(t *testing.T) {
	e := open(t, memConfig())
	want := map[string]time.Duration{}
	for round := range 200 {
		var all sync.WaitGroup
		for i := range 4 {
			prefix, ttl := fmt.Sprintf("d%d", i), time.Duration(1000+round)
			want[prefix] = ttl
			all.Go(func() {
				if err := e.SetTTL(bg, prefix, ttl); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		require.Equal(t, want, e.TTLs(), "round %d", round)
	}
}
