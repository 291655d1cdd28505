package engine

import (
	"fmt"
	"maps"
	"math"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/vfs"
)

// readable returns what can be read of the series of a store, and its state.
func readable(t *testing.T, e *Engine) map[string]content {
	t.Helper()
	out := map[string]content{}
	s := e.Snapshot()
	defer s.Release()
	for _, ser := range dumpSeries(e) {
		got := content{}
		c := s.Cursor(ser, math.MinInt64, math.MaxInt64)
		for c.Next() {
			for i, at := range c.Times() {
				got[at] = bitsOf(c.Values(), i)
			}
		}
		if c.Err() == nil {
			out[ser.Path()] = got
		}
	}
	for key, value := range e.Scan("") {
		out["state "+key] = content{0: string(value)}
	}
	return out
}

// manySeries is a closed store whose catalogue and state have several frames.
func manySeries(t *testing.T) (fs *vfs.Mem, catalog, state string) {
	t.Helper()
	fs = vfs.NewMem()
	e := open(t, diskConfig(fs))
	for i := range 3 * catalogFrame {
		put(t, e, floatShape(t, e, fmt.Sprintf("root.d%d", i/8), fmt.Sprintf("s%d", i%8)), []int64{1}, float64(i))
		if i%32 == 0 {
			_, err := e.Commit(bg, &Batch{Puts: []Put{{Key: fmt.Sprint("key", i), Value: slices.Repeat([]byte{byte(i)}, 2000)}}}, true)
			require.NoError(t, err)
		}
	}
	require.NoError(t, e.Flush(bg))
	catalog, state = e.disk.catalogName(e.disk.now.Catalog), e.disk.stateName(e.disk.now.State)
	require.NoError(t, e.Close())
	return fs, catalog, state
}

func flipAt(t *testing.T, fs vfs.FS, name string, places ...float64) {
	t.Helper()
	b, err := vfs.ReadFile(fs, name)
	require.NoError(t, err)
	f, err := fs.OpenReadWrite(name)
	require.NoError(t, err)
	for _, p := range places {
		at := int64(p * float64(len(b)))
		_, err = f.WriteAt([]byte{b[at] ^ 1}, at)
		require.NoError(t, err)
	}
	require.NoError(t, f.Close())
}

// TestDamagedStoreOpensAgain: what a damaged store still shows when it is opened it
// shows at the next opening, and in a backup, too.
func TestDamagedStoreOpensAgain(t *testing.T) {
	fs, catalog, state := manySeries(t)
	for _, name := range []string{catalog, state} {
		for _, places := range [][]float64{{0}, {0.2}, {0.5}, {0.4, 0.8}, {0.1, 0.9}} {
			bad := copyOf(t, fs)
			flipAt(t, bad, name, places...)
			e := open(t, diskConfig(bad))
			want := readable(t, e)
			require.NotEmpty(t, e.Report().Quarantined)
			require.NoError(t, e.Backup(bg, bad, "copy"), "%s %v", name, places)
			require.NoError(t, e.Close())
			cfg := diskConfig(bad)
			for _, cfg.Dir = range []string{"db", "db", "copy"} {
				e = open(t, cfg)
				sameStore(t, want, readable(t, e), fmt.Sprint(cfg.Dir, name, places))
				require.NotEmpty(t, e.Report().Quarantined)
				require.NoError(t, e.Close())
			}
			cfg.Dir = "db"
			damaged, err := vfs.ReadFile(bad, name)
			require.NoError(t, err)
			e = open(t, cfg)
			_, err = e.Commit(bg, &Batch{Puts: []Put{{Key: "new", Value: []byte("v")}}}, true)
			require.NoError(t, err)
			require.NoError(t, e.Flush(bg))
			require.NoError(t, e.Close())
			aside, err := vfs.ReadFile(bad, "db/quarantine/"+path.Base(name))
			require.NoError(t, err)
			require.Equal(t, damaged, aside)
			e = open(t, cfg)
			want["state new"] = content{0: "v"}
			sameStore(t, want, readable(t, e), fmt.Sprint("after a flush ", name, places))
			require.Empty(t, e.Report().Quarantined)
			require.NoError(t, e.Close())
		}
	}
}

func sameStore(t *testing.T, want, got map[string]content, what string) {
	t.Helper()
	for key := range want {
		if !maps.Equal(want[key], got[key]) {
			t.Fatalf("%s: %s is gone or other", what, key)
		}
	}
	require.Len(t, got, len(want), what)
}

