package segment

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/vfs"
)

// heldCache is the smallest cache that keeps blocks.
const heldCache = heldShare * leastHeld

// irregular is the data of makeData: times that are no lines, all kinds, nulls.
func irregular(t testing.TB, fsys vfs.FS, name string, seed uint64, cache *Cache) (*Reader, map[uint32]*seriesData) {
	_, want := makeData(seed, 3, 8, 60).write(t, fsys, name)
	r, err := Open(fsys, name, testStore, testFile, cache)
	require.NoError(t, err)
	return r, want
}

// TestHeldBlocks: what was read three times is read no more, is the same, also
// when the medium has lost it since, which Verify still finds; and nothing of it
// is left after Close.
func TestHeldBlocks(t *testing.T) {
	fsys, cache := &crashfs.Reads{FS: vfs.NewMem()}, NewCache(heldCache)
	r, want := irregular(t, fsys, "f.blk", 1, cache)
	require.NoError(t, compare(t, r, want))
	once := cache.held.used.Load()
	require.Less(t, once, r.size/2, "bytes kept of what was read once") // times are read by each series of a device
	for range 6 {                                                       // two blocks may have one place
		require.NoError(t, compare(t, r, want))
	}
	require.Greater(t, cache.held.used.Load(), r.size/2)
	require.GreaterOrEqual(t, cache.Bytes(), cache.held.used.Load())
	b := readFile(t, fsys.FS, "f.blk")
	var infos []BlockInfo
	for id := range r.Series() {
		more, err := r.Blocks(id)
		require.NoError(t, err)
		infos = append(infos, more...)
	}
	before := fsys.Count()
	require.NoError(t, compare(t, r, want))
	require.Less(t, fsys.Count()-before, len(infos)/20, "reads of what is kept, but of blocks that share a place")

	lost := 0
	for _, in := range infos {
		if cache.block(r, in.Values) != nil {
			b[in.Values.Offset] ^= 0x40
			lost++
		}
	}
	require.Greater(t, lost, len(infos)*9/10)
	overwrite(t, fsys.FS, "f.blk", b)
	require.NoError(t, compare(t, r, want), "from memory")
	found := 0
	require.NoError(t, r.Verify(context.Background(), func(Damage) { found++ }))
	require.Equal(t, lost, found, "findings of Verify")

	// A length that is not that of the block is not answered from memory.
	other := infos[slices.IndexFunc(infos, func(in BlockInfo) bool { return cache.block(r, in.Values) != nil })]
	other.Values.Length--
	var v column.Vector
	_, err := r.ReadValues(&v, nil, new(Scratch), &other)
	require.ErrorContains(t, err, "block checksum is wrong")

	require.NoError(t, r.Close())
	require.Zero(t, cache.held.used.Load())
	require.Zero(t, cache.Bytes())
	for i := range cache.held.slots {
		require.Nil(t, cache.held.slots[i].block.Load(), "slot %d after Close", i)
	}
}

// TestHeldBlocksOfTwins: two files of the same number, as of two folders, share a
// cache and never each other's blocks.
func TestHeldBlocksOfTwins(t *testing.T) {
	cache := NewCache(heldCache)
	one, first := irregular(t, vfs.NewMem(), "f.blk", 1, cache)
	two, second := irregular(t, vfs.NewMem(), "f.blk", 2, cache)
	for range 4 {
		require.NoError(t, compare(t, one, first))
		require.NoError(t, compare(t, two, second))
	}
	require.NoError(t, one.Close())
	require.NoError(t, compare(t, two, second))
	require.NoError(t, two.Close())
	require.Zero(t, cache.Bytes())
}

// TestHeldBlocksNeedRoom: a small cache, as on the edge, keeps none, and takes
// nothing for them.
func TestHeldBlocksNeedRoom(t *testing.T) {
	for _, limit := range []int64{0, 1 << 20, heldCache - 1} {
		fsys, cache := &crashfs.Reads{FS: vfs.NewMem()}, NewCache(limit)
		require.Nil(t, cache.held.slots, "limit %d", limit)
		r, want := irregular(t, fsys, "f.blk", 1, cache)
		for range 3 {
			require.NoError(t, compare(t, r, want))
		}
		before := fsys.Count()
		require.NoError(t, compare(t, r, want))
		require.Greater(t, fsys.Count(), before, "limit %d", limit)
		require.NoError(t, r.Close())
	}
	require.Equal(t, int64(heldCache), func() int64 {
		c := NewCache(heldCache)
		return c.pages.limit + c.entries.limit + c.held.limit
	}(), "all parts together")
}

