package torture

import (
	"fmt"
	"path"
	"strings"

	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/vfs"
)

// Trunc cuts every file of a store at every byte, zeroes its sectors and pages,
// and lets files be missing, doubled, of an earlier time, or of another store.
func Trunc(o Options) *Report {
	r := newReport("trunc", o.Seed)
	run, v := everyFile(o.Seed, 40)
	r.Runs, r.Acked = 1, int64(len(run.calls))
	other, ov := everyFileOf(o.Seed+1000, 40, 8) // its id comes from the seed of the store
	if v.Class == Fine {
		v = ov
	}
	if v.Class != Fine {
		r.fail(Failure{Verdict: v, Seed: o.Seed, Where: "making the store", Calls: run.calls})
		return r.done()
	}
	t := &trunc{o: &o, r: r, run: run, disk: run.fs.Image(run.fs.Ops(), crashfs.All, 0)}
	all := files(t.disk, "/")
	for _, name := range sortedKeys(all) {
		if strings.HasSuffix(name, ".wal") {
			t.newest = name
		}
	}
	foreign := files(other.fs.Image(other.fs.Ops(), crashfs.All, 0), "/")
	for _, name := range sortedKeys(all) {
		if strings.HasSuffix(name, "/LOCK") {
			continue
		}
		r.Counts["files"]++
		t.lengths(name, all[name])
		t.zeroes(name, all[name])
		t.missing(name)
		t.doubled(name, all[name])
		t.older(name, all[name])
		t.foreign(name, foreign)
		if o.over(r) {
			r.Counts["cut_short"] = 1
			break
		}
	}
	return r.done()
}

type trunc struct {
	o    *Options
	r    *Report
	run  *Run
	disk *vfs.Mem

	newest string // segment of the log
}

// shortens are the changes that may look as if the log had ended earlier.
var shortens = map[string]bool{"cut": true, "zeroed": true, "older": true, "missing": true}

// try opens a copy of the store after change and counts under kind.
func (t *trunc) try(kind, name, what string, change func(m *vfs.Mem) error) {
	img := clone(t.disk)
	if err := change(img); err != nil {
		t.r.fail(Failure{Verdict: failedWith(err, "spoil"), Where: what})
		return
	}
	s := spoiled{run: t.run, fs: img, file: name, tail: name == t.newest && shortens[kind]}
	v, reported := s.judge()
	t.r.States++
	t.r.Counts[kind]++
	if reported {
		t.r.Counts["detected"]++
	} else if s.short {
		t.r.Counts["silent_tail"]++
	}
	if v.Class != Fine {
		t.r.fail(Failure{Verdict: v, Seed: t.o.Seed, Where: fmt.Sprintf("%s %s", strings.TrimPrefix(name, "/"), what), Repeat: fmt.Sprintf("trunc -seed %d", t.o.Seed)})
	}
}

func (t *trunc) lengths(name string, data []byte) {
	for n := range data {
		t.try("cut", name, fmt.Sprintf("cut to %d of %d bytes", n, len(data)), func(m *vfs.Mem) error {
			f, err := m.OpenReadWrite(name)
			if err != nil {
				return err
			}
			defer f.Close()
			return f.Truncate(int64(n))
		})
	}
}

// zeroes overwrites sectors and pages, and appends zeros and garbage.
func (t *trunc) zeroes(name string, data []byte) {
	for _, size := range []int{512, 4096} {
		for off := 0; off < len(data); off += size {
			end := min(off+size, len(data))
			t.try("zeroed", name, fmt.Sprintf("zeroed from %d to %d of %d", off, end, len(data)), func(m *vfs.Mem) error {
				return patch(m, name, int64(off), make([]byte, end-off))
			})
		}
	}
	for _, tail := range [][]byte{make([]byte, 4096), {1}, []byte(strings.Repeat("garbage!", 100)), data} {
		t.try("longer", name, fmt.Sprintf("followed by %d bytes", len(tail)), func(m *vfs.Mem) error {
			return patch(m, name, int64(len(data)), tail)
		})
	}
}

func (t *trunc) missing(name string) {
	t.try("missing", name, "missing", func(m *vfs.Mem) error { return m.Remove(name) })
}

// doubled puts copies of the file where others of its kind are or would be.
func (t *trunc) doubled(name string, data []byte) {
	for _, to := range neighbours(name) {
		t.try("doubled", name, "copied to "+path.Base(to), func(m *vfs.Mem) error { return write(m, to, data) })
	}
}

// neighbours are names with the next, the previous and a much greater number.
func neighbours(name string) (out []string) {
	for i := 0; i+16 <= len(name); i++ {
		var n uint64
		if _, err := fmt.Sscanf(name[i:i+16], "%016x", &n); err != nil || strings.ContainsAny(name[i:i+16], "/.-") {
			continue
		}
		for _, k := range []uint64{n - 1, n + 1, n + 1000} {
			out = append(out, fmt.Sprintf("%s%016x%s", name[:i], k, name[i+16:]))
		}
		return append(out, name+".tmp")
	}
	return []string{name + ".tmp"}
}

// older puts back what the file was at earlier times, as a restored backup of a
// single file would.
func (t *trunc) older(name string, data []byte) {
	seen := map[string]bool{string(data): true}
	for op := t.run.fs.Ops(); op > 0; op-- {
		old, err := vfs.ReadFile(t.run.fs.Image(op, crashfs.All, 0), name)
		if err != nil || seen[string(old)] {
			continue
		}
		seen[string(old)] = true
		t.try("older", name, fmt.Sprintf("as it was after operation %d (%d bytes of %d)", op, len(old), len(data)), func(m *vfs.Mem) error {
			if err := m.Remove(name); err != nil {
				return err
			}
			return write(m, name, old)
		})
	}
}

// foreign puts the file of another store in place of this one's.
func (t *trunc) foreign(name string, all map[string][]byte) {
	for _, other := range sortedKeys(all) {
		if path.Dir(other) != path.Dir(name) || strings.Trim(path.Base(other), "0123456789abcdef") != strings.Trim(path.Base(name), "0123456789abcdef") {
			continue
		}
		t.try("foreign", name, "replaced by that of another store", func(m *vfs.Mem) error {
			if err := m.Remove(name); err != nil {
				return err
			}
			return write(m, name, all[other])
		})
		return
	}
}
