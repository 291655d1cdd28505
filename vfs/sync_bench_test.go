package vfs_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/tickwell/tickwell/vfs"
)

// BenchmarkSync writes 2,500 bytes and syncs them: to a file that has its size
// already, as a log's segment that is used again, and to one that grows.
func BenchmarkSync(b *testing.B) {
	const size, record = 16 << 20, 2500
	for _, grown := range []bool{true, false} {
		b.Run(fmt.Sprintf("grown=%v", grown), func(b *testing.B) {
			f, err := vfs.OS().Create(filepath.Join(b.TempDir(), "log"))
			if err != nil {
				b.Fatal(err)
			}
			defer f.Close()
			if grown {
				if _, err := f.WriteAt(make([]byte, size), 0); err != nil {
					b.Fatal(err)
				}
				if err := f.Sync(); err != nil {
					b.Fatal(err)
				}
			}
			data, at := make([]byte, record), int64(0)
			for b.Loop() {
				if _, err := f.WriteAt(data, at); err != nil {
					b.Fatal(err)
				}
				if err := f.Sync(); err != nil {
					b.Fatal(err)
				}
				if at += record; at+record > size {
					at = 0
				}
			}
		})
	}
}
