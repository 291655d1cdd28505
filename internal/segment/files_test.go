package segment

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/vfs"
)

// opened counts the files that are open for reading.
type opened struct {
	vfs.FS
	now, most, opens atomic.Int64
	fail             atomic.Pointer[error] // of the next Open
	boom             atomic.Bool           // it panics
}

type openedFile struct {
	vfs.File
	of *opened
}

func (o *opened) Open(name string) (vfs.File, error) {
	if err := o.fail.Swap(nil); err != nil {
		return nil, *err
	}
	if o.boom.Swap(false) {
		panic("boom")
	}
	n := o.now.Add(1)
	for {
		most := o.most.Load()
		if n <= most || o.most.CompareAndSwap(most, n) {
			break
		}
	}
	o.opens.Add(1)
	f, err := o.FS.Open(name)
	if err != nil {
		o.now.Add(-1)
		return nil, err
	}
	return &openedFile{f, o}, nil
}

func (f *openedFile) Close() error {
	f.of.now.Add(-1)
	return f.File.Close()
}

// manyFiles writes n files and opens them with at most limit open.
func manyFiles(t *testing.T, n, limit int) (*opened, *Files, []*Reader, []map[uint32]*seriesData) {
	t.Helper()
	o := &opened{FS: vfs.NewMem()}
	files := NewFiles(o, limit)
	var readers []*Reader
	var want []map[uint32]*seriesData
	for i := range n {
		name := fmt.Sprint(i, ".blk")
		d := makeData(uint64(i+1), 3, 2, 40)
		_, w := d.write(t, o.FS, name)
		r, err := files.Open(name, testStore, testFile, nil)
		require.NoError(t, err)
		readers, want = append(readers, r), append(want, w)
	}
	return o, files, readers, want
}

// lookUp reads from the file of r.
func lookUp(r *Reader) (err error) {
	for id := range r.Series() {
		_, err = r.Blocks(id)
		break
	}
	return err
}

func TestFilesAreFewAtOnce(t *testing.T) {
	for _, limit := range []int{1, 2, 4, 100} {
		o, files, readers, want := manyFiles(t, 9, limit)
		for range 2 {
			for i, r := range readers {
				require.NoError(t, compare(t, r, want[i]))
				require.NoError(t, r.Verify(context.Background(), func(d Damage) { t.Errorf("unexpected finding: %+v", d) }))
			}
		}
		require.LessOrEqual(t, o.most.Load(), int64(limit))
		require.Equal(t, min(limit, 9), files.Held())
		for _, r := range readers {
			require.NoError(t, r.Close())
			require.ErrorIs(t, r.Close(), fs.ErrClosed)
		}
		require.Zero(t, o.now.Load(), "open after all were closed")
	}
}

func TestFilesWithoutLimit(t *testing.T) {
	o, _, readers, _ := manyFiles(t, 9, 0)
	require.EqualValues(t, 9, o.now.Load())
	for _, r := range readers {
		require.NoError(t, r.Close())
	}
	require.Zero(t, o.now.Load())
}

// TestFilesKeepTheBusiest: what is read again and again is not opened again.
func TestFilesKeepTheBusiest(t *testing.T) {
	o, _, readers, _ := manyFiles(t, 6, 2)
	read := func(i int) {
		require.NoError(t, lookUp(readers[i]))
	}
	read(0)
	before := o.opens.Load()
	for i := 1; i < 6; i++ {
		read(0)
		read(i)
	}
	require.EqualValues(t, 5, o.opens.Load()-before, "one for each of the others, at most")
}

func TestFilesReadConcurrently(t *testing.T) {
	o, _, readers, want := manyFiles(t, 8, 3)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for k := range 8 {
				i := (g*3 + k) % 8
				if err := compare(t, readers[i], want[i]); err != nil {
					t.Errorf("file %d: %v", i, err)
				}
			}
		})
	}
	wg.Wait()
	require.LessOrEqual(t, o.most.Load(), int64(3))
}

// TestFilesThatDoNotOpen: an error or a panic of the file system is that of the
// read, and takes no slot.
func TestFilesThatDoNotOpen(t *testing.T) {
	o, _, readers, want := manyFiles(t, 3, 1)
	gone := errors.New("too many open files")
	for i := range 3 {
		r := readers[i]
		require.NoError(t, lookUp(readers[(i+1)%3])) // closes r's file
		o.fail.Store(&gone)
		err := lookUp(r)
		require.ErrorIs(t, err, gone)
		var damage *DamageError
		require.NotErrorAs(t, err, &damage, "not damage")
		o.boom.Store(true)
		require.PanicsWithValue(t, "boom", func() { lookUp(r) })
		require.NoError(t, compare(t, r, want[i]))
	}
	_, err := NewFiles(o, 1).Open("none.blk", testStore, testFile, nil)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, readers[2].Close())
	require.ErrorIs(t, lookUp(readers[2]), fs.ErrClosed)
}
