package vfs

import (
	"errors"
	"syscall"
)

const (
	errorHandleDiskFull    syscall.Errno = 39
	errorDiskFull          syscall.Errno = 112
	errorDiskQuotaExceeded syscall.Errno = 1295
)

func isNoSpace(err error) bool {
	return errors.Is(err, errorHandleDiskFull) || errors.Is(err, errorDiskFull) ||
		errors.Is(err, errorDiskQuotaExceeded)
}
