package crashfs_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/vfs"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("unexpected error: %v", err)
	}
}

// tree returns every name below dir with its content, directories as "/".
func tree(t testing.TB, fsys vfs.FS, dir string) map[string]string {
	t.Helper()
	got := map[string]string{}
	list, err := fsys.List(dir)
	must(t, err)
	for _, base := range list {
		name := path.Join(dir, base)
		st, err := fsys.Stat(name)
		must(t, err)
		if st.IsDir {
			got[name] = "/"
			maps.Copy(got, tree(t, fsys, name))
			continue
		}
		data, err := vfs.ReadFile(fsys, name)
		must(t, err)
		got[name] = string(data)
	}
	return got
}

// script is a sequence of calls as words, so that a case is one line:
// "put a data", "write a data" (append), "at a 3 data", "trunc a 2", "sync a",
// "mv a b", "rm a", "mkdir a", "syncdir a", "settle", "failsync a".
func script(t testing.TB, c *crashfs.FS, text string) {
	t.Helper()
	for step := range strings.SplitSeq(text, ";") {
		w := strings.Fields(step)
		must(t, do(c, w[0], w[1:]))
	}
}

func do(c *crashfs.FS, verb string, w []string) error {
	with := func(use func(f vfs.File) error) error {
		f, err := c.OpenReadWrite(w[0])
		if err != nil {
			return err
		}
		defer f.Close()
		return use(f)
	}
	switch verb {
	case "put":
		f, err := c.Create(w[0])
		if err != nil {
			return err
		}
		defer f.Close()
		if len(w) > 1 {
			_, err = f.Write([]byte(w[1]))
		}
		return err
	case "write":
		return with(func(f vfs.File) error { _, err := f.Write([]byte(w[1])); return err })
	case "at":
		var off int64
		fmt.Sscan(w[1], &off)
		return with(func(f vfs.File) error { _, err := f.WriteAt([]byte(w[2]), off); return err })
	case "trunc":
		var size int64
		fmt.Sscan(w[1], &size)
		return with(func(f vfs.File) error { return f.Truncate(size) })
	case "sync":
		return with(func(f vfs.File) error { return f.Sync() })
	case "failsync":
		c.Fail(1, errors.New("EIO"), false, func(op crashfs.Op) bool { return op.Kind == crashfs.Sync })
		if err := with(func(f vfs.File) error { return f.Sync() }); err == nil {
			return errors.New("the planted fault did not show")
		}
		return nil
	case "mv":
		return c.Rename(w[0], w[1])
	case "rm":
		return c.Remove(w[0])
	case "mkdir":
		return c.MkdirAll(w[0])
	case "syncdir":
		return c.SyncDir(w[0])
	case "settle":
		c.Settle()
		return nil
	}
	return fmt.Errorf("no such verb %q", verb)
}

type files = map[string]string

