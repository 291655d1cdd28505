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
)

// Scratch is the memory of one reading goroutine, reused from call to call and
// from reader to reader. The zero value is ready.
//
// It reads ahead where pieces are asked for in the order of the file, so that a
// scan makes few and large reads and a lookup small ones.
type Scratch struct {
	sum checksum
	dec block.Decoder

	owner  *Reader
	window []byte // the bytes at offset
	offset int64
	next   int64 // end of the last piece
	ahead  int   // bytes of the last read ahead
}

// framed returns n bytes at offset off of the file, which must lie before its
// end.
func (s *Scratch) framed(r *Reader, off int64, n int) ([]byte, error) {
	if s.owner != r {
		s.owner, s.window, s.next, s.ahead = r, s.window[:0], 0, 0
		s.sum = r.sum
	}
	lo := off - s.offset
	if lo < 0 || lo > int64(len(s.window)) || int64(n) > int64(len(s.window))-lo {
		if err := s.fill(r, off, n); err != nil {
			return nil, err
		}
		lo = 0
	}
	s.next = off + int64(n)
	return s.window[lo : lo+int64(n) : lo+int64(n)], nil
}

// fill reads at least n bytes at off into the window.
func (s *Scratch) fill(r *Reader, off int64, n int) error {
	if off >= s.next && off-s.next <= nearby && s.next > 0 {
		s.ahead = min(max(2*s.ahead, nearby), maxAhead)
	} else {
		s.ahead = 0
	}
	size := int64(max(n, s.ahead))
	size = max(int64(n), min(size, r.foot.index-off))
	if int64(cap(s.window)) < size {
		s.window = make([]byte, size, max(size, int64(2*nearby)))
	}
	s.window = s.window[:size]
	s.offset = off
	got, err := r.file.ReadAt(s.window, off)
	if got >= n {
		s.window = s.window[:got]
		return nil
	}
	s.window = s.window[:0]
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return r.damage(off, int64(n), "file ends before it")
	}
	return fmt.Errorf("read segment %s at %d: %w", r.name, off, err)
}
