package merge

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
)

// chunk is rows for tests, raw or pretending to be decoded.
type chunk struct {
	raw   bool
	times []int64
	cols  []column.Vector
	nulls []column.Bitmap
	stats *block.Stats
	err   error
	loads *int
}

func (c *chunk) Raw() bool { return c.raw }

func (c *chunk) Times(dst []int64, _ *Scratch) ([]int64, error) {
	if c.loads != nil {
		*c.loads++
	}
	if c.err != nil {
		return nil, c.err
	}
	if c.raw {
		return c.times, nil
	}
	return append(dst[:0], c.times...), nil
}

func (c *chunk) Values(i int, dst *column.Vector, nulls column.Bitmap, _ *Scratch) (column.Bitmap, error) {
	if c.raw {
		*dst = c.cols[i]
		return c.nulls[i], nil
	}
	dst.Reset(c.cols[i].Kind)
	dst.AppendRange(&c.cols[i], 0, c.cols[i].Len())
	if c.nulls[i] == nil {
		return nil, nil
	}
	return append(nulls[:0], c.nulls[i]...), nil
}

func (c *chunk) Stats(int) *block.Stats { return c.stats }

// oneCol makes a block of one series whose cells say value·1000 + position.
func oneCol(lsn uint64, value int64, raw bool, times ...int64) Block {
	c := &chunk{raw: raw, times: times, cols: []column.Vector{{Kind: column.Int64}}, nulls: make([]column.Bitmap, 1)}
	for i := range times {
		c.cols[0].Int64s = append(c.cols[0].Int64s, value*1000+int64(i))
	}
	c.stats = &block.Stats{Count: uint32(len(times)), MinTime: times[0], MaxTime: times[len(times)-1]}
	return Block{Min: times[0], Max: times[len(times)-1], N: len(times), Whole: true, LSN: lsn, Cols: []int{0}, Chunk: c}
}

func kinds(n int) []column.Kind {
	out := make([]column.Kind, n)
	for i := range out {
		out[i] = column.Int64
	}
	return out
}

func show(r *Rows, cols int) string {
	var b strings.Builder
	for r.Next() {
		for i, at := range r.Times() {
			fmt.Fprintf(&b, "%d=", at)
			for c := range cols {
				v, nulls := r.Col(c)
				if c > 0 {
					b.WriteByte(',')
				}
				if nulls.Get(i) {
					b.WriteByte('-')
				} else {
					fmt.Fprint(&b, v.Int64s[i])
				}
			}
			b.WriteByte(' ')
		}
	}
	return strings.TrimSpace(b.String())
}

func TestOneColumn(t *testing.T) {
	old, late := oneCol(5, 1, true, 10, 20, 30, 40), oneCol(9, 2, false, 5, 20, 35, 40)
	next := oneCol(6, 3, false, 50, 60)
	for _, c := range []struct {
		name     string
		from, to int64
		masks    []Mask
		src      []Source
		want     string
	}{
		{"one", math.MinInt64, math.MaxInt64, nil, []Source{{old}}, "10=1000 20=1001 30=1002 40=1003"},
		{"later wins", 0, 100, nil, []Source{{old}, {late}}, "5=2000 10=1000 20=2001 30=1002 35=2002 40=2003"},
		{"order of sources", 0, 100, nil, []Source{{late}, {old}}, "5=2000 10=1000 20=1001 30=1002 35=2002 40=1003"},
		{"range", 20, 40, nil, []Source{{old}, {late}}, "20=2001 30=1002 35=2002"},
		{"range between", 21, 29, nil, []Source{{old}, {late}}, ""},
		{"empty range", 20, 20, nil, []Source{{old}, {late}}, ""},
		{"two blocks", 0, 100, nil, []Source{{old, next}, {late}}, "5=2000 10=1000 20=2001 30=1002 35=2002 40=2003 50=3000 60=3001"},
		{"mask hides what is older", 0, 100, []Mask{{LSN: 7, From: 10, To: 31}}, []Source{{old}, {late}}, "5=2000 20=2001 35=2002 40=2003"},
		{"mask hides all", 0, 100, []Mask{{LSN: 10, From: math.MinInt64, To: math.MaxInt64}}, []Source{{old}, {late}}, ""},
		{"mask is older", 0, 100, []Mask{{LSN: 5, From: 0, To: 100}}, []Source{{old}}, "10=1000 20=1001 30=1002 40=1003"},
		{"nothing", 0, 100, nil, nil, ""},
	} {
		r := New(kinds(1), [][]Mask{c.masks}, c.from, c.to, c.src)
		require.Equal(t, c.want, show(r, 1), c.name)
		require.NoError(t, r.Err(), c.name)
	}
}

