package vfs

import (
	"errors"
	"testing"
	"time"
)

func TestMemNames(t *testing.T) {
	m := NewMem()
	must(t, m.MkdirAll("d"))
	f, err := m.Create("d//./x")
	must(t, err)
	_, err = f.Write([]byte("1"))
	must(t, err)
	for _, name := range []string{"d/x", "/d/x", "./d/x", "/d/e/../x", "../d/x", "d/x/"} {
		got, err := ReadFile(m, name)
		if err != nil || string(got) != "1" {
			t.Errorf("ReadFile(%q) = %q, %v; want 1", name, got, err)
		}
	}
	for _, name := range []string{"", ".", "/", ".."} {
		got, err := m.List(name)
		if err != nil || len(got) != 1 || got[0] != "d" {
			t.Errorf("List(%q) = %q, %v; want d", name, got, err)
		}
		if err := m.Remove(name); err == nil {
			t.Errorf("Remove(%q) removed the root", name)
		}
		if _, err := m.Create(name); err == nil {
			t.Errorf("Create(%q) made a file of the root", name)
		}
		if err := m.Rename("d", name); err == nil {
			t.Errorf("Rename onto %q replaced the root", name)
		}
		if err := m.Rename(name, "e"); err == nil {
			t.Errorf("Rename of %q moved the root", name)
		}
	}
}

func TestMemTimesAreDeterministic(t *testing.T) {
	run := func() (times []time.Time) {
		m := NewMem()
		must(t, m.MkdirAll("d"))
		for _, name := range []string{"d/a", "d/b"} {
			f, err := m.Create(name)
			must(t, err)
			_, err = f.Write([]byte("x"))
			must(t, err)
			st, err := m.Stat(name)
			must(t, err)
			times = append(times, st.ModTime)
		}
		return times
	}
	a, b := run(), run()
	if !a[0].Equal(b[0]) || !a[1].Equal(b[1]) || !a[0].Before(a[1]) {
		t.Fatalf("times %v and %v: want equal runs, growing times", a, b)
	}
}

func TestMemRefusesHugeFiles(t *testing.T) {
	f, err := NewMem().Create("a")
	must(t, err)
	if err := f.Truncate(1 << 62); err == nil {
		t.Error("Truncate(1<<62) succeeded")
	}
	for _, off := range []int64{1 << 62, 1<<63 - 1} {
		if _, err := f.WriteAt([]byte("xy"), off); err == nil {
			t.Errorf("WriteAt(%d) succeeded", off)
		}
	}
}

func TestMemLocksAreItsOwn(t *testing.T) {
	a, b := NewMem(), NewMem()
	for _, m := range []*Mem{a, b} {
		_, err := m.Lock("LOCK")
		must(t, err)
	}
	if _, err := a.Lock("LOCK"); !errors.Is(err, ErrLocked) {
		t.Fatalf("got %v, want ErrLocked", err)
	}
}
