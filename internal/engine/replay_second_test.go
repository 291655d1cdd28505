package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/memtable"
	"github.com/tickwell/tickwell/internal/pattern"
	"github.com/tickwell/tickwell/vfs"
)

// gateway is a random store whose rows mostly come from gateways that read the
// same devices again and again, and that is changed by everything else as well.
type gateway struct {
	e     *Engine
	r     *rand.Rand
	at    int64
	texts bool
	long  string // follows each text
}

func (g *gateway) kinds() (names []string, kinds []column.Kind) {
	for i := range 10 {
		k := []column.Kind{column.Float64, column.Int64, column.Bool, column.Float32, column.Int32}[i%5]
		if g.texts && i == 7 {
			k = column.Text
		}
		names, kinds = append(names, fmt.Sprint("s", i)), append(kinds, k)
	}
	return names, kinds
}

func (g *gateway) row(t testing.TB, device string) Tablet {
	names, kinds := g.kinds()
	s, err := g.e.Shape(device, names, kinds)
	require.NoError(t, err)
	tb := Tablet{Shape: s, Times: []int64{g.at}, Cols: make([]column.Vector, len(kinds)), Nulls: make([]column.Bitmap, len(kinds))}
	if g.r.IntN(40) == 0 {
		tb.Times[0] -= int64(g.r.IntN(30)) // late, or the same again
	}
	for c, k := range kinds {
		tb.Cols[c].Kind = k
		cell := cellOf(g.r, k)
		cell.Text += g.long
		tb.Cols[c].AppendCell(&cell)
		if g.r.IntN(25) == 0 {
			tb.Nulls[c].Set(0)
		}
	}
	return tb
}

// step makes the next commit of the store.
func (g *gateway) step(t testing.TB) {
	b := &Batch{}
	g.at += 1 + int64(g.r.IntN(3))
	all, err := pattern.Parse("root.**")
	require.NoError(t, err)
	one := func() []*Series {
		list := g.e.Match(all)
		if len(list) == 0 {
			return nil
		}
		i := g.r.IntN(len(list))
		return list[i:min(i+1+g.r.IntN(12), len(list))]
	}
	switch g.r.IntN(30) {
	case 0:
		b = acrossBatch(t, g.e, g.r, &g.at, 20)
	case 1:
		b.Deletes = []Delete{{Series: one(), From: g.at - int64(g.r.IntN(60)), To: g.at + 1}}
	case 2:
		b.Drops = one()
	case 3:
		b.Puts = []Put{{Kind: PutEffect, Key: fmt.Sprint("k", g.r.IntN(4)), Value: fmt.Append(nil, g.at)}}
	case 4: // one row of some, in another order
		for range 12 {
			b.Tablets = append(b.Tablets, g.row(t, fmt.Sprint("root.g0.d", g.r.IntN(40))))
		}
	default:
		of := g.r.IntN(3)
		for d := range 30 + of {
			b.Tablets = append(b.Tablets, g.row(t, fmt.Sprint("root.g", of, ".d", d)))
		}
		g.r.Shuffle(2, func(i, j int) { b.Tablets[i], b.Tablets[j] = b.Tablets[j], b.Tablets[i] })
	}
	_, err = g.e.Commit(bg, b, false)
	require.NoError(t, err)
}

// shown is what can be seen of a store that was opened.
type shown struct {
	points, bytes int64
	replayed      int
	lost          []string
	series        []string
	cells         map[string]column.Cell
	state         map[string]string
}

func show(t testing.TB, e *Engine) shown {
	s := shown{points: e.Stats().Points, bytes: e.Stats().MemtableBytes, cells: dumpAll(t, e), state: map[string]string{}}
	s.replayed, s.lost = int(e.Report().Replayed), e.Report().LostLog
	all, err := pattern.Parse("root.**")
	require.NoError(t, err)
	for _, ser := range e.Match(all) {
		s.series = append(s.series, fmt.Sprint(ser.ID, ser.Path(), ser.Kind))
	}
	for k, v := range e.Scan("") {
		s.state[k] = string(v)
	}
	return s
}

