package segment

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/vfs"
)

// regular is series of one device, several blocks each, with a row a second;
// some blocks have one row, which no line goes through.
func regular(chunks, series int) testData {
	d := testData{head: Header{StoreID: testStore, FileNo: testFile}}
	at := int64(0)
	for c := range chunks {
		n := 100
		if c%3 == 2 {
			n = 1
		}
		var times []int64
		for range n {
			at += 1e9
			times = append(times, at)
		}
		d.chunks = append(d.chunks, times)
	}
	for s := range series {
		for c, times := range d.chunks {
			v := column.Vector{Kind: column.Int64}
			for i := range times {
				v.Int64s = append(v.Int64s, int64(s*7919+c*31+i*i))
			}
			d.blocks = append(d.blocks, testBlock{series: uint32(s + 1), chunk: c, values: v})
		}
	}
	return d
}

// TestLines reads times that are a line again without the file, in the same
// numbers, until the reader is closed; Verify goes on reading the file.
func TestLines(t *testing.T) {
	fsys := &crashfs.Reads{FS: vfs.NewMem()}
	d := regular(9, 3)
	_, want := d.write(t, fsys, "f.blk")
	cache := NewCache(1 << 20)
	r, err := Open(fsys, "f.blk", testStore, testFile, cache)
	require.NoError(t, err)
	require.NoError(t, compare(t, r, want))
	infos, err := r.Blocks(2)
	require.NoError(t, err)
	read := func(c int) (reads int) {
		before := fsys.Count()
		times, err := r.ReadTimes([]int64{1, 2, 3}, new(Scratch), &infos[c])
		require.NoError(t, err)
		require.Equal(t, d.chunks[c], times)
		return fsys.Count() - before
	}
	for c, times := range d.chunks {
		if len(times) > 1 {
			require.Zero(t, read(c), "reads of chunk %d", c)
		} else {
			require.Equal(t, 1, read(c), "reads of chunk %d", c)
		}
	}
	// A block that says something else of the times is damage, from memory too.
	other := infos[0]
	other.MaxTime++
	_, err = r.ReadTimes(nil, new(Scratch), &other)
	require.ErrorContains(t, err, "times and index differ")
	other = infos[0]
	other.N--
	_, err = r.ReadTimes(nil, new(Scratch), &other)
	require.Error(t, err)

	before := fsys.Count()
	require.NoError(t, r.Verify(context.Background(), func(d Damage) { t.Errorf("unexpected finding: %+v", d) }))
	require.Greater(t, fsys.Count()-before, 2)

	require.NoError(t, r.Close())
	for i := range cache.lines.slots {
		require.Nil(t, cache.lines.slots[i].Load(), "line %d after Close", i)
	}
}

// TestReadValuesOf reads blocks of a series that lie together at once, and
// nothing of what comes after the last time asked for.
func TestReadValuesOf(t *testing.T) {
	fsys := &crashfs.Reads{FS: vfs.NewMem()}
	d := regular(9, 1)
	d.write(t, fsys, "f.blk")
	r, err := Open(fsys, "f.blk", testStore, testFile, NewCache(1<<20))
	require.NoError(t, err)
	defer r.Close()
	infos, err := r.Blocks(1)
	require.NoError(t, err)
	for _, c := range []struct {
		name     string
		lo, hi   int   // blocks that are read
		last     int64 // up to here
		reads    int   // at most
		upToByte int64 // and not beyond
	}{
		{"all", 0, 9, math.MaxInt64, 1, infos[8].Values.end()},
		{"the first", 0, 1, infos[0].MaxTime, 1, infos[0].Values.end()},
		{"the last", 8, 9, math.MaxInt64, 1, infos[8].Values.end()},
		{"some", 2, 5, infos[4].MinTime, 1, infos[4].Values.end()},
	} {
		t.Run(c.name, func(t *testing.T) {
			var sc Scratch
			before := fsys.Count()
			for k := c.lo; k < c.hi; k++ {
				var v column.Vector
				nulls, err := r.ReadValuesOf(&v, nil, &sc, infos[k:], c.last)
				require.NoError(t, err)
				require.Nil(t, nulls)
				require.Equal(t, d.blocks[k].values.Int64s, v.Int64s)
			}
			require.LessOrEqual(t, fsys.Count()-before, c.reads)
			require.Equal(t, c.upToByte, sc.values.offset+int64(len(sc.values.bytes)))
		})
	}
}

