//go:build !amd64 || tickwell_small

package codec

// decimalsAlong takes none: see decimal_amd64.go.
func decimalsAlong(_ []float64, h *deltaHead, _ *quotient) (n int, sum int64) { return 0, h.first }

// along: numbers are taken one by one.
const along = false

// digitsAlong takes none: see digits_amd64.go.
func digitsAlong[T float](_ []int64, _ []T, i int, _ *quotient, _ *span) int { return i }

// packStepsAlong takes none: see digits_amd64.go.
func packStepsAlong(dst []byte, _ []int64, _ int64, _ uint) ([]byte, int) { return dst, 0 }

// packFrameAlong takes none: see digits_amd64.go.
func packFrameAlong(dst []byte, _ []int64, _ int64, _ uint) ([]byte, int) { return dst, 0 }

// longAlong takes none: see digits_amd64.go.
func longAlong(_ []int64, _ int64, _ uint) (count uint64, n int) { return 0, 0 }
