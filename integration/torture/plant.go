package torture

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/tickwell/tickwell/vfs"
)

// planted are faults that stores like this one have had. Each is a file system
// that makes a healthy store behave as one with the fault. The torture must find
// every one of them, or it is worth nothing.
var planted = []struct {
	name string
	wrap func(vfs.FS) vfs.FS
	mode func(Options) *Report
	only string
}{
	{"ack before sync", func(f vfs.FS) vfs.FS { return &faulty{FS: f, sync: ends(".wal")} }, Mem, ""},
	{"no directory sync", func(f vfs.FS) vfs.FS { return &faulty{FS: f, noSyncDir: true} }, Mem, ""},
	{"log removed before its block is durable", func(f vfs.FS) vfs.FS { return &late{FS: f} }, Mem, ""},
	{"block file not synced", func(f vfs.FS) vfs.FS {
		return &faulty{FS: f, sync: func(n string) bool { return strings.Contains(n, ".blk") }}
	}, Mem, ""},
	{"numbers sorted as text", func(f vfs.FS) vfs.FS { return &textual{f} }, Mem, ""},
	{"segments above 9 not seen", func(f vfs.FS) vfs.FS { return &short{f} }, Mem, ""},
	{"replay stops at the first bad record", func(f vfs.FS) vfs.FS { return &stops{f} }, Flip, ".wal"},
	{"damage passed over in silence", func(f vfs.FS) vfs.FS { return &silent{f} }, Flip, ".wal"},
}

// Plant runs the torture on stores with planted faults and reports those that
// it does not find.
func Plant(o Options) *Report {
	r := newReport("plant", o.Seed)
	for _, p := range planted {
		with := o
		with.wrap, with.quick, with.only = p.wrap, true, p.only
		var got *Report
		for i := range uint64(4) { // not every store is one that the fault shows in
			with.Seed = o.Seed + i
			got = p.mode(with)
			r.States += got.States
			r.Runs += got.Runs
			if !got.OK() {
				break
			}
		}
		r.Counts["planted"]++
		if !got.OK() {
			r.Counts["killed"]++
			continue
		}
		r.fail(Failure{Verdict: verdict(Wrong, "planted fault %q was not found in %d states", p.name, got.States), Seed: o.Seed, Where: p.name})
	}
	return r.done()
}

func ends(suffix string) func(string) bool {
	return func(name string) bool { return strings.HasSuffix(name, suffix) }
}

// faulty leaves out syncs.
type faulty struct {
	vfs.FS
	sync      func(name string) bool // of files whose Sync does nothing
	noSyncDir bool
}

type faultyFile struct {
	vfs.File
	skip bool
}

func (f *faultyFile) Sync() error {
	if f.skip {
		return nil
	}
	return f.File.Sync()
}

func (f *faulty) file(name string, file vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return &faultyFile{file, f.sync != nil && f.sync(name)}, nil
}

func (f *faulty) Create(name string) (vfs.File, error) {
	file, err := f.FS.Create(name)
	return f.file(name, file, err)
}

func (f *faulty) OpenReadWrite(name string) (vfs.File, error) {
	file, err := f.FS.OpenReadWrite(name)
	return f.file(name, file, err)
}

func (f *faulty) SyncDir(dir string) error {
	if f.noSyncDir {
		return nil
	}
	return f.FS.SyncDir(dir)
}

// late puts off the sync of the manifest until a segment of the log has been
// removed or set aside, and that is durable.
type late struct {
	vfs.FS
	mu   sync.Mutex
	owed []func() error
}

type lateFile struct {
	vfs.File
	l     *late
	fresh bool // its first sync is made in time
}

func (f *lateFile) Sync() error {
	if f.fresh {
		f.fresh = false
		return f.File.Sync()
	}
	f.l.mu.Lock()
	defer f.l.mu.Unlock()
	f.l.owed = append(f.l.owed, f.File.Sync)
	return nil
}

func (l *late) OpenReadWrite(name string) (vfs.File, error) {
	file, err := l.FS.OpenReadWrite(name)
	if err == nil && strings.Contains(name, "MANIFEST-") {
		file = &lateFile{File: file, l: l}
	}
	return file, err
}

// Create counts as well: a store writes a manifest of its own at each Open.
func (l *late) Create(name string) (vfs.File, error) {
	file, err := l.FS.Create(name)
	if err == nil && strings.Contains(name, "MANIFEST-") {
		file = &lateFile{File: file, l: l, fresh: true}
	}
	return file, err
}

func (l *late) pay(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, sync := range l.owed {
		sync() // a closed file: too late for good
	}
	l.owed = nil
	return err
}

func (l *late) Remove(name string) error { return l.pay(l.FS.Remove(name)) }

func (l *late) Rename(from, to string) error {
	err := l.FS.Rename(from, to)
	if strings.HasSuffix(from, ".wal") {
		return l.pay(err)
	}
	return err
}

// textual lists numbered files as if their numbers were not padded, in the order
// of text: 1, 10, 2.
type textual struct{ vfs.FS }

func (t *textual) List(dir string) ([]string, error) {
	names, err := t.FS.List(dir)
	slices.SortStableFunc(names, func(a, b string) int { return strings.Compare(unpadded(a), unpadded(b)) })
	return names, err
}

// unpadded replaces a number of 16 digits by what a program that does not pad
// would write.
func unpadded(name string) string {
	for i := 0; i+16 <= len(name); i++ {
		if n, err := strconv.ParseUint(name[i:i+16], 16, 64); err == nil {
			return fmt.Sprint(name[:i], n, name[i+16:])
		}
	}
	return name
}

// short does not see segments with numbers of more than one digit.
type short struct{ vfs.FS }

func (s *short) List(dir string) ([]string, error) {
	names, err := s.FS.List(dir)
	return slices.DeleteFunc(names, func(n string) bool {
		return strings.HasSuffix(n, ".wal") && len(unpadded(n)) > len("9.wal")
	}), err
}

// stops shows the log only up to the place of the flipped bit, which its user
// has noted in the file "flipped".
type stops struct{ vfs.FS }

func (s *stops) flipped() (name string, off int64) {
	if b, err := vfs.ReadFile(s.FS, "flipped"); err == nil {
		fmt.Sscan(string(b), &name, &off)
	}
	return name, off
}

func (s *stops) List(dir string) ([]string, error) {
	names, err := s.FS.List(dir)
	if bad, _ := s.flipped(); strings.HasSuffix(bad, ".wal") && path.Base(path.Dir(bad)) == path.Base(dir) {
		names = slices.DeleteFunc(names, func(n string) bool { return n > path.Base(bad) })
	}
	return names, err
}

func (s *stops) Open(name string) (vfs.File, error) {
	if bad, off := s.flipped(); path.Clean("/"+bad) == path.Clean("/"+name) && strings.HasSuffix(bad, ".wal") {
		file, err := s.FS.OpenReadWrite(name)
		if err == nil {
			err = file.Truncate(off)
		}
		if err != nil {
			return nil, err
		}
		file.Close()
	}
	return s.FS.Open(name)
}

// silent shows no flipped bit in a segment of the log, but the records of a
// shorter log: what a program without checksums of its end would do.
type silent struct{ vfs.FS }

func (s *silent) List(dir string) ([]string, error) {
	names, err := s.FS.List(dir)
	bad, _ := (&stops{s.FS}).flipped()
	return slices.DeleteFunc(names, func(n string) bool {
		return strings.HasSuffix(n, ".wal") && n == path.Base(bad)
	}), err
}
