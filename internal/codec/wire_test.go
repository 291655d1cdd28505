package codec

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"
)

// TestReader reads fields of bytes that hold them, and of bytes that end too early
// or claim too much.
func TestReader(t *testing.T) {
	tests := []struct {
		name string
		src  []byte
		read func(*Reader) any
		want any
		rest int // bytes left; -1: it does not fit
	}{
		{"byte", []byte{7, 8}, func(r *Reader) any { return r.Byte() }, byte(7), 1},
		{"no byte", nil, func(r *Reader) any { return r.Byte() }, byte(0), -1},
		{"uvarint", binary.AppendUvarint(nil, math.MaxUint64), func(r *Reader) any { return r.Uvarint() }, uint64(math.MaxUint64), 0},
		{"uvarint cut", []byte{0x80}, func(r *Reader) any { return r.Uvarint() }, uint64(0), -1},
		{"uvarint of eleven bytes", []byte{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1}, func(r *Reader) any { return r.Uvarint() }, uint64(0), -1},
		{"varint", binary.AppendVarint(nil, math.MinInt64), func(r *Reader) any { return r.Varint() }, int64(math.MinInt64), 0},
		{"small varint", binary.AppendVarint(nil, -3), func(r *Reader) any { return r.Varint() }, int64(-3), 0},
		{"at most", []byte{9}, func(r *Reader) any { return r.AtMost(9) }, 9, 0},
		{"more than at most", []byte{10}, func(r *Reader) any { return r.AtMost(9) }, 0, -1},
		{"count", []byte{2, 0, 0, 0, 0}, func(r *Reader) any { return r.Count(2) }, 2, 4},
		{"count of more than there is", []byte{2, 0, 0, 0}, func(r *Reader) any { return r.Count(2) }, 0, -1},
		{"huge count", binary.AppendUvarint(nil, math.MaxUint64), func(r *Reader) any { return r.Count(1) }, 0, -1},
		{"bytes", []byte("abc"), func(r *Reader) any { return string(r.Bytes(2)) }, "ab", 1},
		{"no bytes", []byte("abc"), func(r *Reader) any { return string(r.Bytes(0)) }, "", 3},
		{"too many bytes", []byte("abc"), func(r *Reader) any { return string(r.Bytes(4)) }, "", -1},
		{"fewer bytes than none", []byte("abc"), func(r *Reader) any { return string(r.Bytes(-1)) }, "", -1},
		{"text", []byte("\x03abcd"), func(r *Reader) any { return r.Text() }, "abc", 1},
		{"text cut", []byte("\x03ab"), func(r *Reader) any { return r.Text() }, "", -1},
		{"eight bytes", []byte{1, 2, 0, 0, 0, 0, 0, 0x80, 5}, func(r *Reader) any { return r.Uint64() }, uint64(1<<63 | 0x201), 1},
		{"seven bytes", make([]byte, 7), func(r *Reader) any { return r.Uint64() }, uint64(0), -1},
		{"four bytes", []byte{1, 2, 0, 0x80}, func(r *Reader) any { return r.Uint32() }, uint32(1<<31 | 0x201), 0},
		{"three bytes", make([]byte, 3), func(r *Reader) any { return r.Uint32() }, uint32(0), -1},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			r := Reader{Src: c.src}
			if got := c.read(&r); got != c.want {
				t.Errorf("read %v, want %v", got, c.want)
			}
			if got := state(&r); got != state(&Reader{Src: make([]byte, max(c.rest, 0)), Bad: c.rest < 0}) {
				t.Errorf("afterwards %s, want %d left (-1: it does not fit)", got, c.rest)
			}
			if r.Bad {
				if got := fmt.Sprint(r.Byte(), r.Uvarint(), r.Varint(), r.AtMost(5), r.Count(1), r.Bytes(1), r.Text(), r.Uint64(), r.Uint32()); got != "0 0 0 0 0 []0 0" {
					t.Errorf("after what does not fit: %s, want zeros", got)
				}
			}
		})
	}
}

func state(r *Reader) string { return fmt.Sprintf("%d left, bad %v", len(r.Src), r.Bad) }
