package codec

import (
	"math"
	"math/rand/v2"
	"testing"
)

// perPoint reports the time of one value; n values are handled per loop.
func perPoint(b *testing.B, n int) {
	b.Helper()
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/point")
}

// benchEncode measures encoding and, besides the time, the size.
func benchEncode[T any](b *testing.B, v []T, enc func([]byte, []T) []byte) {
	dst := enc(nil, v)
	b.ReportAllocs()
	for b.Loop() {
		dst = enc(dst[:0], v)
	}
	perPoint(b, len(v))
	b.ReportMetric(float64(len(dst))/float64(len(v)), "B/point")
}

func benchDecode[T any](b *testing.B, v []T, enc func([]byte, []T) []byte, dec func([]T, []byte, int) ([]T, error)) {
	src := enc(nil, v)
	dst := make([]T, len(v))
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if dst, err = dec(dst, src, len(v)); err != nil {
			b.Fatal(err)
		}
	}
	perPoint(b, len(v))
}

func benchTimes() map[string][]int64 {
	r := rand.New(rand.NewPCG(1, 2))
	build := func(f func(i int) int64) []int64 {
		v := make([]int64, 1024)
		for i := range v {
			v[i] = 1_700_000_000_000_000_000 + f(i)
		}
		return v
	}
	gap := int64(0)
	return map[string][]int64{
		"regular":        build(func(i int) int64 { return int64(i) * 1e9 }),
		"jitter-2ms":     build(func(i int) int64 { return int64(i)*1e9 + 1e6*int64(r.NormFloat64()*2) }),
		"missing-1pct":   build(func(i int) int64 { gap += 1e9 * int64(1+btoi(r.IntN(100) == 0)); return gap }),
		"jitter-50us-ns": build(func(i int) int64 { return int64(i)*1e8 + int64(r.NormFloat64()*5e4) }),
	}
}

func benchInts() map[string][]int64 {
	r := rand.New(rand.NewPCG(1, 2))
	x := int64(0)
	build := func(f func(i int) int64) []int64 {
		v := make([]int64, 1024)
		for i := range v {
			v[i] = f(i)
		}
		return v
	}
	return map[string][]int64{
		"counter": build(func(int) int64 { x += r.Int64N(200); return x }),
		"uniform": build(func(int) int64 { return r.Int64N(1024) }),
		"enum":    build(func(int) int64 { x += int64(btoi(r.IntN(100) == 0)); return x }),
	}
}

func benchFloats() map[string][]float64 {
	r := rand.New(rand.NewPCG(1, 2))
	x, y := 20.0, int64(5000)
	build := func(f func(i int) float64) []float64 {
		v := make([]float64, 1024)
		for i := range v {
			v[i] = f(i)
		}
		return v
	}
	return map[string][]float64{
		"walk-2-decimals": build(func(int) float64 { x += r.NormFloat64() * 0.05; return math.Round(x*100) / 100 }),
		"even-walk":       build(func(int) float64 { y += int64(r.IntN(256) - 127); return float64(y) / 100 }),
		"integers":        build(func(int) float64 { return float64(r.IntN(1000)) }),
		"widened-float32": build(func(int) float64 { return float64(float32(r.NormFloat64())) }),
		"noise":           build(func(int) float64 { return r.NormFloat64() }),
	}
}

func BenchmarkTimesEncode(b *testing.B) {
	var e Encoder
	for name, v := range benchTimes() {
		b.Run(name, func(b *testing.B) { benchEncode(b, v, e.AppendTimes) })
	}
}

func BenchmarkTimesDecode(b *testing.B) {
	var e Encoder
	for name, v := range benchTimes() {
		b.Run(name, func(b *testing.B) { benchDecode(b, v, e.AppendTimes, Times) })
	}
}

func BenchmarkIntsEncode(b *testing.B) {
	var e Encoder
	for name, v := range benchInts() {
		b.Run(name, func(b *testing.B) { benchEncode(b, v, e.AppendInt64s) })
	}
}

func BenchmarkIntsDecode(b *testing.B) {
	var e Encoder
	var d Decoder
	for name, v := range benchInts() {
		b.Run(name, func(b *testing.B) { benchDecode(b, v, e.AppendInt64s, d.Int64s) })
	}
}

func BenchmarkFloatsEncode(b *testing.B) {
	var e Encoder
	for name, v := range benchFloats() {
		b.Run(name, func(b *testing.B) { benchEncode(b, v, e.AppendFloat64s) })
	}
}

func BenchmarkFloatsDecode(b *testing.B) {
	var e Encoder
	var d Decoder
	for name, v := range benchFloats() {
		b.Run(name, func(b *testing.B) { benchDecode(b, v, e.AppendFloat64s, d.Float64s) })
	}
}

// BenchmarkFloor measures what the figures above are compared with: copying
// values, unpacking bits and dividing, in the same run.
func BenchmarkFloor(b *testing.B) {
	dst := make([]int64, 1024)
	b.Run("copy", func(b *testing.B) {
		src := make([]int64, len(dst))
		for b.Loop() {
			copy(dst, src)
		}
		perPoint(b, len(dst))
	})
	b.Run("unpack-11-bits", func(b *testing.B) {
		src := make([]byte, packedLen(len(dst), 11)+8)
		for b.Loop() {
			unpack(dst, src, 11, 5)
		}
		perPoint(b, len(dst))
	})
	b.Run("divide", func(b *testing.B) {
		out := make([]float64, len(dst))
		p := powersOfTen[2]
		for b.Loop() {
			for i, x := range dst {
				out[i] = intToFloat(x) / p
			}
		}
		perPoint(b, len(dst))
	})
}
