package main

import (
	"sync"
	"testing"
	"time"

	"github.com/tickwell/tickwell/vfs"
)

// TestRun: ten minutes are stored, and what they cost is within what is asked,
// but for memory: that of a test program says nothing.
func TestRun(t *testing.T) {
	r, err := run(10*time.Minute, "", 4<<20)
	if err != nil {
		t.Fatal(err)
	}
	const seconds = 601
	// Five queries write two points a minute each.
	if least := int64(seconds * devices * columns); r.stats.Points < least || r.stats.Points > least+200 {
		t.Errorf("%d points in the store, want %d and up to 200 of queries", r.stats.Points, least)
	}
	if r.stats.Triggers != 5 || r.stats.ContinuousQueries != 5 {
		t.Errorf("%d triggers, %d queries, want 5 and 5", r.stats.Triggers, r.stats.ContinuousQueries)
	}
	if r.stats.TriggerFailures != 0 {
		t.Errorf("%d firings failed", r.stats.TriggerFailures)
	}
	perPoint := float64(r.pages) * pageSize / r.points
	if perPoint > 16 || perPoint < float64(r.bytes)/r.points || r.bytes == 0 {
		t.Errorf("%.2f bytes of pages a point, want at most 16 and at least what was handed over, %.2f", perPoint, float64(r.bytes)/r.points)
	}
	if r.syncs < 5 {
		t.Errorf("%d syncs, want about one every ten seconds", r.syncs)
	}
}

// TestPages: each page counts once between two syncs, and each sync once more.
func TestPages(t *testing.T) {
	p := &pages{FS: vfs.NewMem()}
	f, err := p.Create("x")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what string
		do   func() error
		want int64 // pages in all
	}{
		{"sync of nothing", f.Sync, 0},
		{"two writes to a page", func() error { f.Write(make([]byte, 10)); f.Write(make([]byte, 10)); return f.Sync() }, 2},
		{"a write across two", func() error { f.Write(make([]byte, pageSize)); return f.Sync() }, 5},
		{"in place", func() error { f.WriteAt([]byte("a"), 3*pageSize); return f.Sync() }, 7},
		{"a directory", func() error { return p.SyncDir(".") }, 8},
		{"closed without a sync", func() error { f.WriteAt([]byte("a"), 0); return f.Close() }, 9},
	} {
		if err := c.do(); err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		if p.touched != c.want {
			t.Fatalf("%s: %d pages, want %d", c.what, p.touched, c.want)
		}
	}
	if p.bytes != 20+pageSize+2 {
		t.Errorf("%d bytes handed over", p.bytes)
	}
}

// TestSettle: it waits for the last file that is being written.
func TestSettle(t *testing.T) {
	p := &pages{FS: vfs.NewMem()}
	if d := p.settle(time.Hour); d != 0 {
		t.Fatalf("waited %v for nothing", d)
	}
	a, _ := p.Create("a.tmp")
	b, _ := p.Create("b.tmp")
	log, _ := p.Create("log") // does not count
	defer log.Close()
	if d := p.settle(time.Nanosecond); d <= 0 {
		t.Fatalf("waited %v with two files under way, want to wait", d)
	}
	var wg sync.WaitGroup
	wg.Go(func() { a.Close(); b.Close() })
	p.settle(time.Hour) // ends with the second, or finds none
	wg.Wait()
	if d := p.settle(time.Hour); d != 0 {
		t.Errorf("waited %v for nothing", d)
	}
}

func TestResident(t *testing.T) {
	m := resident()
	if m.now == 0 && m.peak == 0 {
		t.Skip("no /proc")
	}
	if m.now <= 0 || m.file > m.now || m.now > m.peak+1 {
		t.Errorf("%+v, want the file within what is resident, and that within the peak", m)
	}
}
