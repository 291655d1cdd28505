package engine

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/vfs"
)

func dirConfig(fs vfs.FS, dir string) Config {
	cfg := diskConfig(fs)
	cfg.Dir = dir
	return cfg
}

// TestBackup: the copy opens by itself with the same points, state and events,
// and takes writes.
func TestBackup(t *testing.T) {
	fs, to := vfs.NewMem(), vfs.NewMem()
	e := open(t, diskConfig(fs))
	for i := range int64(5) {
		insertRows(t, e, "root.a", i*100, 150, "s1", "s2")
		require.NoError(t, e.Flush(bg))
	}
	ser, _ := e.Lookup("root.a", "s1")
	_, err := e.Commit(bg, &Batch{
		Deletes: []Delete{{Series: []*Series{ser}, From: 50, To: 70}},
		Puts:    []Put{{Key: "k", Value: []byte("v")}},
		Events:  []Event{{Sinks: []string{"sink"}, Key: "kevent", Payload: []byte("event")}},
	}, false)
	require.NoError(t, err)
	want := dump(t, e)
	require.NoError(t, e.Backup(bg, to, "copy"))
	insertRows(t, e, "root.a", 5000, 10, "s1")
	require.ErrorIs(t, e.Backup(bg, to, "copy"), errs.Exists)
	require.NoError(t, e.Close())
	c := open(t, dirConfig(to, "copy"))
	require.Equal(t, Report{}, c.Report())
	require.Empty(t, sameDump(want, dump(t, c)))
	v, _ := c.Get("k")
	require.Equal(t, "v", string(v))
	c.Outbox().Attach("sink")
	require.Equal(t, []string{"event"}, waitingOf(t, c.Outbox(), "sink", Pos{}))
	insertRows(t, c, "root.b", 0, 10, "s1")
	require.NoError(t, c.Compact(bg))
	require.NoError(t, c.Close())
	c = open(t, dirConfig(to, "copy"))
	require.Len(t, dump(t, c)["root.b.s1"], 10)
	require.NoError(t, c.Close())
	mem := open(t, memConfig())
	require.ErrorIs(t, mem.Backup(bg, to, "other"), errs.BadInput)
	require.NoError(t, mem.Close())
}

