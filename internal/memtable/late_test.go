package memtable

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/merge"
)

// cells is a series as the model knows it.
type cells map[int64]column.Cell

// lateModel writes to a device and to maps alike.
type lateModel struct {
	rng     *rand.Rand
	numbers bool // no texts
	table   *Table
	d       *Device
	layouts []*Layout
	cut     Cut
	lsn     uint64
	now     map[uint32]cells
	head    int64
	kept    map[uint64]keptEpoch // snapshots by epoch
}

type keptEpoch struct {
	lsn   uint64
	cells map[uint32]cells
}

// layout returns a layout of some of the ten series of the device.
func (m *lateModel) layout(ids ...uint32) *Layout {
	l := &Layout{IDs: ids}
	for _, id := range ids {
		l.Kinds = append(l.Kinds, m.kind(id))
	}
	return l
}

// kind returns the kind of a series: each in turn, texts being the last.
func (m *lateModel) kind(id uint32) column.Kind {
	if m.numbers {
		return column.Bool + column.Kind(id%5)
	}
	return column.Bool + column.Kind(id%6)
}

func newLateModel(seed uint64) *lateModel {
	m := &lateModel{rng: rand.New(rand.NewPCG(seed, 1)), now: map[uint32]cells{}, kept: map[uint64]keptEpoch{}}
	m.table = NewStaged([]int{16, 64, 256}[m.rng.IntN(3)], []int{0, 8, 16}[m.rng.IntN(3)])
	m.d = m.table.Device(1, true)
	m.numbers = seed%2 == 1
	m.cut = Cut{Epoch: 1, Oldest: NoSnapshot}
	all := []uint32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	m.layouts = []*Layout{m.layout(all...)}
	for range m.rng.IntN(6) {
		some := slices.Clone(all)
		m.rng.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
		m.layouts = append(m.layouts, m.layout(some[:1+m.rng.IntN(len(some))]...))
	}
	for range m.rng.IntN(4) {
		m.layouts = append(m.layouts, m.layout(1+uint32(m.rng.IntN(10))))
	}
	if seed%4 == 3 { // one company that is never broken
		m.layouts = m.layouts[:1]
	}
	for _, id := range all {
		m.now[id] = cells{}
	}
	return m
}

func (m *lateModel) cell(kind column.Kind) column.Cell {
	c := column.Cell{Kind: kind}
	switch kind {
	case column.Bool:
		c.Num = m.rng.Uint64() % 2
	case column.Int32:
		c.Num = uint64(m.rng.Uint32())
	case column.Float32:
		c.Num = uint64(math.Float32bits(m.rng.Float32()))
	case column.Float64:
		c.Num = math.Float64bits(math.Round(m.rng.Float64()*1000) / 100)
	case column.Int64:
		c.Num = m.rng.Uint64()
	case column.Text:
		c.Text = fmt.Sprint("text", m.rng.IntN(1000))
	}
	return c
}

// times returns the times of a tablet: mostly behind all before it, else late by
// a little or by a lot.
func (m *lateModel) times() []int64 {
	n := 1
	if m.rng.IntN(4) == 0 {
		n += m.rng.IntN(150)
	}
	at := m.head + 1
	switch m.rng.IntN(8) {
	case 0, 1:
		at = m.head - m.rng.Int64N(40)
	case 2:
		at = m.rng.Int64N(m.head + 1)
	}
	var times []int64
	for range n {
		times = append(times, at)
		at += 1 + m.rng.Int64N(4)
	}
	m.head = max(m.head, times[n-1])
	return times
}

func (m *lateModel) write() {
	l := m.layouts[m.rng.IntN(len(m.layouts))]
	if m.rng.IntN(2) == 0 {
		l = m.layouts[0]
	}
	m.lsn++
	w := Write{Layout: l, LSN: m.lsn, Cut: m.cut, Rows: Rows{Times: m.times()}}
	nulls := m.rng.IntN(3) == 0
	row := make([]column.Cell, len(l.IDs))
	for c, id := range l.IDs {
		v, b := column.Vector{Kind: l.Kinds[c]}, column.Bitmap(nil)
		for i, at := range w.Rows.Times {
			cell := m.cell(v.Kind)
			v.AppendCell(&cell)
			if row[c] = cell; nulls && m.rng.IntN(3) == 0 {
				b.Set(i)
				row[c] = column.Cell{}
				continue
			}
			m.now[id][at] = cell
		}
		w.Rows.Cols, w.Rows.Nulls = append(w.Rows.Cols, v), append(w.Rows.Nulls, b)
	}
	m.d.Lock()
	defer m.d.Unlock()
	if nums, nulls, ok := numbersOf(row); ok && len(w.Rows.Times) == 1 && m.rng.IntN(2) == 0 {
		late := w.Rows.Times[0] <= newestOf(m.d, l)
		if got := m.d.AddNumbers(l, w.Rows.Times[0], nums, nulls, m.lsn, &m.cut); late && !got {
			panic("a late row is not said to be late")
		}
		return
	}
	if len(w.Rows.Times) == 1 && m.rng.IntN(2) == 0 {
		takes := m.d.TakesRows(l)
		if _, _, ok := m.d.AddRow(l, w.Rows.Times[0], row, m.lsn, m.cut); ok != takes {
			panic(fmt.Sprintf("a row is taken: %v, was to be: %v", ok, takes))
		} else if ok {
			return
		}
	}
	m.d.Add(&w)
}

