//go:build !tickwell_small

package sorting

import "slices"

// Fast is slices.SortFunc, for what is sorted often. With the tag tickwell_small
// it is [By].
func Fast[E any](s []E, compare func(a, b E) int) { slices.SortFunc(s, compare) }
