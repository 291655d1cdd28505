package tickwell

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/vfs"
)

// openMem opens a store in memory that is closed when the test ends.
func openMem(t testing.TB, opts *Options) *DB {
	t.Helper()
	return openDir(t, "", opts)
}

func openDir(t testing.TB, dir string, opts *Options) *DB {
	t.Helper()
	db := openOnly(t, dir, opts)
	t.Cleanup(func() { db.Close() })
	return db
}

// openOnly is openDir for tests that open thousands of stores one after the
// other: the caller closes them. A cleanup each would keep them all, with their
// files, until the test ends.
func openOnly(t testing.TB, dir string, opts *Options) *DB {
	t.Helper()
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Seed == 0 {
		o.Seed = 1
	}
	db, err := Open(context.Background(), dir, &o)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func newFake() *clock.Fake { return clock.NewFake(time.Unix(1_700_000_000, 0)) }

func memFS() vfs.FS { return vfs.NewMem() }

func ns(n int64) time.Time { return time.Unix(0, n).UTC() }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// dump prints all points of the series that match pattern, "path@time=value",
// sorted by path and time.
func dump(t testing.TB, db *DB, pattern string) []string {
	t.Helper()
	list, err := db.ListSeries(context.Background(), pattern)
	must(t, err)
	var out []string
	for s := range list {
		snap := db.eng.Snapshot()
		ser, _ := db.eng.Lookup(s.Device, s.Name)
		c := snap.Cursor(ser, minTime, maxTime+1)
		for c.Next() {
			v := vectorOf(c.Values())
			for i, at := range c.Times() {
				out = append(out, fmt.Sprintf("%s@%d=%s", s.Path(), at, v.Value(i)))
			}
		}
		must(t, c.Err())
		c.Close()
		snap.Release()
	}
	return out
}

func wantDump(t testing.TB, db *DB, pattern string, want ...string) {
	t.Helper()
	if got := dump(t, db, pattern); !slices.Equal(got, want) {
		t.Errorf("stored under %s:\n  %s\nwant:\n  %s", pattern, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// journal is a list of lines that several goroutines add to.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

func (j *journal) take() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	l := j.lines
	j.lines = nil
	return l
}

func (j *journal) want(t testing.TB, want ...string) {
	t.Helper()
	if got := j.take(); !slices.Equal(got, want) {
		t.Errorf("got:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// render prints a tablet in one line: device, then each column with its values.
func render(tab *Tablet) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %v", tab.Device, tab.Times)
	for _, c := range tab.Columns {
		fmt.Fprintf(&b, " %s:", c.Name)
		for i := range tab.Times {
			if i > 0 {
				b.WriteByte(',')
			}
			if c.Nulls.Get(i) {
				b.WriteString("null")
			} else {
				b.WriteString(c.Data.Value(i).String())
			}
		}
	}
	return b.String()
}

// events is a sink that journals what it is handed.
func (j *journal) sink() Sink {
	return SinkFunc(func(_ context.Context, es []Event) error {
		for i := range es {
			j.add("%s %s@%d", es[i].ID, es[i].Series, es[i].Time.UnixNano())
		}
		return nil
	})
}

func openMemLogger() *slog.Logger { return slog.New(slog.DiscardHandler) }