// numbersOf returns the row as AddNumbers takes it; ok is false if it has texts
// or nothing else.
func numbersOf(row []column.Cell) (nums []uint64, nulls uint64, ok bool) {
	for i, c := range row {
		if c.Kind == column.Text {
			return nil, 0, false
		}
		if nums = append(nums, c.Num); c.Kind == column.Null {
			nulls |= 1 << i
		} else {
			ok = true
		}
	}
	return nums, nulls, ok
}

// newestOf returns the latest time of a series of the layout.
func newestOf(d *Device, l *Layout) int64 {
	newest := int64(math.MinInt64)
	for _, id := range l.IDs {
		if m := d.member(id); m != nil && m.open != nil {
			newest = max(newest, m.open.newest())
		}
	}
	return newest
}

func (m *lateModel) mask() {
	m.lsn++
	id := 1 + uint32(m.rng.IntN(10))
	from := m.rng.Int64N(m.head + 1)
	to := from + m.rng.Int64N(200)
	m.d.Lock()
	m.d.Mask(id, from, to, m.lsn, m.cut)
	m.d.Unlock()
	maps.DeleteFunc(m.now[id], func(at int64, _ column.Cell) bool { return from <= at && at < to })
}

// snapshot keeps what is there; release lets all go.
func (m *lateModel) snapshot() {
	k := keptEpoch{lsn: m.lsn, cells: map[uint32]cells{}}
	for id, c := range m.now {
		k.cells[id] = maps.Clone(c)
	}
	m.kept[m.cut.Epoch] = k
	m.cut.Oldest = min(m.cut.Oldest, m.cut.Epoch)
	m.cut.Epoch++
}

// check compares some series, read together and within a range, with the model.
func (m *lateModel) check(t *testing.T, epoch, upTo uint64, want map[uint32]cells) {
	t.Helper()
	ids := []uint32{1 + uint32(m.rng.IntN(10))}
	if m.rng.IntN(2) == 0 {
		ids = []uint32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	}
	from, to := int64(math.MinInt64), int64(math.MaxInt64)
	if m.rng.IntN(2) == 0 {
		from = m.rng.Int64N(m.head + 1)
		to = from + m.rng.Int64N(100)
	}
	var kinds []column.Kind
	var masks [][]merge.Mask
	got := map[uint32]cells{}
	for _, id := range ids {
		kinds, got[id] = append(kinds, m.kind(id)), cells{}
		masks = append(masks, m.d.Masks(nil, id, upTo))
	}
	r := merge.New(kinds, masks, from, to, m.d.Sources(nil, ids, epoch, from, to))
	last := int64(math.MinInt64)
	for r.Next() {
		for i, at := range r.Times() {
			if at <= last {
				t.Fatalf("time %d after %d", at, last)
			}
			last = at
			for c, id := range ids {
				if v, nulls := r.Col(c); !nulls.Get(i) {
					got[id][at] = v.Cell(i)
				}
			}
		}
	}
	require.NoError(t, r.Err())
	for _, id := range ids {
		expected := maps.Clone(want[id])
		maps.DeleteFunc(expected, func(at int64, _ column.Cell) bool {
			return at < from || at >= to && to != math.MaxInt64
		})
		if !maps.Equal(expected, got[id]) {
			require.Equal(t, expected, got[id], "series %d from %d to %d, epoch %d", id, from, to, epoch)
		}
		m.d.Lock()
		at, cell, ok, known := m.d.Last(id, epoch, upTo)
		m.d.Unlock()
		if !known {
			continue
		}
		times := slices.Collect(maps.Keys(want[id]))
		require.Equal(t, len(times) > 0, ok, "series %d has a last point", id)
		if ok {
			require.Equal(t, slices.Max(times), at, "last time of series %d", id)
			require.Equal(t, want[id][at], cell, "last cell of series %d", id)
		}
	}
}

