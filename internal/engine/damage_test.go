package engine

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/segment"
	"github.com/tickwell/tickwell/vfs"
)

// everyFile makes a store that has every kind of file and returns it with what
// it holds.
func everyFile(t *testing.T) (*vfs.Mem, map[string]content) {
	fs := vfs.NewMem()
	e := open(t, diskConfig(fs))
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 6 {
		for d := range 2 {
			s, err := e.Shape(fmt.Sprintf("root.d%d", d), []string{"a", "b"}, []column.Kind{column.Float64, column.Text})
			require.NoError(t, err)
			tb := Tablet{Shape: s, Cols: []column.Vector{{Kind: column.Float64}, {Kind: column.Text}}}
			for k := range 60 {
				tb.Times = append(tb.Times, int64(i*50+k))
				randomCell(rng, &tb.Cols[0])
				randomCell(rng, &tb.Cols[1])
			}
			_, err = e.Commit(bg, &Batch{Tablets: []Tablet{tb}, Puts: []Put{{Key: "k", Value: []byte{byte(i)}}},
				Events: []Event{{Sinks: []string{"s"}, Payload: []byte("event")}}}, true)
			require.NoError(t, err)
		}
		if i < 4 {
			require.NoError(t, e.Flush(bg))
		}
	}
	want := dump(t, e)
	require.NoError(t, e.Close())
	return fs, want
}

func copyOf(t *testing.T, from *vfs.Mem) *vfs.Mem {
	t.Helper()
	c := crashfs.From(from)
	return c.Image(c.Ops(), crashfs.All, 0)
}

func filesOf(t *testing.T, fs vfs.FS) (names []string) {
	for _, sub := range []string{"db", "db/data", "db/outbox", "db/wal"} {
		list, err := fs.List(sub)
		require.NoError(t, err)
		for _, n := range list {
			if info, err := fs.Stat(sub + "/" + n); err == nil && !info.IsDir && info.Size > 0 {
				names = append(names, sub+"/"+n)
			}
		}
	}
	return names
}

// checkDamaged opens a damaged store: it must open, and whatever it shows must be
// right; what is missing must be reported.
func checkDamaged(t *testing.T, fs vfs.FS, want map[string]content, what string) {
	t.Helper()
	checkDamagedWith(t, fs, nil, want, what)
}

func checkDamagedWith(t *testing.T, fs vfs.FS, coder segment.Coder, want map[string]content, what string) {
	t.Helper()
	cfg := diskConfig(fs)
	cfg.Coder = coder
	e, err := Open(bg, cfg)
	if err != nil {
		t.Fatalf("%s: open: %v", what, err)
	}
	defer e.Close()
	rep := e.Report()
	reported := len(rep.Quarantined)+len(rep.LostLog) > 0
	s := e.Snapshot()
	defer s.Release()
	for path, points := range want {
		ser, ok := e.Lookup(path[:len(path)-2], path[len(path)-1:])
		if !ok {
			if !reported {
				t.Errorf("%s: %s is gone without a word", what, path)
			}
			continue
		}
		got := content{}
		c := s.Cursor(ser, math.MinInt64, math.MaxInt64)
		for c.Next() {
			for i, at := range c.Times() {
				got[at] = bitsOf(c.Values(), i)
			}
		}
		if err := c.Err(); err != nil {
			if !errors.Is(err, errs.Damaged) {
				t.Errorf("%s: %s: want errs.Damaged, got %v", what, path, err)
			}
			continue
		}
		if maps.Equal(points, got) {
			continue
		}
		if !reported {
			t.Errorf("%s: %s: %d points of %d, or others, without a word", what, path, len(got), len(points))
		}
	}
}