// TestReadTimesOf reads the times of a series together with its values, at once,
// where these follow, and nothing along where they do not.
func TestReadTimesOf(t *testing.T) {
	fsys := &crashfs.Reads{FS: vfs.NewMem()}
	d := regular(9, 3)
	d.write(t, fsys, "f.blk")
	for _, c := range []struct {
		name   string
		series uint32
		last   int64
	}{
		{"first series", 1, math.MaxInt64},
		{"last series", 3, math.MaxInt64},
		{"one block", 1, math.MinInt64},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := Open(fsys, "f.blk", testStore, testFile, NewCache(1<<20))
			require.NoError(t, err)
			defer r.Close()
			infos, err := r.Blocks(c.series)
			require.NoError(t, err)
			follows := infos[0].Values.Offset-infos[0].Times.end() <= nearby
			var sc Scratch
			before := fsys.Count()
			times, err := r.ReadTimesOf(nil, &sc, infos, c.last)
			require.NoError(t, err)
			require.Equal(t, d.chunks[0], times)
			var v column.Vector
			_, err = r.ReadValuesOf(&v, nil, &sc, infos, c.last)
			require.NoError(t, err)
			want := 2
			if follows {
				want = 1
			}
			require.Equal(t, want, fsys.Count()-before, "reads for times and values, which follow: %v", follows)
			var plain column.Vector
			_, err = r.ReadValues(&plain, nil, new(Scratch), &infos[0])
			require.NoError(t, err)
			require.Equal(t, plain.Int64s, v.Int64s)
		})
	}
}

// TestAlong is the table of what is read together.
func TestAlong(t *testing.T) {
	block := func(at int64, offset int64, length uint32) BlockInfo {
		return BlockInfo{MinTime: at, MaxTime: at + 9, Values: Ref{Offset: offset, Length: length}}
	}
	next := []BlockInfo{block(0, 1000, 96), block(10, 1100, 96), block(20, 1200, 96)}
	for _, c := range []struct {
		name   string
		blocks []BlockInfo
		last   int64
		want   int
	}{
		{"one", next[2:], math.MaxInt64, 100},
		{"all", next, math.MaxInt64, 300},
		{"up to a time", next, 19, 200},
		{"the second begins at the time", next, 10, 200},
		{"a line between", []BlockInfo{block(0, 1000, 96), block(10, 1100+betweenBlocks, 96)}, 99, 200 + betweenBlocks},
		{"too far apart", []BlockInfo{block(0, 1000, 96), block(10, 1101+betweenBlocks, 96)}, 99, 100},
		{"backwards", []BlockInfo{block(0, 1000, 96), block(10, 500, 96)}, 99, 100},
		{"too much", []BlockInfo{block(0, 1000, 96), block(10, 1100, maxAlong-100-crcSize+1)}, 99, 100},
		{"as much as may be", []BlockInfo{block(0, 1000, 96), block(10, 1100, maxAlong-100-crcSize)}, 99, maxAlong},
		{"a large one", []BlockInfo{block(0, 1000, 1<<20), block(10, 1000+1<<20+crcSize, 96)}, 99, 1<<20 + crcSize},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, along(c.blocks, c.last)) })
	}
}

