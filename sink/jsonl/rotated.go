package jsonl

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/tickwell/tickwell/vfs"
)

// rotated is a file that is put aside when it is full. Its end is a batch's end
// as far as good; what an unfinished write left behind is cut off before the
// next one.
type rotated struct {
	fs    vfs.FS
	path  string
	limit int64
	keep  int

	f    vfs.File
	good int64 // bytes that were synced
}

func (r *rotated) open() error {
	dir := filepath.Dir(r.path)
	if err := r.fs.MkdirAll(dir); err != nil {
		return err
	}
	if err := r.fs.SyncDir(filepath.Dir(dir)); err != nil {
		return err
	}
	f, err := r.fs.OpenReadWrite(r.path)
	if errors.Is(err, fs.ErrNotExist) {
		return r.create()
	}
	if err != nil {
		return err
	}
	end, err := wholeLines(f)
	if err == nil {
		err = f.Truncate(end)
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	r.f, r.good = f, end
	return nil
}

// create begins a new file and makes its name durable.
func (r *rotated) create() error {
	f, err := r.fs.Create(r.path)
	if err != nil {
		return err
	}
	if err := r.fs.SyncDir(filepath.Dir(r.path)); err != nil {
		return errors.Join(err, f.Close())
	}
	r.f, r.good = f, 0
	return nil
}

// wholeLines returns the offset behind the last line end that stands before any
// zero byte. JSON lines hold none, but a block that did not reach the disk does.
func wholeLines(f vfs.File) (end int64, err error) {
	buf := make([]byte, 64<<10)
	for at := int64(0); ; {
		n, err := f.ReadAt(buf, at)
		b := buf[:n]
		zero := bytes.IndexByte(b, 0)
		if zero >= 0 {
			b = b[:zero]
		}
		if i := bytes.LastIndexByte(b, '\n'); i >= 0 {
			end = at + int64(i) + 1
		}
		if zero >= 0 || errors.Is(err, io.EOF) {
			return end, nil
		}
		if err != nil {
			return 0, err
		}
		at += int64(n)
	}
}

// append adds a batch and makes it durable. After an error the file has to be
// opened again.
func (r *rotated) append(b []byte) error {
	// Somebody else may have emptied it, as tools that put logs aside do. A hole
	// before the batch would be cut off, with the batch, when it is next opened.
	if size, err := r.f.Size(); err != nil || size != r.good {
		if err == nil {
			err = fmt.Errorf("somebody else has changed it: it has %d bytes instead of %d", size, r.good)
		}
		return err
	}
	if r.good > 0 && r.good+int64(len(b)) > r.limit {
		if err := r.rotate(); err != nil {
			return fmt.Errorf("put the full file aside: %w", err)
		}
	}
	_, err := r.f.WriteAt(b, r.good)
	if err == nil {
		err = r.f.Sync()
	}
	if err != nil {
		// A repetition shall not find half of this batch. If that fails too, the
		// lines that are whole are repeated.
		_ = r.f.Truncate(r.good)
		return fmt.Errorf("write: %w", err)
	}
	r.good += int64(len(b))
	return nil
}

// rotate puts the file aside under the next number and begins a new one.
func (r *rotated) rotate() error {
	aside, err := r.aside()
	if err != nil {
		return err
	}
	next := 1
	if len(aside) > 0 {
		next = aside[len(aside)-1] + 1
	}
	if err := r.f.Close(); err != nil {
		return err
	}
	r.f = nil
	if err := r.fs.Rename(r.path, r.numbered(next)); err != nil {
		return err
	}
	if err := r.create(); err != nil {
		return err
	}
	for aside = append(aside, next); r.keep > 0 && len(aside) > r.keep; aside = aside[1:] {
		if err := r.fs.Remove(r.numbered(aside[0])); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// numbered returns the name of a file that was put aside.
func (r *rotated) numbered(n int) string {
	ext := filepath.Ext(r.path)
	return fmt.Sprintf("%s-%06d%s", strings.TrimSuffix(r.path, ext), n, ext)
}

// aside returns the numbers of the files that were put aside, in order.
func (r *rotated) aside() (numbers []int, err error) {
	names, err := r.fs.List(filepath.Dir(r.path))
	if err != nil {
		return nil, err
	}
	ext := filepath.Ext(r.path)
	prefix := strings.TrimSuffix(filepath.Base(r.path), ext) + "-"
	for _, name := range names {
		digits, ok := strings.CutPrefix(name, prefix)
		if ok {
			digits, ok = strings.CutSuffix(digits, ext)
		}
		if n, err := strconv.Atoi(digits); ok && err == nil && n > 0 && name == filepath.Base(r.numbered(n)) {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

func (r *rotated) close() error {
	if r.f == nil {
		return nil
	}
	return r.f.Close()
}
