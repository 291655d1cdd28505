package codec

import "math/bits"

// textDictionary numbers the distinct strings of a column in order of their
// first appearance. It is a hash table of its own because a map costs several
// times as much for short strings.
type textDictionary struct {
	slots   []uint32 // number + 1 of a string, 0 if free
	entries []string
	codes   []int64
}

// maxProbes is how far a string may lie from its slot before the dictionary is
// given up: chosen strings may collide, and the cost must stay linear.
const maxProbes = 32

// build fills the dictionary; false if more than half of v is distinct.
func (t *textDictionary) build(v []string) bool {
	ok := t.fill(v)
	if !ok {
		t.drop()
	}
	return ok
}

func (t *textDictionary) fill(v []string) bool {
	limit := len(v) / 2
	shift := 63 - uint(bits.Len(uint(len(v)))) // at most a quarter of the slots fill
	mask := uint32(1)<<(64-shift) - 1
	t.slots = sized(t.slots, int(mask)+1)
	clear(t.slots)
	t.codes = sized(t.codes, len(v))
	var code int64
	for i, s := range v {
		if i > 0 && s == v[i-1] {
			t.codes[i] = code
			continue
		}
		slot := uint32(hashText(s) >> shift)
		probes := 0
		for ; ; probes++ {
			if probes == maxProbes {
				return false
			}
			number := t.slots[slot]
			if number == 0 {
				if len(t.entries) == limit {
					return false
				}
				t.entries = append(t.entries, s)
				t.slots[slot] = uint32(len(t.entries))
				code = int64(len(t.entries) - 1)
				break
			}
			if t.entries[number-1] == s {
				code = int64(number - 1)
				break
			}
			slot = (slot + 1) & mask
		}
		t.codes[i] = code
	}
	return true
}

// drop lets go of the caller's strings.
func (t *textDictionary) drop() {
	clear(t.entries)
	t.entries = t.entries[:0]
}

// hashText hashes eight bytes at a time.
func hashText(s string) uint64 {
	const m = 0x9e3779b97f4a7c15
	h := uint64(len(s)) * m
	for len(s) >= 8 {
		w := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		h = (h ^ w) * m
		h ^= h >> 32
		s = s[8:]
	}
	var w uint64
	for i := range len(s) {
		w |= uint64(s[i]) << (8 * uint(i))
	}
	h = (h ^ w) * m
	return h ^ h>>32*m
}

// textDict: uvarint number of entries, their lengths as an integer encoding,
// their bytes, then the codes of the rows as an integer encoding.
func (e *Encoder) appendTextDict(dst []byte) []byte {
	entries := e.text.entries
	dst = appendUvarint(append(dst, textDict), uint64(len(entries)))
	e.wide = sized(e.wide, len(entries))
	for i, s := range entries {
		e.wide[i] = int64(len(s))
	}
	dst = e.ints.append(dst, e.wide)
	for _, s := range entries {
		dst = append(dst, s...)
	}
	e.text.drop()
	return e.ints.append(dst, e.text.codes)
}

func (d *Decoder) decodeTextDict(dst []string, r *Reader) {
	entries := r.AtMost(len(dst))
	if entries == 0 {
		r.Fail()
		return
	}
	total := d.lengths(entries, r, len(r.Src))
	all := r.Bytes(total)
	if r.Bad {
		return
	}
	d.dict = sized(d.dict, entries)
	cut(d.dict, d.wide, string(all))
	d.wide = sized(d.wide, len(dst))
	decodeInts(d.wide, r)
	if r.Bad {
		return
	}
	for i, code := range d.wide {
		if uint64(code) >= uint64(entries) {
			r.Fail()
			break
		}
		dst[i] = d.dict[code]
	}
	clear(d.dict)
}
