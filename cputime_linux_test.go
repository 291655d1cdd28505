package tickwell

import (
	"syscall"
	"time"
)

// cpuTime is the processor time that the calling thread has used, to be compared
// where the goroutine is locked to it: on a busy machine it says more than a clock.
func cpuTime() time.Duration {
	const thread = 1 // RUSAGE_THREAD
	var u syscall.Rusage
	if syscall.Getrusage(thread, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
