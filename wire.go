package tickwell

import (
	"encoding/binary"
	"math"
	"sort"
	"time"

	"github.com/tickwell/tickwell/internal/codec"
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

// wireReader reads what the functions above wrote.
type wireReader struct{ codec.Reader }

func (r *wireReader) int() int { return r.AtMost(math.MaxInt32) }

func (r *wireReader) pairs() map[string]string {
	n := r.Count(2)
	if n == 0 {
		return nil
	}
	m := make(map[string]string, n)
	for range n {
		k := r.Text()
		m[k] = r.Text()
	}
	return m
}

//go:noinline
func (r *wireReader) bool() bool { return r.Byte() == 1 }

//go:noinline
func (r *wireReader) duration() time.Duration { return time.Duration(r.Varint()) }

//go:noinline
func (r *wireReader) number() int { return int(r.Varint()) }

func (r *wireReader) time() time.Time {
	if !r.bool() {
		return time.Time{}
	}
	return instant(r.Varint())
}

func (r *wireReader) texts() []string {
	n := r.Count(1)
	if n == 0 {
		return nil
	}
	all := make([]string, n)
	for i := range all {
		all[i] = r.Text()
	}
	return all
}
