package engine

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/internal/segment"
	"github.com/tickwell/tickwell/vfs"
)

// crashStep is what the store holds after a commit: rows of a few series, a
// state key that counts commits, and one event a commit.
type crashStep struct {
	ops    int // file system operations when it was acknowledged
	points map[string]content
}

// crashRun writes to a store and notes what was acknowledged when.
type crashRun struct {
	t     *testing.T
	rng   *rand.Rand
	fs    *crashfs.FS
	e     *Engine
	cfg   Config
	steps []crashStep
	now   map[string]content
	pos   []Pos // of the event of each commit

	compacts bool
	coder    segment.Coder
}

func crashConfig(fs vfs.FS) Config {
	cfg := diskConfig(fs)
	cfg.SegmentBytes, cfg.BlockRows = 4<<10, 16
	return cfg
}

func newCrashRun(t *testing.T, seed uint64) *crashRun { return newCrashRunOn(t, seed, crashfs.New()) }

func newCrashRunOn(t *testing.T, seed uint64, fs *crashfs.FS) *crashRun {
	r := &crashRun{t: t, rng: rand.New(rand.NewPCG(seed, 2)), fs: fs, now: map[string]content{}}
	r.cfg = crashConfig(r.fs)
	r.e = open(t, r.cfg)
	r.e.Outbox().Attach("sink")
	r.steps = append(r.steps, crashStep{ops: r.fs.Ops(), points: map[string]content{}})
	return r
}

func (r *crashRun) commit(b *Batch) {
	n := len(r.steps)
	b.Puts = append(b.Puts, Put{Kind: PutProgress, Key: "count", Value: []byte(fmt.Sprint(n))})
	b.Events = append(b.Events, Event{Sinks: []string{"sink"}, Key: "k", Payload: []byte(fmt.Sprint(n))})
	lsn, err := r.e.Commit(context.Background(), b, false)
	require.NoError(r.t, err)
	copied := map[string]content{}
	for k, v := range r.now {
		copied[k] = maps.Clone(v)
	}
	r.steps = append(r.steps, crashStep{ops: r.fs.Ops(), points: copied})
	r.pos = append(r.pos, Pos{LSN: lsn})
}

func (r *crashRun) step() {
	switch k := r.rng.IntN(20); {
	case k < 14:
		b := &Batch{}
		for range 1 + r.rng.IntN(2) {
			device := fmt.Sprintf("root.d%d", r.rng.IntN(3))
			names := []string{"s1", "s2"}[:1+r.rng.IntN(2)]
			kinds := []column.Kind{column.Float64, column.Text}[:len(names)]
			s, err := r.e.Shape(device, names, kinds)
			require.NoError(r.t, err)
			n := []int{1, 5, 40}[r.rng.IntN(3)]
			tb := Tablet{Shape: s, Cols: make([]column.Vector, len(names))}
			at := r.rng.Int64N(300)
			for range n {
				at += 1 + r.rng.Int64N(2)
				tb.Times = append(tb.Times, at)
			}
			for c, ser := range s.Series() {
				tb.Cols[c].Kind = ser.Kind
				if r.now[ser.Path()] == nil {
					r.now[ser.Path()] = content{}
				}
				for i := range n {
					randomCell(r.rng, &tb.Cols[c])
					r.now[ser.Path()][tb.Times[i]] = bitsOf(&tb.Cols[c], i)
				}
			}
			b.Tablets = append(b.Tablets, tb)
		}
		r.commit(b)
	case k < 16:
		ser, ok := r.e.Lookup("root.d1", "s1")
		if !ok {
			return
		}
		from := r.rng.Int64N(300)
		for at := range r.now[ser.Path()] {
			if from <= at && at < from+50 {
				delete(r.now[ser.Path()], at)
			}
		}
		r.commit(&Batch{Deletes: []Delete{{Series: []*Series{ser}, From: from, To: from + 50}}})
	case k < 17:
		ser, ok := r.e.Lookup("root.d2", "s2")
		if !ok {
			return
		}
		delete(r.now, ser.Path())
		r.commit(&Batch{Drops: []*Series{ser}})
	case k < 18 && len(r.pos) > 0:
		r.e.Outbox().Ack("sink", r.pos[r.rng.IntN(len(r.pos))])
		r.e.logAcks()
	default:
		require.NoError(r.t, r.e.Flush(context.Background()))
		if r.compacts {
			r.compactSome()
		}
	}
}

// compactSome merges the newest two or three files, or all.
func (r *crashRun) compactSome() {
	e := r.e
	n := 2 + r.rng.IntN(4)
	e.compacting.Lock()
	defer e.compacting.Unlock()
	if files := e.currentFiles(); len(files) >= n {
		require.NoError(r.t, e.compact(context.Background(), files[len(files)-n:], 0))
	}
}

// dump reads everything a store holds.
func dump(t *testing.T, e *Engine) map[string]content {
	t.Helper()
	s := e.Snapshot()
	defer s.Release()
	out := map[string]content{}
	for _, device := range e.Devices("") {
		for ser := range e.DeviceSeries(device) {
			c := s.Cursor(ser, math.MinInt64, math.MaxInt64)
			got := content{}
			for c.Next() {
				for i, at := range c.Times() {
					got[at] = bitsOf(c.Values(), i)
				}
			}
			require.NoError(t, c.Err())
			out[ser.Path()] = got
			c.Close()
		}
	}
	return out
}

