package codec

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/errs"
)

// fuzzDecoder feeds any bytes to a decoder: it must return n values or an error
// that wraps errs.Corrupt, and what it accepts must survive a round trip.
func fuzzDecoder[T any](f *testing.F, columns map[string][]T, enc func([]byte, []T) []byte,
	dec func([]T, []byte, int) ([]T, error), equal func(a, b []T) bool) {
	for _, v := range columns {
		if len(v) <= 2000 {
			f.Add(enc(nil, v), len(v))
		}
	}
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, MaxValues)
	f.Fuzz(func(t *testing.T, src []byte, n int) {
		v, err := dec(nil, src, n)
		if err != nil {
			if !errors.Is(err, errs.Corrupt) {
				t.Fatalf("error %v does not wrap errs.Corrupt", err)
			}
			return
		}
		if len(v) != n {
			t.Fatalf("%d values, expected %d", len(v), n)
		}
		again, err := dec(nil, enc(nil, v), n)
		if err != nil || !equal(v, again) {
			t.Fatalf("round trip of what was decoded: %v\nexpected %v\ngot      %v", err, v, again)
		}
	})
}

func FuzzDecodeInt64s(f *testing.F) {
	var e Encoder
	var d Decoder
	fuzzDecoder(f, intColumns(), e.AppendInt64s, d.Int64s, slices.Equal[[]int64])
}

func FuzzDecodeInt32s(f *testing.F) {
	var e Encoder
	var d Decoder
	fuzzDecoder(f, map[string][]int32{"a": {1, 2, 4, 1 << 30}}, e.AppendInt32s, d.Int32s, slices.Equal[[]int32])
}

func FuzzDecodeTimes(f *testing.F) {
	var e Encoder
	fuzzDecoder(f, intColumns(), e.AppendTimes, Times, slices.Equal[[]int64])
}

func FuzzDecodeFloat64s(f *testing.F) {
	var e Encoder
	var d Decoder
	fuzzDecoder(f, float64Columns(), e.AppendFloat64s, d.Float64s, sameBits[float64])
}

func FuzzDecodeFloat32s(f *testing.F) {
	var e Encoder
	var d Decoder
	fuzzDecoder(f, float32Columns(), e.AppendFloat32s, d.Float32s, sameBits[float32])
}

func FuzzDecodeBools(f *testing.F) {
	var e Encoder
	var d Decoder
	fuzzDecoder(f, boolColumns(), e.AppendBools, d.Bools, slices.Equal[[]bool])
}

func FuzzDecodeTexts(f *testing.F) {
	e := Encoder{Compress: true}
	var d Decoder
	fuzzDecoder(f, textColumns(), e.AppendTexts, d.Texts, slices.Equal[[]string])
}

// FuzzRoundTrip makes columns of every type from the input's bytes: cell i is
// the last cell, plus a step, or what the bytes say, so that the fuzzer reaches
// every encoding.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("\x01\x02\x03\x00\x00\x05"), uint8(2), uint8(1))
	f.Add([]byte(strings.Repeat("\x07\x07\x09", 40)), uint8(1), uint8(3))
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\xf0\x7f"), uint8(8), uint8(0))
	f.Fuzz(func(t *testing.T, src []byte, size, decimals uint8) {
		cells := cellsOf(src, int(size%8)+1)
		var e Encoder
		var d Decoder
		e.Compress = decimals&1 != 0
		p := powersOfTen[decimals%18]

		ints, err := d.Int64s(nil, e.AppendInt64s(nil, cells), len(cells))
		require.NoError(t, err)
		require.Len(t, ints, len(cells))
		require.True(t, slices.Equal(cells, ints), "expected %v\ngot %v", cells, ints)

		i32 := make([]int32, len(cells))
		f64 := make([]float64, len(cells))
		f32 := make([]float32, len(cells))
		bools := make([]bool, len(cells))
		texts := make([]string, len(cells))
		for i, x := range cells {
			i32[i] = int32(x)
			f64[i] = float64(x) / p
			if x&63 == 1 {
				f64[i] = math.Float64frombits(uint64(x))
			}
			f32[i] = float32(f64[i])
			bools[i] = x&4 != 0
			texts[i] = string(src[:min(len(src), int(uint64(x)%7))])
		}
		times := slices.Compact(slices.Sorted(slices.Values(cells)))
		gotTimes, err := Times(nil, e.AppendTimes(nil, times), len(times))
		require.NoError(t, err)
		require.True(t, slices.Equal(times, gotTimes), "expected %v\ngot %v", times, gotTimes)
		got32, err := d.Int32s(nil, e.AppendInt32s(nil, i32), len(i32))
		require.NoError(t, err)
		require.True(t, slices.Equal(i32, got32), "expected %v\ngot %v", i32, got32)
		gotF64, err := d.Float64s(nil, e.AppendFloat64s(nil, f64), len(f64))
		require.NoError(t, err)
		require.True(t, sameBits(f64, gotF64), "expected %v\ngot %v", f64, gotF64)
		gotF32, err := d.Float32s(nil, e.AppendFloat32s(nil, f32), len(f32))
		require.NoError(t, err)
		require.True(t, sameBits(f32, gotF32), "expected %v\ngot %v", f32, gotF32)
		gotBools, err := d.Bools(nil, e.AppendBools(nil, bools), len(bools))
		require.NoError(t, err)
		require.True(t, slices.Equal(bools, gotBools), "expected %v\ngot %v", bools, gotBools)
		gotTexts, err := d.Texts(nil, e.AppendTexts(nil, texts), len(texts))
		require.NoError(t, err)
		require.True(t, slices.Equal(texts, gotTexts), "expected %q\ngot %q", texts, gotTexts)
	})
}

// cellsOf cuts src into numbers of size bytes.
func cellsOf(src []byte, size int) []int64 {
	var cells []int64
	var last, step int64
	for len(src) >= size && len(cells) < 5000 {
		var b [8]byte
		copy(b[:], src[:size])
		src = src[size:]
		switch x := int64(binary.LittleEndian.Uint64(b[:])); {
		case x&7 == 7:
			step = x >> 3
		case x&7 == 6:
			for range min(uint64(x)>>3, 200) {
				last += step
				cells = append(cells, last)
			}
		default:
			last = x
			cells = append(cells, last)
		}
	}
	return cells
}
