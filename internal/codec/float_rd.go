package codec

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
)

// rdPlan cuts the bits of a value: the bits from cut up come from a dictionary
// of at most 8 entries, the ones below are kept as they are.
type rdPlan struct {
	cut  uint
	dict [8]uint16
	used int // entries of dict
	cost int // bytes, estimated from a sample
}

// codeWidth returns the bits of a dictionary code.
func codeWidth(entries int) uint { return uint(bits.Len(uint(entries - 1))) }

// planRD tries every cut that leaves 4 to 16 high bits on 64 values. Sorted, the
// values with equal high bits are neighbours whatever the cut.
func planRD(v []uint64, size int) rdPlan {
	var buf [64]uint64
	sample := buf[:0]
	stride := max(1, len(v)/len(buf))
	for i := 0; i < len(v) && len(sample) < len(buf); i += stride {
		sample = append(sample, v[i])
	}
	slices.Sort(sample)
	best := rdPlan{cost: math.MaxInt}
	total := uint(8 * size)
	for cut := total - 16; cut <= total-4; cut++ {
		p := rdPlan{cut: cut}
		covered := p.fillDict(sample)
		missed := len(v) * (len(sample) - covered) / len(sample)
		p.cost = 6 + 2*p.used + packedLen(len(v), codeWidth(p.used)) + packedLen(len(v), packWidth(cut)) + 4*missed
		if p.cost < best.cost {
			best = p
		}
	}
	return best
}

// fillDict takes the most frequent high bits of the sorted sample and returns
// how many of its values they cover.
func (p *rdPlan) fillDict(sample []uint64) (covered int) {
	var counts [8]int
	for i := 0; i < len(sample); {
		high := sample[i] >> p.cut
		end := i + 1
		for end < len(sample) && sample[end]>>p.cut == high {
			end++
		}
		// Keep the eight largest runs in order of size, the first of equals
		// first.
		j := p.used
		if j == len(counts) {
			if counts[j-1] >= end-i {
				i = end
				continue
			}
			j--
		} else {
			p.used++
		}
		for ; j > 0 && counts[j-1] < end-i; j-- {
			counts[j], p.dict[j] = counts[j-1], p.dict[j-1]
		}
		counts[j], p.dict[j] = end-i, uint16(high)
		i = end
	}
	for _, c := range counts {
		covered += c
	}
	return covered
}

// floatRD: cut byte, byte of dictionary entries 1 to 8, 2 bytes each; the codes
// packed at the width that they need, the low bits packed at the width of the
// cut; uvarint number of exceptions and for each uvarint distance from the
// position after the previous one and 2 bytes of high bits.
func (e *Encoder) appendFloatRD(dst []byte, v []uint64, p *rdPlan, size int) []byte {
	dst = append(dst, floatRD, byte(p.cut), byte(p.used))
	for _, d := range p.dict[:p.used] {
		dst = binary.LittleEndian.AppendUint16(dst, d)
	}
	e.high = sized(e.high, len(v))
	e.ints.patches = e.ints.patches[:0]
	exceptions, next := 0, 0
	for i, b := range v {
		code := slices.Index(p.dict[:p.used], uint16(b>>p.cut))
		if code < 0 {
			e.ints.patches = appendUvarint(e.ints.patches, uint64(i-next))
			e.ints.patches = binary.LittleEndian.AppendUint16(e.ints.patches, uint16(b>>p.cut))
			exceptions++
			next = i + 1
			code = 0
		}
		e.high[i] = uint64(code)
		v[i] = b & (1<<p.cut - 1)
	}
	dst = pack(dst, e.high, codeWidth(p.used))
	dst = pack(dst, v, packWidth(p.cut))
	dst = appendUvarint(dst, uint64(exceptions))
	return append(dst, e.ints.patches...)
}

func decodeFloatRD[T float](d *Decoder, dst []T, r *Reader) {
	total := uint(8 * bytesOf[T]())
	cut, used := uint(r.Byte()), int(r.Byte())
	if cut < total-16 || cut > total-4 || used < 1 || used > 8 {
		r.Fail()
		return
	}
	var dict [8]uint64
	for i := range used {
		dict[i] = uint64(r.uint16())
		if dict[i]>>(total-cut) != 0 {
			r.Fail()
		}
		dict[i] <<= cut
	}
	codes := r.packed(len(dst), codeWidth(used))
	low := r.packed(len(dst), packWidth(cut))
	if r.Bad {
		return
	}
	d.wide, d.low = sized(d.wide, len(dst)), sized(d.low, len(dst))
	unpack(d.wide, codes, codeWidth(used), 0)
	unpack(d.low, low, packWidth(cut), 0)
	mask := uint64(1)<<cut - 1
	for i := range dst {
		dst[i] = fromBits[T](dict[d.wide[i]&7] | uint64(d.low[i])&mask)
	}
	at := 0
	for range r.AtMost(len(dst)) {
		at += r.AtMost(len(dst))
		high := uint64(r.uint16())
		if r.Bad || at >= len(dst) || high>>(total-cut) != 0 {
			r.Fail()
			return
		}
		dst[at] = fromBits[T](high<<cut | uint64(d.low[at])&mask)
		at++
	}
}
