package tickwell

import (
	"encoding/binary"
	"math"
	"sort"
	"time"
)

// What stored definitions, events and dead letters are put together from. It is
// called from many places and inlined in few: what writes definitions would be three
// times as large.

//go:noinline
func appendUint(b []byte, n uint64) []byte { return binary.AppendUvarint(b, n) }

//go:noinline
func appendWord(b []byte, n uint64) []byte { return binary.LittleEndian.AppendUint64(b, n) }

//go:noinline
func appendInt(b []byte, n int64) []byte { return binary.AppendVarint(b, n) }

//go:noinline
func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

//go:noinline
func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, 0)
	}
	return appendInt(append(b, 1), t.UnixNano())
}

func appendTexts(b []byte, all []string) []byte {
	b = appendUint(b, uint64(len(all)))
	for _, s := range all {
		b = appendText(b, s)
	}
	return b
}

//go:noinline
func appendText(b []byte, s string) []byte {
	return append(appendUint(b, uint64(len(s))), s...)
}

func appendPairs(b []byte, m map[string]string) []byte {
	if len(m) == 0 {
		return append(b, 0)
	}
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	b = appendUint(b, uint64(len(keys)))
	for _, k := range keys {
		b = appendText(appendText(b, k), m[k])
	}
	return b
}

// wireReader consumes b; after the first thing that does not fit, bad is set
// and zero values come out.
type wireReader struct {
	b   []byte
	bad bool
}

//go:noinline
func (r *wireReader) byte() byte {
	if len(r.b) == 0 {
		r.bad = true
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *wireReader) uint64() uint64 {
	if len(r.b) < 8 {
		r.bad, r.b = true, nil
		return 0
	}
	v := binary.LittleEndian.Uint64(r.b)
	r.b = r.b[8:]
	return v
}

func (r *wireReader) int() int {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > math.MaxInt32 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return int(v)
}

func (r *wireReader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

// count reads the length of a list whose items take at least size bytes each.
func (r *wireReader) count(size int) int {
	n := r.int()
	if n > len(r.b)/size {
		r.bad, r.b = true, nil
		return 0
	}
	return n
}

func (r *wireReader) text() string {
	n := r.int()
	if n > len(r.b) {
		r.bad, r.b = true, nil
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

func (r *wireReader) pairs() map[string]string {
	n := r.count(2)
	if n == 0 {
		return nil
	}
	m := make(map[string]string, n)
	for range n {
		k := r.text()
		m[k] = r.text()
	}
	return m
}

//go:noinline
func (r *wireReader) bool() bool { return r.byte() == 1 }

func (r *wireReader) duration() time.Duration { return time.Duration(r.varint()) }

func (r *wireReader) number() int { return int(r.varint()) }

func (r *wireReader) time() time.Time {
	if !r.bool() {
		return time.Time{}
	}
	return instant(r.varint())
}

func (r *wireReader) texts() []string {
	n := r.count(1)
	if n == 0 {
		return nil
	}
	all := make([]string, n)
	for i := range all {
		all[i] = r.text()
	}
	return all
}