func TestPeekSkip(t *testing.T) {
	a, b, c := oneCol(1, 1, false, 1, 2, 3), oneCol(1, 2, false, 10, 11), oneCol(1, 3, false, 20, 21)
	over := oneCol(2, 4, false, 11, 12)
	r := New(kinds(1), nil, math.MinInt64, math.MaxInt64, []Source{{a, b, c}, {over}})
	st, ok := r.PeekStats()
	require.True(t, ok)
	require.Equal(t, uint32(3), st.Count)
	r.Skip()
	_, ok = r.PeekStats()
	require.False(t, ok, "overlapped")
	r.Skip() // does nothing now
	require.Equal(t, "10=2000 11=4000 12=4001 20=3000 21=3001", show(r, 1))
	for _, q := range []struct {
		name     string
		from, to int64
		whole    bool
		masks    []Mask
		want     bool
	}{
		{"inside", 1, 4, true, nil, true},
		{"begins before", 2, 4, true, nil, false},
		{"ends after", 1, 3, true, nil, false},
		{"a part of the chunk", 1, 4, false, nil, false},
		{"masked", 1, 4, true, []Mask{{LSN: 2, From: 3, To: 4}}, false},
		{"masked elsewhere", 1, 4, true, []Mask{{LSN: 2, From: 4, To: 9}}, true},
	} {
		a.Whole = q.whole
		r := New(kinds(1), [][]Mask{q.masks}, q.from, q.to, []Source{{a}})
		_, ok := r.PeekStats()
		require.Equal(t, q.want, ok, q.name)
	}
}

func TestLastReadsLittle(t *testing.T) {
	loads := 0
	var src Source
	for i := range int64(10) {
		b := oneCol(1, i, false, i*10, i*10+5)
		b.Chunk.(*chunk).loads = &loads
		src = append(src, b)
	}
	older := oneCol(0, 77, false, 95)
	at, v, ok, err := Last(column.Int64, nil, []Source{{older}, src})
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, int64(95), at)
	require.Equal(t, []int64{9001}, v.Int64s)
	require.Equal(t, 1, loads, "blocks read")
	at, _, ok, err = Last(column.Int64, []Mask{{LSN: 2, From: 82, To: math.MaxInt64}}, []Source{src})
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, int64(80), at)
	_, _, ok, err = Last(column.Int64, []Mask{{LSN: 2, From: math.MinInt64, To: math.MaxInt64}}, []Source{src})
	require.NoError(t, err)
	require.False(t, ok)
}

func TestDamage(t *testing.T) {
	good, bad := oneCol(1, 1, false, 1, 2), oneCol(1, 2, false, 5, 6)
	bad.Chunk.(*chunk).err = fmt.Errorf("here: %w", errs.Damaged)
	last := oneCol(1, 3, false, 8)
	r := New(kinds(1), nil, 0, 100, []Source{{good, bad, last}})
	require.Empty(t, show(r, 1), "a batch must not end quietly before damage")
	require.ErrorIs(t, r.Err(), errs.Damaged)
	r = New(kinds(1), nil, 0, 100, []Source{{good, bad, last}})
	var told []int64
	r.SkipDamaged = func(b *Block, err error) { told = append(told, b.Min, b.Max) }
	require.Equal(t, "1=1000 2=1001 8=3000", show(r, 1))
	require.NoError(t, r.Err())
	require.Equal(t, []int64{5, 6}, told)
	bad.Chunk.(*chunk).err = errors.New("i/o")
	r = New(kinds(1), nil, 0, 100, []Source{{bad}})
	r.SkipDamaged = func(*Block, error) { t.Error("an i/o error is no damage") }
	require.Empty(t, show(r, 1))
	require.Error(t, r.Err())
}

