package server

import (
	"os"
	"os/exec"
	"syscall"
)

// dieWithUs has the process die with the thread that starts it. What it returns
// sends a signal to it, and to its children if it has some.
func dieWithUs(cmd *exec.Cmd, children bool) func(os.Signal) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: children}
	return func(how os.Signal) error {
		if number, ok := how.(syscall.Signal); ok && children {
			return syscall.Kill(-cmd.Process.Pid, number)
		}
		return cmd.Process.Signal(how)
	}
}