func sameDump(want, got map[string]content) string {
	for path, c := range want {
		if !maps.Equal(c, got[path]) {
			return fmt.Sprintf("%s: want %d points, got %d, or other values", path, len(c), len(got[path]))
		}
	}
	for path, c := range got {
		if _, ok := want[path]; !ok && len(c) > 0 {
			return fmt.Sprintf("%s: want no points, got %d", path, len(c))
		}
	}
	return ""
}

// verify opens an image and tells how it differs from what was acknowledged.
func (r *crashRun) verify(img vfs.FS, acked, begun int) string {
	r.t.Helper()
	cfg := crashConfig(img)
	cfg.Coder = r.coder
	e, err := Open(context.Background(), cfg)
	if err != nil {
		return fmt.Sprintf("open: %v", err)
	}
	defer e.Close()
	if rep := e.Report(); len(rep.Quarantined)+len(rep.LostLog) > 0 {
		return fmt.Sprintf("a crash is reported as damage: %+v", rep)
	}
	n := 0
	if v, ok := e.Get("count"); ok {
		fmt.Sscan(string(v), &n)
	}
	if n < acked || n > begun {
		return fmt.Sprintf("want between %d and %d commits, got %d", acked, begun, n)
	}
	if diff := sameDump(r.steps[n].points, dump(r.t, e)); diff != "" {
		return fmt.Sprintf("after commit %d: %s", n, diff)
	}
	// Every event whose commit is there and that was not acknowledged, and no other.
	ob := e.Outbox()
	cursor := ob.Attach("sink")
	var want, got []string
	for i, pos := range r.pos[:n] {
		if cursor.Less(pos) {
			want = append(want, fmt.Sprint(i+1))
		}
	}
	entries, err := ob.Next("sink", Pos{}, 1<<20)
	require.NoError(r.t, err)
	for _, ent := range entries {
		got = append(got, string(ent.Payload))
	}
	if !slices.Equal(want, got) {
		return fmt.Sprintf("events after %d commits, cursor %v: want %v, got %v", n, cursor, want, got)
	}
	return ""
}

// sweep verifies images and returns the first difference.
func (r *crashRun) sweep(seeds int, keep func(op int) bool) string {
	acked := 0
	for op := 0; op <= r.fs.Ops(); op++ {
		for acked+1 < len(r.steps) && r.steps[acked+1].ops <= op {
			acked++
		}
		if op < r.steps[0].ops && acked == 0 || keep(op) {
			for _, mode := range crashfs.Modes {
				n := 1
				if mode == crashfs.Random || mode == crashfs.Torn {
					if n = seeds; acked == 0 {
						n *= 8 // few operations, all of them when a store is made
					}
				}
				for seed := range uint64(n) {
					cut := crashfs.Cut{Op: op, Mode: mode, Seed: seed * 7}
					if diff := r.verify(r.fs.Image(op, mode, seed*7), acked, min(acked+1, len(r.steps)-1)); diff != "" {
						return fmt.Sprintf("%v: %s", cut, diff)
					}
				}
			}
		}
	}
	return ""
}

func TestCrashAtEveryCut(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := newCrashRun(t, seed)
			for range 30 {
				r.step()
			}
			require.NoError(t, r.e.Close())
			every := 3
			if testing.Short() {
				every = 17
			}
			require.Empty(t, r.sweep(2, func(op int) bool { return op%every == int(seed)%every }))
		})
	}
}

// TestCrashWhileRecovering cuts the power again while a store comes back.
func TestCrashWhileRecovering(t *testing.T) {
	r := newCrashRun(t, 77)
	for range 12 {
		r.step()
	}
	acked := len(r.steps) - 1
	require.NoError(t, r.e.Close())
	first := r.fs.Ops()
	for op := first - 40; op <= first; op += 4 {
		n := acked
		for n > 0 && r.steps[n].ops > op {
			n--
		}
		second := crashfs.From(r.fs.Image(op, crashfs.Random, uint64(op)))
		from := second.Ops()
		e, err := Open(context.Background(), crashConfig(second))
		require.NoError(t, err)
		require.NoError(t, e.Flush(context.Background()))
		require.NoError(t, e.Close())
		for cut, img := range second.Sweep(from, 1) {
			if cut.Op%5 == 0 {
				require.Empty(t, r.verify(img, n, min(n+1, acked)), "first cut after %d, second %v", op, cut)
			}
		}
	}
}

// TestEverySyncIsNeeded leaves out the syncs of one place after the other: each
// time the crash tests must notice.
func TestEverySyncIsNeeded(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	all := newCrashRun(t, 5)
	for range 25 {
		all.step()
	}
	require.NoError(t, all.e.Close())
	for _, site := range all.fs.Sites() {
		if !strings.HasPrefix(site, "internal/engine/") {
			continue
		}
		t.Run(site, func(t *testing.T) {
			fs := crashfs.New()
			fs.Elide(site)
			for seed := range uint64(4) {
				r := newCrashRunOn(t, seed+5, fs)
				for range 25 {
					r.step()
				}
				require.NoError(t, r.e.Close())
				if r.sweep(2, func(op int) bool { return true }) != "" {
					return
				}
				fs = crashfs.New()
				fs.Elide(site)
			}
			t.Errorf("the crash tests pass without the sync of %s", site)
		})
	}
}
