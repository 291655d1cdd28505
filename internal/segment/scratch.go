package segment

import (
	"errors"
	"fmt"
	"io"

	"github.com/tickwell/tickwell/internal/block"
)

const (
	// nearby is how far behind the last piece the next one may lie to count as
	// reading on.
	nearby = 4 << 10
	// maxAhead is the largest read that reading on leads to.
	maxAhead = 64 << 10
	// maxAlong is the largest read of several blocks that will be needed.
	maxAlong = 16 << 10
	// betweenBlocks is how far apart blocks may lie that are read together: a
	// times block that is a line lies between two blocks of values.
	betweenBlocks = 64
	// seldom is how many times what is wanted of a chunk may be read with it.
	seldom = 8
)

// Scratch is the memory of one reading goroutine, reused from call to call and
// from reader to reader. The zero value is ready.
//
// It reads ahead where times or values are asked for in the order of the file,
// so that a scan makes few and large reads and a lookup small ones.
type Scratch struct {
	sum           checksum
	dec           block.Decoder
	owner         *Reader
	times, values window
	plain         []byte // a compressed block without the compression
}

// window is a stretch of a file in memory.
type window struct {
	bytes  []byte
	offset int64
	next   int64 // end of the last piece asked for
	ahead  int   // bytes of the last read ahead
}

// framed returns n bytes at offset off of the file, which must lie before the
// index. If it has to read, it reads along bytes at least.
func (s *Scratch) framed(r *Reader, kind byte, off int64, n, along int) ([]byte, error) {
	if s.owner != r {
		s.owner, s.sum = r, r.sum
		s.times.forget()
		s.values.forget()
	}
	if b := s.values.holds(off, n); b != nil { // maybe times, among values
		return b, nil
	}
	w := &s.values
	if kind == pieceTimes && along == 0 { // else what is read along is values, which are looked for there
		w = &s.times
	}
	if b := w.holds(off, n); b != nil {
		return b, nil
	}
	if err := w.fill(r, off, n, along); err != nil {
		return nil, err
	}
	return w.holds(off, n), nil
}

// has reports whether a block of r needs no reading.
func (s *Scratch) has(r *Reader, ref Ref) bool {
	n := int(ref.Length) + crcSize
	return s.owner == r && (s.values.holds(ref.Offset, n) != nil || s.times.holds(ref.Offset, n) != nil)
}

// holds returns the n bytes at offset off, nil if they are not in memory.
func (w *window) holds(off int64, n int) []byte {
	lo := off - w.offset
	if lo < 0 || lo > int64(len(w.bytes)) || int64(n) > int64(len(w.bytes))-lo {
		return nil
	}
	w.next = off + int64(n)
	return w.bytes[lo : lo+int64(n) : lo+int64(n)]
}

// Forget lets go of the reader that was read last.
func (s *Scratch) Forget() {
	s.owner = nil
	s.times.forget()
	s.values.forget()
}

func (w *window) forget() { *w = window{bytes: w.bytes[:0]} }

// fill reads at least n bytes at off, and along where the blocks end before.
func (w *window) fill(r *Reader, off int64, n, along int) error {
	if off >= w.next && off-w.next <= nearby && w.next > 0 {
		w.ahead = min(max(2*w.ahead, nearby), maxAhead)
	} else {
		w.ahead = 0
	}
	size := max(int64(n), min(int64(max(w.ahead, along)), r.foot.index-off))
	if int64(cap(w.bytes)) < size {
		w.bytes = make([]byte, max(size, 2*nearby))
	}
	w.bytes = w.bytes[:size]
	w.offset = off
	got, err := r.file.ReadAt(w.bytes, off)
	if got >= n {
		w.bytes = w.bytes[:got]
		return nil
	}
	w.bytes = w.bytes[:0]
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return r.damage(off, int64(n), "file ends before it")
	}
	return fmt.Errorf("read segment %s at %d: %w", r.name, off, err)
}