func TestModes(t *testing.T) {
	const z4 = "\x00\x00\x00\x00"
	type want map[crashfs.Mode]files
	for _, c := range []struct {
		script string
		want   want
	}{
		{"put a data", want{
			crashfs.None: {}, crashfs.DirLost: {}, crashfs.All: {"/a": "data"},
			crashfs.SizeOnly: {"/a": z4}, crashfs.DataLost: {"/a": ""},
		}},
		{"put a data; sync a", want{
			crashfs.None: {}, crashfs.DirLost: {}, crashfs.All: {"/a": "data"},
			crashfs.SizeOnly: {"/a": "data"}, crashfs.DataLost: {"/a": "data"},
		}},
		{"put a data; syncdir /", want{
			crashfs.None: {"/a": ""}, crashfs.DirLost: {"/a": "data"}, crashfs.All: {"/a": "data"},
			crashfs.SizeOnly: {"/a": z4}, crashfs.DataLost: {"/a": ""},
		}},
		{"put a data; sync a; syncdir /; write a more", want{
			crashfs.None: {"/a": "data"}, crashfs.DirLost: {"/a": "datamore"}, crashfs.All: {"/a": "datamore"},
			crashfs.SizeOnly: {"/a": "data" + z4}, crashfs.DataLost: {"/a": "data"},
		}},
		{"put a data; settle; at a 1 XX", want{
			crashfs.None: {"/a": "data"}, crashfs.All: {"/a": "dXXa"}, crashfs.SizeOnly: {"/a": "data"},
		}},
		{"put a data; settle; trunc a 2", want{
			crashfs.None: {"/a": "data"}, crashfs.All: {"/a": "da"}, crashfs.SizeOnly: {"/a": "da"},
		}},
		{"put a data; settle; put a new", want{ // Create empties in place
			crashfs.None: {"/a": "data"}, crashfs.DirLost: {"/a": "new"}, crashfs.All: {"/a": "new"},
			crashfs.SizeOnly: {"/a": "\x00\x00\x00"}, crashfs.DataLost: {"/a": "data"},
		}},
		{"put a data; settle; mv a b", want{
			crashfs.None: {"/a": "data"}, crashfs.DirLost: {"/a": "data"}, crashfs.All: {"/b": "data"},
		}},
		{"put a data; settle; mv a b; syncdir /", want{
			crashfs.None: {"/b": "data"}, crashfs.DirLost: {"/b": "data"},
		}},
		{"put b old; settle; put a new; mv a b; syncdir /", want{ // the classic empty file
			crashfs.None: {"/b": ""}, crashfs.DirLost: {"/b": "new"}, crashfs.DataLost: {"/b": ""},
			crashfs.SizeOnly: {"/b": "\x00\x00\x00"},
		}},
		{"put b old; settle; put a new; sync a; mv a b", want{
			crashfs.None: {"/b": "old"}, crashfs.DirLost: {"/b": "old"}, crashfs.All: {"/b": "new"},
		}},
		{"put a data; settle; rm a", want{
			crashfs.None: {"/a": "data"}, crashfs.DirLost: {"/a": "data"}, crashfs.All: {}, crashfs.DataLost: {},
		}},
		{"put a data; settle; rm a; put a other; sync a", want{ // another inode
			crashfs.None: {"/a": "data"}, crashfs.DirLost: {"/a": "data"}, crashfs.All: {"/a": "other"},
		}},
		{"mkdir s/t; put s/t/a data; sync s/t/a; syncdir s/t", want{ // the parents are not synced
			crashfs.None: {}, crashfs.All: {"/s": "/", "/s/t": "/", "/s/t/a": "data"},
		}},
		{"mkdir s/t; put s/t/a data; sync s/t/a; syncdir s/t; syncdir s; syncdir /", want{
			crashfs.None: {"/s": "/", "/s/t": "/", "/s/t/a": "data"},
		}},
		{"mkdir s; settle; put a data; settle; mv a s/a; syncdir s", want{ // half a rename: two names
			crashfs.None: {"/a": "data", "/s": "/", "/s/a": "data"}, crashfs.All: {"/s": "/", "/s/a": "data"},
		}},
		{"mkdir s; settle; put a data; settle; mv a s/a; syncdir /", want{ // the other half: no name
			crashfs.None: {"/s": "/"}, crashfs.All: {"/s": "/", "/s/a": "data"},
		}},
		{"mkdir s; put s/a data; settle; mv s u; write u/a x; sync u/a", want{
			crashfs.None: {"/s": "/", "/s/a": "datax"}, crashfs.All: {"/u": "/", "/u/a": "datax"},
		}},
		{"put a data; settle; write a 1; failsync a; write a 2; sync a", want{ // lost for ever, or kept, but never by the second sync
			crashfs.None: {"/a": "data\x002"}, crashfs.All: {"/a": "data12"}, crashfs.SizeOnly: {"/a": "data\x002"},
		}},
		{"put a data; settle; write a 1; failsync a; settle; rm a", want{
			crashfs.None: {"/a": "data1"},
		}},
	} {
		fsys := crashfs.New()
		script(t, fsys, c.script)
		for mode, want := range c.want {
			got := tree(t, fsys.Image(fsys.Ops(), mode, 0), "/")
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%q, %s: image %q, want %q", c.script, mode, got, want)
			}
		}
	}
}

