//go:build !linux

package tickwell

import "time"

var processStart = time.Now()

// cpuTime stands in for processor time where there is none to be had.
func cpuTime() time.Duration { return time.Since(processStart) }

func processTime() time.Duration { return cpuTime() }
