//go:build !linux

package server

import (
	"os"
	"os/exec"
)

func dieWithUs(cmd *exec.Cmd, _ bool) func(os.Signal) error {
	return func(how os.Signal) error { return cmd.Process.Signal(how) }
}
