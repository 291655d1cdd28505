package codec

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// stepColumns are integers for which different encodings are the smallest.
func stepColumns(r *rand.Rand, n int) map[string][]int64 {
	build := func(f func(i int) int64) []int64 {
		v := make([]int64, n)
		for i := range v {
			v[i] = f(i)
		}
		return v
	}
	x := r.Int64N(1 << uint(1+r.IntN(62)))
	wide := uint(1 + r.IntN(62))
	low, some := r.Int64N(1<<20)-1<<19, 2+r.IntN(20)
	return map[string][]int64{
		"walk":          build(func(int) int64 { x += r.Int64N(1<<wide) - 1<<(wide-1); return x }),
		"drifting walk": build(func(int) int64 { x += low + r.Int64N(1+1<<(wide/3)); return x }),
		"level":         build(func(int) int64 { return low + r.Int64N(1+1<<(wide/2)) }),
		"rare steps":    build(func(int) int64 { x += int64(btoi(r.IntN(some) == 0)) * r.Int64N(1000); return x }),
		"spikes":        build(func(int) int64 { return low + int64(btoi(r.IntN(some) == 0))*r.Int64() }),
		"units":         build(func(int) int64 { x += int64(some) * (r.Int64N(100) - 50); return x }),
		"narrow walk":   build(func(int) int64 { x += r.Int64N(4) - 2; return x }),
		"bent line":     build(func(i int) int64 { return int64(i)*low + int64(i)/int64(some)*7 }),
		"any":           build(func(int) int64 { return int64(r.Uint64()) }),
		"extremes":      build(func(int) int64 { return []int64{math.MinInt64, math.MaxInt64, 0, -1}[r.IntN(4)] }),
	}
}

// TestPlainDelta holds that what appendPlainDelta appends without the exact sizes
// is what the choice by size appends, and that it does so where it should.
func TestPlainDelta(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	taken := map[string]int{}
	for round := range 400 {
		n := []int{2, 3, 5, 33, 64, 65, 100, 255, 1024}[round%9]
		for name, v := range stepColumns(r, n) {
			st := stepsOf(v)
			modal, unit := sampleSteps(v)
			if st.least == st.most || unit != 1 || !st.short() {
				continue
			}
			var plain, full intEncoder
			plain.packed, full.packed = make([]uint64, n), make([]uint64, n)
			got, ok := plain.appendPlainDelta([]byte{9}, v, st, modal)
			if !ok {
				require.Equal(t, []byte{9}, got, "%s of %d", name, n)
				continue
			}
			want := full.appendSmallest([]byte{9}, v, st, modal, unit)
			require.Equal(t, want, got, "%s of %d: %v", name, n, v)
			if n == 1024 {
				taken[name]++
			}
		}
	}
	for _, name := range []string{"walk", "narrow walk", "drifting walk"} {
		require.NotZero(t, taken[name], "%v", taken)
	}
}

// TestFindDecimals compares with a division for each value.
func TestFindDecimals(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	odd := []float64{0, math.Copysign(0, -1), math.NaN(), math.Float64frombits(0x7ff0000000000001), math.Inf(1), math.Inf(-1),
		math.MaxFloat64, -math.MaxFloat64, 5e-324, 1 << 51, -1 << 51, 1<<51 - 1, 1 << 60, -1 << 62, 1e300, 1e-300}
	for k := range maxDecimals + 1 {
		p := powersOfTen[k]
		for range 20 {
			v := slices.Clone(odd)
			for range 500 {
				d := float64(r.Int64N(1<<uint(1+r.IntN(52)))) * float64(1-2*r.IntN(2))
				f := d / p
				for range r.IntN(4) / 3 * r.IntN(3) {
					f = math.Nextafter(f, math.Inf(1-2*r.IntN(2)))
				}
				v = append(v, f, math.Float64frombits(r.Uint64()))
			}
			for _, x := range odd {
				for range 3 { // near what a number times 10^k has room for
					x = math.Nextafter(x, 0)
					v = append(v, x/p)
				}
			}
			r.Shuffle(len(v), func(i, j int) { v[i], v[j] = v[j], v[i] })
			checkDecimals(t, v, k)
			narrow := make([]float32, len(v))
			for i, f := range v {
				narrow[i] = float32(f)
			}
			checkDecimals(t, narrow, k)
			checkSample(t, v)
			checkSample(t, narrow)
		}
	}
}

