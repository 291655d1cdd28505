//go:build !amd64 || tickwell_small

package codec

// decimalsAlong takes none: see decimal_amd64.go.
func decimalsAlong(_ []float64, h *deltaHead, _ *quotient) (n int, sum int64) { return 0, h.first }