// TestLateRowsAgainstModel writes rows of all and of some series, in order, late,
// and twice, deletes ranges, keeps snapshots over it all, and compares contents.
func TestLateRowsAgainstModel(t *testing.T) {
	seeds := uint64(16)
	if testing.Short() {
		seeds = 5
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			m := newLateModel(seed)
			for range 400 {
				switch m.rng.IntN(40) {
				case 0:
					m.mask()
				case 1, 2:
					m.snapshot()
				case 3:
					if m.rng.IntN(4) == 0 {
						m.kept, m.cut.Oldest = map[uint64]keptEpoch{}, NoSnapshot
						m.cut.Epoch++
					}
				case 4, 5:
					m.check(t, Newest, Newest, m.now)
					for n := 0; n < 3 && m.cut.Oldest != NoSnapshot; n++ {
						epoch := m.cut.Oldest + m.rng.Uint64N(m.cut.Epoch-m.cut.Oldest)
						k := m.kept[epoch]
						m.check(t, epoch, k.lsn, k.cells)
					}
				default:
					m.write()
				}
			}
			m.check(t, Newest, Newest, m.now)
			require.InDelta(t, m.d.size(), m.table.Bytes(), float64(m.d.size())/10, "bytes counted and bytes held")
		})
	}
}

// TestNarrowLateRows: late points of single series neither break the company of
// a device's series nor make a lane each.
func TestNarrowLateRows(t *testing.T) {
	tb := New(256)
	d := tb.Device(1, true)
	ids := []uint32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	wide := intLayout(ids...)
	var single []*Layout
	want := map[uint32]map[int64]int64{}
	for _, id := range ids {
		single, want[id] = append(single, intLayout(id)), map[int64]int64{}
	}
	rng := rand.New(rand.NewPCG(7, 8))
	for i := range int64(20000) {
		at := i * 10
		add(d, wide, uint64(2*i+1), now, i, at)
		for _, id := range ids {
			want[id][at] = i
		}
		if k := rng.IntN(20); k < 10 && i > 0 {
			late := (i - rng.Int64N(min(i, 30))) * 10
			require.Equal(t, 1, add(d, single[k], uint64(2*i+2), now, -i, late))
			want[ids[k]][late] = -i
		}
	}
	for _, id := range ids {
		require.True(t, maps.Equal(want[id], read(t, d, id, Newest)), "series %d", id)
	}
	require.Len(t, d.groups, 1)
	require.Less(t, len(d.groups[0].lanes), 8, "runs of late rows")
	require.Zero(t, d.flips)
}

// TestColumnsInParts: a device whose columns come in two parts, the second of
// which always is late, has its rows put together, or is taken apart in the end where
// somebody may see the rows as they were.
func TestColumnsInParts(t *testing.T) {
	inParts := func(cut func(epoch uint64) Cut) (*Device, int) {
		d := New(256).Device(1, true)
		add(d, intLayout(1, 2, 3, 4, 5), 1, cut(1), 0, 0)
		first, second := intLayout(1, 2, 3), intLayout(4, 5)
		late := 0
		for i := range int64(20000) {
			add(d, first, uint64(2*i+2), cut(1), i, i+1)
			late += add(d, second, uint64(2*i+3), cut(1), i, i+1)
		}
		require.Len(t, read(t, d, 5, Newest), 20001)
		return d, late
	}
	d, _ := inParts(func(uint64) Cut { return now })
	require.Len(t, d.groups, 1)
	require.Len(t, d.groups[0].lanes, 1, "runs of late rows")
	_, late := inParts(func(epoch uint64) Cut { return Cut{Epoch: epoch, Oldest: epoch - 1} })
	require.Less(t, late, 10000, "rows of the second part that were late")
}

