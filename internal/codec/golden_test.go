package codec

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// vector is a column whose bytes are fixed: files written by every release hold
// such bytes. The values are made of integers and exact operations only, so that
// they are the same on every architecture.
type vector struct {
	name     string
	encoding byte
	encode   func(e *Encoder) []byte
	check    func(t *testing.T, d *Decoder, src []byte)
}

func vectorOf[T any](name string, encoding byte, v []T, enc func(e *Encoder) func([]byte, []T) []byte,
	dec func(d *Decoder) func([]T, []byte, int) ([]T, error), equal func(a, b []T) bool) vector {
	return vector{name, encoding,
		func(e *Encoder) []byte { return enc(e)(nil, v) },
		func(t *testing.T, d *Decoder, src []byte) {
			got, err := dec(d)(nil, src, len(v))
			require.NoError(t, err)
			require.True(t, equal(v, got), "expected %v\ngot      %v", v, got)
		}}
}

func ints(name string, encoding byte, n int, f func(i int64) int64) vector {
	v := make([]int64, n)
	for i := range v {
		v[i] = f(int64(i))
	}
	return vectorOf("int "+name, encoding, v,
		func(e *Encoder) func([]byte, []int64) []byte { return e.AppendInt64s },
		func(d *Decoder) func([]int64, []byte, int) ([]int64, error) { return d.Int64s }, slices.Equal[[]int64])
}

func times(name string, encoding byte, n int, f func(i int64) int64) vector {
	v := make([]int64, n)
	for i := range v {
		v[i] = 1_700_000_000_000_000_000 + f(int64(i))
	}
	return vectorOf("time "+name, encoding, v,
		func(e *Encoder) func([]byte, []int64) []byte { return e.AppendTimes },
		func(*Decoder) func([]int64, []byte, int) ([]int64, error) { return Times }, slices.Equal[[]int64])
}

func f64s(name string, encoding byte, n int, f func(i int64) float64) vector {
	v := make([]float64, n)
	for i := range v {
		v[i] = f(int64(i))
	}
	return vectorOf("float64 "+name, encoding, v,
		func(e *Encoder) func([]byte, []float64) []byte { return e.AppendFloat64s },
		func(d *Decoder) func([]float64, []byte, int) ([]float64, error) { return d.Float64s }, sameBits[float64])
}

func f32s(name string, encoding byte, n int, f func(i int64) float32) vector {
	v := make([]float32, n)
	for i := range v {
		v[i] = f(int64(i))
	}
	return vectorOf("float32 "+name, encoding, v,
		func(e *Encoder) func([]byte, []float32) []byte { return e.AppendFloat32s },
		func(d *Decoder) func([]float32, []byte, int) ([]float32, error) { return d.Float32s }, sameBits[float32])
}

func bools(name string, encoding byte, n int, f func(i int) bool) vector {
	v := make([]bool, n)
	for i := range v {
		v[i] = f(i)
	}
	return vectorOf("bool "+name, encoding, v,
		func(e *Encoder) func([]byte, []bool) []byte { return e.AppendBools },
		func(d *Decoder) func([]bool, []byte, int) ([]bool, error) { return d.Bools }, slices.Equal[[]bool])
}

func texts(name string, encoding byte, n int, f func(i int) string) vector {
	v := make([]string, n)
	for i := range v {
		v[i] = f(i)
	}
	return vectorOf("text "+name, encoding, v,
		func(e *Encoder) func([]byte, []string) []byte { return e.AppendTexts },
		func(d *Decoder) func([]string, []byte, int) ([]string, error) { return d.Texts }, slices.Equal[[]string])
}

// mix is a number without a pattern.
func mix(i int64) uint64 {
	x := (uint64(i) + 1) * 0x9e3779b97f4a7c15
	x ^= x >> 29
	x *= 0xbf58476d1ce4e5b9
	return x ^ x>>32
}

