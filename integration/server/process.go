package server

import (
	"os/exec"
	"runtime"
)

// process is one run of a server.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error // how it ended, once done is closed
}

// start runs cmd. A server must not outlive the test program, whatever ends that:
// where the system can see to it, it does, by the thread that started the server,
// which is why that thread stays until the server has ended.
func start(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, done: make(chan struct{})}
	dieWithUs(cmd)
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.done)
		}
	}()
	return p, <-started
}

// end kills the server and waits until it is gone.
func (p *process) end() {
	p.cmd.Process.Kill()
	<-p.done
}
