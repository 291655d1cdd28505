//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package vfs

import (
	"os"
	"syscall"
)

// lockFile uses flock(2), which belongs to the open file: a second Lock in the
// same process fails too, and the lock ends when the process does. Go opens
// files close-on-exec, so children do not inherit it.
func lockFile(f *os.File) (unlock func() error, err error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	var errno error
	err = conn.Control(func(fd uintptr) {
		for {
			errno = syscall.Flock(int(fd), syscall.LOCK_EX|syscall.LOCK_NB)
			if errno != syscall.EINTR {
				return
			}
		}
	})
	switch {
	case err != nil:
		return nil, err
	case errno == syscall.EWOULDBLOCK:
		return nil, &bothError{sentinel: ErrLocked, err: errno}
	case errno != nil:
		return nil, os.NewSyscallError("flock", errno)
	}
	return func() error {
		// Closing the file unlocks, but not while a child that is about to be has it too.
		return conn.Control(func(fd uintptr) { _ = syscall.Flock(int(fd), syscall.LOCK_UN) })
	}, nil
}
