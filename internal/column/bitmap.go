package column

import "math/bits"

// Bitmap marks null rows: bit i set means row i is null. A nil Bitmap marks
// none, and rows beyond its end are not null.
type Bitmap []uint64

// Get reports whether row i is null.
func (b Bitmap) Get(i int) bool {
	w := i >> 6
	return w < len(b) && b[w]&(1<<(uint(i)&63)) != 0
}

// Set marks row i, growing b as needed.
func (b *Bitmap) Set(i int) {
	for len(*b) <= i>>6 {
		*b = append(*b, 0)
	}
	(*b)[i>>6] |= 1 << (uint(i) & 63)
}

// Unset clears row i.
func (b Bitmap) Unset(i int) {
	if w := i >> 6; w < len(b) {
		b[w] &^= 1 << (uint(i) & 63)
	}
}

// Any reports whether one of the rows [0, n) is null.
func (b Bitmap) Any(n int) bool {
	for w := 0; w < len(b) && w<<6 < n; w++ {
		word := b[w]
		if rest := n - w<<6; rest < 64 {
			word &= 1<<uint(rest) - 1
		}
		if word != 0 {
			return true
		}
	}
	return false
}

// Count returns how many of the rows [0, n) are null.
func (b Bitmap) Count(n int) int {
	c := 0
	for w := 0; w < len(b) && w<<6 < n; w++ {
		word := b[w]
		if rest := n - w<<6; rest < 64 {
			word &= 1<<uint(rest) - 1
		}
		c += bits.OnesCount64(word)
	}
	return c
}
