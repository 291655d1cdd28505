package engine

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/vfs"
)

// writesFS calls a function before each write to a log segment.
type writesFS struct {
	vfs.FS
	before *atomic.Pointer[func()]
}

type writesFile struct {
	vfs.File
	before *atomic.Pointer[func()]
}

func (fs writesFS) OpenReadWrite(name string) (vfs.File, error) {
	f, err := fs.FS.OpenReadWrite(name)
	return writesFile{f, fs.before}, err
}

func (fs writesFS) Create(name string) (vfs.File, error) {
	f, err := fs.FS.Create(name)
	if strings.HasSuffix(name, ".wal") && err == nil {
		f = writesFile{f, fs.before}
	}
	return f, err
}

func (f writesFile) WriteAt(p []byte, off int64) (int, error) {
	if before := f.before.Load(); before != nil {
		(*before)()
	}
	return f.File.WriteAt(p, off)
}

// pointWriter returns what adds points to one series, on the short way.
func pointWriter(t *testing.T, e *Engine, device string) func(n int) {
	s, err := e.Shape(device, []string{"s"}, []column.Kind{column.Int64})
	require.NoError(t, err)
	_, err = e.Commit(bg, &Batch{Tablets: []Tablet{{Shape: s, Times: []int64{1}, Cols: []column.Vector{{Kind: column.Int64, Int64s: []int64{1}}}}}}, false)
	require.NoError(t, err)
	at := int64(1)
	return func(n int) {
		for range n {
			at++
			if ok, err := e.AppendPoint(bg, s, at, uint64(at), 0); err != nil || !ok {
				t.Errorf("expected point %d to be stored, got %t, %v", at, ok, err)
				return
			}
		}
	}
}

func slowWrites(t *testing.T) (e *Engine, before *atomic.Pointer[func()]) {
	before = new(atomic.Pointer[func()])
	cfg := bufferedConfig(writesFS{vfs.NewMem(), before})
	cfg.SegmentBytes, cfg.ManualFlush = 64<<20, true
	return open(t, cfg), before
}

const someBuffer = 15_000 // points, more than the log keeps in its buffer though nobody waits

// TestPointsBesideSlowDisk: who adds a point and writes what is due holds up nobody while
// the disk takes its time: neither others who add points of the series, nor a freeze, nor
// queries.
func TestPointsBesideSlowDisk(t *testing.T) {
	e, before := slowWrites(t)
	defer e.Close()
	write := pointWriter(t, e, "root.a")
	require.NoError(t, e.Sync(bg))
	began, goOn, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var once atomic.Bool
	stall := func() {
		if once.CompareAndSwap(false, true) {
			close(began)
			<-goOn
		}
	}
	before.Store(&stall)
	go func() {
		defer close(done)
		write(someBuffer)
	}()
	<-began
	read := make(chan int)
	go func() {
		s := e.Snapshot()
		defer s.Release()
		ser, _ := e.Lookup("root.a", "s")
		c, n := s.Cursor(ser, 0, MaxTime), 0
		for c.Next() {
			n += len(c.Times())
		}
		e.alone()
		e.together()
		read <- n
	}()
	select {
	case n := <-read:
		require.Greater(t, n, someBuffer/2)
	case <-time.After(20 * time.Second):
		t.Error("expected a query to pass by a write that takes its time, it waits")
	}
	close(goOn)
	<-done
}

// TestPointAmongOthers: who adds a point does not write for ever what others add while it
// writes.
func TestPointAmongOthers(t *testing.T) {
	e, before := slowWrites(t)
	defer e.Close()
	write, others := pointWriter(t, e, "root.a"), pointWriter(t, e, "root.b")
	require.NoError(t, e.Sync(bg))
	writes := 0
	meanwhile := func() {
		if writes++; writes < 10 {
			others(someBuffer)
		}
	}
	before.Store(&meanwhile)
	for range someBuffer {
		was := writes
		write(1)
		if writes > was {
			require.Equal(t, 1, writes-was, "writes of one point")
			break
		}
	}
	require.Equal(t, 1, writes)
	before.Store(nil)
}
