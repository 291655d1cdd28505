//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package main

import "syscall"

const (
	ioctlGet = syscall.TIOCGETA
	ioctlSet = syscall.TIOCSETA
)
