package vfs

import (
	"os"
	"syscall"
)

// syncFile uses fdatasync: it writes the size when that changed, but spares the
// journal commit that a mere new modification time costs.
func syncFile(f *os.File) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var errno error
	err = conn.Control(func(fd uintptr) {
		for {
			errno = syscall.Fdatasync(int(fd))
			if errno != syscall.EINTR {
				return
			}
		}
	})
	if err != nil { // Control fails on closed files only, with poll's own error
		return pathError("sync", f.Name(), os.ErrClosed)
	}
	return os.NewSyscallError("fdatasync", errno)
}
