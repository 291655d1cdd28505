//go:build race

package engine

// detector says that the race detector is on; it allocates.
const detector = true
