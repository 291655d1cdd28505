package column

import "math/bits"

// Bitmap marks null rows: bit i set means row i is null. A nil Bitmap marks
// none, and rows beyond its end are not null.
type Bitmap []uint64

// Get reports whether row i is null.
func (b Bitmap) Get(i int) bool {
	w := uint(i) >> 6
	return w < uint(len(b)) && b[w]&(1<<(uint(i)&63)) != 0
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

// SetRange marks the rows [lo, hi), growing b as needed.
func (b *Bitmap) SetRange(lo, hi int) {
	if lo >= hi {
		return
	}
	for len(*b) <= (hi-1)>>6 {
		*b = append(*b, 0)
	}
	first, last := lo>>6, (hi-1)>>6
	from, to := ^uint64(0)<<(uint(lo)&63), ^uint64(0)>>(63-uint(hi-1)&63)
	if first == last {
		(*b)[first] |= from & to
		return
	}
	(*b)[first] |= from
	for w := first + 1; w < last; w++ {
		(*b)[w] = ^uint64(0)
	}
	(*b)[last] |= to
}

// SetFrom marks row at+i for every marked row lo+i of src in [lo, hi).
func (b *Bitmap) SetFrom(at int, src Bitmap, lo, hi int) {
	hi = min(hi, len(src)<<6)
	for lo < hi {
		n := min(64-lo&63, 64-at&63, hi-lo)
		if word := src[lo>>6] >> (uint(lo) & 63) & (^uint64(0) >> uint(64-n)); word != 0 {
			for len(*b) <= at>>6 {
				*b = append(*b, 0)
			}
			(*b)[at>>6] |= word << (uint(at) & 63)
		}
		lo, at = lo+n, at+n
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

// NextClear returns the first row from i on that is not null, n if there is none
// below n.
func (b Bitmap) NextClear(i, n int) int {
	for i < n {
		w := i >> 6
		if w >= len(b) {
			return i
		}
		if word := ^b[w] >> (uint(i) & 63); word != 0 {
			return min(i+bits.TrailingZeros64(word), n)
		}
		i = (w + 1) << 6
	}
	return n
}

// NextSet returns the first row from i on that is null, n if there is none below
// n.
func (b Bitmap) NextSet(i, n int) int {
	for i < n {
		w := i >> 6
		if w >= len(b) {
			return n
		}
		if word := b[w] >> (uint(i) & 63); word != 0 {
			return min(i+bits.TrailingZeros64(word), n)
		}
		i = (w + 1) << 6
	}
	return n
}