// shownBy opens a store to read with so many processors: with one there is no second
// goroutine.
func shownBy(t testing.TB, cfg Config, processors int) shown {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
	cfg.ReadOnly = true
	e := open(t, cfg)
	s := show(t, e)
	require.NoError(t, e.Close())
	return s
}

// TestRecoveryByTwo: a store is the same whether one goroutine or two put its log
// back, and as it was before, whatever stands between the rows of gateways; and
// two find in a torn or damaged log what one finds.
func TestRecoveryByTwo(t *testing.T) {
	seeds := uint64(3)
	if testing.Short() {
		seeds = 2
	}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 20))
		cfg := diskConfig(vfs.NewMem())
		cfg.ManualFlush, cfg.BlockRows, cfg.SegmentBytes = true, 64, 128<<10
		disk := gateway{e: open(t, cfg), at: 1000, texts: seed%3 == 2}
		mem := disk
		mem.e = open(t, memConfig())
		for range 70 {
			sub := r.Uint64()
			disk.r, mem.r = rand.New(rand.NewPCG(sub, 0)), rand.New(rand.NewPCG(sub, 0))
			disk.step(t)
			mem.step(t)
		}
		require.NoError(t, disk.e.Close())
		one, two := shownBy(t, cfg, 1), shownBy(t, cfg, 2)
		same(t, &one, &two, fmt.Sprint("seed ", seed))
		require.Empty(t, two.lost)
		one.cells = dumpAll(t, mem.e)
		same(t, &one, &two, fmt.Sprint("against a store that was not closed, seed ", seed))
		harm(t, cfg, r, func(what string) {
			one, two := shownBy(t, cfg, 1), shownBy(t, cfg, 2)
			same(t, &one, &two, fmt.Sprint("seed ", seed, ": ", what))
		})
		require.NoError(t, mem.e.Close())
	}
}

// same fails the test at the first thing that is not the same.
func same(t testing.TB, want, got *shown, what string) {
	for k, c := range want.cells {
		require.Equal(t, c, got.cells[k], "%s: %s", what, k)
	}
	require.Len(t, got.cells, len(want.cells), what)
	require.Equal(t, []int64{want.points, want.bytes, int64(want.replayed)}, []int64{got.points, got.bytes, int64(got.replayed)}, "%s: points, bytes, records", what)
	require.Equal(t, want.lost, got.lost, what)
	require.Equal(t, want.series, got.series, what)
	require.Equal(t, want.state, got.state, what)
}

// harm flips bytes of the log, one at a time, then cuts it shorter and shorter.
func harm(t testing.TB, cfg Config, r *rand.Rand, check func(what string)) {
	dir := filepath.Join(cfg.Dir, "wal")
	names, err := cfg.FS.List(dir)
	require.NoError(t, err)
	name := filepath.Join(dir, names[len(names)-1])
	f, err := cfg.FS.OpenReadWrite(name)
	require.NoError(t, err)
	defer f.Close()
	size, err := f.Size()
	require.NoError(t, err)
	for range 3 {
		off, b := r.Int64N(size), make([]byte, 1)
		_, err := f.ReadAt(b, off)
		require.NoError(t, err)
		flip := byte(1) << r.IntN(8)
		_, err = f.WriteAt([]byte{b[0] ^ flip}, off)
		require.NoError(t, err)
		check(fmt.Sprintf("byte %d of %s flipped by %#x", off, names[len(names)-1], flip))
		_, err = f.WriteAt(b, off)
		require.NoError(t, err)
	}
	for size > 4096 {
		size -= size/4 + r.Int64N(size/4)
		require.NoError(t, f.Truncate(size))
		check(fmt.Sprintf("%s cut at %d", names[len(names)-1], size))
	}
}

