package main

import "fmt"

// plural is "1 file", "2 files": a number with the word for one or for many.
func plural[T int | int64 | uint64](n T, one, many string) string {
	if n == 1 {
		many = one
	}
	return fmt.Sprint(n, " ", many)
}
