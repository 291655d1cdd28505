package codec

import "math/bits"

// spread counts numbers by their length in bits, to find the width at which
// packing all and patching the longer ones takes the fewest bytes.
type spread struct {
	count [65]int32
	or    uint64
}

func (s *spread) add(z uint64) {
	s.count[bits.Len64(z)]++
	s.or |= z
}

// cheapest returns the width for n numbers and the bytes of packed part and
// patches, the latter estimated.
func (s *spread) cheapest(n int) (width uint, cost int) {
	longest := bits.Len64(s.or)
	width = packWidth(uint(longest))
	cost = packedLen(n, width) + 1
	patches, patchBits := 0, 0
	for w := longest - 1; w >= 0; w-- {
		patches += int(s.count[w+1])
		patchBits += int(s.count[w+1]) * (w + 1)
		if patches > n/4 {
			break
		}
		if packWidth(uint(w)) == 64 {
			continue
		}
		position := 1
		if patches < n/100 {
			position = 2
		}
		high := max(patches, (patchBits-patches*w+3*patches)/7)
		c := packedLen(n, uint(w)) + uvarintLen(uint64(patches)) + patches*position + high
		if c < cost {
			width, cost = uint(w), c
		}
	}
	return width, cost
}
