package engine

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/pattern"
	"github.com/tickwell/tickwell/vfs"
)

// A directory below testdata/formats is a store as a release, or main, wrote it, with
// what it holds in dump.txt. It is never changed; -release NAME writes the next.
var release = flag.String("release", "", "write testdata/formats/NAME with the present code")

const formats = "testdata/formats"

// fixtureStore writes a store with a file of every kind: two block files, one
// of them with nulls and late rows, deletes of flushed points, state, events in
// a segment and in the log, a dropped series, a time to live, rows in the log only.
func fixtureStore(t *testing.T, cfg Config) *Engine {
	e := open(t, cfg)
	kinds := []column.Kind{column.Bool, column.Int32, column.Int64, column.Float32, column.Float64, column.Text}
	names := []string{"b", "i", "n", "r", "f", "`t.x`"}
	s, err := e.Shape("root.ln.d1", names, kinds)
	require.NoError(t, err)
	e.Outbox().Attach("sink")
	write := func(from, rows int, events bool) {
		tb := Tablet{Shape: s, Cols: make([]column.Vector, len(kinds)), Nulls: make([]column.Bitmap, len(kinds))}
		for i, k := range kinds {
			tb.Cols[i].Kind = k
		}
		for i := from; i < from+rows; i++ {
			at := int64(1_700_000_000_000_000_000) + int64(i)*1e9 + int64(i*i%7)
			row := len(tb.Times)
			tb.Times = append(tb.Times, at)
			tb.Cols[0].Bools = append(tb.Cols[0].Bools, i%3 == 0)
			tb.Cols[1].Int32s = append(tb.Cols[1].Int32s, int32(i*i-100))
			tb.Cols[2].Int64s = append(tb.Cols[2].Int64s, int64(i)<<40-1)
			tb.Cols[3].Float32s = append(tb.Cols[3].Float32s, float32(i)/4)
			tb.Cols[4].Float64s = append(tb.Cols[4].Float64s, []float64{float64(i) / 100, math.Pi * float64(i), math.Copysign(0, -1), math.Inf(1), math.Float64frombits(0x7ff8_0000_0000_0123)}[i%5])
			tb.Cols[5].Texts = append(tb.Cols[5].Texts, strings.Repeat("é|", i%4)+fmt.Sprint(i%6))
			if i%4 == 1 {
				tb.Nulls[i%6].Set(row)
			}
		}
		b := &Batch{Tablets: []Tablet{tb}, Puts: []Put{{Kind: PutEffect, Key: "state/a", Value: fmt.Append(nil, from)}}}
		if events {
			b.Events = []Event{{Sinks: []string{"sink"}, Key: "k", Payload: fmt.Append(nil, "event ", from)}}
		}
		_, err := e.Commit(bg, b, false)
		require.NoError(t, err)
	}
	write(0, 40, true)
	gone := floatShape(t, e, "root.ln.d2", "gone")
	put(t, e, gone, []int64{5, 6}, 1, 2)
	require.NoError(t, e.SetTTL(bg, "root.ln", -1))
	require.NoError(t, e.Flush(bg))
	_, err = e.Commit(bg, &Batch{Drops: gone.Series(), Deletes: []Delete{{Series: s.Series()[:2], From: 1_700_000_003_000_000_000, To: 1_700_000_009_000_000_000}}}, false)
	require.NoError(t, err)
	write(10, 3, true) // overwrites
	write(50, 20, false)
	require.NoError(t, e.Flush(bg))
	put(t, e, floatShape(t, e, "root.new", "s"), []int64{1, 3, 2}, 1, 3, 2)
	write(90, 5, true)
	var group Batch
	for d := range 10 {
		group.Tablets = append(group.Tablets, Tablet{Shape: floatShape(t, e, fmt.Sprint("root.group.d", d), "s"), Times: []int64{7, 9}, Cols: floats(float64(d), 0.5)})
	}
	_, err = e.Commit(bg, &group, false)
	require.NoError(t, err)
	return e
}

