package pack

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/errs"
)

func TestRoundTrip(t *testing.T) {
	z, err := NewZstd()
	require.NoError(t, err)
	for _, src := range [][]byte{{}, {7}, bytes.Repeat([]byte("pressure high "), 400), bytes.Repeat([]byte{0}, 1<<20)} {
		packed := z.Compress([]byte("before"), src)
		require.Equal(t, "before", string(packed[:6]))
		packed = packed[6:]
		got, err := z.Decompress([]byte("kept"), packed, len(src))
		require.NoError(t, err)
		require.Equal(t, "kept"+string(src), string(got))
		for _, wrong := range []int{len(src) + 1, len(src) - 1} {
			if wrong < 0 {
				continue
			}
			_, err = z.Decompress(nil, packed, wrong)
			require.ErrorIs(t, err, errs.Corrupt, "%d bytes read as %d", len(src), wrong)
		}
	}
}

// TestBomb: few bytes that stand for many take no memory for them.
func TestBomb(t *testing.T) {
	z, err := NewZstd()
	require.NoError(t, err)
	packed := z.Compress(nil, make([]byte, 8<<20))
	require.Less(t, len(packed), 10_000)
	got, err := z.Decompress(nil, packed, 100)
	require.ErrorIs(t, err, errs.Corrupt)
	require.LessOrEqual(t, cap(got), 200)
}

func TestConcurrent(t *testing.T) {
	z, err := NewZstd()
	require.NoError(t, err)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := range 50 {
				src := fmt.Append(nil, bytes.Repeat([]byte{byte(i)}, n), i, n)
				got, err := z.Decompress(nil, z.Compress(nil, src), len(src))
				if err != nil || !bytes.Equal(got, src) {
					t.Errorf("%d bytes: %v", len(src), err)
				}
			}
		})
	}
	wg.Wait()
}

// TestBubbles: coders of two bubbles do not meet.
func TestBubbles(t *testing.T) {
	for range 2 {
		synctest.Test(t, func(t *testing.T) {
			z, err := NewZstd()
			require.NoError(t, err)
			src := bytes.Repeat([]byte("abc"), 1000)
			got, err := z.Decompress(nil, z.Compress(nil, src), len(src))
			require.NoError(t, err)
			require.Equal(t, src, got)
		})
	}
}

func FuzzDecompress(f *testing.F) {
	z, err := NewZstd()
	require.NoError(f, err)
	f.Add(z.Compress(nil, []byte("hello hello hello")), uint16(17))
	f.Add([]byte{}, uint16(0))
	f.Add(z.Compress(nil, make([]byte, 1<<20)), uint16(1000))
	f.Fuzz(func(t *testing.T, src []byte, size uint16) {
		got, err := z.Decompress(nil, src, int(size))
		if err == nil && len(got) != int(size) {
			t.Fatalf("%d bytes, expected %d", len(got), size)
		}
		if cap(got) > int(size) {
			t.Fatalf("memory for %d bytes, expected %d", cap(got), size)
		}
	})
}
