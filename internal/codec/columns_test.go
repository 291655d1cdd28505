package codec

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// intColumns are shapes of integer columns that between them reach every
// encoding and its edges.
func intColumns() map[string][]int64 {
	r := rand.New(rand.NewPCG(1, 2))
	build := func(n int, f func(i int) int64) []int64 {
		v := make([]int64, n)
		for i := range v {
			v[i] = f(i)
		}
		return v
	}
	walk := int64(0)
	c := map[string][]int64{
		"none":             {},
		"one":              {-7},
		"one largest":      {math.MaxInt64},
		"two":              {5, 3},
		"extremes":         {math.MinInt64, math.MaxInt64, math.MinInt64, 0, -1, 1},
		"const":            build(1000, func(int) int64 { return -42 }),
		"line":             build(1000, func(i int) int64 { return 1_700_000_000_000_000_000 + int64(i)*1e9 }),
		"line wrapping":    build(100, func(i int) int64 { return int64(uint64(i) * 0x9e3779b97f4a7c15) }),
		"frame":            build(1024, func(int) int64 { return r.Int64N(1024) - 100 }),
		"frame of tens":    build(1024, func(int) int64 { return 10 * r.Int64N(1024) }),
		"frame 58 bits":    build(100, func(int) int64 { return int64(r.Uint64() >> 6) }),
		"counter":          build(1023, func(int) int64 { walk += r.Int64N(200); return walk }),
		"counter of fives": build(1023, func(int) int64 { walk += 5 * r.Int64N(200); return walk * 5 }),
		"gaps":             build(1024, func(i int) int64 { walk += 1e9; walk += 1e9 * int64(btoi(r.IntN(100) == 0)); return walk }),
		"millisecond jitter": build(1024, func(i int) int64 {
			return 1_700_000_000_000_000_000 + int64(i)*1e9 + 1e6*int64(r.NormFloat64()*2)
		}),
		"resets":          build(1000, func(i int) int64 { return int64(i%300) * 3 }),
		"late odd step":   append(build(900, func(i int) int64 { return int64(i*i) * 1000 }), 1),
		"spikes":          build(2000, func(i int) int64 { return r.Int64N(8) + int64(btoi(i%97 == 3))<<40 }),
		"noise":           build(300, func(int) int64 { return int64(r.Uint64()) }),
		"short noise":     build(5, func(int) int64 { return int64(r.Uint64()) }),
		"wide noise unit": build(64, func(int) int64 { return int64(r.Uint64()) &^ 0xff }),
		"most rows":       build(MaxValues, func(int) int64 { walk += r.Int64N(5); return walk }),
	}
	for w := range 64 {
		c[fmt.Sprintf("width %d", w+1)] = build(77, func(int) int64 { return int64(r.Uint64() >> (63 - uint(w))) })
	}
	return c
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// float64Columns are the same for floats.
func float64Columns() map[string][]float64 {
	r := rand.New(rand.NewPCG(3, 4))
	build := func(n int, f func(i int) float64) []float64 {
		v := make([]float64, n)
		for i := range v {
			v[i] = f(i)
		}
		return v
	}
	nan := math.Float64frombits(0x7ff8dead0000beef)
	signalling := math.Float64frombits(0x7ff0000000000001)
	walk := 20.0
	return map[string][]float64{
		"none":            {},
		"one":             {3.25},
		"const nan":       build(100, func(int) float64 { return nan }),
		"walk 2 decimals": build(1024, func(int) float64 { walk += r.NormFloat64() * 0.05; return math.Round(walk*100) / 100 }),
		"integers":        build(1024, func(int) float64 { return float64(r.IntN(5000)) }),
		"signed zeros":    build(100, func(i int) float64 { return math.Copysign(0, float64(i%3)-1) }),
		"specials": {math.Inf(1), math.Inf(-1), nan, signalling, math.Copysign(0, -1), 0, math.MaxFloat64,
			math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat64, 2.2250738585072011e-308, 1 << 51, -(1 << 51), 1<<51 - 1, 1 << 53, 1e300},
		"decimals with nan":  build(1000, func(i int) float64 { return either(i%3 == 0, nan, float64(i)/10) }),
		"mostly nan":         build(1000, func(i int) float64 { return either(i%3 != 0, nan, float64(i)/10) }),
		"decimals with odd":  build(1000, func(i int) float64 { return either(i%50 == 1, r.Float64(), float64(i)/1000) }),
		"many decimals":      build(500, func(int) float64 { return math.Round(r.Float64()*1e14) / 1e14 }),
		"large":              build(500, func(i int) float64 { return 1e15 + float64(i)*7 }),
		"tiny":               build(500, func(i int) float64 { return float64(i) * 1e-17 }),
		"widened float32":    build(1024, func(int) float64 { return float64(float32(r.NormFloat64())) }),
		"noise":              build(1024, func(int) float64 { return r.NormFloat64() }),
		"uniform":            build(1024, func(int) float64 { return r.Float64() + 1 }),
		"any bits":           build(1024, func(int) float64 { return math.Float64frombits(r.Uint64()) }),
		"few high bits":      build(1024, func(i int) float64 { return either(i%100 == 0, -1e9, 1.5+r.Float64()/4) }),
		"subnormals":         build(200, func(i int) float64 { return math.Float64frombits(r.Uint64N(1 << 52)) }),
		"powers of two":      build(60, func(i int) float64 { return math.Ldexp(1, i*16-500) }),
		"step":               build(1000, func(i int) float64 { return float64(i/50) * 0.1 }),
		"nan of two payload": build(90, func(i int) float64 { return either(i%2 == 0, nan, signalling) }),
	}
}

func either(b bool, x, y float64) float64 {
	if b {
		return x
	}
	return y
}

// float32Columns narrows the float64 columns and adds payloads that narrowing
// loses.
func float32Columns() map[string][]float32 {
	r := rand.New(rand.NewPCG(5, 6))
	c := map[string][]float32{
		"specials": {math.Float32frombits(0x7fc0dead), math.Float32frombits(0x7f800001), math.Float32frombits(1),
			math.Float32frombits(0x80000000), 0, math.MaxFloat32, float32(math.Inf(1)), float32(math.Inf(-1)), 16777216, 0.1},
	}
	for name, v := range float64Columns() {
		narrow := make([]float32, len(v))
		for i, x := range v {
			narrow[i] = float32(x)
		}
		c["narrowed "+name] = narrow
	}
	bits := make([]float32, 1024)
	for i := range bits {
		bits[i] = math.Float32frombits(r.Uint32())
	}
	c["any bits"] = bits
	return c
}

func boolColumns() map[string][]bool {
	r := rand.New(rand.NewPCG(7, 8))
	c := map[string][]bool{"none": {}, "one": {true}, "two": {true, false}}
	for _, n := range []int{7, 8, 9, 63, 64, 65, 128, 1000, MaxValues} {
		for name, f := range map[string]func(i int) bool{
			"true": func(int) bool { return true }, "false": func(int) bool { return false },
			"random": func(int) bool { return r.IntN(2) == 0 }, "alternating": func(i int) bool { return i&1 == 0 },
			"runs": func(i int) bool { return i/100%2 == 0 }, "last": func(i int) bool { return i == n-1 },
		} {
			v := make([]bool, n)
			for i := range v {
				v[i] = f(i)
			}
			c[fmt.Sprintf("%s %d", name, n)] = v
		}
	}
	return c
}

func textColumns() map[string][]string {
	r := rand.New(rand.NewPCG(9, 10))
	build := func(n int, f func(i int) string) []string {
		v := make([]string, n)
		for i := range v {
			v[i] = f(i)
		}
		return v
	}
	states := []string{"idle", "running", "", "fault: over temperature", "stopped", "\xff\x00 not utf-8"}
	return map[string][]string{
		"none":            {},
		"one":             {"x"},
		"one empty":       {""},
		"all empty":       build(100, func(int) string { return "" }),
		"const":           build(100, func(int) string { return "same" }),
		"states":          build(1024, func(i int) string { return states[i/40%len(states)] }),
		"ids":             build(1024, func(int) string { return fmt.Sprintf("sensor-%03d", r.IntN(200)) }),
		"distinct":        build(500, func(i int) string { return fmt.Sprintf("%d: line %x of the log", i, r.Uint64()) }),
		"half distinct":   build(500, func(i int) string { return fmt.Sprint(i / 2) }),
		"just too many":   build(500, func(i int) string { return fmt.Sprint(i % 251) }),
		"long":            {strings.Repeat("ab", 50_000), "", strings.Repeat("\x00", 70_000)},
		"hash collisions": build(400, func(i int) string { return strings.Repeat("\x00", i%100) }),
	}
}

// sameBits compares floats by their bits.
func sameBits[T float](a, b []T) bool {
	return slices.EqualFunc(a, b, func(x, y T) bool { return bitsOf(x) == bitsOf(y) })
}