func goldenVectors() []vector {
	specials := []uint64{0, 1 << 63, 0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000001, 0x7ff0dead0000beef, 1, 0x000fffffffffffff}
	return []vector{
		ints("const", intConst, 9, func(int64) int64 { return math.MinInt64 }),
		ints("line", intLine, 9, func(i int64) int64 { return 7 - 3*i }),
		ints("frame", intFrame, 40, func(i int64) int64 { return -50 + int64(mix(i)%97) }),
		ints("frame in hundreds", intFrame, 40, func(i int64) int64 { return 100 * int64(mix(i)%97) }),
		ints("delta", intDelta, 40, func(i int64) int64 { return 1000*i*i + int64(mix(i)%500) }),
		ints("modal", intModal, 200, func(i int64) int64 { return 60*i + 7*(i/50) + i/199<<40 }),
		ints("raw", intRaw, 5, func(i int64) int64 { return int64(mix(i)) }),
		times("regular", intLine, 9, func(i int64) int64 { return i * 1e9 }),
		times("gaps of seconds", intModal, 100, func(i int64) int64 { return (i + i/30*7) * 1e9 }),
		times("jitter of milliseconds", intDelta, 60, func(i int64) int64 { return i*1e9 + int64(mix(i)%4)*1e6 }),
		times("events", intDelta, 30, func(i int64) int64 { return i*1e9 + int64(mix(i)%1e9) }),
		times("one", intConst, 1, func(i int64) int64 { return 0 }),
		f64s("const", floatConst, 4, func(int64) float64 { return math.Float64frombits(0x7ff8dead0000beef) }),
		f64s("two decimals", floatDecimal, 40, func(i int64) float64 { return float64(2000+int64(mix(i)%100)) / 100 }),
		f64s("far exceptions", floatDecimal, 80, func(i int64) float64 {
			return either(i%20 == 3, math.Float64frombits(specials[i/20]), float64(i*3)/10)
		}),
		f64s("equal exceptions", floatDecimal, 60, func(i int64) float64 { return either(i%3 == 0, math.NaN(), float64(i)/4) }),
		f64s("near exceptions", floatDecimal, 60, func(i int64) float64 {
			return math.Float64frombits(math.Float64bits(float64(31000+i*7)/1000) + uint64(i%5/4))
		}),
		f64s("xor", floatXOR, 40, func(i int64) float64 { return math.Float64frombits(0x4050000000000000 | mix(i)>>44<<28) }),
		f64s("rd", floatRD, 70, func(i int64) float64 {
			return math.Float64frombits(0x3ff0000000000000&^(1<<63) | mix(i)>>12 | uint64(i%2)<<63)
		}),
		f64s("raw", floatRaw, 8, func(i int64) float64 { return math.Float64frombits(specials[i]) }),
		f32s("decimal", floatDecimal, 40, func(i int64) float32 { return float32(float64(200+int64(mix(i)%100)) / 10) }),
		f32s("xor", floatXOR, 40, func(i int64) float32 { return math.Float32frombits(0x60400000 | uint32(mix(i)>>56)<<9) }),
		f32s("rd", floatRD, 90, func(i int64) float32 {
			return math.Float32frombits(0x3f800000 | uint32(mix(i)>>41) | uint32(i%2)<<31)
		}),
		f32s("raw", floatRaw, 4, func(i int64) float32 { return math.Float32frombits(uint32(mix(i))) }),
		bools("map", bitsMap, 30, func(i int) bool { return mix(int64(i))&1 != 0 }),
		bools("runs", bitsRuns, 300, func(i int) bool { return i/70&1 == 0 }),
		texts("plain", textPlain, 3, func(i int) string { return strings.Repeat("é", i) + fmt.Sprint(i) }),
		texts("dictionary", textDict, 30, func(i int) string { return []string{"on", "off", "", "on"}[i/9] }),
	}
}

// TestGolden compares the bytes of every encoding with testdata/vectors.txt. A
// difference means that files of earlier releases are read or written
// differently: add an encoding, never change one.
func TestGolden(t *testing.T) {
	name := filepath.Join("testdata", "vectors.txt")
	vectors := goldenVectors()
	if *update {
		var b bytes.Buffer
		var e Encoder
		for _, v := range vectors {
			fmt.Fprintf(&b, "%s: %s\n", v.name, hex.EncodeToString(v.encode(&e)))
		}
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(name, b.Bytes(), 0o644))
	}
	f, err := os.Open(name)
	require.NoError(t, err)
	defer f.Close()
	golden := make(map[string][]byte)
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		title, text, _ := strings.Cut(lines.Text(), ": ")
		golden[title], err = hex.DecodeString(text)
		require.NoError(t, err)
	}
	require.NoError(t, lines.Err())
	require.Len(t, golden, len(vectors))
	var e Encoder
	var d Decoder
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			want := golden[v.name]
			require.Equal(t, hex.EncodeToString(want), hex.EncodeToString(v.encode(&e)))
			require.Equal(t, v.encoding, want[0], "encoding")
			v.check(t, &d, want)
		})
	}
}