func TestBitFlips(t *testing.T) {
	fs, want := everyFile(t)
	rng := rand.New(rand.NewPCG(3, 4))
	for _, name := range filesOf(t, fs) {
		b, err := vfs.ReadFile(fs, name)
		require.NoError(t, err)
		step := max(1, len(b)/60)
		if strings.HasSuffix(name, "LOCK") {
			continue
		}
		for at := 0; at < len(b); at += step {
			bad := copyOf(t, fs)
			f, err := bad.OpenReadWrite(name)
			require.NoError(t, err)
			_, err = f.WriteAt([]byte{b[at] ^ 1<<rng.IntN(8)}, int64(at))
			require.NoError(t, err)
			f.Close()
			checkDamaged(t, bad, want, fmt.Sprintf("bit flip in %s at %d of %d", name, at, len(b)))
		}
	}
}

func TestTruncationsAndMissingFiles(t *testing.T) {
	fs, want := everyFile(t)
	for _, name := range filesOf(t, fs) {
		if strings.HasSuffix(name, "LOCK") {
			continue
		}
		b, err := vfs.ReadFile(fs, name)
		require.NoError(t, err)
		for _, size := range []int64{0, 1, int64(len(b)) / 2, int64(len(b)) - 1} {
			if strings.Contains(name, "/wal/") {
				continue // a shorter log is what a crash leaves; the log's own tests tell them apart
			}
			bad := copyOf(t, fs)
			f, err := bad.OpenReadWrite(name)
			require.NoError(t, err)
			require.NoError(t, f.Truncate(size))
			f.Close()
			checkDamaged(t, bad, want, fmt.Sprintf("%s cut to %d of %d", name, size, len(b)))
		}
		if !strings.Contains(name, "/wal/") {
			bad := copyOf(t, fs)
			require.NoError(t, bad.Remove(name))
			checkDamaged(t, bad, want, name+" removed")
		}
	}
}

// TestFullDisk fills the disk, frees it, and expects that what was acknowledged
// is there after a crash.
func TestFullDisk(t *testing.T) {
	for budget := int64(600); budget < 12000; budget += 400 {
		fs := crashfs.New()
		cfg := crashConfig(fs)
		cfg.SegmentBytes = 1 << 10
		fs.Budget(budget)
		e, err := Open(bg, cfg)
		if err != nil {
			require.ErrorIs(t, err, vfs.ErrNoSpace)
			continue
		}
		want := map[int64]float64{}
		unsure := map[int64]bool{}
		write := func(at int64, device string) {
			s, err := e.Shape(device, []string{"a"}, []column.Kind{column.Float64})
			if err != nil {
				require.ErrorIs(t, err, errs.NoSpace)
				return
			}
			_, err = e.Commit(bg, &Batch{Tablets: []Tablet{{Shape: s, Times: []int64{at}, Cols: floats(float64(at))}}}, false)
			if err != nil {
				require.ErrorIs(t, err, errs.NoSpace, "%v", err)
				unsure[at] = true
				return
			}
			want[at] = float64(at)
		}
		for i := range int64(60) {
			write(i, fmt.Sprintf("root.d%d", i%4))
			if i%20 == 10 {
				if err := e.Flush(bg); err != nil {
					require.True(t, errors.Is(err, errs.NoSpace) || errors.Is(err, vfs.ErrNoSpace), "%v", err)
				}
			}
		}
		fs.Heal()
		for i := int64(60); i < 90; i++ {
			write(i, fmt.Sprintf("root.d%d", i%6))
			require.Contains(t, want, i, "budget %d: space is back", budget)
		}
		img := fs.Image(fs.Ops(), crashfs.None, 0)
		require.NoError(t, e.Close())
		e = open(t, crashConfig(img))
		require.Empty(t, e.Report().LostLog, "budget %d", budget)
		got := map[int64]float64{}
		for _, c := range dumpSeries(e) {
			maps.Copy(got, points(t, e, c))
		}
		for at := range want {
			require.Equal(t, want[at], got[at], "budget %d: acknowledged point %d", budget, at)
		}
		for at := range got {
			require.True(t, unsure[at] || want[at] == got[at], "budget %d: point %d was never written", budget, at)
		}
		require.NoError(t, e.Flush(bg))
		require.NoError(t, e.Close())
	}
}

