package server

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// IoTDBShell runs statements on an IoTDB in one process, which is started when it
// is needed and again after it has failed, as when the server was stopped. It is
// for one goroutine.
type IoTDBShell struct {
	DB *IoTDB

	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// Query runs a statement and returns the lines that it gives.
func (s *IoTDBShell) Query(ctx context.Context, statement string) (lines []string, err error) {
	if s.cmd == nil {
		if err := s.start(); err != nil {
			return nil, fmt.Errorf("iotdb: %w", err)
		}
	}
	stop := context.AfterFunc(ctx, func() { s.cmd.Process.Kill() })
	defer func() {
		if stop() && err == nil {
			return
		}
		s.Close()
		if err == nil {
			err = context.Cause(ctx)
		}
	}()
	if _, err := io.WriteString(s.in, statement+"\n"); err != nil {
		return nil, fmt.Errorf("iotdb: %s: %w", statement, err)
	}
	for {
		line, err := s.out.ReadString('\n')
		if err != nil {
			return nil, fmt.Errorf("iotdb: %s: %w", statement, err)
		}
		line = strings.TrimSuffix(line, "\n")
		if why, failed := strings.CutPrefix(line, "error: "); failed {
			return nil, fmt.Errorf("iotdb: %s: %s", statement, why)
		}
		if line == "." {
			return lines, nil
		}
		lines = append(lines, line)
	}
}

func (s *IoTDBShell) start() error {
	argv := s.DB.queryJava()
	cmd := exec.Command(argv[0], argv[1:]...)
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.cmd, s.in, s.out = cmd, in, bufio.NewReader(out)
	return nil
}

// Close ends the process.
func (s *IoTDBShell) Close() {
	if s.cmd == nil {
		return
	}
	s.in.Close()
	s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
}
