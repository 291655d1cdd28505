package engine

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/memtable"
	"github.com/tickwell/tickwell/internal/wal"
	"github.com/tickwell/tickwell/vfs"
)

// content is what a series holds: time to the cell's bits, or its text.
type content map[int64]string

func bitsOf(v *column.Vector, i int) string {
	switch v.Kind {
	case column.Bool:
		return fmt.Sprint(v.Bools[i])
	case column.Int32:
		return fmt.Sprint(v.Int32s[i])
	case column.Int64:
		return fmt.Sprint(v.Int64s[i])
	case column.Float32:
		return fmt.Sprintf("%08x", math.Float32bits(v.Float32s[i]))
	case column.Float64:
		return fmt.Sprintf("%016x", math.Float64bits(v.Float64s[i]))
	}
	return "text " + v.Texts[i]
}

// model is an engine as maps.
type model struct {
	points map[string]content // by path
	kinds  map[string]column.Kind
	state  map[string]string
}

func newModel() *model {
	return &model{points: map[string]content{}, kinds: map[string]column.Kind{}, state: map[string]string{}}
}

func (m *model) clone() *model {
	c := &model{points: map[string]content{}, kinds: maps.Clone(m.kinds), state: maps.Clone(m.state)}
	for k, v := range m.points {
		c.points[k] = maps.Clone(v)
	}
	return c
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func memConfig() Config { return Config{Logger: quiet()} }

func diskConfig(fs vfs.FS) Config {
	return Config{
		FS: fs, Dir: "db", Logger: quiet(), Seed: func() uint64 { return 42 },
		Sync: wal.Policy{Mode: wal.Always}, SegmentBytes: 64 << 10, ManualFlush: true,
	}
}

func open(t testing.TB, cfg Config) *Engine {
	t.Helper()
	e, err := Open(context.Background(), cfg)
	require.NoError(t, err)
	return e
}

// cells returns the value i of kind k drawn from rng, sometimes an odd one.
func randomCell(rng *rand.Rand, v *column.Vector) {
	switch v.Kind {
	case column.Bool:
		v.Bools = append(v.Bools, rng.IntN(2) == 0)
	case column.Int32:
		v.Int32s = append(v.Int32s, int32(rng.Uint32())>>rng.IntN(32))
	case column.Int64:
		v.Int64s = append(v.Int64s, int64(rng.Uint64())>>rng.IntN(64))
	case column.Float32:
		v.Float32s = append(v.Float32s, math.Float32frombits(rng.Uint32()))
	case column.Float64:
		switch rng.IntN(8) {
		case 0:
			v.Float64s = append(v.Float64s, math.Float64frombits(rng.Uint64()))
		case 1:
			v.Float64s = append(v.Float64s, math.Copysign(0, -1))
		case 2:
			v.Float64s = append(v.Float64s, math.Float64frombits(0x7ff8000000000001+rng.Uint64()>>16))
		default:
			v.Float64s = append(v.Float64s, float64(rng.IntN(10000))/100)
		}
	case column.Text:
		v.Texts = append(v.Texts, []string{"", "a", "on", "off", "ünï", fmt.Sprint(rng.IntN(1000))}[rng.IntN(6)])
	}
}

// world is an engine with its model under random operations.
type world struct {
	t     testing.TB
	rng   *rand.Rand
	e     *Engine
	m     *model
	fs    vfs.FS // nil in memory mode
	cfg   Config
	clock int64
	snaps []heldSnapshot
	steps []string
}

type heldSnapshot struct {
	s *Snapshot
	m *model
}

var worldNames = []string{"s0", "s1", "s2", "s3", "s4"}

func kindOfName(device, name string) column.Kind {
	return column.Kind(1 + (int(name[1]-'0')+len(device))%6)
}

func (w *world) log(format string, args ...any) {
	w.steps = append(w.steps, fmt.Sprintf(format, args...))
}

func (w *world) fail(format string, args ...any) {
	w.t.Helper()
	for _, s := range w.steps[max(0, len(w.steps)-40):] {
		w.t.Log(s)
	}
	w.t.Fatalf(format, args...)
}

func (w *world) shape() *Shape {
	device := fmt.Sprintf("root.d%d", w.rng.IntN(3))
	var names []string
	switch w.rng.IntN(4) {
	case 0:
		names = []string{worldNames[w.rng.IntN(5)]}
	case 1:
		names = slices.Clone(worldNames[:3])
	case 2:
		names = []string{"s2", "s0", "s1"}
	default:
		for _, n := range worldNames {
			if w.rng.IntN(2) == 0 {
				names = append(names, n)
			}
		}
		if names == nil {
			names = []string{"s4"}
		}
	}
	var kinds []column.Kind
	for _, n := range names {
		kinds = append(kinds, kindOfName(device, n))
	}
	s, err := w.e.Shape(device, names, kinds)
	require.NoError(w.t, err)
	return s
}

// tablet draws rows and writes them into the model.
func (w *world) tablet() Tablet {
	s := w.shape()
	n := []int{1, 1, 1, 3, 20, 70, 300, 1100}[w.rng.IntN(8)]
	tb := Tablet{Shape: s, Cols: make([]column.Vector, len(s.Series())), Nulls: make([]column.Bitmap, len(s.Series()))}
	start := w.clock
	mode := w.rng.IntN(6)
	switch mode {
	case 0: // late
		start = w.rng.Int64N(w.clock + 1)
	case 1: // at the end, again
		start = max(0, w.clock-5)
	}
	at := start
	for range n {
		switch mode {
		case 2:
			at = start + w.rng.Int64N(int64(n)+1) // unsorted, with duplicates
		case 3:
			at = w.rng.Int64N(w.clock + 10) // anywhere
		default:
			at += 1 + w.rng.Int64N(3)
		}
		tb.Times = append(tb.Times, at)
		w.clock = max(w.clock, at)
	}
	nulls := w.rng.IntN(3)
	for c, ser := range s.Series() {
		v := &tb.Cols[c]
		v.Kind = ser.Kind
		path := ser.Path()
		if w.m.points[path] == nil {
			w.m.points[path] = content{}
		}
		w.m.kinds[path] = ser.Kind
		for i := range n {
			randomCell(w.rng, v)
			if nulls == 1 && w.rng.IntN(4) == 0 || nulls == 2 && c > 0 {
				tb.Nulls[c].Set(i)
				continue
			}
			w.m.points[path][tb.Times[i]] = bitsOf(v, i)
		}
	}
	w.log("tablet %s %v rows %d mode %d nulls %d from %d", s.Device(), s.layout.IDs, n, mode, nulls, start)
	return tb
}

// shortWay stores a batch of one row the short way, if it can be.
func shortWay(t testing.TB, e *Engine, b *Batch) bool {
	t.Helper()
	if len(b.Tablets) != 1 || len(b.Tablets[0].Times) != 1 || len(b.Puts)+len(b.Deletes)+len(b.Drops)+len(b.Events) > 0 {
		return false
	}
	tb := &b.Tablets[0]
	cells := rowOf(&memtable.Rows{Times: tb.Times, Cols: tb.Cols, Nulls: tb.Nulls}, 0)
	if !slices.ContainsFunc(cells, func(c column.Cell) bool { return c.Kind != column.Null }) {
		return false
	}
	stored, err := e.AppendRow(context.Background(), tb.Shape, tb.Times[0], cells, b.Terms)
	require.NoError(t, err)
	return stored
}

// rowOf returns the cells of row i.
func rowOf(r *memtable.Rows, i int) []column.Cell {
	cells := make([]column.Cell, len(r.Cols))
	for c := range cells {
		if !nullsOf(r, c).Get(i) {
			cells[c] = r.Cols[c].Cell(i)
		}
	}
	return cells
}

func (w *world) commit(b *Batch) {
	w.t.Helper()
	if shortWay(w.t, w.e, b) {
		return
	}
	_, err := w.e.Commit(context.Background(), b, false)
	require.NoError(w.t, err)
}

func (w *world) step() {
	switch k := w.rng.IntN(100); {
	case k < 70:
		b := &Batch{}
		for range 1 + w.rng.IntN(2)*w.rng.IntN(3) {
			b.Tablets = append(b.Tablets, w.tablet())
		}
		if w.rng.IntN(3) == 0 {
			key, val := fmt.Sprintf("k%d", w.rng.IntN(6)), fmt.Sprint(w.rng.IntN(1000))
			del := w.rng.IntN(4) == 0
			b.Puts = append(b.Puts, Put{Kind: PutMeta, Key: key, Value: []byte(val), Delete: del})
			if w.m.state[key] = val; del {
				delete(w.m.state, key)
			}
		}
		w.commit(b)
	case k < 80:
		w.delete()
	case k < 82:
		w.drop()
	case k < 86:
		s := heldSnapshot{w.e.Snapshot(), w.m.clone()}
		w.log("snapshot at %d", s.s.LSN())
		w.snaps = append(w.snaps, s)
	case k < 90:
		if len(w.snaps) > 0 {
			i := w.rng.IntN(len(w.snaps))
			w.check(w.snaps[i].s, w.snaps[i].m)
			if w.rng.IntN(2) == 0 {
				w.snaps[i].s.Release()
				w.snaps = slices.Delete(w.snaps, i, i+1)
			}
		}
	case k < 93:
		w.log("compact")
		require.NoError(w.t, w.e.Compact(context.Background()))
	case k < 96:
		w.log("flush")
		require.NoError(w.t, w.e.Flush(context.Background()))
	default:
		w.reopen()
	}
}

func (w *world) delete() {
	var series []*Series
	for path := range w.m.points {
		if w.rng.IntN(4) == 0 {
			series = append(series, w.series(path))
		}
	}
	slices.SortFunc(series, func(a, b *Series) int { return int(a.ID) - int(b.ID) })
	from := w.rng.Int64N(w.clock + 1)
	to := from + w.rng.Int64N(w.clock+1)
	if w.rng.IntN(5) == 0 {
		from, to = math.MinInt64, math.MaxInt64
	}
	for _, ser := range series {
		for at := range w.m.points[ser.Path()] {
			if from <= at && at < to {
				delete(w.m.points[ser.Path()], at)
			}
		}
	}
	w.log("delete %d series %d to %d", len(series), from, to)
	b := &Batch{Deletes: []Delete{{Series: series, From: from, To: to}}}
	if w.rng.IntN(2) == 0 {
		b.Tablets = append(b.Tablets, w.tablet())
	}
	w.commit(b)
}

func (w *world) drop() {
	paths := slices.Sorted(maps.Keys(w.m.points))
	if len(paths) == 0 {
		return
	}
	path := paths[w.rng.IntN(len(paths))]
	w.log("drop %s", path)
	w.commit(&Batch{Drops: []*Series{w.series(path)}})
	delete(w.m.points, path)
	delete(w.m.kinds, path)
	for i := range w.snaps { // a snapshot finds its series by pointer; the model by path
		delete(w.snaps[i].m.points, path)
	}
}

func (w *world) series(path string) *Series {
	w.t.Helper()
	device, name := path[:len(path)-3], path[len(path)-2:]
	ser, ok := w.e.Lookup(device, name)
	if !ok {
		w.fail("series %s is gone", path)
	}
	return ser
}

func (w *world) reopen() {
	if w.fs == nil {
		return
	}
	w.releaseAll()
	w.log("reopen")
	require.NoError(w.t, w.e.Close())
	w.e = open(w.t, w.cfg)
	if r := w.e.Report(); len(r.Quarantined)+len(r.LostLog) > 0 {
		w.fail("report after a clean close: %+v", r)
	}
}

func (w *world) releaseAll() {
	for _, s := range w.snaps {
		w.check(s.s, s.m)
		s.s.Release()
	}
	w.snaps = nil
}

// read returns what a cursor yields and checks its promises.
func (w *world) read(s *Snapshot, ser *Series, from, to int64) content {
	w.t.Helper()
	got := content{}
	c := s.Cursor(ser, from, to)
	defer c.Close()
	last := int64(math.MinInt64)
	for {
		st, peeked := c.PeekStats()
		var want blockStats
		if peeked {
			want = blockStats{int(st.Count), st.MinTime, st.MaxTime}
		}
		if !c.Next() {
			break
		}
		times, v := c.Times(), c.Values()
		if len(times) == 0 || v.Len() != len(times) {
			w.fail("%s: batch of %d times and %d values", ser.Path(), len(times), v.Len())
		}
		if peeked && want.n > 0 && (len(times) < want.n || want != blockStats{want.n, times[0], times[want.n-1]}) {
			w.fail("%s: statistics say %v, batch is %d rows %d to %d", ser.Path(), want, len(times), times[0], times[len(times)-1])
		}
		for i, at := range times {
			if at <= last || at < from || at >= to {
				w.fail("%s: time %d after %d in [%d, %d)", ser.Path(), at, last, from, to)
			}
			last = at
			got[at] = bitsOf(v, i)
		}
	}
	require.NoError(w.t, c.Err())
	return got
}

type blockStats struct {
	n        int
	min, max int64
}

func (w *world) same(what string, want, got content) {
	w.t.Helper()
	if maps.Equal(want, got) {
		return
	}
	for _, at := range slices.Sorted(maps.Keys(want)) {
		if got[at] != want[at] {
			w.fail("%s: time %d: want %q, got %q (%d and %d points)", what, at, want[at], got[at], len(want), len(got))
		}
	}
	for at := range got {
		if _, ok := want[at]; !ok {
			w.fail("%s: time %d: want nothing, got %q (%d and %d points)", what, at, got[at], len(want), len(got))
		}
	}
}

func (m *model) cut(path string, from, to int64) content {
	out := content{}
	for at, v := range m.points[path] {
		if from <= at && at < to {
			out[at] = v
		}
	}
	return out
}

// check compares everything a snapshot shows with the model.
func (w *world) check(s *Snapshot, m *model) {
	w.t.Helper()
	byDevice := map[string][]*Series{}
	for _, path := range slices.Sorted(maps.Keys(m.points)) {
		ser := w.series(path)
		byDevice[ser.Device] = append(byDevice[ser.Device], ser)
		w.same(path, m.points[path], w.read(s, ser, math.MinInt64, math.MaxInt64))
		from := w.rng.Int64N(w.clock + 2)
		to := from + w.rng.Int64N(w.clock+2)
		w.same(fmt.Sprintf("%s in [%d, %d)", path, from, to), m.cut(path, from, to), w.read(s, ser, from, to))
		p, ok, err := s.Last(ser)
		require.NoError(w.t, err)
		want := content{}
		if len(m.points[path]) > 0 {
			last := slices.Max(slices.Collect(maps.Keys(m.points[path])))
			want[last] = m.points[path][last]
		}
		got := content{}
		if ok {
			got[p.Time] = bitsOf(&p.Value, 0)
		}
		w.same("last of "+path, want, got)
	}
	for _, series := range byDevice {
		w.checkRows(s, m, series)
	}
}

// checkRows compares an aligned cursor over series with the model.
func (w *world) checkRows(s *Snapshot, m *model, series []*Series) {
	w.t.Helper()
	got := make([]content, len(series))
	for i := range got {
		got[i] = content{}
	}
	c := s.Rows(series, math.MinInt64, math.MaxInt64)
	defer c.Close()
	last := int64(math.MinInt64)
	for c.Next() {
		for i, at := range c.Times() {
			if at <= last {
				w.fail("rows: time %d after %d", at, last)
			}
			last = at
			some := false
			for k := range series {
				v, nulls := c.Col(k)
				if v.Len() != len(c.Times()) {
					w.fail("rows: column %d has %d of %d rows", k, v.Len(), len(c.Times()))
				}
				if !nulls.Get(i) {
					some = true
					got[k][at] = bitsOf(v, i)
				}
			}
			if !some {
				w.fail("rows: time %d has no cell", at)
			}
		}
	}
	require.NoError(w.t, c.Err())
	for k, ser := range series {
		w.same("rows of "+ser.Path(), m.points[ser.Path()], got[k])
	}
}

func (w *world) checkNow() {
	w.t.Helper()
	s := w.e.Snapshot()
	defer s.Release()
	w.check(s, w.m)
	state := map[string]string{}
	for k, v := range w.e.Scan("k") {
		state[k] = string(v)
	}
	if !maps.Equal(state, w.m.state) {
		w.fail("state: want %v, got %v", w.m.state, state)
	}
}

func runWorld(t testing.TB, seed uint64, steps int, cfg Config) {
	w := &world{t: t, rng: rand.New(rand.NewPCG(seed, 1)), m: newModel(), cfg: cfg}
	if cfg.Dir != "" {
		w.fs = cfg.FS
	}
	w.e = open(t, cfg)
	for i := range steps {
		w.step()
		if i%25 == 24 {
			w.checkNow()
		}
	}
	w.checkNow()
	w.releaseAll()
	w.reopen()
	w.checkNow()
	require.NoError(t, w.e.Close())
}

func TestModelInMemory(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			cfg := memConfig()
			cfg.BlockRows = []int{16, 64, 256, 1024}[seed%4]
			cfg.MemtableBytes = int64(seed%3) << 23 // two of three encode early
			runWorld(t, seed, 150, cfg)
		})
	}
}

func TestModelOnDisk(t *testing.T) {
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			cfg := diskConfig(vfs.NewMem())
			cfg.BlockRows = []int{16, 64, 256, 1024}[seed%4]
			cfg.MemtableBytes = int64(seed%3) << 23
			runWorld(t, 100+seed, 150, cfg)
		})
	}
}
