package engine

import (
	"errors"

	"github.com/tickwell/tickwell/internal/codec"
	"github.com/tickwell/tickwell/internal/column"
)

// others applies the rows of a tablet to the series that are there: one whose definition
// is lost costs nothing of those beside it.
func (r *replay) others(u *unresolved) error {
	w := wire{codec.Reader{Src: u.body}}
	ids := w.ids()
	kinds := make([]column.Kind, len(ids))
	known, lost := 0, false
	for i, id := range ids {
		if ser, ok := r.e.cat.ByID(id); ok {
			kinds[i] = ser.Kind
			known++
		} else if !r.e.disk.lostIDs.dropped[id] {
			lost = true
		}
	}
	body, left := w.without(ids, kinds)
	if lost || left < known {
		r.lost(u.lsn, errors.New("rows of a series whose definition is lost"))
	}
	if left == 0 {
		return nil
	}
	return r.rows(u.lsn, sectionTablet, body)
}

// without returns the tablet that w has, behind its ids, without the columns of unknown
// kind, which are Null in kinds, and how many are left: fewer than there are of known
// kind where it cannot be told where these begin.
func (w *wire) without(ids []uint32, kinds []column.Kind) (body []byte, left int) {
	head := w.Src
	n, enc := w.Uvarint(), w.Byte()
	f := fitting{n: int(n), kinds: kinds, tries: maxTries, path: make([][]byte, len(kinds)), found: make([][]byte, len(kinds))}
	if enc == rowsRaw && n > 0 && n < blockFrom {
		w.rawTimes(nil, int(n))
		head = head[:len(head)-len(w.Src)]
		f.fit(w.Src, 0)
	} else if enc == rowsBlock {
		w.Bytes(w.Count(1))
		head = head[:len(head)-len(w.Src)]
		for i := range kinds {
			from := w.Src
			w.Bytes(w.Count(1))
			f.found[i] = from[:len(from)-len(w.Src)]
		}
		if len(w.Src) > 0 {
			f.tries = 0
		}
	}
	if w.Bad || f.tries == 0 {
		return nil, 0
	}
	var own []uint32
	for i, kind := range kinds {
		if kind != column.Null && len(f.found[i]) > 0 {
			own = append(own, ids[i])
			body = append(body, f.found[i]...)
		}
	}
	return append(append(appendIDs(nil, own), head...), body...), len(own)
}

// fitting finds raw columns of n rows each. How long one of unknown kind is, is not
// said; but together they end where the tablet does, so that each of known kind that
// begins at one place only, whatever kinds the others are of, begins there.
type fitting struct {
	n, tries    int
	kinds       []column.Kind
	path, found [][]byte
}

// maxTries bounds the work that is done for bytes of any kind.
const maxTries = 1 << 14

// fit reads the columns from c on, all of src.
func (f *fitting) fit(src []byte, c int) {
	if c == len(f.kinds) {
		for i, b := range f.path {
			switch {
			case len(src) > 0:
			case f.found[i] == nil:
				f.found[i] = b
			case cap(f.found[i]) != cap(b): // at another place
				f.found[i] = b[:0]
			}
		}
		return
	}
	kind, last := f.kinds[c], f.kinds[c]
	if kind == column.Null {
		kind, last = column.Bool, column.Text
	}
	for ; kind <= last && f.tries > 0; kind++ {
		if kind != last && (kind == column.Float32 || kind == column.Float64) {
			continue // as long as integers
		}
		f.tries--
		if to := rawEnd(src, kind, f.n); to > 0 {
			f.path[c] = src[:to]
			f.fit(src[to:], c+1)
		}
	}
}

// rawEnd returns where the raw column of n rows ends that src begins with, 0 if it
// begins with none.
func rawEnd(src []byte, kind column.Kind, n int) int {
	w := wire{codec.Reader{Src: src}}
	nulls := w.Byte()
	if nulls == rawBitmap { // it says which of n are null, and some are
		bits := int(w.Byte())
		if n > 8 {
			bits |= int(w.Byte()) << 8
		}
		if bits == 0 || bits>>n != 0 {
			return 0
		}
	}
	w.Src = src
	w.rawColumn(&column.Vector{Kind: kind}, n)
	if w.Bad || nulls > rawBitmap {
		return 0
	}
	return len(src) - len(w.Src)
}