// TestRandomRows compares merges of random sources with maps, of new cursors
// and of one that is used again and again.
func TestRandomRows(t *testing.T) {
	var again Rows
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 9))
		k := 1 + rng.IntN(4)
		want := make([]map[int64]int64, k)
		masks := make([][]Mask, k)
		for c := range want {
			want[c] = map[int64]int64{}
		}
		var src []Source
		for lsn := uint64(1); lsn <= uint64(1+rng.IntN(6)); lsn++ {
			if rng.IntN(3) == 0 {
				c, from := rng.IntN(k), rng.Int64N(3000)
				to := from + rng.Int64N(1500)
				masks[c] = append(masks[c], Mask{LSN: lsn, From: from, To: to})
				for at := from; at < to; at++ {
					delete(want[c], at)
				}
			}
			src = append(src, randomSource(rng, lsn, k, want))
		}
		from, to := rng.Int64N(2000), int64(math.MaxInt64)
		if rng.IntN(2) == 0 {
			to = from + rng.Int64N(2000)
		}
		if rng.IntN(3) == 0 {
			from = math.MinInt64
		}
		r := &again
		if r.Again(kinds(k), masks, from, to, src); seed%3 == 0 {
			r = New(kinds(k), masks, from, to, src)
		}
		got := make([]map[int64]int64, k)
		for c := range got {
			got[c] = map[int64]int64{}
		}
		last := int64(math.MinInt64)
		for r.Next() {
			require.NotEmpty(t, r.Times())
			for i, at := range r.Times() {
				require.Greater(t, at, last)
				last = at
				some := false
				for c := range k {
					v, nulls := r.Col(c)
					require.Equal(t, len(r.Times()), v.Len())
					if !nulls.Get(i) {
						got[c][at], some = v.Int64s[i], true
					}
				}
				require.True(t, some, "seed %d: row %d has no cell", seed, at)
			}
		}
		require.NoError(t, r.Err())
		for c := range k {
			for at := range want[c] {
				if at < from || at >= to {
					delete(want[c], at)
				}
			}
			require.Equal(t, want[c], got[c], "seed %d, column %d, [%d, %d)", seed, c, from, to)
		}
	}
}

// TestAgain: a cursor that is used again has nothing of the one before, and does
// not allocate.
func TestAgain(t *testing.T) {
	var r Rows
	k := kinds(1)
	broken := oneCol(1, 1, false, 1, 2)
	broken.Chunk.(*chunk).err = errors.New("broken")
	r.Again(k, nil, math.MinInt64, math.MaxInt64, []Source{{broken}})
	require.False(t, r.Next())
	require.Error(t, r.Err())
	masks := [][]Mask{nil}
	src := []Source{{oneCol(1, 1, false, 1, 2)}, {oneCol(2, 2, true, 2, 3)}}
	for range 3 {
		r.Again(k, masks, math.MinInt64, math.MaxInt64, src)
		require.Equal(t, "1=1000 2=2000 3=2001", show(&r, 1))
		require.NoError(t, r.Err())
	}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		r.Again(k, masks, math.MinInt64, math.MaxInt64, src)
		for r.Next() {
		}
	}))
}

func randomSource(rng *rand.Rand, lsn uint64, k int, want []map[int64]int64) Source {
	var src Source
	at := rng.Int64N(1000)
	for range 1 + rng.IntN(4) {
		n := []int{1, 5, 100, 400}[rng.IntN(4)]
		c := &chunk{raw: rng.IntN(2) == 0, cols: make([]column.Vector, k), nulls: make([]column.Bitmap, k)}
		b := Block{N: n, Whole: true, LSN: lsn, Chunk: c, Cols: make([]int, k)}
		for i := range b.Cols {
			if b.Cols[i] = i; rng.IntN(4) == 0 {
				b.Cols[i] = -1
			}
		}
		if rng.IntN(5) == 0 && n > 1 {
			b.N, b.Whole = n-1, false
		}
		for row := range n {
			at += 1 + rng.Int64N(4)
			c.times = append(c.times, at)
			for i := range k {
				c.cols[i].Kind = column.Int64
				c.cols[i].Int64s = append(c.cols[i].Int64s, at*100+int64(lsn))
				if rng.IntN(3) == 0 {
					c.nulls[i].Set(row)
				} else if b.Cols[i] >= 0 && row < b.N {
					want[i][at] = at*100 + int64(lsn)
				}
			}
		}
		b.Min, b.Max = c.times[0], c.times[b.N-1]
		src = append(src, b)
	}
	return src
}
