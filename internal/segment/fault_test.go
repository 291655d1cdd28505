package segment

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/vfs"
)

var errDisk = errors.New("disk on fire")

// faultFS fails the call number fail of its files, counted from 1.
type faultFS struct {
	vfs.FS
	calls, fail int
}

func (f *faultFS) next() error {
	if f.calls++; f.calls == f.fail {
		return errDisk
	}
	return nil
}

func (f *faultFS) Create(name string) (vfs.File, error) {
	if err := f.next(); err != nil {
		return nil, err
	}
	file, err := f.FS.Create(name)
	return &faultFile{file, f}, err
}

func (f *faultFS) Open(name string) (vfs.File, error) {
	if err := f.next(); err != nil {
		return nil, err
	}
	file, err := f.FS.Open(name)
	return &faultFile{file, f}, err
}

type faultFile struct {
	vfs.File
	fs *faultFS
}

func (f *faultFile) Write(b []byte) (int, error) {
	if err := f.fs.next(); err != nil {
		return 0, err
	}
	return f.File.Write(b)
}

func (f *faultFile) ReadAt(b []byte, off int64) (int, error) {
	if err := f.fs.next(); err != nil {
		return 0, err
	}
	return f.File.ReadAt(b, off)
}

func (f *faultFile) Size() (int64, error) {
	if err := f.fs.next(); err != nil {
		return 0, err
	}
	return f.File.Size()
}

func (f *faultFile) Sync() error {
	if err := f.fs.next(); err != nil {
		return err
	}
	return f.File.Sync()
}

// writeAll writes d and returns the first error, after Abort.
func writeAll(t *testing.T, fsys vfs.FS, d testData) error {
	w, err := Create(fsys, "f.blk", d.head)
	if err != nil {
		return err
	}
	defer func() { require.NoError(t, w.Abort()) }()
	good := vfs.NewMem()
	d.write(t, good, "f.blk") // for the encoded blocks
	r, err := Open(good, "f.blk", d.head.StoreID, d.head.FileNo, nil)
	require.NoError(t, err)
	defer r.Close()
	var scratch Scratch
	refs := map[Ref]ChunkRef{}
	for id := range r.Series() {
		blocks, err := r.Blocks(id)
		require.NoError(t, err)
		for i := range blocks {
			b := &blocks[i]
			if _, ok := refs[b.Times]; !ok {
				raw, err := r.RawTimes(&scratch, b)
				require.NoError(t, err)
				times, err := r.ReadTimes(nil, new(Scratch), b)
				require.NoError(t, err)
				if refs[b.Times], err = w.BeginChunk(raw, b.N, times[0], times[len(times)-1]); err != nil {
					return err
				}
			}
			raw, err := r.RawValuesOf(&scratch, []BlockInfo{*b}, 0, false)
			require.NoError(t, err)
			if err := w.AddBlock(id, b.Kind, refs[b.Times], raw, &b.Stats); err != nil {
				return err
			}
		}
	}
	_, err = w.Finish()
	return err
}

// TestWriteFaults fails each call once: the error comes through and no file
// remains. The last round, without a failure, copies a file block by block.
func TestWriteFaults(t *testing.T) {
	d := makeData(41, 2, 30, 1024)
	for fail := 1; ; fail++ {
		fsys := &faultFS{FS: vfs.NewMem(), fail: fail}
		err := writeAll(t, fsys, d)
		names, listErr := fsys.List(".")
		require.NoError(t, listErr)
		if err == nil {
			require.Greater(t, fail, 4, "the file was written in too few calls to test much")
			require.Equal(t, []string{"f.blk"}, names)
			_, want := d.write(t, vfs.NewMem(), "twin")
			require.NoError(t, openAndCompare(t, fsys.FS, "f.blk", want))
			return
		}
		require.ErrorIs(t, err, errDisk)
		require.Empty(t, names, "after failure of call %d", fail)
	}
}

// TestReadFaults fails each call once: the error comes through and is not taken
// for damage; Verify counts it as damage.
func TestReadFaults(t *testing.T) {
	mem := vfs.NewMem()
	_, want := makeData(42, 1, 3, 40).write(t, mem, "f.blk")
	for fail := 1; ; fail++ {
		fsys := &faultFS{FS: mem, fail: fail}
		err := openAndCompare(t, fsys, "f.blk", want)
		if err == nil {
			require.Greater(t, fail, 6)
			break
		}
		require.ErrorIs(t, err, errDisk)
		require.NotErrorIs(t, err, errs.Corrupt)
	}
	fsys := &faultFS{FS: mem}
	r, err := Open(fsys, "f.blk", testStore, testFile, nil)
	require.NoError(t, err)
	defer r.Close()
	opened := fsys.calls
	for fail := 1; ; fail++ {
		fsys.calls, fsys.fail = opened, opened+fail
		var found []Damage
		require.NoError(t, r.Verify(context.Background(), func(d Damage) { found = append(found, d) }))
		if len(found) == 0 {
			require.Greater(t, fail, 6)
			return
		}
		require.Contains(t, found[0].Reason, errDisk.Error())
	}
}
