package codec

import (
	"bytes"
	"fmt"
	"math/rand"
	"strings"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/stretchr/testify/require"
)

// lzInputs are texts of every kind of part that a block can have.
func lzInputs() map[string][]byte {
	r := rand.New(rand.NewSource(1))
	noise := make([]byte, 300_000)
	r.Read(noise)
	var lines, far bytes.Buffer
	for i := range 5000 {
		fmt.Fprintf(&lines, "level=info seq=%d msg=%q\n", i, []string{"opened", "closed", "valve 7 moved"}[i%3])
	}
	far.Write(noise[:100])
	far.Write(noise[1000:71_000])
	far.Write(noise[:100]) // out of reach of a copy
	in := map[string][]byte{
		"empty": nil, "one": {7}, "three": []byte("abc"), "four times": []byte("abcdabcdabcdabcd"),
		"run": bytes.Repeat([]byte{'x'}, 100_000), "noise": noise, "lines": lines.Bytes(), "far": far.Bytes(),
		"pairs": []byte(strings.Repeat("ab", 33)),
	}
	for _, n := range []int{59, 60, 61, 255, 256, 257, 65535, 65536, 65537} {
		in[fmt.Sprintf("noise of %d", n)] = noise[:n]
		in[fmt.Sprintf("run of %d", n)] = bytes.Repeat([]byte{'y'}, n)
	}
	return in
}

// TestLZ: each side reads what it has written and what the other has.
func TestLZ(t *testing.T) {
	var z lz
	for name, src := range lzInputs() {
		own := z.encode(nil, src)
		require.Less(t, len(own), len(src)+len(src)/1000+16, name)
		theirs, err := s2.Decode(nil, own)
		require.NoError(t, err, name)
		require.True(t, bytes.Equal(src, theirs), "%s: s2 reads other bytes", name)
		for kind, block := range map[string][]byte{
			"own": own, "s2": s2.Encode(nil, src), "s2 better": s2.EncodeBetter(nil, src), "s2 best": s2.EncodeBest(nil, src), "snappy": s2.EncodeSnappy(nil, src),
		} {
			n, ok := lzLen(block)
			require.True(t, ok && n == len(src), "%s, %s: %d bytes", name, kind, n)
			got := make([]byte, n)
			require.True(t, lzDecode(got, block), "%s, %s", name, kind)
			require.True(t, bytes.Equal(src, got), "%s, %s: other bytes", name, kind)
		}
	}
	lines := lzInputs()["lines"]
	require.Less(t, len(z.encode(nil, lines)), len(lines)/4, "what repeats is packed")
}

// TestLZBroken: a block that was cut or changed is refused or gives bytes of the
// right number; nothing is read or written outside.
func TestLZBroken(t *testing.T) {
	var z lz
	lines := lzInputs()["lines"][:2000]
	for _, block := range [][]byte{z.encode(nil, lines), s2.Encode(nil, bytes.Repeat(lines, 50))} {
		n, _ := lzLen(block)
		dst := make([]byte, n)
		for cut := range block {
			require.False(t, lzDecode(dst, block[:cut]), "cut at %d", cut)
		}
		for i := range min(len(block), 3000) {
			for _, bit := range []byte{1, 2, 4, 32, 128} {
				bad := bytes.Clone(block)
				bad[i] ^= bit
				lzDecode(dst, bad)
			}
		}
	}
	for _, bad := range [][]byte{{}, {0x80}, {1}, {4, 1, 0}, {4, 0, 'a', 2, 9, 0}, {4, 0, 'a', 3, 1}, {8, 0, 'a', 1 | 5<<2, 0}, {4, 63 << 2, 255, 255, 255, 255}} {
		n, _ := lzLen(bad)
		require.False(t, lzDecode(make([]byte, min(n, 100)), bad), "%v", bad)
	}
}

// FuzzLZ compares both sides on any bytes, as a text and as a block.
func FuzzLZ(f *testing.F) {
	for _, src := range lzInputs() {
		f.Add(src[:min(len(src), 2000)])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var z lz
		block := z.encode(nil, data)
		got := make([]byte, len(data))
		require.True(t, lzDecode(got, block))
		require.True(t, bytes.Equal(data, got))
		n, ok := lzLen(data)
		if !ok || n > 1<<20 { // s2 takes the memory that a block claims before it reads it
			return
		}
		want, err := s2.Decode(nil, data)
		got = make([]byte, n)
		if lzDecode(got, data) {
			require.NoError(t, err)
			require.True(t, bytes.Equal(want, got))
		} else if err == nil {
			require.Empty(t, data[1:], "s2 reads it") // a block of no text
		}
	})
}

func TestLZAllocatesNothing(t *testing.T) {
	var z lz
	src := lzInputs()["lines"]
	block, dst := z.encode(nil, src), make([]byte, len(src))
	if n := testing.AllocsPerRun(10, func() {
		block = z.encode(block, src)
		lzDecode(dst, block)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
