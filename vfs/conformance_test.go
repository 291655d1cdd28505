package vfs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// implementations are what must behave alike; each gives an empty directory.
var implementations = []struct {
	name string
	open func(t *testing.T) (FS, string)
}{
	{"os", func(t *testing.T) (FS, string) { return OS(), t.TempDir() }},
	{"mem", func(t *testing.T) (FS, string) {
		m := NewMem()
		must(t, m.MkdirAll("/some/where"))
		return m, "/some/where"
	}},
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("unexpected error: %v", err)
	}
}

// dir is a file system seen from one directory, with the shorthands that make
// a case one or two lines.
type dir struct {
	FS
	t    *testing.T
	root string
}

func (d dir) at(name string) string { return filepath.Join(d.root, name) }

func (d dir) put(name, data string) {
	d.t.Helper()
	f, err := d.Create(d.at(name))
	must(d.t, err)
	_, err = f.Write([]byte(data))
	must(d.t, err)
	must(d.t, f.Sync())
	must(d.t, f.Close())
}

func (d dir) want(name, data string) {
	d.t.Helper()
	got, err := ReadFile(d, d.at(name))
	must(d.t, err)
	if string(got) != data {
		d.t.Fatalf("%s holds %q, want %q", name, got, data)
	}
}

func (d dir) wantErr(err, target error) {
	d.t.Helper()
	if !errors.Is(err, target) {
		d.t.Fatalf("error %v, want one that is %v", err, target)
	}
}

func (d dir) wantAnyErr(err error) {
	d.t.Helper()
	if err == nil {
		d.t.Fatal("no error")
	}
}

func (d dir) wantList(name string, want ...string) {
	d.t.Helper()
	got, err := d.List(d.at(name))
	must(d.t, err)
	if len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
		d.t.Fatalf("%s lists %q, want %q", name, got, want)
	}
}

func (d dir) readAt(f File, n int, off int64, want string, wantErr error) {
	d.t.Helper()
	p := make([]byte, n)
	got, err := f.ReadAt(p, off)
	if string(p[:got]) != want || !errors.Is(err, wantErr) {
		d.t.Fatalf("ReadAt(%d bytes, %d) = %q, %v; want %q, %v", n, off, p[:got], err, want, wantErr)
	}
}

func (d dir) write(f File, data string) {
	d.t.Helper()
	n, err := f.Write([]byte(data))
	must(d.t, err)
	if n != len(data) {
		d.t.Fatalf("wrote %d bytes of %d", n, len(data))
	}
}

func (d dir) writeAt(f File, data string, off int64) {
	d.t.Helper()
	n, err := f.WriteAt([]byte(data), off)
	must(d.t, err)
	if n != len(data) {
		d.t.Fatalf("wrote %d bytes of %d", n, len(data))
	}
}

func (d dir) wantSize(f File, want int64) {
	d.t.Helper()
	got, err := f.Size()
	must(d.t, err)
	if got != want {
		d.t.Fatalf("size %d, want %d", got, want)
	}
}

func (d dir) create(name string) File {
	d.t.Helper()
	f, err := d.Create(d.at(name))
	must(d.t, err)
	d.t.Cleanup(func() { f.Close() })
	return f
}

func (d dir) open(name string) File {
	d.t.Helper()
	f, err := d.Open(d.at(name))
	must(d.t, err)
	d.t.Cleanup(func() { f.Close() })
	return f
}

func (d dir) openRW(name string) File {
	d.t.Helper()
	f, err := d.OpenReadWrite(d.at(name))
	must(d.t, err)
	d.t.Cleanup(func() { f.Close() })
	return f
}

