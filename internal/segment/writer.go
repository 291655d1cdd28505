package segment

import (
	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/vfs"
)

// Writer writes one block file, front to back. It is not safe for concurrent
// use. After an error of any method only Abort may be called.
type Writer struct{}

// Create starts the file called name, replacing one of that name.
func Create(fsys vfs.FS, name string, h Header) (*Writer, error) { return &Writer{}, nil }

// BeginChunk writes an encoded times block of n rows from tmin to tmax and
// returns the reference that the chunk's value blocks name.
func (w *Writer) BeginChunk(times []byte, n int, tmin, tmax int64) (ChunkRef, error) {
	return ChunkRef{}, nil
}

// AddBlock writes the values of one series over the rows of chunk c. Blocks of
// a series must be added in time order and may not overlap. A block without
// non-null cells is left out.
func (w *Writer) AddBlock(series uint32, kind column.Kind, c ChunkRef, payload []byte, stats *block.Stats) error {
	return nil
}

// Size returns the bytes written so far, without the index.
func (w *Writer) Size() int64 { return 0 }

// Finish writes the index, syncs and closes the file. The caller renames it and
// syncs its directory.
func (w *Writer) Finish() (Meta, error) { return Meta{}, nil }

// Abort closes and removes the file. It does nothing after Finish succeeded.
func (w *Writer) Abort() error { return nil }
