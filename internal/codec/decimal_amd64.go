//go:build !tickwell_small

package codec

// decimalSteps sets dst to the quotients of the running sums of n packed steps,
// as unpack and quotientsAlong do together, and returns the last sum: sum is that
// before the first, low is added to each step. n is a multiple of 8 and not 0,
// width is 1 to widestDecimal, and no sum has a magnitude above what quotient
// may divide. For each eight steps it reads width/2+8 bytes of src, which are
// width apart.
//
//go:noescape
func decimalSteps(dst *float64, src *byte, n int, width uint, low, sum int64, hi, lo float64) int64

// widestDecimal is the widest step of which four fit a word wherever they begin.
const widestDecimal = 16

//go:noescape
func cpuid(leaf, sub uint32) (eax, ebx, ecx, edx uint32)

//go:noescape
func xgetbv() uint32

// hasDecimalSteps reports whether the machine has AVX2 and its system keeps the
// registers.
var hasDecimalSteps = func() bool {
	const (
		osxsave, avx = 1 << 27, 1 << 28 // of leaf 1, ecx
		avx2         = 1 << 5           // of leaf 7, ebx
		xmm, ymm     = 1 << 1, 1 << 2   // of the register of states
	)
	if most, _, _, _ := cpuid(0, 0); most < 7 {
		return false
	}
	if _, _, c, _ := cpuid(1, 0); c&osxsave == 0 || c&avx == 0 || xgetbv()&(xmm|ymm) != xmm|ymm {
		return false
	}
	_, b, _, _ := cpuid(7, 0)
	return b&avx2 != 0
}()

// HasAVX2 reports whether the instructions may be used.
func HasAVX2() bool { return hasDecimalSteps }

// decimalsAlong sets the first of dst to the quotients of the running sums of
// packed steps, and returns how many and the last sum. What is left is for the
// longer way.
func decimalsAlong(dst []float64, h *deltaHead, q *quotient) (n int, sum int64) {
	w := int(h.width)
	if !hasDecimalSteps || w < 1 || w > widestDecimal || h.unit != 1 || len(h.packed) < w/2+8 {
		return 0, h.first
	}
	n = 8 * min(len(dst)/8, (len(h.packed)-w/2-8)/w+1)
	if n == 0 {
		return 0, h.first
	}
	return n, decimalSteps(&dst[0], &h.packed[0], n, h.width, h.low, h.first, q.hi, q.lo)
}
