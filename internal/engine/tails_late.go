package engine

import (
	"math"
	"math/bits"
	"slices"
	"sync/atomic"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/merge"
	"github.com/tickwell/tickwell/internal/segment"
)

// lateTails are tails of the newest file of a store that was opened: who reads the
// newest block of a series first leaves its end for the next ones. There is a place
// for each; nothing takes a lock, and what is there stays.
type lateTails struct {
	room   atomic.Int64 // bytes left
	slots  []atomic.Pointer[lateTail]
	shared atomic.Pointer[lateTimes] // of the tail that was made last
}

// lateTail is the newest points of a series, in a source of one block.
type lateTail struct {
	id     uint32
	chunk  tailChunk
	blocks [1]merge.Block // none if Chunk is nil: the series has no tail
}

// lateTimes are the last times of a times block.
type lateTimes struct {
	offset int64
	times  []int64
}

// lateProbes is how many places a series may have.
const lateProbes = 8

// learnTails gives the newest of the files that a store is opened with tails that
// come with reading.
func (e *Engine) learnTails() {
	var newest *blockFile
	for _, f := range e.version.files {
		if !f.lost && (newest == nil || f.meta.MaxTime >= newest.meta.MaxTime) {
			newest = f
		}
	}
	if e.tailRoom == 0 || newest == nil {
		return
	}
	n := uint(min(e.tailRoom/tailBytes, int64(newest.reader.Meta().Series)))
	l := &lateTails{slots: make([]atomic.Pointer[lateTail], 1<<bits.Len(2*n))}
	l.room.Store(e.tailRoom)
	newest.tails.Store(&tails{late: l})
}

// find returns the tail of a series, and a free place for it, if there is one.
func (l *lateTails) find(id uint32) (*lateTail, *atomic.Pointer[lateTail]) {
	at := int(id * 0x9E3779B1 >> 7)
	for i := range lateProbes {
		slot := &l.slots[(at+i)&(len(l.slots)-1)]
		switch t := slot.Load(); {
		case t == nil:
			return nil, slot
		case t.id == id:
			return t, nil
		}
	}
	return nil, nil
}

// since is that of tails.
func (l *lateTails) since(id uint32, from int64) (merge.Source, bool) {
	t, _ := l.find(id)
	if t == nil || t.blocks[0].Chunk == nil || from < t.blocks[0].Min {
		return nil, false
	}
	return t.blocks[:], true
}

// learn keeps the end of a block of f that was read, in values and nulls, if it
// is the last of its series and there is room.
func (l *lateTails) learn(f *blockFile, b *segment.BlockInfo, values *column.Vector, nulls column.Bitmap, scratch *segment.Scratch) {
	_, slot := l.find(b.Series)
	if slot == nil || b.Kind == column.Text || b.N <= tailRows || l.room.Load() < tailBytes+8*tailRows {
		return
	}
	later, err := f.reader.BlocksIn(nil, b.Series, b.MaxTime+1, math.MaxInt64)
	if err != nil || len(later) > 0 {
		return
	}
	t := &lateTail{id: b.Series}
	t.chunk.values.Kind = b.Kind
	used := int64(tailBytes)
	if nulls.Any(b.N) {
		times, err := f.reader.ReadTimes(nil, scratch, b)
		if err != nil {
			return
		}
		t.chunk.sparse(times, values, nulls, b.N)
		used += 8 * tailRows
	} else {
		shared := l.shared.Load()
		if shared == nil || shared.offset != b.Times.Offset {
			times, err := f.reader.ReadTimes(nil, scratch, b)
			if err != nil {
				return
			}
			shared = &lateTimes{b.Times.Offset, slices.Clone(times[b.N-tailRows:])}
			l.shared.Store(shared)
			used += 8 * tailRows
		}
		t.chunk.times = shared.times
		t.chunk.values.AppendRange(values, b.N-tailRows, b.N)
	}
	if n := len(t.chunk.times); n > 0 {
		t.blocks[0] = merge.Block{Min: t.chunk.times[0], Max: t.chunk.times[n-1], N: n, LSN: f.meta.MaxLSN, Cols: zeroCol, Chunk: &t.chunk}
	}
	if l.room.Add(-used) >= 0 && slot.CompareAndSwap(nil, t) {
		return
	}
	l.room.Add(used) // taken by another goroutine
}