var conformance = []struct {
	name string
	unix bool // not promised on Windows
	run  func(d dir)
}{
	{"what was written is read", false, func(d dir) { d.put("a", "hello"); d.want("a", "hello") }},
	{"create truncates", false, func(d dir) { d.put("a", "hello"); d.put("a", "x"); d.want("a", "x") }},
	{"empty file", false, func(d dir) { d.put("a", ""); d.want("a", "") }},
	{"create without directory", false, func(d dir) { _, err := d.Create(d.at("no/a")); d.wantErr(err, fs.ErrNotExist) }},
	{"create under a file", false, func(d dir) { d.put("a", ""); _, err := d.Create(d.at("a/b")); d.wantAnyErr(err) }},
	{"create over a directory", false, func(d dir) { must(d.t, d.MkdirAll(d.at("a"))); _, err := d.Create(d.at("a")); d.wantAnyErr(err) }},
	{"open missing", false, func(d dir) { _, err := d.Open(d.at("a")); d.wantErr(err, fs.ErrNotExist) }},
	{"open for writing missing", false, func(d dir) {
		_, err := d.OpenReadWrite(d.at("a"))
		d.wantErr(err, fs.ErrNotExist)
		d.wantList("")
	}},
	{"open directory", false, func(d dir) { _, err := d.Open(d.root); d.wantAnyErr(err) }},
	{"open directory for writing", false, func(d dir) { _, err := d.OpenReadWrite(d.root); d.wantAnyErr(err) }},
	{"ReadFile missing", false, func(d dir) { _, err := ReadFile(d, d.at("a")); d.wantErr(err, fs.ErrNotExist) }},

	{"read in the middle", false, func(d dir) { d.put("a", "hello"); d.readAt(d.open("a"), 3, 1, "ell", nil) }},
	{"read exactly to the end", false, func(d dir) { d.put("a", "hello"); d.readAt(d.open("a"), 5, 0, "hello", nil) }},
	{"read over the end", false, func(d dir) { d.put("a", "hello"); d.readAt(d.open("a"), 9, 3, "lo", io.EOF) }},
	{"read at the end", false, func(d dir) { d.put("a", "hello"); d.readAt(d.open("a"), 1, 5, "", io.EOF) }},
	{"read past the end", false, func(d dir) { d.put("a", "hello"); d.readAt(d.open("a"), 4, 99, "", io.EOF) }},
	{"read nothing", false, func(d dir) { d.put("a", "hello"); d.readAt(d.open("a"), 0, 2, "", nil) }},
	{"read at negative offset", false, func(d dir) { d.put("a", "x"); _, err := d.open("a").ReadAt(make([]byte, 1), -1); d.wantAnyErr(err) }},

	{"writes follow each other", false, func(d dir) { f := d.create("a"); d.write(f, "ab"); d.write(f, "cd"); d.want("a", "abcd") }},
	{"WriteAt does not move Write", false, func(d dir) {
		f := d.create("a")
		d.write(f, "abcd")
		d.writeAt(f, "XY", 1)
		d.write(f, "e")
		d.want("a", "aXYde")
	}},
	{"WriteAt past the end leaves zeros", false, func(d dir) { f := d.create("a"); d.writeAt(f, "x", 3); d.want("a", "\x00\x00\x00x") }},
	{"WriteAt negative", false, func(d dir) { _, err := d.create("a").WriteAt([]byte("x"), -1); d.wantAnyErr(err) }},
	{"write of nothing", false, func(d dir) { f := d.create("a"); d.write(f, ""); d.wantSize(f, 0) }},
	{"reopened for writing appends", false, func(d dir) { d.put("a", "abc"); d.write(d.openRW("a"), "d"); d.want("a", "abcd") }},
	{"reopened for writing reads", false, func(d dir) { d.put("a", "abc"); d.readAt(d.openRW("a"), 2, 1, "bc", nil) }},
	{"reopened for writing overwrites", false, func(d dir) { d.put("a", "abc"); d.writeAt(d.openRW("a"), "X", 0); d.want("a", "Xbc") }},
	{"two handles have two positions", false, func(d dir) {
		d.put("a", "ab")
		f, g := d.openRW("a"), d.openRW("a")
		d.write(f, "cd")
		d.write(g, "C")
		d.want("a", "abCd")
	}},
	{"a reader sees later writes", false, func(d dir) {
		f := d.create("a")
		r := d.open("a")
		d.write(f, "abc")
		d.readAt(r, 3, 0, "abc", nil)
		d.wantSize(r, 3)
	}},
	{"write on a reader", false, func(d dir) {
		d.put("a", "x")
		_, err := d.open("a").Write([]byte("y"))
		d.wantAnyErr(err)
		d.want("a", "x")
	}},
	{"WriteAt on a reader", false, func(d dir) {
		d.put("a", "x")
		_, err := d.open("a").WriteAt([]byte("y"), 0)
		d.wantAnyErr(err)
		d.want("a", "x")
	}},
	{"truncate on a reader", false, func(d dir) { d.put("a", "x"); d.wantAnyErr(d.open("a").Truncate(0)); d.want("a", "x") }},
	{"sync on a reader", true, func(d dir) { d.put("a", "x"); must(d.t, d.open("a").Sync()) }},

	{"truncate shortens", false, func(d dir) { f := d.create("a"); d.write(f, "abcd"); must(d.t, f.Truncate(2)); d.want("a", "ab") }},
	{"truncate grows with zeros", false, func(d dir) { f := d.create("a"); d.write(f, "a"); must(d.t, f.Truncate(3)); d.want("a", "a\x00\x00") }},
	{"shortened bytes do not come back", false, func(d dir) {
		f := d.create("a")
		d.write(f, "abcd")
		must(d.t, f.Truncate(1))
		must(d.t, f.Truncate(4))
		d.want("a", "a\x00\x00\x00")
	}},
	{"shortened bytes do not come back by a write", false, func(d dir) {
		f := d.create("a")
		d.write(f, "abcd")
		must(d.t, f.Truncate(1))
		d.writeAt(f, "x", 3)
		d.want("a", "a\x00\x00x")
	}},
	{"truncate does not move Write", false, func(d dir) {
		f := d.create("a")
		d.write(f, "ab")
		must(d.t, f.Truncate(0))
		d.write(f, "c")
		d.want("a", "\x00\x00c")
	}},
	{"truncate negative", false, func(d dir) { d.wantAnyErr(d.create("a").Truncate(-1)) }},
	{"size", false, func(d dir) { f := d.create("a"); d.wantSize(f, 0); d.write(f, "abc"); d.wantSize(f, 3) }},

	{"closed file", false, func(d dir) {
		f := d.create("a")
		must(d.t, f.Close())
		d.wantErr(f.Close(), fs.ErrClosed)
		_, err := f.Write([]byte("x"))
		d.wantErr(err, fs.ErrClosed)
		_, err = f.WriteAt([]byte("x"), 0)
		d.wantErr(err, fs.ErrClosed)
		_, err = f.ReadAt(make([]byte, 1), 0)
		d.wantErr(err, fs.ErrClosed)
		_, err = f.Size()
		d.wantErr(err, fs.ErrClosed)
		d.wantErr(f.Sync(), fs.ErrClosed)
		d.wantErr(f.Truncate(0), fs.ErrClosed)
		d.want("a", "")
	}},

	{"rename", false, func(d dir) {
		d.put("a", "x")
		must(d.t, d.Rename(d.at("a"), d.at("b")))
		d.wantList("", "b")
		d.want("b", "x")
	}},
	{"rename replaces", false, func(d dir) {
		d.put("a", "new")
		d.put("b", "old")
		must(d.t, d.Rename(d.at("a"), d.at("b")))
		d.wantList("", "b")
		d.want("b", "new")
	}},
	{"rename to itself", false, func(d dir) { d.put("a", "x"); must(d.t, d.Rename(d.at("a"), d.at("a"))); d.want("a", "x") }},
	{"rename missing", false, func(d dir) { d.wantErr(d.Rename(d.at("a"), d.at("b")), fs.ErrNotExist) }},
	{"rename missing onto a file", false, func(d dir) {
		d.put("b", "x")
		d.wantErr(d.Rename(d.at("a"), d.at("b")), fs.ErrNotExist)
		d.want("b", "x")
	}},
	{"rename into missing directory", false, func(d dir) {
		d.put("a", "x")
		d.wantErr(d.Rename(d.at("a"), d.at("no/b")), fs.ErrNotExist)
		d.want("a", "x")
	}},
	{"rename to another directory", false, func(d dir) {
		d.put("a", "x")
		must(d.t, d.MkdirAll(d.at("s")))
		must(d.t, d.Rename(d.at("a"), d.at("s/b")))
		d.wantList("", "s")
		d.want("s/b", "x")
	}},
	{"rename onto a directory", false, func(d dir) {
		d.put("a", "x")
		must(d.t, d.MkdirAll(d.at("s")))
		d.wantAnyErr(d.Rename(d.at("a"), d.at("s")))
		d.wantList("", "a", "s")
	}},
	{"rename a directory", false, func(d dir) {
		must(d.t, d.MkdirAll(d.at("s/t")))
		d.put("s/t/a", "x")
		must(d.t, d.Rename(d.at("s"), d.at("u")))
		d.want("u/t/a", "x")
		d.wantList("", "u")
	}},
	{"rename a directory onto a file", true, func(d dir) {
		must(d.t, d.MkdirAll(d.at("s")))
		d.put("a", "x")
		d.wantAnyErr(d.Rename(d.at("s"), d.at("a")))
		d.want("a", "x")
	}},
	{"rename a directory into itself", false, func(d dir) {
		must(d.t, d.MkdirAll(d.at("s")))
		d.wantAnyErr(d.Rename(d.at("s"), d.at("s/t")))
		d.wantList("", "s")
	}},
	{"a handle follows a rename", true, func(d dir) {
		f := d.create("a")
		must(d.t, d.Rename(d.at("a"), d.at("b")))
		d.write(f, "x")
		d.want("b", "x")
	}},
	{"a replaced file lives in its handles", true, func(d dir) {
		d.put("b", "old")
		r := d.open("b")
		d.put("a", "new")
		must(d.t, d.Rename(d.at("a"), d.at("b")))
		d.readAt(r, 3, 0, "old", nil)
		d.want("b", "new")
	}},

	{"remove", false, func(d dir) { d.put("a", "x"); must(d.t, d.Remove(d.at("a"))); d.wantList("") }},
	{"remove missing", false, func(d dir) { d.wantErr(d.Remove(d.at("a")), fs.ErrNotExist) }},
	{"remove in missing directory", false, func(d dir) { d.wantErr(d.Remove(d.at("no/a")), fs.ErrNotExist) }},
	{"remove empty directory", false, func(d dir) { must(d.t, d.MkdirAll(d.at("s"))); must(d.t, d.Remove(d.at("s"))); d.wantList("") }},
	{"remove full directory", false, func(d dir) {
		must(d.t, d.MkdirAll(d.at("s")))
		d.put("s/a", "x")
		d.wantAnyErr(d.Remove(d.at("s")))
		d.want("s/a", "x")
	}},
	{"a removed file lives in its handles", true, func(d dir) {
		f := d.create("a")
		d.write(f, "abc")
		must(d.t, d.Remove(d.at("a")))
		d.write(f, "d")
		d.readAt(f, 4, 0, "abcd", nil)
		must(d.t, f.Sync())
		d.put("a", "other")
		d.readAt(f, 4, 0, "abcd", nil)
		d.want("a", "other")
	}},
	{"create empties what open handles see", false, func(d dir) {
		d.put("a", "abc")
		r := d.open("a")
		d.create("a")
		d.wantSize(r, 0)
	}},

	{"mkdir twice", false, func(d dir) {
		must(d.t, d.MkdirAll(d.at("s/t")))
		must(d.t, d.MkdirAll(d.at("s/t")))
		d.wantList("s", "t")
	}},
	{"mkdir over a file", false, func(d dir) { d.put("a", "x"); d.wantAnyErr(d.MkdirAll(d.at("a"))); d.want("a", "x") }},
	{"mkdir under a file", false, func(d dir) { d.put("a", "x"); d.wantAnyErr(d.MkdirAll(d.at("a/b"))); d.want("a", "x") }},
	{"list is sorted by byte", false, func(d dir) {
		for _, n := range []string{"b", "a10", "a9", "C", "ä"} {
			d.put(n, "")
		}
		d.wantList("", "C", "a10", "a9", "b", "ä")
	}},
	{"list of nothing", false, func(d dir) { d.wantList("") }},
	{"list shows only this directory", false, func(d dir) { must(d.t, d.MkdirAll(d.at("s/t"))); d.put("s/a", ""); d.wantList("", "s") }},
	{"list missing", false, func(d dir) { _, err := d.List(d.at("no")); d.wantErr(err, fs.ErrNotExist) }},
	{"list a file", false, func(d dir) { d.put("a", ""); _, err := d.List(d.at("a")); d.wantAnyErr(err) }},

	{"stat a file", false, func(d dir) {
		d.put("a", "abc")
		st, err := d.Stat(d.at("a"))
		must(d.t, err)
		if st.Size != 3 || st.IsDir || st.ModTime.IsZero() {
			d.t.Fatalf("got %+v, want size 3, a file, a time", st)
		}
	}},
	{"stat a directory", false, func(d dir) {
		st, err := d.Stat(d.root)
		must(d.t, err)
		if !st.IsDir {
			d.t.Fatalf("got %+v, want a directory", st)
		}
	}},
	{"stat missing", false, func(d dir) { _, err := d.Stat(d.at("a")); d.wantErr(err, fs.ErrNotExist) }},
	{"stat under a file", true, func(d dir) { d.put("a", ""); _, err := d.Stat(d.at("a/b")); d.wantAnyErr(err) }},

	{"sync directory", false, func(d dir) { d.put("a", ""); must(d.t, d.SyncDir(d.root)) }},
	{"sync missing directory", false, func(d dir) { d.wantErr(d.SyncDir(d.at("no")), fs.ErrNotExist) }},
	{"sync a file as directory", false, func(d dir) { d.put("a", ""); d.wantAnyErr(d.SyncDir(d.at("a"))) }},

	{"lock excludes", false, func(d dir) {
		l, err := d.Lock(d.at("LOCK"))
		must(d.t, err)
		_, err = d.Lock(d.at("LOCK"))
		d.wantErr(err, ErrLocked)
		_, err = d.Lock(d.at("x/../LOCK/../LOCK"))
		d.wantAnyErr(err)
		must(d.t, l.Close())
		l, err = d.Lock(d.at("LOCK"))
		must(d.t, err)
		must(d.t, l.Close())
	}},
	{"lock closed twice frees nobody else's", false, func(d dir) {
		l, err := d.Lock(d.at("LOCK"))
		must(d.t, err)
		must(d.t, l.Close())
		m, err := d.Lock(d.at("LOCK"))
		must(d.t, err)
		l.Close()
		_, err = d.Lock(d.at("LOCK"))
		d.wantErr(err, ErrLocked)
		must(d.t, m.Close())
	}},
	{"lock keeps the file", false, func(d dir) {
		d.put("LOCK", "x")
		l, err := d.Lock(d.at("LOCK"))
		must(d.t, err)
		must(d.t, l.Close())
		d.want("LOCK", "x")
	}},
	{"two locks", false, func(d dir) {
		l, err := d.Lock(d.at("L1"))
		must(d.t, err)
		m, err := d.Lock(d.at("L2"))
		must(d.t, err)
		must(d.t, l.Close())
		must(d.t, m.Close())
	}},
	{"lock of a directory", false, func(d dir) {
		must(d.t, d.MkdirAll(d.at("sub")))
		l, err := d.Lock(d.at("sub"))
		if err != nil {
			if errors.Is(err, ErrLocked) {
				d.t.Fatal(err)
			}
			return
		}
		_, err = d.Lock(d.at("sub"))
		d.wantErr(err, ErrLocked)
		m, err := d.Lock(d.at("sub/LOCK"))
		must(d.t, err)
		must(d.t, m.Close())
		must(d.t, l.Close())
		l, err = d.Lock(d.at("sub"))
		must(d.t, err)
		must(d.t, l.Close())
	}},
	{"lock in missing directory", false, func(d dir) { _, err := d.Lock(d.at("no/LOCK")); d.wantErr(err, fs.ErrNotExist) }},

	{"concurrent use", false, func(d dir) {
		f := d.create("shared")
		var wg sync.WaitGroup
		for g := range 4 {
			wg.Go(func() {
				own := fmt.Sprintf("f%d", g)
				for i := range 50 {
					if _, err := f.WriteAt([]byte{byte('a' + g)}, int64(i*4+g)); err != nil {
						d.t.Error(err)
					}
					if _, err := d.List(d.root); err != nil {
						d.t.Error(err)
					}
					h, err := d.Create(d.at(own))
					if err != nil {
						d.t.Error(err)
						continue
					}
					if _, err := h.Write([]byte(own)); err != nil {
						d.t.Error(err)
					}
					if err := errors.Join(h.Sync(), h.Close(), d.Rename(d.at(own), d.at(own+"x"))); err != nil {
						d.t.Error(err)
					}
					p := make([]byte, 8)
					if _, err := f.ReadAt(p, 0); err != nil && !errors.Is(err, io.EOF) {
						d.t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		d.want("shared", strings.Repeat("abcd", 50))
		d.wantList("", "f0x", "f1x", "f2x", "f3x", "shared")
	}},
}

func TestConformance(t *testing.T) {
	for _, impl := range implementations {
		t.Run(impl.name, func(t *testing.T) {
			for _, c := range conformance {
				t.Run(c.name, func(t *testing.T) {
					if c.unix && runtime.GOOS == "windows" && impl.name == "os" {
						t.Skip("not promised on Windows")
					}
					fsys, root := impl.open(t)
					c.run(dir{FS: fsys, t: t, root: root})
				})
			}
		})
	}
}

// TestModelRandom drives both implementations with the same random calls and
// wants the same outcomes.
func TestModelRandom(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("open files cannot be removed or replaced on Windows")
	}
	for seed := range uint64(20) {
		root := t.TempDir()
		m := NewMem()
		must(t, m.MkdirAll(root))
		a, b := play(OS(), root, seed), play(m, root, seed)
		for i := range a {
			if a[i] != b[i] {
				t.Fatalf("seed %d, step %d:\n  os  %s\n  mem %s", seed, i, a[i], b[i])
			}
		}
	}
}

// play makes 400 calls chosen by seed and returns a line on each.
func play(fsys FS, root string, seed uint64) []string {
	names := []string{"a", "b", "s", "s/a", "s/b", "s/t", "s/t/a"}
	next := func(n int) int { // splitmix64
		seed += 0x9E3779B97F4A7C15
		z := seed
		z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		return int((z ^ z>>31) % uint64(n))
	}
	var open []File
	defer func() {
		for _, f := range open {
			f.Close()
		}
	}()
	var lines []string
	for range 400 {
		name, other := names[next(len(names))], names[next(len(names))]
		p, q := filepath.Join(root, name), filepath.Join(root, other)
		op, arg := next(12), next(40)
		var f File
		var err error
		out := ""
		if op >= 8 && len(open) > 0 {
			f = open[arg%len(open)]
		}
		switch {
		case op == 0:
			f, err = fsys.Create(p)
		case op == 1:
			f, err = fsys.OpenReadWrite(p)
		case op == 2:
			f, err = fsys.Open(p)
		case op == 3:
			err = fsys.Rename(p, q)
		case op == 4:
			err = fsys.Remove(p)
		case op == 5:
			err = fsys.MkdirAll(p)
		case op == 6:
			var names []string
			names, err = fsys.List(p)
			out = strings.Join(names, " ")
		case op == 7:
			var st Info
			st, err = fsys.Stat(p)
			out = fmt.Sprint(st.IsDir)
			if !st.IsDir {
				out += fmt.Sprint(st.Size)
			}
		case f == nil:
		case op == 8:
			_, err = f.Write(bytes.Repeat([]byte{byte('a' + arg%26)}, arg))
		case op == 9:
			_, err = f.WriteAt([]byte("WRITE"), int64(arg))
		case op == 10:
			err = f.Truncate(int64(arg))
		case op == 11:
			buf := make([]byte, 100)
			n, rerr := f.ReadAt(buf, int64(arg/2))
			out, err = string(buf[:n]), rerr
		}
		if op <= 2 && err == nil {
			open = append(open, f)
		}
		lines = append(lines, fmt.Sprintf("op %d %s %s %d: %q failed=%v missing=%v",
			op, name, other, arg, out, err != nil, op != 3 && errors.Is(err, fs.ErrNotExist))) // a rename may have two reasons to fail
	}
	return lines
}
