// Package zstd lets a store compress the blocks of its old files:
//
//	db, err := tickwell.Open(ctx, dir, &tickwell.Options{Compress: zstd.New})
//
// It is a package of its own because the coder adds about half a megabyte to a
// program.
package zstd

import (
	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/pack"
)

// Reader is New for programs that look at stores of others: compressed blocks are
// read, and nothing is compressed.
func Reader() (tickwell.Compressor, error) {
	z, err := pack.NewZstd()
	return reader{z}, err
}

type reader struct{ *pack.Zstd }

// OnlyReads tells the store not to compress.
func (reader) OnlyReads() {}

// New returns a coder for [tickwell.Options].Compress. It is called once for
// each store that is opened.
func New() (tickwell.Compressor, error) { return pack.NewZstd() }