// TestRecoverySecondEnds: no goroutine is left of an Open that fails in the middle
// of the log, nor of one that does not.
func TestRecoverySecondEnds(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	cfg := diskConfig(vfs.NewMem())
	cfg.ManualFlush = true
	g := gateway{e: open(t, cfg), r: rand.New(rand.NewPCG(1, 1)), at: 1}
	for range 80 {
		g.step(t)
	}
	require.NoError(t, g.e.Close())
	cfg.ReadOnly = true
	synctest.Test(t, func(t *testing.T) { // panics when a goroutine is left waiting
		ctx := &countdown{Context: context.Background(), left: 70}
		_, err := Open(ctx, cfg)
		require.ErrorIs(t, err, context.Canceled)
		ctx.left = 1 << 30
		e, err := Open(ctx, cfg)
		require.NoError(t, err)
		require.NoError(t, e.Close())
	})
}

// countdown is done after it was asked so many times.
type countdown struct {
	context.Context
	left int
}

func (c *countdown) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// TestRecoveryOfDevicesTwice: where a group has two rows of a device, the later one at
// a time that the next group writes again, the last one written stays.
func TestRecoveryOfDevicesTwice(t *testing.T) {
	cfg := diskConfig(vfs.NewMem())
	cfg.ManualFlush = true
	g := gateway{e: open(t, cfg), r: rand.New(rand.NewPCG(1, 1))}
	for range 60 {
		g.at++
		var b Batch
		for d := range 30 {
			device := fmt.Sprint("root.g.d", d)
			b.Tablets = append(b.Tablets, g.row(t, device))
			g.at++
			b.Tablets = append(b.Tablets, g.row(t, device))
			g.at--
		}
		_, err := g.e.Commit(bg, &b, false)
		require.NoError(t, err)
	}
	want := dumpAll(t, g.e)
	require.NoError(t, g.e.Close())
	for processors := range 2 {
		got := shownBy(t, cfg, processors+1)
		for k, c := range want {
			require.Equal(t, c, got.cells[k], "%s with %d processors", k, processors+1)
		}
		require.Len(t, got.cells, len(want))
	}
}

// TestRosterForgets: rows of a dropped series are not put back by what is remembered
// of the sections before the drop.
func TestRosterForgets(t *testing.T) {
	g := gateway{e: open(t, memConfig()), r: rand.New(rand.NewPCG(1, 1)), at: 1}
	defer g.e.Close()
	r := replay{e: g.e}
	body, ids := g.section(t, 12)
	record := appendSection(nil, sectionAcross, body)
	for lsn := range uint64(2) {
		require.NoError(t, r.record(lsn+1, recordGroup, record))
	}
	require.Len(t, r.known, 1)
	before := g.e.Stats().Points
	require.NoError(t, r.record(3, recordGroup, appendSection(record, sectionDrop, appendIDs(nil, ids[:1]))))
	require.NoError(t, r.record(4, recordGroup, record))
	require.Len(t, r.waiting, 1, "the row of the device that lacks a series")
	require.Greater(t, g.e.Stats().Points, before)
	require.NoError(t, r.finish())
	require.Len(t, g.e.Report().LostLog, 1)
}

// section is a row of each of some devices, as the log has it, and the first ids.
func (g *gateway) section(t testing.TB, devices int) (body []byte, ids []uint32) {
	g.at++
	var b Batch
	for d := range devices {
		b.Tablets = append(b.Tablets, g.row(t, fmt.Sprint("root.g.d", d)))
	}
	var c commit
	require.NoError(t, c.prepare(&b))
	require.Equal(t, devices, runAcross(b.Tablets, c.rows))
	return c.across.append(nil, &c.enc, &c.scratch, b.Tablets, c.rows), b.Tablets[0].Shape.layout.IDs
}

// replayed has r put in more than a few sections of the log and says whether a second
// goroutine helped.
func (g *gateway) replayed(t testing.TB, r *replay) bool {
	for i := range 3 * fewPortions {
		body, _ := g.section(t, 40)
		require.NoError(t, r.record(uint64(i+1), recordGroup, appendSection(nil, sectionAcross, body)))
		require.Empty(t, g.e.Report().LostLog)
	}
	return r.second.todo != nil
}

