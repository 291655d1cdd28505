// Package lint holds the rules of the house that a compiler does not: which
// package may import which, what the core may link, where the clock, the disk
// and chance may be touched, what must be documented, and names that say
// nothing. It consists of tests only.
package lint
