package vfs_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/tickwell/tickwell/vfs"
)

// BenchmarkOverwrite writes 56 bytes after 56 bytes over a file that was written in
// calls of so many bytes: where a system's cache keeps what was written together as
// one piece, all of the piece is looked at by each call. Nothing lies in the file of 0.
func BenchmarkOverwrite(b *testing.B) {
	const size, record = 16 << 20, 56
	for _, piece := range []int64{0, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("%dKiB", piece>>10), func(b *testing.B) {
			f, err := vfs.OS().Create(filepath.Join(b.TempDir(), "log"))
			if err != nil {
				b.Fatal(err)
			}
			defer f.Close()
			for at := int64(0); piece > 0 && at < size; at += piece {
				if _, err := f.WriteAt(make([]byte, piece), at); err != nil {
					b.Fatal(err)
				}
			}
			data, at := make([]byte, record), int64(0)
			for b.Loop() {
				if _, err := f.WriteAt(data, at); err != nil {
					b.Fatal(err)
				}
				if at += record; at+record > size {
					at = 0
					if piece == 0 {
						if err := f.Truncate(0); err != nil {
							b.Fatal(err)
						}
					}
				}
			}
		})
	}
}