// TestSecondPutsIn: in a log of a gateway's rows the second goroutine is there, and
// has most of the devices; where memory is small or a processor alone it is not.
func TestSecondPutsIn(t *testing.T) {
	for _, c := range []struct {
		name       string
		processors int
		memtable   int64
		two        bool
	}{
		{"two processors", 2, 64 << 20, true},
		{"one processor", 1, 64 << 20, false},
		{"small memory", 2, smallMemtable, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(c.processors))
			cfg := memConfig()
			cfg.MemtableBytes = c.memtable
			g := gateway{e: open(t, cfg), r: rand.New(rand.NewPCG(1, 1)), at: 1}
			defer g.e.Close()
			r := replay{e: g.e}
			defer r.second.stop()
			require.Equal(t, c.two, g.replayed(t, &r))
			require.Len(t, r.known, 1)
			seconds := 0
			for _, s := range r.known[0].sides {
				seconds += int(s)
			}
			require.Equal(t, 29, seconds)
		})
	}
}

// TestSecondTakesFewTexts: sections with long texts are not handed over, sixteen of
// which could be more than the memtable, nor is their memory kept for the next.
func TestSecondTakesFewTexts(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	for _, c := range []struct {
		name  string
		bytes int // of a text
		two   bool
	}{
		{"short", 100, true},
		{"long", 8 << 10, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := gateway{e: open(t, memConfig()), r: rand.New(rand.NewPCG(1, 1)), at: 1, texts: true}
			defer g.e.Close()
			g.long = strings.Repeat("x", c.bytes)
			r := replay{e: g.e}
			defer r.second.stop()
			require.Equal(t, c.two, g.replayed(t, &r))
			r.drain()
			for _, p := range r.second.idle {
				require.LessOrEqual(t, p.textBytes(), largeTexts)
			}
		})
	}
}

// TestRowsOfNoDevice: a record that names series of several devices as one row, or a
// series twice, whose checksum is right, is reported and not put in: it could never
// be flushed.
func TestRowsOfNoDevice(t *testing.T) {
	cfg := diskConfig(vfs.NewMem())
	cfg.ManualFlush = true
	g := gateway{e: open(t, cfg), r: rand.New(rand.NewPCG(1, 1)), at: 1}
	defer g.e.Close()
	g.section(t, 12)
	id := func(device int, name string) uint32 {
		ser, ok := g.e.Lookup(fmt.Sprint("root.g.d", device), name)
		require.True(t, ok)
		return ser.ID
	}
	good, other, next := id(1, "s0"), id(2, "s0"), id(1, "s5") // of one kind
	for _, c := range []struct {
		name string
		ids  []uint32
		lost int
	}{
		{"of a device", []uint32{good, next}, 0},
		{"of two devices", []uint32{good, other}, 1},
		{"one twice", []uint32{next, next}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, devices := range []int{1, minAcross} { // a tablet, and rows of many
				r := replay{e: g.e}
				defer r.second.stop()
				before, lost := g.e.Stats().Points, len(g.e.Report().LostLog)
				kinds := []column.Kind{column.Float64, column.Float64}
				rows := memtable.Rows{Times: []int64{int64(devices)}, Cols: make([]column.Vector, 2), Nulls: make([]column.Bitmap, 2)}
				for i := range rows.Cols {
					rows.Cols[i] = column.Vector{Kind: column.Float64, Float64s: []float64{1}}
				}
				l := memtable.Layout{IDs: c.ids, Kinds: kinds}
				var cm commit
				var record []byte
				if devices == 1 {
					record = appendSection(nil, sectionTablet, appendTablet(nil, &cm.enc, &cm.scratch, &l, &rows, 0, 1))
				} else {
					var tablets []Tablet
					var all []*memtable.Rows
					for range devices {
						tablets, all = append(tablets, Tablet{Shape: &Shape{layout: l}}), append(all, &rows)
					}
					record = appendSection(nil, sectionAcross, cm.across.append(nil, &cm.enc, &cm.scratch, tablets, all))
				}
				require.NoError(t, r.record(uint64(1000+devices), recordGroup, record))
				require.NoError(t, r.finish())
				require.Equal(t, c.lost, len(g.e.Report().LostLog)-lost)
				require.Equal(t, c.lost == 0, g.e.Stats().Points > before)
			}
		})
	}
	require.NoError(t, g.e.Flush(bg))
}
