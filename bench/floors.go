package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/tickwell/tickwell/bench/harness"
)

// A floor is the least that a case can cost on this machine: the part of the
// work that nobody can leave out. All are nanoseconds.
//
//	copy    16 bytes (a time and a value) copied between buffers beyond the caches
//	sum     one float64 added up, from the caches
//	write   16 bytes written to a file in calls of 16,000 bytes
//	write1  one write call of 16 bytes
//	row     one write call of 160 bytes, a tenth of it
//	sync    16,000 bytes written and fsynced, a thousandth of it
//	sync1   16 bytes written and fsynced
//	syncrow 160 bytes written and fsynced, a tenth of it
//	open    one small file opened, read and closed
//	hot     a point kept as an integer among the newest of its series, and packed in time
//	logged  the same, and packed into a log record of 1,000 that is written with a checksum
//	hot1    the same as hot, one point at a time under a lock
//	logged1 the same as logged, one point at a time into a buffer that nobody writes
//	replay  a point of such a record put back
//	decode  a packed point unpacked and handed to a function
//	fold    a packed point unpacked and averaged by six
//	slots   1,000 newest points handed to a function, each under its lock
//	tail    30 points of a slice handed to a function
func printFloors(args []string) {
	dir := os.TempDir()
	if len(args) > 0 {
		dir = args[0]
	}
	q, err := floors(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, "floors:", err)
		os.Exit(1)
	}
	line, err := json.Marshal(q)
	if err != nil {
		fmt.Fprintln(os.Stderr, "floors:", err)
		os.Exit(1)
	}
	fmt.Printf("%s\n", line)
}

var sink float64 //nolint:unused // keeps the compiler from dropping the sum

func floors(dir string) (map[string]float64, error) {
	q := map[string]float64{}
	const n = 4 << 20
	src, dst := make([]byte, 16*n), make([]byte, 16*n)
	for i := range src {
		src[i], dst[i] = byte(i), 1
	}
	q["copy"] = median(7, n, func() error { copy(dst, src); return nil })
	x := make([]float64, 10_000)
	for i := range x {
		x[i] = float64(i%997) / 100
	}
	q["sum"] = median(7, 100*len(x), func() error {
		for range 100 {
			for _, v := range x {
				sink += v
			}
		}
		return nil
	})
	for _, w := range []struct {
		name          string
		size, calls   int
		sync          bool
		pointsPerCall int
	}{
		{"write", 16_000, 1000, false, 1000},
		{"row", 160, 20_000, false, 10},
		{"write1", 16, 20_000, false, 1},
		{"sync", 16_000, 20, true, 1000},
		{"syncrow", 160, 20, true, 10},
		{"sync1", 16, 20, true, 1},
	} {
		f, err := os.Create(filepath.Join(dir, "floor"))
		if err != nil {
			return nil, err
		}
		var failed error
		q[w.name] = median(3, w.calls*w.pointsPerCall, func() error {
			for range w.calls {
				if _, err := f.Write(src[:w.size]); err != nil {
					failed = err
				}
				if w.sync {
					if err := f.Sync(); err != nil {
						failed = err
					}
				}
			}
			return nil
		})
		if err := f.Close(); err != nil {
			failed = err
		}
		if failed != nil {
			return nil, failed
		}
	}
	q["open"] = median(7, 100, func() error {
		for range 100 {
			if _, err := os.ReadFile("/proc/self/cmdline"); err != nil {
				if _, err := os.ReadFile(os.Args[0]); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err := workFloors(dir, q); err != nil {
		return nil, err
	}
	return q, os.Remove(filepath.Join(dir, "floor"))
}

// median times f and returns the median of reps runs in nanoseconds per unit.
func median(reps, units int, f func() error) float64 {
	var ns []float64
	for range reps {
		t := time.Now()
		if f() != nil {
			return 0
		}
		ns = append(ns, float64(time.Since(t))/float64(units))
	}
	return harness.Median(ns)
}