func TestLateRowsAllocateNothing(t *testing.T) {
	d := New(1024).Device(1, true)
	wide, one := intLayout(1, 2, 3, 4, 5, 6, 7, 8), intLayout(3)
	at := int64(0)
	row := Rows{Times: []int64{0}}
	for range wide.IDs {
		row.Cols = append(row.Cols, column.Vector{Kind: column.Int64, Int64s: []int64{7}})
	}
	w := Write{Cut: now}
	write := func(l *Layout, at int64) {
		w.LSN++
		row.Times[0] = at
		w.Layout, w.Rows = l, Rows{Times: row.Times, Cols: row.Cols[:len(l.IDs)]}
		d.Lock()
		d.Add(&w)
		d.Unlock()
	}
	step := func() {
		for range 16 {
			at += 10
			write(wide, at)
			write(one, at-20)
			write(wide, at-35)
		}
	}
	for range 200 {
		step()
	}
	if got := testing.AllocsPerRun(200, step); got > 8 { // what chunks are sealed into
		t.Errorf("48 rows make %v allocations", got)
	}
}

// TestForgetWhileOpen: what is left of a chunk that rows go to takes more.
func TestForgetWhileOpen(t *testing.T) {
	for _, d := range []*Device{New(64).Device(1, true), NewStaged(64, 16).Device(1, true)} {
		add(d, intLayout(7, 8, 9), 1, now, 1, 1, 2, 3)
		add(d, intLayout(7), 2, now, 2, 2)
		d.Forget([]uint32{8})
		l := intLayout(7, 9)
		want := map[int64]int64{1: 1, 2: 2, 3: 1}
		for i := int64(4); i < 300; i++ {
			add(d, l, uint64(i), now, i, i)
			want[i] = i
		}
		require.Equal(t, want, read(t, d, 7, Newest))
		require.Empty(t, read(t, d, 8, Newest))
	}
}

// TestDevicesFillUpApart: devices that are written at one moment are not all
// encoded in the same one.
func TestDevicesFillUpApart(t *testing.T) {
	const devices = 100
	tb := New(256)
	var layouts []*Layout
	for d := range uint32(devices) {
		layouts = append(layouts, intLayout(10*d+1, 10*d+2))
	}
	most := 0
	for i := range int64(800) {
		sealed := 0
		for d, l := range layouts {
			dev := tb.Device(uint32(d+1), true)
			add(dev, l, uint64(i+1), now, i, i)
			if c := dev.groups[0].lanes[0].chunks; c[len(c)-1].sealed != nil {
				sealed++
			}
		}
		most = max(most, sealed)
	}
	require.Less(t, most, 10, "devices whose blocks are full in the same round")
}

// TestLateCellsAtTheirPlace: late points whose row is not encoded yet leave no gap in
// what is encoded then, and nothing to be merged; those that somebody may look at
// as they were, and older ones that lie aside, are right all the same.
func TestLateCellsAtTheirPlace(t *testing.T) {
	d := New(512).Device(1, true)
	ids := []uint32{1, 2, 3, 4}
	wide := intLayout(ids...)
	var rest, single []*Layout // of all but one series, and of that one
	for i, id := range ids {
		rest = append(rest, intLayout(slices.Delete(slices.Clone(ids), i, i+1)...))
		single = append(single, intLayout(id))
	}
	want := map[uint32]map[int64]int64{1: {}, 2: {}, 3: {}, 4: {}}
	write := func(cut Cut, l *Layout, lsn uint64, v, at int64) int {
		for _, id := range l.IDs {
			want[id][at] = v
		}
		return add(d, l, lsn, cut, v, at)
	}
	cut, lsn := now, uint64(0)
	write(cut, wide, 1, 1, -10)
	for i := range int64(3000) {
		at := i * 10
		k := i % 4
		lsn += 2
		write(cut, rest[k], lsn, i, at)
		if late := i/20*20 - 1 - i%20; late >= 0 { // up to 39 rows ago
			require.Equal(t, 1, write(cut, single[late%4], lsn+1, i, late*10))
		}
		switch i {
		case 1000: // from here on a snapshot may be in use
			cut = Cut{Epoch: 2, Oldest: 1}
		case 1500:
			cut = Cut{Epoch: 3, Oldest: NoSnapshot}
		}
	}
	for _, id := range ids {
		require.True(t, maps.Equal(want[id], read(t, d, id, Newest)), "series %d", id)
	}
	require.Len(t, d.groups, 1)
	gaps, whole := 0, 0
	for _, c := range d.groups[0].lanes[0].chunks {
		for col := 0; c.sealed != nil && col < len(ids); col++ {
			if st := c.sealed.Stats(col); c.sealed.Max > 10200 && c.sealed.Min < 15400 {
				continue // written while there was a snapshot
			} else if st.Count < uint32(c.sealed.N) {
				gaps++
			} else {
				whole++
			}
		}
	}
	require.Greater(t, whole, 8, "encoded columns")
	require.Zero(t, gaps, "encoded columns with gaps")
}
