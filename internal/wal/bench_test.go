package wal

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/tickwell/tickwell/vfs"
)

// BenchmarkAppendCommit measures a record's way to the operating system. The
// floor is a bare write of the same bytes.
func BenchmarkAppendCommit(b *testing.B) {
	for _, size := range []int{64, 4096} {
		payload := make([]byte, size)
		for i := range payload {
			payload[i] = byte(i * 7)
		}
		for _, recycle := range []bool{false, true} {
			b.Run(fmt.Sprintf("log/%dB/recycle %v", size, recycle), func(b *testing.B) {
				cfg := testConfig(vfs.OS(), Never)
				cfg.Recycle = recycle
				cfg.Dir, cfg.SegmentBytes = filepath.Join(b.TempDir(), "wal"), 64<<20
				l, _, _ := open(b, cfg, 0)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					lsn, err := l.Append(1, payload)
					if err == nil {
						err = l.Commit(bg, lsn, false)
					}
					if err != nil {
						b.Fatal(err)
					}
					if lsn%10000 == 0 { // do not fill the disk
						if err := l.Retire(lsn); err != nil {
							b.Fatal(err)
						}
					}
				}
				b.StopTimer()
				if err := l.Close(); err != nil {
					b.Fatal(err)
				}
			})
		}
		b.Run(fmt.Sprintf("floor/%dB", size), func(b *testing.B) {
			name := filepath.Join(b.TempDir(), "floor")
			f, err := os.Create(name)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(size))
			n := int64(0)
			for b.Loop() {
				if _, err := f.Write(payload); err != nil {
					b.Fatal(err)
				}
				if n += int64(size); n >= 64<<20 { // fresh pages and a sync a file, as the log has
					n = 0
					if f.Sync() != nil || f.Close() != nil || os.Remove(name) != nil {
						b.Fatal("cannot change files")
					}
					if f, err = os.Create(name); err != nil {
						b.Fatal(err)
					}
				}
			}
			f.Close()
		})
		b.Run(fmt.Sprintf("batch of 100/%dB", size), func(b *testing.B) {
			cfg := testConfig(vfs.OS(), Never)
			cfg.Dir, cfg.SegmentBytes = filepath.Join(b.TempDir(), "wal"), 64<<20
			l, _, _ := open(b, cfg, 0)
			b.SetBytes(int64(size))
			for b.Loop() {
				lsn, err := l.Append(1, payload)
				if err == nil && lsn%100 == 0 {
					err = l.Commit(bg, lsn, false)
				}
				if err != nil {
					b.Fatal(err)
				}
				if lsn%10000 == 0 {
					if err := l.Retire(lsn); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.StopTimer()
			if err := l.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkReplay measures Open over a log of 64 MiB in the page cache.
func BenchmarkReplay(b *testing.B) {
	for _, size := range []int{64, 4096} {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			cfg := testConfig(vfs.OS(), Never)
			cfg.Dir, cfg.SegmentBytes = filepath.Join(b.TempDir(), "wal"), 16<<20
			l, _, _ := open(b, cfg, 0)
			payload := make([]byte, size)
			total := 64 << 20
			for n := 0; n < total; n += recordHeader + size {
				if _, err := l.Append(1, payload); err != nil {
					b.Fatal(err)
				}
			}
			if err := l.Close(); err != nil {
				b.Fatal(err)
			}
			cfg.ReadOnly = true
			b.SetBytes(int64(total))
			for b.Loop() {
				_, rep, err := Open(cfg, 0, func(uint64, uint8, []byte) error { return nil })
				if err != nil || len(rep.Damage) > 0 {
					b.Fatal(err, rep.Damage)
				}
			}
		})
	}
}