// TestBackupWhileWriting: a copy made beside writers, flushes and compactions is
// one cut: of batches that write two devices it has both parts or none.
func TestBackupWhileWriting(t *testing.T) {
	fs := vfs.NewMem()
	e := open(t, diskConfig(fs))
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Add(2)
	a := floatShape(t, e, "root.a", "s")
	b := floatShape(t, e, "root.b", "s")
	go func() {
		defer wg.Done()
		for i := range int64(20000) { // an end: copying ever more would never catch up
			select {
			case <-stop:
				return
			default:
			}
			tb := Tablet{Shape: a, Times: []int64{i}, Cols: []column.Vector{{Kind: column.Float64, Float64s: []float64{float64(i)}}}}
			other := tb
			other.Shape = b
			if _, err := e.Commit(bg, &Batch{Tablets: []Tablet{tb, other}}, false); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	go func() {
		defer wg.Done()
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if err := e.Compact(bg); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	for i := range 5 {
		acked := len(points(t, e, a.Series()[0]))
		dir := fmt.Sprint("copy", i)
		require.NoError(t, e.Backup(bg, fs, dir))
		c := open(t, dirConfig(fs, dir))
		got := dump(t, c)
		require.GreaterOrEqual(t, len(got["root.a.s"]), acked)
		require.Equal(t, got["root.a.s"], got["root.b.s"])
		require.Len(t, got["root.a.s"], len(points(t, c, a.Series()[0])))
		require.NoError(t, c.Close())
	}
	close(stop)
	wg.Wait()
	require.NoError(t, e.Close())
}

// TestReadOnlyBesideWriter: readers open while the writer flushes, compacts and
// removes files; each sees one cut, writes nothing, and keeps what it sees.
func TestReadOnlyBesideWriter(t *testing.T) {
	fs := vfs.NewMem()
	cfg := diskConfig(fs)
	cfg.SegmentBytes, cfg.Recycle = 4<<10, true
	ro := cfg
	ro.ReadOnly = true
	_, err := Open(bg, ro)
	require.Error(t, err)
	e := open(t, cfg)
	insertRows(t, e, "root.a", 0, 100, "s1")
	stop := make(chan struct{})
	var done atomic.Int64
	var wg sync.WaitGroup
	wg.Go(func() {
		// An end: on a busy machine readers fell behind, each had more to read than
		// the one before and was interrupted more often, without bound.
		for i := int64(1); i < 150; i++ {
			select {
			case <-stop:
				return
			default:
			}
			err := commitRows(e, "root.a", i*100, 100, "s1")
			done.Store(i*100 + 100)
			if err == nil && i%3 == 0 {
				err = e.Flush(bg)
			}
			if err == nil && i%7 == 0 {
				err = e.Compact(bg)
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
	})
	var held []*Engine
	var seen []map[string]content
	for try := 0; try < 20 || len(held) == 0; try++ { // it opens when the writer has ended
		acked := done.Load()
		r, err := Open(bg, ro)
		if err != nil { // it may say that the writer is too busy, nothing else
			require.ErrorIs(t, err, errs.Overloaded)
			continue
		}
		require.Empty(t, r.Report().Quarantined)
		require.Empty(t, r.Report().LostLog)
		got := dump(t, r)
		n := int64(len(got["root.a.s1"]))
		require.GreaterOrEqual(t, n, acked)
		require.Zero(t, n%100, "half a batch")
		for at := range n {
			require.Equal(t, fmt.Sprint(at), got["root.a.s1"][at])
		}
		_, err = r.Commit(bg, &Batch{Puts: []Put{{Key: "k"}}}, false)
		require.ErrorIs(t, err, errs.ReadOnly)
		require.ErrorIs(t, r.Flush(bg), errs.ReadOnly)
		require.ErrorIs(t, r.Compact(bg), errs.ReadOnly)
		_, err = r.Shape("root.new", []string{"s"}, []column.Kind{column.Text})
		require.ErrorIs(t, err, errs.ReadOnly)
		held, seen = append(held, r), append(seen, got)
	}
	close(stop)
	wg.Wait()
	require.NotEmpty(t, held)
	require.NoError(t, e.Compact(bg))
	for i, r := range held {
		require.Empty(t, sameDump(seen[i], dump(t, r)), "a reader keeps its cut")
		require.NoError(t, r.Close())
	}
	require.NoError(t, e.Close())
}

// TestReadOnlyWritesNothing: not one call of a reader changes the file system.
func TestReadOnlyWritesNothing(t *testing.T) {
	fs, manifest, _, want := flippable(t)
	damage := func(name string) {
		f, err := fs.OpenReadWrite(name)
		require.NoError(t, err)
		_, err = f.WriteAt([]byte{0xff}, 40)
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
	for _, name := range []string{"", manifest} {
		if name != "" {
			damage(name)
		}
		watched := crashfs.From(fs)
		cfg := diskConfig(watched)
		cfg.ReadOnly = true
		before := watched.Ops()
		e := open(t, cfg)
		require.Empty(t, sameDump(want, dump(t, e)))
		_, err := e.Verify(bg)
		require.NoError(t, err)
		require.NoError(t, e.Close())
		for op := before; op < watched.Ops(); op++ {
			switch k := watched.Op(op).Kind.String(); k {
			case "open", "list", "stat", "read", "close", "size":
			default:
				t.Errorf("a reader did %s of %s", k, watched.Op(op).Name)
			}
		}
	}
}

// TestVerifyBesideWriter: what a writer has replaced since a reader opened the store is no
// damage.
func TestVerifyBesideWriter(t *testing.T) {
	fs := vfs.NewMem()
	cfg := diskConfig(fs)
	e := open(t, cfg)
	defer e.Close()
	insertRows(t, e, "root.a", 0, 100, "s1")
	require.NoError(t, e.Flush(bg))
	cfg.ReadOnly = true
	for _, more := range []func(){
		func() {},
		func() { insertRows(t, e, "root.a", 100, 100, "s1"); require.NoError(t, e.Flush(bg)) },
		func() { require.NoError(t, e.disk.rewrite(e.disk.now)) },
	} {
		reader := open(t, cfg)
		more() // what the reader has read is replaced
		v, err := reader.Verify(bg)
		require.NoError(t, err)
		require.Empty(t, v.Damage)
		require.NoError(t, reader.Close())
	}
}

// TestVerify: a clean store has no findings; every changed byte of every file is
// found, online and offline.
func TestVerify(t *testing.T) {
	fs, manifest, catalog, _ := flippable(t)
	v, err := Verify(bg, diskConfig(fs))
	require.NoError(t, err)
	require.Empty(t, v.Damage)
	require.Empty(t, v.Log)
	require.Positive(t, v.Bytes)
	names, err := fs.List("db/data")
	require.NoError(t, err)
	for _, name := range []string{manifest, catalog, "db/data/" + names[0], "db/data/" + names[1]} {
		b, err := vfs.ReadFile(fs, name)
		require.NoError(t, err)
		for at := 0; at < len(b); at += 3 {
			img := vfs.NewMem()
			copyTree(t, fs, img, "db")
			e := open(t, diskConfig(img))
			f, err := img.OpenReadWrite(name)
			require.NoError(t, err)
			_, err = f.WriteAt([]byte{b[at] ^ 0x10}, int64(at))
			require.NoError(t, err)
			require.NoError(t, f.Close())
			online, err := e.Verify(bg)
			require.NoError(t, err)
			require.NotEmpty(t, online.Damage, "online, %s: byte %d", name, at)
			require.NoError(t, e.Close())
			offline, err := Verify(bg, diskConfig(img))
			require.NoError(t, err)
			require.NotEmpty(t, offline.Damage, "offline, %s: byte %d", name, at)
		}
	}
	ctx, cancel := context.WithCancel(bg)
	cancel()
	_, err = Verify(ctx, diskConfig(fs))
	require.ErrorIs(t, err, context.Canceled)
}
