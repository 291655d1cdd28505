package engine

import (
	"errors"

	"github.com/tickwell/tickwell/internal/codec"
	"github.com/tickwell/tickwell/internal/column"
)

// others applies the rows of a tablet to the series that are there: one whose definition
// is lost costs nothing of those beside it.
func (r *replay) others(u *unresolved) error {
	body, left, all := r.beside(u)
	if !all {
		r.lost(u.lsn, errors.New("rows of a series whose definition is lost"))
	}
	if left == 0 {
		return nil
	}
	return r.rows(u.lsn, sectionTablet, body)
}

// beside returns the tablet u without the columns of unknown series, how many are left,
// and whether the others are only of series that were dropped.
func (r *replay) beside(u *unresolved) (body []byte, left int, all bool) {
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
	if known > 0 && known < len(ids) {
		body, left = w.without(ids, kinds, &r.fitting)
	}
	return body, left, !lost && left == known
}

// without returns the tablet that w has, behind its ids, without the columns of unknown
// kind, which are Null in kinds, and how many are left: fewer than there are of known
// kind where it cannot be told where these begin.
func (w *wire) without(ids []uint32, kinds []column.Kind, f *fitting) (body []byte, left int) {
	head := w.Src
	n, enc := w.Uvarint(), w.Byte()
	found := make([][]byte, len(kinds))
	if enc == rowsRaw && n > 0 && n < blockFrom {
		w.rawTimes(nil, int(n))
		head = head[:len(head)-len(w.Src)]
		if !w.Bad {
			f.fit(w.Src, int(n), ids, kinds, found)
		}
	} else if enc == rowsBlock {
		w.Bytes(w.Count(1))
		head = head[:len(head)-len(w.Src)]
		for i := range kinds {
			from := w.Src
			w.Bytes(w.Count(1))
			found[i] = from[:len(from)-len(w.Src)]
		}
		w.Bad = w.Bad || len(w.Src) > 0
	}
	if w.Bad {
		return nil, 0
	}
	var own []uint32
	for i, kind := range kinds {
		if kind != column.Null && len(found[i]) > 0 {
			own = append(own, ids[i])
			body = append(body, found[i]...)
		}
	}
	return append(append(appendIDs(nil, own), head...), body...), len(own)
}

// fitting finds raw columns of n rows each. How long one of unknown kind is, is not
// said; but together they end where the tablet does, so that each that begins at one
// place only, whatever kinds those of unknown kind are of, begins there. And those are
// of one kind in all tablets, which few of them leave open.
type fitting struct {
	learned map[uint32]kindSet // what unknown series may be of
	tries   int
}

// kindSet is a bit for each kind. Floats of unknown series are as long as integers and
// taken for them.
type kindSet uint8

const anyKind kindSet = 1<<column.Bool | 1<<column.Int32 | 1<<column.Int64 | 1<<column.Text

// What is done at most for bytes of any kind: no tablet takes more than a part of the
// tries that are left.
const (
	maxFit    = 1 << 18 // bytes of columns
	maxTries  = 1 << 24
	triesPart = 32
)

// fit finds the columns of src that are clear.
func (f *fitting) fit(src []byte, n int, ids []uint32, kinds []column.Kind, found [][]byte) {
	if len(src) > maxFit {
		return
	}
	may := make([]kindSet, len(kinds))
	for c, kind := range kinds {
		if may[c] = 1 << kind; kind == column.Null {
			if may[c] = f.learned[ids[c]]; may[c] == 0 {
				may[c] = anyKind
			}
		}
	}
	// Each column may begin where some before it end.
	last := f.tries + (maxTries-f.tries)/triesPart
	places, from := []int32{0}, []int{0, 1} // of column c: places[from[c]:from[c+1]]
	ends, begins := make([]int32, len(src)+1), make([]int32, len(src)+1)
	for c := range may {
		for _, at := range places[from[c]:] {
			for kind := column.Bool; kind <= column.Text; kind++ {
				if may[c]>>kind&1 == 0 {
					continue
				}
				if f.tries++; f.tries > last {
					return
				}
				if to := at + int32(rawEnd(src[at:], kind, n)); to > at && ends[to] != int32(c+1) {
					ends[to] = int32(c + 1)
					places = append(places, to)
				}
			}
		}
		if from = append(from, len(places)); from[c+2] == from[c+1] {
			return
		}
		f.tries-- // what is clear costs none
	}
	// And of these places only where the others go on to the end.
	clear(ends)
	ends[len(src)] = int32(len(may) + 1)
	for c := len(may) - 1; c >= 0; c-- {
		fits, some, only := kindSet(0), 0, int32(0)
		for _, at := range places[from[c]:from[c+1]] {
			hit := false
			for kind := column.Bool; kind <= column.Text; kind++ {
				if may[c]>>kind&1 != 0 {
					if to := at + int32(rawEnd(src[at:], kind, n)); to > at && ends[to] == int32(c+2) {
						fits |= 1 << kind
						hit = true
					}
				}
			}
			if hit {
				begins[at] = int32(c + 1)
				some, only = some+1, at
			}
		}
		if some == 1 && kinds[c] != column.Null {
			found[c] = src[only:][:rawEnd(src[only:], kinds[c], n)]
		}
		may[c] = fits
		ends, begins = begins, ends
	}
	for c, kind := range kinds {
		if kind == column.Null && may[c] != 0 {
			if f.learned == nil {
				f.learned = map[uint32]kindSet{}
			}
			f.learned[ids[c]] = may[c]
		}
	}
}

// rawEnd returns where the raw column of n rows ends that src begins with, 0 if it
// begins with none.
func rawEnd(src []byte, kind column.Kind, n int) int {
	w := wire{codec.Reader{Src: src}}
	bits := 0
	switch w.Byte() {
	case rawNoNulls:
	case rawBitmap: // it says which of n are null, and some are
		bits = int(w.Byte())
		if n > 8 {
			bits |= int(w.Byte()) << 8
		}
		if bits == 0 || bits>>n != 0 {
			return 0
		}
	default:
		return 0
	}
	size := 0
	switch kind {
	case column.Bool:
		size = 1
	case column.Int32, column.Float32:
		size = 4
	case column.Int64, column.Float64:
		size = 8
	}
	for i := range n {
		switch {
		case bits>>i&1 != 0:
		case kind == column.Text:
			w.Bytes(w.Count(1))
		default:
			w.Bytes(size)
		}
	}
	if w.Bad {
		return 0
	}
	return len(src) - len(w.Src)
}
