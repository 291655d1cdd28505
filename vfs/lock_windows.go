package vfs

import (
	"os"
	"syscall"
	"unsafe"
)

var (
	kernel32         = syscall.NewLazyDLL("kernel32.dll")
	procLockFileEx   = kernel32.NewProc("LockFileEx")
	procUnlockFileEx = kernel32.NewProc("UnlockFileEx")
)

const (
	lockFailImmediately = 1
	lockExclusive       = 2

	errorLockViolation syscall.Errno = 33
	errorIOPending     syscall.Errno = 997
)

// lockFile uses LockFileEx, which belongs to the handle: a second Lock in the
// same process fails too, and the lock ends when the process does.
func lockFile(f *os.File) (unlock func() error, err error) {
	call := func(proc *syscall.LazyProc, flags ...uintptr) error {
		conn, err := f.SyscallConn()
		if err != nil {
			return err
		}
		var errno error
		err = conn.Control(func(fd uintptr) {
			var where syscall.Overlapped // offset 0
			args := append([]uintptr{fd}, flags...)
			args = append(args, 0, 1, 0, uintptr(unsafe.Pointer(&where)))
			if ok, _, e := proc.Call(args...); ok == 0 {
				errno = e
			}
		})
		if err != nil {
			return err
		}
		return errno
	}
	err = call(procLockFileEx, lockExclusive|lockFailImmediately)
	if err == errorLockViolation || err == errorIOPending {
		return nil, &bothError{sentinel: ErrLocked, err: err}
	}
	if err != nil {
		return nil, os.NewSyscallError("LockFileEx", err)
	}
	return func() error {
		return os.NewSyscallError("UnlockFileEx", call(procUnlockFileEx))
	}, nil
}
