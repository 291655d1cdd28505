package segment

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/tickwell/tickwell/internal/codec"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
)

// directory is the part of the index that stays in memory: which series are in
// which page. Entries are in ascending order of series, then of time.
type directory struct {
	pages []page
	ids   []uint32 // series of each entry
	kinds []column.Kind
}

// page is one piece of the index.
type page struct {
	offset           int64
	length           uint32 // without checksum
	first            int    // number of its first entry
	minTime, maxTime int64  // of all its blocks
}

// append appends the directory's bytes. Pages lie one behind the other, so their
// offsets need not be stored.
func (d *directory) append(dst []byte) []byte {
	var enc codec.Encoder
	var col []byte
	var kinds []int64
	var ids []int64
	dst = appendUvarint(dst, uint64(len(d.pages)))
	for i := range d.pages {
		p := &d.pages[i]
		lo, hi := d.entries(i)
		dst = appendUvarint(dst, uint64(p.length))
		dst = appendUvarint(dst, uint64(hi-lo))
		dst = binary.AppendVarint(dst, p.minTime)
		dst = appendUvarint(dst, uint64(p.maxTime)-uint64(p.minTime))
		ids, kinds = ids[:0], kinds[:0]
		for j := lo; j < hi; j++ {
			ids = append(ids, int64(d.ids[j]))
			kinds = append(kinds, int64(d.kinds[j]))
		}
		for _, v := range [][]int64{ids, kinds} {
			col = enc.AppendInt64s(col[:0], v)
			dst = appendUvarint(dst, uint64(len(col)))
			dst = append(dst, col...)
		}
	}
	return dst
}

// entries returns the range of the entries of page i.
func (d *directory) entries(i int) (lo, hi int) {
	if i+1 < len(d.pages) {
		return d.pages[i].first, d.pages[i+1].first
	}
	return d.pages[i].first, len(d.ids)
}

func badDirectory(what string) error { return fmt.Errorf("directory: %s: %w", what, errs.Corrupt) }

// parseDirectory reads a directory whose pages fill the file from offset start
// to end.
func parseDirectory(src []byte, start, end int64) (*directory, error) {
	var d directory
	var dec codec.Decoder
	next := func() uint64 {
		v, k := binary.Uvarint(src)
		if k <= 0 {
			src = nil
			return math.MaxUint64 // beyond every limit below
		}
		src = src[k:]
		return v
	}
	count := next()
	if count > uint64(len(src)) {
		return nil, badDirectory("number of pages")
	}
	at := start
	for range count {
		length := next()
		if length > MaxPayload || int64(length)+crcSize > end-at {
			return nil, badDirectory("page outside the index")
		}
		p := page{offset: at, length: uint32(length), first: len(d.ids)}
		at += int64(length) + crcSize
		entries := next()
		// Every entry takes more than one byte of its page.
		if entries < 1 || entries > min(length, codec.MaxValues) {
			return nil, badDirectory("number of entries of a page")
		}
		var k int
		if p.minTime, k = binary.Varint(src); k <= 0 {
			return nil, badDirectory("times of a page")
		}
		src = src[k:]
		span, k := binary.Uvarint(src)
		if p.maxTime = int64(uint64(p.minTime) + span); k <= 0 || p.maxTime < p.minTime {
			return nil, badDirectory("times of a page")
		}
		src = src[k:]
		var err error
		if src, err = d.readEntries(&dec, src, int(entries)); err != nil {
			return nil, err
		}
		d.pages = append(d.pages, p)
	}
	if len(src) > 0 || at != end {
		return nil, badDirectory("it does not cover the index")
	}
	return &d, nil
}

// readEntries appends the series and kinds of one page.
func (d *directory) readEntries(dec *codec.Decoder, src []byte, n int) (rest []byte, err error) {
	for field := range 2 {
		col, rest, err := nextColumn(src)
		if err != nil {
			return nil, err
		}
		v, err := dec.Int64s(nil, col, n)
		if err != nil {
			return nil, err
		}
		src = rest
		for i, x := range v {
			if field == 0 {
				if x < 0 || x > math.MaxUint32 {
					return nil, badDirectory("series id")
				}
				d.ids = append(d.ids, uint32(x))
				continue
			}
			if x < 0 || x > math.MaxUint8 || !column.Kind(x).Valid() {
				return nil, badDirectory("kind")
			}
			d.kinds = append(d.kinds, column.Kind(x))
			if j := len(d.ids) - n + i; j > 0 {
				if d.ids[j] < d.ids[j-1] || d.ids[j] == d.ids[j-1] && d.kinds[j] != d.kinds[j-1] {
					return nil, badDirectory("order of series")
				}
			}
		}
	}
	return src, nil
}

// find returns the range of the entries of a series, empty if it has none.
func (d *directory) find(series uint32) (lo, hi int) {
	lo, ok := slices.BinarySearch(d.ids, series)
	if !ok {
		return lo, lo
	}
	hi = lo + 1
	for hi < len(d.ids) && d.ids[hi] == series {
		hi++
	}
	return lo, hi
}

// pageOf returns the number of the page that holds the entry.
func (d *directory) pageOf(entry int) int {
	i, ok := slices.BinarySearchFunc(d.pages, entry, func(p page, e int) int { return p.first - e })
	if !ok {
		i--
	}
	return i
}

// pageIn returns the number of the first page from i on that has entries below hi and
// may hold a time in [from, to], and the range of its entries; the number of pages if
// there is none.
func (d *directory) pageIn(i, hi int, from, to int64) (page, first, end int) {
	for ; i < len(d.pages); i++ {
		if first, end = d.entries(i); first >= hi {
			break
		}
		if p := &d.pages[i]; p.maxTime >= from && p.minTime <= to {
			return i, first, end
		}
	}
	return len(d.pages), 0, 0
}

// series counts the distinct series.
func (d *directory) series() int {
	n := 0
	for i, id := range d.ids {
		if i == 0 || id != d.ids[i-1] {
			n++
		}
	}
	return n
}

// appendPage appends a page: uvarint number of entries, their lengths as
// uvarints, then the entries.
func appendPage(dst []byte, entries [][]byte) []byte {
	dst = appendUvarint(dst, uint64(len(entries)))
	for _, e := range entries {
		dst = appendUvarint(dst, uint64(len(e)))
	}
	for _, e := range entries {
		dst = append(dst, e...)
	}
	return dst
}

// entryOf returns entry i of a page of n entries.
func entryOf(src []byte, i, n int) ([]byte, error) {
	bad := func() ([]byte, error) {
		return nil, fmt.Errorf("index page: entry %d of %d is cut off: %w", i, n, errs.Corrupt)
	}
	count, k := binary.Uvarint(src)
	if k <= 0 || count != uint64(n) {
		return bad()
	}
	src = src[k:]
	var start, length uint64
	for j := range n {
		var l uint64
		if len(src) >= 2 && src[0]|0x7f == 0xff && src[1] < 0x80 { // as most are
			l, src = uint64(src[0]&0x7f)|uint64(src[1])<<7, src[2:]
		} else {
			l, k = binary.Uvarint(src)
			if k <= 0 || l > MaxPayload {
				return bad()
			}
			src = src[k:]
		}
		if j < i {
			start += l
		}
		if j == i {
			length = l
		}
	}
	if start+length > uint64(len(src)) {
		return bad()
	}
	return src[start : start+length], nil
}

// appendUvarint is for directories and pages: inlined, each use takes 230 bytes.
//
//go:noinline
func appendUvarint(dst []byte, n uint64) []byte { return binary.AppendUvarint(dst, n) }