// TestCrashWhilePuttingAside: where no manifest can be read, or only an older one, a
// crash at any place of the Open that puts the rest aside, or of the one after, removes
// nothing.
func TestCrashWhilePuttingAside(t *testing.T) {
	from, _ := everyFile(t)
	for _, how := range []string{"none", "older"} {
		bad := copyOf(t, from)
		kept := map[string]string{}
		manifest := ""
		for _, name := range filesOf(t, bad) {
			base := path.Base(name)
			b, err := vfs.ReadFile(bad, name)
			require.NoError(t, err)
			switch {
			case strings.HasPrefix(base, "MANIFEST-"):
				manifest = name
			case base == "CURRENT" || base == "LOCK" || strings.HasPrefix(name, "db/wal/"):
			default:
				kept[name] = string(b)
			}
		}
		if how == "older" { // one that knows nothing yet, which a crash left
			no, ok := parseNumbered(path.Base(manifest), "MANIFEST-", "")
			require.True(t, ok)
			d := storage{fs: bad, dir: "db", store: 42}
			whole := (&manifestAt0).whole()
			f, err := bad.Create(d.manifestName(no - 1))
			require.NoError(t, err)
			_, err = f.Write(d.frames(appendHeader(nil, magicManifest, 42, no-1), no-1, headerSize, 1, &whole))
			require.NoError(t, err)
			require.NoError(t, f.Close())
		}
		b, err := vfs.ReadFile(bad, manifest)
		require.NoError(t, err)
		f, err := bad.OpenReadWrite(manifest)
		require.NoError(t, err)
		_, err = f.WriteAt(slices.Repeat([]byte("x"), len(b)), 0)
		require.NoError(t, err)
		require.NoError(t, f.Close())
		kept[manifest] = strings.Repeat("x", len(b))

		there := func(fs vfs.FS, what string) {
			t.Helper()
			have := map[string]bool{}
			for _, dir := range []string{"db", "db/data", "db/outbox", "db/quarantine"} {
				names, _ := fs.List(dir)
				for _, name := range names {
					if b, err := vfs.ReadFile(fs, dir+"/"+name); err == nil {
						have[string(b)] = true
					}
				}
			}
			for name, b := range kept {
				require.True(t, have[b], "%s, %s: %s is gone", how, what, name)
			}
		}
		c := crashfs.From(bad)
		start := c.Ops()
		e := open(t, diskConfig(c))
		require.NotEmpty(t, e.Report().Quarantined)
		require.NoError(t, e.Close())
		there(c.Image(c.Ops(), crashfs.None, 0), "no crash")
		_, err = c.Stat("db/LOST")
		require.Error(t, err)
		n := 0
		for cut, img := range c.Sweep(start, 3) {
			if cut.Mode == crashfs.Random {
				continue // tears renames from folder to folder apart, as file systems with a journal do not
			}
			n++
			there(img, fmt.Sprint(cut, ", before"))
			_, err := img.Stat("db/LOST")
			aside, _ := img.List("db/quarantine")
			done := err != nil && len(aside) > 1 // Open is as good as over
			e := open(t, diskConfig(img))
			require.True(t, done || len(e.Report().Quarantined) > 0, "%s, %v", how, cut)
			require.NoError(t, e.Close())
			there(img, fmt.Sprint(cut))
			e = open(t, diskConfig(img))
			require.NoError(t, e.Close())
			there(img, fmt.Sprint(cut, ", opened again"))
		}
		require.Greater(t, n, 20)
	}
}

var manifestAt0 = manifest{NextNo: 1, NextSeries: 1, Floor: math.MinInt64}

// TestNumbersOfALostManifest: what a lost manifest named is put aside, and no new file
// gets a number of it: the new one would count as damaged, and be put aside in its turn.
func TestNumbersOfALostManifest(t *testing.T) {
	fs := vfs.NewMem()
	flush := func(e *Engine, key string) {
		_, err := e.Commit(bg, &Batch{Puts: []Put{{Key: key, Value: []byte("v")}}}, true)
		require.NoError(t, err)
		require.NoError(t, e.Flush(bg))
	}
	e := open(t, diskConfig(fs))
	for i := range 2 { // without rows: no block file tells the numbers
		flush(e, fmt.Sprint("old", i))
	}
	manifest := e.disk.manifestName(e.disk.no)
	require.NoError(t, e.Close())
	f, err := fs.Create(e.disk.path("data", numbered("", 40, ".blk"+tmpSuffix))) // one of a crash
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.NoError(t, fs.Remove(manifest))

	e = open(t, diskConfig(fs))
	aside, err := fs.List("db/quarantine")
	require.NoError(t, err)
	require.NotEmpty(t, aside)
	for i := range 8 {
		flush(e, fmt.Sprint("new", i))
		require.NotContains(t, e.disk.damaged, e.disk.stateName(e.disk.now.State), "flush %d", i)
		require.NotContains(t, e.disk.damaged, e.disk.catalogName(e.disk.now.Catalog), "flush %d", i)
		now, err := fs.List("db/quarantine")
		require.NoError(t, err)
		require.Equal(t, aside, now, "flush %d", i)
	}
	require.Greater(t, e.disk.now.NextNo, uint64(40))
	require.NoError(t, e.Close())
}

// TestBackupOfDamagedCatalogue: a backup takes the older catalogue with it while the
// newer one is damaged: what only that still has is not lost in the copy.
func TestBackupOfDamagedCatalogue(t *testing.T) {
	fs, _, _ := manySeries(t)
	e := open(t, diskConfig(fs))
	_, err := e.Commit(bg, &Batch{Puts: []Put{{Key: "new", Value: []byte("v")}}}, true)
	require.NoError(t, err)
	require.NoError(t, e.Flush(bg))
	want := readable(t, e)
	catalog := e.disk.catalogName(e.disk.now.Catalog)
	require.NoError(t, e.Close())
	flipAt(t, fs, catalog, 0.1, 0.5)
	e = open(t, diskConfig(fs))
	sameStore(t, want, readable(t, e), "the store")
	require.NoError(t, e.Backup(bg, fs, "copy"))
	require.NoError(t, e.Close())
	cfg := diskConfig(fs)
	cfg.Dir = "copy"
	e = open(t, cfg)
	sameStore(t, want, readable(t, e), "the copy")
	require.NotEmpty(t, e.Report().Quarantined)
	require.NoError(t, e.Close())
}
