package tickwell

import (
	"syscall"
	"time"
	"unsafe"
)

// cpuTime is the processor time that the calling thread has used, to be compared
// where the goroutine is locked to it: on a busy machine it says more than a clock.
func cpuTime() time.Duration { return clockTime(3) } // CLOCK_THREAD_CPUTIME_ID

// processTime is the processor time that all threads have used.
func processTime() time.Duration { return clockTime(2) } // CLOCK_PROCESS_CPUTIME_ID

func clockTime(id uintptr) time.Duration {
	var ts syscall.Timespec
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, id, uintptr(unsafe.Pointer(&ts)), 0); errno != 0 {
		return 0
	}
	return time.Duration(ts.Nano())
}
