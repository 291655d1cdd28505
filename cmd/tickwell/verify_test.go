package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell"
)

// everyFile makes a store that has every kind of file, and returns what it looks
// like without its last insert.
func everyFile(t *testing.T, dir string) (before string) {
	t.Helper()
	ctx := context.Background()
	open := func() *tickwell.DB {
		db, err := tickwell.Open(ctx, dir, &tickwell.Options{
			Logger: slog.New(slog.DiscardHandler), Sync: tickwell.SyncAlways(), Seed: 5,
			Sinks: []tickwell.SinkSpec{{Name: "dead", Sink: tickwell.SinkFunc(func(context.Context, []tickwell.Event) error { return errors.New("no") })}},
			Triggers: []tickwell.TriggerSpec{{Name: "tell", Pattern: "root.a.x", Stateful: true, Trigger: tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
				f.Put("n", []byte{byte(f.Len())})
				f.Emit(tickwell.Event{Series: "root.a.x", Time: time.Unix(0, f.Times[0])})
				return nil
			})}},
		})
		require.NoError(t, err)
		return db
	}
	insert := func(db *tickwell.DB, at int64) {
		require.NoError(t, db.Insert(ctx, "root.a", time.Unix(at, 0), tickwell.Float64("x", float64(at)/3), tickwell.Text("s", "text")))
		require.NoError(t, db.Insert(ctx, "root.b", time.Unix(at, 0), tickwell.Int64("n", at)))
	}
	db := open()
	for at := range int64(6) {
		insert(db, at)
	}
	require.NoError(t, db.Flush(ctx))
	require.NoError(t, db.Delete(ctx, "root.a.x", time.Unix(2, 0), time.Unix(4, 0)))
	for at := range int64(4) {
		insert(db, 10+at)
	}
	require.NoError(t, db.Flush(ctx))
	insert(db, 20)
	insert(db, 21)
	require.NoError(t, db.Close())
	before = looks(t, dir)
	db = open()
	require.NoError(t, db.Insert(ctx, "root.b", time.Unix(30, 0), tickwell.Int64("n", 30)))
	require.NoError(t, db.Close())
	return before
}

// looks is everything that can be seen of a store from outside.
func looks(t *testing.T, dir string) string {
	t.Helper()
	o := runWith(context.Background(), "", "export", "-format", "jsonl", dir)
	p := runWith(context.Background(), "", "outbox", "-json", "-n", "0", dir)
	return o.out + o.err + p.out + p.err
}

// TestVerifyFindsFlippedBits flips a bit of each byte of each file of a store.
// verify says so, with the name of the file, unless nothing is lost by it, or it
// is as if the last record had been cut off by a crash.
func TestVerifyFindsFlippedBits(t *testing.T) {
	step := 1
	if testing.Short() {
		step = 13
	}
	dir := filepath.Join(t.TempDir(), "data")
	before := everyFile(t, dir)
	sound := looks(t, dir)
	require.NotEqual(t, before, sound)
	require.Contains(t, do(t, "verify", dir), "is sound")
	found, harmless, tail, files := 0, 0, 0, 0
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		require.NoError(t, err)
		rel = filepath.ToSlash(rel)
		whole, err := os.ReadFile(name)
		require.NoError(t, err)
		files++
		for off := 0; off < len(whole); off += step {
			bad := append([]byte(nil), whole...)
			bad[off] ^= 1 << (off % 8)
			require.NoError(t, os.WriteFile(name, bad, 0o600))
			o := runWith(context.Background(), "", "verify", dir)
			switch {
			case o.code == exitDamage:
				found++
				require.True(t, namesFile(o.out, rel), "byte %d of %s: %s", off, rel, o.out)
			case o.code != exitOK:
				t.Errorf("byte %d of %s: exit code %d: %s%s", off, rel, o.code, o.out, o.err)
			default:
				switch got := looks(t, dir); {
				case got == sound:
					harmless++
				case got == before && strings.HasPrefix(rel, "wal/"):
					tail++
				default:
					t.Errorf("byte %d of %d of %s: verify finds nothing, but the store looks different", off, len(whole), rel)
				}
			}
		}
		return os.WriteFile(name, whole, 0o600)
	})
	require.NoError(t, err)
	require.Contains(t, do(t, "verify", dir), "is sound")
	t.Logf("%d files: %d flips found, %d harmless, %d in the last record", files, found, harmless, tail)
	require.Greater(t, found, 5*(harmless+tail))
}

