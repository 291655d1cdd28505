package engine

import (
	"slices"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/segment"
)

// groupBytes is how many bytes of blocks are written series by series at most. A
// reader of all series takes as much by one call.
const groupBytes = 60 << 10

// groupMemory bounds what a group takes in memory besides the blocks: encoded times,
// which may be many times as large as values that hardly change, and the table of
// blocks, which is wide where few of a device's series have cells.
const groupMemory = 128 << 10

// chunkGroup is chunks of some series that follow each other in time and are
// written together, the times of all and then series by series: who reads one
// series finds its blocks side by side.
type chunkGroup struct {
	chunks []segment.ChunkRef
	blocks []groupBlock // of each chunk, one for each series
	bytes  int          // of payloads
	memory int          // see groupMemory
	copies []byte       // of blocks that lie in memory which is used again
}

// groupBlock is an encoded block, without stats if a series has none in a chunk.
type groupBlock struct {
	payload []byte
	stats   *block.Stats
}

// groupBlockBytes is the size of a groupBlock.
const groupBlockBytes = 32

// begin takes the next chunk, of width series and so many bytes of times.
func (g *chunkGroup) begin(ref segment.ChunkRef, width, times int) {
	g.chunks = append(g.chunks, ref)
	g.memory += times + width*groupBlockBytes
	n := len(g.blocks)
	g.blocks = slices.Grow(g.blocks, width)[:n+width]
	clear(g.blocks[n:])
}

// add takes the block of series i in the chunk that was begun last; width is that
// of begin.
func (g *chunkGroup) add(i, width int, payload []byte, stats *block.Stats) {
	g.blocks[len(g.blocks)-width+i] = groupBlock{payload, stats}
	g.bytes += len(payload)
}

// keep returns a copy of b that is good until the group is written.
func (g *chunkGroup) keep(b []byte) []byte {
	n := len(g.copies)
	g.copies = append(g.copies, b...)
	return g.copies[n:len(g.copies):len(g.copies)]
}

// forget makes g empty.
func (g *chunkGroup) forget() {
	clear(g.blocks)
	*g = chunkGroup{chunks: g.chunks[:0], blocks: g.blocks[:0], copies: g.copies[:0]}
	if cap(g.copies) > 2*groupBytes {
		g.copies = nil
	}
}

// writeGroup writes the chunks of the group.
func (bw *blockWriter) writeGroup() error {
	g := &bw.group
	width := len(bw.ids)
	for c, ref := range g.chunks {
		has := func(b groupBlock) bool { return b.stats != nil && b.stats.Count > 0 }
		if slices.ContainsFunc(g.blocks[c*width:(c+1)*width], has) {
			if err := bw.w.WriteTimes(ref); err != nil {
				return err
			}
		}
	}
	for i := range bw.ids {
		for c, ref := range g.chunks {
			b := &g.blocks[c*width+i]
			if b.stats == nil {
				continue
			}
			if err := bw.w.AddBlock(bw.ids[i], bw.kinds[i], ref, b.payload, b.stats); err != nil {
				return err
			}
			bw.blocks++
		}
	}
	g.forget()
	return bw.paced()
}

// roomFor writes the group if a chunk with so many bytes of times and of values is
// too much for it.
func (bw *blockWriter) roomFor(times, values int) error {
	g := &bw.group
	memory := times + len(bw.ids)*groupBlockBytes
	if len(g.chunks) > 0 && (g.bytes+values > groupBytes || g.memory+memory > groupMemory) {
		return bw.writeGroup()
	}
	return nil
}
