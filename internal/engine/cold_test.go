package engine

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/pack"
	"github.com/tickwell/tickwell/internal/segment"
	"github.com/tickwell/tickwell/vfs"
)

// shelf is a coder that makes a number of any bytes, so that the small blocks of
// tests are worth compressing.
type shelf struct {
	mu   sync.Mutex
	held []string
}

func (s *shelf) Compress(dst, src []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = append(s.held, string(src))
	return binary.AppendUvarint(dst, uint64(len(s.held)-1))
}

func (s *shelf) Decompress(dst, src []byte, size int) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, k := binary.Uvarint(src)
	if k != len(src) || n >= uint64(len(s.held)) || len(s.held[n]) != size {
		return dst, errs.Corrupt
	}
	return append(dst, s.held[n]...), nil
}

func packedFiles(e *Engine) (n int) {
	for _, f := range e.currentFiles() {
		if !f.lost && f.reader.Meta().Packed {
			n++
		}
	}
	return n
}

func newZstd(t testing.TB) segment.Coder {
	z, err := pack.NewZstd()
	require.NoError(t, err)
	return z
}

// logLines commits lines of text and numbers of full precision in pairs, one a
// minute.
func logLines(t testing.TB, e *Engine, from, n int) {
	s, err := e.Shape("root.d", []string{"t", "x"}, []column.Kind{column.Text, column.Float64})
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(uint64(from), 1))
	tb := Tablet{Shape: s, Cols: []column.Vector{{Kind: column.Text}, {Kind: column.Float64}}}
	x := math.Pi
	for i := from; i < from+n; i++ {
		tb.Times = append(tb.Times, int64(i)*60e9)
		if rng.IntN(3) == 0 {
			x = math.Pi * float64(rng.IntN(20))
		}
		tb.Cols[0].Texts = append(tb.Cols[0].Texts, fmt.Sprintf("level=info unit=%d msg=\"pressure of the pump is high again\" took=%dms", rng.IntN(40), rng.IntN(900)))
		tb.Cols[1].Float64s = append(tb.Cols[1].Float64s, x)
	}
	_, err = e.Commit(bg, &Batch{Tablets: []Tablet{tb}}, false)
	require.NoError(t, err)
}

func storeBytes(e *Engine) (sum int64) {
	for _, f := range e.currentFiles() {
		sum += f.meta.Size
	}
	return sum
}

// TestColdBlocks: what is old is compressed once, by compactions in the
// background, and everything that reads a store reads it.
func TestColdBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fs := vfs.NewMem()
		cfg := diskConfig(fs)
		cfg.BlockRows = 256
		e := open(t, cfg)
		logLines(t, e, 0, 3000)
		require.NoError(t, e.Flush(bg))
		logLines(t, e, 3000, 3000) // more than two days later
		require.NoError(t, e.Flush(bg))
		want, before := dump(t, e), storeBytes(e)
		require.NoError(t, e.Close())

		cfg.Coder, cfg.ManualFlush = newZstd(t), false
		e = open(t, cfg)
		logLines(t, e, 6000, 1)
		require.NoError(t, e.Flush(bg))
		synctest.Wait()
		require.Equal(t, 1, packedFiles(e), "the first file, for the second is not old yet")
		require.Equal(t, int64(1), e.Stats().Compactions)
		logLines(t, e, 6001, 1)
		require.NoError(t, e.Flush(bg))
		synctest.Wait()
		require.Equal(t, int64(1), e.Stats().Compactions, "once")
		logLines(t, e, 9000, 1)
		require.NoError(t, e.Flush(bg))
		synctest.Wait()
		require.Empty(t, e.Stats().CompactError)
		after := storeBytes(e)
		require.Less(t, float64(after), 0.75*float64(before))
		t.Logf("%d bytes became %d", before, after)
		check := func(e *Engine) {
			t.Helper()
			got := dump(t, e)
			for path := range got {
				for _, at := range []int64{6000, 6001, 9000} {
					delete(got[path], at*60e9)
				}
			}
			require.Empty(t, sameDump(want, got))
			v, err := e.Verify(bg)
			require.NoError(t, err)
			require.Empty(t, v.Damage)
		}
		check(e)
		to := vfs.NewMem()
		require.NoError(t, e.Backup(bg, to, "copy"))
		require.NoError(t, e.Compact(bg))
		check(e)
		require.NoError(t, e.Close())

		other := cfg
		other.FS, other.Dir, other.ReadOnly = to, "copy", true
		e = open(t, other)
		check(e)
		require.NoError(t, e.Close())

		cfg.Coder = nil
		for _, readOnly := range []bool{false, true} {
			cfg.ReadOnly = readOnly
			_, err := Open(bg, cfg)
			require.ErrorIs(t, err, segment.ErrCoder)
			require.ErrorIs(t, err, errs.BadInput)
			require.NotErrorIs(t, err, errs.Corrupt)
			require.ErrorContains(t, err, "zstd")
		}
		cfg.Coder, cfg.ReadOnly = newZstd(t), false
		e = open(t, cfg)
		require.Empty(t, e.Report().Quarantined, "the failed opens changed nothing")
		check(e)
		require.NoError(t, e.Close())
	})
}

// TestColdNeedsAge: a file is compressed when all of it is old, and only once.
func TestColdNeedsAge(t *testing.T) {
	cfg := diskConfig(vfs.NewMem())
	cfg.Coder, cfg.ColdAfter = newZstd(t), time.Hour
	e := open(t, cfg)
	defer e.Close()
	logLines(t, e, 0, 60)
	require.NoError(t, e.Flush(bg))
	require.Nil(t, e.cooled(e.currentFiles()), "all of the last hour")
	logLines(t, e, 120, 1)
	require.NoError(t, e.Flush(bg))
	old := e.cooled(e.currentFiles())
	require.Len(t, old, 1)
	require.NoError(t, e.compact(bg, old, 0))
	require.Nil(t, e.cooled(e.currentFiles()))
	files := e.currentFiles()
	require.True(t, files[0].reader.Meta().Cold)
	require.False(t, files[1].reader.Meta().Coded, "what a flush writes is as before")
}

// TestBitFlipsCompressed: no flipped bit of a compressed file shows a wrong value.
func TestBitFlipsCompressed(t *testing.T) {
	fs := vfs.NewMem()
	cfg := diskConfig(fs)
	cfg.Coder, cfg.ColdAfter, cfg.BlockRows = newZstd(t), 1, 128
	e := open(t, cfg)
	logLines(t, e, 0, 600)
	require.NoError(t, e.Flush(bg))
	logLines(t, e, 601, 1)
	require.NoError(t, e.Flush(bg))
	require.NoError(t, e.compact(bg, e.cooled(e.currentFiles()), 0))
	require.Equal(t, 1, packedFiles(e))
	want := dump(t, e)
	require.NoError(t, e.Close())
	rng := rand.New(rand.NewPCG(3, 4))
	for _, name := range filesOf(t, fs) {
		if !strings.HasSuffix(name, ".blk") {
			continue
		}
		b, err := vfs.ReadFile(fs, name)
		require.NoError(t, err)
		for at := 0; at < len(b); at += 1 + len(b)/200 {
			bad := copyOf(t, fs)
			f, err := bad.OpenReadWrite(name)
			require.NoError(t, err)
			_, err = f.WriteAt([]byte{b[at] ^ 1<<rng.IntN(8)}, int64(at))
			require.NoError(t, err)
			require.NoError(t, f.Close())
			checkDamagedWith(t, bad, cfg.Coder, want, fmt.Sprintf("bit flip in %s at %d of %d", name, at, len(b)))
		}
	}
}