// fixtureDump is what a store shows, as text.
func fixtureDump(t *testing.T, e *Engine) string {
	var b bytes.Buffer
	snap := e.Snapshot()
	defer snap.Release()
	all, err := pattern.Parse("root.**")
	require.NoError(t, err)
	for _, ser := range e.MatchCreated(all) {
		fmt.Fprintf(&b, "series %d %s.%s %v\n", ser.ID, ser.Device, ser.Name, ser.Kind)
		c := snap.Cursor(ser, math.MinInt64, math.MaxInt64)
		for c.Next() {
			v := c.Values()
			for i, at := range c.Times() {
				one := v.Slice(i, i+1)
				switch v.Kind {
				case column.Float32:
					fmt.Fprintf(&b, "%d %08x\n", at, math.Float32bits(one.Float32s[0]))
				case column.Float64:
					fmt.Fprintf(&b, "%d %016x\n", at, math.Float64bits(one.Float64s[0]))
				case column.Text:
					fmt.Fprintf(&b, "%d %q\n", at, one.Texts[0])
				case column.Bool:
					fmt.Fprintln(&b, at, one.Bools[0])
				case column.Int32:
					fmt.Fprintln(&b, at, one.Int32s[0])
				case column.Int64:
					fmt.Fprintln(&b, at, one.Int64s[0])
				}
			}
		}
		require.NoError(t, c.Err())
	}
	for key, value := range e.Scan("") {
		fmt.Fprintf(&b, "state %q %q\n", key, value)
	}
	entries, err := e.Outbox().Next("sink", Pos{}, 100)
	require.NoError(t, err)
	for _, ent := range entries {
		fmt.Fprintf(&b, "event %v %q %q\n", ent.Pos, ent.Key, ent.Payload)
	}
	for prefix, ttl := range e.TTLs() {
		fmt.Fprintf(&b, "ttl %s %v\n", prefix, ttl)
	}
	return b.String()
}

func fixtureConfig(fsys vfs.FS, dir string) Config {
	cfg := diskConfig(fsys)
	cfg.Dir, cfg.ManualFlush, cfg.BlockRows, cfg.SegmentBytes = dir, true, 16, 4096
	cfg.Clock = clock.NewFake(time.Unix(1_700_000_100, 0))
	cfg.Seed = func() uint64 { return 0x7157_e110 }
	return cfg
}

// TestReleasedFormats: stores written by every release are read, to the same
// values, after opening, flushing, compacting and opening again.
func TestReleasedFormats(t *testing.T) {
	if *release != "" {
		dir := filepath.Join(formats, *release)
		e := fixtureStore(t, fixtureConfig(vfs.OS(), filepath.Join(dir, "store")))
		dump := fixtureDump(t, e)
		require.NoError(t, e.Close())
		require.NoError(t, os.WriteFile(filepath.Join(dir, "dump.txt"), []byte(dump), 0o644))
		require.NoError(t, os.Remove(filepath.Join(dir, "store", "LOCK")))
	}
	dirs, err := os.ReadDir(formats)
	require.NoError(t, err)
	require.NotEmpty(t, dirs)
	for _, d := range dirs {
		t.Run(d.Name(), func(t *testing.T) {
			want, err := os.ReadFile(filepath.Join(formats, d.Name(), "dump.txt"))
			require.NoError(t, err)
			from := filepath.Join(formats, d.Name(), "store")
			mem := vfs.NewMem()
			var kinds []string
			require.NoError(t, filepath.WalkDir(from, func(name string, e os.DirEntry, err error) error {
				rel, _ := filepath.Rel(from, name)
				to := filepath.Join("db", rel)
				if err != nil || e.IsDir() {
					return errors.Join(err, mem.MkdirAll(to))
				}
				kinds = append(kinds, strings.TrimRight(filepath.ToSlash(rel), "0123456789abcdef"))
				b, err := os.ReadFile(name)
				if err != nil {
					return err
				}
				f, err := mem.Create(to)
				if err != nil {
					return err
				}
				defer f.Close()
				_, err = f.Write(b)
				return err
			}))
			for _, kind := range []string{"CURRENT", "MANIFEST-", "CATALOG-", "STATE-"} {
				require.True(t, slices.Contains(kinds, kind), "%v has no %s", kinds, kind)
			}
			ro := fixtureConfig(mem, "db")
			ro.ReadOnly = true
			e := open(t, ro)
			require.Equal(t, string(want), fixtureDump(t, e), "read only")
			require.NoError(t, e.Close())
			for _, step := range []func(e *Engine) error{
				func(*Engine) error { return nil },
				func(e *Engine) error { return e.Flush(bg) },
				func(e *Engine) error { return e.Compact(bg) },
			} {
				e := open(t, fixtureConfig(mem, "db"))
				require.Empty(t, e.Report().Quarantined)
				require.Empty(t, e.Report().LostLog)
				require.NoError(t, step(e))
				require.Equal(t, string(want), fixtureDump(t, e))
				require.NoError(t, e.Close())
			}
		})
	}
}
