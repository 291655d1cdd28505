package errs

import "strings"

// Nearest returns the word of list that is at most two changes from s, "" if
// none or s itself is there; letter case is passed over.
func Nearest(s string, list []string) string {
	s = strings.ToUpper(s)
	if len(s) < 3 || len(s) > 20 {
		return ""
	}
	best, least := "", 3
	if len(s) < 5 {
		least = 2
	}
	for _, w := range list {
		if d := distance(s, strings.ToUpper(w), least); d > 0 && d < least {
			best, least = w, d
		}
	}
	return best
}

// distance counts the letters to insert, delete, replace or swap to get from a
// to b, as far as it is below limit.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	prev2, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], prev2[j-2]+1)
			}
		}
		prev2, prev, row = prev, row, prev2
	}
	return prev[len(b)]
}