// model of held: which blocks it may have, and their bytes.
func TestHeldModel(t *testing.T) {
	var h held
	h.room(leastHeld)
	readers := make([]*Reader, 3)
	for i := range readers {
		readers[i] = &Reader{head: Header{FileNo: uint64(i + 1)}}
	}
	type key struct {
		r   *Reader
		off int64
	}
	bytesOf := func(k key) []byte {
		b := make([]byte, 9+(uint64(k.off)*2654435761+k.r.head.FileNo*977)%3000)
		binary.LittleEndian.PutUint64(b, uint64(k.off))
		b[8] = byte(k.r.head.FileNo)
		return b
	}
	rnd := rand.New(rand.NewPCG(7, 7))
	put, hits, hot := map[key]bool{}, 0, 0
	for i := range 40_000 {
		k := key{readers[rnd.IntN(len(readers))], int64(rnd.IntN(2000)) * 16}
		if i%2 == 0 { // some are asked for often
			k.off %= 16 * 50
		}
		want := bytesOf(k)
		got := h.get(k.r, Ref{k.off, uint32(len(want))})
		if got != nil {
			hits++
			if i%2 == 0 && i > 20_000 {
				hot++
			}
			if !bytes.Equal(want, got) || !put[k] {
				t.Fatalf("step %d: %v: %x, want %x; given before: %v", i, k, got[:9], want[:9], put[k])
			}
		} else {
			h.put(k.r, k.off, want)
			put[k] = true
		}
		if h.get(k.r, Ref{k.off, uint32(len(want) + 1)}) != nil {
			t.Fatalf("step %d: another length", i)
		}
		if i%5000 == 4999 {
			gone := readers[i%len(readers)]
			h.forget(gone)
			for k := range put {
				if k.r == gone {
					delete(put, k)
				}
			}
		}
		if h.used.Load() > h.limit {
			t.Fatalf("step %d: %d bytes, more than %d", i, h.used.Load(), h.limit)
		}
	}
	sum := int64(0)
	for i := range h.slots {
		sum += h.slots[i].block.Load().size()
	}
	require.Equal(t, sum, h.used.Load())
	require.Greater(t, hits, 1000)
	require.Greater(t, hot, 7000, "of 10,000 that are asked for often")
	for _, r := range readers {
		h.forget(r)
	}
	require.Zero(t, h.used.Load())
}

// TestHeldBlocksStay: reading much once does not drive out what is read often.
func TestHeldBlocksStay(t *testing.T) {
	var h held
	h.room(leastHeld)
	r, b := &Reader{}, make([]byte, 1000)
	often := func() (hits int) {
		for i := range int64(100) {
			if h.get(r, Ref{i * 1004, 1000}) != nil {
				hits++
			} else {
				h.put(r, i*1004, b)
			}
		}
		return hits
	}
	for range 6 {
		often()
	}
	require.Equal(t, 100, often())
	for i := range int64(20_000) { // once each
		h.get(r, Ref{i*1004 + 1<<30, 1000})
		h.put(r, i*1004+1<<30, b)
	}
	require.Greater(t, often(), 95)
}

// TestHeldBlocksTogether reads and closes files of one cache on several
// goroutines.
func TestHeldBlocksTogether(t *testing.T) {
	cache := NewCache(heldCache)
	var wg sync.WaitGroup
	for g := range 2 {
		wg.Go(func() {
			for round := range 2 {
				fsys := vfs.NewMem()
				r, want := irregular(t, fsys, fmt.Sprint("f", g, ".blk"), uint64(g*10+round), cache)
				var readers sync.WaitGroup
				for range 2 {
					readers.Go(func() {
						for range 4 {
							if err := compare(t, r, want); err != nil {
								t.Error(err)
							}
						}
					})
				}
				readers.Wait()
				if err := r.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	require.Zero(t, cache.Bytes())
}

// TestHeldBlocksAllocate: looking allocates nothing, whatever is found, and what
// is read once is not copied.
func TestHeldBlocksAllocate(t *testing.T) {
	var h held
	h.room(leastHeld)
	r, b, next := &Reader{}, make([]byte, 1000), int64(0)
	for range 3 {
		h.put(r, 0, b)
	}
	require.NotNil(t, h.get(r, Ref{0, 1000}))
	require.Zero(t, testing.AllocsPerRun(100, func() {
		h.get(r, Ref{0, 1000})
		next += 1004
		h.get(r, Ref{next, 1000})
		h.put(r, next, b)
	}))
}

// TestHeldLines: times that are a line are kept as any block is when others take
// their place among lines again and again.
func TestHeldLines(t *testing.T) {
	fsys, cache := &crashfs.Reads{FS: vfs.NewMem()}, NewCache(heldCache)
	d := regular(9, 3)
	_, want := d.write(t, fsys, "f.blk")
	r, err := Open(fsys, "f.blk", testStore, testFile, cache)
	require.NoError(t, err)
	defer r.Close()
	var reads int
	for range 6 {
		for i := range cache.lines.slots {
			cache.lines.slots[i].Store(nil)
		}
		before := fsys.Count()
		require.NoError(t, compare(t, r, want))
		reads = fsys.Count() - before
	}
	require.Zero(t, reads)
}