func TestEveryOperationIsACut(t *testing.T) {
	c := crashfs.New()
	script(t, c, "put a one; sync a; syncdir /; put a.tmp two; sync a.tmp; mv a.tmp a; syncdir /")
	var got []string
	for op := range c.Ops() + 1 {
		line := "start"
		if op > 0 {
			line = c.Op(op).String()
			line, _, _ = strings.Cut(line, " at ")
		}
		got = append(got, fmt.Sprint(line, ": ", tree(t, c.Image(op, crashfs.None, 0), "/"), tree(t, c.Image(op, crashfs.All, 0), "/")))
	}
	want := []string{
		"start: map[] map[]",
		"create /a: map[] map[/a:]",
		"write /a [0,3): map[] map[/a:one]",
		"sync /a: map[] map[/a:one]",
		"syncdir /: map[/a:one] map[/a:one]",
		"create /a.tmp: map[/a:one] map[/a:one /a.tmp:]",
		"write /a.tmp [0,3): map[/a:one] map[/a:one /a.tmp:two]",
		"sync /a.tmp: map[/a:one] map[/a:one /a.tmp:two]",
		"rename /a.tmp to /a: map[/a:one] map[/a:two]",
		"syncdir /: map[/a:two] map[/a:two]",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
	// Going back must give the same images as going forward.
	for op := c.Ops(); op >= 0; op-- {
		if line := fmt.Sprint(tree(t, c.Image(op, crashfs.None, 0), "/")); !strings.Contains(want[op], ": "+line) {
			t.Errorf("backwards, op %d: %s, want as in %q", op, line, want[op])
		}
	}
}

func TestTornAtEveryByte(t *testing.T) {
	c := crashfs.New()
	script(t, c, "put b other; put a data; settle; write b x; write a 12345; put c; trunc c 3")
	if got := c.TornLen(c.Ops()); got != 5 {
		t.Fatalf("TornLen = %d, want 5", got)
	}
	for seed := range uint64(7) {
		want := files{"/a": "data" + "12345"[:seed%5], "/b": "otherx", "/c": "\x00\x00\x00"}
		if got := tree(t, c.Image(c.Ops(), crashfs.Torn, seed), "/"); !reflect.DeepEqual(got, want) {
			t.Errorf("seed %d: %q, want %q", seed, got, want)
		}
	}
	script(t, c, "settle")
	if n := c.TornLen(c.Ops()); n != 0 {
		t.Errorf("TornLen = %d after all was synced, want 0", n)
	}
	want := files{"/a": "data12345", "/b": "otherx", "/c": "\x00\x00\x00"}
	if got := tree(t, c.Image(c.Ops(), crashfs.Torn, 3), "/"); !reflect.DeepEqual(got, want) {
		t.Errorf("nothing to tear: %q, want %q", got, want)
	}
}

// outcomes returns the distinct images that many seeds give.
func outcomes(t *testing.T, c *crashfs.FS, seeds uint64) map[string]bool {
	t.Helper()
	got := map[string]bool{}
	for seed := range seeds {
		image := fmt.Sprintf("%q", tree(t, c.Image(c.Ops(), crashfs.Random, seed), "/"))
		if again := fmt.Sprintf("%q", tree(t, c.Image(c.Ops(), crashfs.Random, seed), "/")); again != image {
			t.Fatalf("seed %d gives %s and then %s", seed, image, again)
		}
		got[image] = true
	}
	return got
}

func TestRandomReachesAllCombinations(t *testing.T) {
	c := crashfs.New()
	script(t, c, "put a; put b; settle; write a x; write b y; put c; put d; sync c; sync d")
	want := map[string]bool{}
	for bits := range 16 {
		f := files{"/a": "", "/b": ""}
		if bits&1 > 0 {
			f["/a"] = "x"
		}
		if bits&2 > 0 {
			f["/b"] = "y"
		}
		if bits&4 > 0 {
			f["/c"] = ""
		}
		if bits&8 > 0 {
			f["/d"] = ""
		}
		want[fmt.Sprintf("%q", f)] = true
	}
	got := outcomes(t, c, 3000)
	for image := range want {
		if !got[image] {
			t.Errorf("no seed gives %s", image)
		}
	}
}

func TestRandomKeepsOrderOfOneName(t *testing.T) {
	c := crashfs.New()
	script(t, c, "put CUR 1; settle; put T 2; sync T; mv T CUR; put T 3; sync T; mv T CUR; put U 4; sync U")
	got := outcomes(t, c, 2000)
	want := map[string]bool{}
	for _, f := range []files{
		{"/CUR": "1"}, {"/CUR": "1", "/T": "2"}, {"/CUR": "2"}, {"/CUR": "2", "/T": "3"}, {"/CUR": "3"},
	} {
		want[fmt.Sprintf("%q", f)] = true
		f["/U"] = "4"
		want[fmt.Sprintf("%q", f)] = true
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}

func TestRandomSectors(t *testing.T) {
	c := crashfs.New()
	script(t, c, "put a; settle; put a "+strings.Repeat("x", 1500))
	first, mixed, sizes := false, false, map[int]bool{}
	for seed := range uint64(500) {
		data := tree(t, c.Image(c.Ops(), crashfs.Random, seed), "/")["/a"]
		sizes[len(data)] = true
		if len(data) == 0 {
			continue
		}
		for at := 0; at < len(data); at += 512 {
			part := data[at:min(at+512, len(data))]
			if n := strings.Count(part, "x"); n != 0 && n != len(part) {
				t.Fatalf("seed %d: sector at %d is kept in part", seed, at)
			}
		}
		first = first || data[0] == 'x'
		mixed = mixed || data[0] == 0 && strings.Contains(data, "x")
	}
	if !first || !mixed {
		t.Error("no image lost a sector and kept a later one")
	}
	for _, size := range []int{0, 512, 1024, 1500} {
		if !sizes[size] {
			t.Errorf("no image has size %d", size)
		}
	}
}

func TestUnlinkMayOutliveUnsyncedReplacement(t *testing.T) {
	c := crashfs.New()
	script(t, c, "put wal data; settle; put block data; sync block; rm wal")
	if got := outcomes(t, c, 200); !got["map[]"] {
		t.Errorf("no image has lost both: %v", got)
	}
}

func TestFromIsDurableAndACopy(t *testing.T) {
	first := crashfs.New()
	script(t, first, "mkdir s/t; put s/t/a data; put b x")
	image := first.Image(first.Ops(), crashfs.All, 0)
	want := tree(t, image, "/")
	c := crashfs.From(image)
	if got := tree(t, c, "/"); !reflect.DeepEqual(got, want) {
		t.Fatalf("live tree %q, want %q", got, want)
	}
	script(t, c, "write s/t/a 2; rm b; mkdir u")
	if got := tree(t, c.Image(c.Ops(), crashfs.None, 0), "/"); !reflect.DeepEqual(got, want) {
		t.Errorf("image %q, want %q", got, want)
	}
	if got := tree(t, image, "/"); !reflect.DeepEqual(got, want) {
		t.Errorf("the original became %q, want %q", got, want)
	}
	now := files{"/s": "/", "/s/t": "/", "/s/t/a": "data2", "/u": "/"}
	if got := tree(t, c, "/"); !reflect.DeepEqual(got, now) {
		t.Errorf("live tree %q, want %q", got, now)
	}
}

func TestImagesAreOwn(t *testing.T) {
	c := crashfs.New()
	script(t, c, "put a data; settle")
	m := c.Image(c.Ops(), crashfs.All, 0)
	f, err := m.OpenReadWrite("a")
	must(t, err)
	_, err = f.WriteAt([]byte("XXXX"), 0)
	must(t, err)
	if got := tree(t, c.Image(c.Ops(), crashfs.All, 0), "/")["/a"]; got != "data" {
		t.Errorf("the next image holds %q, want data", got)
	}
}

func TestSettledHandlesStayOpen(t *testing.T) {
	c := crashfs.New()
	f, err := c.Create("a")
	must(t, err)
	must(t, c.Rename("a", "b"))
	_, err = f.Write([]byte("x"))
	must(t, err)
	must(t, f.Sync())
	must(t, c.SyncDir("/"))
	must(t, c.Remove("b"))
	_, err = f.Write([]byte("y"))
	must(t, err)
	p := make([]byte, 2)
	if _, err := f.ReadAt(p, 0); err != nil || string(p) != "xy" {
		t.Errorf("read %q, %v through the handle of a removed file; want xy", p, err)
	}
	if got, want := tree(t, c.Image(c.Ops(), crashfs.DirLost, 0), "/"), (files{"/b": "xy"}); !reflect.DeepEqual(got, want) {
		t.Errorf("image %q, want %q", got, want)
	}
}

// TestAgainstMem drives a crash file system and a plain one with random calls:
// same outcomes, and the All image is the plain tree.
func TestAgainstMem(t *testing.T) {
	names := []string{"a", "b", "s", "s/a", "s/b", "s/t", "s/t/a"}
	for seed := range uint64(12) {
		state := seed
		next := func(n int) int {
			state += 0x9E3779B97F4A7C15
			z := (state ^ state>>30) * 0xBF58476D1CE4E5B9
			return int((z ^ z>>27) >> 33 % uint64(n))
		}
		c, m := crashfs.New(), vfs.NewMem()
		var cf, mf []vfs.File
		for step := range 250 {
			name, other, verb, arg := names[next(7)], names[next(7)], next(12), next(30)
			both := func(call func(fsys vfs.FS) (vfs.File, error)) {
				f, cerr := call(c)
				g, merr := call(m)
				if (cerr == nil) != (merr == nil) || errors.Is(cerr, fs.ErrNotExist) != errors.Is(merr, fs.ErrNotExist) {
					t.Fatalf("seed %d step %d verb %d %s %s: %v, want %v", seed, step, verb, name, other, cerr, merr)
				}
				if cerr == nil && f != nil {
					cf, mf = append(cf, f), append(mf, g)
				}
			}
			onFile := func(call func(f vfs.File) (int, error)) {
				if len(cf) == 0 {
					return
				}
				i := arg % len(cf)
				n, cerr := call(cf[i])
				k, merr := call(mf[i])
				if n != k || (cerr == nil) != (merr == nil) || errors.Is(cerr, io.EOF) != errors.Is(merr, io.EOF) {
					t.Fatalf("seed %d step %d verb %d: %d, %v; want %d, %v", seed, step, verb, n, cerr, k, merr)
				}
			}
			switch verb {
			case 0:
				both(func(f vfs.FS) (vfs.File, error) { return f.Create(name) })
			case 1:
				both(func(f vfs.FS) (vfs.File, error) { return f.OpenReadWrite(name) })
			case 2:
				both(func(f vfs.FS) (vfs.File, error) { return f.Open(name) })
			case 3:
				both(func(f vfs.FS) (vfs.File, error) { return nil, f.Rename(name, other) })
			case 4:
				both(func(f vfs.FS) (vfs.File, error) { return nil, f.Remove(name) })
			case 5:
				both(func(f vfs.FS) (vfs.File, error) { return nil, f.MkdirAll(name) })
			case 6:
				both(func(f vfs.FS) (vfs.File, error) { return nil, f.SyncDir(name) })
			case 7:
				both(func(f vfs.FS) (vfs.File, error) { _, err := f.Stat(name); return nil, err })
			case 8:
				onFile(func(f vfs.File) (int, error) { return f.Write([]byte(strings.Repeat("w", arg))) })
			case 9:
				onFile(func(f vfs.File) (int, error) { return f.WriteAt([]byte("WRITE"), int64(arg)) })
			case 10:
				onFile(func(f vfs.File) (int, error) { return 0, f.Truncate(int64(arg)) })
			case 11:
				onFile(func(f vfs.File) (int, error) { return 0, f.Sync() })
			}
			if step%4 != 0 {
				continue
			}
			want := tree(t, m, "/")
			if got := tree(t, c.Image(c.Ops(), crashfs.All, 0), "/"); !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d step %d verb %d %s %s: image %q, want %q", seed, step, verb, name, other, got, want)
			}
			for mode := range crashfs.Modes { // none may panic or hang
				c.Image(next(c.Ops()+1), crashfs.Modes[mode], seed)
			}
		}
		c.Settle()
		want := tree(t, m, "/")
		for _, mode := range crashfs.Modes {
			if got := tree(t, c.Image(c.Ops(), mode, seed), "/"); !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d settled, %s: image %q, want %q", seed, mode, got, want)
			}
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	c := crashfs.New()
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			name := fmt.Sprint("f", g)
			f, err := c.Create(name)
			if err != nil {
				t.Error(err)
				return
			}
			for range 50 {
				_, werr := f.Write([]byte("x"))
				if err := errors.Join(werr, f.Sync(), c.SyncDir("/")); err != nil {
					t.Error(err)
				}
				c.Image(c.Ops(), crashfs.Random, 1)
			}
		})
	}
	wg.Wait()
	x := strings.Repeat("x", 50)
	want := files{"/f0": x, "/f1": x, "/f2": x, "/f3": x}
	if got := tree(t, c.Image(c.Ops(), crashfs.None, 0), "/"); !reflect.DeepEqual(got, want) {
		t.Errorf("image %q, want %q", got, want)
	}
}

func BenchmarkSweep(b *testing.B) {
	c := crashfs.New()
	for i := range 300 {
		script(b, c, fmt.Sprintf("put f%d %s; sync f%d; syncdir /", i%20, strings.Repeat("x", 200), i%20))
	}
	b.ResetTimer()
	images := 0
	for b.Loop() {
		for range c.Sweep(0, 2) {
			images++
		}
	}
	b.ReportMetric(float64(images)/b.Elapsed().Seconds(), "images/s")
}
