// Package sorting sorts slices that are short or sorted seldom. The compiler makes
// a copy of slices.SortFunc, some 8 KB on arm, for each type of element; these
// functions share one copy of package sort and take a few bytes for each type.
// They are slower and allocate: paths that are hot use package slices.
package sorting

import "sort"

// By sorts s as compare says. Elements that are equal may change places.
func By[E any](s []E, compare func(a, b E) int) {
	sort.Slice(s, func(i, j int) bool { return compare(s[i], s[j]) < 0 })
}

// Stable is [By], but elements that are equal keep their order.
func Stable[E any](s []E, compare func(a, b E) int) {
	sort.SliceStable(s, func(i, j int) bool { return compare(s[i], s[j]) < 0 })
}
