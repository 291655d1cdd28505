//go:build !amd64 || tickwell_small

package block

// along: numbers are taken one by one.
const along = false

// sumAlong takes none: see stats_amd64.go.
func sumAlong(_ *[4]float64, _ []float64) (n int, lo, hi float64) { return 0, 0, 0 }
