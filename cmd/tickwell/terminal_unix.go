//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package main

import (
	"os"
	"syscall"
	"unsafe"
)

// isTerminal reports whether a reader or writer is a terminal.
func isTerminal(v any) bool {
	f, ok := fileOf(v)
	if !ok {
		return false
	}
	var t syscall.Termios
	return control(f, ioctlGet, unsafe.Pointer(&t)) == nil
}

// terminalWidth returns the columns of a terminal, 80 if it does not tell.
func terminalWidth(v any) int {
	if f, ok := fileOf(v); ok {
		var size struct{ rows, columns, x, y uint16 }
		if control(f, syscall.TIOCGWINSZ, unsafe.Pointer(&size)) == nil && size.columns > 0 {
			return int(size.columns)
		}
	}
	return 80
}

// rawMode makes a terminal hand over each key as it is pressed, without echo.
func rawMode(f *os.File) (restore func(), err error) {
	var old syscall.Termios
	if err := control(f, ioctlGet, unsafe.Pointer(&old)); err != nil {
		return nil, err
	}
	raw := old
	raw.Iflag &^= syscall.ICRNL | syscall.IXON | syscall.BRKINT | syscall.INPCK | syscall.ISTRIP
	raw.Lflag &^= syscall.ECHO | syscall.ICANON | syscall.ISIG | syscall.IEXTEN
	raw.Cc[syscall.VMIN], raw.Cc[syscall.VTIME] = 1, 0
	if err := control(f, ioctlSet, unsafe.Pointer(&raw)); err != nil {
		return nil, err
	}
	return func() { _ = control(f, ioctlSet, unsafe.Pointer(&old)) }, nil
}

func control(f *os.File, request uintptr, arg unsafe.Pointer) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var errno syscall.Errno
	if err := conn.Control(func(fd uintptr) {
		_, _, errno = syscall.Syscall(syscall.SYS_IOCTL, fd, request, uintptr(arg))
	}); err != nil {
		return err
	}
	if errno != 0 {
		return errno
	}
	return nil
}
