package crashfs_test

import (
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/vfs"
)

var errBoom = errors.New("boom")

func only(kinds ...crashfs.Kind) func(crashfs.Op) bool {
	return func(op crashfs.Op) bool { return slices.Contains(kinds, op.Kind) }
}

// TestEveryCallCanFail makes each kind of call fail once.
func TestEveryCallCanFail(t *testing.T) {
	calls := map[crashfs.Kind]func(c *crashfs.FS, f vfs.File) error{
		crashfs.Open:     func(c *crashfs.FS, f vfs.File) error { _, err := c.Open("a"); return err },
		crashfs.Create:   func(c *crashfs.FS, f vfs.File) error { _, err := c.Create("new"); return err },
		crashfs.Rename:   func(c *crashfs.FS, f vfs.File) error { return c.Rename("a", "b") },
		crashfs.Remove:   func(c *crashfs.FS, f vfs.File) error { return c.Remove("a") },
		crashfs.Mkdir:    func(c *crashfs.FS, f vfs.File) error { return c.MkdirAll("d/e") },
		crashfs.List:     func(c *crashfs.FS, f vfs.File) error { _, err := c.List("/"); return err },
		crashfs.Stat:     func(c *crashfs.FS, f vfs.File) error { _, err := c.Stat("a"); return err },
		crashfs.SyncDir:  func(c *crashfs.FS, f vfs.File) error { return c.SyncDir("/") },
		crashfs.Lock:     func(c *crashfs.FS, f vfs.File) error { _, err := c.Lock("LOCK"); return err },
		crashfs.Read:     func(c *crashfs.FS, f vfs.File) error { _, err := f.ReadAt(make([]byte, 1), 0); return err },
		crashfs.Write:    func(c *crashfs.FS, f vfs.File) error { _, err := f.WriteAt([]byte("x"), 0); return err },
		crashfs.Sync:     func(c *crashfs.FS, f vfs.File) error { return f.Sync() },
		crashfs.Truncate: func(c *crashfs.FS, f vfs.File) error { return f.Truncate(0) },
		crashfs.Size:     func(c *crashfs.FS, f vfs.File) error { _, err := f.Size(); return err },
		crashfs.Close:    func(c *crashfs.FS, f vfs.File) error { return f.Close() },
	}
	for kind, call := range calls {
		c := crashfs.New()
		script(t, c, "put a data; settle")
		f, err := c.OpenReadWrite("a")
		must(t, err)
		c.Fail(1, errBoom, false, only(kind))
		before := tree(t, c.Image(c.Ops(), crashfs.All, 0), "/")
		err = call(c, f)
		var perr *fs.PathError
		if !errors.Is(err, errBoom) || !errors.As(err, &perr) || perr.Op != kind.String() {
			t.Errorf("%s: %v, want boom in a PathError", kind, err)
		}
		if after := tree(t, c.Image(c.Ops(), crashfs.All, 0), "/"); !reflect.DeepEqual(before, after) {
			t.Errorf("%s failed but changed %q to %q", kind, before, after)
		}
		if kind == crashfs.Close {
			continue // closed all the same
		}
		if err := call(c, f); err != nil {
			t.Errorf("%s after the fault: %v", kind, err)
		}
	}
}

func TestFailCounts(t *testing.T) {
	for _, c := range []struct {
		n      int
		sticky bool
		want   string // of five calls
	}{
		{1, false, "x...."}, {3, false, "..x.."}, {3, true, "..xxx"}, {1, true, "xxxxx"}, {6, true, "....."},
	} {
		fsys := crashfs.New()
		fsys.Fail(c.n, errBoom, c.sticky, func(op crashfs.Op) bool { return op.Name == "/counted" })
		got := ""
		for range 5 {
			fsys.Stat("other")
			if _, err := fsys.Stat("counted"); errors.Is(err, errBoom) {
				got += "x"
			} else {
				got += "."
			}
		}
		if got != c.want {
			t.Errorf("Fail(%d, sticky %v): %s, want %s", c.n, c.sticky, got, c.want)
		}
		fsys.Heal()
		if _, err := fsys.Stat("counted"); errors.Is(err, errBoom) {
			t.Errorf("Fail(%d, sticky %v) survives Heal", c.n, c.sticky)
		}
	}
}