// TestAcross: what is read along with a block of a chunk.
func TestAcross(t *testing.T) {
	chunk := func(offsets ...int64) (blocks []BlockInfo) {
		for _, at := range offsets {
			blocks = append(blocks, BlockInfo{Values: Ref{Offset: at, Length: 96}})
		}
		return blocks
	}
	for _, c := range []struct {
		name    string
		chunk   []BlockInfo
		at      int
		grouped bool
		want    int
	}{
		{"side by side", chunk(1000, 1100, 1200), 0, false, 300},
		{"from the second on", chunk(1000, 1100, 1200), 1, false, 200},
		{"the last", chunk(1000, 1100, 1200), 2, false, 100},
		{"in any order", chunk(1200, 1000, 1100), 1, false, 300},
		{"three of twenty-four", chunk(1000, 1100, 1000+seldom*300-100), 0, false, seldom * 300},
		{"three of more", chunk(1000, 1100, 1000+seldom*300-99), 0, false, 0},
		{"others between", chunk(1000, 1500, 2000), 0, true, 1500},
		{"the last of a group", chunk(1000, 1500, 2000), 2, true, 100},
		{"far apart", chunk(1000, 30_000, 50_000), 0, true, maxAhead},
		{"too far", chunk(1000, 1000+maxAhead), 0, false, 100},
		{"at the end of what is read", chunk(1000, 1000+maxAhead-100), 0, true, maxAhead},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, across(c.chunk, c.at, c.grouped)) })
	}
}

// TestFollows: a block lies right behind one of its series, or a line is between.
func TestFollows(t *testing.T) {
	a := BlockInfo{Series: 7, Values: Ref{1000, 96}}
	for _, c := range []struct {
		series uint32
		offset int64
		want   bool
	}{
		{7, 1100, true}, {7, 1100 + betweenBlocks, true}, {7, 1101 + betweenBlocks, false},
		{7, 1099, false}, {7, 500, false}, {8, 1100, false},
	} {
		b := BlockInfo{Series: c.series, Values: Ref{c.offset, 96}}
		require.Equal(t, c.want, b.Follows(&a), "%+v", c)
	}
}

// TestWriteTimes: times that are written before their blocks are where these find
// them, once, and chunks that nobody began have none.
func TestWriteTimes(t *testing.T) {
	fsys := vfs.NewMem()
	w, err := Create(fsys, "f.blk", Header{StoreID: testStore, FileNo: testFile, MaxLSN: 1})
	require.NoError(t, err)
	require.ErrorIs(t, w.WriteTimes(ChunkRef{}), errs.BadInput)
	var e block.Encoder
	var chunks []ChunkRef
	for c := range int64(3) {
		ref, err := w.BeginChunk(block.AppendTimes(nil, []int64{c * 10, c*10 + 1}), 2, c*10, c*10+1)
		require.NoError(t, err)
		require.NoError(t, w.WriteTimes(ref))
		require.NoError(t, w.WriteTimes(ref))
		chunks = append(chunks, ref)
	}
	for s := range uint32(2) {
		for c, ref := range chunks {
			v := column.Vector{Kind: column.Int64, Int64s: []int64{int64(s), int64(c)}}
			var st block.Stats
			st.Compute([]int64{ref.MinTime, ref.MaxTime}, &v, nil)
			require.NoError(t, w.AddBlock(s+1, column.Int64, ref, e.AppendValues(nil, &v, nil), &st))
		}
	}
	_, err = w.Finish()
	require.NoError(t, err)
	require.ErrorIs(t, w.WriteTimes(chunks[0]), errs.Closed)
	r, err := Open(fsys, "f.blk", testStore, testFile, nil)
	require.NoError(t, err)
	defer r.Close()
	require.NoError(t, r.Verify(context.Background(), func(d Damage) { t.Error(d) }))
	for s := range uint32(2) {
		infos, err := r.Blocks(s + 1)
		require.NoError(t, err)
		for c := range infos {
			times, err := r.ReadTimes(nil, new(Scratch), &infos[c])
			require.NoError(t, err)
			require.Equal(t, []int64{int64(c) * 10, int64(c)*10 + 1}, times)
			if c > 0 {
				require.True(t, infos[c].Follows(&infos[c-1]))
			}
		}
	}
}