func dumpSeries(e *Engine) (out []*Series) {
	for _, device := range e.Devices("") {
		for ser := range e.DeviceSeries(device) {
			out = append(out, ser)
		}
	}
	return out
}

// TestLostManifestEdit cuts the last edit off a manifest whose log is retired:
// the edit is made again from the files.
func TestLostManifestEdit(t *testing.T) {
	fs := vfs.NewMem()
	e := open(t, diskConfig(fs))
	s := floatShape(t, e, "root.d", "a")
	put(t, e, s, []int64{1, 2}, 1, 2)
	require.NoError(t, e.Flush(bg))
	size := e.disk.size
	s2 := floatShape(t, e, "root.e", "b")
	put(t, e, s2, []int64{3}, 3)
	send(t, e, "event", "s")
	_, err := e.Commit(bg, &Batch{Puts: []Put{{Key: "k", Value: []byte("v")}}}, true)
	require.NoError(t, err)
	require.NoError(t, e.Flush(bg))
	last := e.Stats().LastLSN
	name := e.disk.manifestName(e.disk.no)
	require.NoError(t, e.Close())
	f, err := fs.OpenReadWrite(name)
	require.NoError(t, err)
	require.NoError(t, f.Truncate(size+5))
	require.NoError(t, f.Close())
	for range 2 {
		e = open(t, diskConfig(fs))
		require.GreaterOrEqual(t, e.Stats().LastLSN, last)
		a, ok := e.Lookup("root.d", "a")
		require.True(t, ok)
		b, ok := e.Lookup("root.e", "b")
		require.True(t, ok)
		require.Equal(t, map[int64]float64{1: 1, 2: 2}, points(t, e, a))
		require.Equal(t, map[int64]float64{3: 3}, points(t, e, b))
		v, _ := e.Get("k")
		require.Equal(t, "v", string(v))
		e.Outbox().Attach("s")
		require.Equal(t, []string{"event"}, waitingOf(t, e.Outbox(), "s", Pos{}))
		require.NoError(t, e.Close())
	}
}

// TestFlushFails makes every file system call of a flush fail once: nothing is
// lost, and the next flush works.
func TestFlushFails(t *testing.T) {
	for n := 1; n < 200; n++ {
		fs := crashfs.New()
		e := open(t, diskConfig(fs))
		s := floatShape(t, e, "root.d", "a")
		put(t, e, s, []int64{1, 2}, 1, 2)
		require.NoError(t, e.Flush(bg))
		put(t, e, s, []int64{2, 3}, 20, 30)
		send(t, e, "event", "s")
		want := map[int64]float64{1: 1, 2: 20, 3: 30}
		calls := 0
		fs.Inject(crashfs.Fault{N: n, Err: errors.New("fault"), Filter: func(op crashfs.Op) bool {
			if strings.Contains(op.Name, "wal") {
				return false
			}
			calls++
			return true
		}})
		err := e.Flush(bg)
		fs.Heal()
		done := calls < n
		require.Equal(t, want, points(t, e, s.Series()[0]), "call %d", n)
		put(t, e, s, []int64{4}, 40)
		want[4] = 40
		require.NoError(t, e.Flush(bg), "call %d", n)
		require.NoError(t, e.Flush(bg), "call %d", n)
		require.Equal(t, want, points(t, e, s.Series()[0]), "call %d", n)
		img := fs.Image(fs.Ops(), crashfs.None, 0)
		require.NoError(t, e.Close())
		e = open(t, diskConfig(img))
		require.Empty(t, e.Report().LostLog)
		require.Equal(t, want, points(t, e, s.Series()[0]), "call %d, reopened", n)
		e.Outbox().Attach("s")
		require.Equal(t, []string{"event"}, waitingOf(t, e.Outbox(), "s", Pos{}))
		require.NoError(t, e.Close())
		if done {
			require.NoError(t, err)
			require.Greater(t, n, 20, "calls of a flush")
			return
		}
	}
	t.Fatal("flush never got through")
}
