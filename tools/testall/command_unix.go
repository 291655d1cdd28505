//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// killWithChildren gives cmd a process group of its own, so that test binaries
// that the go command started end with it.
func killWithChildren(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
