package codec

import "encoding/binary"

// Short columns, as those of an index entry, cost more to begin than to decode. The
// functions here know what such columns are mostly encoded as and leave the rest,
// and all that is wrong, to the decoders for any column.

// fewBeyond is a position behind all bytes.
const fewBeyond = 1 << 30

// FewInt64s sets dst, which is not empty, to the integers that the first size bytes of
// src encode. What follows them is there for whole words to be loaded. If it returns
// false, dst holds anything, and Decoder.Int64s has to tell what the bytes say.
func FewInt64s(dst []int64, src []byte, size int) bool {
	return size <= len(src) && fewInts(dst, src, 0, size) == size
}

// FewFloat64s is FewInt64s for Decoder.Float64s. It decodes through wide, which is as
// long as dst.
func FewFloat64s(dst []float64, wide []int64, src []byte, size int) bool {
	if size < 2 || size > len(src) || src[0] != floatDecimal || src[1] > maxDecimals {
		return false
	}
	at := fewInts(wide, src, 2, size)
	if at >= size {
		return false
	}
	quotientsOf(dst, wide, &quotients[src[1]], reachOf(wide))
	if src[at] == 0 { // no exceptions
		return at+1 == size
	}
	r := Reader{Src: src[at:size]}
	readExceptions(dst, &r)
	return !r.Bad && len(r.Src) == 0
}

// fewInts decodes integers from position at of src on and returns the position behind
// them; one behind size says that it did not.
func fewInts(dst []int64, src []byte, at, size int) int {
	if at+2 > size {
		return fewBeyond
	}
	kind, width := src[at], uint(src[at+1])
	switch kind {
	case intConst:
		u, at := fewUvarint(src, at+1)
		v := unzigzag(u)
		for i := range dst {
			dst[i] = v
		}
		return at
	case intLine:
		first, at := fewUvarint(src, at+1)
		step, at := fewUvarint(src, at)
		v, by := unzigzag(first), unzigzag(step)
		for i := range dst {
			dst[i] = v
			v += by
		}
		return at
	case intFrame, intDelta, intModal:
	default:
		return fewBeyond
	}
	if width > maxPackWidth {
		return fewBeyond
	}
	by, at := fewUvarint(src, at+2)
	low, at := fewUvarint(src, at)
	unit, first := int64(by), unzigzag(low)
	if kind == intFrame {
		end := at + packedLen(len(dst), width)
		if end <= size {
			unpackFew(dst, src[at:], width, first, unit)
		}
		return end
	}
	least, at := fewUvarint(src, at)
	end := at + packedLen(len(dst)-1, width)
	if end > size {
		return fewBeyond
	}
	step := unzigzag(least)
	dst[0] = first
	steps := dst[1:]
	if kind == intDelta {
		unpackFew(steps, src[at:], width, step, unit)
		for i, x := range steps {
			first += x
			steps[i] = first
		}
		return end
	}
	unpackFew(steps, src[at:], width, 0, 1)
	if end = fewPatches(steps, src, end, width); end > size {
		return fewBeyond
	}
	for i, z := range steps {
		first += unzigzag(uint64(z))*unit + step
		steps[i] = first
	}
	return end
}

// fewPatches adds the patches of intModal and returns the position behind them.
func fewPatches(steps []int64, src []byte, at int, width uint) int {
	count, at := fewUvarint(src, at)
	if count > uint64(len(steps)) {
		return fewBeyond
	}
	next := uint64(0)
	for range count {
		var skip, high uint64
		skip, at = fewUvarint(src, at)
		high, at = fewUvarint(src, at)
		if next += skip; skip > uint64(len(steps)) || next >= uint64(len(steps)) || high == 0 || high<<width>>width != high {
			return fewBeyond
		}
		steps[next] |= int64(high << width)
		next++
	}
	return at
}

// unpackFew sets dst to low plus unit times the numbers of w bits in src, which holds
// them all.
func unpackFew(dst []int64, src []byte, w uint, low, unit int64) {
	if unit == 1 {
		unpackWords(dst, src, w, low)
		return
	}
	unpackWords(dst, src, w, 0)
	for i, x := range dst {
		dst[i] = low + unit*x
	}
}

// fewUvarint reads the number at position at of src and returns the position behind
// it.
func fewUvarint(src []byte, at int) (u uint64, next int) {
	if at < len(src) && src[at] < 0x80 {
		return uint64(src[at]), at + 1
	}
	return longUvarint(src, at)
}

//go:noinline
func longUvarint(src []byte, at int) (u uint64, next int) {
	if at < len(src) {
		if u, k := binary.Uvarint(src[at:]); k > 0 {
			return u, at + k
		}
	}
	return 0, fewBeyond
}
