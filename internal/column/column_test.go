package column

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// A bitmap against a map of rows, with lengths around whole words.
func TestBitmap(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var b Bitmap
	marked := map[int]bool{}
	for range 2000 {
		i := rng.IntN(300)
		if rng.IntN(3) == 0 {
			b.Unset(i)
			delete(marked, i)
		} else {
			b.Set(i)
			marked[i] = true
		}
		if b.Get(i) != marked[i] {
			t.Fatalf("row %d is marked: %v, want %v", i, b.Get(i), marked[i])
		}
		for _, n := range []int{0, 1, 63, 64, 65, 128, 299, 1000} {
			want := 0
			for r := range marked {
				if r < n {
					want++
				}
			}
			if got := b.Count(n); got != want {
				t.Fatalf("%d of the first %d rows are marked, want %d", got, n, want)
			}
			clear, set := i, i
			for clear < n && marked[clear] {
				clear++
			}
			for set < n && !marked[set] {
				set++
			}
			if got := b.NextClear(i, n); got != clear && i < n || i >= n && got != n {
				t.Fatalf("the first row from %d below %d that is not marked is %d, want %d", i, n, got, clear)
			}
			if got := b.NextSet(i, n); got != set && i < n || i >= n && got != n {
				t.Fatalf("the first row from %d below %d that is marked is %d, want %d", i, n, got, set)
			}
			if got := b.Any(n); got != (want > 0) {
				t.Fatalf("any of the first %d rows is marked: %v, want %v", n, got, want > 0)
			}
		}
	}
	if (Bitmap)(nil).Get(7) || (Bitmap)(nil).Any(7) {
		t.Error("a nil bitmap marks something")
	}
}

// Ranges marked at once and copied, against rows marked one by one.
func TestBitmapRanges(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 1))
	for range 3000 {
		var src, got, want Bitmap
		for range rng.IntN(4) {
			lo := rng.IntN(200)
			hi := lo + rng.IntN(150)
			src.SetRange(lo, hi)
			for i := lo; i < hi; i++ {
				want.Set(i)
			}
		}
		if !slices.Equal(src, want) {
			t.Fatalf("ranges mark %x, want %x", src, want)
		}
		want = nil
		for range 3 {
			i := rng.IntN(300)
			got.Set(i)
			want.Set(i)
		}
		at, lo := rng.IntN(200), rng.IntN(200)
		hi := lo + rng.IntN(200)
		got.SetFrom(at, src, lo, hi)
		for i := lo; i < hi; i++ {
			if src.Get(i) {
				want.Set(at + i - lo)
			}
		}
		for i := range 700 {
			if got.Get(i) != want.Get(i) {
				t.Fatalf("rows [%d, %d) of %x copied to %d: row %d is marked: %v", lo, hi, src, at, i, got.Get(i))
			}
		}
	}
}

// One vector of each kind with three values of its own.
func kinds() map[Kind]Vector {
	return map[Kind]Vector{
		Bool:    {Kind: Bool, Bools: []bool{true, false, true}},
		Int32:   {Kind: Int32, Int32s: []int32{-1, math.MaxInt32, 7}},
		Int64:   {Kind: Int64, Int64s: []int64{-1, math.MaxInt64, 7}},
		Float32: {Kind: Float32, Float32s: []float32{-0.5, math.MaxFloat32, 7}},
		Float64: {Kind: Float64, Float64s: []float64{-0.5, math.MaxFloat64, 7}},
		Text:    {Kind: Text, Texts: []string{"", "b", "cc"}},
	}
}

// Every way of moving cells keeps them, for every kind.
func TestVector(t *testing.T) {
	for k, src := range kinds() {
		if !k.Valid() || src.Len() != 3 {
			t.Errorf("%s: valid %v, %d cells", k, k.Valid(), src.Len())
		}
		var v Vector
		v.Reset(k)
		v.AppendZero(1)
		v.AppendRange(&src, 1, 3)
		c := src.Cell(0)
		v.AppendCell(&c)
		v.Set(0, &src, 2) // in place of the zero
		v.SetCell(1, src.Cell(0))
		v.SetCell(1, src.Cell(1))
		v.AppendRows(&src, []int32{2, 0, 2})
		want := []Cell{src.Cell(2), src.Cell(1), src.Cell(2), src.Cell(0), src.Cell(2), src.Cell(0), src.Cell(2)}
		var got []Cell
		for i := range v.Len() {
			got = append(got, v.Cell(i))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: cells %v, want %v", k, got, want)
		}
		part := v.Slice(1, 3)
		if part.Kind != k || part.Len() != 2 || part.Cell(0) != want[1] || part.Cell(1) != want[2] {
			t.Errorf("%s: the middle is %v, want cells 1 and 2 of %v", k, part, want)
		}
		if k.Numeric() && v.Float64At(0) != 7 {
			t.Errorf("%s: cell 0 as a float is %v, want 7", k, v.Float64At(0))
		}
		v.Reset(k)
		if v.Len() != 0 {
			t.Errorf("%s: %d cells after Reset", k, v.Len())
		}
	}
	if Null.Valid() || Kind(99).Valid() {
		t.Error("a kind that is none is valid")
	}
}