// namesFile reports whether damage is told of the file; that of a segment of the
// log is told of "wal".
func namesFile(out, rel string) bool {
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, rel+":") || strings.HasPrefix(line, "wal:") && strings.HasPrefix(rel, "wal/") || strings.HasPrefix(line, "the store cannot be opened") {
			return true
		}
	}
	return false
}

func TestVerifyTellsWhatIsLost(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	everyFile(t, dir)
	blocks, err := filepath.Glob(filepath.Join(dir, "data", "*.blk"))
	require.NoError(t, err)
	require.NotEmpty(t, blocks)
	b, err := os.ReadFile(blocks[0])
	require.NoError(t, err)
	b[len(b)/3] ^= 4
	require.NoError(t, os.WriteFile(blocks[0], b, 0o600))
	out := fails(t, exitDamage, "verify", dir)
	require.Contains(t, out, "data/"+filepath.Base(blocks[0])+": ")
	require.Regexp(t, `may affect (any series|root\.[ab]\.[xsn]) from 1970-01-01T00:00:00Z to 1970-01-01T00:00:05Z`, out)
	require.Contains(t, out, "damage in ")
	require.Empty(t, fails(t, exitDamage, "verify", "-q", dir))
}

// TestDamageIsTold: every command that meets damage says which, and ends with the
// code of verify.
func TestDamageIsTold(t *testing.T) {
	sound := filepath.Join(t.TempDir(), "sound")
	everyFile(t, sound)
	harmed := func(pattern string, at func(b []byte) int) (dir, rel string) {
		dir = filepath.Join(t.TempDir(), "data")
		require.NoError(t, os.CopyFS(dir, os.DirFS(sound)))
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		require.NoError(t, err)
		require.NotEmpty(t, found)
		name := found[len(found)-1]
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		b[at(b)] ^= 4
		require.NoError(t, os.WriteFile(name, b, 0o600))
		rel, err = filepath.Rel(dir, name)
		require.NoError(t, err)
		return dir, filepath.ToSlash(rel)
	}
	inBlock := func(b []byte) int { return len(b) / 3 }
	for _, pattern := range []string{"data/*.blk", "STATE-*", "outbox/*.seg"} {
		dir, rel := harmed(pattern, inBlock)
		out := fails(t, exitDamage, "backup", dir, dir+"copy")
		require.Contains(t, out, "is a copy of")
		require.Contains(t, out, rel+": ")
		if pattern == "data/*.blk" {
			require.Contains(t, out, "copied as it is")
			require.Contains(t, fails(t, exitDamage, "verify", dir+"copy"), rel+": ")
		}
	}
	for _, pattern := range []string{"STATE-*", "CATALOG-*", "outbox/*.seg"} {
		for _, at := range []func([]byte) int{func([]byte) int { return 17 }, inBlock} {
			dir, rel := harmed(pattern, at)
			out := fails(t, exitDamage, "inspect", dir)
			require.Contains(t, out, "DAMAGED")
			require.Contains(t, out, rel+": ")
		}
	}
	dir, _ := harmed("data/*.blk", func(b []byte) int { return len(b) - 100 }) // the index
	require.Contains(t, fails(t, exitDamage, "inspect", dir), "damaged")
	dir, _ = harmed("data/*.blk", inBlock)
	require.Contains(t, fails(t, exitDamage, "export", dir), "damaged")
	dir, _ = harmed("MANIFEST-*", func(b []byte) int { return 0 })
	manifest, err := filepath.Glob(filepath.Join(dir, "MANIFEST-*"))
	require.NoError(t, err)
	require.NoError(t, os.Truncate(manifest[0], 10))
	for _, command := range []string{"inspect", "verify", "export"} {
		require.Contains(t, fails(t, exitDamage, command, dir), "the store cannot be opened")
	}
	require.Empty(t, fails(t, exitDamage, "verify", "-q", dir))
	require.Equal(t, "tickwell backtest: root.a.x: time 9999-01-01T00:00:00Z is outside the years 1678 to 2261: bad input", strings.TrimSpace(fails(t, exitFailed, "backtest", "-above", "1", "-start", "9999-01-01", sound, "root.a.x")))
}