func TestShortWrite(t *testing.T) {
	for short, want := range map[int]string{0: "ab", 1: "abc", 3: "abcde", 99: "abcdef"} {
		c := crashfs.New()
		f, err := c.Create("a")
		must(t, err)
		_, err = f.Write([]byte("ab"))
		must(t, err)
		c.Inject(crashfs.Fault{N: 1, Err: errBoom, Filter: only(crashfs.Write), Short: short})
		n, err := f.Write([]byte("cdef"))
		if n != len(want)-2 || !errors.Is(err, errBoom) {
			t.Errorf("short %d: %d, %v; want %d, boom", short, n, err, len(want)-2)
		}
		if got := tree(t, c, "/")["/a"]; got != want {
			t.Errorf("short %d: file holds %q, want %q", short, got, want)
		}
		if got := tree(t, c.Image(c.Ops(), crashfs.All, 0), "/")["/a"]; got != want {
			t.Errorf("short %d: image holds %q, want %q", short, got, want)
		}
		_, err = f.Write([]byte("!"))
		must(t, err)
		if got := tree(t, c, "/")["/a"]; got != want+"!" {
			t.Errorf("short %d: the next write makes %q, want %q", short, got, want+"!")
		}
	}
}

func TestFaultWithoutError(t *testing.T) {
	c := crashfs.New()
	c.Inject(crashfs.Fault{N: 1})
	if _, err := c.Stat("/"); err == nil || err.Error() == "" {
		t.Errorf("got %v, want some error", err)
	}
}

func TestBudget(t *testing.T) {
	c := crashfs.New()
	script(t, c, "put a 12345; put b 123")
	c.Budget(10)
	f, err := c.OpenReadWrite("a")
	must(t, err)
	for _, step := range []struct {
		name string
		call func() (int, error)
		n    int
		full bool
		want files
	}{
		{"overwrite needs no room", func() (int, error) { return f.WriteAt([]byte("ABCDE"), 0) }, 5, false, files{"/a": "ABCDE", "/b": "123"}},
		{"fits", func() (int, error) { return f.Write([]byte("6")) }, 1, false, files{"/a": "ABCDE6", "/b": "123"}},
		{"fits in part", func() (int, error) { return f.Write([]byte("789")) }, 1, true, files{"/a": "ABCDE67", "/b": "123"}},
		{"does not fit", func() (int, error) { return f.Write([]byte("8")) }, 0, true, files{"/a": "ABCDE67", "/b": "123"}},
		{"overwrites, then does not fit", func() (int, error) { return f.WriteAt([]byte("fgh"), 5) }, 2, true, files{"/a": "ABCDEfg", "/b": "123"}},
		{"truncate does not fit", func() (int, error) { return 0, f.Truncate(8) }, 0, true, files{"/a": "ABCDEfg", "/b": "123"}},
		{"truncate makes room", func() (int, error) { return 0, f.Truncate(6) }, 0, false, files{"/a": "ABCDEf", "/b": "123"}},
		{"now it fits", func() (int, error) { return f.WriteAt([]byte("7"), 6) }, 1, false, files{"/a": "ABCDEf7", "/b": "123"}},
		{"remove makes room", func() (int, error) { return 0, c.Remove("b") }, 0, false, files{"/a": "ABCDEf7"}},
		{"and is used", func() (int, error) { return f.WriteAt([]byte("890x"), 7) }, 3, true, files{"/a": "ABCDEf7890"}},
	} {
		n, err := step.call()
		if n != step.n || errors.Is(err, vfs.ErrNoSpace) != step.full || err != nil && !step.full {
			t.Errorf("%s: %d, %v; want %d, full %v", step.name, n, err, step.n, step.full)
		}
		if got := tree(t, c, "/"); !reflect.DeepEqual(got, step.want) {
			t.Errorf("%s: %q, want %q", step.name, got, step.want)
		}
	}
	if got, want := tree(t, c.Image(c.Ops(), crashfs.All, 0), "/"), tree(t, c, "/"); !reflect.DeepEqual(got, want) {
		t.Errorf("image %q, want %q", got, want)
	}
	c.Budget(-1)
	_, err = f.WriteAt([]byte("0123456789"), 20)
	must(t, err)
}