// divided is toDecimal by division.
func divided[T float](f T, k int) (d int64, ok bool) {
	p := powersOfTen[k]
	x := float64(float64(f) * p)
	d = roundToInt(x)
	back := float64(T(intToFloat(d) / p))
	return d, x < digitLimit && x > -digitLimit && math.Float64bits(back) == math.Float64bits(float64(f))
}

func checkDecimals[T float](t *testing.T, v []T, k int) {
	t.Helper()
	var got, want decimals
	ok := findDecimals(&got, v, k)
	last := int64(0)
	for i, f := range v {
		d, exact := divided(f, k)
		if !exact {
			e := exception{row: int32(i)}
			if x := float64(float64(f) * powersOfTen[k]); x < digitLimit && x > -digitLimit {
				e.near = nearness(f, d, powersOfTen[k])
			}
			if e.near == 0 {
				d = last
				want.far++
			}
			want.exceptions = append(want.exceptions, e)
		}
		if sampled, isDecimal := toDecimal(f, k); isDecimal != exact || exact && sampled != d {
			t.Fatalf("%v at %d: %d, %t, want %d, %t", f, k, sampled, isDecimal, d, exact)
		}
		want.digits = append(want.digits, d)
		last = d
	}
	want.span = spanOf(want.digits)
	require.Equal(t, want, got, "at %d", k)
	require.Equal(t, want.far <= len(v)/3 || sameExceptions(v, want.exceptions), ok, "at %d", k)
}

// checkSample compares sampleDecimals with the cost of every exponent in full.
func checkSample[T float](t *testing.T, v []T) {
	t.Helper()
	for lo := 0; lo+40 <= len(v); lo += 40 {
		v := v[lo : lo+40]
		k, ok := sampleDecimals(v)
		var need []int8
		used := map[int]bool{}
		guess, failed := 0, 0
		for i := range 33 {
			d := decimalsOf(v[i], guess)
			if need = append(need, d); d >= 0 {
				guess, used[int(d)] = int(d), true
			} else if failed++; failed > 12 && failed == i+1 {
				used = nil
				break
			}
		}
		wantK, want, best := guess, false, 33*8*bytesOf[T]()
		for exponent := range maxDecimals + 1 {
			if used[exponent] {
				if cost := sampleCost(v[:33], need, exponent, math.MaxInt); cost < best {
					best, wantK, want = cost, exponent, true
				}
			}
		}
		if ok != want || ok && k != wantK {
			t.Fatalf("%v: %d, %t, want %d, %t", v, k, ok, wantK, want)
		}
	}
}

// TestMedianOf compares with what sorting finds, for steps near and far from each other.
func TestMedianOf(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for round := range 4000 {
		n := 1 + r.IntN(sampled)
		width, base := r.IntN(64), int64(r.Uint64())
		if round%4 > 0 {
			width = r.IntN(18)
		}
		if round%8 == 1 {
			base = []int64{math.MinInt64, math.MaxInt64 - 1<<18}[r.IntN(2)]
		}
		var steps [sampled]int64
		for i := range n {
			steps[i] = base + int64(r.Uint64()>>1&(1<<width-1))
		}
		sorted := slices.Sorted(slices.Values(steps[:n]))
		got := medianOf(&steps, n, sorted[0], sorted[n-1])
		require.Equal(t, sorted[n/2], got, "%d steps from %d, %d bits: %v", n, base, width, sorted)
	}
}
