package server

import (
	"os"
	"os/exec"
	"runtime"
)

// process is one run of a server.
type process struct {
	cmd *exec.Cmd
	// signal sends it a signal, and its children too if it has some.
	signal func(os.Signal) error
	done   chan struct{}
	err    error // how it ended, once done is closed
}

// start runs cmd. A server must not outlive the test program, whatever ends that:
// where the system can see to it, it does, by the thread that started the server,
// which is why that thread stays until the server has ended.
func start(cmd *exec.Cmd, children bool) (*process, error) {
	p := &process{cmd: cmd, done: make(chan struct{})}
	p.signal = dieWithUs(cmd, children)
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
	_ = p.signal(os.Kill)
	<-p.done
}