func TestSyncBudget(t *testing.T) {
	c := crashfs.New()
	c.SyncBudget(4)
	f, err := c.Create("a")
	must(t, err)
	must(t, c.SyncDir("/"))
	_, err = f.Write([]byte("1234"))
	must(t, err)
	must(t, f.Sync())
	_, err = f.Write([]byte("5"))
	must(t, err)
	if err := f.Sync(); !errors.Is(err, vfs.ErrNoSpace) {
		t.Fatalf("sync over budget: %v, want ErrNoSpace", err)
	}
	if got := tree(t, c.Image(c.Ops(), crashfs.None, 0), "/")["/a"]; got != "1234" {
		t.Errorf("image holds %q, want 1234", got)
	}
}

// twice calls from two places that differ by their line only.
func twice(f vfs.File, c *crashfs.FS) error {
	return errors.Join(
		f.Sync(),
		c.SyncDir("/"),
	)
}

func TestSitesAndElision(t *testing.T) {
	run := func(elide ...string) (*crashfs.FS, []string) {
		c := crashfs.New()
		for _, site := range elide {
			c.Elide(site)
		}
		f, err := c.Create("a")
		must(t, err)
		_, err = f.Write([]byte("x"))
		must(t, err)
		must(t, twice(f, c))
		must(t, twice(f, c))
		return c, c.Sites()
	}
	c, sites := run()
	if len(sites) != 2 {
		t.Fatalf("sites %q, want two", sites)
	}
	for _, site := range sites {
		if !strings.HasPrefix(site, "internal/crashfs_test/fault_test.go:") {
			t.Fatalf("site %q, want one in this file", site)
		}
	}
	if got := tree(t, c.Image(c.Ops(), crashfs.None, 0), "/"); !reflect.DeepEqual(got, files{"/a": "x"}) {
		t.Errorf("nothing elided: %q", got)
	}
	for i, want := range []files{{"/a": ""}, {}} { // without Sync, without SyncDir
		c, again := run(sites[i])
		if got := tree(t, c.Image(c.Ops(), crashfs.None, 0), "/"); !reflect.DeepEqual(got, want) {
			t.Errorf("%s elided: %q, want %q", sites[i], got, want)
		}
		if !reflect.DeepEqual(again, sites) {
			t.Errorf("%s elided: sites %q, want %q", sites[i], again, sites)
		}
	}
}

func TestWatch(t *testing.T) {
	c := crashfs.New()
	var seen []string
	c.Watch(func(op crashfs.Op) {
		seen = append(seen, fmt.Sprint(c.Ops(), " ", op.Kind, " ", op.Name)) // Ops must not deadlock
	})
	script(t, c, "put a x; mv a b; mkdir d")
	want := []string{"0 create /a", "1 write /a", "2 close /a", "2 rename /a", "3 mkdir /d"}
	if !reflect.DeepEqual(seen, want) {
		t.Errorf("saw %q, want %q", seen, want)
	}
}

func TestImageOutOfRange(t *testing.T) {
	c := crashfs.New()
	for _, op := range []int{-1, 1} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Image(%d) of no operations did not panic", op)
				}
			}()
			c.Image(op, crashfs.All, 0)
		}()
	}
}
