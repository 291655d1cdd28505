package wal

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"sync"

	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/vfs"
)

// settle cuts the last segment to its valid bytes and syncs it, for from now on
// it is not the last any more and a bad record in it would be damage.
func (r *replay) settle(s *segment) error {
	from := s.seek(min(r.synced+1, s.last))
	if settlesBeside {
		from = max(from, r.behind.stop())
		if err := r.behind.err; err != nil {
			return fmt.Errorf("open log: settle %s: %w", s.name, err)
		}
	}
	f, err := r.cfg.FS.OpenReadWrite(filepath.Join(r.cfg.Dir, s.name))
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	defer f.Close()
	// What an earlier Open or a rotation has done and could not sync may be in
	// the cache of the operating system only, and marked as written: the last
	// bytes, an end mark among them, are written again and the file is cut again,
	// whatever its size says, before the sync counts.
	if err := rewrite(f, from, s.end); err != nil {
		return fmt.Errorf("open log: write %s again: %w", s.name, err)
	}
	for _, size := range []int64{s.end + 1, s.end} {
		if err := f.Truncate(size); err != nil {
			return fmt.Errorf("open log: cut the end of %s: %w", s.name, err)
		}
	}
	s.size = s.end
	if err := f.Sync(); err != nil {
		return fmt.Errorf("open log: sync %s: %w: %w", s.name, errs.StorageFailed, err)
	}
	return nil
}

// rewrite writes the bytes [from, to) of f as they are.
//
//go:noinline
func rewrite(f vfs.File, from, to int64) error {
	buf := make([]byte, min(max(to-from, 0), rewriteWindow))
	for from < to {
		b := buf[:min(int64(len(buf)), to-from)]
		if n, err := f.ReadAt(b, from); n < len(b) {
			return errs.Join(err, io.ErrUnexpectedEOF)
		}
		if n, err := f.WriteAt(b, from); err != nil || n < len(b) {
			return errs.Join(err, io.ErrShortWrite)
		}
		from += int64(len(b))
	}
	return nil
}

// settleStep is the least number of bytes of the last segment that are settled at once
// while those after them are replayed: else it is a 64th of a segment. To sync a MiB
// takes no longer than to replay it.
const settleStep = 256 << 10

// settlesBeside is for servers: a small device has little to replay, seldom a second
// processor, and no room for the code.
const settlesBeside = math.MaxInt > math.MaxInt32

const rewriteWindow = 64 << 10

// behind does the work of settle while the segment is replayed, as far as that has
// come: on its own it takes as long as a seventh of the replay. It is for a log that
// had not been synced when the process died. What fails ends Open: after a sync that
// failed the cache may hold less than was replayed.
type behind struct {
	file string
	to   int64      // bytes before it were handed over
	todo chan int64 // up to where; nil: there is no goroutine
	done sync.WaitGroup
	err  error // of the goroutine
	off  bool
	_    [0]func() // nothing compares it: no code for that
}

// settleBehind has what was replayed of s, the last segment, settled, unless some of
// it is known to be synced: then what is not is not known before the end, and is
// little, or the segment is damaged.
//
//go:noinline
func (r *replay) settleBehind(s *segment) {
	b := &r.behind
	if b.off = b.off || r.cfg.ReadOnly || s.damaged || r.synced >= s.first; b.off {
		return
	}
	if b.todo == nil {
		b.file, b.todo = filepath.Join(r.cfg.Dir, s.name), make(chan int64, 1)
		b.done.Add(1)
		go b.run(r.cfg.FS, b.todo)
	}
	select {
	case b.todo <- s.end:
		b.to = s.end
	default: // it has enough to do
	}
}

// run settles the records of the file up to where it is told.
func (b *behind) run(fsys vfs.FS, todo <-chan int64) {
	defer func() {
		if recover() != nil {
			b.err = errs.StorageFailed
		}
		b.done.Done()
	}()
	f, err := fsys.OpenReadWrite(b.file)
	if b.err = err; err != nil {
		return
	}
	from := int64(headerBytes)
	for to := range todo {
		if b.err = rewrite(f, from, to); b.err != nil {
			break
		}
		if err := f.Sync(); err != nil {
			b.err = errs.Join(errs.StorageFailed, err)
			break
		}
		from = to
	}
	_ = f.Close()
}

// stop ends the goroutine and returns up to where the segment is settled.
//
//go:noinline
func (b *behind) stop() (to int64) {
	b.off = true
	if b.todo != nil {
		close(b.todo)
		b.todo = nil
		b.done.Wait()
	}
	return b.to
}
